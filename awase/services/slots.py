"""What a page offers: the gate's answer and the free times, from the rows as they are in this transaction.

One function for the month that a guest looks at and for the single start that is being booked, so that what
is shown can be booked and what can be booked was shown.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from awase.domain.availability import HostTimes, Period, SlotRules, Slots, slots
from awase.domain.gate import evaluate
from awase.domain.health import Group, MemberValue, PageValue, Standing, Verdict
from awase.domain.intervals import BusyTimes, Span, epoch, moment, span
from awase.domain.schedule import Schedule, from_json
from awase.models import BookingPage, CalendarBusy, Condition, HostTime, PageMember, WeeklySchedule
from awase.services.health import page_values

NEIGHBOURHOOD = timedelta(days=2)  # own bookings this far outside the window can still touch it


@dataclass(frozen=True, slots=True)
class Offer:
    """The answer for one page and window. `slots` is empty while the page takes no bookings."""

    page: BookingPage
    value: PageValue
    verdict: Verdict
    slots: Slots
    read_until: datetime | None  # busy times are known until here for everybody needed; None: not at all

    @property
    def accepting(self) -> bool:
        """Both switches: the owner's own and the system's."""
        return self.page.accepting and self.verdict.open

    def hosts_at(self, start: datetime) -> tuple[int, ...]:
        """The members free at this start, in list order; empty if it is not offered."""
        at = epoch(start)
        return self.slots.free(at) if at in self.slots else ()

    def locations_at(self, start: datetime) -> tuple[int, ...]:
        """The ids of the locations that can be held at this start, in the page's order."""
        if self.verdict.locations_by_owner:
            return self.verdict.offered
        free = set(self.hosts_at(start))
        holdable = {location for host in self.verdict.hosts if host.member_id in free for location in host.location_ids}
        return tuple(location for location in self.verdict.offered if location in holdable)


def rules_of(page: BookingPage) -> SlotRules:
    """What the page itself says about its slots."""
    return SlotRules(
        duration_minutes=page.duration_minutes,
        step_minutes=page.step_minutes,
        time_zone=page.time_zone,
        buffer_before=page.buffer_before_minutes,
        buffer_after=page.buffer_after_minutes,
        notice_minutes=page.notice_minutes,
        period=Period(days_ahead=page.period_days),
    )


def offer(
    page: BookingPage,
    start: datetime,
    end: datetime,
    now: datetime,
    *,
    without: Collection[int] = (),
    moving: int | None = None,
) -> Offer:
    """What `page` offers with starts in [start, end). `without`: members found busy or unreadable a moment ago.
    `moving`: a booking that is being moved and so does not stand in its own way."""
    value = page_values([page], now)[page.pk]
    verdict = evaluate(value)
    members = {member.id: member for member in value.members}
    hosts = [host.member_id for host in verdict.hosts] if verdict.open and page.accepting else []
    if page.condition == Condition.ANY:
        hosts = [host for host in hosts if host not in without]
        groups = [Group(ids=tuple(hosts), needed=1)]
    else:
        hosts = [] if set(hosts) & set(without) else hosts
        groups = [Group(ids=tuple(hosts), needed=None)]
    times = _host_times(page, [members[host] for host in hosts], start, end, moving)
    rules = rules_of(page)
    known = [busy.covered_end for host in times for busy in host.busy]
    return Offer(
        page=page,
        value=value,
        verdict=verdict,
        slots=slots(rules, groups, times, epoch(start), epoch(end) - 1 + rules.duration_minutes * 60, epoch(now)),
        read_until=moment(min(known) if page.condition == Condition.ALL else max(known)) if known else None,
    )


def _host_times(
    page: BookingPage, members: list[MemberValue], start: datetime, end: datetime, moving: int | None
) -> list[HostTimes]:
    """Hours, busy times and own bookings of these members: three queries, whatever their number."""
    ids = [member.id for member in members]
    schedules = _schedules(page, ids)
    taken: dict[int, list[Span]] = defaultdict(list)
    rows = HostTime.objects.filter(
        member__in=ids, active=True, start__lt=end + NEIGHBOURHOOD, end__gt=start - NEIGHBOURHOOD
    ).exclude(booking=moving)
    for member_id, begins, ends in rows.values_list("member", "start", "end"):
        taken[member_id].append(span(begins, ends))
    checked = [calendar for member in members for calendar in _to_respect(member)]
    read = {
        busy.calendar_id: BusyTimes(bytes(busy.spans), busy.covered_start, busy.covered_end, busy.read_at)
        for busy in CalendarBusy.objects.filter(calendar__in=checked)
    }
    return [
        HostTimes(
            member_id=member.id,
            schedule=schedules[member.id],
            busy=tuple(read.get(calendar, BusyTimes.unread()) for calendar in _to_respect(member)),
            own=tuple(taken[member.id]),
        )
        for member in members
    ]


def _to_respect(member: MemberValue) -> list[int]:
    """The calendars whose busy times count now: all that are checked, except those under "go on without it"
    while they cannot be read."""
    return [
        calendar.id
        for connection in member.connections
        for calendar in connection.calendars
        if calendar.checked
        and not (calendar.go_on_without and (calendar.missing or connection.standing is Standing.ERROR))
    ]


NEVER = Schedule(time_zone="UTC", weekly=((),) * 7)


def _schedules(page: BookingPage, member_ids: Collection[int]) -> dict[int, Schedule]:
    """Each member's hours: those chosen for the page, else their default ones; nobody's default is closed."""
    found = dict.fromkeys(member_ids, NEVER)
    for row in WeeklySchedule.objects.filter(member__in=member_ids, is_default=True):
        found[row.member_id] = _schedule(row)
    chosen = PageMember.objects.filter(page=page, member__in=member_ids, schedule__isnull=False)
    for link in chosen.select_related("schedule"):
        assert link.schedule is not None
        found[link.member_id] = _schedule(link.schedule)
    return found


def _schedule(row: WeeklySchedule) -> Schedule:
    return from_json(row.time_zone, row.weekly, row.overrides)
