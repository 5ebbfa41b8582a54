"""Holding a slot while a guest fills in a form, and links that open a page."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from ninja import Path, Query, Router
from pydantic import BaseModel, Field

from awase.api.access import CallerRequest, needs
from awase.api.fields import Cursor, Line, Listed, Moment, Paged, Sent
from awase.domain.permissions import Act
from awase.models import BookingPage, Hold, OneTimeLink
from awase.services import dashboard, holds, links
from awase.services.keys import Scope
from awase.services.permissions import require

router = Router(tags=["Holds and links"])
LINKS = Cursor("one-time-links", "pk")
BODY = ("not_found", "malformed", "invalid", "too_large")


class HoldIn(Sent):
    """Which slot."""

    start: Moment
    minutes: int | None = Field(default=None, description="one of the page's durations; the first if left out")
    location_id: int | None = None
    host_id: int | None = None
    client: str = Field(default="", max_length=200, description="tells your guests apart; each may hold three slots")


class HoldOut(BaseModel):
    """A slot that nobody else can book until it runs out."""

    token: str = Field(description="send it with the booking as “hold”")
    start: datetime
    end: datetime
    expires_at: datetime


class LinkIn(Sent):
    """For whom or what, and how long it can be used."""

    note: Line = Field(default="", max_length=120)
    days: int = Field(default=links.ONE_TIME_DAYS, ge=1, le=366)


class LinkOut(BaseModel):
    """A link that takes one booking."""

    id: int
    note: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


class FreshLink(LinkOut):
    """With its address, which cannot be shown again."""

    url: str


class LinkList(Listed[LinkOut]):
    """A part of the links."""


class SecretLink(BaseModel):
    """The page's secret link."""

    url: str


@router.post(
    "pages/{slug:slug}/holds",
    response={201: HoldOut},
    **needs(
        Scope.BOOKINGS_WRITE,
        *BODY,
        "not_accepting",
        "slot_gone",
        "location_gone",
        "length_unknown",
        "not_held",
    ),
)
def hold_slot(request: CallerRequest, slug: str, sent: HoldIn) -> HoldOut:
    """Hold a slot for five minutes. The fourth hold of a client gives up the oldest."""
    member = request.auth.member
    return _held(
        holds.hold(
            dashboard.visible_page(member, slug),
            sent.start,
            datetime.now(UTC),
            client=f"api-{member.pk}-{sent.client}",
            minutes=sent.minutes,
            location_id=sent.location_id,
            host_id=sent.host_id,
        )
    )


@router.post(
    "pages/{slug:slug}/holds/{slug:token}/renew",
    response=HoldOut,
    **needs(Scope.BOOKINGS_WRITE, "not_found", "slot_gone"),
)
def renew_hold(request: CallerRequest, slug: str, token: str) -> HoldOut:
    """Five minutes more, as long as it has not run out."""
    return _held(holds.renew(dashboard.visible_page(request.auth.member, slug), token, datetime.now(UTC)))


@router.delete("pages/{slug:slug}/holds/{slug:token}", response={204: None}, **needs(Scope.BOOKINGS_WRITE, "not_found"))
def release_hold(request: CallerRequest, slug: str, token: str) -> HttpResponse:
    """Give a hold back; one that is not there any more is nothing to do."""
    holds.release(dashboard.visible_page(request.auth.member, slug), token)
    return HttpResponse(status=204)


def _held(hold: Hold) -> HoldOut:
    return HoldOut(token=hold.token, start=hold.start, end=hold.end, expires_at=hold.expires_at)


@router.post(
    "pages/{slug:slug}/one-time-links",
    response={201: FreshLink},
    **needs(Scope.PAGES_WRITE, *BODY, "forbidden"),
)
def make_one_time_link(request: CallerRequest, slug: str, sent: LinkIn) -> FreshLink:
    """A link that takes one booking of the page, also where the page is secret."""
    page = _page(request, slug)
    made, url = links.make_one_time(page, request.auth.member, datetime.now(UTC), note=sent.note, days=sent.days)
    return FreshLink(**_link(made), url=url)


@router.get(
    "pages/{slug:slug}/one-time-links",
    response=LinkList,
    **needs(Scope.PAGES_READ, "not_found", "forbidden", "invalid"),
)
def list_one_time_links(request: CallerRequest, slug: str, asked: Query[Paged]) -> LinkList:
    """The page's one-time links, used or not; without their addresses."""
    found, following = LINKS.part(OneTimeLink.objects.filter(page=_page(request, slug)), asked)
    return LinkList(items=[LinkOut(**_link(link)) for link in found], next=following)


@router.delete(
    "pages/{slug:slug}/one-time-links/{link_id}",
    response={204: None},
    **needs(Scope.PAGES_WRITE, "not_found", "forbidden", "invalid"),
)
def end_one_time_link(request: CallerRequest, slug: str, link_id: Path[int]) -> HttpResponse:
    """End a link; a booking that it took stands."""
    OneTimeLink.objects.get(page=_page(request, slug), pk=link_id).delete()
    return HttpResponse(status=204)


@router.post(
    "pages/{slug:slug}/secret-link",
    response=SecretLink,
    **needs(Scope.PAGES_WRITE, "not_found", "forbidden"),
)
def renew_secret_link(request: CallerRequest, slug: str) -> SecretLink:
    """Draw a new secret link; the one before leads nowhere from now on."""
    return SecretLink(url=links.renew_secret(_page(request, slug), by=request.auth.member))


def _page(request: CallerRequest, slug: str) -> BookingPage:
    """The page, for those who take part in it."""
    page = dashboard.visible_page(request.auth.member, slug)
    require(request.auth.member, Act.BOOK_FOR_GUEST, page)
    return page


def _link(link: OneTimeLink) -> dict[str, Any]:
    return {name: getattr(link, name) for name in LinkOut.model_fields}
