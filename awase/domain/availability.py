"""Which starts a page can offer, and who is free in each: one function for lists, bookings and answers.

Everything is in epoch seconds (UTC), half-open; durations, steps and buffers in minutes. The rules:

- **Starts** are counted from the beginning of each range of hours, every `step_minutes`. Where people must
  take part (groups that need all), the ranges are the hours that they share; otherwise each host's own. A
  start is then offered if every group can be filled by hosts who are free.
- A host is free if the bare slot lies inside their hours (it may run on into hours that adjoin) and touches
  no absence, and the slot *with its buffers* touches none of their busy times and lies wholly inside what
  was read: unknown is never free. Buffers may reach outside the hours.
- Own bookings come in with their own buffers and so add up with the candidate's. External events have none
  of their own, but the candidate's buffers keep clear of them too: a quarter of an hour to prepare is needed
  after any meeting.
- Period, notice and page and guest limits use the page's zone, host limits and absences the host's, always
  by the date on which a slot starts; weeks begin on Monday.
- A group session with seats left is offered at its start to those who join, whatever its hosts' hours and
  busy times say by now: that time is already agreed. The page's period, notice and limits still hold.

The fast form: for each host every stretch that blocks becomes a run of indices into the sorted candidate
starts, by one vectorised search for all hosts; counting runs that begin and end and summing up gives who is
blocked where, exactly, however the stretches overlap.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from awase.domain.health import Group
from awase.domain.intervals import BusyTimes as BusyTimes
from awase.domain.intervals import Span, merged
from awase.domain.schedule import Schedule, expand, group_by_day, local_date, utc_of


class Per(StrEnum):
    """The stretch of time over which a limit counts."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many bookings, and so many booked minutes, per day, week, month or in total."""

    per: Per
    bookings: int | None = None
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """Limits and the bookings that count towards them: (start, end) without buffers, epoch seconds. Hand in
    all those of the months and weeks that the window touches (with a limit in total: all there are)."""

    limits: tuple[Limit, ...] = ()
    bookings: tuple[Span, ...] = ()


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
    page: Quota = Quota()
    guest: Quota = Quota()
    sessions: tuple[Session, ...] = ()

    def __post_init__(self) -> None:
        if self.duration_minutes <= 0 or self.step_minutes <= 0:
            raise ValueError("duration and start interval must be positive")
        if min(self.buffer_before, self.buffer_after, self.notice_minutes) < 0:
            raise ValueError("buffers and notice must not be negative")


@dataclass(frozen=True, slots=True)
class HostTimes:
    """One person who may take part, or one room (`room`; `member_id` is then the room's id).

    `busy` has one entry per calendar that is checked, an unread one included (`BusyTimes.unread()`); the
    events that Awase itself wrote are not in it. `own` are all their bookings and holds, with the buffers of
    each: (start - before, end + after). `absences` are first and last date, included, in the schedule's zone
    (without a schedule the page's). No schedule: always open (rooms), counted from 00:00 in the page's zone
    if nobody gives hours.
    """

    member_id: int
    schedule: Schedule | None
    busy: tuple[BusyTimes, ...] = ()
    own: tuple[Span, ...] = ()
    absences: tuple[tuple[date, date], ...] = ()
    quota: Quota = Quota()
    room: bool = False
