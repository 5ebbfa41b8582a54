"""Requests: bookings that wait for a host's answer. Meeting and events are made only once they are approved."""

from contextlib import suppress
from datetime import datetime, timedelta

from django.db import transaction

from awase.domain.permissions import Act
from awase.models import Booking, BookingState, Member, PageHealth
from awase.services import outbox
from awase.services.booking import free_time, leave, place
from awase.services.health import verdict_of
from awase.services.hosts import carrier_of
from awase.services.permissions import require
from awase.services.placing import bookings_locked, decide, eased, locked, scout, standing_wish
from awase.services.refusals import Refusal, Refused


def approve(booking: Booking, now: datetime, *, by: Member) -> Booking:
    """Let a request stand as a booking, as the host knows it: not one that was moved at this moment. Where the slot
    was not held it must still be free, by the function that listed it; notice and period bind guests and are left
    out. Raises Refused."""
    require(by, Act.HANDLE_BOOKING, booking)
    _require_waiting(booking, now)
    if carrier_of(booking).host_times.filter(active=True).exists():
        with transaction.atomic():
            PageHealth.hold(booking.page_id)
            booking = _unchanged(booking, now)
            _require_health(booking, now)
            return _confirm(booking, now, by)
    minutes = (booking.end - booking.start) // timedelta(minutes=1)
    wish = standing_wish(booking, booking.start, minutes, booking)
    scouted = scout(eased(booking.page, unbound=True), wish, now)
    with locked(booking.page, scouted) as page:
        booking = _unchanged(booking, now)
        placement = decide(eased(page, unbound=True), wish, now, scouted)
        booking.page, booking.state = page, BookingState.CONFIRMED
        place(booking, wish, placement, now, seated=page.seats > 1, guests_place=booking.location_detail)
        return _confirm(booking, now, by)


def _require_waiting(booking: Booking, now: datetime) -> None:
    if booking.state != BookingState.REQUESTED or booking.answer_by is None or booking.answer_by <= now:
        raise Refused(Refusal.NOT_WAITING)


def _locked(booking: Booking, now: datetime) -> Booking:
    booking = bookings_locked(booking)
    _require_waiting(booking, now)
    return booking


def _unchanged(booking: Booking, now: datetime) -> Booking:
    before, booking = booking, _locked(booking, now)
    if booking.sequence != before.sequence:
        raise Refused(Refusal.CHANGED)
    return booking


def _require_health(booking: Booking, now: datetime) -> None:
    """A held slot is free; whether its hosts can be relied on is asked again."""
    verdict = verdict_of(booking.page, now)
    fit = {host.member_id for host in verdict.hosts}
    if not fit.issuperset(carrier_of(booking).host_times.values_list("member", flat=True)):
        raise Refused(Refusal.NOT_ACCEPTING, verdict.stop_kinds)


def _confirm(booking: Booking, now: datetime, by: Member) -> Booking:
    booking.state, booking.answer_by = BookingState.CONFIRMED, None
    booking.save(update_fields=["state", "answer_by"])
    outbox.note(booking, "approved", now, by=by)
    outbox.booked(booking, now, template="approved")
    return booking


def decline(booking: Booking, now: datetime, *, by: Member, reason: str = "") -> Booking:
    """Answer a request with no; the guest reads the reason. Raises Refused."""
    require(by, Act.HANDLE_BOOKING, booking)
    with transaction.atomic():
        booking = _locked(booking, now)
        _end(booking, BookingState.DECLINED, now, reason)
        outbox.note(booking, "declined", now, by=by, detail=reason)
    return booking


def lapse_due(now: datetime, most: int = 50) -> int:
    """End the requests that nobody has answered in time; returns how many."""
    due = Booking.objects.filter(state=BookingState.REQUESTED, answer_by__lte=now).order_by("answer_by")
    lapsed = 0
    for booking in due.select_related("page", "workspace", "session")[:most]:
        with suppress(Refused), transaction.atomic():  # one that is moved at this moment is looked at next time
            booking = bookings_locked(booking)
            if booking.state == BookingState.REQUESTED and booking.answer_by and booking.answer_by <= now:
                _end(booking, BookingState.EXPIRED, now, "")
                outbox.note(booking, "expired", now)
                lapsed += 1
    return lapsed


def _end(booking: Booking, state: BookingState, now: datetime, reason: str) -> None:
    booking.state, booking.answer_by = state, None
    booking.cancelled_at, booking.cancel_reason = now, reason
    booking.save(update_fields=["state", "answer_by", "cancelled_at", "cancel_reason"])
    if booking.session is not None:
        leave(booking.session, now)
    else:
        free_time(booking)
    outbox.answered(booking, now)
