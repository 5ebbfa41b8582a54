"""CalDAV: iCloud, Nextcloud, Fastmail, Radicale and others (facts: `providers.md` section 6).

A thin client of our own: the client that it is given is guarded (`guard.build_guarded_client`), redirects
are followed here, one checked step at a time and never from https to http. Busy times come from
`calendar-query` with our own rules, since servers differ in theirs. An event's file name and UID are the
booking's key. Rooms cannot be invited this way.
"""

from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import ClassVar
from zoneinfo import ZoneInfo

import httpx2

from awase.domain.errors import Capability, Failure, FailureScope, ProviderError
from awase.providers import dav_xml
from awase.providers.caldav_failures import CALDAV
from awase.providers.calendars import read_each
from awase.providers.dav_xml import APPLE, CAL, DAV, Resource
from awase.providers.failures import Answer, wrong_shape
from awase.providers.guard import AddressRefused
from awase.providers.http import Clock, Wire, tried_twice, utc_now
from awase.providers.ical import busy_events, calendar_zone, changed_text, event_text, zone_named
from awase.providers.protocols import Account, BusyEvent, EventDraft, RemoteCalendar, WrittenEvent

MOST_REDIRECTS = 5
WRITING = frozenset(f"{DAV}{name}" for name in ("all", "write", "write-content", "bind"))
XML = {"Content-Type": "application/xml; charset=utf-8"}
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
        dav = _Dav(self._wire, username, password, connecting=True)
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
        return DavCalendars(_Dav(self._wire, access.username, access.password), access, self._clock)

    def _principal(self, dav: "_Dav", typed: httpx2.URL) -> tuple[httpx2.URL, Resource]:
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
            if found.hrefs(f"{CAL}calendar-home-set"):
                return url, found
            for href in found.hrefs(f"{DAV}current-user-principal"):
                return dav.properties(joined(url, href), dav_xml.WHO)
        raise missing or wrong_shape("current-user-principal")


class DavCalendars:
    """One account's calendars; implements `CalendarProvider`. Ids are absolute addresses."""

    def __init__(self, dav: "_Dav", access: DavAccess, clock: Clock) -> None:
        self._dav = dav
        self._access = access
        self._clock = clock

    def check(self) -> None:
        """The calendar home's kind. Raises ProviderError."""
        self._dav.properties(httpx2.URL(self._access.home), dav_xml.KIND)

    def list_calendars(self) -> Sequence[RemoteCalendar]:
        """The collections of the calendar home that hold events. Raises ProviderError."""
        home, resources = self._dav.multistatus("PROPFIND", self._access.home, dav_xml.CALENDARS, depth="1")
        return [_calendar(home, resource) for resource in resources if _holds_events(resource)]

    def busy(
        self, calendar_ids: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyEvent, ...] | Failure]:
        """Busy events that touch [start, end), uncut; see `CalendarProvider.busy`."""
        return read_each(calendar_ids, lambda calendar_id: self._busy_of(calendar_id, start, end))

    def _busy_of(self, calendar_id: str, start: datetime, end: datetime) -> tuple[BusyEvent, ...]:
        question = dav_xml.query(_stamp(start), _stamp(end))
        url, resources = self._dav.multistatus("REPORT", calendar_id, question, depth="1", about=FailureScope.CALENDAR)
        zone = cache(lambda: self._zone(calendar_id))  # asked for only where a time needs it
        found: list[BusyEvent] = []
        for resource in resources:
            if resource.status == 404:  # deleted between the server's two looks
                continue
            text = resource.text(f"{CAL}calendar-data")
            if resource.status not in (0, 200) or not text:
                raise wrong_shape("calendar-data", about=FailureScope.CALENDAR)
            event_id = str(joined(url, resource.href))
            found.extend(busy_events(text, event_id, start, end, zone=zone, own=self._access.addresses))
        return tuple(found)

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


class _Dav:
    """WebDAV calls of one account: Basic credentials, checked redirects, multistatus answers."""

    def __init__(self, wire: Wire, username: str, password: str, *, connecting: bool = False) -> None:
        self._wire = wire
        self._connecting = connecting
        secret = b64encode(f"{username}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {secret}"}

    def properties(
        self, url: httpx2.URL, question: str, about: FailureScope = FailureScope.CALENDAR
    ) -> tuple[httpx2.URL, Resource]:
        """Where the answer came from in the end, and the one resource asked for. Raises ProviderError."""
        final, resources = self.multistatus("PROPFIND", str(url), question, depth="0", about=about)
        if len(resources) != 1:
            raise wrong_shape("one resource")
        return final, resources[0]

    def multistatus(
        self,
        method: str,
        url: str,
        question: str,
        *,
        depth: str,
        about: FailureScope = FailureScope.CONNECTION,
    ) -> tuple[httpx2.URL, Sequence[Resource]]:
        """Ask, and read the 207 answer. Raises ProviderError, D13 for anything but a multistatus."""
        answer = tried_twice(
            self.send,
            method,
            httpx2.URL(url),
            content=question,
            headers={**XML, "Depth": depth},
            about=about,
        )
        resources = dav_xml.multistatus(answer.body)
        if resources is None:
            raise ProviderError(self._classified(Answer(207, answer.headers, b"", answer.address), about))
        return answer.address, resources

    def send(
        self,
        method: str,
        url: httpx2.URL,
        *,
        content: str = "",
        headers: Mapping[str, str] | None = None,
        expected: Collection[int] = (207,),
        about: FailureScope = FailureScope.CONNECTION,
    ) -> Answer:
        """One call, through redirects. Raises ProviderError unless the status is one that is expected."""
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._wire.fetch(
                method, url, headers={**self._headers, **(headers or {})}, content=content.encode()
            )
            location = answer.headers.get("location", "")
            if answer.status not in (301, 302, 307, 308) or not location:
                break
            target = joined(url, location)
            if url.scheme == "https" and target.scheme != "https":
                raise AddressRefused("scheme")
            url = target
        if answer.status in expected:
            return answer
        raise ProviderError(self._classified(answer, about))

    def conflict(self, url: httpx2.URL) -> Failure:
        """D08: somebody else's event has our name, or changes faster than we can write."""
        return self._classified(Answer(409, httpx2.Headers(), b"", url), FailureScope.EVENT)

    def _classified(self, answer: Answer, about: FailureScope) -> Failure:
        return self._wire.table.classify(answer, now=self._wire.clock(), about=about, fresh=self._connecting)


def joined(base: httpx2.URL, href: str) -> httpx2.URL:
    """An address that a server names, made absolute. Raises ProviderError X02."""
    try:
        return base.join(href)
    except httpx2.InvalidURL as error:
        raise wrong_shape("href") from error


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
