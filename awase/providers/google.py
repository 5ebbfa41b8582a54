"""Google: OAuth 2, Calendar v3 and Meet links (facts: `providers.md` sections 1 and 2).

Busy times come from `events.list`, not from free/busy, because only there events have ids by which our
own are told from others. An event's id is the booking's key, so that a repeated insert is a 409 and not a
second event. A deleted event keeps its id, and Google brings it back when its status is set again; so
`put_event` needs no new id for that.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any, ClassVar
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx2

from awase.domain.errors import Capability, Failure, FailureScope, ProviderError
from awase.providers.calendars import MAX_PAGES, own_key, read_each
from awase.providers.failures import Marks, wrong_shape
from awase.providers.google_failures import GOOGLE
from awase.providers.http import BearerWire, Clock, utc_now
from awase.providers.oauth import OAuthAdapter, identity_claims
from awase.providers.protocols import (
    Account,
    AppConfig,
    BusyEvent,
    EventDraft,
    RemoteCalendar,
    Tokens,
    TokenSource,
    WrittenEvent,
)
from awase.providers.shape import Document, document, mapping, mappings, moment, optional_text, text

SCOPE = "https://www.googleapis.com/auth/"
CALENDAR_LIST = SCOPE + "calendar.calendarlist.readonly"
EVENTS = SCOPE + "calendar.events"

BUSY_TYPES = ("default", "focusTime", "fromGmail", "outOfOffice")  # neither birthdays nor working places
BUSY_FIELDS = "timeZone,nextPageToken,items(id,status,transparency,eventType,start,end,attendees(self,responseStatus))"
MEET_PAUSES = (0.3, 0.7, 1.5)  # seconds between looks at a pending Meet link
FREE_BUSY_DAYS = 60  # the exact limit is not published
FREE_BUSY_CALENDARS = 50


class Google(OAuthAdapter):
    """The Google service: connecting accounts, and sessions of one account."""

    service = "google"
    scopes = ("openid", "email", CALENDAR_LIST, EVENTS)
    required = frozenset({CALENDAR_LIST, EVENTS})
    capabilities = frozenset({Capability.CALENDAR, Capability.MEET})
    table = GOOGLE
    already_ended = frozenset({"invalid_token"})
    # Without prompt=consent a repeated sign-in may yield no refresh token.
    authorize_extra: ClassVar[Mapping[str, str]] = {"access_type": "offline", "prompt": "consent"}

    def __init__(
        self,
        client: httpx2.Client,
        app: AppConfig,
        *,
        auth_base: str = "https://accounts.google.com",
        token_base: str = "https://oauth2.googleapis.com",  # noqa: S107
        api_base: str = "https://www.googleapis.com",
        userinfo_base: str = "https://openidconnect.googleapis.com",
        clock: Clock = utc_now,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(
            client,
            app,
            authorize_address=f"{auth_base}/o/oauth2/v2/auth",
            token_address=f"{token_base}/token",
            revoke_address=f"{token_base}/revoke",
            clock=clock,
        )
        self._api_base = api_base
        self._userinfo_address = f"{userinfo_base}/v1/userinfo"
        self._pause = pause

    def session(self, tokens: TokenSource) -> "GoogleCalendars":
        """The calendars of the account whose tokens these are."""
        return GoogleCalendars(BearerWire(self.wire, f"{self._api_base}/calendar/v3", tokens), self._pause)

    def _account(self, reply: Document, tokens: Tokens) -> Account:
        claims = identity_claims(reply, self._app.client_id)
        if "email" not in claims:
            headers = {"Authorization": f"Bearer {tokens.access_token}"}
            claims = document(self.wire.send("GET", self._userinfo_address, headers=headers, fresh=True))
        return Account(text(claims, "sub"), text(claims, "email"), optional_text(claims, "name"))


class GoogleCalendars:
    """One account's calendars; implements `CalendarProvider` and `RoomProvider`."""

    def __init__(self, wire: BearerWire, pause: Callable[[float], None]) -> None:
        self._wire = wire
        self._pause = pause

    def check(self) -> None:
        """One short page of the calendar list. Raises ProviderError."""
        document(self._wire.call("GET", "/users/me/calendarList", params={"maxResults": 1, "fields": "etag"}))

    def list_calendars(self) -> Sequence[RemoteCalendar]:
        """All calendars of the account's list, added rooms among them. Raises ProviderError."""
        pages = self._pages("/users/me/calendarList", {"maxResults": 250})
        return [_calendar(item) for page in pages for item in mappings(page, "items")]

    def busy(
        self, calendar_ids: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyEvent, ...] | Failure]:
        """Busy events that touch [start, end), uncut; see `CalendarProvider.busy`."""
        return read_each(calendar_ids, lambda calendar_id: self._busy_of(calendar_id, start, end))

    def _busy_of(self, calendar_id: str, start: datetime, end: datetime) -> tuple[BusyEvent, ...]:
        params = {
            "singleEvents": "true",
            "timeMin": start.isoformat(),
            "timeMax": end.isoformat(),
            "maxResults": 2500,
            "maxAttendees": 1,  # the person's own answer is all we want to know
            "eventTypes": list(BUSY_TYPES),
            "fields": BUSY_FIELDS,
        }
        pages = self._pages(
            f"{_path(calendar_id)}/events", params, about=FailureScope.CALENDAR, calendar_id=calendar_id
        )
        return tuple(_busy_event(item, page) for page in pages for item in mappings(page, "items") if _counts(item))

    def put_event(self, calendar_id: str, draft: EventDraft, event_id: str = "") -> WrittenEvent:
        """Create or update by key; a deleted event comes back. Raises ProviderError.

        Where Meet is not allowed the event stands without a link (`meet_failure`).
        """
        if event_id:
            try:
                return self._update(calendar_id, event_id, draft)
            except ProviderError as error:
                if error.failure.symptom not in ("G18", "G21"):
                    raise
        try:
            return self._insert(calendar_id, draft)
        except ProviderError as error:
            if error.failure.symptom != "G19":
                raise
        return self._update(calendar_id, draft.key, draft)

    def delete_event(self, calendar_id: str, key: str, event_id: str = "") -> None:
        """Delete by id, which is the key. Already gone is success. Raises ProviderError."""
        try:
            self._event_call("DELETE", calendar_id, event_id or key, params={"sendUpdates": "none"})
        except ProviderError as error:
            if error.failure.symptom not in ("G18", "G21"):
                raise

    def rooms_busy(
        self, addresses: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyEvent, ...] | Failure]:
        """Free/busy of rooms (or anybody) by address; needs `calendar.freebusy`. See `RoomProvider`."""
        found: dict[str, list[BusyEvent] | Failure] = {address: [] for address in addresses}
        while start < end:
            until = min(end, start + timedelta(days=FREE_BUSY_DAYS))
            for first in range(0, len(addresses), FREE_BUSY_CALENDARS):
                self._free_busy(addresses[first : first + FREE_BUSY_CALENDARS], start, until, found)
            start = until
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

    def _insert(self, calendar_id: str, draft: EventDraft) -> WrittenEvent:
        body = {"id": draft.key, "attendees": _rooms(draft), **_content(draft)}
        path = f"{_path(calendar_id)}/events"
        params = {"sendUpdates": "none", "conferenceDataVersion": 1}

        def insert(body: dict[str, Any]) -> Document:
            return document(
                self._wire.call(
                    "POST",
                    path,
                    params=params,
                    json=body,
                    about=FailureScope.CALENDAR,
                    calendar_id=calendar_id,
                )
            )

        return self._asking_meet(calendar_id, draft, insert, body) if draft.meet else _written(insert(body))

    def _update(self, calendar_id: str, event_id: str, draft: EventDraft) -> WrittenEvent:
        """Bring an event to the draft's state, keeping whomever people invited by hand."""
        old = document(self._event_call("GET", calendar_id, event_id))
        people = [guest for guest in mappings(old, "attendees") if not guest.get("resource")]
        body = {"status": "confirmed", "attendees": [*people, *_rooms(draft)], **_content(draft)}
        linked = bool(_link(old) or mapping(old, "conferenceData"))

        def patch(body: dict[str, Any]) -> Document:
            params = {"sendUpdates": "none", "conferenceDataVersion": 1}
            return document(self._event_call("PATCH", calendar_id, event_id, params=params, json=body))

        if not draft.meet:
            return _written(patch({**body, "conferenceData": None} if linked else body))
        if linked:
            return self._with_link(calendar_id, patch(body))
        return self._asking_meet(calendar_id, draft, patch, body)

    def _asking_meet(
        self,
        calendar_id: str,
        draft: EventDraft,
        write: Callable[[dict[str, Any]], Document],
        body: dict[str, Any],
    ) -> WrittenEvent:
        """Write the event with a Meet link, or without one where Meet is not allowed."""
        request = {"requestId": draft.key, "conferenceSolutionKey": {"type": "hangoutsMeet"}}
        try:
            return self._with_link(calendar_id, write({**body, "conferenceData": {"createRequest": request}}))
        except ProviderError as error:
            if error.failure.capability is not Capability.MEET:
                raise
            return _written(write(body), meet_failure=error.failure)

    def _with_link(self, calendar_id: str, event: Document) -> WrittenEvent:
        """The event once its Meet link stands, or as it is if that takes too long."""
        for pause in MEET_PAUSES:
            if _link(event) or _meet_status(event) != "pending":
                break
            self._pause(pause)
            event = document(self._event_call("GET", calendar_id, text(event, "id")))
        if _link(event):
            return _written(event)
        if _meet_status(event) == "pending":
            return _written(event, meet_pending=True)
        marks = Marks(frozenset({"conference_failure"}))
        return _written(event, meet_failure=self._wire.table.in_reply(marks, about=FailureScope.CAPABILITY))

    def _event_call(self, method: str, calendar_id: str, event_id: str, **arguments: Any) -> Any:
        return self._wire.call(
            method,
            f"{_path(calendar_id)}/events/{quote(event_id, safe='')}",
            about=FailureScope.EVENT,
            calendar_id=calendar_id,
            **arguments,
        )

    def _pages(self, path: str, params: Mapping[str, Any], **about: Any) -> Iterator[Document]:
        token = ""
        for _ in range(MAX_PAGES):
            page = document(
                self._wire.call("GET", path, params={**params, **({"pageToken": token} if token else {})}, **about)
            )
            yield page
            token = optional_text(page, "nextPageToken")
            if not token:
                return
        raise wrong_shape("endless pages")


def _path(calendar_id: str) -> str:
    return f"/calendars/{quote(calendar_id, safe='')}"


def _calendar(item: Document) -> RemoteCalendar:
    solutions = mapping(item, "conferenceProperties").get("allowedConferenceSolutionTypes") or ()
    return RemoteCalendar(
        id=text(item, "id"),
        name=optional_text(item, "summaryOverride") or optional_text(item, "summary"),
        time_zone=optional_text(item, "timeZone"),
        writable=item.get("accessRole") in ("owner", "writer"),
        primary=item.get("primary") is True,
        color=optional_text(item, "backgroundColor"),
        conferences=frozenset({Capability.MEET}) if "hangoutsMeet" in solutions else frozenset(),
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
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise wrong_shape("all-day date") from error
    return datetime.combine(day, clock_time(), zone).astimezone(UTC)


def _content(draft: EventDraft) -> dict[str, Any]:
    return {
        "summary": draft.title,
        "description": draft.description,
        "location": draft.location,
        "start": {"dateTime": draft.start.astimezone(UTC).isoformat(), "timeZone": draft.time_zone},
        "end": {"dateTime": draft.end.astimezone(UTC).isoformat(), "timeZone": draft.time_zone},
    }


def _rooms(draft: EventDraft) -> list[dict[str, Any]]:
    return [{"email": address, "resource": True} for address in draft.room_addresses]


def _meet_status(event: Document) -> str:
    request = mapping(mapping(event, "conferenceData"), "createRequest")
    return optional_text(mapping(request, "status"), "statusCode")


def _link(event: Document) -> str:
    entries = mappings(mapping(event, "conferenceData"), "entryPoints")
    videos = (optional_text(entry, "uri") for entry in entries if entry.get("entryPointType") == "video")
    return optional_text(event, "hangoutLink") or next(videos, "")


def _written(event: Document, *, meet_pending: bool = False, meet_failure: Failure | None = None) -> WrittenEvent:
    return WrittenEvent(
        id=text(event, "id"),
        etag=optional_text(event, "etag"),
        join_url=_link(event),
        meet_pending=meet_pending,
        meet_failure=meet_failure,
    )
