"""The right answer, minute by minute: slow, plain, and without a line of the product's computing.

Moments are whole minutes since 1970 (UTC). The values asked about are read, none of their methods is used.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import combinations, product
from zoneinfo import ZoneInfo

from awase.domain.availability import HostTimes, SlotRules
from awase.domain.health import Group
from awase.domain.limits import Quota
from awase.domain.schedule import Schedule


def local(zone, minute):
    return datetime.fromtimestamp(minute * 60, ZoneInfo(zone)).replace(tzinfo=None)


@cache
def clock_face(zone, day):
    """Every wall-clock minute that this date shows, and the first moment at which it is shown."""
    noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()) // 60
    shown = {}
    for minute in range(noon - 42 * 60, noon + 42 * 60):
        wall = local(zone, minute)
        if wall.date() == day:
            shown.setdefault(wall, minute)
    return shown


def moment_of(zone, wall):
    """When the clock first shows `wall`; if it never does, when it would have, had it not been moved."""
    back = 0
    while wall not in clock_face(zone, wall.date()):
        wall -= timedelta(minutes=1)
        back += 1
    return clock_face(zone, wall.date())[wall] + back


def days_around(start, end):
    first = datetime.fromtimestamp(start * 60, UTC).date() - timedelta(days=4)
    last = datetime.fromtimestamp(end * 60, UTC).date() + timedelta(days=3)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def ranges_of(schedule, start, end):
    """Opening and closing minutes of all ranges of hours near [start, end)."""
    found = []
    for day in days_around(start, end):
        if not clock_face(schedule.time_zone, day):
            continue
        hours = schedule.weekly[day.weekday()]
        if schedule.closed_on_holidays and day in schedule.holidays:
            hours = ()
        hours = schedule.overrides.get(day, hours)
        for begin, stop in hours:
            midnight = datetime.combine(day, time.min)
            opens = moment_of(schedule.time_zone, midnight + timedelta(minutes=begin))
            closes = moment_of(schedule.time_zone, midnight + timedelta(minutes=stop))
            if opens < closes:
                found.append((opens, closes))
    return found


def minutes_in(spans):
    return {minute for start, end in spans for minute in range(start, end)}


def quota_allows(quota: Quota, zone, start, duration):
    def stretch(per, minute):
        day = local(zone, minute).date()
        return {
            "day": day,
            "week": day.isocalendar()[:2],
            "month": (day.year, day.month),
            "total": None,
        }[per.value]

    for limit in quota.limits:
        same = [
            (a // 60, b // 60) for a, b in quota.bookings if stretch(limit.per, a // 60) == stretch(limit.per, start)
        ]
        if limit.bookings is not None and len(same) + 1 > limit.bookings:
            return False
        if limit.minutes is not None and sum(b - a for a, b in same) + duration > limit.minutes:
            return False
    return True


def can_fill(groups, free):
    """Try every way of giving the places to different people."""
    choices = []
    for group in groups:
        needed = len(group.ids) if group.needed is None else group.needed
        if not group.ids:
            return False
        choices.append(list(combinations([(group.rooms, id) for id in group.ids], needed)))
    for way in product(*choices):
        people = [key for part in way for key in part]
        if len(set(people)) == len(people) and set(people) <= free:
            return bool(groups)
    return False


class Naive:
    def __init__(self, rules: SlotRules, groups: list[Group], hosts: list[HostTimes], start, end, now):
        self.rules, self.groups, self.hosts = rules, groups, hosts
        self.start, self.end, self.now = start // 60, end // 60, now // 60
        self.ranges = {key(host): ranges_of(host.schedule, self.start, self.end) for host in hosts if host.schedule}
        self.open = {who: minutes_in(ranges) for who, ranges in self.ranges.items()}
        self.taken = {
            key(host): minutes_in(
                [pair for busy in host.busy for pair in as_minutes(busy.pairs())] + as_minutes(host.own)
            )
            for host in hosts
        }

    def candidates(self):
        people = [group for group in self.groups if not group.rooms]
        must = {(False, id) for g in people if g.needed in (None, len(g.ids)) for id in g.ids} & set(self.ranges)
        may = {(False, id) for g in people for id in g.ids} & set(self.ranges)
        if must:
            pieces = [
                (max(a for a, _ in way), min(b for _, b in way)) for way in product(*(self.near(who) for who in must))
            ]
        elif may:
            pieces = [piece for who in may for piece in self.near(who)]
        else:
            always = Schedule(self.rules.time_zone, (((0, 1440),),) * 7)
            pieces = ranges_of(always, self.start, self.end)
        return {t for a, b in pieces for t in range(a, b, self.rules.step_minutes)}

    def near(self, who):
        return [(a, b) for a, b in self.ranges[who] if b > self.start and a < self.end]

    def in_time(self, t):
        rules, zone = self.rules, self.rules.time_zone
        today, day = local(zone, self.now), local(zone, t).date()
        earliest = self.now + rules.notice_minutes
        if rules.notice_from_midnight:
            midnight = today.replace(hour=0, minute=0, second=0)
            earliest = max(self.now, moment_of(zone, midnight + timedelta(minutes=rules.notice_minutes)))
        period = rules.period
        return (
            self.start <= t
            and t + rules.duration_minutes <= self.end
            and t >= earliest
            and (period.first is None or day >= period.first)
            and (period.last is None or day <= period.last)
            and (period.days_ahead is None or day <= today.date() + timedelta(days=period.days_ahead))
            and quota_allows(rules.page, zone, t, rules.duration_minutes)
            and quota_allows(rules.guest, zone, t, rules.duration_minutes)
        )

    def is_free(self, host, t):
        rules = self.rules
        zone = host.schedule.time_zone if host.schedule else rules.time_zone
        bare = range(t, t + rules.duration_minutes)
        wide = range(t - rules.buffer_before, t + rules.duration_minutes + rules.buffer_after)
        return (
            (host.schedule is None or all(minute in self.open[key(host)] for minute in bare))
            and not any(minute in self.taken[key(host)] for minute in wide)
            and all(busy.covered_start <= wide[0] * 60 and wide[-1] * 60 + 60 <= busy.covered_end for busy in host.busy)
            and not any(first <= local(zone, minute).date() <= last for first, last in host.absences for minute in bare)
            and quota_allows(host.quota, zone, t, rules.duration_minutes)
        )

    def answer(self):
        """Each offered start (epoch seconds) with the free members and rooms, or the session's members."""
        duration = self.rules.duration_minutes
        everyone = {key(host) for host in self.hosts}
        sessions = {
            session.start // 60: session
            for session in self.rules.sessions
            if session.seats_left > 0
            and session.end // 60 - session.start // 60 == duration
            and {(False, id) for id in session.member_ids} <= everyone
        }
        found = {}
        for t in sorted(self.candidates() | set(sessions)):
            if not self.in_time(t):
                continue
            free = [key(host) for host in self.hosts if self.is_free(host, t)]
            rooms = tuple(id for room, id in free if room)
            if t in sessions:
                found[t * 60] = (sessions[t].member_ids, rooms)
            elif can_fill(self.groups, set(free)):
                found[t * 60] = (tuple(id for room, id in free if not room), rooms)
        return found


def key(host):
    return host.room, host.member_id


def as_minutes(spans):
    return [(a // 60, -(-b // 60)) for a, b in spans]


def naive_days(starts, zone):
    days: dict[date, list[int]] = {}
    for start in starts:
        days.setdefault(local(zone, start // 60).date(), []).append(start)
    return days
