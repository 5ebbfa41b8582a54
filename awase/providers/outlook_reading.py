"""Reading one account's Outlook calendars over Graph: lists, busy times, changes, rooms (`providers.md` section 4).

Busy times come from `calendarView`, which also serves personal accounts and tells our own events by their
`transactionId`: the booking's key.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from json import dumps
from typing import Any
from urllib.parse import quote, urlencode

import httpx2

from awase.domain.errors import Failure, FailureClass, FailureScope, ProviderError
from awase.providers.calendars import MAX_PAGES, changed, own_key, parts, read_each, since_or_whole
from awase.providers.failures import Answer, Marks, wrong_shape
from awase.providers.http import BearerWire
from awase.providers.ical import zone_named
from awase.providers.protocols import BusyEvent, Changes, RemoteCalendar, RemoteRoom
from awase.providers.shape import Document, document, mapping, mappings, number, optional_text, text

# Immutable ids outlive a move between folders; they hold only if every request asks for them.
GRAPH_HEADERS = {"Prefer": 'outlook.timezone="UTC", IdType="ImmutableId"'}
DELTA_HEADERS = {"Prefer": GRAPH_HEADERS["Prefer"] + ", odata.maxpagesize=200"}
EVENT_FIELDS = "id,showAs,start,end,isAllDay,isCancelled,responseStatus,transactionId,originalStartTimeZone"
FREE = frozenset({"free", "workingElsewhere"})
# By a property of its own an event can be found; transactionId cannot be filtered by.
KEY_PROPERTY = "String {b3f7a1e2-6f0c-4d1b-9c55-2f7f4a0d8e61} Name AwaseKey"
BATCH = 4  # so many requests at a time for one mailbox (`providers.md` section 4)
VIEW_LONGEST = timedelta(days=1825)
SCHEDULE_LONGEST = timedelta(days=60)  # getSchedule takes 62 days at most
SCHEDULE_ADDRESSES = 20


class OutlookReading:
    """What is read of one account's calendars and rooms."""

    def __init__(self, wire: BearerWire) -> None:
        self._wire = wire

    def check(self) -> None:
        """The default calendar, which proves the mailbox too. Raises ProviderError."""
        text(document(self._wire.call("GET", "/me/calendar", params={"$select": "id"})), "id")

    def list_calendars(self) -> Sequence[RemoteCalendar]:
        """All calendars of the account, shared ones too. Raises ProviderError."""
        params = {"$top": 100, "$select": "id,name,canEdit,isDefaultCalendar,hexColor"}
        return [_calendar(item) for item in self._items("/me/calendars", params)]

    def busy(
        self, calendar_ids: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyEvent, ...] | Failure]:
        """Busy events that touch [start, end), uncut; see `CalendarProvider.busy`."""
        views = _views(start, end)
        pages = self._first_pages(calendar_ids, views[0]) if len(calendar_ids) > 1 and views else {}
        return read_each(calendar_ids, lambda calendar_id: self._busy_of(calendar_id, views, pages.get(calendar_id)))

    def _first_pages(self, calendar_ids: Sequence[str], params: Mapping[str, Any]) -> Mapping[str, Answer]:
        """The first page of each calendar, or what stands in its place, several in one call."""
        found: dict[str, Answer] = {}
        for first in range(0, len(calendar_ids), BATCH):
            paths = [f"{_view(each)}?{urlencode(params, safe='$,:')}" for each in calendar_ids[first : first + BATCH]]
            requests = [
                {"id": str(place), "method": "GET", "url": path, "headers": GRAPH_HEADERS}
                for place, path in enumerate(paths, first)
            ]
            batch = self._wire.call("POST", "/$batch", json={"requests": requests})
            for part in mappings(document(batch), "responses", required=True):
                place = number(part, "id")
                if place < len(calendar_ids):
                    found[calendar_ids[place]] = _part(part, batch)
        return found

    def _busy_of(
        self, calendar_id: str, views: Sequence[Mapping[str, Any]], page: Answer | None = None
    ) -> tuple[BusyEvent, ...]:
        """One calendar, from its part of the batch on (`page`, of the first view); where that failed for a moment, once
        more by itself."""
        try:
            if page is not None and not page.good:
                failure = self._wire.classified(page, FailureScope.CALENDAR, calendar_id)
                if failure.kind is not FailureClass.RETRY:
                    raise ProviderError(failure)
                page = None
            items = [
                item
                for place, view in enumerate(views)
                for item in self._items(_view(calendar_id), view, calendar_id, None if place else page)
            ]
        except ProviderError as error:
            raise self._narrowed(error, calendar_id) from error
        # An event over the border of two views comes in both.
        return tuple(dict.fromkeys(_busy_event(item) for item in items if _counts(item)))

    def changes(self, calendar_id: str, token: str, start: datetime, end: datetime) -> Changes:
        """By `calendarView/delta`, the token being its link; see `CalendarProvider.changes`.

        A delta is heavy; of a series it tells times without saying whether they are busy, and of one that was
        deleted perhaps no more than its master's id. So it tells what changed, and where that is more than new
        and changed single events, the view itself is read.
        """
        try:
            return since_or_whole(
                token,
                lambda: self._since(calendar_id, token, start, end),
                lambda: self._whole(calendar_id, start, end),
            )
        except ProviderError as error:
            raise self._narrowed(error, calendar_id) from error

    def _since(self, calendar_id: str, token: str, start: datetime, end: datetime) -> Changes:
        items, following = self._delta(token, None, calendar_id)
        if any("@removed" in item or item.get("type") != "singleInstance" for item in items):
            return self._view(calendar_id, start, end, following)
        busy = [_busy_event(item) for item in items if _counts(item)]
        return changed(busy, (text(item, "id") for item in items), following, start, end)

    def _whole(self, calendar_id: str, start: datetime, end: datetime) -> Changes:
        """The token first, so that whatever changes meanwhile is told again. No delta spans several views."""
        following = ""
        if len(_views(start, end)) == 1:
            _, following = self._delta(f"{_view(calendar_id)}/delta", _window(start, end), calendar_id)
        return self._view(calendar_id, start, end, following)

    def _view(self, calendar_id: str, start: datetime, end: datetime, token: str) -> Changes:
        return Changes(self._busy_of(calendar_id, _views(start, end)), frozenset(), token, full=True)

    def _delta(self, path: str, params: Mapping[str, Any] | None, calendar_id: str) -> tuple[Sequence[Document], str]:
        """One round of a delta: its items, and the link that the next one starts from."""
        items: list[Document] = []
        for page in self._pages(path, params, calendar_id, headers=DELTA_HEADERS):
            items += mappings(page, "value", required=True)
        return items, text(page, "@odata.deltaLink")

    def event_times(self, calendar_id: str, key: str, event_id: str = "") -> tuple[datetime, datetime] | None:
        """See `CalendarProvider.event_times`."""
        try:
            event_id = event_id or self._find(calendar_id, key)
            if not event_id:
                return None
            event = document(self._event_call("GET", calendar_id, event_id, params={"$select": EVENT_FIELDS}))
        except ProviderError as error:
            if error.failure.kind is FailureClass.NOT_FOUND:
                return None
            raise self._narrowed(error, calendar_id) from error
        return None if event.get("isCancelled") is True else _span(event)

    def list_rooms(self, *, organisation: bool = True) -> Sequence[RemoteRoom]:
        """The rooms of the organisation, always; work accounts only, and its administrator must have consented."""
        params = {"$top": 100}  # $select is described for the fields of every place only
        return [_room(item) for item in self._items("/places/microsoft.graph.room", params)]

    def rooms_busy(
        self, addresses: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyEvent, ...] | Failure]:
        """Schedules of rooms (or colleagues) by address; work accounts only. See `RoomProvider`."""
        found: dict[str, list[BusyEvent] | Failure] = {address: [] for address in addresses}
        for since, until in parts(start, end, SCHEDULE_LONGEST):
            for first in range(0, len(addresses), SCHEDULE_ADDRESSES):
                self._schedules(addresses[first : first + SCHEDULE_ADDRESSES], since, until, found)
        return {address: answer if isinstance(answer, Failure) else tuple(answer) for address, answer in found.items()}

    def _schedules(
        self,
        addresses: Sequence[str],
        start: datetime,
        end: datetime,
        found: dict[str, list[BusyEvent] | Failure],
    ) -> None:
        question = {
            "schedules": list(addresses),
            "startTime": edge(start),
            "endTime": edge(end),
            "availabilityViewInterval": 30,
        }
        answer = document(self._wire.call("POST", "/me/calendar/getSchedule", json=question))
        entries = {
            optional_text(entry, "scheduleId").lower(): entry for entry in mappings(answer, "value", required=True)
        }
        for address in addresses:
            known = found[address]
            if isinstance(known, Failure):
                continue
            entry = entries.get(address.lower(), {})
            error = mapping(entry, "error")
            if error or "scheduleItems" not in entry:
                marks = Marks(frozenset({str(error.get("responseCode")), "schedule_error"}))
                found[address] = self._wire.table.in_reply(marks, about=FailureScope.CALENDAR, calendar_id=address)
                continue
            known.extend(
                BusyEvent(
                    "",
                    utc_moment(mapping(item, "start")),
                    utc_moment(mapping(item, "end")),
                    tentative=item.get("status") == "tentative",
                )
                for item in mappings(entry, "scheduleItems")
                if optional_text(item, "status") not in FREE
            )

    def _find(self, calendar_id: str, key: str) -> str:
        """The id of the event with this key, or "". Raises ProviderError."""
        wanted = f"ep/id eq '{KEY_PROPERTY}' and ep/value eq '{key}'"
        params = {"$filter": f"singleValueExtendedProperties/Any(ep: {wanted})", "$select": "id"}
        items = self._items(f"{calendar_path(calendar_id)}/events", params, calendar_id)
        return next((text(item, "id") for item in items), "")

    def _event_call(
        self, method: str, calendar_id: str, event_id: str, json: Any = None, params: Mapping[str, Any] | None = None
    ) -> Answer:
        return self._wire.call(
            method,
            f"{calendar_path(calendar_id)}/events/{quote(event_id, safe='')}",
            params=params,
            json=json,
            about=FailureScope.EVENT,
            calendar_id=calendar_id,
        )

    def _items(
        self,
        path: str,
        params: Mapping[str, Any],
        calendar_id: str | None = None,
        answer: Answer | None = None,
    ) -> Iterator[Document]:
        """All items of a list, page by page; `answer` is the first page if it is there already."""
        for page in self._pages(path, params, calendar_id, answer):
            yield from mappings(page, "value", required=True)

    def _pages(
        self,
        path: str,
        params: Mapping[str, Any] | None,
        calendar_id: str | None,
        answer: Answer | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Document]:
        about = FailureScope.CONNECTION if calendar_id is None else FailureScope.CALENDAR
        following = params
        for _ in range(MAX_PAGES):
            page = document(
                answer
                or self._wire.call("GET", path, params=following, headers=headers, about=about, calendar_id=calendar_id)
            )
            answer = None
            yield page
            path, following = optional_text(page, "@odata.nextLink"), None
            if not path:
                return
        raise wrong_shape("endless pages")

    def _narrowed(self, error: ProviderError, calendar_id: str) -> ProviderError:
        """The refusal of one calendar (M20), if the account itself still answers; else the error as it is."""
        if error.failure.symptom != "M19":
            return error
        self.check()
        marks = Marks(frozenset({"foreign_calendar"}))
        return ProviderError(
            self._wire.table.in_reply(marks, about=FailureScope.CALENDAR, status=403, calendar_id=calendar_id)
        )


def calendar_path(calendar_id: str) -> str:
    return f"/me/calendars/{quote(calendar_id, safe='')}"


def _view(calendar_id: str) -> str:
    return f"{calendar_path(calendar_id)}/calendarView"


def _window(start: datetime, end: datetime) -> dict[str, Any]:
    return {"startDateTime": utc_text(start) + "Z", "endDateTime": utc_text(end) + "Z"}


def _views(start: datetime, end: datetime) -> list[dict[str, Any]]:
    """What is asked for to see [start, end): one view, or several where that is longer than Graph takes."""
    return [
        {**_window(since, until), "$select": EVENT_FIELDS, "$top": 500}
        for since, until in parts(start, end, VIEW_LONGEST)
    ]


def _room(item: Document) -> RemoteRoom:
    capacity = item.get("capacity")
    return RemoteRoom(
        text(item, "emailAddress"),
        optional_text(item, "displayName"),
        capacity if isinstance(capacity, int) else None,
    )


def _part(part: Document, batch: Answer) -> Answer:
    """One part of a batch as an answer of its own; its body is JSON, or a text where that did not come."""
    headers = {name: str(value) for name, value in mapping(part, "headers").items()}
    return Answer(number(part, "status"), httpx2.Headers(headers), dumps(part.get("body")).encode(), batch.address)


def _calendar(item: Document) -> RemoteCalendar:
    return RemoteCalendar(
        id=text(item, "id"),
        name=optional_text(item, "name"),
        writable=item.get("canEdit") is True,
        primary=item.get("isDefaultCalendar") is True,
        color=optional_text(item, "hexColor"),
    )


def _counts(item: Document) -> bool:
    """The busy rule of `providers.md` section 4."""
    return (
        item.get("isCancelled") is not True
        and optional_text(item, "showAs") not in FREE
        and mapping(item, "responseStatus").get("response") != "declined"
    )


def _busy_event(item: Document) -> BusyEvent:
    start, end = _span(item)
    return BusyEvent(
        event_id=text(item, "id"),
        start=start,
        end=end,
        own_key=own_key(optional_text(item, "transactionId")),
        tentative=item.get("showAs") == "tentative"
        or mapping(item, "responseStatus").get("response") == "tentativelyAccepted",
    )


def _span(item: Document) -> tuple[datetime, datetime]:
    """Start and end; an all-day event lasts from midnight to midnight in the zone it was made in.

    Where nobody knows that zone, the widest span on earth counts: unknown is never free.
    """
    start, end = mapping(item, "start"), mapping(item, "end")
    first, last = utc_moment(start), utc_moment(end)
    local = datetime.fromisoformat(text(start, "dateTime"))
    if item.get("isAllDay") is not True or text(start, "timeZone") != "UTC" or local.time() != time():
        return first, last
    zone = zone_named(optional_text(item, "originalStartTimeZone"))
    try:
        if zone is None:
            return first - timedelta(hours=14), last + timedelta(hours=12)
        return first.replace(tzinfo=zone).astimezone(UTC), last.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError as error:
        raise wrong_shape("all-day date") from error


def utc_moment(edge: Document) -> datetime:
    """A dateTimeTimeZone as aware UTC. Raises ProviderError X02."""
    zone = zone_named(text(edge, "timeZone"))
    if zone is None:
        raise wrong_shape("timeZone")
    try:
        local = datetime.fromisoformat(text(edge, "dateTime"))
        return (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise wrong_shape("dateTime") from error


def utc_text(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")


def edge(value: datetime) -> dict[str, str]:
    return {"dateTime": utc_text(value), "timeZone": "UTC"}
