"""Google: OAuth 2, Calendar v3 and Meet links (facts: `providers.md` sections 1 and 2).

How calendars are read is in `google_reading`. An event's id is the booking's key, so that a repeated
insert is a 409 and not a second event. A deleted event keeps its id, and Google brings it back when its
status is set again; so `put_event` needs no new id for that.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import uuid4

import httpx2

from awase.domain.errors import Capability, Failure, FailureClass, FailureScope, ProviderError
from awase.providers.failures import Marks, wrong_shape
from awase.providers.google_failures import GOOGLE
from awase.providers.google_reading import GoogleReading, calendar_path
from awase.providers.http import BearerWire, Clock, utc_now
from awase.providers.oauth import OAuthAdapter, identity_claims
from awase.providers.protocols import Account, AppConfig, Channel, EventDraft, Tokens, TokenSource, WrittenEvent
from awase.providers.shape import Document, document, mapping, mappings, number, optional_text, text

SCOPE = "https://www.googleapis.com/auth/"
CALENDAR_LIST = SCOPE + "calendar.calendarlist.readonly"
EVENTS = SCOPE + "calendar.events"
FREE_BUSY = SCOPE + "calendar.freebusy"
DIRECTORY = SCOPE + "admin.directory.resource.calendar.readonly"

MEET_PAUSES = (0.3, 0.7, 1.5)  # seconds between looks at a pending Meet link
CHANNEL_LIFE = timedelta(days=7)  # the longest that is known to be granted


class Google(OAuthAdapter):
    """The Google service: connecting accounts, and sessions of one account."""

    service = "google"
    scopes = ("openid", "email", CALENDAR_LIST, EVENTS)
    required = frozenset({CALENDAR_LIST, EVENTS})
    room_scopes = (FREE_BUSY,)
    organisation_scopes = (DIRECTORY,)
    capabilities = frozenset({Capability.CALENDAR, Capability.MEET})
    table = GOOGLE
    already_ended = frozenset({"invalid_token"})
    # Without prompt=consent a repeated sign-in may yield no refresh token. What was granted before, for rooms say,
    # stays granted though it is not asked for or ticked again.
    authorize_extra: ClassVar[Mapping[str, str]] = {
        "access_type": "offline",
        "prompt": "consent",
        "include_granted_scopes": "true",
    }

    def __init__(
        self,
        client: httpx2.Client,
        app: AppConfig,
        *,
        auth_base: str = "https://accounts.google.com",
        token_base: str = "https://oauth2.googleapis.com",  # noqa: S107
        api_base: str = "https://www.googleapis.com",
        userinfo_base: str = "https://openidconnect.googleapis.com",
        directory_base: str = "https://admin.googleapis.com",
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
        self._directory_base = directory_base
        self._userinfo_address = f"{userinfo_base}/v1/userinfo"
        self._pause = pause

    def session(self, tokens: TokenSource) -> "GoogleCalendars":
        """The calendars of the account whose tokens these are."""
        calendars = BearerWire(self.wire, f"{self._api_base}/calendar/v3", tokens)
        directory = BearerWire(self.wire, f"{self._directory_base}/admin/directory/v1", tokens)
        return GoogleCalendars(calendars, directory, self._pause)

    def _account(self, reply: Document, tokens: Tokens) -> Account:
        claims = identity_claims(reply, self._app.client_id)
        if "email" not in claims:
            headers = {"Authorization": f"Bearer {tokens.access_token}"}
            claims = document(self.wire.send("GET", self._userinfo_address, headers=headers, fresh=True))
        return Account(text(claims, "sub"), text(claims, "email"), optional_text(claims, "name"))


class GoogleCalendars(GoogleReading):
    """One account's calendars; implements `CalendarProvider`, `PushProvider` and `RoomProvider`."""

    def __init__(self, wire: BearerWire, directory: BearerWire, pause: Callable[[float], None]) -> None:
        super().__init__(wire, directory)
        self._pause = pause

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

    def watch(self, calendar_id: str, address: str, secret: str, *, channel_id: str, now: datetime) -> Channel:
        """Open a channel by `events.watch`; its first message, `sync`, may come at once. See `PushProvider`."""
        body = {
            "id": channel_id,
            "type": "web_hook",
            "address": address,
            "token": secret,
            "params": {"ttl": str(int(CHANNEL_LIFE.total_seconds()))},
        }
        path = f"{calendar_path(calendar_id)}/events/watch"
        made = document(self._wire.call("POST", path, json=body, about=FailureScope.CALENDAR, calendar_id=calendar_id))
        try:
            expires_at = datetime.fromtimestamp(number(made, "expiration") / 1000, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise wrong_shape("expiration") from error
        return Channel(text(made, "id"), text(made, "resourceId"), expires_at)

    def renew(self, channel: Channel, *, now: datetime) -> None:
        """Google renews no channel: watch anew, then stop the old one."""

    def stop(self, channel: Channel) -> None:
        """End the channel. Already ended is success. Raises ProviderError."""
        body = {"id": channel.id, "resourceId": channel.resource_id}
        try:
            self._wire.call("POST", "/channels/stop", json=body, about=FailureScope.EVENT)
        except ProviderError as error:
            if error.failure.kind is not FailureClass.NOT_FOUND:
                raise

    def _insert(self, calendar_id: str, draft: EventDraft) -> WrittenEvent:
        body = {"id": draft.key, "attendees": _rooms(draft), **_content(draft)}
        path = f"{calendar_path(calendar_id)}/events"
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

        return self._asking_meet(calendar_id, draft.key, insert, body) if draft.meet else _written(insert(body))

    def _update(self, calendar_id: str, event_id: str, draft: EventDraft) -> WrittenEvent:
        """Bring an event to the draft's state, keeping whomever people invited by hand."""
        old = document(self._event_call("GET", calendar_id, event_id))
        people = [guest for guest in mappings(old, "attendees") if not guest.get("resource")]
        body = {"status": "confirmed", "attendees": [*people, *_rooms(draft)], **_content(draft)}
        linked = bool(_link(old) or mapping(old, "conferenceData"))
        failed = _meet_status(old) == "failure"

        def patch(body: dict[str, Any]) -> Document:
            params = {"sendUpdates": "none", "conferenceDataVersion": 1}
            return document(self._event_call("PATCH", calendar_id, event_id, params=params, json=body))

        if not draft.meet:
            return _written(patch({**body, "conferenceData": None} if linked else body))
        if linked and not failed:
            return self._with_link(calendar_id, patch(body))
        # A request that failed is not made again by repeating it: Google ignores an id that it knows.
        return self._asking_meet(calendar_id, uuid4().hex if failed else draft.key, patch, body)

    def _asking_meet(
        self, calendar_id: str, request_id: str, write: Callable[[dict[str, Any]], Document], body: dict[str, Any]
    ) -> WrittenEvent:
        """Write the event with a Meet link, or without one where Meet is not allowed."""
        request = {"requestId": request_id, "conferenceSolutionKey": {"type": "hangoutsMeet"}}
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
