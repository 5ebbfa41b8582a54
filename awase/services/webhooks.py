"""What a workspace's endpoints are told: effects written in the transaction of the cause.

An effect holds ids only; `deliveries` builds the body when it is sent, signs it and keeps the log. Whoever
changes something calls `tell` in its transaction.
"""

import secrets
from base64 import b64encode
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.db import transaction
from django.db.models import F, QuerySet

from awase import registry
from awase.domain.permissions import Act
from awase.models import BookingPage, Effect, EffectKind, EffectState, Member, WebhookEndpoint
from awase.models.bulk import insert_all
from awase.models.prepared import prepared
from awase.models.webhook import EndpointKind
from awase.providers.guard import AddressRefused as AddressRefused
from awase.services.permissions import require

SECRET_BYTES = 32  # Standard Webhooks: 24 to 64


class Event(StrEnum):
    """What may be told. The part before the dot names the kind of object."""

    BOOKING_REQUESTED = "booking.requested"
    BOOKING_CONFIRMED = "booking.confirmed"
    BOOKING_RESCHEDULED = "booking.rescheduled"
    BOOKING_CANCELLED = "booking.cancelled"
    BOOKING_REASSIGNED = "booking.reassigned"
    BOOKING_NO_SHOW = "booking.no_show"
    PAGE_STOPPED = "page.stopped"
    PAGE_OPENED = "page.opened"
    CONNECTION_ERROR = "connection.error"
    CONNECTION_RESTORED = "connection.restored"


CHAT_EVENTS = frozenset({Event.PAGE_STOPPED, Event.PAGE_OPENED, Event.CONNECTION_ERROR, Event.CONNECTION_RESTORED})


def tell(
    workspace_id: int, event: Event, object_ids: int | Iterable[int], now: datetime, *, at_once: bool = True
) -> None:
    """Have the workspace's endpoints told of `event` about these rows (booking, page or connection), in the
    transaction of the cause. Not `at_once`: nobody did it by hand, so a chat hears of it once an hour at most."""
    ids = [object_ids] if isinstance(object_ids, int) else list(object_ids)
    wanted = [endpoint for endpoint in _active(workspace_id) if wants(endpoint, event)] if ids else []
    insert_all(
        Effect(
            kind=EffectKind.WEBHOOK,
            key=f"{lane(endpoint.pk, event, object_id)}{uuid4().hex}",
            payload={"endpoint": endpoint.pk, "event": event.value, "object": object_id, "at_once": at_once},
            next_at=now,
        )
        for object_id in ids
        for endpoint in wanted
    )


def lane(endpoint_id: int, event: Event, object_id: int) -> str:
    """What the keys of all that one endpoint is told about one object begin with; it is told in order."""
    return f"webhook:{endpoint_id}:{event.partition('.')[0]}:{object_id}:"


def wants(endpoint: WebhookEndpoint, event: Event) -> bool:
    """Whether this endpoint is told of such events. Chats hear of pages and connections only."""
    if endpoint.kind == EndpointKind.CHAT and event not in CHAT_EVENTS:
        return False
    return not endpoint.events or event in endpoint.events


def pages_turned(
    stopped: Iterable[BookingPage], opened: Iterable[BookingPage], now: datetime, *, at_once: bool
) -> None:
    """Tell of the pages that health stopped and opened."""
    for event, pages in ((Event.PAGE_STOPPED, stopped), (Event.PAGE_OPENED, opened)):
        by_workspace: dict[int, list[int]] = defaultdict(list)
        for page in pages:
            by_workspace[page.workspace_id].append(page.pk)
        for workspace_id, ids in by_workspace.items():
            tell(workspace_id, event, ids, now, at_once=at_once)


@prepared
def _active(workspace: Any) -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(workspace=workspace, active=True).defer("secret").order_by("pk")


def create(
    by: Member, kind: EndpointKind, address: str, events: Collection[Event], now: datetime
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint of their workspace and its signing secret ("" for a chat), which is shown once. Raises
    AddressRefused for an address that must not be called, PermissionDenied. Asks the name service, so never within a
    transaction."""
    require(by, Act.CHANGE_WEBHOOKS, by.workspace)
    registry.check_webhook_address(address)
    secret = "" if kind == EndpointKind.CHAT else f"whsec_{b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"
    endpoint = WebhookEndpoint.objects.create(
        workspace=by.workspace,
        kind=kind,
        host=(urlsplit(address).hostname or "")[:200],
        secret={"address": address, "secret": secret},
        events=sorted(events),
        created_at=now,
    )
    return endpoint, secret


def set_active(endpoint: WebhookEndpoint, active: bool, *, by: Member) -> None:
    """Switch an endpoint on or off. On: its failures so far are forgotten. Raises PermissionDenied."""
    require(by, Act.CHANGE_WEBHOOKS, endpoint.workspace)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(active=active, failing_since=None)
    endpoint.active, endpoint.failing_since = active, None


def delete(endpoint: WebhookEndpoint, *, by: Member) -> None:
    """Take the endpoint away, with its log and all that it was still to be told. Raises PermissionDenied."""
    require(by, Act.CHANGE_WEBHOOKS, endpoint.workspace)
    with transaction.atomic():
        told(endpoint).delete()
        endpoint.delete()


def told(endpoint: WebhookEndpoint) -> QuerySet[Effect]:
    """What the endpoint was or is to be told, each with its attempts."""
    effects = Effect.objects.filter(kind=EffectKind.WEBHOOK, key__startswith=f"webhook:{endpoint.pk}:")
    return effects.prefetch_related("webhook_attempts")


def redeliver(endpoint: WebhookEndpoint, effect: Effect, now: datetime, *, by: Member) -> None:
    """Tell the endpoint once more, under the same id, so that a receiver that has it already can leave it. Raises
    PermissionDenied."""
    require(by, Act.CHANGE_WEBHOOKS, endpoint.workspace)
    told(endpoint).filter(pk=effect.pk).exclude(state=EffectState.RUNNING).update(
        state=EffectState.PENDING, next_at=now, attempts=0, wanted=F("wanted") + 1, last_error=""
    )
