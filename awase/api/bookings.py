"""Bookings: taking one in a guest's name, reading and cancelling them."""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Literal

from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.urls import reverse
from ninja import Header, Query, Router
from pydantic import BaseModel, Field

from awase.api.access import CallerRequest, needs
from awase.api.fields import Cursor, Email, Listed, Moment, Name, Paged, Phone, Sent, Text, Zone
from awase.api.pages import Person
from awase.api.problems import Problem
from awase.domain.errors import Reason
from awase.domain.health import LocationKind
from awase.models import Booking, BookingPage, BookingState, Effect, EffectKind, EffectState
from awase.services import booking as bookings
from awase.services import dashboard, words
from awase.services.keys import Caller, Scope

router = Router(tags=["Bookings"])
CURSOR = Cursor("bookings", "start", "pk")


class GuestIn(Sent):
    """Who comes. Mails are in this language, with times in this zone; left out, those of workspace and page."""

    name: Name
    email: Email
    phone: Phone = ""
    note: Text = ""
    language: Literal["ja", "en"] | None = None
    time_zone: Zone | None = None


class BookingIn(Sent):
    """A wish for one start, out of the page's slots."""

    start: Moment
    guest: GuestIn
    location_id: int | None = Field(default=None, description="one of the slot's; the first if left out")
    host_id: int | None = Field(default=None, description="one of the slot's host_ids, where it has some")


class CancelIn(Sent):
    """Why, in words that the guest reads."""

    reason: Text = ""


class GuestOut(BaseModel):
    name: str
    email: str
    phone: str
    note: str
    language: str
    time_zone: str


class Waiting(BaseModel):
    """Work on the booking that is parked until an account is repaired; it then goes on by itself."""

    kind: EffectKind
    member_id: int | None
    reason: str
    sentence: str


class BookingOut(BaseModel):
    """A booking with its hosts, and what still waits."""

    uid: str
    page: str
    state: BookingState
    start: datetime
    end: datetime
    title: str
    guest: GuestOut
    hosts: list[Person]
    location_kind: LocationKind | None
    location_detail: str
    join_url: str
    place_missing: bool = Field(description="the host still has to tell the place")
    waiting: list[Waiting]
    created_at: datetime
    cancelled_at: datetime | None
    cancel_reason: str


class BookingList(Listed[BookingOut]):
    """A part of the bookings."""


class BookingsAsked(Paged):
    """Which bookings: from ≤ start < to."""

    from_: Moment | None = Field(default=None, alias="from")
    to: Moment | None = None
    state: BookingState | None = None
    page: str | None = Field(default=None, max_length=80, pattern=r"^[-a-zA-Z0-9_]+$", description="a page's slug")


IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        pattern=r"^[!-~]*$",
        description="a fresh random text for each booking; a repeat with it yields the same booking",
    ),
]


@router.post(
    "pages/{slug:slug}/bookings",
    response={201: BookingOut},
    **needs(
        Scope.BOOKINGS_WRITE,
        "not_found",
        "malformed",
        "invalid",
        "idempotency_key_reused",
        "too_large",
        "not_accepting",
        "slot_gone",
        "location_gone",
    ),
)
def create_booking(
    request: CallerRequest, response: HttpResponse, slug: str, sent: BookingIn, idempotency_key: IdempotencyKey = ""
) -> BookingOut:
    """Book in a guest's name. The hosts' calendars are asked live; nothing that the gate forbids is taken."""
    page = dashboard.visible_page(request.auth.member, slug)
    guest = sent.guest
    wish = bookings.Request(
        start=sent.start,
        guest=bookings.Guest(
            name=guest.name,
            email=guest.email,
            language=guest.language or page.workspace.language,
            time_zone=guest.time_zone or page.time_zone,
            note=guest.note,
            phone=guest.phone,
        ),
        location_id=sent.location_id,
        host_id=sent.host_id,
        idempotency_key=_stored_key(request.auth, page, sent, idempotency_key),
    )
    taken = bookings.book(page, wish, datetime.now(UTC))
    response.headers["Location"] = reverse("api-v1:read_booking", args=[taken.uid])
    return _out(_loaded(Booking.objects.filter(pk=taken.pk)).get())


def _stored_key(caller: Caller, page: BookingPage, sent: BookingIn, key: str) -> str:
    """The key as it is kept: the caller's own, so that nobody meets another's booking, and bound to the request,
    so that another request under the same key is noticed."""
    if not key:
        return ""
    own = f"api-{caller.member.pk}-{hashlib.sha256(key.encode()).hexdigest()[:32]}-"
    whole = own + hashlib.sha256(sent.model_dump_json().encode()).hexdigest()[:32]
    if Booking.objects.filter(page=page, idempotency_key__startswith=own).exclude(idempotency_key=whole).exists():
        raise Problem("idempotency_key_reused")
    return whole


@router.get("bookings", response=BookingList, **needs(Scope.BOOKINGS_READ, "invalid"))
def list_bookings(request: CallerRequest, asked: Query[BookingsAsked]) -> BookingList:
    """The bookings that the member hosts and those of the member's own pages (for admins all), by their start."""
    rows = dashboard.visible_bookings(request.auth.member)
    if asked.from_:
        rows = rows.filter(start__gte=asked.from_)
    if asked.to:
        rows = rows.filter(start__lt=asked.to)
    if asked.state:
        rows = rows.filter(state=asked.state)
    if asked.page:
        rows = rows.filter(page__slug=asked.page)
    found, following = CURSOR.part(_loaded(rows), asked)
    return BookingList(items=[_out(booking) for booking in found], next=following)


@router.get("bookings/{slug:uid}", response=BookingOut, **needs(Scope.BOOKINGS_READ, "not_found"))
def read_booking(request: CallerRequest, uid: str) -> BookingOut:
    """One booking."""
    return _out(_loaded(dashboard.visible_bookings(request.auth.member)).get(uid=uid))


@router.post(
    "bookings/{slug:uid}/cancel",
    response=BookingOut,
    **needs(Scope.BOOKINGS_WRITE, "not_found", "malformed", "invalid", "too_large", "already_cancelled", "over"),
)
def cancel_booking(request: CallerRequest, uid: str, sent: CancelIn) -> BookingOut:
    """Cancel as its host: the time is free at once; the event and the meeting go, and the guest is told."""
    rows = dashboard.visible_bookings(request.auth.member)
    bookings.cancel(rows.get(uid=uid), datetime.now(UTC), reason=sent.reason, by=request.auth.member)
    return _out(_loaded(rows).get(uid=uid))


def _loaded(rows: QuerySet[Booking]) -> QuerySet[Booking]:
    """With all that an answer holds, in a constant number of queries."""
    parked = Effect.objects.filter(state=EffectState.PARKED).order_by("pk")
    return rows.select_related("page").prefetch_related(
        "host_times__member__user", Prefetch("effects", queryset=parked, to_attr="parked")
    )


def _out(booking: Booking) -> BookingOut:
    parked: list[Effect] = booking.parked  # type: ignore[attr-defined]  # `_loaded` puts it there
    return BookingOut(
        uid=booking.uid,
        page=booking.page.slug,
        state=BookingState(booking.state),
        start=booking.start,
        end=booking.end,
        title=booking.title,
        guest=GuestOut(
            name=booking.guest_name,
            email=booking.guest_email,
            phone=booking.guest_phone,
            note=booking.guest_note,
            language=booking.guest_language,
            time_zone=booking.guest_time_zone,
        ),
        hosts=[Person(id=row.member_id, name=row.member.name) for row in booking.host_times.all()],
        location_kind=LocationKind(booking.location_kind) if booking.location_kind else None,
        location_detail=booking.location_detail,
        join_url=booking.join_url,
        place_missing=booking.place_missing,
        waiting=[_waiting(effect) for effect in parked],
        created_at=booking.created_at,
        cancelled_at=booking.cancelled_at,
        cancel_reason=booking.cancel_reason,
    )


def _waiting(effect: Effect) -> Waiting:
    reason = effect.parked_reason
    return Waiting(
        kind=EffectKind(effect.kind),
        member_id=effect.member_id,
        reason=reason,
        sentence=words.happened(Reason(reason)) if reason in set(Reason) else "",
    )
