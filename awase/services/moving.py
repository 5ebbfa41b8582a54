"""Moving a booking to another time, and handing it to another host. Its own time and event never stand in its
way; it keeps its identity outside: the same events and meeting follow, and the guest's calendar updates in place."""

from dataclasses import replace
from datetime import datetime, timedelta

from awase.domain.permissions import Act
from awase.models import Booking, BookingState, Condition, Effect, EffectState, Member
from awase.services import outbox
from awase.services.booking import leave, like, place, require_in_time
from awase.services.hosts import carrier_of, may_change_silently
from awase.services.permissions import require
from awase.services.placing import (
    Placement,
    Wish,
    bookings_locked,
    decide,
    eased,
    location_fields,
    locked,
    occupy,
    scout,
    standing_wish,
)
from awase.services.quotas import COUNTED
from awase.services.refusals import Refusal, Refused


def move(
    booking: Booking,
    start: datetime,
    now: datetime,
    *,
    by: Member | None,
    minutes: int | None = None,
    reason: str = "",
) -> Booking:
    """Move a booking, or a request, to another start (and length). `by`: the member who does it, whom notice and
    period do not bind; None: the guest, within the page's rules. Allowed while health allows it for the booking's
    own host, under automatic assignment for another; the manual switch does not bar it. A seat leaves its group
    session for another one; a session moves with all its seats. Asking for where it is already changes nothing.

    Raises Refused, PermissionDenied.
    """
    booking = Booking.objects.select_related("page", "workspace", "session").get(pk=booking.pk)
    _require_movable(booking, now, by, reason)
    length = minutes or (booking.end - booking.start) // timedelta(minutes=1)
    own = booking.end - booking.start == timedelta(minutes=length)
    if booking.start == start and own:
        return booking
    if not own and length not in {booking.page.duration_minutes, *booking.page.durations}:
        raise Refused(Refusal.LENGTH_UNKNOWN)
    wish = standing_wish(booking, start, length, with_its_session(booking))
    scouted = scout(eased(booking.page, unbound=by is not None), wish, now)
    with locked(booking.page, scouted) as page:
        before, booking = booking, bookings_locked(booking)
        _require_movable(booking, now, by, reason)
        if booking.start == start and booking.end == wish.end:
            return booking  # the same request, sent twice at the same moment
        if booking.sequence != before.sequence or with_its_session(booking) != wish.moving:
            raise Refused(Refusal.CHANGED)
        booking.page = page
        placement = decide(eased(page, unbound=by is not None), wish, now, scouted)
        detail = f"{before.start:%Y-%m-%d %H:%M}Z → {start:%Y-%m-%d %H:%M}Z"
        outbox.note(
            booking,
            f"moved_by_{'host' if by else 'guest'}",
            now,
            by=by,
            detail=" – ".join(part for part in (detail, reason) if part),
        )
        if placement.session_id is not None:
            if booking.is_session:
                raise Refused(Refusal.SLOT_GONE)  # its guest may move there, the session does not
            _change_seat(booking, wish, placement, now)
        elif booking.session is not None and wish.moving == booking:
            _change_seat(booking, wish, placement, now)
        else:
            _shift(carrier_of(booking), wish, placement, now)
            booking.refresh_from_db()
    return booking


def _require_movable(booking: Booking, now: datetime, by: Member | None, reason: str) -> None:
    if booking.state not in COUNTED:
        raise Refused(Refusal.ALREADY_CANCELLED)
    if booking.end <= now:
        raise Refused(Refusal.OVER)
    page = booking.page
    require_in_time(booking, by, reason, now, allowed=page.guests_move, until=page.move_until_minutes)


def with_its_session(booking: Booking) -> Booking:
    """What moves: the only guest of a session takes it along."""
    session = booking.session
    if session is not None and session.seats.filter(state__in=COUNTED).count() == 1:
        return session
    return booking


def _change_seat(booking: Booking, wish: Wish, placement: Placement, now: datetime) -> None:
    """A guest leaves one session for another, which may have to be made. A request that holds no seat holds none
    there either."""
    left = booking.session
    _set_time(booking, wish)
    booking.session = None
    booking.join_url = ""
    place(booking, wish, placement, now, seated=left is not None, guests_place=booking.location_detail)
    if left is not None:
        leave(left, now)
    _tell_moved(booking, now)


def _shift(carrier: Booking, wish: Wish, placement: Placement, now: datetime) -> None:
    """Everything stays as it is but for the time, and for the host where the first one is not free then."""
    gone, come = _rehost(carrier, wish, placement, now)
    for one in _with_seats(carrier):
        _set_time(one, wish)
        one.save()
        _tell_moved(one, now, hosts=one.pk == carrier.pk and not come)
    _tell_handed(carrier, gone, come, now)


def _set_time(booking: Booking, wish: Wish) -> None:
    booking.start, booking.end = wish.start, wish.end
    if booking.answer_by is not None:
        booking.answer_by = min(booking.answer_by, wish.start)
    booking.sequence += 1


def _tell_moved(booking: Booking, now: datetime, *, hosts: bool = True) -> None:
    if booking.state == BookingState.REQUESTED:
        outbox.requested(booking, now)
    else:
        outbox.changed(booking, now, hosts=hosts)


def reassign(booking: Booking, member_id: int, now: datetime, *, by: Member, instead_of: int | None = None) -> Booking:
    """Give a booking to another host, who is free and eligible: the event moves to their calendar, and a meeting
    that was the old host's is made anew. In an assignment list `instead_of` says who leaves, where several could.
    A seat's session is handed over with all its seats. Raises Refused, PermissionDenied."""
    require(by, Act.HANDLE_BOOKING, booking)
    carrier = carrier_of(booking)
    hosts = tuple(carrier.host_times.order_by("id").values_list("member", flat=True))
    if member_id in hosts:
        return booking
    stay = tuple(host for host in hosts if host != instead_of)
    try:
        _hand(carrier, now, to=member_id, stay=stay, what="reassigned", by=by)
    except Refused as refused:
        if refused.refusal in (Refusal.SLOT_GONE, Refusal.LOCATION_GONE):
            raise Refused(Refusal.HOST_UNFIT) from None
        raise
    booking.refresh_from_db()
    return booking


def release(booking: Booking, leaving: int, heir: int, now: datetime, *, by: Member) -> None:
    """Let a host go who leaves the page: `heir` takes their place where they can, else those whose turn it is, or
    who are left of all. The guest is told. Raises Refused, PermissionDenied."""
    require(by, Act.HANDLE_BOOKING, booking)
    carrier = carrier_of(booking)
    hosts = carrier.host_times.order_by("id").values_list("member", flat=True)
    stay = tuple(host for host in hosts if host != leaving)
    if heir not in stay:
        try:
            _hand(carrier, now, to=heir, stay=stay, what="reassigned", by=by)
        except Refused as refused:
            if refused.refusal not in (Refusal.SLOT_GONE, Refusal.LOCATION_GONE, Refusal.HOST_UNFIT):
                raise
        else:
            return
    _hand(carrier, now, leaving=leaving, stay=stay, what="reassigned", by=by)


def hand_over(carrier: Booking, leaving: int, now: datetime) -> bool:
    """Under automatic assignment: give a booking to another eligible free host because the accounts of `leaving`
    cannot serve it, as long as the guest was not told a name. False if it cannot be done."""
    if carrier.state != BookingState.CONFIRMED or not may_change_silently(carrier):
        return False
    if not carrier.host_times.filter(active=True, member=leaving).exists():
        return False
    try:
        _hand(carrier, now, leaving=leaving, what="handed_over")
    except Refused:
        return False
    return True


def _hand(
    carrier: Booking,
    now: datetime,
    *,
    what: str,
    to: int | None = None,
    stay: tuple[int, ...] = (),
    leaving: int | None = None,
    by: Member | None = None,
) -> None:
    """Let other hosts take the same time: `to` in any case, or whoever's turn it is but `leaving`. Without `by` it is
    the system's doing, of which the guest hears nothing."""
    if carrier.state not in COUNTED:
        raise Refused(Refusal.ALREADY_CANCELLED)
    if carrier.end <= now:
        raise Refused(Refusal.OVER)
    minutes = (carrier.end - carrier.start) // timedelta(minutes=1)
    wish = standing_wish(carrier, carrier.start, minutes, carrier)
    any_host = carrier.page.condition == Condition.ANY
    wish = replace(
        wish, host_id=to if any_host else None, hosts=() if any_host else (to, *stay) if to else stay, guest=""
    )
    without = {leaving} if leaving is not None else set[int]()
    scouted = scout(eased(carrier.page, unbound=True), wish, now, without=without)
    with locked(carrier.page, scouted) as page:
        before, carrier = carrier, bookings_locked(carrier)
        silently = by is None
        if carrier.sequence != before.sequence or (silently and not may_change_silently(carrier, lock=True)):
            raise Refused(Refusal.CHANGED)
        carrier.page = page
        placement = decide(eased(page, unbound=True), wish, now, scouted)
        if to is not None and to not in placement.hosts:
            raise Refused(Refusal.HOST_UNFIT)
        gone, come = _rehost(carrier, wish, placement, now)
        for one in _with_seats(carrier):
            one.sequence += 1
            one.save()
            outbox.note(one, what, now, by=by)
            if silently or one.state == BookingState.REQUESTED:
                outbox.bring(one, now)
                outbox.plan_reminders(one, now)
            else:
                outbox.changed(one, now, hosts=False)
        _tell_handed(carrier, gone, come, now)


def _rehost(carrier: Booking, wish: Wish, placement: Placement, now: datetime) -> tuple[set[int], set[int]]:
    """Write the time of these hosts and rooms instead of that before; who went, and who came."""
    page = carrier.page
    before = set(carrier.host_times.values_list("member", flat=True))
    held = not carrier.host_times.filter(active=False).exists()
    occupy(carrier, page, wish, placement, now, active=held)
    gone, come = before - set(placement.hosts), set(placement.hosts) - before
    if come:
        carrier.away = list(placement.away)
    if carrier.location_member_id in gone:
        for name, value in location_fields(placement, guests_place=carrier.location_detail).items():
            setattr(carrier, name, value)
        if carrier.location_kind in outbox.LINK_KINDS:
            carrier.join_url, carrier.meeting_id, carrier.meeting_connection = "", "", None
    return gone, come


def _with_seats(carrier: Booking) -> list[Booking]:
    """The carrier and its live seats, which show what it shows."""
    seats = list(carrier.seats.filter(state__in=COUNTED).order_by("pk")) if carrier.is_session else []
    for seat in seats:
        seat.session, seat.page, seat.workspace = carrier, carrier.page, carrier.workspace
        like(seat, carrier)
    return [carrier, *seats]


def _tell_handed(carrier: Booking, gone: set[int], come: set[int], now: datetime) -> None:
    """Tell who is released, and who takes part from now on; who was not told of the booking yet never is."""
    asked = carrier.state == BookingState.REQUESTED
    untold = Effect.objects.filter(booking=carrier, member__in=gone, state=EffectState.PENDING)
    untold = untold.filter(payload__template__in=["host_booked", "host_requested"]).select_for_update()
    members = {effect.member_id: effect.pk for effect in untold}
    Effect.objects.filter(pk__in=members.values()).delete()
    outbox.tell_hosts(carrier, "host_released", now, sorted(gone - members.keys()))
    outbox.tell_hosts(carrier, "host_requested" if asked else "host_booked", now, sorted(come))
