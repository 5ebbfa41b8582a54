"""What becomes of a booking after it was taken: answered, moved, handed over, and what else hosts do with it."""

from datetime import UTC, datetime
from typing import Annotated

from ninja import Router
from pydantic import Field, StringConstraints

from awase.api.access import CallerRequest, needs
from awase.api.bookings import BookingOut, ReasonIn, one_of, shown
from awase.api.fields import Line, Moment, Sent, Text
from awase.services import booking as bookings
from awase.services import moving, requests
from awase.services.keys import Scope

router = Router(tags=["Bookings"])
BODY = ("not_found", "malformed", "invalid", "too_large")


class MoveIn(Sent):
    """Where to: a start out of the page's slots, though neither notice nor period binds a host."""

    start: Moment
    minutes: int | None = Field(default=None, description="one of the page's durations; as it is if left out")
    reason: Text = ""


class ReassignIn(Sent):
    """To whom."""

    member_id: int
    instead_of: int | None = Field(default=None, description="who leaves, where there are several hosts")


class NoShowIn(Sent):
    """Whether the guest did not come."""

    no_show: bool = True


class PlaceIn(Sent):
    """The place that the guest was promised."""

    place: Annotated[Line, StringConstraints(min_length=1)]


@router.post(
    "bookings/{slug:uid}/approve",
    response=BookingOut,
    **needs(Scope.BOOKINGS_WRITE, "not_found", "forbidden", "not_waiting", "not_accepting", "slot_gone", "changed"),
)
def approve_booking(request: CallerRequest, uid: str) -> BookingOut:
    """Let a request stand: the event and the meeting follow, and the guest is told. Where the slot was not held it
    must still be free."""
    rows = one_of(request, uid)
    requests.approve(rows.get(), datetime.now(UTC), by=request.auth.member)
    return shown(rows)


@router.post(
    "bookings/{slug:uid}/decline",
    response=BookingOut,
    **needs(Scope.BOOKINGS_WRITE, *BODY, "forbidden", "not_waiting", "changed"),
)
def decline_booking(request: CallerRequest, uid: str, sent: ReasonIn) -> BookingOut:
    """Answer a request with no; the guest is told, with the reason."""
    rows = one_of(request, uid)
    requests.decline(rows.get(), datetime.now(UTC), by=request.auth.member, reason=sent.reason)
    return shown(rows)


@router.post(
    "bookings/{slug:uid}/move",
    response=BookingOut,
    **needs(
        Scope.BOOKINGS_WRITE,
        *BODY,
        "forbidden",
        "not_accepting",
        "slot_gone",
        "location_gone",
        "length_unknown",
        "already_cancelled",
        "over",
        "changed",
    ),
)
def move_booking(request: CallerRequest, uid: str, sent: MoveIn) -> BookingOut:
    """Move it to another start; a group session with all its seats. The event and the meeting follow, and the
    guests' calendars are updated in place. Where it is already it stays."""
    rows = one_of(request, uid)
    now = datetime.now(UTC)
    moving.move(rows.get(), sent.start, now, by=request.auth.member, minutes=sent.minutes, reason=sent.reason)
    return shown(rows)


@router.post(
    "bookings/{slug:uid}/reassign",
    response=BookingOut,
    **needs(
        Scope.BOOKINGS_WRITE,
        *BODY,
        "forbidden",
        "host_unfit",
        "not_accepting",
        "already_cancelled",
        "over",
        "changed",
    ),
)
def reassign_booking(request: CallerRequest, uid: str, sent: ReassignIn) -> BookingOut:
    """Give it to another host, who must be free: the event moves to their calendar, and a meeting of the old
    host's is made anew."""
    rows = one_of(request, uid)
    now = datetime.now(UTC)
    moving.reassign(rows.get(), sent.member_id, now, by=request.auth.member, instead_of=sent.instead_of)
    return shown(rows)


@router.post(
    "bookings/{slug:uid}/no-show",
    response=BookingOut,
    **needs(Scope.BOOKINGS_WRITE, *BODY, "forbidden", "not_started", "already_cancelled", "changed"),
)
def mark_no_show(request: CallerRequest, uid: str, sent: NoShowIn) -> BookingOut:
    """Note that the guest did not come, or take that back."""
    rows = one_of(request, uid)
    bookings.mark_no_show(rows.get(), datetime.now(UTC), by=request.auth.member, no_show=sent.no_show)
    return shown(rows)


@router.post(
    "bookings/{slug:uid}/place",
    response=BookingOut,
    **needs(Scope.BOOKINGS_WRITE, *BODY, "forbidden", "already_cancelled", "changed"),
)
def tell_place(request: CallerRequest, uid: str, sent: PlaceIn) -> BookingOut:
    """Fill in the place; the event is brought up to date, and the guest is told."""
    rows = one_of(request, uid)
    bookings.tell_place(rows.get(), sent.place, datetime.now(UTC), by=request.auth.member)
    return shown(rows)


@router.post(
    "bookings/{slug:uid}/resend",
    response=BookingOut,
    **needs(Scope.BOOKINGS_WRITE, "not_found", "forbidden", "already_cancelled", "changed"),
)
def resend_mail(request: CallerRequest, uid: str) -> BookingOut:
    """Send the guest the mail about the booking as it stands once more, at most once a minute."""
    rows = one_of(request, uid)
    bookings.resend(rows.get(), datetime.now(UTC), by=request.auth.member)
    return shown(rows)
