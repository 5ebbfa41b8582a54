"""Push channels: the services tell us of changes, so that a check comes at once instead of at its next turn.

A message is a hint and no more: it makes the account due, and the check reads what changed. The periodic checks go on
all the same, since no service promises that every message comes.
"""

import logging
import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q

from awase import registry
from awase.domain.errors import Capability, FailureScope, ProviderError, Reason
from awase.domain.health import Service, Standing
from awase.models import Calendar, Credential, PushChannel
from awase.providers import zoom_webhooks
from awase.providers.protocols import Channel, PushProvider
from awase.providers.push import Message, News, digest, google_message, graph_messages, refusal
from awase.providers.shape import decoded
from awase.providers.zoom_webhooks import UserNews
from awase.services.signals import Cause, Good, raise_alarm, record
from awase.services.tokens import forget, source

logger = logging.getLogger(__name__)

RENEW_BEFORE = timedelta(days=1)
OPENING = timedelta(hours=2)  # how long a channel is believed in while the service has not said how long it lasts
REFUSED_FOR = timedelta(hours=6)  # a calendar that cannot be watched is left to the periodic checks for so long
BURST = timedelta(seconds=5)  # messages in a burst lead to one check after it
ZOOM_TOKEN_LIFE = timedelta(hours=1)


def tend(credential_id: int, now: datetime) -> None:
    """See to it that each calendar in use has a channel that lasts for a while yet, and no other has one.

    Call it after a good check. Whatever goes wrong is logged: without push the periodic checks go on.
    """
    if not settings.AWASE_PUSH:
        return
    credential = Credential.objects.filter(pk=credential_id, standing=Standing.OK).first()
    if credential is None:
        return
    wanted = _calendars_in_use(credential)
    held: dict[int, PushChannel] = {}
    over = []
    for channel in credential.push_channels.order_by("expires_at"):
        if channel.calendar_id in wanted and channel.expires_at > now:
            held[channel.calendar_id] = channel  # the one that lasts longest
        else:
            over.append(channel)
    lasting = {pk for pk, channel in held.items() if channel.expires_at > now + RENEW_BEFORE}
    due = [calendar for pk, calendar in wanted.items() if pk not in lasting and not cache.get(_refused(calendar))]
    if not due and not over:
        return
    try:
        provider = registry.calendars(Service(credential.service), source(credential))
        if not isinstance(provider, PushProvider):
            return
        for channel in over:
            _close(channel, provider)
        for calendar in due:
            _extend(calendar, held.get(calendar.pk), provider, now)
    except ProviderError as error:
        logger.warning("%s: channels not renewed: %s", credential.service, error.failure.symptom)


def _calendars_in_use(credential: Credential) -> dict[int, Calendar]:
    """One row of each calendar that somebody checks or receives bookings in."""
    rows = Calendar.objects.filter(connection__credential=credential, missing_since=None)
    used = rows.filter(Q(checked=True) | Q(receiving_members__isnull=False)).order_by("-pk")
    first = {calendar.external_id: calendar for calendar in used}
    return {calendar.pk: calendar for calendar in first.values()}


def _extend(calendar: Calendar, held: PushChannel | None, provider: PushProvider, now: datetime) -> None:
    """Give the calendar's channel a later end, or a new one in its place."""
    try:
        renewed = provider.renew(_channel(held), now=now) if held is not None else None
        if held is not None and renewed is not None:
            PushChannel.objects.filter(pk=held.pk).update(expires_at=renewed.expires_at)
            return
        _open(calendar, provider, now)
    except ProviderError as error:
        failure = error.failure
        logger.warning("a calendar cannot be watched: %s %s", failure.symptom, failure.detail)
        cache.set(_refused(calendar), 1, REFUSED_FOR.total_seconds())
        if failure.scope is FailureScope.APP or failure.alert:
            raise_alarm(calendar.connection.credential.service, failure, now)
        return
    if held is not None:
        _close(held, provider)


def _open(calendar: Calendar, provider: PushProvider, now: datetime) -> None:
    """The row comes first: the service may greet us before it answers."""
    credential = calendar.connection.credential
    secret = secrets.token_urlsafe(32)
    row = PushChannel.objects.create(
        credential=credential,
        calendar=calendar,
        channel_id=str(uuid.uuid4()),
        token_digest=digest(secret),
        expires_at=now + OPENING,
        created_at=now,
    )
    try:
        made = provider.watch(
            calendar.external_id, address(credential.service), secret, channel_id=row.channel_id, now=now
        )
    except ProviderError:
        row.delete()
        raise
    kept = PushChannel.objects.filter(pk=row.pk).update(
        channel_id=made.id, resource_id=made.resource_id, expires_at=made.expires_at
    )
    if not kept:  # disconnected meanwhile
        provider.stop(made)


def close_all(credential: Credential) -> None:
    """End the account's channels, before its tokens go."""
    channels = list(credential.push_channels.all())
    if not channels:
        return
    try:
        provider = registry.calendars(Service(credential.service), source(credential))
    except ProviderError:
        return
    if isinstance(provider, PushProvider):
        for channel in channels:
            _close(channel, provider)


def _close(row: PushChannel, provider: PushProvider) -> None:
    """What the service does not end now it ends by itself; until then its messages name a channel unknown to us."""
    row.delete()
    try:
        provider.stop(_channel(row))
    except ProviderError as error:
        logger.warning("a channel was not ended: %s", error.failure.symptom)


def address(service: str) -> str:
    """Where a service's messages go."""
    return f"{settings.AWASE_URL}/hooks/{service}"


def _channel(row: PushChannel) -> Channel:
    return Channel(row.channel_id, row.resource_id, row.expires_at)


def _refused(calendar: Calendar) -> str:
    return f"push-refused-{calendar.pk}"


# Messages


def take_google(headers: Mapping[str, str], now: datetime) -> bool:
    """Take in a message of Google; False if it is not to be believed, and then nothing has changed."""
    message = google_message(headers)
    return _take(Service.GOOGLE, [message] if message else [], now)


def take_graph(body: bytes, now: datetime) -> bool:
    """Take in the messages of Graph that are to be believed; False if none is, and then nothing has changed."""
    return _take(Service.MICROSOFT, graph_messages(body) or [], now)


def _take(service: Service, messages: Sequence[Message], now: datetime) -> bool:
    believed = 0
    for message in messages:
        channel = PushChannel.objects.filter(channel_id=message.channel_id, credential__service=service).first()
        why = "unknown channel" if channel is None else _doubt(channel, message, now)
        if why or channel is None:
            logger.warning("a push message of %s was refused: %s", service, why)
            continue
        believed += 1
        _heed(channel, message, now)
    if not messages:
        logger.warning("a push message of %s was refused: unreadable", service)
    return believed > 0


def _doubt(channel: PushChannel, message: Message, now: datetime) -> str:
    return refusal(
        message,
        token_digest=channel.token_digest,
        resource_id=channel.resource_id,
        last_number=int(channel.last_message) if channel.last_message else None,
        expires_at=channel.expires_at,
        now=now,
    )


def _heed(channel: PushChannel, message: Message, now: datetime) -> None:
    row = PushChannel.objects.filter(pk=channel.pk)
    if message.number is not None:
        row.update(last_message=str(message.number))
    if message.news is News.ENDING:
        row.update(expires_at=min(channel.expires_at, now + RENEW_BEFORE))  # so it is renewed after the check
    elif message.news is News.ENDED:
        row.delete()
    if message.news is not News.OPEN:
        _hurry(channel.credential_id, now)


def _hurry(credential_id: int, now: datetime) -> None:
    """Make the account due now, or at the end of a burst. One that is in trouble keeps its own pace: the services
    ask for patience then, and its next good check reads everything that was missed."""
    well = Credential.objects.filter(pk=credential_id, standing=Standing.OK, last_symptom="", check_every__isnull=False)
    for last_checked in well.values_list("last_checked", flat=True):
        soon = max(now, last_checked + BURST) if last_checked else now
        well.filter(next_check__gt=soon).update(next_check=soon)


def take_zoom(headers: Mapping[str, str], body: bytes, now: datetime) -> Mapping[str, str] | None:
    """Take in an event of Zoom; what to answer, or None if it is not to be believed, and then nothing has changed."""
    secret = settings.AWASE_SERVICES["zoom"]["webhook_secret"]
    said = {name.lower(): value for name, value in headers.items()}
    if not secret or not zoom_webhooks.signed(
        secret,
        timestamp=said.get("x-zm-request-timestamp", ""),
        body=body,
        signature=said.get("x-zm-signature", ""),
        now=now,
    ):
        logger.warning("an event of zoom was refused: signature")
        return None
    seen = f"zoom-event-{digest(said['x-zm-signature'])}"
    try:
        event = decoded(body)
        if event is not None and event.get("event") == "endpoint.url_validation":
            return zoom_webhooks.validation_reply(secret, event)
        news = zoom_webhooks.user_news(event) if event is not None else None
    except ProviderError:
        event = news = None
    why = "unreadable" if event is None else "replayed" if cache.get(seen) else ""
    if not why and news is not None:
        why = _heed_zoom(news, now)
    if why:
        logger.warning("an event of zoom was refused: %s", why)
        return None
    cache.set(seen, 1, 2 * zoom_webhooks.TOLERANCE.total_seconds())
    return {}


def _heed_zoom(news: UserNews, now: datetime) -> str:
    """Take in what became of a user; why it is not to be believed, or ""."""
    credential = Credential.objects.filter(service=Service.ZOOM, account_id=news.user_id).first()
    if credential is None:
        return ""
    if credential.expires_at is not None and credential.expires_at - ZOOM_TOKEN_LIFE > news.at:
        return "stale"  # its tokens are younger than the news
    if news.failure is not None:
        record(credential.pk, news.failure, Cause.PUSH, now)
        if news.failure.scope is FailureScope.CONNECTION:
            forget(credential)
    elif credential.lacking.get(Capability.ZOOM) == Reason.ACCOUNT_DISABLED:
        record(credential.pk, Good(capability=Capability.ZOOM), Cause.PUSH, now, calendars_changed=True)
    return ""
