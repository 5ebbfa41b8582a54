"""What an adapter can do, as small protocols, and the values that cross the border.

Every moment is aware UTC, every interval half-open [start, end). Adapters raise `ProviderError` with a
classified `Failure` and nothing else; they know no Django and hold no state between calls. A service that
lacks a capability does not implement its protocol.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from awase.domain.errors import Capability, Failure


@dataclass(frozen=True, slots=True)
class AppConfig:
    """The operator's registration at a service. `redirect_uri` must be exactly the registered address."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """Who the connected account is at the service: `id` is stable, `email` and `name` are for people."""

    id: str
    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Tokens:
    """One token set. `expires_at` and `refresh_expires_at` are aware UTC (None: the service did not say)."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    scopes: frozenset[str]
    refresh_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a finished authorisation yields: tokens, the account, and the capabilities that the granted
    scopes allow. `missing` names required scopes that the person did not tick (then nothing is stored)."""

    tokens: Tokens
    account: Account
    missing: frozenset[str] = frozenset()


class TokenSource(Protocol):
    """Hands out a usable access token. Implemented by the services: one writer per credential."""

    def token(self, *, rejected: str | None = None) -> str:
        """Return an access token; with `rejected` (a token that just got a 401) a fresh one.

        Raises ProviderError if the refresh says that only the user can repair it, or fails otherwise.
        """


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a service says of the operator's registration before anybody connects. `failure`: why it refuses the
    client id or secret (None: it knows them). `consent`: whether its consent screen takes client id and redirect
    address, as far as it tells before anybody logs in. `clock`: the service's own time, aware UTC, if it told."""

    failure: Failure | None
    consent: bool
    clock: datetime | None


class OAuthService(Protocol):
    """Connecting an account by OAuth 2 with PKCE S256."""

    def authorize_url(
        self, *, state: str, verifier: str, login_hint: str = "", rooms: bool = False, organisation: bool = False
    ) -> str:
        """The address of the consent screen; `verifier` is the PKCE secret, sent as its S256 challenge.

        With `rooms` it also asks for what listing and reading rooms needs; with `organisation` for what listing all
        rooms of an organisation needs, where that is more.
        """

    def exchange(self, *, code: str, verifier: str, now: datetime) -> Grant:
        """Redeem a code. Raises ProviderError."""

    def refresh(self, tokens: Tokens, *, now: datetime) -> Tokens:
        """A fresh token set, with the rotated refresh token where there is one. Raises ProviderError.

        Save it before anything else, `scope_failure` too: the old refresh token may be dead.
        """

    def scope_failure(self, tokens: Tokens) -> Failure | None:
        """The failure of a token set from which a required scope has been taken away; None if all are there."""

    def callback_failure(self, params: Mapping[str, str], *, now: datetime) -> Failure:
        """Classify the `error` with which the consent screen came back (no connection is stored then).

        The person's own refusal is BAD_REQUEST without an alert. `now` is aware UTC.
        """

    def revoke(self, tokens: Tokens) -> None:
        """End the grant at the service where the service can; otherwise nothing. Raises ProviderError."""

    def inspect(self, *, now: datetime) -> Inspection:
        """Ask the service about our registration, for the operator. Raises ProviderError where no answer came."""


@dataclass(frozen=True, slots=True)
class RemoteCalendar:
    """A calendar as the service lists it. `time_zone` is an IANA name ("" if unknown)."""

    id: str
    name: str
    time_zone: str = ""
    writable: bool = True
    primary: bool = False
    color: str = ""
    conferences: frozenset[Capability] = frozenset()  # e.g. {MEET} if events here can carry such a link


@dataclass(frozen=True, slots=True)
class BusyEvent:
    """One stretch of busy time. `own_key` is the booking key that we wrote the event with (see
    `EventDraft.key`), or "" for everybody else's events. No title, no people."""

    event_id: str
    start: datetime
    end: datetime
    own_key: str = ""
    tentative: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed in one calendar since a token, or (`full`) all busy time of the window.

    `events` are busy now: together they replace whatever was held under their ids (a series may stand under
    one id with many times). `gone` are ids of events that take no time in the window any more: deleted, moved
    away, or free. `token` continues from here; "" where the service has none. No event is in both.
    """

    events: tuple[BusyEvent, ...]
    gone: frozenset[str]
    token: str = field(repr=False)
    full: bool


@dataclass(frozen=True, slots=True)
class Channel:
    """A push channel at a service. `id` is named by its messages, `resource_id` is needed to stop it ("" where
    the service has none); `expires_at` is aware UTC, and nothing comes after it."""

    id: str
    resource_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RemoteRoom:
    """A room as the service lists it. `address` is its mail address, `capacity` None if unknown."""

    address: str
    name: str
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event to be written. `key` is 32 hex digits, unique per booking, host and generation: the adapter
    derives a client-chosen id (or transactionId, UID) from it, so that a repeat never makes a second event.
    Guests are never attendees; `room_addresses` are. `meet` asks for a Google Meet link on the event."""

    key: str
    title: str
    start: datetime
    end: datetime
    time_zone: str
    description: str = ""
    location: str = ""
    room_addresses: tuple[str, ...] = ()
    meet: bool = False


@dataclass(frozen=True, slots=True)
class WrittenEvent:
    """An event as it stands at the service. `join_url` is the Meet link ("" if none or still pending:
    `meet_pending`). `meet_failure` says that the event stands but Meet is not allowed for this account."""

    id: str
    etag: str = ""
    join_url: str = ""
    meet_pending: bool = False
    meet_failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class MeetingDraft:
    """An online meeting to be made. `key` as in EventDraft; `start` aware UTC."""

    key: str
    title: str
    start: datetime
    end: datetime
    time_zone: str


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting at Zoom or Teams. The host's start_url is short-lived and never kept."""

    id: str
    join_url: str
    password: str = ""


@runtime_checkable
class CalendarProvider(Protocol):
    """Calendars of one connected account."""

    def list_calendars(self) -> Sequence[RemoteCalendar]:
        """All calendars of the account. Raises ProviderError."""

    def busy(
        self, calendar_ids: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyEvent, ...] | Failure]:
        """Busy times in [start, end) for each id asked, or that calendar's Failure: unknown is never free.

        Raises ProviderError where the whole account failed.
        """

    def changes(self, calendar_id: str, token: str, start: datetime, end: datetime) -> Changes:
        """What changed since `token` (of an earlier call with the same window [start, end)), as Changes.

        Everything (`full`) without a token, after a token that is no longer valid, and where the changes alone
        do not tell all. Raises ProviderError.
        """

    def put_event(self, calendar_id: str, draft: EventDraft, event_id: str = "") -> WrittenEvent:
        """Create the event, or bring the one with `event_id` to the draft's state. Idempotent by `draft.key`.
        Raises ProviderError."""

    def delete_event(self, calendar_id: str, key: str, event_id: str = "") -> None:
        """Delete the event made with `key` (id if known). Already gone is success. Raises ProviderError."""

    def event_times(self, calendar_id: str, key: str, event_id: str = "") -> tuple[datetime, datetime] | None:
        """When the event made with `key` takes place now, as aware UTC; None if it was deleted or cancelled.

        Raises ProviderError for all else: an event that cannot be read is not known to be deleted. A calendar
        that is gone looks like a deleted event, so ask only where the calendar has just been read.
        """

    def check(self) -> None:
        """The cheapest call that proves that the account works. Raises ProviderError."""


@runtime_checkable
class PushProvider(Protocol):
    """Being told of changes. No service promises that every message comes: reading goes on all the same."""

    def watch(self, calendar_id: str, address: str, secret: str, *, channel_id: str, now: datetime) -> Channel:
        """Have the changes of a calendar told to `address` (https), each message carrying `secret`.

        `channel_id` (64 characters at most) names the channel where the service lets us. The service may call
        the address before this returns. `now` is aware UTC. Raises ProviderError.
        """

    def renew(self, channel: Channel, *, now: datetime) -> Channel | None:
        """The channel with a later end, or None where a service cannot: watch anew, then stop the old one.
        Raises ProviderError."""

    def stop(self, channel: Channel) -> None:
        """End the channel. Already ended is success. Raises ProviderError."""


@runtime_checkable
class RoomProvider(Protocol):
    """Rooms that one connected account can read, by their mail addresses."""

    def list_rooms(self, *, organisation: bool = False) -> Sequence[RemoteRoom]:
        """The rooms that the account sees; with `organisation` all of its organisation, where only an administrator
        may list those. Raises ProviderError, SCOPE_MISSING without the scopes for it, BAD_REQUEST to others than
        administrators."""

    def rooms_busy(
        self, addresses: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyEvent, ...] | Failure]:
        """Busy times in [start, end) for each address asked, or that room's Failure: unknown is never free.

        They are merged: `event_id` and `own_key` are "". Without the scope for it every room has that Failure,
        which says nothing about the account's calendars. Raises ProviderError where the whole account failed.
        """


@runtime_checkable
class ConferenceProvider(Protocol):
    """Online meetings of one connected account."""

    def create_meeting(self, draft: MeetingDraft) -> Meeting:
        """Make the meeting; a lost answer is looked up, so that it never makes two. Raises ProviderError."""

    def find_meeting(self, draft: MeetingDraft) -> Meeting | None:
        """The meeting that an earlier, unanswered create may have made; None if there is none."""

    def update_meeting(self, meeting_id: str, draft: MeetingDraft) -> None:
        """Move or rename it. Raises ProviderError."""

    def delete_meeting(self, meeting_id: str) -> None:
        """Delete it. Already gone is success. Raises ProviderError."""

    def check(self) -> None:
        """The cheapest call that proves that the account works. Raises ProviderError."""
