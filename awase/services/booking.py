"""Taking and cancelling bookings: never one that the gate forbids, never the same hour twice.

1. Before the transaction the candidate hosts' calendars are read live at the chosen time.
2. In the transaction: host rows locked in id order, the gate and the slot evaluated again by the function
   that listed them, the hosts chosen, everything written including the outbox (`placing`). The database's own
   guard (`models/guards.py`) stands behind it.
3. Meeting, events and mails follow from the outbox.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from awase.domain.permissions import Act
from awase.models import (
    Booking,
    BookingPage,
    BookingState,
    HostTime,
    Member,
    RoomTime,
)
from awase.models.bulk import insert
from awase.models.page import Approval
from awase.services import guest_files, holds, links, outbox
from awase.services.hosts import carrier_of
from awase.services.permissions import require
from awase.services.placing import (
    Placement,
    Scouted,
    Wish,
    bookings_locked,
    decide,
    eased,
    length_of,
    location_fields,
    locked,
    occupy,
    scout,
)
from awase.services.quotas import COUNTED
from awase.services.refusals import Refusal, Refused, counted

__all__ = [
    "Guest",
    "Refusal",
    "Refused",
    "Request",
    "book",
    "cancel",
    "mark_no_show",
    "resend",
    "tell_place",
]


@dataclass(frozen=True, slots=True)
class Guest:
    """What the guest typed, already validated for form. `further`: mail addresses of those who come along."""

    name: str
    email: str
    language: str
    time_zone: str
    note: str = ""
    phone: str = ""
    place: str = ""  # where to meet, for the location "place of your choice"
    company: str = ""
    further: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """A wish for one start. `minutes`, `location_id`, `host_id`: the guest's choice where there is one.
    `idempotency_key`: a repeat with the same key yields the same booking. `answers`: each question as asked, and
    its answer. `files`: the tokens of files among the answers. `hold`: the token of the slot held for this guest.
    `once`: the secret of a one-time link.

    `by`: the member who books on the guest's behalf, where it is one; such a booking needs no approval. With
    `unbound` page's notice and period, which bind guests, do not bind it; hours, limits and all that is taken do.
    """

    start: datetime
    guest: Guest
    minutes: int | None = None
    location_id: int | None = None
    host_id: int | None = None
    idempotency_key: str = ""
    answers: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    tracking: Mapping[str, str] = field(default_factory=dict)
    hold: str = ""
    once: str = ""
    by: Member | None = None
    unbound: bool = False


def book(page: BookingPage, request: Request, now: datetime) -> Booking:
    """Take a booking, or a request where the page wants approval, or raise Refused. Raises PermissionDenied if
    `by` may not book on this page."""
    if request.by is not None:
        require(request.by, Act.BOOK_FOR_GUEST, page)
    if earlier := _earlier(page, request):
        return earlier
    with counted(page, now):
        scouted = scout(_as_asked(page, request), _wish(page, request, now), now)
        try:
            with locked(page, scouted) as page:
                return _earlier(page, request) or take(page, request, scouted, now)
        except IntegrityError:
            if earlier := _earlier(page, request):  # the same form, sent twice at the same moment
                return earlier
            raise


def _earlier(page: BookingPage, request: Request) -> Booking | None:
    if not request.idempotency_key:
        return None
    return Booking.objects.filter(page=page, idempotency_key=request.idempotency_key).first()


def _as_asked(page: BookingPage, request: Request) -> BookingPage:
    """The page as it binds whoever books."""
    if request.by is None or not request.unbound:
        return page
    unbound = eased(page, unbound=True)
    unbound.accepting, unbound.archived_at = page.accepting, page.archived_at
    return unbound


def _wish(page: BookingPage, request: Request, now: datetime) -> Wish:
    hold = holds.live(page, request.hold, request.start, now)
    return Wish(
        request.start,
        length_of(page, request.minutes),
        guest=request.guest.email,
        location_id=request.location_id,
        host_id=request.host_id,
        hosts=tuple(hold.host_times.values_list("member", flat=True)) if hold else (),
        rooms=tuple(hold.room_times.values_list("room", flat=True)) if hold else (),
        hold=hold,
    )


def take(page: BookingPage, request: Request, scouted: Scouted, now: datetime) -> Booking:
    """Decide and write, under the locks that `book` has taken."""
    wish = _wish(page, request, now)
    placement = decide(_as_asked(page, request), wish, now, scouted)
    link = links.use_up(page, request.once, now)
    if wish.hold is not None:
        wish.hold.delete()
    asks = page.approval if request.by is None else Approval.NONE
    guest = request.guest
    booking = Booking(
        workspace=page.workspace,
        page=page,
        state=BookingState.REQUESTED if asks else BookingState.CONFIRMED,
        start=wish.start,
        end=wish.end,
        title=page.title,
        guest_name=guest.name,
        guest_email=guest.email,
        guest_note=guest.note,
        guest_phone=guest.phone,
        guest_company=guest.company,
        guest_language=guest.language,
        guest_time_zone=guest.time_zone,
        further_guests=list(guest.further),
        answers=[list(answer) for answer in request.answers],
        tracking=dict(request.tracking),
        answer_by=min(now + timedelta(hours=page.answer_hours), wish.start) if asks else None,
        one_time_link=link,
        idempotency_key=request.idempotency_key or None,
        created_at=now,
    )
    place(booking, wish, placement, now, seated=page.seats > 1 and asks != Approval.UNHELD, guests_place=guest.place)
    guest_files.claim(booking, request.files)
    ignored = "notice and period" if request.by and request.unbound else ""
    what = "requested" if asks else "booked_by_host" if request.by else "booked"
    outbox.note(booking, what, now, by=request.by, detail=ignored)
    (outbox.requested if asks else outbox.booked)(booking, now)
    return booking


def place(
    booking: Booking, wish: Wish, placement: Placement, now: datetime, *, seated: bool, guests_place: str = ""
) -> None:
    """Save a booking where it was decided to go. `seated`: in a group session, which is made if there is none
    yet. A request that holds nothing remembers its hosts all the same."""
    page = booking.page
    booking.away = [] if seated else list(placement.away)
    if placement.session_id is not None:
        session = Booking.objects.get(pk=placement.session_id)
        like(booking, session)
        if seated:
            _sit(booking, session)
            return
    elif placement.location is not None or not booking.location_kind:  # what was agreed stands, until it is repaired
        for name, value in location_fields(placement, guests_place=guests_place).items():
            setattr(booking, name, value)
    if not seated:
        fresh = booking.pk is None
        insert(booking) if fresh else booking.save()
        unheld = booking.state == BookingState.REQUESTED and page.approval == Approval.UNHELD
        occupy(booking, page, wish, placement, now, active=not unheld, fresh=fresh)
        return
    session = Booking(
        workspace=page.workspace,
        page=page,
        is_session=True,
        start=wish.start,
        end=wish.end,
        title=page.title,
        guest_language=page.workspace.language,
        guest_time_zone=page.time_zone,
        away=list(placement.away),
        created_at=now,
    )
    like(session, booking)
    session.save()
    occupy(session, page, wish, placement, now, fresh=True)
    _sit(booking, session)


def _sit(booking: Booking, session: Booking) -> None:
    """Give a booking its seat; the hosts that it kept in mind are the session's from now on."""
    if booking.pk is not None:
        HostTime.objects.filter(booking=booking).delete()
        RoomTime.objects.filter(booking=booking).delete()
    booking.session = session
    booking.save()


def like(booking: Booking, other: Booking) -> None:
    """Give a booking the place and link of another."""
    for name in ("location_kind", "location_detail", "location_member_id", "place_missing", "join_url"):
        setattr(booking, name, getattr(other, name))


def leave(session: Booking, now: datetime) -> None:
    """A seat became free; a session without guests is over. The session is locked."""
    if session.state == BookingState.CONFIRMED and not session.seats.filter(state__in=COUNTED).exists():
        session.state, session.cancelled_at = BookingState.CANCELLED, now
        session.sequence += 1
        session.save(update_fields=["state", "cancelled_at", "sequence"])
        free_time(session)
        outbox.plan_reminders(session, now)
    outbox.bring(session, now)


def free_time(booking: Booking) -> None:
    """Give the time of hosts and rooms back; who they were stays known."""
    HostTime.objects.filter(booking=booking).update(active=False)
    RoomTime.objects.filter(booking=booking).update(active=False)


def require_in_time(
    booking: Booking, by: Member | None, reason: str, now: datetime, *, allowed: bool, until: int
) -> None:
    """What guests (`by` None) need to change a booking: the page's leave, at least `until` minutes before the
    start, and a reason if the page asks for one. Hosts need to be entitled. Raises Refused, PermissionDenied."""
    if by is not None:
        require(by, Act.HANDLE_BOOKING, booking)
    elif not allowed:
        raise Refused(Refusal.NOT_ALLOWED)
    elif until and booking.start - timedelta(minutes=until) < now:
        raise Refused(Refusal.TOO_LATE)
    elif booking.page.reason_required and not reason.strip():
        raise Refused(Refusal.REASON_MISSING)


def cancel(booking: Booking, now: datetime, *, reason: str = "", by: Member | None = None) -> Booking:
    """Cancel: the hosts' time is free at once; event, meeting and mails follow. `by`: the member who does it;
    None: the guest, within the page's rules. A session is cancelled with all its seats. Raises Refused."""
    with transaction.atomic():
        booking = bookings_locked(booking)
        page = booking.page
        if booking.state not in COUNTED:
            raise Refused(Refusal.ALREADY_CANCELLED)
        if booking.end <= now:
            raise Refused(Refusal.OVER)
        asked = booking.state == BookingState.REQUESTED  # a request may always be withdrawn
        require_in_time(
            booking,
            by,
            reason,
            now,
            allowed=page.guests_cancel or asked,
            until=0 if asked else page.cancel_until_minutes,
        )
        seats = list(booking.seats.filter(state__in=COUNTED)) if booking.is_session else []
        for one in [booking, *seats]:
            one.state, one.cancelled_at, one.cancel_reason = BookingState.CANCELLED, now, reason
            one.sequence += 1
            one.save(update_fields=["state", "cancelled_at", "cancel_reason", "sequence"])
            outbox.note(one, f"cancelled_by_{'host' if by else 'guest'}", now, by=by, detail=reason)
            outbox.cancelled(one, now, hosts=one is booking)
        if booking.session is not None:
            leave(booking.session, now)
        else:
            free_time(booking)
    return booking


def tell_place(booking: Booking, place: str, now: datetime, *, by: Member | None = None) -> None:
    """Fill in the place that the guest was promised; events are brought up to date and the guest is mailed."""
    with transaction.atomic():
        booking = carrier_of(bookings_locked(booking))
        if by is not None:
            require(by, Act.HANDLE_BOOKING, booking)
        if booking.state not in COUNTED:
            raise Refused(Refusal.ALREADY_CANCELLED)
        seats = booking.seats.filter(state__in=COUNTED)
        for one in [booking, *seats]:
            one.location_detail, one.place_missing = place, False
            one.sequence += 1
            one.save(update_fields=["location_detail", "place_missing", "sequence"])
            outbox.note(one, "place_told", now, by=by, detail=place)
            outbox.changed(one, now, hosts=False)


def mark_no_show(booking: Booking, now: datetime, *, by: Member, no_show: bool = True) -> Booking:
    """Note that the guest did not come, or take that back. Raises Refused before the start."""
    with transaction.atomic():
        booking = bookings_locked(booking)
        require(by, Act.HANDLE_BOOKING, booking)
        if booking.state != BookingState.CONFIRMED:
            raise Refused(Refusal.ALREADY_CANCELLED)
        if booking.start > now:
            raise Refused(Refusal.NOT_STARTED)
        if (booking.no_show_at is not None) != no_show:
            booking.no_show_at = now if no_show else None
            booking.save(update_fields=["no_show_at"])
            outbox.note(booking, "no_show" if no_show else "no_show_taken_back", now, by=by)
    return booking


AGAIN = {
    BookingState.CONFIRMED: "confirmed",
    BookingState.REQUESTED: "requested",
    BookingState.CANCELLED: "cancelled",
}


def resend(booking: Booking, now: datetime, *, by: Member) -> None:
    """Send the guest the mail about the booking as it stands once more, at most once a minute. Raises Refused."""
    require(by, Act.HANDLE_BOOKING, booking)
    with transaction.atomic():
        booking = bookings_locked(booking)
        template = AGAIN.get(BookingState(booking.state))
        if template is None or booking.is_session:
            raise Refused(Refusal.ALREADY_CANCELLED)
        outbox.mail(booking, template, now, [outbox.Recipient(f"guest:{now:%Y%m%d%H%M}")])
        outbox.note(booking, "resent", now, by=by)
