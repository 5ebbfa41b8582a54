"""One look at an account: the busy times of every calendar in use and of the rooms it reads, nothing written.

A calendar is read on from where the last reading ended, as long as the service takes the token, the window still
reaches as far as the pages offer times, and the last full reading is less than a day old.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q

from awase import registry
from awase.domain.errors import Failure, FailureClass, ProviderError
from awase.domain.event_spans import EventSpan, mark, replaced, unpacked
from awase.domain.health import Service, Standing
from awase.domain.intervals import epoch, moment, span
from awase.domain.transition import probe_due
from awase.models import BookingPage, Calendar, Connection, Credential, Room
from awase.providers.calendars import read_each
from awase.providers.protocols import BusyEvent, Changes, RoomProvider
from awase.services.signals import Good

MEETING_SERVICES = frozenset(service for service in Service if not service.calendars)
LEAST_HORIZON = timedelta(days=31)
LONGEST_HORIZON = timedelta(days=365)
SPARE = timedelta(days=4)  # what a full reading reads further than is needed at once: zones, yesterday, a day's wait
FULL_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Begun:
    """Where a calendar's reading starts from: the token ("" for none), and the window that it is about."""

    token: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class CalendarReading:
    """What was found in one calendar, and where the reading had started from."""

    changes: Changes
    begun: Begun


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look at an account found. `calendars` by the service's calendar id, `rooms` by our own id; both
    empty for a meeting account. What was found of rooms covers [start, end)."""

    signal: Good | Failure
    read_at: datetime
    start: datetime
    end: datetime
    calendars: Mapping[str, CalendarReading | Failure] = field(default_factory=dict)
    rooms: Mapping[int, tuple[BusyEvent, ...] | Failure] = field(default_factory=dict)


def read(
    service: Service,
    credential: Credential | None,
    access: registry.Access,
    now: datetime,
    *,
    anew: bool = True,
    rarely: bool = False,
) -> Reading:
    """Look at an account. `anew` reads everything, whatever tokens there are; `rarely` looks for missing calendars
    only when their probe is due."""
    start = (now - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    horizon = _horizon(credential, now)
    end = start + horizon + SPARE
    try:
        if service in MEETING_SERVICES:
            registry.conferences(service, access).check()
            return Reading(Good(full=True), now, start, end)
        provider = registry.calendars(service, access)
        wanted = _wanted(credential, now, rarely=rarely)
        begun = {name: _begun(rows, Begun("", start, end), now, horizon, anew=anew) for name, rows in wanted.items()}
        if not begun:
            provider.check()

        def look(calendar_id: str) -> CalendarReading:
            known = begun[calendar_id]
            return CalendarReading(provider.changes(calendar_id, known.token, known.start, known.end), known)

        calendars = read_each(list(begun), look)
    except ProviderError as error:
        return Reading(error.failure, now, start, end)
    rooms = _look_at(provider, _rooms(credential, service), start, end)
    return Reading(_signal(calendars), now, start, end, calendars, rooms)


def _signal(found: Mapping[str, CalendarReading | Failure]) -> Good | Failure:
    """A calendar that alone fails is its own matter, also the only one where the service refuses just this calendar;
    where none could be read for another reason, the account is not well."""
    failures = [answer for answer in found.values() if isinstance(answer, Failure)]
    if len(failures) < len(found):
        return Good(full=True)
    return next((failure for failure in failures if not _of_calendar_alone(failure)), Good(full=True))


def _of_calendar_alone(failure: Failure) -> bool:
    return failure.kind in (FailureClass.NOT_FOUND, FailureClass.BAD_REQUEST) and not failure.alert


def held_after(calendar: Calendar, answer: CalendarReading) -> list[EventSpan] | None:
    """What is known of a calendar's events after a reading; None if the reading went on from a state that is not
    the kept one any more, because somebody else read it meanwhile (theirs stands)."""
    changes = answer.changes
    events = [event for event in changes.events if not passed_over(event, calendar)]
    told = [EventSpan(mark(event.event_id), *span(event.start, event.end), event.own_key) for event in events]
    if changes.full:
        return told
    if not hasattr(calendar, "busy") or calendar.busy.sync_token != answer.begun.token:
        return None
    gone = changes.gone.union(event.event_id for event in changes.events if passed_over(event, calendar))
    return replaced(unpacked(bytes(calendar.busy.events)), told, map(mark, gone))


def passed_over(event: BusyEvent, calendar: Calendar) -> bool:
    """Whether the event takes no time because the member says so of what is not sure yet. Never one of ours."""
    return event.tentative and not event.own_key and calendar.connection.tentative_free


def _wanted(credential: Credential | None, now: datetime, *, rarely: bool) -> dict[str, list[Calendar]]:
    """The calendars to be read, by the service's id: those that somebody checks or receives bookings in. Each as
    the rows of all who are linked to the account, with what is known of their busy times."""
    if credential is None:
        return {}
    rows = Calendar.objects.filter(connection__credential=credential)
    used = rows.filter(Q(checked=True) | Q(receiving_members__isnull=False))
    # Twice the interval, so that a check that comes a little late misses no probe.
    within = 2 * (credential.check_every or timedelta())
    wanted: dict[str, list[Calendar]] = {
        name: []
        for name, missing in used.order_by("external_id").values_list("external_id", "missing_since")
        if not (rarely and missing) or probe_due(missing, now=now, within=within)
    }
    for calendar in rows.filter(external_id__in=wanted).select_related("busy", "connection").order_by("pk"):
        wanted[calendar.external_id].append(calendar)
    return wanted


def _begun(rows: list[Calendar], afresh: Begun, now: datetime, horizon: timedelta, *, anew: bool) -> Begun:
    """Where a calendar is read on from: its token, if all rows of it stand at the same one."""
    known = [row.busy if hasattr(row, "busy") else None for row in rows]
    first = known[0]
    states = {each and (each.sync_token, each.covered_start, each.covered_end) for each in known}
    if anew or first is None or len(states) > 1:
        return afresh
    if first.full_at <= epoch(now - FULL_EVERY) or first.covered_end < epoch(now + horizon):
        return afresh
    return Begun(first.sync_token, moment(first.covered_start), moment(first.covered_end))


def _horizon(credential: Credential | None, now: datetime) -> timedelta:
    """As far ahead as any page that uses the account offers times, within the limits above."""
    if credential is None:
        return LEAST_HORIZON
    members = Connection.objects.filter(credential=credential).values("member")
    pages = BookingPage.objects.filter(
        Q(page_members__member__in=members)
        | Q(groups__members__in=members)
        | Q(groups__rooms__workspace__members__in=members, groups__rooms__service=credential.service)
    )
    return max((horizon_of(page, now) for page in pages.filter(archived_at=None).distinct()), default=LEAST_HORIZON)


def horizon_of(page: BookingPage, now: datetime) -> timedelta:
    """How far ahead from `now` a page needs busy times: to the end of its period, within the limits above."""
    if page.period_days is None and page.period_last is None:
        return LONGEST_HORIZON
    days = max(page.period_days or 0, (page.period_last - now.date()).days + 1 if page.period_last else 0)
    return min(max(timedelta(days=days), LEAST_HORIZON), LONGEST_HORIZON)


def _rooms(credential: Credential | None, service: Service) -> dict[int, str]:
    """The rooms of pages that this account reads, id to address: those added through it, and those of its
    workspaces whose own account cannot read them now."""
    if credential is None:
        return {}
    rooms = Room.objects.filter(page_groups__page__archived_at=None, page_groups__isnull=False, service=service)
    well = Q(connection__isnull=False, missing_since=None, unreadable_since=None)
    well &= ~Q(connection__credential__standing=Standing.ERROR)
    mine = Q(connection__credential=credential)
    theirs = Q(workspace__members__connections__credential=credential) & ~well
    return dict(rooms.filter(mine | theirs).values_list("pk", "address").distinct())


def _look_at(
    provider: object, rooms: Mapping[int, str], start: datetime, end: datetime
) -> Mapping[int, tuple[BusyEvent, ...] | Failure]:
    """The busy times of these rooms. Whatever fails here is about the rooms: the calendars were just read."""
    if not rooms or not isinstance(provider, RoomProvider):
        return {}
    addresses = sorted(set(rooms.values()))
    try:
        found = provider.rooms_busy(addresses, start, end)
    except ProviderError as error:
        return dict.fromkeys(rooms, error.failure)
    return {pk: found[address] for pk, address in rooms.items()}
