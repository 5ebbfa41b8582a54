"""Which starts a page can offer, and who is free in each: one function for lists, bookings and answers.

Everything is in epoch seconds (UTC), half-open; durations, steps and buffers in minutes. The rules:

- **Starts** are counted from the beginning of each range of hours, every `step_minutes`. Where people must
  take part (groups that need all), the ranges are the hours that they share; otherwise each host's own. A
  start is offered if every group can then be filled by different hosts who are free.
- A host is free if the bare slot lies inside their hours (it may run on into hours that adjoin) and touches
  no absence, and the slot *with its buffers* touches none of their busy times and lies wholly inside what
  was read: unknown is never free. Buffers may reach outside the hours.
- Own bookings come in with their own buffers and so add up with the candidate's. External events have none
  of their own, but the candidate's buffers keep clear of them too: time to prepare is needed after any
  meeting.
- Period, notice and the limits of page and guest use the page's zone, host limits and absences the host's,
  by the date on which a slot starts.
- A group session with seats left is offered at its start to those who join, whatever its hosts' hours and
  busy times say by now: that time is agreed already. The page's period, notice and limits still hold.

The fast form: for all hosts at once, one vectorised search turns every stretch that blocks into a run of
indices into the sorted candidate starts; runs begun less runs ended, summed up, tell who is free where,
exactly, however the stretches overlap.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from itertools import islice

import numpy as np
import numpy.typing as npt

from awase.domain.health import Group
from awase.domain.intervals import BusyTimes as BusyTimes
from awase.domain.intervals import Span, merged
from awase.domain.limits import ALWAYS, NO_LIMITS, Quota
from awase.domain.schedule import Schedule, always_open, day_after, expand, group_by_day, local_date, midnight

Starts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Bar = Span  # (after, before): takes away the starts after < s < before


@dataclass(frozen=True, slots=True)
class Period:
    """The dates on which a slot may start, in the page's zone, each bound included; all None: open.

    `days_ahead` rolls: 0 is today only.
    """

    first: date | None = None
    last: date | None = None
    days_ahead: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A group session that exists already: its hosts, and how many seats are left. Its time must also stand
    in the hosts' `own` bookings, so that a full one blocks them."""

    start: int
    end: int
    member_ids: tuple[int, ...]
    seats_left: int


@dataclass(frozen=True, slots=True)
class SlotRules:
    """What the page says. `step_minutes` is the start interval, apart from the duration.

    `notice_minutes` counts from now, or on the wall clock from the last midnight in the page's zone.
    `page` and `guest` are the limits of the page, and of the one guest who asks (if known).
    Raises ValueError for a duration or step that is not positive, or a negative buffer or notice.
    """

    duration_minutes: int
    step_minutes: int
    time_zone: str
    buffer_before: int = 0
    buffer_after: int = 0
    notice_minutes: int = 0
    notice_from_midnight: bool = False
    period: Period = Period()
    page: Quota = NO_LIMITS
    guest: Quota = NO_LIMITS
    sessions: tuple[Session, ...] = ()

    def __post_init__(self) -> None:
        if self.duration_minutes <= 0 or self.step_minutes <= 0:
            raise ValueError("duration and start interval must be positive")
        if min(self.buffer_before, self.buffer_after, self.notice_minutes) < 0:
            raise ValueError("buffers and notice must not be negative")

    @property
    def duration(self) -> int:
        """In seconds."""
        return self.duration_minutes * 60

    def earliest(self, now: int) -> int:
        """The first moment at which a slot may start, by the notice."""
        if self.notice_from_midnight:
            today = local_date(self.time_zone, now)
            return max(now, midnight(self.time_zone, today, self.notice_minutes))
        return now + self.notice_minutes * 60

    def period_span(self, now: int) -> Span:
        """[from, to) in which a slot may start, by the period."""
        opens, closes = ALWAYS
        if self.period.first is not None:
            opens = midnight(self.time_zone, self.period.first)
        if self.period.last is not None:
            closes = midnight(self.time_zone, day_after(self.period.last))
        if self.period.days_ahead is not None:
            last = local_date(self.time_zone, now) + timedelta(days=self.period.days_ahead)
            closes = min(closes, midnight(self.time_zone, day_after(last)))
        return opens, closes


@dataclass(frozen=True, slots=True)
class HostTimes:
    """One person who may take part, or one room (`room`; `member_id` is then the room's id).

    `busy` has one entry per calendar that is checked, an unread one included (`BusyTimes.unread()`); the
    events that Awase itself wrote are not in it. `own` are all their bookings and holds, with the buffers of
    each: (start - before, end + after). `absences` are first and last date, included, in the schedule's zone
    (without a schedule the page's). No schedule: always open, as rooms are.
    """

    member_id: int
    schedule: Schedule | None
    busy: tuple[BusyTimes, ...] = ()
    own: tuple[Span, ...] = ()
    absences: tuple[tuple[date, date], ...] = ()
    quota: Quota = NO_LIMITS
    room: bool = False


class Slots:
    """What is offered: `starts`, sorted epoch seconds, and who is free in each."""

    __slots__ = ("_free", "_hosts", "_sessions", "starts")

    def __init__(
        self, starts: list[int], free: Flags, hosts: Sequence[HostTimes], sessions: Mapping[int, Session]
    ) -> None:
        self.starts = starts
        self._free = free  # hosts × starts
        self._hosts = hosts
        self._sessions = sessions

    def __contains__(self, start: int) -> bool:
        at = bisect_left(self.starts, start)
        return at < len(self.starts) and self.starts[at] == start

    def free(self, start: int) -> tuple[int, ...]:
        """The ids of the members free at an offered start, in the order in which the hosts were handed in;
        those of the session where there is one to join. Raises KeyError if the start is not offered."""
        session = self.session(start)
        return session.member_ids if session else self._ids(start, room=False)

    def with_any(self, member_ids: Collection[int]) -> list[bool]:
        """For each start, in their order, whether `free` names any of these members."""
        rows = [row for row, host in enumerate(self._hosts) if not host.room and host.member_id in member_ids]
        found: list[bool] = np.any(self._free[rows], axis=0).tolist()
        for start, session in self._sessions.items():
            if start in self:
                found[bisect_left(self.starts, start)] = not set(session.member_ids).isdisjoint(member_ids)
        return found

    def free_rooms(self, start: int) -> tuple[int, ...]:
        """The ids of the rooms free at an offered start. Raises KeyError if the start is not offered."""
        return self._ids(start, room=True)

    def session(self, start: int) -> Session | None:
        """The group session that a guest joins at an offered start, if there is one.
        Raises KeyError if the start is not offered."""
        if start not in self:
            raise KeyError(start)
        return self._sessions.get(start)

    def by_day(self, zone_name: str) -> dict[date, list[int]]:
        """The starts grouped by their date in a zone, the guest's."""
        return group_by_day(self.starts, zone_name)

    def _ids(self, start: int, *, room: bool) -> tuple[int, ...]:
        if start not in self:
            raise KeyError(start)
        rows = np.flatnonzero(self._free[:, bisect_left(self.starts, start)]).tolist()
        return tuple(self._hosts[row].member_id for row in rows if self._hosts[row].room is room)


def slots(
    rules: SlotRules,
    groups: Sequence[Group],
    hosts: Sequence[HostTimes],
    window_start: int,
    window_end: int,
    now: int,
) -> Slots:
    """The slots that lie inside [window_start, window_end); epoch seconds throughout.

    `hosts` holds the members and rooms who may be booked at all (the gate's word); whoever stands in a group
    and is not handed in is not free. To ask about one start, let the window be that slot alone.
    """
    opens, closes = rules.period_span(now)
    low = max(window_start, opens, rules.earliest(now))
    high = min(window_end - rules.duration + 1, closes)
    if high <= low or not hosts:
        return Slots([], np.empty((len(hosts), 0), np.bool_), hosts, {})
    search = Search(rules, groups, hosts, low, high)
    starts = search.starts()
    free = search.free(starts)
    offered = search.filled(free)
    if search.sessions:
        offered |= np.isin(starts, list(search.sessions))
    for after, before in search.page_bars():
        offered &= (starts <= after) | (starts >= before)
    chosen: list[int] = starts[offered].tolist()
    return Slots(chosen, free[:, offered], hosts, search.sessions)


def is_offered(rules: SlotRules, groups: Sequence[Group], hosts: Sequence[HostTimes], start: int, now: int) -> bool:
    """Whether `slots` offers this very start (epoch seconds)."""
    return start in slots(rules, groups, hosts, start, start + rules.duration, now)


def can_meet(rules: SlotRules, groups: Sequence[Group], hosts: Sequence[HostTimes], start: int) -> bool:
    """Whether the groups can be filled at this start (epoch seconds), on the grid or off it, whatever the
    page's period, notice, limits and sessions say."""
    search = Search(rules, groups, hosts, start, start + 1)
    return bool(hosts) and bool(search.filled(search.free(np.array([start])))[0])


class Search:
    """One question: which starts s with low <= s < high, and who is free in each."""

    def __init__(
        self, rules: SlotRules, groups: Sequence[Group], hosts: Sequence[HostTimes], low: int, high: int
    ) -> None:
        self.rules, self.groups, self.hosts, self.low, self.high = rules, groups, hosts, low, high
        # Busy in [a, b) bars the starts whose buffered slot touches it: a - tail < s < b + lead.
        self.lead = rules.buffer_before * 60
        self.tail = rules.duration + rules.buffer_after * 60
        self.row_of = {(host.room, host.member_id): row for row, host in enumerate(hosts)}
        number_of: dict[Schedule | None, int] = {}  # each distinct schedule is expanded once
        self.hours_of = [number_of.setdefault(host.schedule, len(number_of)) for host in hosts]
        self.hours = [self._expand(schedule) if schedule else None for schedule in number_of]
        self.sessions = {
            session.start: session
            for session in reversed(rules.sessions)  # of several at one start the first is filled first
            if session.seats_left > 0
            and low <= session.start < high
            and session.end - session.start == rules.duration
            and all((False, id) in self.row_of for id in session.member_ids)
        }

    def _expand(self, schedule: Schedule) -> list[Span]:
        return expand(schedule, self.low, self.high + self.rules.duration)

    def starts(self) -> Starts:
        """Every start that the hours suggest, and those of sessions; sorted. Who is free is another matter."""
        step = self.rules.step_minutes * 60
        ranges = np.array(self._ranges(), np.int64).reshape(-1, 2)
        opens, closes = ranges[:, :1], ranges[:, 1:]
        grid = opens + np.arange(0, np.max(closes - opens, initial=0), step)
        starts: Starts = grid[(grid < closes) & (grid >= self.low) & (grid < self.high)]
        if self.sessions:
            starts = np.append(starts, list(self.sessions))
        return starts if (starts[1:] > starts[:-1]).all() else np.unique(starts)

    def _ranges(self) -> list[Span]:
        """The ranges of hours from whose beginnings starts are counted."""
        people = [group for group in self.groups if not group.rooms]
        needed = [group for group in people if group.needed is None or group.needed >= len(group.ids)]
        shared = self._hours_of(needed)
        if shared:
            return reduce(_shared, shared)
        own = self._hours_of(people) or [self._expand(always_open(self.rules.time_zone))]
        return own[0] if len(own) == 1 else sorted({span for hours in own for span in hours})

    def _hours_of(self, groups: Sequence[Group]) -> list[list[Span]]:
        rows = (self.row_of.get((group.rooms, id)) for group in groups for id in group.ids)
        numbers = {self.hours_of[row] for row in rows if row is not None}
        return [hours for number in sorted(numbers) if (hours := self.hours[number]) is not None]

    def free(self, starts: Starts) -> Flags:
        """Hosts × starts: True where nothing bars the host."""
        width = len(starts) + 1
        size = len(self.hosts) * width
        rows, after, before = self._all_bars()
        # How many bars begin, less how many end, summed up along each row: 0 where none stands. In place,
        # because fresh memory costs more than the sums.
        bars = np.bincount(rows * width + np.searchsorted(starts, after, "right"), minlength=size)
        bars -= np.bincount(rows * width + np.searchsorted(starts, before, "left"), minlength=size)
        bars = bars.reshape(-1, width)
        free: Flags = np.cumsum(bars, axis=1, out=bars)[:, :-1] == 0
        free &= np.array([self._inside(hours, starts) for hours in self.hours])[self.hours_of]
        return free

    def _all_bars(self) -> tuple[Starts, Starts, Starts]:
        """The bars of all hosts: row, after, before. Busy times straight from their bytes."""
        packed = b"".join([busy.spans for host in self.hosts for busy in host.busy])
        counts = [sum([len(busy.spans) for busy in host.busy]) // 16 for host in self.hosts]
        spans = np.frombuffer(packed, "<i8").reshape(-1, 2)
        bars = [(row, *bar) for row, host in enumerate(self.hosts) for bar in self._bars(host)]
        others = np.array(bars, np.int64).reshape(-1, 3)
        return (
            np.concatenate([np.repeat(np.arange(len(counts)), counts), others[:, 0]]),
            np.concatenate([spans[:, 0] - self.tail, others[:, 1]]),
            np.concatenate([spans[:, 1] + self.lead, others[:, 2]]),
        )

    def _bars(self, host: HostTimes) -> Iterator[Bar]:
        """What bars a host, except busy times and hours."""
        for busy in host.busy:
            if busy.covered_start > self.low - self.lead:
                yield ALWAYS[0], busy.covered_start + self.lead
            if busy.covered_end < self.high + self.tail:
                yield busy.covered_end - self.tail, ALWAYS[1]
        for start, end in host.own:
            yield start - self.tail, end + self.lead
        zone_name = host.schedule.time_zone if host.schedule else self.rules.time_zone
        for first, last in host.absences:
            gone, back = midnight(zone_name, first), midnight(zone_name, day_after(last))
            yield gone - self.rules.duration, back
        for full_from, full_to in host.quota.full(zone_name, self.rules.duration):
            yield full_from - 1, full_to

    def page_bars(self) -> Iterator[Bar]:
        """What the limits of the page and of the guest take away."""
        for quota in (self.rules.page, self.rules.guest):
            for full_from, full_to in quota.full(self.rules.time_zone, self.rules.duration):
                yield full_from - 1, full_to

    def _inside(self, hours: list[Span] | None, starts: Starts) -> Flags:
        """Where the bare slot lies within hours, which may adjoin or overlap."""
        if hours is None:
            return np.ones(len(starts), np.bool_)
        whole = np.array([ALWAYS[:1] * 2, *merged(hours)])
        at = np.searchsorted(whole[:, 0], starts, "right") - 1
        inside: Flags = starts + self.rules.duration <= whole[at, 1]
        return inside

    def filled(self, free: Flags) -> Flags:
        """Where every group can be filled at once, nobody filling two places."""
        filled = np.full(free.shape[1], bool(self.groups))
        for keys, needed in _demands(self.groups):
            rows = sorted(self.row_of[key] for key in keys if key in self.row_of)
            filled &= free.take(rows, axis=0).sum(axis=0, dtype=np.int32) >= needed
        return filled


def _demands(groups: Sequence[Group]) -> Iterator[tuple[frozenset[tuple[bool, int]], int]]:
    """(who, how many): all groups can be filled by different people if so many are free among these.

    Hall's theorem: it is enough that for every set of groups the people in any of them are as many as the
    places in all of them. Only sets whose groups share people say more than each group alone.
    """
    keys = [frozenset((group.rooms, id) for id in group.ids) for group in groups]
    places = [max(1, len(group.ids)) if group.needed is None else group.needed for group in groups]
    found = {frozenset([index]) for index in range(len(groups))}
    while found:
        for indices in found:
            yield frozenset().union(*(keys[i] for i in indices)), sum(places[i] for i in indices)
        found = {
            indices | {other}
            for indices in found
            for other in range(len(groups))
            if other not in indices and any(keys[other] & keys[i] for i in indices)
        }


def _shared(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """The intersections of two sorted lists of spans, piece by piece, so that each keeps its beginning."""
    pieces = set[Span]()
    first = 0
    for start, end in one:
        while first < len(other) and other[first][1] <= start:
            first += 1
        for begin, stop in islice(other, first, None):
            if begin >= end:
                break
            if max(start, begin) < min(end, stop):
                pieces.add((max(start, begin), min(end, stop)))
    return sorted(pieces)
