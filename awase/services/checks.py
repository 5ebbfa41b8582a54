"""Reading an account: the busy times of every calendar in use, kept as they are read, and the signal
that follows. The periodic check, "check now" and the verification of a fresh grant all come here."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from awase import registry
from awase.domain.availability import BusyTimes
from awase.domain.errors import Failure, FailureClass, ProviderError, Reason
from awase.domain.health import Service, Standing
from awase.domain.transition import probe_due
from awase.models import BookingPage, Calendar, CalendarBusy, CalendarEvent, Connection, Credential
from awase.providers.protocols import BusyEvent
from awase.services.signals import Cause, Good, record
from awase.services.tokens import source

MEETING_SERVICES = {Service.ZOOM, Service.TEAMS}
LEAST_HORIZON = timedelta(days=31)
LONGEST_HORIZON = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look at an account found. `calendars` by the service's calendar id; empty for a meeting account."""

    signal: Good | Failure
    start: datetime
    end: datetime
    read_at: datetime
    calendars: Mapping[str, tuple[BusyEvent, ...] | Failure]


def check(credential_id: int, cause: Cause, now: datetime) -> Good | Failure:
    """Read the account and take in what was found. The network is asked outside any transaction."""
    credential = Credential.objects.get(pk=credential_id)
    rarely = cause is Cause.CHECK
    reading = read(Service(credential.service), credential, source(credential), now, rarely=rarely)
    with transaction.atomic():
        troubled = keep(credential, reading)
        record(credential_id, reading.signal, cause, now, calendars_changed=troubled)
    return reading.signal


def read(
    service: Service, credential: Credential | None, access: registry.Access, now: datetime, *, rarely: bool = False
) -> Reading:
    """Look at an account without writing anything. `rarely`: missing calendars only when their probe is due."""
    start = (now - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    end = start + _horizon(credential, start)
    wanted = _calendar_ids(credential, now, rarely=rarely)
    try:
        if service in MEETING_SERVICES:
            registry.conferences(service, access).check()
            return Reading(Good(full=True), start, end, now, {})
        provider = registry.calendars(service, access)
        if not wanted:
            provider.check()
            return Reading(Good(full=True), start, end, now, {})
        found = provider.busy(wanted, start, end)
    except ProviderError as error:
        return Reading(error.failure, start, end, now, {})
    return Reading(_signal(found), start, end, now, found)


def _signal(found: Mapping[str, tuple[BusyEvent, ...] | Failure]) -> Good | Failure:
    """A calendar that alone fails is its own matter; where none could be read, the account is not well."""
    failures = [answer for answer in found.values() if isinstance(answer, Failure)]
    transient = [failure for failure in failures if failure.kind is not FailureClass.NOT_FOUND]
    if transient and len(failures) == len(found):
        return transient[0]
    return Good(full=True)


def _calendar_ids(credential: Credential | None, now: datetime, *, rarely: bool) -> list[str]:
    if credential is None:
        return []
    rows = Calendar.objects.filter(connection__credential=credential)
    in_use = rows.filter(checked=True) | rows.filter(receiving_members__isnull=False)
    # Twice the interval, so that a check that comes a little late misses no probe.
    within = 2 * (credential.check_every or timedelta())
    return sorted(
        {
            name
            for name, missing in in_use.values_list("external_id", "missing_since")
            if not (rarely and missing) or probe_due(missing, now=now, within=within)
        }
    )


def _horizon(credential: Credential | None, start: datetime) -> timedelta:
    """As far ahead as any page that uses the account offers times, and two days for zones and yesterday."""
    pages = BookingPage.objects.filter(page_members__member__connections__credential=credential)
    ends = [
        LONGEST_HORIZON if days is None and last is None else max(timedelta(days=days or 0), _until(last, start))
        for days, last in pages.values_list("period_days", "period_last").distinct()
    ]
    return min(max([LEAST_HORIZON, *ends]), LONGEST_HORIZON) + timedelta(days=3)


def _until(last: date | None, start: datetime) -> timedelta:
    return last - start.date() if last else timedelta()


def keep(credential: Credential, reading: Reading) -> bool:
    """Store the busy times just read, and each calendar's own trouble; True if a calendar is or was in trouble.

    Our own events are left out by their keys (they count from our rows); nothing but start and end of the
    others is kept."""
    troubled = False
    connections = list(Connection.objects.filter(credential=credential))
    own_keys: dict[int, set[str]] = defaultdict(set)
    for member_id, key in CalendarEvent.objects.filter(
        member__in=[connection.member_id for connection in connections], booking__end__gte=reading.start
    ).values_list("member_id", "key"):
        own_keys[member_id].add(key)
    member_of = {connection.pk: connection.member_id for connection in connections}
    for calendar in Calendar.objects.filter(connection__in=connections):
        answer = reading.calendars.get(calendar.external_id)
        if answer is None:
            continue
        if isinstance(answer, Failure):
            _mark_unread(calendar, answer, reading.read_at)
            troubled = True
            continue
        mine = own_keys[member_of[calendar.connection_id]]
        busy = BusyTimes.of(
            ((event.start, event.end) for event in answer if event.own_key not in mine),
            covered=(reading.start, reading.end),
            read_at=reading.read_at,
        )
        CalendarBusy.objects.update_or_create(
            calendar=calendar,
            defaults={
                "spans": busy.spans,
                "covered_start": busy.covered_start,
                "covered_end": busy.covered_end,
                "read_at": busy.read_at,
            },
        )
        if calendar.missing_since or calendar.unreadable_since:
            calendar.missing_since = calendar.unreadable_since = None
            calendar.save(update_fields=["missing_since", "unreadable_since"])
            troubled = True
    return troubled


def _mark_unread(calendar: Calendar, failure: Failure, now: datetime) -> None:
    if failure.kind is FailureClass.NOT_FOUND:
        calendar.missing_since = calendar.missing_since or now
    else:
        calendar.unreadable_since = calendar.unreadable_since or now
    calendar.save(update_fields=["missing_since", "unreadable_since"])


def claim_due(now: datetime, most: int) -> list[int]:
    """The ids of accounts whose check is due, each claimed for this worker by moving its next check on.

    The moment is moved by the interval with a jitter fixed per account, so that a day's checks stay spread;
    a worker that dies has merely skipped one turn.
    """
    due = Credential.objects.filter(next_check__lte=now, check_every__isnull=False).order_by("next_check")[:most]
    claimed = []
    for credential in due:
        assert credential.check_every is not None
        jitter = 0.9 + 0.2 * ((credential.pk * 0.6180339887) % 1)
        moved = Credential.objects.filter(pk=credential.pk, next_check=credential.next_check).update(
            next_check=now + credential.check_every * jitter
        )
        if moved:
            claimed.append(credential.pk)
    return claimed


def check_all_at_start(now: datetime) -> None:
    """Starting up reads at once: what was read before a pause is old."""
    waiting = Credential.objects.filter(check_every__isnull=False, next_check__gt=now)
    probed_rarely = Q(standing=Standing.ERROR) & ~Q(reason__in=[Reason.UNREACHABLE, Reason.OPERATOR])
    waiting.exclude(probed_rarely).exclude(last_checked__gt=now - timedelta(minutes=1)).update(next_check=now)


def still_there(credential_id: int) -> bool:
    """Whether the account is still connected."""
    return Credential.objects.filter(pk=credential_id).exists()
