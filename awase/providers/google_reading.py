"""Reading one account's Google calendars: lists, busy times, changes, rooms (`providers.md` section 2).

Busy times come from `events.list`, not from free/busy, because only there events have ids by which our
own are told from others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from awase.domain.errors import Capability, Failure, FailureClass, FailureScope, ProviderError, Reason
from awase.providers.calendars import MAX_PAGES, changed, own_key, parts, read_each, since_or_whole
from awase.providers.failures import Marks, wrong_shape
from awase.providers.http import BearerWire
from awase.providers.protocols import BusyEvent, Changes, RemoteCalendar, RemoteRoom
from awase.providers.shape import Document, document, mapping, mappings, moment, optional_text, text

BUSY_TYPES = ("default", "focusTime", "fromGmail", "outOfOffice")  # neither birthdays nor working places
EVENT_FIELDS = "id,status,transparency,eventType,start,end,recurringEventId,attendees(self,responseStatus)"
READ = {
    "singleEvents": "true",
    "maxResults": 2500,
    "maxAttendees": 1,  # the person's own answer is all we want to know
    "eventTypes": list(BUSY_TYPES),
    "fields": f"timeZone,nextPageToken,nextSyncToken,items({EVENT_FIELDS})",
}
FREE_BUSY_LONGEST = timedelta(days=60)  # the exact limit is not published
FREE_BUSY_CALENDARS = 50
ROOM = "@resource.calendar.google.com"
DIRECTORY_ROOMS = "/customer/my_customer/resources/calendars"


class GoogleReading:
    """What is read of one account's calendars and rooms."""

    def __init__(self, wire: BearerWire, directory: BearerWire) -> None:
        self._wire = wire
        self._directory = directory

    def check(self) -> None:
        """One short page of the calendar list. Raises ProviderError."""
        params = {"maxResults": 1, "fields": "etag"}
        listed = document(self._wire.call("GET", "/users/me/calendarList", params=params))
        if listed.keys().isdisjoint(("etag", "kind", "items")):
            raise wrong_shape("etag")

    def list_calendars(self) -> Sequence[RemoteCalendar]:
        """All calendars of the account's list, without rooms. Raises ProviderError."""
        return [_calendar(item) for item in self._listed() if not _is_room(item)]

    def list_rooms(self, *, organisation: bool = False) -> Sequence[RemoteRoom]:
        """The rooms that the person has added to the calendar list; or all of the organisation (Admin SDK,
        `resources.calendars.list`), which only administrators may list. Raises ProviderError."""
        if not organisation:
            return [RemoteRoom(text(item, "id"), _name(item)) for item in self._listed() if _is_room(item)]
        pages = self._pages(DIRECTORY_ROOMS, {"maxResults": 500}, wire=self._directory)
        items = (item for page in pages for item in mappings(page, "items"))
        return [_room(item) for item in items if item.get("resourceCategory") != "OTHER"]

    def _listed(self) -> Iterator[Document]:
        for page in self._pages("/users/me/calendarList", {"maxResults": 250}):
            yield from mappings(page, "items", required=True)

    def busy(
        self, calendar_ids: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyEvent, ...] | Failure]:
        """Busy events that touch [start, end), uncut; see `CalendarProvider.busy`."""
        return read_each(calendar_ids, lambda calendar_id: self._busy_of(calendar_id, start, end))

    def _busy_of(self, calendar_id: str, start: datetime, end: datetime) -> tuple[BusyEvent, ...]:
        return self._whole(calendar_id, start, end).events

    def changes(self, calendar_id: str, token: str, start: datetime, end: datetime) -> Changes:
        """By `syncToken`; see `CalendarProvider.changes`.

        Parts of a series are told one by one, far beyond the window, and after a change of the series not all
        that ended: then everything is read.
        """
        return since_or_whole(
            token,
            lambda: self._since(calendar_id, token, start, end),
            lambda: self._whole(calendar_id, start, end),
        )

    def _since(self, calendar_id: str, token: str, start: datetime, end: datetime) -> Changes | None:
        ids, busy, following = set(), [], ""
        for page in self._events(calendar_id, {"syncToken": token}):
            for item in mappings(page, "items"):
                if "recurringEventId" in item:
                    return None
                ids.add(text(item, "id"))
                if _counts(item):
                    busy.append(_busy_event(item, page))
            following = optional_text(page, "nextSyncToken")
        return changed(busy, ids, following, start, end)

    def _whole(self, calendar_id: str, start: datetime, end: datetime) -> Changes:
        busy, following = [], ""
        for page in self._events(calendar_id, {"timeMin": start.isoformat(), "timeMax": end.isoformat()}):
            busy += [_busy_event(item, page) for item in mappings(page, "items") if _counts(item)]
            following = optional_text(page, "nextSyncToken")
        return Changes(tuple(busy), frozenset(), following, full=True)

    def _events(self, calendar_id: str, params: Mapping[str, Any]) -> Iterator[Document]:
        path = f"{calendar_path(calendar_id)}/events"
        for page in self._pages(path, {**READ, **params}, about=FailureScope.CALENDAR, calendar_id=calendar_id):
            if page.keys().isdisjoint(("items", "timeZone")):
                raise wrong_shape("items")  # an object of another kind is no empty calendar
            yield page

    def event_times(self, calendar_id: str, key: str, event_id: str = "") -> tuple[datetime, datetime] | None:
        """See `CalendarProvider.event_times`."""
        try:
            event = document(self._event_call("GET", calendar_id, event_id or key))
        except ProviderError as error:
            if error.failure.kind is FailureClass.NOT_FOUND:
                return None
            raise
        if event.get("status") == "cancelled":
            return None
        zone: Document = {}
        if "date" in mapping(event, "start"):
            path = f"/users/me/calendarList/{quote(calendar_id, safe='')}"
            zone = document(self._wire.call("GET", path, params={"fields": "timeZone"}))
        return _edge(mapping(event, "start"), zone), _edge(mapping(event, "end"), zone)

    def rooms_busy(
        self, addresses: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyEvent, ...] | Failure]:
        """Free/busy of rooms (or anybody) by address; needs `calendar.freebusy`. See `RoomProvider`."""
        try:
            return self._rooms_busy(addresses, start, end)
        except ProviderError as error:
            if error.failure.reason is not Reason.SCOPE_MISSING:
                raise
            refused = replace(error.failure, scope=FailureScope.CALENDAR)
            return {address: replace(refused, calendar_id=address) for address in addresses}

    def _rooms_busy(
        self, addresses: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyEvent, ...] | Failure]:
        found: dict[str, list[BusyEvent] | Failure] = {address: [] for address in addresses}
        for since, until in parts(start, end, FREE_BUSY_LONGEST):
            for first in range(0, len(addresses), FREE_BUSY_CALENDARS):
                self._free_busy(addresses[first : first + FREE_BUSY_CALENDARS], since, until, found)
        return {address: answer if isinstance(answer, Failure) else tuple(answer) for address, answer in found.items()}

    def _free_busy(
        self,
        addresses: Sequence[str],
        start: datetime,
        end: datetime,
        found: dict[str, list[BusyEvent] | Failure],
    ) -> None:
        question = {
            "timeMin": start.isoformat(),
            "timeMax": end.isoformat(),
            "timeZone": "UTC",
            "items": [{"id": address} for address in addresses],
        }
        calendars = mapping(document(self._wire.call("POST", "/freeBusy", json=question)), "calendars")
        for address in addresses:
            entry = mapping(calendars, address)
            known = found[address]
            if isinstance(known, Failure):
                continue
            if (errors := mappings(entry, "errors")) or "busy" not in entry:
                reasons = frozenset(optional_text(error, "reason").lower() for error in errors)
                found[address] = self._wire.table.in_reply(
                    Marks(reasons), about=FailureScope.CALENDAR, calendar_id=address
                )
                continue
            known.extend(
                BusyEvent("", moment(text(busy, "start"), "start"), moment(text(busy, "end"), "end"))
                for busy in mappings(entry, "busy")
            )

    def _event_call(self, method: str, calendar_id: str, event_id: str, **arguments: Any) -> Any:
        return self._wire.call(
            method,
            f"{calendar_path(calendar_id)}/events/{quote(event_id, safe='')}",
            about=FailureScope.EVENT,
            calendar_id=calendar_id,
            **arguments,
        )

    def _pages(
        self, path: str, params: Mapping[str, Any], *, wire: BearerWire | None = None, **about: Any
    ) -> Iterator[Document]:
        token = ""
        for _ in range(MAX_PAGES):
            asked = {**params, **({"pageToken": token} if token else {})}
            page = document((wire or self._wire).call("GET", path, params=asked, **about))
            yield page
            token = optional_text(page, "nextPageToken")
            if not token:
                return
        raise wrong_shape("endless pages")


def calendar_path(calendar_id: str) -> str:
    return f"/calendars/{quote(calendar_id, safe='')}"


def _name(item: Document) -> str:
    return optional_text(item, "summaryOverride") or optional_text(item, "summary")


def _is_room(item: Document) -> bool:
    return text(item, "id").endswith(ROOM)


def _room(item: Document) -> RemoteRoom:
    """A room of the directory, named as people see it in Google Calendar."""
    name = optional_text(item, "generatedResourceName") or optional_text(item, "resourceName")
    capacity = item.get("capacity")
    return RemoteRoom(text(item, "resourceEmail"), name, capacity if isinstance(capacity, int) else None)


def _calendar(item: Document) -> RemoteCalendar:
    solutions = mapping(item, "conferenceProperties").get("allowedConferenceSolutionTypes")
    return RemoteCalendar(
        id=text(item, "id"),
        name=_name(item),
        time_zone=optional_text(item, "timeZone"),
        writable=item.get("accessRole") in ("owner", "writer"),
        primary=item.get("primary") is True,
        color=optional_text(item, "backgroundColor"),
        conferences=frozenset({Capability.MEET})
        if isinstance(solutions, list) and "hangoutsMeet" in solutions
        else frozenset(),
    )


def _counts(item: Document) -> bool:
    """The busy rule of `providers.md` section 2."""
    return (
        item.get("status") != "cancelled"
        and item.get("transparency") != "transparent"
        and item.get("eventType", "default") in BUSY_TYPES
        and _own_answer(item) != "declined"
    )


def _own_answer(item: Document) -> str:
    own = (guest for guest in mappings(item, "attendees") if guest.get("self"))
    return next((optional_text(guest, "responseStatus") for guest in own), "")


def _busy_event(item: Document, page: Document) -> BusyEvent:
    event_id = text(item, "id")
    return BusyEvent(
        event_id=event_id,
        start=_edge(mapping(item, "start"), page),
        end=_edge(mapping(item, "end"), page),
        own_key=own_key(event_id),
        tentative=item.get("status") == "tentative" or _own_answer(item) == "tentative",
    )


def _edge(edge: Document, page: Document) -> datetime:
    """A timed edge, or midnight of an all-day date in the calendar's zone."""
    if "dateTime" in edge:
        return moment(text(edge, "dateTime"), "dateTime")
    try:
        day = date.fromisoformat(text(edge, "date"))
        zone = ZoneInfo(text(page, "timeZone"))
        return datetime.combine(day, clock_time(), zone).astimezone(UTC)
    except (ValueError, OverflowError, OSError, ZoneInfoNotFoundError) as error:
        raise wrong_shape("all-day date") from error
