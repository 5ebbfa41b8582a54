"""CalDAV: iCloud, Nextcloud, Fastmail, Radicale and others (facts: `providers.md` section 6).

A thin client of our own (`dav`). Busy times come from `calendar-query` with our own rules, since servers differ
in theirs. An event's file name and UID are the
booking's key. Rooms cannot be invited this way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import ClassVar
from zoneinfo import ZoneInfo

import httpx2

from awase.domain.errors import Capability, Failure, FailureScope, ProviderError
from awase.providers import dav_xml
from awase.providers.caldav_failures import CALDAV
from awase.providers.calendars import MAX_PAGES, changed, read_each, since_or_whole
from awase.providers.dav import Dav, joined
from awase.providers.dav_xml import APPLE, CAL, DAV, SERVER, Resource
from awase.providers.failures import wrong_shape
from awase.providers.guard import AddressRefused
from awase.providers.http import Clock, Wire, utc_now
from awase.providers.ical import busy_events, calendar_zone, changed_text, event_text, event_times, zone_named
from awase.providers.protocols import Account, BusyEvent, Changes, EventDraft, RemoteCalendar, WrittenEvent

WRITING = frozenset(f"{DAV}{name}" for name in ("all", "write", "write-content", "bind"))
MOST_CHANGED = 100  # where more changed, the whole window is read
ICS = {"Content-Type": "text/calendar; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class DavAccess:
    """What a session needs, to be kept encrypted. `home` is the absolute address of the calendar home.

    `addresses` are the person's own, by which declined invitations are known; `time_zone` (IANA) serves
    calendars that name none.
    """

    username: str
    password: str = field(repr=False)
    home: str = ""
    addresses: tuple[str, ...] = ()
    time_zone: str = "UTC"


class CalDAV:
    """The CalDAV service: finding an account's calendars, and sessions of one account."""

    service: ClassVar[str] = "caldav"
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.CALENDAR})

    def __init__(self, client: httpx2.Client, *, clock: Clock = utc_now) -> None:
        self._wire = Wire(client, CALDAV, clock)
        self._clock = clock

    def connect(
        self, address: str, username: str, password: str, *, time_zone: str = "UTC"
    ) -> tuple[Account, DavAccess]:
        """Find the calendar home behind an address that a person typed, a host name or more.

        Raises AddressRefused for an address that must not be called, and ProviderError; a wrong password
        is RECONNECT at once (D01, D02b), an address without CalDAV NOT_FOUND (D05).
        """
        if "://" not in address:
            address = f"https://{address}"
        try:
            typed = httpx2.URL(address.strip())
        except httpx2.InvalidURL as error:
            raise AddressRefused("host") from error
        if not typed.host:
            raise AddressRefused("host")
        dav = Dav(self._wire, username, password, connecting=True)
        principal, found = self._principal(dav, typed)
        home = next(iter(found.hrefs(f"{CAL}calendar-home-set")), "")
        if not home:
            raise wrong_shape("calendar-home-set")
        mails = _mails(found.hrefs(f"{CAL}calendar-user-address-set"))
        own = mails or ((username.lower(),) if "@" in username else ())
        access = DavAccess(username, password, str(joined(principal, home)), own, time_zone)
        self.session(access).list_calendars()
        account = Account(str(principal), own[0] if own else username, found.text(f"{DAV}displayname"))
        return account, access

    def session(self, access: DavAccess) -> "DavCalendars":
        """The calendars of one account."""
        return DavCalendars(Dav(self._wire, access.username, access.password), access, self._clock)

    def _principal(self, dav: Dav, typed: httpx2.URL) -> tuple[httpx2.URL, Resource]:
        """The person's own resource: asked for at the address, the well-known one, and the root."""
        missing: ProviderError | None = None
        for start in dict.fromkeys((typed, typed.join("/.well-known/caldav"), typed.join("/"))):
            try:
                url, found = dav.properties(start, dav_xml.WHO)
            except ProviderError as error:
                if error.failure.symptom not in ("D05", "D12", "X03", "D13"):
                    raise
                missing = error
                continue
            # Who logged in, not whose resource the address is: some servers show everybody's to everybody.
            for href in found.hrefs(f"{DAV}current-user-principal"):
                if (own := joined(url, href)) != url:
                    return dav.properties(own, dav_xml.WHO)
            if found.hrefs(f"{CAL}calendar-home-set"):
                return url, found
        raise missing or wrong_shape("current-user-principal")


class DavCalendars:
    """One account's calendars; implements `CalendarProvider`. Ids are absolute addresses."""

    def __init__(self, dav: Dav, access: DavAccess, clock: Clock) -> None:
        self._dav = dav
        self._access = access
        self._clock = clock

    def check(self) -> None:
        """The calendar home's kind. Raises ProviderError."""
        self._dav.properties(httpx2.URL(self._access.home), dav_xml.KIND)

    def list_calendars(self) -> Sequence[RemoteCalendar]:
        """The collections of the calendar home that hold events. Raises ProviderError."""
        home, found = self._dav.multistatus("PROPFIND", self._access.home, dav_xml.CALENDARS, depth="1")
        return [_calendar(home, resource) for resource in found.resources if _holds_events(resource)]

    def busy(
        self, calendar_ids: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyEvent, ...] | Failure]:
        """Busy events that touch [start, end), uncut; see `CalendarProvider.busy`."""
        return read_each(calendar_ids, lambda calendar_id: self._busy_of(calendar_id, start, end))

    def changes(self, calendar_id: str, token: str, start: datetime, end: datetime) -> Changes:
        """By sync-collection, or where the server has none by the calendar's ctag, which tells only whether
        anything changed; see `CalendarProvider.changes`."""
        return since_or_whole(
            token,
            lambda: self._since(calendar_id, token, start, end),
            lambda: self._whole(calendar_id, start, end),
        )

    def _whole(self, calendar_id: str, start: datetime, end: datetime) -> Changes:
        """The token first, so that whatever changes meanwhile is told again."""
        token = self._state(calendar_id)
        return Changes(self._busy_of(calendar_id, start, end), frozenset(), token, full=True)

    def _state(self, calendar_id: str) -> str:
        """What the calendar's state is known by: "sync:…", "ctag:…", or "" where the server tells neither."""
        _, found = self._dav.properties(httpx2.URL(calendar_id), dav_xml.STATE)
        if token := found.text(f"{DAV}sync-token"):
            return f"sync:{token}"
        ctag = found.text(f"{SERVER}getctag")
        return f"ctag:{ctag}" if ctag else ""

    def _since(self, calendar_id: str, token: str, start: datetime, end: datetime) -> Changes | None:
        if not token.startswith("sync:"):
            return Changes((), frozenset(), token, full=False) if self._state(calendar_id) == token else None
        members, following = self._members(calendar_id, token.removeprefix("sync:"))
        there = [href for href in members.values() if href]
        if len(there) > MOST_CHANGED:
            return None
        busy = self._events(calendar_id, dav_xml.multiget(there), start, end) if there else ()
        return changed(busy, members, f"sync:{following}", start, end)

    def _members(self, calendar_id: str, token: str) -> tuple[Mapping[str, str], str]:
        """What a sync-collection mentions: address → name at the server ("" if deleted); and the next token."""
        members: dict[str, str] = {}
        for _ in range(MAX_PAGES):
            question = dav_xml.sync_collection(token)
            url, found = self._dav.multistatus("REPORT", calendar_id, question, depth="0", about=FailureScope.CALENDAR)
            token = found.sync_token
            if not token:
                raise wrong_shape("sync-token")
            for resource in found.resources:
                there = resource.status not in (404, 410)
                members[str(joined(url, resource.href))] = resource.href if there else ""
            members.pop(str(url), None)
            if all(resource.status != 507 for resource in found.resources):  # else the server cut its answer
                return members, token
        raise wrong_shape("endless pages")

    def _busy_of(self, calendar_id: str, start: datetime, end: datetime) -> tuple[BusyEvent, ...]:
        return self._events(calendar_id, dav_xml.query(_stamp(start), _stamp(end)), start, end)

    def _events(self, calendar_id: str, question: str, start: datetime, end: datetime) -> tuple[BusyEvent, ...]:
        """The busy times in [start, end) of the resources that a report finds."""
        url, answer = self._dav.multistatus("REPORT", calendar_id, question, depth="1", about=FailureScope.CALENDAR)
        zone = cache(lambda: self._zone(calendar_id))  # asked for only where a time needs it
        found: list[BusyEvent] = []
        for resource in answer.resources:
            if resource.status in (404, 410):  # deleted between the server's two looks
                continue
            text = resource.text(f"{CAL}calendar-data")
            if resource.status not in (0, 200) or not text:
                raise wrong_shape("calendar-data", about=FailureScope.CALENDAR)
            event_id = str(joined(url, resource.href))
            found.extend(busy_events(text, event_id, start, end, zone=zone, own=self._access.addresses))
        return tuple(found)

    def event_times(self, calendar_id: str, key: str, event_id: str = "") -> tuple[datetime, datetime] | None:
        """See `CalendarProvider.event_times`."""
        url = self._event_url(calendar_id, key, event_id)
        held = self._dav.send("GET", url, expected=(200, 404, 410), about=FailureScope.EVENT)
        if held.status != 200:
            return None
        return event_times(held.body.decode("utf-8", "replace"), key, lambda: self._zone(calendar_id))

    def put_event(self, calendar_id: str, draft: EventDraft, event_id: str = "") -> WrittenEvent:
        """Create or update by key. `draft.room_addresses` are not invited. Raises ProviderError."""
        url = self._event_url(calendar_id, draft.key, event_id)
        for _ in range(2):  # once more where somebody changed the event between our look and our write
            held = self._dav.send("GET", url, expected=(200, 404, 410), about=FailureScope.EVENT)
            if held.status == 200:
                text = changed_text(held.body.decode("utf-8", "replace"), draft, self._clock())
                if text is None:
                    break  # another event has our name: D08
                condition = {"If-Match": held.headers["etag"]} if "etag" in held.headers else {}
            else:
                text = event_text(draft, self._clock())
                condition = {"If-None-Match": "*"}
            written = self._dav.send(
                "PUT",
                url,
                content=text,
                headers={**ICS, **condition},
                expected=(200, 201, 204, 412),
                about=FailureScope.EVENT,
            )
            if written.status != 412:
                return WrittenEvent(str(url), written.headers.get("etag", ""))
        raise ProviderError(self._dav.conflict(url))

    def delete_event(self, calendar_id: str, key: str, event_id: str = "") -> None:
        """Delete by address, which follows from the key. Already gone is success. Raises ProviderError."""
        url = self._event_url(calendar_id, key, event_id)
        self._dav.send("DELETE", url, expected=(200, 202, 204, 404, 410), about=FailureScope.EVENT)

    def _event_url(self, calendar_id: str, key: str, event_id: str) -> httpx2.URL:
        calendar = httpx2.URL(calendar_id if calendar_id.endswith("/") else f"{calendar_id}/")
        if not event_id:
            return calendar.join(f"{key}.ics")
        url = httpx2.URL(event_id)
        if url.host != calendar.host or url.scheme != calendar.scheme:
            raise AddressRefused("host")
        return url

    def _zone(self, calendar_id: str) -> ZoneInfo:
        _, found = self._dav.properties(httpx2.URL(calendar_id), dav_xml.ZONE, about=FailureScope.CALENDAR)
        named = calendar_zone(found.text(f"{CAL}calendar-timezone"))
        return named or zone_named(self._access.time_zone) or ZoneInfo("UTC")


def _holds_events(resource: Resource) -> bool:
    kinds = resource.names(f"{DAV}resourcetype")
    if f"{CAL}calendar" not in kinds or any(tag.endswith("}deleted-calendar") for tag in kinds):
        return False
    kept = resource.properties.get(f"{CAL}supported-calendar-component-set")
    names = [each.get("name") for each in kept.iter(f"{CAL}comp")] if kept is not None else []
    return not names or "VEVENT" in names


def _calendar(home: httpx2.URL, resource: Resource) -> RemoteCalendar:
    rights = resource.names(f"{DAV}current-user-privilege-set")
    zone = calendar_zone(resource.text(f"{CAL}calendar-timezone"))
    return RemoteCalendar(
        id=str(joined(home, resource.href)),
        name=resource.text(f"{DAV}displayname") or resource.href.rstrip("/").rpartition("/")[2],
        time_zone=zone.key if zone else "",
        writable=not rights or not rights.isdisjoint(WRITING),
        color=resource.text(f"{APPLE}calendar-color")[:7],
    )


def _mails(hrefs: Sequence[str]) -> tuple[str, ...]:
    return tuple(href[7:].lower() for href in hrefs if href.lower().startswith("mailto:") and "@" in href)


def _stamp(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
