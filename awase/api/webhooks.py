"""Webhooks: the addresses that a workspace wants told of what happens, and the log of what was told. For admins."""

from datetime import UTC, datetime
from typing import Annotated, Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from ninja import Query, Router
from pydantic import BaseModel, Field, StringConstraints

from awase.api.access import CallerRequest, needs
from awase.api.fields import Cursor, Listed, Paged, Sent
from awase.api.problems import invalid
from awase.domain.permissions import Act
from awase.models import Effect, EffectState, WebhookEndpoint
from awase.models.webhook import EndpointKind
from awase.services import webhooks
from awase.services.keys import Scope
from awase.services.permissions import require
from awase.services.webhooks import AddressRefused, Event

router = Router(tags=["Webhooks"])
CURSOR, LOG = Cursor("webhooks", "pk"), Cursor("deliveries", "pk")
MOST_ENDPOINTS = 20

Address = Annotated[str, StringConstraints(max_length=1000, pattern=r"^https?://[!-~]+$")]


class WebhookIn(Sent):
    """Where to post, and what. A chat gets {"text": …} about pages and connections, without a signature."""

    url: Address
    kind: EndpointKind = Field(default=EndpointKind.SIGNED, strict=False)
    events: list[Annotated[Event, Field(strict=False)]] = Field(
        default_factory=list, max_length=len(Event), description="the types wanted; empty: all"
    )


class WebhookOut(BaseModel):
    """An endpoint. Its address may itself be a secret, so only the host is told."""

    id: int
    kind: EndpointKind
    host: str
    events: list[Event]
    active: bool = Field(description="switched off after three days of failures, or by hand")
    failing_since: datetime | None
    created_at: datetime


class WebhookMade(WebhookOut):
    """A new endpoint with the secret that verifies its messages (Standard Webhooks), shown only now."""

    secret: str = Field(description="whsec_…; empty for a chat")


class WebhookList(Listed[WebhookOut]):
    """A part of the endpoints."""


class AttemptOut(BaseModel):
    """One try. Without a status there was no answer."""

    at: datetime
    status: int | None
    error: str


class DeliveryOut(BaseModel):
    """One message to an endpoint, with all its tries, the last one first."""

    id: int
    event: Event
    state: EffectState
    created_at: datetime
    next_at: datetime | None = Field(description="when it is tried next")
    attempts: list[AttemptOut]


class DeliveryList(Listed[DeliveryOut]):
    """A part of the log."""


@router.get("", response=WebhookList, **needs(Scope.WEBHOOKS_READ, "invalid", "forbidden"))
def list_webhooks(request: CallerRequest, asked: Query[Paged]) -> WebhookList:
    """The workspace's endpoints."""
    found, following = CURSOR.part(_endpoints(request), asked)
    return WebhookList(items=[WebhookOut(**_fields(endpoint)) for endpoint in found], next=following)


@router.post(
    "",
    response={201: WebhookMade},
    **needs(Scope.WEBHOOKS_WRITE, "malformed", "invalid", "too_large", "forbidden"),
)
def create_webhook(request: CallerRequest, sent: WebhookIn) -> WebhookMade:
    """A new endpoint. Its address must be public and https, unless the operator has opened it."""
    if _endpoints(request).count() >= MOST_ENDPOINTS:
        raise invalid("body", "url", _("There are as many webhooks as there can be; delete one first."))
    try:
        made, secret = webhooks.create(request.auth.member, sent.kind, sent.url, set(sent.events), datetime.now(UTC))
    except AddressRefused:
        raise invalid("body", "url", _("Give a public address that begins with https://.")) from None
    return WebhookMade(**_fields(made), secret=secret)


@router.delete("{int:webhook_id}", response={204: None}, **needs(Scope.WEBHOOKS_WRITE, "not_found", "forbidden"))
def delete_webhook(request: CallerRequest, webhook_id: int) -> None:
    """Take an endpoint away, with its log."""
    webhooks.delete(_endpoints(request).get(pk=webhook_id), by=request.auth.member)


@router.post("{int:webhook_id}/enable", response=WebhookOut, **needs(Scope.WEBHOOKS_WRITE, "not_found", "forbidden"))
def enable_webhook(request: CallerRequest, webhook_id: int) -> WebhookOut:
    """Switch an endpoint on again. What it missed is redelivered one by one."""
    endpoint = _endpoints(request).get(pk=webhook_id)
    webhooks.set_active(endpoint, True, by=request.auth.member)
    return WebhookOut(**_fields(endpoint))


@router.get(
    "{int:webhook_id}/deliveries",
    response=DeliveryList,
    **needs(Scope.WEBHOOKS_READ, "not_found", "invalid", "forbidden"),
)
def list_deliveries(request: CallerRequest, webhook_id: int, asked: Query[Paged]) -> DeliveryList:
    """The log of an endpoint, oldest first."""
    endpoint = _endpoints(request).get(pk=webhook_id)
    found, following = LOG.part(webhooks.told(endpoint), asked)
    return DeliveryList(items=[_delivery(effect) for effect in found], next=following)


@router.post(
    "{int:webhook_id}/deliveries/{int:delivery_id}/redeliver",
    response=DeliveryOut,
    **needs(Scope.WEBHOOKS_WRITE, "not_found", "forbidden"),
)
def redeliver(request: CallerRequest, webhook_id: int, delivery_id: int) -> DeliveryOut:
    """Send a message once more, under the same id; its body says how things stand now."""
    endpoint = _endpoints(request).get(pk=webhook_id)
    rows = webhooks.told(endpoint)
    webhooks.redeliver(endpoint, rows.get(pk=delivery_id), datetime.now(UTC), by=request.auth.member)
    return _delivery(rows.get(pk=delivery_id))


def _endpoints(request: CallerRequest) -> QuerySet[WebhookEndpoint]:
    """The endpoints of the caller's workspace. Raises PermissionDenied for whoever is no admin."""
    member = request.auth.member
    require(member, Act.CHANGE_WEBHOOKS, member.workspace)
    return WebhookEndpoint.objects.filter(workspace=member.workspace_id)


def _fields(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {name: getattr(endpoint, "pk" if name == "id" else name) for name in WebhookOut.model_fields}


def _delivery(effect: Effect) -> DeliveryOut:
    return DeliveryOut(
        id=effect.pk,
        event=Event(effect.payload["event"]),
        state=EffectState(effect.state),
        created_at=effect.created_at,
        next_at=effect.next_at if effect.state == EffectState.PENDING else None,
        attempts=[
            AttemptOut(at=attempt.at, status=attempt.status, error=attempt.error)
            for attempt in effect.webhook_attempts.all()
        ],
    )
