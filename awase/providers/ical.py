"""iCalendar: busy times out of events, and our own events into it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import recurring_ical_events
from icalendar import Calendar, Event
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from awase.providers.calendars import own_key
from awase.providers.failures import wrong_shape
from awase.providers.protocols import BusyEvent, EventDraft

MOST_TIMES = 5_000
"""Times of one series in one span; more is a mistake or an attack."""

TOO_OFTEN = frozenset({"SECONDLY", "MINUTELY"})
DAY = timedelta(days=1)
ODDITIES = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)  # what bad events raise


def zone_named(name: str) -> ZoneInfo | None:
    """The time zone with this IANA or Windows name, or None if nobody knows it."""
    try:
        return ZoneInfo(WINDOWS_TO_OLSON.get(name, name))
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return None


def parsed(text: str | bytes) -> Calendar:
    """A VCALENDAR. Raises ProviderError X02."""
    try:
        found = Calendar.from_ical(text)
    except (*ODDITIES, IndexError) as error:
        raise wrong_shape("iCalendar text") from error
    if not isinstance(found, Calendar):
        raise wrong_shape("VCALENDAR")
    return found


def calendar_zone(text: str) -> ZoneInfo | None:
    """The zone that a calendar-timezone property names, as IANA, or None."""
    if not text:
        return None
    names = (str(zone.get("TZID", "")) for zone in parsed(text).walk("VTIMEZONE"))
    return next((zone for zone in map(zone_named, names) if zone is not None), None)


def busy_events(
    text: str, event_id: str, start: datetime, end: datetime, *, zone: Callable[[], tzinfo], own: Collection[str]
) -> Iterator[BusyEvent]:
    """The busy times of one calendar resource that touch [start, end), as aware UTC. Raises ProviderError.

    `zone` gives the calendar's, for floating times and whole days; `own` are the person's addresses in lower
    case, by which a declined invitation is known.
    """
    calendar = parsed(text)
    if any(TOO_OFTEN & _frequencies(event) for event in calendar.events):
        raise wrong_shape("recurrence")
    try:
        # A day more on each side: whole days and floating times move with the zone.
        for count, event in enumerate(recurring_ical_events.of(calendar).after(start - DAY)):
            first, last = _span(event, zone)
            if first >= end + DAY:
                return
            if count > MOST_TIMES:
                raise wrong_shape("recurrence")
            if first < end and last > start and first < last and _counts(event, own):
                yield BusyEvent(
                    event_id=event_id,
                    start=first,
                    end=last,
                    own_key=own_key(str(event.get("UID", ""))),
                    tentative=str(event.get("STATUS", "")).upper() == "TENTATIVE"
                    or _own_answer(event, own) == "TENTATIVE",
                )
    except ODDITIES as error:
        raise wrong_shape("event") from error


def event_times(text: str, key: str, zone: Callable[[], tzinfo]) -> tuple[datetime, datetime] | None:
    """Start and end, aware UTC, of the event with this UID; None if it is cancelled. `zone` as in `busy_events`.
    Raises ProviderError X02, also where there is no such event."""
    for event in parsed(text).events:
        if str(event.get("UID", "")) == key:
            try:
                return None if str(event.get("STATUS", "")).upper() == "CANCELLED" else _span(event, zone)
            except ODDITIES as error:
                raise wrong_shape("event") from error
    raise wrong_shape("UID")


def event_text(draft: EventDraft, stamp: datetime) -> str:
    """A new event with the draft's key as UID. `stamp` is the moment of writing, aware UTC."""
    calendar = Calendar()
    calendar.add("prodid", "-//Awase//EN")
    calendar.add("version", "2.0")
    event = Event()
    event.add("uid", draft.key)
    _fill(event, draft, stamp)
    calendar.add_component(event)
    return _written(calendar)


def changed_text(text: str, draft: EventDraft, stamp: datetime) -> str | None:
    """The event brought to the draft's state with all that people added to it, or None if it is not ours."""
    calendar = parsed(text)
    for event in calendar.events:
        if str(event.get("UID", "")) == draft.key:
            sequence = int(str(event.get("SEQUENCE", 0))) + 1
            for name in ("DTSTART", "DTEND", "DURATION", "DTSTAMP", "LAST-MODIFIED", "SUMMARY"):
                event.pop(name, None)
            for name in ("DESCRIPTION", "LOCATION", "STATUS", "SEQUENCE"):
                event.pop(name, None)
            event.add("sequence", sequence)
            _fill(event, draft, stamp)
            return _written(calendar)
    return None


def _frequencies(event: Event) -> set[str]:
    rules: Any = event.get("RRULE", [])
    return {
        str(name).upper() for rule in (rules if isinstance(rules, list) else [rules]) for name in rule.get("FREQ", [])
    }


def _fill(event: Event, draft: EventDraft, stamp: datetime) -> None:
    event.add("dtstamp", stamp)
    event.add("last-modified", stamp)
    event.add("dtstart", draft.start.astimezone(UTC))
    event.add("dtend", draft.end.astimezone(UTC))
    event.add("summary", draft.title)
    event.add("status", "CONFIRMED")
    if draft.description:
        event.add("description", draft.description)
    if draft.location:
        event.add("location", draft.location)


def _written(calendar: Calendar) -> str:
    return bytes(calendar.to_ical()).decode()


def _counts(event: Event, own: Collection[str]) -> bool:
    """The busy rule of `providers.md` section 6."""
    return (
        str(event.get("STATUS", "")).upper() != "CANCELLED"
        and str(event.get("TRANSP", "")).upper() != "TRANSPARENT"
        and _own_answer(event, own) != "DECLINED"
    )


def _own_answer(event: Event, own: Collection[str]) -> str:
    guests: Any = event.get("ATTENDEE", [])
    for guest in guests if isinstance(guests, list) else [guests]:
        if str(guest).lower().removeprefix("mailto:") in own:
            return str(guest.params.get("PARTSTAT", "")).upper()
    return ""


def _span(event: Event, zone: Callable[[], tzinfo]) -> tuple[datetime, datetime]:
    return _moment(event.start, zone), _moment(event.end, zone)


def _moment(value: date | datetime, zone: Callable[[], tzinfo]) -> datetime:
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return (value if value.tzinfo else value.replace(tzinfo=zone())).astimezone(UTC)
