"""What a page offers: the gate's answer and the free times, from the rows as they are in this transaction.

One function for the month that a guest looks at and for the single start that is being booked, so that what
is shown can be booked and what can be booked was shown.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import compress
from typing import Any

from django.db.models import Count, Q, QuerySet

from awase.domain.availability import HostTimes, Period, Session, SlotRules, Slots, slots
from awase.domain.gate import evaluate
from awase.domain.health import MemberValue, PageValue, Standing, Verdict
from awase.domain.intervals import BusyTimes, Span, epoch, moment, span
from awase.models import Booking, BookingPage, BookingState, CalendarBusy, Hold, HostTime, RoomBusy, RoomTime
from awase.models.connection import ReadBusy
from awase.models.prepared import prepared
from awase.services import quotas
from awase.services.health import page_values
from awase.services.hours import hours_and_absences

NEIGHBOURHOOD = timedelta(days=2)  # own bookings this far outside the window can still touch it


@dataclass(frozen=True, slots=True)
class Offer:
    """The answer for one page and window. `slots` is empty while the page takes no bookings. Busy times are
    known until `read_until` for as many people as are needed (None: nothing needs to be read)."""

    page: BookingPage
    value: PageValue
    verdict: Verdict
    slots: Slots
    read_until: datetime | None
    sessions: Mapping[int, int]  # start (epoch seconds) → the booking that carries the session

    @property
    def accepting(self) -> bool:
        """Both switches: the owner's own and the system's; an archived page takes nothing."""
        return self.page.accepting and self.page.archived_at is None and self.verdict.open

    def hosts_at(self, start: datetime) -> tuple[int, ...]:
        """The members free at this start, in list order; empty if it is not offered."""
        at = epoch(start)
        return self.slots.free(at) if at in self.slots else ()

    def rooms_at(self, start: datetime) -> tuple[int, ...]:
        """The rooms free at this start; empty if it is not offered."""
        at = epoch(start)
        return self.slots.free_rooms(at) if at in self.slots else ()

    def session_at(self, start: datetime) -> int | None:
        """The booking that carries the group session which a guest would join at this start, if there is one."""
        at = epoch(start)
        return self.sessions[at] if at in self.slots and self.slots.session(at) else None

    def locations_at(self, start: datetime) -> tuple[int, ...]:
        """The ids of the locations that can be held at this start, in the page's order."""
        if self.verdict.locations_by_owner:
            return self.verdict.offered
        free = set(self.hosts_at(start))
        holdable = {location for host in self.verdict.hosts if host.member_id in free for location in host.location_ids}
        return tuple(location for location in self.verdict.offered if location in holdable)

    def locations(self) -> list[tuple[int, ...]]:
        """For each start that is offered, in their order, what `locations_at` says of it."""
        offered, starts = self.verdict.offered, self.slots.starts
        if self.verdict.locations_by_owner or not offered:
            return [offered] * len(starts)
        holders = {
            location: {host.member_id for host in self.verdict.hosts if location in host.location_ids}
            for location in offered
        }
        held = [self.slots.with_any(holders[location]) for location in offered]
        return [tuple(compress(offered, flags)) for flags in zip(*held, strict=True)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a page: starts in [start, end). `minutes`: the length that the guest chose, else the
    page's own. `moving`, `hold`: a booking that is being moved, a slot held for this guest: neither stands in
    its own way. `guest`: the mail address, for limits per guest."""

    start: datetime
    end: datetime
    minutes: int | None = None
    moving: Booking | None = None
    hold: Hold | None = None
    guest: str = ""


def offer(
    page: BookingPage,
    start: datetime,
    end: datetime,
    now: datetime,
    *,
    minutes: int | None = None,
    without: Collection[int] = (),
    moving: Booking | None = None,
    hold: Hold | None = None,
    guest: str = "",
    value: PageValue | None = None,
) -> Offer:
    """What `page` offers with starts in [start, end) (see `Asked`). `without`: members found busy or unreadable
    a moment ago. `value`: what the gate is to look at in place of the page as it is stored."""
    asked = Asked(start, end, minutes, moving, hold, guest)
    value = value or page_values([page], now)[page.pk]
    verdict = evaluate(value)
    answer = Offer(page, value, verdict, NOTHING, None, {})
    if not answer.accepting:
        return answer
    sessions = sessions_of(page, asked) if page.seats > 1 and _may_join(moving) else {}
    rules = rules_of(page, asked, tuple(sessions.values()))
    hosts = host_times(answer, asked, now, without=without)
    return Offer(
        page=page,
        value=value,
        verdict=verdict,
        slots=slots(rules, value.groups, hosts, epoch(start), epoch(end) - 1 + rules.duration, epoch(now)),
        read_until=_read_until(hosts, everybody=verdict.locations_by_owner),
        sessions={session.start: pk for pk, session in sessions.items()},
    )


def _may_join(moving: Booking | None) -> bool:
    """Whether what is moved can join a session that is there: a seat can, the only guest of a session too, and what
    takes no time yet. Two that take their hosts' time are never made one."""
    if moving is None or moving.session_id:
        return True
    if moving.is_session:
        return moving.seats.filter(state__in=quotas.COUNTED).count() == 1
    return not moving.host_times.filter(active=True).exists()


def rules_of(page: BookingPage, asked: Asked | None = None, sessions: tuple[Session, ...] = ()) -> SlotRules:
    """What the page says about its slots; with the limits if it is known what is asked."""
    rules = SlotRules(
        duration_minutes=(asked.minutes if asked else None) or page.duration_minutes,
        step_minutes=page.step_minutes,
        time_zone=page.time_zone,
        buffer_before=page.buffer_before_minutes,
        buffer_after=page.buffer_after_minutes,
        notice_minutes=page.notice_minutes,
        notice_from_midnight=page.notice_from_midnight,
        period=Period(first=page.period_first, last=page.period_last, days_ahead=page.period_days),
        sessions=sessions,
    )
    if asked is None or not page.limits:
        return rules
    return replace(
        rules,
        page=quotas.page_quota(page, asked.start, asked.end, asked.moving),
        guest=quotas.guest_quota(page, asked.guest, asked.start, asked.end, asked.moving),
    )


def host_times(answer: Offer, asked: Asked, now: datetime, *, without: Collection[int] = ()) -> list[HostTimes]:
    """Hours, busy times and own bookings of the members and rooms that the gate lets take part: a constant
    number of queries."""
    members = {member.id: member for member in answer.value.members}
    people = [members[host.member_id] for host in answer.verdict.hosts if host.member_id not in without]
    return people_times(answer.page, people, asked, now) + room_times(answer.verdict.rooms, asked, now)


def people_times(page: BookingPage, members: list[MemberValue], asked: Asked, now: datetime) -> list[HostTimes]:
    """Hours, busy times, own bookings, absences and limits of these members on the page."""
    ids = [member.id for member in members]
    quota = quotas.host_quotas(page, ids, asked.start, asked.end, asked.moving)
    respected = {member.id: _to_respect(member) for member in members}
    checked = [calendar for calendars in respected.values() for calendar in calendars]
    hours, absences, (own, busy) = hours_and_absences(
        page, ids, asked.start, asked.end, _times_of_hosts.of(ids, *taking(asked, now)), _busy_in.of(checked)
    )
    taken: dict[int, list[Span]] = defaultdict(list)
    for member_id, begins, ends in own:
        taken[member_id].append(span(begins, ends))
    read = {pk: BusyTimes(bytes(spans), *known) for pk, spans, *known in busy}
    return [
        HostTimes(
            member_id=member.id,
            schedule=hours[member.id],
            busy=tuple(read.get(calendar, BusyTimes.unread()) for calendar in respected[member.id]),
            own=tuple(taken[member.id]),
            absences=absences.get(member.id, ()),
            quota=quota[member.id],
        )
        for member in members
    ]


def room_times(ids: Collection[int], asked: Asked, now: datetime) -> list[HostTimes]:
    """Busy times and bookings of these rooms, each always open."""
    if not ids:
        return []
    taken: dict[int, list[Span]] = defaultdict(list)
    for room_id, begins, ends in _times_of_rooms(ids, *taking(asked, now)):
        taken[room_id].append(span(begins, ends))
    read = {busy.room_id: _busy(busy) for busy in RoomBusy.objects.filter(room__in=ids)}
    return [
        HostTimes(pk, None, busy=(read.get(pk, BusyTimes.unread()),), own=tuple(taken[pk]), room=True) for pk in ids
    ]


def taking(asked: Asked, now: datetime) -> tuple[datetime, datetime, datetime, int, int]:
    """What `in_the_way` wants to know of what is asked."""
    moving, hold = asked.moving.pk if asked.moving else 0, asked.hold.pk if asked.hold else 0
    return asked.start - NEIGHBOURHOOD, asked.end + NEIGHBOURHOOD, now, moving, hold


def in_the_way(start: Any, end: Any, now: Any, moving: Any, hold: Any) -> Q:
    """Host or room times that stand in the way around [start, end): active, of a booking other than the one
    that is moved, or of somebody else's hold that has not run out."""
    near = Q(active=True, start__lt=end, end__gt=start)
    return near & ~Q(booking=moving) & (Q(hold=None) | Q(hold__expires_at__gt=now) & ~Q(hold=hold))


@prepared
def _times_of_hosts(
    ids: Any, start: Any, end: Any, now: Any, moving: Any, hold: Any
) -> QuerySet[HostTime, tuple[Any, ...]]:
    """Of these members, the time of the person: whoever belongs to several workspaces is in one place at a time."""
    person = "member__user__memberships"
    rows = HostTime.objects.filter(in_the_way(start, end, now, moving, hold), **{f"{person}__pk__among": ids})
    return rows.values_list(f"{person}__pk", "start", "end")


@prepared
def _times_of_rooms(
    ids: Any, start: Any, end: Any, now: Any, moving: Any, hold: Any
) -> QuerySet[RoomTime, tuple[Any, ...]]:
    rows = RoomTime.objects.filter(in_the_way(start, end, now, moving, hold), room__among=ids)
    return rows.values_list("room", "start", "end")


@prepared
def _busy_in(calendars: Any) -> QuerySet[CalendarBusy, tuple[Any, ...]]:
    rows = CalendarBusy.objects.filter(calendar__among=calendars)
    return rows.values_list("calendar", "spans", "covered_start", "covered_end", "read_at")


def sessions_of(page: BookingPage, asked: Asked) -> dict[int, Session]:
    """The group sessions of the page with starts in the window, by the booking that carries each."""
    taken = Q(seats__state__in=quotas.COUNTED)
    if asked.moving is not None:
        taken &= ~Q(seats=asked.moving)
    rows = Booking.objects.filter(
        page=page, is_session=True, state=BookingState.CONFIRMED, start__gte=asked.start, start__lt=asked.end
    ).annotate(seats_taken=Count("seats", filter=taken, distinct=True))
    if asked.moving is not None:
        rows = rows.exclude(pk=asked.moving.pk)
    hosts: dict[int, list[int]] = defaultdict(list)
    for booking_id, member_id in HostTime.objects.filter(booking__in=rows, active=True).values_list(
        "booking", "member"
    ):
        hosts[booking_id].append(member_id)
    return {
        row.pk: Session(epoch(row.start), epoch(row.end), tuple(sorted(hosts[row.pk])), page.seats - row.seats_taken)
        for row in rows.order_by("pk")
    }


def _busy(row: ReadBusy) -> BusyTimes:
    return BusyTimes(bytes(row.spans), row.covered_start, row.covered_end, row.read_at)


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


def _read_until(hosts: list[HostTimes], *, everybody: bool) -> datetime | None:
    """Until when the busy times are known: of everybody, or of the one who is known longest."""
    known = [min((busy.covered_end for busy in host.busy), default=None) for host in hosts]
    read = [until for until in known if until is not None]
    if not read or (not everybody and None in known):
        return None
    return moment(min(read) if everybody else max(read))


NOTHING = slots(SlotRules(1, 1, "UTC"), (), (), 0, 0, 0)
