"""Checking an account: what `reading` found is kept, and the signal that follows recorded. The periodic check,
"check now" and the verification of a fresh grant all come here."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from awase.domain.errors import Capability, Failure, FailureClass, Reason
from awase.domain.event_spans import mark, packed
from awase.domain.health import Service, Standing
from awase.domain.intervals import BusyTimes, Span, epoch, moment, span, without
from awase.domain.transition import needs_person
from awase.models import (
    BookingPage,
    Calendar,
    CalendarBusy,
    CalendarEvent,
    Connection,
    Credential,
    Room,
    RoomBusy,
    RoomTime,
)
from awase.models.bulk import change_all
from awase.providers.protocols import RemoteCalendar
from awase.services import drift
from awase.services.health import recorded_state
from awase.services.reading import CalendarReading, Reading, held_after, horizon_of, read
from awase.services.signals import Cause, Good, record
from awase.services.tokens import asked_to_wait, source

__all__ = [
    "Reading",
    "any_due",
    "before_use",
    "check",
    "check_all_at_start",
    "claim_due",
    "keep",
    "reach",
    "read",
    "still_there",
]

PROBED_RARELY = Q(standing=Standing.ERROR) & ~Q(reason__in=[Reason.UNREACHABLE, Reason.OPERATOR])
GOLDEN = 0.6180339887  # parts of this, counted up, lie evenly in an interval however many there are
MOST_READ_FIRST = 5  # accounts that somebody who edits a page waits for
READ_ON = {Cause.CHECK, Cause.PUSH, Cause.EDIT}  # who asks for anything else gets everything read afresh


def check(
    credential_id: int, cause: Cause, now: datetime, listed: Iterable[RemoteCalendar] | None = None
) -> Good | Failure:
    """Read the account and take in what was found, and which calendars it lists where that was asked. The network is
    asked outside any transaction; not at all while the service wants to be left alone, except by a person who has
    seen to an error."""
    credential = Credential.objects.get(pk=credential_id)
    waiting = asked_to_wait(credential, now)
    if waiting and not (cause.by_hand and needs_person(recorded_state(credential))):
        later = Credential.objects.filter(pk=credential_id, next_check__lt=waiting.retry_at)
        later.update(next_check=waiting.retry_at)
        return waiting
    access = source(credential)
    reading = read(
        Service(credential.service),
        credential,
        access,
        now,
        anew=cause not in READ_ON,
        rarely=cause is Cause.CHECK,
    )
    drifted = drift.look(credential, reading, access, now)
    with transaction.atomic():
        changed = keep(credential, reading)
        for link in credential.connections.all() if listed is not None else ():
            changed |= keep_listed(link, listed or ())
        record(credential_id, reading.signal, cause, now, calendars_changed=changed)
    for found in drift.take(drifted, now):
        drift.follow(found, now)
    return reading.signal


def keep_listed(connection: Connection, listed: Iterable[RemoteCalendar]) -> bool:
    """Bring the rows in line with what the service lists. Ticks stay; a calendar in use that is no longer listed is
    missing, any other is dropped. True if events in one of them may carry a Meet link now, or may no longer."""
    known = {calendar.external_id: calendar for calendar in connection.calendars.all()}
    turned = False
    for remote in listed:
        calendar = known.pop(remote.id, None) or Calendar(connection=connection, external_id=remote.id)
        allowed = Capability.MEET in remote.conferences
        turned |= calendar.meet_allowed != allowed
        calendar.name = remote.name[:300]
        calendar.time_zone = remote.time_zone
        calendar.writable = remote.writable
        calendar.primary = remote.primary
        calendar.meet_allowed = allowed
        calendar.save()
    for gone in known.values():
        if not gone.checked and not gone.receiving_members.exists():
            gone.delete()
    return turned


def keep(credential: Credential, reading: Reading) -> bool:
    """Store the busy times just read, and each calendar's and room's own trouble; True if one is or was in trouble.

    Our own events do not count as busy (they count from our rows); of the others nothing but start, end and a
    mark of their id is kept."""
    troubled = False
    connections = list(Connection.objects.filter(credential=credential))
    own = _own_events([connection.member_id for connection in connections], reading.start)
    member_of = {connection.pk: connection.member_id for connection in connections}
    for calendar in Calendar.objects.filter(connection__in=connections).select_related("busy", "connection"):
        answer = reading.calendars.get(calendar.external_id)
        if isinstance(answer, Failure):
            _mark_unread(calendar, answer, reading.read_at)
            troubled = True
        elif answer is not None and _keep_calendar(
            calendar, answer, own[member_of[calendar.connection_id]], reading.read_at
        ):
            troubled |= _clear(calendar)
    return _keep_rooms(reading) or troubled


def _own_events(member_ids: Iterable[int], since: datetime) -> Mapping[int, tuple[set[str], set[bytes]]]:
    """By member, what our own events are known by: the keys that we chose, and the ids that the services gave."""
    found: dict[int, tuple[set[str], set[bytes]]] = defaultdict(lambda: (set(), set()))
    rows = CalendarEvent.objects.filter(member__in=member_ids, booking__end__gte=since)
    for member_id, key, external_id in rows.values_list("member", "key", "external_id"):
        keys, marks = found[member_id]
        keys.add(key)
        if external_id:
            marks.add(mark(external_id))
    return found


def _keep_calendar(
    calendar: Calendar, answer: CalendarReading, own: tuple[set[str], set[bytes]], read_at: datetime
) -> bool:
    """True if this reading is now what is known of the calendar."""
    held = held_after(calendar, answer)
    if held is None:
        return False
    keys, marks = own
    foreign = ((each.start, each.end) for each in held if each.key not in keys and each.mark not in marks)
    kept = _fields(foreign, answer.begun.start, answer.begun.end, read_at)
    kept |= {"events": packed(held), "sync_token": answer.changes.token}
    if answer.changes.full:
        kept["full_at"] = epoch(read_at)
    CalendarBusy.objects.update_or_create(calendar=calendar, defaults=kept)
    return True


def _fields(spans: Iterable[Span], start: datetime, end: datetime, read_at: datetime) -> dict[str, Any]:
    """Busy times known for [start, end), as rows keep them."""
    busy = BusyTimes.of(
        ((moment(begins), moment(ends)) for begins, ends in spans), covered=(start, end), read_at=read_at
    )
    return {
        "spans": busy.spans,
        "covered_start": busy.covered_start,
        "covered_end": busy.covered_end,
        "read_at": busy.read_at,
    }


def _keep_rooms(reading: Reading) -> bool:
    """As for calendars. A room is in trouble only where no account could read it for the tolerance; services do
    not tell whose its times are, so ours are cut out."""
    troubled = False
    ours: dict[int, list[Span]] = defaultdict(list)
    rows = RoomTime.objects.filter(room__in=reading.rooms, active=True, booking__end__gt=reading.start)
    for room_id, start, end in rows.values_list("room", "booking__start", "booking__end"):
        ours[room_id].append(span(start, end))
    for room in Room.objects.filter(pk__in=reading.rooms).select_related("busy"):
        answer = reading.rooms[room.pk]
        if isinstance(answer, Failure):
            if not hasattr(room, "busy") or room.busy.read_at < epoch(reading.read_at - settings.AWASE_TOLERANCE):
                _mark_unread(room, answer, reading.read_at)
                troubled = True
            continue
        foreign = without((span(event.start, event.end) for event in answer), ours[room.pk])
        kept = _fields(foreign, reading.start, reading.end, reading.read_at)
        RoomBusy.objects.update_or_create(room=room, defaults=kept)
        troubled |= _clear(room)
    return troubled


def _mark_unread(read: Calendar | Room, failure: Failure, now: datetime) -> None:
    if failure.kind is FailureClass.NOT_FOUND:
        read.missing_since = read.missing_since or now
    else:
        read.unreadable_since = read.unreadable_since or now
    read.save(update_fields=["missing_since", "unreadable_since"])


def _clear(read: Calendar | Room) -> bool:
    """Readable again; True if it was not."""
    if read.missing_since is None and read.unreadable_since is None:
        return False
    read.missing_since = read.unreadable_since = None
    read.save(update_fields=["missing_since", "unreadable_since"])
    return True


def any_due(now: datetime) -> bool:
    """Whether any account's check waits to be claimed."""
    return Credential.objects.filter(next_check__lte=now, check_every__isnull=False).exists()


def claim_due(now: datetime, most: int, service: Service | None = None) -> list[int]:
    """The ids of accounts (of this service) whose check is due, each claimed for this worker by moving its next
    check on: an account whose worker dies has merely skipped one turn."""
    due = Credential.objects.filter(next_check__lte=now, check_every__isnull=False)
    if service is not None:
        due = due.filter(service=service)
    if not due.exists():
        return []  # SQLite has one writer: nobody waits for it over nothing
    with transaction.atomic():
        unclaimed = due.order_by("next_check").select_for_update(skip_locked=True, no_key=True)
        claimed = list(unclaimed.values_list("pk", "check_every")[:most])
        change_all(Credential, ["next_check"], ((pk, _turn_after(now, pk, every)) for pk, every in claimed if every))
    return [pk for pk, _ in claimed]


def _turn_after(now: datetime, credential_id: int, every: timedelta) -> datetime:
    """When an account's next check is due: each has moments of its own, one in each interval, so that accounts which
    something brought together (a start, a pause of the worker) are spread evenly after one turn. That turn may be a
    short one, but never longer than the interval and a tenth."""
    soonest = now + every / 10
    own = every * (credential_id * GOLDEN % 1)
    return soonest + (datetime.min.replace(tzinfo=UTC) + own - soonest) % every


def reach(page: BookingPage, now: datetime) -> None:
    """A page was saved: accounts whose busy times, or those of its rooms, are not known as far ahead as it offers
    times are read at once. Rooms that no page had for a while are unknown until then."""
    forget_old(RoomBusy.objects.filter(room__page_groups__page=page), now)
    end = epoch(now + horizon_of(page, now))
    members = page.page_members.values("member")
    calendars = Calendar.objects.filter(connection__member__in=members, busy__covered_end__lt=end)
    rooms = Room.objects.filter(Q(busy=None) | Q(busy__covered_end__lt=end), page_groups__page=page)
    Credential.objects.filter(
        Q(connections__in=calendars.values("connection")) | Q(connections__in=rooms.values("connection")),
        check_every__isnull=False,
        next_check__gt=now,
    ).update(next_check=now)


def forget_old(kept: QuerySet[CalendarBusy] | QuerySet[RoomBusy], now: datetime) -> None:
    """Busy times that come into use again are unknown until they are read, unless they are young."""
    kept.filter(read_at__lte=epoch(now - settings.AWASE_TOLERANCE)).delete()


def before_use(member_ids: Iterable[int], now: datetime) -> None:
    """A page that takes bookings is about to use these members' accounts: those that were read rarely or never are
    read first, so that the page does not stop over old times, nor offers them. Asks the network, so never within a
    transaction; where there are many, the others follow at once in the background."""
    rarely = Q(check_every=None) | Q(check_every__gt=settings.AWASE_CHECK_INTERVAL)
    old = Q(last_good=None) | Q(last_good__lte=now - settings.AWASE_TOLERANCE)
    accounts = Credential.objects.filter(rarely & old, connections__member__in=list(member_ids))
    for credential_id in accounts.exclude(PROBED_RARELY).values_list("pk", flat=True).distinct()[:MOST_READ_FIRST]:
        check(credential_id, Cause.EDIT, now)


def check_all_at_start(now: datetime) -> None:
    """Starting up reads at once: what was read before a pause is old."""
    waiting = Credential.objects.filter(check_every__isnull=False, next_check__gt=now)
    waiting.exclude(PROBED_RARELY).exclude(last_checked__gt=now - timedelta(minutes=1)).update(next_check=now)


def still_there(credential_id: int) -> bool:
    """Whether the account is still connected."""
    return Credential.objects.filter(pk=credential_id).exists()
