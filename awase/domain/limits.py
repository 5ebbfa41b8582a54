"""Limits: how many bookings, and how many booked minutes, per day, week, month or in total."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from awase.domain.intervals import Span
from awase.domain.schedule import local_date, midnight

ALWAYS: Span = (-(2**62), 2**62)  # long before and after any moment, and safe to add buffers to


class Per(StrEnum):
    """The stretch of time over which a limit counts; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"

    def dates(self, day: date) -> tuple[date, date]:
        """The stretch around a date: its first date, and the first one after it. Not for TOTAL."""
        if self is Per.DAY:
            return day, day + timedelta(days=1)
        if self is Per.WEEK:
            monday = day - timedelta(days=day.weekday())
            return monday, monday + timedelta(days=7)
        first = day.replace(day=1)
        return first, (first + timedelta(days=31)).replace(day=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many bookings, and so many booked minutes (None: no matter how many)."""

    per: Per
    bookings: int | None = None
    minutes: int | None = None

    def allows(self, bookings: int, seconds: int) -> bool:
        """Whether so many bookings, of so many seconds together, are within the limit."""
        return (self.bookings is None or bookings <= self.bookings) and (
            self.minutes is None or seconds <= self.minutes * 60
        )


@dataclass(frozen=True, slots=True)
class Quota:
    """Limits, and the bookings that count towards them: (start, end) without buffers, epoch seconds.

    Hand in all bookings of the weeks and months that the window touches, for a limit in total all there are.
    """

    limits: tuple[Limit, ...] = ()
    bookings: tuple[Span, ...] = ()

    def full(self, zone_name: str, duration: int) -> Iterator[Span]:
        """The stretches [from, to) in which no further booking of `duration` seconds may start.

        A booking counts towards the date on which it starts in the zone.
        """
        for limit in self.limits:
            if not limit.allows(1, duration):
                yield ALWAYS
                continue
            bookings, seconds = Counter[Span](), Counter[Span]()
            for start, end in self.bookings:
                stretch = _stretch(limit.per, zone_name, start)
                bookings[stretch] += 1
                seconds[stretch] += end - start
            for stretch, number in bookings.items():
                if not limit.allows(number + 1, seconds[stretch] + duration):
                    yield stretch


NO_LIMITS = Quota()


def _stretch(per: Per, zone_name: str, start: int) -> Span:
    if per is Per.TOTAL:
        return ALWAYS
    first, after = per.dates(local_date(zone_name, start))
    return midnight(zone_name, first), midnight(zone_name, after)


def to_json(limits: Sequence[Limit]) -> list[dict[str, str | int | None]]:
    """Limits as they are stored."""
    return [{"per": limit.per.value, "bookings": limit.bookings, "minutes": limit.minutes} for limit in limits]


def from_json(stored: object) -> tuple[Limit, ...]:
    """Read what `to_json` wrote. Raises ValueError, fit to show, for anything that is not a list of limits."""
    if not isinstance(stored, list):
        raise ValueError("limits are a list")  # noqa: TRY004 - one error for bad input
    return tuple(_parse(entry) for entry in stored)


def _parse(entry: object) -> Limit:
    if not isinstance(entry, dict) or not entry.keys() <= {"per", "bookings", "minutes"}:
        raise ValueError("a limit has per, bookings and minutes")
    most = [entry.get("bookings"), entry.get("minutes")]
    if most == [None, None] or any(number is not None and (type(number) is not int or number < 0) for number in most):
        raise ValueError("a limit needs a number of bookings or of minutes, not negative")
    return Limit(Per(str(entry.get("per"))), *most)
