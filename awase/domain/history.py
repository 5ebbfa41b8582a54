"""From changes of a state to stretches of time, days and measures: what the histories and the 90-day strip show.

Pure: changes (oldest first) and `now` in, values out. All moments are aware UTC, stretches half-open.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import IntEnum
from statistics import median

from awase.domain.intervals import Span, epoch, merged, moment
from awase.domain.schedule import day_after, local_date, midnight

DAYS = 90


class Mark(IntEnum):
    """How a stretch of time counts, the worse the higher."""

    NONE = 0  # not there yet
    OK = 1  # works; takes bookings
    WARN = 2  # answers late; stopped without anything being broken
    DANGER = 3  # in error; stopped by an error


@dataclass(frozen=True, slots=True)
class Change:
    """From `at` on it counts as `mark`; `cause` is the reason under which the time is summed up ("" for none)."""

    at: datetime
    mark: Mark
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """[start, end) under one mark and cause."""

    start: datetime
    end: datetime
    mark: Mark
    cause: str = ""

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    @property
    def span(self) -> Span:
        return epoch(self.start), epoch(self.end)


@dataclass(frozen=True, slots=True)
class Day:
    """One date in the reader's zone. `seconds`: how long it was under each mark, up to `now`."""

    day: date
    seconds: Mapping[Mark, int]

    @property
    def worst(self) -> Mark:
        return max(self.seconds, default=Mark.NONE)

    def hours(self, mark: Mark) -> float:
        """Hours under `mark`, to a tenth; what lasted at all shows as at least that."""
        seconds = self.seconds.get(mark, 0)
        return max(0.1, round(seconds / 3600, 1)) if seconds else 0.0


def stretches(changes: Sequence[Change], start: datetime, now: datetime) -> list[Stretch]:
    """The stretches of [start, now), oldest first; changes to the same mark and cause make one. Before the
    first change there is none."""
    found: list[Stretch] = []
    ends = [change.at for change in changes[1:]] + [now]
    for change, end in zip(changes, ends, strict=False):
        stretch = Stretch(max(change.at, start), min(end, now), change.mark, change.cause)
        if stretch.end <= stretch.start:
            continue
        last = found[-1] if found else None
        if last and (last.end, last.mark, last.cause) == (stretch.start, stretch.mark, stretch.cause):
            found[-1] = replace(last, end=stretch.end)
        else:
            found.append(stretch)
    return found


def first_moment(now: datetime, time_zone: str, days: int = DAYS) -> datetime:
    """The beginning of the first of `days` dates that end with today, in a zone (IANA name)."""
    today = local_date(time_zone, epoch(now))
    return moment(midnight(time_zone, today - timedelta(days=days - 1)))


def by_day(changes: Sequence[Change], now: datetime, time_zone: str, days: int = DAYS) -> list[Day]:
    """The last `days` dates in a zone, oldest first, each with the time under each mark."""
    seconds: dict[date, Counter[Mark]] = defaultdict(Counter)
    for stretch in stretches(changes, first_moment(now, time_zone, days), now):
        at, end = stretch.span
        while at < end:
            day = local_date(time_zone, at)
            until = min(midnight(time_zone, day_after(day)), end)
            seconds[day][stretch.mark] += until - at
            at = until
    today = local_date(time_zone, epoch(now))
    dates = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
    return [Day(day, seconds[day]) for day in dates]


def by_cause(found: Iterable[Stretch]) -> dict[str, timedelta]:
    """How long something was stopped, by cause, the longest first."""
    total: dict[str, timedelta] = defaultdict(timedelta)
    for stretch in found:
        if stretch.mark >= Mark.WARN:
            total[stretch.cause] += stretch.length
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True, slots=True)
class Incident:
    """One time in error. `sign`: when it was first answered badly; `end` is None while it lasts."""

    sign: datetime
    start: datetime
    end: datetime | None

    @property
    def detected_after(self) -> timedelta:
        """From the first sign to the error; nothing where the first failing call said it all."""
        return self.start - self.sign


def incidents(found: Sequence[Stretch], now: datetime) -> list[Incident]:
    """The times in error among stretches in order; a change of the reason alone is no new one."""
    result: list[Incident] = []
    sign: datetime | None = None
    for stretch in found:
        if stretch.mark is Mark.WARN:
            sign = sign or stretch.start
        elif stretch.mark is Mark.DANGER:
            end = stretch.end if stretch.end < now else None
            last = result[-1] if result else None
            if last and last.end == stretch.start:
                result[-1] = replace(last, end=end)
            else:
                result.append(Incident(sign or stretch.start, stretch.start, end))
            sign = None
        else:
            sign = None
    return result


def middle(values: Iterable[timedelta]) -> timedelta | None:
    """The median; None of nothing."""
    listed = [value.total_seconds() for value in values]
    return timedelta(seconds=median(listed)) if listed else None


def shared(needed: int, hours: Iterable[Iterable[Span]]) -> list[Span]:
    """The time in which at least `needed` (one or more) of several lists of spans are open; epoch seconds."""
    found: list[Span] = []
    count = since = 0
    for at, step in sorted(step for spans in hours for begin, end in merged(spans) for step in ((begin, 1), (end, -1))):
        if step > 0 and count == needed - 1:
            since = at
        elif step < 0 and count == needed:
            found.append((since, at))
        count += step
    return merged(found)


def lost(stopped: Iterable[Span], opening_hours: Iterable[Span]) -> list[Span]:
    """The opening hours during which something was stopped; epoch seconds."""
    return shared(2, (stopped, opening_hours))


def as_changes(spans: Iterable[Span]) -> list[Change]:
    """Spans in order that do not touch, as a history of what was in error."""
    return [Change(moment(at), mark) for begin, end in spans for at, mark in ((begin, Mark.DANGER), (end, Mark.OK))]
