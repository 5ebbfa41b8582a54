"""Events of ours that somebody deleted or moved by hand in a calendar.

A check notices them: an event that should stand as we wrote it is not where it was, and a look at this one event says
why. Only what the service calls gone or cancelled is a deletion; an event that cannot be read proves nothing. What was
found is written into the booking's history and shown, and then the event is written again, or the booking follows, as
the page says.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from awase import registry
from awase.domain.errors import Failure, ProviderError
from awase.domain.event_spans import EventSpan, mark
from awase.domain.health import Service
from awase.domain.intervals import epoch
from awase.models import (
    Booking,
    BookingChange,
    BookingState,
    Calendar,
    CalendarEvent,
    Credential,
    Effect,
    EffectKind,
    EffectState,
    HostTime,
)
from awase.models.page import Drift
from awase.services import booking as bookings
from awase.services import moving, outbox
from awase.services.reading import Reading, held_after
from awase.services.refusals import Refused

logger = logging.getLogger(__name__)

MOST_LOOKS = 10  # events looked at one by one in one check
MOST_REPAIRS = 3  # a booking's events are written again so often; then somebody must look who keeps changing them


@dataclass(frozen=True, slots=True)
class Found:
    """What became of an event: where it is now, None if it was deleted; and the booking's state that it was
    compared with."""

    event: CalendarEvent
    times: tuple[datetime, datetime] | None

    @property
    def as_written(self) -> bool:
        return self.times == (self.event.booking.start, self.event.booking.end)


def look(credential: Credential, reading: Reading, access: registry.Access, now: datetime) -> list[Found]:
    """Look at our events that a reading did not show where they should be, and at those known to have drifted. Asks
    the network; what cannot be read is left out, as if nothing had been noticed."""
    suspects = list(_suspects(credential, reading, now))
    if not suspects:
        return []
    found = []
    provider = registry.calendars(Service(credential.service), access)
    first = int(now.timestamp()) % len(suspects)  # where there are many, others have their turn the next time
    for event in (suspects[first:] + suspects[:first])[:MOST_LOOKS]:
        assert event.calendar is not None
        try:
            times = provider.event_times(event.calendar.external_id, event.key, event.external_id)
        except ProviderError as error:
            logger.info("an event could not be looked at: %s", error.failure.symptom)
            continue
        found.append(Found(event, times))
    return found


def _suspects(credential: Credential, reading: Reading, now: datetime) -> Iterable[CalendarEvent]:
    """The settled events that the reading shows elsewhere or not at all, and those of bookings with a drift."""
    read = {name: answer for name, answer in reading.calendars.items() if not isinstance(answer, Failure)}
    events: dict[int, list[CalendarEvent]] = defaultdict(list)
    for event in _settled(now).filter(calendar__connection__credential=credential, calendar__external_id__in=read):
        assert event.calendar is not None
        events[event.calendar.pk].append(event)
    for calendar in Calendar.objects.filter(pk__in=events).select_related("busy", "connection"):
        answer = read[calendar.external_id]
        held = held_after(calendar, answer)
        if held is None:
            continue
        shown = _shown(held)
        for event in events[calendar.pk]:
            booking = event.booking
            if booking.end > answer.begun.end:
                continue  # beyond what was read
            there = shown[event.key] or shown[mark(event.external_id)]
            if booking.drift or there != {(epoch(booking.start), epoch(booking.end))}:
                yield event


def _settled(now: datetime) -> QuerySet[CalendarEvent]:
    """Our events of coming bookings that have been written as they should be, with nothing under way."""
    own = {"booking": OuterRef("booking"), "member": OuterRef("member")}
    work = Effect.objects.filter(kind=EffectKind.EVENT, **own)
    return CalendarEvent.objects.filter(
        Exists(work),
        ~Exists(work.exclude(state=EffectState.DONE)),
        Exists(HostTime.objects.filter(active=True, **own)) | Q(booking__location_member=F("member")),
        booking__state=BookingState.CONFIRMED,
        booking__start__gt=now,
        written_sequence=F("booking__sequence"),
    ).select_related("booking__page", "calendar", "member__user")


def _shown(held: Iterable[EventSpan]) -> dict[str | bytes, set[tuple[int, int]]]:
    """Where the reading shows each event, by key and by mark."""
    shown: dict[str | bytes, set[tuple[int, int]]] = defaultdict(set)
    for each in held:
        shown[each.mark].add((each.start, each.end))
        if each.key:
            shown[each.key].add((each.start, each.end))
    return shown


def take(findings: Iterable[Found], now: datetime) -> list[Found]:
    """Write down what was found and ask for repairs; returns what is to be followed (`follow`). A booking that changed
    since the look is left to the next check."""
    to_follow = []
    for found in findings:
        with transaction.atomic():
            if _take(found, now):
                to_follow.append(found)
    return to_follow


def _take(found: Found, now: datetime) -> bool:
    """True if the booking is to follow."""
    written = found.event.booking
    carrier = Booking.objects.select_for_update(of=("self",), no_key=True).get(pk=written.pk)
    event = _settled(now).filter(pk=found.event.pk).first()
    if event is None or carrier.sequence != written.sequence:
        return False
    if found.as_written:
        _settle(carrier, event, now)
        return False
    if not _note(carrier, event, found.times, now):
        return False
    if carrier.page.drift == Drift.FOLLOW:
        return True
    _write_again(event, now)
    return False


def _note(carrier: Booking, event: CalendarEvent, times: tuple[datetime, datetime] | None, now: datetime) -> bool:
    """Write a drift down; False if it is known already, or came back too often to be put right by us."""
    what = "deleted" if times is None else "moved"
    detail = event.member.name
    if times is not None:
        detail += f": {carrier.start:%Y-%m-%d %H:%M}Z → {times[0]:%Y-%m-%d %H:%M}Z"
    before = BookingChange.objects.filter(booking=carrier, what__in=["event_deleted", "event_moved"])
    last = before.order_by("at", "pk").last()
    known = carrier.drift == what and last is not None and (last.what, last.detail) == (f"event_{what}", detail)
    if known or before.count() >= MOST_REPAIRS:
        _all_of(carrier).update(drift=what)
        return False
    _all_of(carrier).update(drift=what)
    for one in _all_of(carrier):
        outbox.note(one, f"event_{what}", now, detail=detail)
    return True


def _settle(carrier: Booking, event: CalendarEvent, now: datetime) -> None:
    """The event stands as written: the drift is over, if it was this member's."""
    last = BookingChange.objects.filter(booking=carrier, what__in=["event_deleted", "event_moved"]).last()
    if carrier.drift and last is not None and last.detail.startswith(event.member.name):
        _all_of(carrier).update(drift="")
        for one in _all_of(carrier):
            outbox.note(one, "event_right_again", now, detail=event.member.name)


def _all_of(carrier: Booking) -> QuerySet[Booking]:
    """The booking that carries the event, and the guests' own ones where it is a session."""
    return Booking.objects.filter(Q(pk=carrier.pk) | Q(session=carrier))


def _write_again(event: CalendarEvent, now: datetime) -> None:
    Effect.objects.filter(kind=EffectKind.EVENT, booking=event.booking_id, member=event.member_id).update(
        state=EffectState.PENDING, wanted=F("wanted") + 1, next_at=now, attempts=0
    )


def follow(found: Found, now: datetime) -> None:
    """Let the booking follow its event, in the name of the member in whose calendar it is; where the page's own rules
    do not allow that, the drift stays shown."""
    booking, member = found.event.booking, found.event.member
    try:
        if found.times is None:
            bookings.cancel(booking, now, by=member)
        else:
            start, end = found.times
            moving.move(booking, start, now, by=member, minutes=(end - start) // timedelta(minutes=1))
            _all_of(booking).update(drift="")
    except (Refused, PermissionDenied) as refused:
        logger.info("a booking could not follow its event: %s", refused)
