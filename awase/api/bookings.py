"""Bookings: taking one in a guest's name, reading and cancelling them."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from ninja import Header, Query, Router
from pydantic import BaseModel, Field

from awase.api.access import CallerRequest, needs
from awase.api.fields import (
    Company,
    Cursor,
    Email,
    Line,
    Listed,
    Moment,
    Name,
    Paged,
    Phone,
    Sent,
    Text,
    TrackingName,
    Zone,
)
from awase.api.pages import Person
from awase.api.problems import Problem
from awase.domain.errors import Reason
from awase.domain.health import LocationKind
from awase.models import (
    Booking,
    BookingPage,
    BookingState,
    Effect,
    EffectKind,
    EffectState,
    HostTime,
    RoomTime,
)
from awase.models.prepared import prepared, together
from awase.services import booking as bookings
from awase.services import dashboard, words
from awase.services.hosts import carrier_of
from awase.services.keys import Caller, Scope

router = Router(tags=["Bookings"])
CURSOR = Cursor("bookings", "start", "pk")


class GuestIn(Sent):
    """Who comes. Mails are in this language, with times in this zone; left out, those of workspace and page."""

    name: Name
    email: Email
    company: Company = ""
    phone: Phone = ""
    note: Text = ""
    place: Line = Field(default="", description="where to meet, at a location of the guest's choice")
    language: Literal["ja", "en"] | None = None
    time_zone: Zone | None = None


class Answered(Sent):
    """A question of the page as it was asked, and the guest's answer."""

    question: Line
    answer: Text


class BookingIn(Sent):
    """A wish for one start, out of the page's slots."""

    start: Moment
    minutes: int | None = Field(default=None, description="one of the page's durations; the first if left out")
    guest: GuestIn
    further_guests: list[Email] = Field(default=[], max_length=10, description="get copies of the mails")
    location_id: int | None = Field(default=None, description="one of the slot's; the first if left out")
    host_id: int | None = Field(default=None, description="one of the slot's host_ids, where it has some")
    answers: list[Answered] = Field(default=[], max_length=50)
    tracking: dict[TrackingName, Line] = Field(default={}, max_length=20)
    hold: str = Field(default="", max_length=64, pattern=r"^[-\w]*$", description="the token of a hold of this start")
    one_time: str = Field(default="", max_length=64, description="the secret of a one-time link, which is used up")
    as_host: bool = Field(
        default=False,
        description="on the guest's behalf: needs no approval; notice and period do not bind, hours and limits do",
    )


class ReasonIn(Sent):
    """Why, in words that the guest reads."""

    reason: Text = ""


class GuestOut(BaseModel):
    name: str
    email: str
    company: str
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
    """A booking with its hosts, and what still waits. Of a request, they are those who were asked."""

    uid: str
    page: str
    state: BookingState
    start: datetime
    end: datetime
    title: str
    is_session: bool = Field(description="carries a group session: without a guest, but with guests' bookings")
    session: str | None = Field(description="the uid of the group session in which this is a seat")
    guest: GuestOut
    further_guests: list[str]
    answers: list[Answered]
    tracking: dict[str, str]
    hosts: list[Person]
    rooms: list[str]
    location_kind: LocationKind | None
    location_detail: str
    join_url: str
    place_missing: bool = Field(description="the host still has to tell the place")
    waiting: list[Waiting]
    created_at: datetime
    answer_by: datetime | None = Field(description="a request lapses then")
    cancelled_at: datetime | None = Field(description="or declined, or lapsed")
    cancel_reason: str
    no_show_at: datetime | None


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
        "forbidden",
        "not_accepting",
        "slot_gone",
        "location_gone",
        "length_unknown",
        "link_used",
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
        minutes=sent.minutes,
        guest=bookings.Guest(
            name=guest.name,
            email=guest.email,
            company=guest.company,
            place=guest.place,
            further=tuple(sent.further_guests),
            language=guest.language or page.workspace.language,
            time_zone=guest.time_zone or page.time_zone,
            note=guest.note,
            phone=guest.phone,
        ),
        location_id=sent.location_id,
        host_id=sent.host_id,
        answers=tuple((one.question, one.answer) for one in sent.answers),
        tracking=sent.tracking,
        hold=sent.hold,
        once=sent.one_time,
        by=request.auth.member if sent.as_host else None,
        unbound=sent.as_host,
        idempotency_key=_stored_key(request.auth, page, sent, idempotency_key),
    )
    taken = bookings.book(page, wish, datetime.now(UTC))
    response.headers["Location"] = reverse("api-v1:read_booking", args=[taken.uid])
    return _told(_booking(taken.pk))[0]


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
    found, following = CURSOR.part(rows.select_related("page", "session"), asked)
    return BookingList(items=_told(found), next=following)


def one_of(request: CallerRequest, uid: str) -> QuerySet[Booking]:
    """The booking or group session with this uid, if the caller may see it."""
    return dashboard.visible_bookings(request.auth.member, sessions=True).filter(uid=uid)


def shown(rows: QuerySet[Booking]) -> BookingOut:
    """The answer for the one booking among these rows. Raises DoesNotExist."""
    return _told([rows.select_related("page", "session").get()])[0]


@router.get("bookings/{slug:uid}", response=BookingOut, **needs(Scope.BOOKINGS_READ, "not_found"))
def read_booking(request: CallerRequest, uid: str) -> BookingOut:
    """One booking, or the group session that carries several."""
    return shown(one_of(request, uid))


@router.post(
    "bookings/{slug:uid}/cancel",
    response=BookingOut,
    **needs(Scope.BOOKINGS_WRITE, "not_found", "malformed", "invalid", "too_large", "already_cancelled", "over"),
)
def cancel_booking(request: CallerRequest, uid: str, sent: ReasonIn) -> BookingOut:
    """Cancel as its host: the time is free at once; the event and the meeting go, and the guest is told. A group
    session is cancelled with all its seats."""
    rows = one_of(request, uid)
    bookings.cancel(rows.get(), datetime.now(UTC), reason=sent.reason, by=request.auth.member)
    return shown(rows)


def _told(bookings: Sequence[Booking]) -> list[BookingOut]:
    """The answers for bookings that come with their page and session, in three queries for any number."""
    carriers = {carrier_of(booking).pk for booking in bookings}
    everything = carriers | {booking.pk for booking in bookings}
    hosts, rooms, parked = map(
        _by_booking, together(_host_times.of(carriers), _room_times.of(carriers), _parked.of(everything))
    )
    return [
        _out(
            booking,
            hosts[carrier_of(booking).pk],
            rooms[carrier_of(booking).pk],
            [effect for pk in dict.fromkeys([booking.pk, carrier_of(booking).pk]) for effect in parked[pk]],
        )
        for booking in bookings
    ]


def _by_booking(rows: Sequence[Any]) -> Mapping[int | None, list[Any]]:
    found: dict[int | None, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.booking_id].append(row)
    return found


@prepared
def _booking(pk: Any) -> QuerySet[Booking]:
    return Booking.objects.select_related("page", "session").filter(pk=pk)


@prepared
def _host_times(bookings: Any) -> QuerySet[HostTime]:
    return HostTime.objects.select_related("member__user").filter(booking__among=bookings).order_by("pk")


@prepared
def _room_times(bookings: Any) -> QuerySet[RoomTime]:
    return RoomTime.objects.select_related("room").filter(booking__among=bookings).order_by("pk")


@prepared
def _parked(bookings: Any) -> QuerySet[Effect]:
    return Effect.objects.filter(state=EffectState.PARKED, booking__among=bookings).order_by("pk")


def _out(
    booking: Booking, hosts: Sequence[HostTime], rooms: Sequence[RoomTime], parked: Sequence[Effect]
) -> BookingOut:
    carrier = carrier_of(booking)
    return BookingOut(
        uid=booking.uid,
        page=booking.page.slug,
        state=BookingState(booking.state),
        start=booking.start,
        end=booking.end,
        title=booking.title,
        is_session=booking.is_session,
        session=carrier.uid if carrier != booking else None,
        guest=GuestOut(
            name=booking.guest_name,
            email=booking.guest_email,
            company=booking.guest_company,
            phone=booking.guest_phone,
            note=booking.guest_note,
            language=booking.guest_language,
            time_zone=booking.guest_time_zone,
        ),
        further_guests=booking.further_guests,
        answers=[Answered(question=question, answer=answer) for question, answer in booking.answers],
        tracking=booking.tracking,
        hosts=[Person(id=row.member_id, name=row.member.name) for row in hosts],
        rooms=[row.room.name for row in rooms],
        location_kind=LocationKind(booking.location_kind) if booking.location_kind else None,
        location_detail=booking.location_detail,
        join_url=booking.join_url,
        place_missing=booking.place_missing,
        waiting=[_waiting(effect) for effect in parked],
        created_at=booking.created_at,
        answer_by=booking.answer_by,
        cancelled_at=booking.cancelled_at,
        cancel_reason=booking.cancel_reason,
        no_show_at=booking.no_show_at,
    )


def _waiting(effect: Effect) -> Waiting:
    reason = effect.parked_reason
    return Waiting(
        kind=EffectKind(effect.kind),
        member_id=effect.member_id,
        reason=reason,
        sentence=words.happened(Reason(reason)) if reason in set(Reason) else "",
    )
