"""Carrying out the outbox: claim by compare-and-set under a lease, call the service, write down what came of it.

A meeting or event effect brings the outside to the booking's present state, so running it twice, or after a
crash at any point, does no harm. What waits for a person is parked with its reason and resumed by the signal
that says the account works again.
"""

import logging
import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from awase import registry
from awase.domain.errors import Capability, Failure, FailureClass, FailureScope, ProviderError
from awase.domain.health import LocationKind, Service
from awase.models import Booking, BookingState, CalendarEvent, Connection, Credential, Effect, EffectKind, EffectState
from awase.models.booking import new_uid
from awase.providers.protocols import EventDraft, MeetingDraft
from awase.services import deliveries, mail, outbox
from awase.services.drafts import event_draft, meeting_draft
from awase.services.signals import Cause, Good, record
from awase.services.tokens import source

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=3)
LINK_PATIENCE = timedelta(minutes=2)  # how long a confirmation waits for the meeting link
LONGEST_PAUSE = timedelta(minutes=15)
MOST_ATTEMPTS = 60
MOST_WEBHOOKS = 2  # under way at once
CAPABILITY_OF = {
    LocationKind.ZOOM: Capability.ZOOM,
    LocationKind.TEAMS: Capability.TEAMS,
    LocationKind.MEET: Capability.MEET,
}


class Postponed(Exception):
    """Not yet: something that this effect needs is still under way."""

    def __init__(self, pause: timedelta) -> None:
        super().__init__(pause)
        self.pause = pause


class Parked(Exception):
    """Waits for a person; `credential` is the account whose repair resumes it (None: there is none)."""

    def __init__(self, credential: Credential | None, reason: str) -> None:
        super().__init__(reason)
        self.credential = credential
        self.reason = reason


class GivenUp(Exception):
    """The service refuses for good; somebody must look."""


def claim_due(now: datetime, most: int) -> list[int]:
    """Ids of effects to run now, each leased to the caller. Those whose lease ran out are claimed again.

    Webhooks come last and few at a time: a slow receiver must not keep mails and events waiting.
    """
    due = Effect.objects.filter(
        Q(state=EffectState.PENDING, next_at__lte=now) | Q(state=EffectState.RUNNING, lease_until__lte=now)
    )
    claimed = _claim(due.exclude(kind=EffectKind.WEBHOOK), now, most)
    under_way = Effect.objects.filter(state=EffectState.RUNNING, kind=EffectKind.WEBHOOK, lease_until__gt=now)
    room = min(most - len(claimed), MOST_WEBHOOKS - under_way.count())
    return claimed + _claim(due.filter(kind=EffectKind.WEBHOOK), now, room) if room > 0 else claimed


def _claim(due: QuerySet[Effect], now: datetime, most: int) -> list[int]:
    return [
        pk
        for pk, state, lease in due.order_by("next_at", "pk").values_list("pk", "state", "lease_token")[:most]
        if Effect.objects.filter(pk=pk, state=state, lease_token=lease).update(
            state=EffectState.RUNNING, lease_until=now + LEASE, lease_token=uuid.uuid4().hex
        )
    ]


def run(effect_id: int, now: datetime) -> None:
    """Carry out one claimed effect."""
    effect = Effect.objects.select_related("booking__page__workspace", "member__user").get(pk=effect_id)
    if effect.state != EffectState.RUNNING:
        return
    effect.attempts += 1
    Effect.objects.filter(pk=effect.pk).update(attempts=effect.attempts)
    if effect.attempts > MOST_ATTEMPTS:
        _settle(effect, state=EffectState.FAILED)  # it ends its worker each time, or the service never recovers
        return
    try:
        match effect.kind:
            case EffectKind.MEETING:
                _meeting(effect, now)
            case EffectKind.EVENT:
                _event(effect, now)
            case EffectKind.MAIL:
                _mail(effect, now)
            case EffectKind.WEBHOOK:
                deliveries.deliver(effect, now)
    except (Postponed, deliveries.Later) as wait:
        _again(effect, now + wait.pause, "", attempts=effect.attempts - 1)
    except Parked as parked:
        _settle(
            effect,
            state=EffectState.PARKED,
            parked_for=parked.credential,
            parked_reason=parked.reason,
            last_error=parked.reason,
        )
    except mail.NotSent as error:
        _again(effect, now + _pause(effect.attempts), str(error))
    except deliveries.NotTaken as error:
        if error.pause is None:
            _settle(effect, state=EffectState.FAILED, last_error=str(error)[:300])
        else:
            _again(effect, now + error.pause, str(error))
    except GivenUp as error:
        logger.error("effect %s given up: %s", effect.key, error)
        _settle(effect, state=EffectState.FAILED, last_error=str(error)[:300])
    except ProviderError as error:
        _take_failure(effect, error.failure, now)
    else:
        _finish(effect, now)


def _finish(effect: Effect, now: datetime) -> None:
    """Done, unless the booking changed meanwhile: then once more."""
    settled = {"done": effect.wanted, "lease_until": None, "lease_token": "", "last_error": "", "attempts": 0}
    mine = Effect.objects.filter(pk=effect.pk, lease_token=effect.lease_token)
    if not mine.filter(wanted=effect.wanted).update(state=EffectState.DONE, **settled):
        mine.update(state=EffectState.PENDING, next_at=now, **settled)


def _settle(effect: Effect, **fields: object) -> None:
    Effect.objects.filter(pk=effect.pk, lease_token=effect.lease_token).update(
        lease_until=None, lease_token="", **fields
    )


def _again(effect: Effect, at: datetime, error: str, attempts: int | None = None) -> None:
    _settle(
        effect,
        state=EffectState.PENDING,
        next_at=at,
        last_error=error[:300],
        attempts=effect.attempts if attempts is None else attempts,
    )


def _pause(attempts: int) -> timedelta:
    return min(timedelta(seconds=2 ** min(attempts, 12)), LONGEST_PAUSE)


def _take_failure(effect: Effect, failure: Failure, now: datetime) -> None:
    """The signal has been recorded where the call was made; here only the effect's own fate is decided."""
    error = f"{failure.symptom} {failure.detail}"
    waits = failure.kind in (FailureClass.RETRY, FailureClass.RATE_LIMITED, FailureClass.APP_CONFIG) or failure.alert
    if waits and effect.attempts < MOST_ATTEMPTS:
        _again(effect, max(failure.retry_at or now, now + _pause(effect.attempts)), error)
    else:
        logger.error("effect %s given up: %s", effect.key, error)
        _settle(effect, state=EffectState.FAILED, last_error=error[:300])


def _booking(effect: Effect) -> Booking:
    assert effect.booking is not None
    return effect.booking


class _Call:
    """One call in the name of an account: whatever comes of it is a signal about the account."""

    def __init__(self, credential: Credential, capability: Capability | None, now: datetime) -> None:
        self.credential, self.capability, self.now = credential, capability, now

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            record(self.credential.pk, Good(capability=self.capability), Cause.CALL, self.now)
        elif isinstance(error, ProviderError):
            failure = error.failure
            record(self.credential.pk, failure, Cause.CALL, self.now)
            if failure.kind is FailureClass.RECONNECT:
                raise Parked(self.credential, (failure.reason or failure.kind).value) from error


def _meeting(effect: Effect, now: datetime) -> None:
    booking = _booking(effect)
    kind = LocationKind(booking.location_kind)
    service = Service(kind.value)
    active = booking.state == BookingState.CONFIRMED
    connection = _meeting_connection(booking, service)
    if connection is None:
        if active:
            raise Parked(None, "not_connected")
        return
    credential = connection.credential
    provider = registry.conferences(service, source(credential))
    draft: MeetingDraft = meeting_draft(booking)
    with _Call(credential, CAPABILITY_OF[kind], now):
        if not active:
            meeting_id = booking.meeting_id
            if not meeting_id and (lost := provider.find_meeting(draft)):
                meeting_id = lost.id
            if meeting_id:
                provider.delete_meeting(meeting_id)
            made = None
        elif booking.meeting_id:
            provider.update_meeting(booking.meeting_id, draft)
            made = None
        else:
            # An earlier attempt may have made it and lost the answer.
            made = (provider.find_meeting(draft) if effect.attempts > 1 else None) or provider.create_meeting(draft)
    if made is not None:
        with transaction.atomic():
            Booking.objects.filter(pk=booking.pk).update(
                meeting_id=made.id, join_url=made.join_url, meeting_connection=connection
            )
            outbox.link_arrived(booking, now)


def _meeting_connection(booking: Booking, service: Service) -> Connection | None:
    if booking.meeting_connection_id:
        return Connection.objects.select_related("credential").get(pk=booking.meeting_connection_id)
    return (
        Connection.objects.filter(member=booking.location_member_id, credential__service=service)
        .select_related("credential")
        .order_by("pk")
        .first()
    )


def _event(effect: Effect, now: datetime) -> None:
    booking = _booking(effect)
    event = CalendarEvent.objects.select_related("calendar__connection__credential").get(
        booking=booking, member=effect.member_id
    )
    active = booking.state == BookingState.CONFIRMED
    if event.calendar is None:
        if active:
            raise Parked(None, "not_connected")
        return
    if active and booking.location_kind in outbox.MEETING_KINDS and _link_pending(booking, now):
        raise Postponed(timedelta(seconds=2))
    credential = event.calendar.connection.credential
    holds_meet = booking.location_kind == LocationKind.MEET and booking.location_member_id == effect.member_id
    draft: EventDraft = event_draft(booking, event, meet=holds_meet)
    provider = registry.calendars(Service(credential.service), source(credential))
    calendar_id = event.calendar.external_id
    try:
        with _Call(credential, None, now):
            if not active:
                provider.delete_event(calendar_id, event.key, event.external_id)
                written = None
            else:
                written = provider.put_event(calendar_id, draft, event.external_id)
    except ProviderError as error:
        if active and error.failure.scope is FailureScope.EVENT and error.failure.kind is FailureClass.NOT_FOUND:
            # Deleted behind our back; the service keeps its id reserved, so a new one is drawn.
            CalendarEvent.objects.filter(pk=event.pk).update(key=new_uid(), external_id="")
            raise Postponed(timedelta(seconds=1)) from error
        raise
    if written is None:
        return
    CalendarEvent.objects.filter(pk=event.pk).update(external_id=written.id, written_sequence=booking.sequence)
    if not holds_meet or booking.join_url:
        return
    if written.meet_failure:
        record(credential.pk, written.meet_failure, Cause.CALL, now)
        raise Parked(credential, (written.meet_failure.reason or written.meet_failure.kind).value)
    if not written.join_url:
        raise Postponed(timedelta(seconds=3))
    with transaction.atomic():
        Booking.objects.filter(pk=booking.pk).update(join_url=written.join_url)
        outbox.link_arrived(booking, now)


def _link_pending(booking: Booking, now: datetime) -> bool:
    """Whether the meeting link is still worth waiting for."""
    if booking.join_url or now - booking.created_at >= LINK_PATIENCE:
        return False
    makers = Effect.objects.filter(booking=booking, kind__in=[EffectKind.MEETING, EffectKind.EVENT])
    if booking.location_kind in outbox.MEETING_KINDS:
        makers = makers.filter(kind=EffectKind.MEETING)
    else:
        makers = makers.filter(member=booking.location_member_id)
    return makers.filter(state__in=[EffectState.PENDING, EffectState.RUNNING]).exists()


def _mail(effect: Effect, now: datetime) -> None:
    template = effect.payload["template"]
    if effect.booking is not None and template in {"confirmed", "host_booked"}:
        booking = effect.booking
        if booking.state == BookingState.CANCELLED:
            return  # overtaken by the cancellation, which has a mail of its own
        if booking.location_kind in outbox.LINK_KINDS and not booking.join_url:
            if _link_pending(booking, now):
                raise Postponed(timedelta(seconds=2))
            effect.payload = {**effect.payload, "link_follows": True}
            Effect.objects.filter(pk=effect.pk).update(payload=effect.payload)
    mail.send(effect)
