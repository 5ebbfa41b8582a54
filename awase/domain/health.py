"""The values that the gate reads and the verdict that it gives (connection-health.md, sections 1 to 4).

Pure: no clock, no database, no network. The effective state of a connection is computed by `effective`
with the caller's `now` before the values are built; the gate (`gate.py`) never sees a clock.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from awase.domain.errors import Capability, Reason


class Standing(StrEnum):
    """The state of a connection (section 2)."""

    OK = "ok"
    DEGRADED = "degraded"
    ERROR = "error"


class Service(StrEnum):
    """The services that Awase knows, and what has to be known of each outside its adapter. Google Meet is a
    capability of a Google connection.

    `label`: its name; `letter`: what stands for it where there is room for one; `calendars`: its accounts hold
    calendars (else they make meetings); `registration`: whose client id and secret it uses, as in the settings'
    names ("" for none); `consent`: where people are sent to consent.
    """

    label: str
    letter: str
    calendars: bool
    registration: str
    consent: str

    def __new__(
        cls,
        value: str,
        label: str = "",
        letter: str = "",
        calendars: bool = False,
        registration: str = "",
        consent: str = "",
    ) -> Self:
        service = str.__new__(cls, value)
        service._value_ = value
        service.label, service.letter, service.calendars = label, letter, calendars
        service.registration, service.consent = registration, consent
        return service

    GOOGLE = "google", "Google Calendar", "G", True, "google", "https://accounts.google.com"
    MICROSOFT = "microsoft", "Microsoft (Outlook calendar)", "M", True, "microsoft", "https://login.microsoftonline.com"
    ZOOM = "zoom", "Zoom", "Z", False, "zoom", "https://zoom.us"
    TEAMS = "teams", "Microsoft Teams", "T", False, "microsoft", "https://login.microsoftonline.com"
    CALDAV = "caldav", "CalDAV", "C", True


class LocationKind(StrEnum):
    """How a meeting is held: by an account (`BACKED_BY`), or account-free."""

    MEET = "meet"
    ZOOM = "zoom"
    TEAMS = "teams"
    IN_PERSON = "in_person"
    PHONE = "phone"
    LINK = "link"
    ASK_GUEST = "ask_guest"

    @property
    def account_backed(self) -> bool:
        return self in BACKED_BY


BACKED_BY = {
    LocationKind.MEET: (Service.GOOGLE, Capability.MEET),
    LocationKind.ZOOM: (Service.ZOOM, Capability.ZOOM),
    LocationKind.TEAMS: (Service.TEAMS, Capability.TEAMS),
}
"""The service, and the capability of its account, behind each account-backed kind of location."""


@dataclass(frozen=True, slots=True)
class CalendarValue:
    """One calendar of a connection that is checked for conflicts or receives bookings."""

    id: int
    name: str
    checked: bool
    receives: bool
    go_on_without: bool = False  # the host's explicit policy; it does not count then, unless it receives
    missing: bool = False  # gone at the service (404), or alone unreadable past the tolerance

    @property
    def in_use(self) -> bool:
        return self.checked or self.receives

    @property
    def counts(self) -> bool:
        return self.receives or (self.checked and not self.go_on_without)


@dataclass(frozen=True, slots=True)
class ConnectionValue:
    """One connection with its effective state. `lacking` maps a capability that failed to its reason.

    Connections with the same `credential_id` are one account at the service: they break and are repaired
    together (None: an account of its own)."""

    id: int
    service: Service
    account: str  # the address or name shown to people
    standing: Standing
    reason: Reason | None = None  # set exactly when standing is ERROR
    calendars: tuple[CalendarValue, ...] = ()
    lacking: tuple[tuple[Capability, Reason], ...] = ()
    credential_id: int | None = None

    def lacks(self, capability: Capability) -> Reason | None:
        """Why this account cannot do `capability`; None if it can."""
        return next((reason for lacking, reason in self.lacking if lacking is capability), None)


@dataclass(frozen=True, slots=True)
class MemberValue:
    """A person: their connections, and what they fill in for phone and in-person locations."""

    id: int
    name: str
    connections: tuple[ConnectionValue, ...] = ()
    meet_connection_id: int | None = None  # the Google account chosen for Meet, if bookings go elsewhere
    phone: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class LocationValue:
    """One location of a page. `detail` is the page's own number, address, link or text ("" if none)."""

    id: int
    kind: LocationKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RoomValue:
    """A room: usable if any account of the workspace that can read it is ok or degraded.
    `readers` are those accounts, the one through which it was added first (none: no longer connected);
    `member_id` and `member_name` say whose the first one is."""

    id: int
    name: str
    readers: tuple[ConnectionValue, ...] = ()
    missing: bool = False
    member_name: str = ""
    member_id: int | None = None

    @property
    def usable(self) -> bool:
        return not self.missing and any(reader.standing is not Standing.ERROR for reader in self.readers)


@dataclass(frozen=True, slots=True)
class Group:
    """People (or rooms) of whom `needed` take part; None means all of them.

    The condition `all` is one group with needed=None, `any` one group with needed=1. An empty group cannot
    be filled, so a page without rooms has no group of rooms.
    """

    ids: tuple[int, ...]
    needed: int | None = None
    rooms: bool = False


@dataclass(frozen=True, slots=True)
class PageValue:
    """Everything that the gate reads of one page. `members` holds the owner (member of the page or not),
    everybody in `groups`, and whoever else a cure may name; `rooms` every room in `groups`."""

    id: int
    owner_id: int
    members: tuple[MemberValue, ...]
    groups: tuple[Group, ...]
    locations: tuple[LocationValue, ...] = ()
    rooms: tuple[RoomValue, ...] = ()
    calendar_required: bool = True  # 「カレンダー接続済みのメンバーのみ」, matters in "k of" groups only

    def member(self, member_id: int) -> MemberValue:
        """The member with this id. Raises KeyError if the values do not hold them."""
        for member in self.members:
            if member.id == member_id:
                return member
        raise KeyError(member_id)

    @property
    def people(self) -> tuple[tuple[int, Group], ...]:
        """The groups of people, each with its index in `groups`."""
        return tuple((index, group) for index, group in enumerate(self.groups) if not group.rooms)

    @property
    def by_owner(self) -> bool:
        """True if the meeting link comes from the owner: always, except under the condition `any`."""
        return [group.needed for _, group in self.people] != [1]

    @property
    def everybody(self) -> tuple[int, ...]:
        """The members of the page in list order, each once."""
        return tuple(dict.fromkeys(id for _, group in self.people for id in group.ids))


class CalendarStanding(StrEnum):
    """`calendar(M)` of section 3."""

    OK = "ok"
    ERROR = "error"
    NONE = "none"


class LocationStanding(StrEnum):
    """`location(M, L)` of section 3."""

    USABLE = "usable"
    ERROR = "error"
    NOT_CONNECTED = "not_connected"


class StopKind(StrEnum):
    """Why health stops a page, in the order in which the card's sentence names the first."""

    NO_MEMBERS = "no_members"
    CALENDAR = "calendar"  # `all`: a member's calendar; `any`: no usable calendar
    LOCATION = "location"  # `all`: the owner's location; `any`: no usable location
    HOST = "host"  # `any`: some have the one, some the other, none both
    GROUP = "group"
    ROOM = "room"


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing that is broken or missing, naming person and account. The verdict's reasons, the warnings
    and the left-out members are made of these.

    `error` distinguishes 接続エラー from 未接続 (False: nothing is broken; it is not connected, or set so).
    `calendar_missing` says that the calendar (or room) has vanished, or that none was chosen to write to."""

    kind: StopKind
    member_id: int | None = None
    connection_id: int | None = None
    service: Service | None = None
    account: str = ""
    reason: Reason | None = None
    calendar_id: int | None = None
    calendar_name: str = ""
    calendar_missing: bool = False
    location_id: int | None = None
    location_kind: LocationKind | None = None
    room_id: int | None = None
    group_index: int | None = None
    error: bool = True


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """A member who may host bookings of this page now, and the ids of the locations usable for them."""

    member_id: int
    location_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer.

    `open` is the health verdict alone (the manual switch is the caller's). `stops` holds all reasons in
    sentence order; empty if open. `hosts` are the people who may be booked (`all`: every member; a "k of"
    group: those whose calendar is usable). With `locations_by_owner` the location comes from the owner:
    `offered` are its ids. Otherwise `offered` is the union over the eligible hosts. Both are empty while the
    page is stopped. `place_missing`: the page is open and has locations, and none can be offered.
    `warnings` are broken things that do not stop the page; `left_out` the members it goes on without.
    """

    open: bool
    stops: tuple[Lack, ...] = ()
    hosts: tuple[HostAnswer, ...] = ()
    offered: tuple[int, ...] = ()
    locations_by_owner: bool = True
    place_missing: bool = False
    warnings: tuple[Lack, ...] = ()
    left_out: tuple[Lack, ...] = ()
    rooms: tuple[int, ...] = field(default=())  # ids of usable rooms

    @property
    def stop_kinds(self) -> tuple[StopKind, ...]:
        """The distinct kinds of `stops`, in sentence order."""
        return tuple(dict.fromkeys(stop.kind for stop in self.stops))

    @property
    def in_error(self) -> bool:
        """True if something is broken, False if things are merely not connected or set so."""
        return any(stop.error for stop in self.stops)

    @property
    def by_setting(self) -> bool:
        """True if nothing is broken and the page is stopped for want of members, or by how a group is set."""
        settings = {StopKind.NO_MEMBERS, StopKind.GROUP}
        return not self.in_error and not settings.isdisjoint(self.stop_kinds)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The state of a connection as written down, before the one clock is applied."""

    standing: Standing
    reason: Reason | None
    last_good: datetime | None  # the last good check, aware UTC; None: never read yet
    since: datetime
    our_fault: bool = False  # failing through a fault of ours (APP_CONFIG, or no worker)


def tolerance(configured: timedelta, check_interval: timedelta) -> timedelta:
    """A connection's tolerance: the configured one, or three of its check intervals if that is longer."""
    return max(configured, 3 * check_interval)


def overdue(last_good: datetime, *, now: datetime, tolerance: timedelta) -> bool:
    """True once the last good read (aware UTC) is `tolerance` or more ago. For a connection it counts as
    unreachable then; for a calendar that alone stays unreadable it counts as missing."""
    return now - last_good >= tolerance


def effective(recorded: Recorded, *, now: datetime, tolerance: timedelta) -> tuple[Standing, Reason | None]:
    """The state that counts at `now` (section 2, "One clock").

    An error that needs a person stays what it is. Otherwise, once the last good check is `tolerance` or
    more ago (never checked: since `recorded.since`), the connection counts as unreachable, whoever is at
    fault and whether or not anybody wrote it down; where we are at fault the reason is OPERATOR.
    """
    if recorded.standing is Standing.ERROR and recorded.reason is not None and recorded.reason.needs_person:
        return Standing.ERROR, recorded.reason
    if overdue(recorded.last_good or recorded.since, now=now, tolerance=tolerance):
        return Standing.ERROR, Reason.OPERATOR if recorded.our_fault else Reason.UNREACHABLE
    return (Standing.OK if recorded.standing is Standing.OK else Standing.DEGRADED), None
