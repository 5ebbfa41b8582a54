"""Schedules: weekly hours, date overrides and holidays, and how they become UTC.

Wall-clock time enters and leaves the domain here only. One rule everywhere (RFC 5545, 3.3.5): a wall-clock
time in a gap is read with the offset before the gap, so it moves forward by the gap's length; a time in a
fold is the first of the two. A date that a zone skips altogether (Samoa, 2011-12-30) has no hours. The facts
come from the time zone database through `zoneinfo`.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import zip_longest
from time import gmtime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from awase.domain.intervals import Span

DAY = 86_400
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
EPOCH_WEEKDAY = date(1970, 1, 1).weekday()
LAST_DATE = date(9000, 1, 1)  # an absence or period "without end" may carry any date


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The time zone with this IANA name. Raises ValueError if there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:
        raise ValueError(f"unknown time zone {name!r}") from exc


def _offset(zone_name: str, seconds: int) -> int:
    """Seconds east of UTC at a moment."""
    local = datetime.fromtimestamp(seconds, zone(zone_name))
    return round((local.replace(tzinfo=UTC) - datetime.fromtimestamp(seconds, UTC)).total_seconds())


@lru_cache(maxsize=4096)
def _year_of_offsets(zone_name: str, year: int) -> tuple[Span, ...]:
    """(moment, offset from then on) within one UTC year; the first is the year's beginning.

    Found by asking the zone once a day and halving where two days differ.
    """
    at = (date(year, 1, 1).toordinal() - EPOCH_ORDINAL) * DAY
    end = (date(year + 1, 1, 1).toordinal() - EPOCH_ORDINAL) * DAY
    found = [(at, _offset(zone_name, at))]
    while at < end:
        low, high = at, min(at + DAY, end)
        at, offset = high, _offset(zone_name, high)
        if offset != found[-1][1]:
            while high - low > 1:
                middle = (low + high) // 2
                if _offset(zone_name, middle) == offset:
                    high = middle
                else:
                    low = middle
            found.append((high, offset))
    return tuple(found)


class WallClock:
    """The offsets of one zone during some years, for fast exact conversion. Immutable; get it from
    `wall_clock`. "Wall seconds" are the epoch seconds that the local time would have if it were UTC."""

    def __init__(self, zone_name: str, first_year: int, last_year: int) -> None:
        rows = [row for year in range(first_year, last_year + 1) for row in _year_of_offsets(zone_name, year)]
        rows = [row for i, row in enumerate(rows) if not i or row[1] != rows[i - 1][1]]
        self.moments = tuple(moment for moment, _ in rows[1:])  # at which the offset changes
        self.offsets = tuple(offset for _, offset in rows)  # one more than moments
        changes = list(zip(self.moments, self.offsets, self.offsets[1:], strict=False))
        # From walls[i] on the wall clock reads offsets[i + 1]: in gap and fold the offset before it counts.
        self.walls = tuple(at + max(before, after) for at, before, after in changes)
        self.skipped = frozenset(
            day for at, before, after in changes for day in range(-((-at - before) // DAY), (at + after) // DAY)
        )  # days since 1970 that do not exist here

    def wall(self, seconds: int) -> int:
        """The wall-clock time at a moment."""
        return seconds + self.offsets[bisect_right(self.moments, seconds)]


@lru_cache(maxsize=4096)
def _wall_clock(zone_name: str, first_year: int, last_year: int) -> WallClock:
    return WallClock(zone_name, first_year, last_year)


def wall_clock(zone_name: str, start: int, end: int) -> WallClock:
    """The wall clock of a zone, good for moments from a week before `start` to a week after `end` (epoch
    seconds). Kept per zone and years: it depends on the time zone database alone. Raises ValueError for an
    unknown zone."""
    return _wall_clock(zone_name, gmtime(start - 7 * DAY).tm_year, gmtime(end + 7 * DAY).tm_year)


def local_date(zone_name: str, seconds: int) -> date:
    """The date in the zone at a moment (epoch seconds)."""
    return datetime.fromtimestamp(seconds, zone(zone_name)).date()


def midnight(zone_name: str, day: date, minutes: int = 0) -> int:
    """Epoch seconds of the moment at which a date begins in a zone (where clocks jump over midnight: 01:00),
    or of `minutes` later on the wall clock. Dates past the year 9000 count as its beginning."""
    wall = datetime.combine(min(day, LAST_DATE), time.min) + timedelta(minutes=minutes)
    return round(wall.replace(tzinfo=zone(zone_name)).timestamp())


def day_after(day: date) -> date:
    """The next date; past the year 9000 none is told apart any more."""
    return min(day, LAST_DATE) + timedelta(days=1)


def group_by_day(starts: list[int], zone_name: str) -> dict[date, list[int]]:
    """Sorted epoch seconds grouped by their date in a zone (the guest's), dates in order."""
    days: dict[date, list[int]] = {}
    for day, _offset, found in _days_of(starts, zone_name):
        days[day] = days[day] + found if day in days else found
    return days


def local_texts(moments: list[int], zone_name: str) -> list[str]:
    """Sorted epoch seconds in whole minutes as wall-clock time in a zone with its offset (RFC 3339): what
    `datetime.isoformat` says, several times as fast; "Z" in place of "+00:00"."""
    texts: list[str] = []
    for day, offset, found in _days_of(moments, zone_name):
        east = f"{'-' if offset < 0 else '+'}{abs(offset) // 3600:02}:{abs(offset) // 60 % 60:02}" if offset else "Z"
        texts += [f"{day}T{_CLOCK[(second + offset) % DAY // 60]}:00{east}" for second in found]
    return texts


def _days_of(moments: list[int], zone_name: str) -> Iterator[tuple[date, int, list[int]]]:
    """Sorted epoch seconds in pieces of one date and one offset in a zone: (date, offset, seconds)."""
    if not moments:
        return
    clock = wall_clock(zone_name, moments[0], moments[-1])
    at = 0
    for change, offset in zip_longest(clock.moments, clock.offsets):
        stop = len(moments) if change is None else bisect_left(moments, change, at)
        while at < stop:
            number = (moments[at] + offset) // DAY
            upto = bisect_left(moments, (number + 1) * DAY - offset, at, stop)
            yield date.fromordinal(EPOCH_ORDINAL + number), offset, moments[at:upto]
            at = upto


class Range(NamedTuple):
    """Open hours in minutes after 00:00 on the wall clock, end excluded; past 1440 it is the next day."""

    start_minute: int
    end_minute: int


Ranges = tuple[Range, ...]


@dataclass(frozen=True)
class Schedule:
    """Open hours. Each range belongs to the date on which it begins, also where it goes past midnight.

    `weekly` has seven entries from Monday. `overrides` replaces a date's hours (`()` closes it) and beats
    holidays; `holidays` are the dates on which, with `closed_on_holidays`, nothing begins. Raises ValueError
    for an unknown zone, or ranges that are empty, reversed, longer than a day, or overlap on one date.
    """

    time_zone: str
    weekly: tuple[Ranges, ...]
    overrides: Mapping[date, Ranges] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()
    closed_on_holidays: bool = False

    def __post_init__(self) -> None:
        zone(self.time_zone)
        if len(self.weekly) != 7:
            raise ValueError("weekly hours need seven days")
        for ranges in (*self.weekly, *self.overrides.values()):
            _check(ranges)
        # 200 members often share few schedules: an early hash makes finding the distinct ones cheap.
        overrides = tuple(sorted(self.overrides.items()))
        holidays = self.holidays if self.closed_on_holidays else frozenset()
        object.__setattr__(self, "_hash", hash((self.time_zone, self.weekly, overrides, holidays)))

    def __hash__(self) -> int:
        return int(self.__dict__["_hash"])

    def ranges_on(self, day: date) -> Ranges:
        """The ranges that begin on a date."""
        if day in self.overrides:
            return self.overrides[day]
        if self.closed_on_holidays and day in self.holidays:
            return ()
        return self.weekly[day.weekday()]


def always_open(zone_name: str) -> Schedule:
    """Open around the clock; starts are counted from each midnight in the zone."""
    return Schedule(zone_name, ((Range(0, 1440),),) * 7)


def _check(ranges: Ranges) -> None:
    reach = 0
    for start, end in sorted(ranges):
        if not 0 <= start < 1440 or not start < end <= start + 1440:
            raise ValueError(f"bad hours {_clock_text(start)}-{_clock_text(end)}")
        if start < reach:
            raise ValueError(f"hours overlap at {_clock_text(start)}")
        reach = end


def expand(schedule: Schedule, start: int, end: int) -> list[Span]:
    """The open ranges that overlap [start, end), whole (not cut), sorted; epoch seconds.

    Ranges may touch or overlap where one date's hours reach into the next; each keeps its own beginning,
    because slot starts are counted from there.
    """
    clock = wall_clock(schedule.time_zone, start, end)
    walls, offsets = clock.walls, clock.offsets
    every_week_alike = not schedule.overrides and not schedule.closed_on_holidays
    spans = []
    # Hours reach into the next date, and between the two may lie one that the zone skips.
    for day in range(clock.wall(start) // DAY - 2, clock.wall(end) // DAY + 2):
        if day in clock.skipped:
            continue
        if every_week_alike:
            ranges = schedule.weekly[(day + EPOCH_WEEKDAY) % 7]
        else:
            ranges = schedule.ranges_on(date.fromordinal(EPOCH_ORDINAL + day))
        for begin_minute, end_minute in ranges:
            opens = day * DAY + begin_minute * 60
            opens -= offsets[bisect_right(walls, opens)]
            closes = day * DAY + end_minute * 60
            closes -= offsets[bisect_right(walls, closes)]
            if opens < closes and opens < end and closes > start:  # a gap can swallow a range
                spans.append((opens, closes))
    return sorted(spans)


_HOURS = re.compile(r"\s*(\d{1,2}):([0-5]\d)\s*[-–~〜]\s*(\d{1,2}):([0-5]\d)\s*")


def _clock_text(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


_CLOCK = tuple(_clock_text(minute) for minute in range(1440))


def range_text(hours: Range) -> str:
    """`09:00-17:00`; past midnight the hours count on: `22:00-26:00`."""
    return f"{_clock_text(hours.start_minute)}-{_clock_text(hours.end_minute)}"


def parse_range(text: str) -> Range:
    """Read `09:00-17:00`. Past midnight both `22:00-26:00` and `22:00-02:00` will do; an end of 00:00 is the
    day's end. Raises ValueError if it is no such text."""
    match = _HOURS.fullmatch(text)
    if match is None:
        raise ValueError(f"hours must look like 09:00-17:00, not {text!r}")
    h1, m1, h2, m2 = (int(part) for part in match.groups())
    start, end = h1 * 60 + m1, h2 * 60 + m2
    if end < start or end == 0:
        end += 1440
    hours = Range(start, end)
    _check((hours,))
    return hours


def to_json(schedule: Schedule) -> tuple[list[list[list[int]]], dict[str, list[list[int]]]]:
    """Weekly hours and overrides as they are stored: seven lists from Monday, and ISO date to list, of
    [start, end] in minutes after 00:00."""
    weekly = [[list(hours) for hours in ranges] for ranges in schedule.weekly]
    overrides = sorted(schedule.overrides.items())
    return weekly, {day.isoformat(): [list(hours) for hours in ranges] for day, ranges in overrides}


def from_json(
    time_zone: str,
    weekly: object,
    overrides: object,
    *,
    holidays: frozenset[date] = frozenset(),
    closed_on_holidays: bool = False,
) -> Schedule:
    """Read what `to_json` wrote. Raises ValueError, fit to show, for anything that is not a schedule."""
    if not isinstance(weekly, list) or not isinstance(overrides, dict):
        raise ValueError("weekly hours are a list of seven days, overrides a mapping from dates")  # noqa: TRY004 - one error for bad input
    return Schedule(
        time_zone,
        tuple(_parse_ranges(ranges) for ranges in weekly),
        {_parse_date(day): _parse_ranges(ranges) for day, ranges in overrides.items()},
        holidays,
        closed_on_holidays,
    )


def _parse_ranges(ranges: object) -> Ranges:
    try:
        pairs = [(start, end) for start, end in ranges]  # type: ignore[attr-defined]
    except (TypeError, ValueError) as exc:
        raise ValueError("a day's hours are a list of pairs of minutes") from exc
    if any(type(minute) is not int for pair in pairs for minute in pair):
        raise ValueError("hours are whole minutes after 00:00")
    return tuple(sorted(Range(start, end) for start, end in pairs))


def _parse_date(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError as exc:
        raise ValueError(f"a date must look like 2026-12-31, not {text!r}") from exc
