"""Why something about a booking was not done: clear answers, and the count of bookings that were wanted."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum

from awase.domain.health import StopKind
from awase.models import BookingPage, RefusedBooking


class Refusal(StrEnum):
    """Why it was not done; each has words for people."""

    NOT_ACCEPTING = "not_accepting"  # stopped by health, by hand or archived; never which account
    SLOT_GONE = "slot_gone"  # past, off the grid, outside hours, taken meanwhile: all look the same to a guest
    LOCATION_GONE = "location_gone"
    LENGTH_UNKNOWN = "length_unknown"  # the page does not offer this duration
    LINK_USED = "link_used"  # a one-time link that is used up, has run out or never was
    ALREADY_CANCELLED = "already_cancelled"  # or declined, or lapsed: it does not stand any more
    OVER = "over"
    NOT_ALLOWED = "not_allowed"  # the page does not let guests do this
    TOO_LATE = "too_late"  # the deadline for guests has passed
    REASON_MISSING = "reason_missing"
    NOT_WAITING = "not_waiting"  # no request, or one that was answered or has lapsed
    HOST_UNFIT = "host_unfit"  # this member is not free then, or cannot take the place
    NOT_STARTED = "not_started"
    NOT_HELD = "not_held"  # too much of the page is held already; it can be booked all the same
    CHANGED = "changed"  # somebody else changed it at the same moment


class Refused(Exception):
    """It was not done; nothing was written. `stops`: the gate's reasons, where health was why."""

    def __init__(self, refusal: Refusal, stops: Sequence[StopKind] = ()) -> None:
        super().__init__(refusal.value)
        self.refusal, self.stops = refusal, tuple(stops)


@contextmanager
def counted(page: BookingPage, now: datetime) -> Iterator[None]:
    """Count a booking that is refused inside, once its transaction has been rolled back."""
    try:
        yield
    except Refused as refused:
        RefusedBooking.objects.create(page=page, at=now, refusal=refused.refusal, stops=list(refused.stops))
        raise
