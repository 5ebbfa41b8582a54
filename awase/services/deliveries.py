"""Telling endpoints: the body as things stand when it is sent, the signature, the log (Standard Webhooks).

What one endpoint is told about one object comes in order: a message waits for those before it. A message is
tried for three days, then given up; an endpoint that took nothing for three days is switched off and the admins
are told. The id stays the same however often a message is sent.
"""

import json
import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from standardwebhooks import Webhook

from awase import registry
from awase.domain.errors import ProviderError
from awase.domain.health import Standing
from awase.models import (
    Booking,
    BookingPage,
    Connection,
    Effect,
    EffectKind,
    EffectState,
    HostTime,
    WebhookAttempt,
    WebhookEndpoint,
)
from awase.models.webhook import EndpointKind
from awase.services import notices, webhooks, words
from awase.services.health import standing_of, verdict_of
from awase.services.webhooks import Event

# Between the tries; the last one comes about three days after the first.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (0.1, 5, 30, 120, 300, 600, 840, 1200, 1245))
GIVEN_UP_AFTER = timedelta(days=3)
REST = timedelta(minutes=1)  # an endpoint that just failed is left alone for so long
GONE = 410
WAITING = (EffectState.PENDING, EffectState.RUNNING)


class NotTaken(Exception):
    """The endpoint did not take it; to be tried again after `pause`, or not at all (None)."""

    def __init__(self, why: str, pause: timedelta | None) -> None:
        super().__init__(why)
        self.pause = pause


class Later(Exception):
    """Not its turn yet; try after `pause`. Nothing was sent."""

    def __init__(self, pause: timedelta) -> None:
        super().__init__(pause)
        self.pause = pause


def deliver(effect: Effect, now: datetime) -> None:
    """Tell the endpoint of this effect. Raises NotTaken, Later; returns where there is nothing to tell any more."""
    endpoint = WebhookEndpoint.objects.select_related("workspace").filter(pk=effect.payload["endpoint"]).first()
    if endpoint is None:
        return
    if not endpoint.active:
        raise NotTaken("the endpoint is switched off", None)
    event = Event(effect.payload["event"])
    _wait_for_turn(effect, endpoint, event, now)
    if endpoint.kind == EndpointKind.CHAT and _chat_knows(effect, endpoint, event, now):
        return
    with translation.override(endpoint.workspace.language):
        body = _chat(event, effect, now) if endpoint.kind == EndpointKind.CHAT else _body(event, effect, now)
    if body is None:
        return
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    headers = {"Content-Type": "application/json", **_signature(endpoint, effect, content, now)}
    status, error, wait = None, "", None
    try:
        status, wait = registry.post_webhook(endpoint.secret["address"], headers, content.encode())
    except ProviderError as problem:
        error = problem.failure.detail
    WebhookAttempt.objects.create(endpoint=endpoint, effect=effect, at=now, status=status, error=error[:200])
    if status is not None and 200 <= status < 300:
        WebhookEndpoint.objects.filter(pk=endpoint.pk, failing_since__isnull=False).update(failing_since=None)
        return
    _failed(endpoint, now, gone=status == GONE)
    pause = PAUSES[effect.attempts - 1] * random.uniform(1, 1.1) if effect.attempts <= len(PAUSES) else None  # noqa: S311
    if pause is not None and wait is not None:
        pause = max(pause, timedelta(seconds=min(wait, 86400)))
    raise NotTaken(error or f"HTTP {status}", pause)


def _signature(endpoint: WebhookEndpoint, effect: Effect, content: str, now: datetime) -> dict[str, str]:
    if endpoint.kind == EndpointKind.CHAT:
        return {}
    number = f"msg_{effect.key.rpartition(':')[2]}"
    return {
        "webhook-id": number,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(endpoint.secret["secret"]).sign(number, now, content),
    }


def _wait_for_turn(effect: Effect, endpoint: WebhookEndpoint, event: Event, now: datetime) -> None:
    """What came before about the same object goes first; an endpoint that just failed rests. Raises Later."""
    lane = webhooks.lane(endpoint.pk, event, effect.payload["object"])
    before = Effect.objects.filter(state__in=WAITING, kind=EffectKind.WEBHOOK, key__startswith=lane, pk__lt=effect.pk)
    if first := before.order_by("pk").first():
        raise Later(max(first.next_at - now, timedelta()) + timedelta(seconds=1))
    if endpoint.failing_since is not None:
        last = WebhookAttempt.objects.filter(endpoint=endpoint).exclude(effect=effect).first()
        if last is not None and now - last.at < REST:
            raise Later(REST * random.uniform(1, 3))  # noqa: S311


def _chat_knows(effect: Effect, endpoint: WebhookEndpoint, event: Event, now: datetime) -> bool:
    """Whether a chat need not be told: something newer is to be told about the object, or it was told just this
    last. What nobody did by hand is told once an hour at most: raises Later."""
    lane = webhooks.lane(endpoint.pk, event, effect.payload["object"])
    about = Effect.objects.filter(kind=EffectKind.WEBHOOK, key__startswith=lane)
    if about.filter(pk__gt=effect.pk).exists():
        return True
    sent = WebhookAttempt.objects.filter(effect__in=about, status__range=(200, 299)).select_related("effect")
    last = sent.exclude(effect=effect).first()
    if last is None or effect.wanted > 1:  # `wanted` grows when somebody asks for it again
        return False
    if last.effect.payload["event"] == event:
        return True
    if not effect.payload["at_once"] and now - last.at < notices.DAMPING:
        raise Later(last.at + notices.DAMPING - now)
    return False


def _failed(endpoint: WebhookEndpoint, now: datetime, *, gone: bool) -> None:
    """Remember since when the endpoint fails; after three days, or once it says that it is gone, it is switched off."""
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        endpoint.failing_since = endpoint.failing_since or now
        if endpoint.active and (gone or now - endpoint.failing_since >= GIVEN_UP_AFTER):
            endpoint.active = False
            notices.endpoint_off(endpoint, now)
        endpoint.save(update_fields=["failing_since", "active"])


def _body(event: Event, effect: Effect, now: datetime) -> dict[str, Any] | None:
    """What a program is told; None if the object is no longer there."""
    data = DATA[event.partition(".")[0]](effect.payload["object"], now)
    if data is None:
        return None
    return {"type": event.value, "timestamp": effect.created_at.isoformat(timespec="seconds"), "data": data}


def _booking(pk: int, now: datetime) -> dict[str, Any] | None:
    booking = Booking.objects.select_related("page").filter(pk=pk).first()
    if booking is None:
        return None
    carrier = booking.session_id or booking.pk
    hosts = HostTime.objects.filter(booking=carrier).select_related("member__user").order_by("id")
    return {
        "uid": booking.uid,
        "page": booking.page.slug,
        "title": booking.title,
        "state": booking.state,
        "start": _moment(booking.start),
        "end": _moment(booking.end),
        "hosts": [{"id": row.member_id, "name": row.member.name} for row in hosts],
        "guest": {
            "name": booking.guest_name,
            "email": booking.guest_email,
            "phone": booking.guest_phone,
            "company": booking.guest_company,
            "note": booking.guest_note,
            "language": booking.guest_language,
            "time_zone": booking.guest_time_zone,
        },
        "answers": booking.answers,
        "location_kind": booking.location_kind or None,
        "location_detail": booking.location_detail,
        "join_url": booking.join_url,
        "cancel_reason": booking.cancel_reason,
        "no_show_at": _moment(booking.no_show_at),
    }


def _page(pk: int, now: datetime) -> dict[str, Any] | None:
    page = BookingPage.objects.select_related("workspace", "owner__user").filter(pk=pk).first()
    if page is None:
        return None
    verdict = verdict_of(page, now)
    names = dict(page.workspace.members.values_list("pk", "user__name"))
    return {
        "slug": page.slug,
        "title": page.title,
        "url": f"{settings.AWASE_URL}/{page.workspace.slug}/{page.slug}",
        "owner": {"id": page.owner_id, "name": page.owner.name},
        "accepting_manually": page.accepting,
        "open": verdict.open,
        "in_error": verdict.in_error,
        "stopped": list(verdict.stop_kinds),
        "what": words.lack(verdict.stops[0], names) if verdict.stops else "",
    }


def _connection(pk: int, now: datetime) -> dict[str, Any] | None:
    link = Connection.objects.select_related("credential", "member__user").filter(pk=pk).first()
    if link is None:
        return None
    standing, reason = standing_of(link.credential, now)
    return {
        "id": link.pk,
        "member": {"id": link.member_id, "name": link.member.name},
        "service": link.credential.service,
        "account": link.credential.account_email,
        "standing": standing,
        "reason": reason,
        "what": words.cannot_use(link.credential.service, link.credential.account_email, link.member.name)
        if standing is Standing.ERROR
        else "",
    }


DATA = {"booking": _booking, "page": _page, "connection": _connection}


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def _chat(event: Event, effect: Effect, now: datetime) -> dict[str, Any] | None:
    """One line for people, with a link, in the workspace's language."""
    data = DATA[event.partition(".")[0]](effect.payload["object"], now)
    if data is None:
        return None
    if event in (Event.PAGE_STOPPED, Event.PAGE_OPENED):
        if not data["accepting_manually"]:
            return None
        url = f"{settings.AWASE_URL}/app/pages"
        said = (
            _("“%(title)s” takes no bookings at the moment. %(what)s")
            if event is Event.PAGE_STOPPED
            else _("“%(title)s” takes bookings again.")
        )
    else:
        url = f"{settings.AWASE_URL}/app/connections"
        said = "%(what)s" if event is Event.CONNECTION_ERROR else _("%(service)s (%(account)s) is connected again.")
        data["service"] = words.service_name(data["service"])
    return {"text": f"{said % data}\n{url}"}
