"""The parts of a cure: small changes that people make, each of which can be tried out on a page's values."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import ClassVar

from awase.domain.changes import (
    with_account,
    with_calendar,
    with_connection,
    with_group,
    with_location,
    with_member,
    with_member_value,
    with_owner,
    with_repair,
    with_room,
    without_connection,
    without_member,
    without_room,
)
from awase.domain.health import (
    CalendarValue,
    ConnectionValue,
    LocationKind,
    LocationValue,
    MemberValue,
    PageValue,
    RoomValue,
    Service,
    Standing,
)


class Loss(IntEnum):
    """What a part loses: of two cures of equal size, the one that loses less comes first."""

    WAIT = 0
    RECONNECT = 1  # or check now
    CONNECT = 2
    ADD = 3  # or enter what is wanting
    CHANGE_OWNER = 4
    ADJUST = 5  # untick, choose another, go on without it, stop requiring
    TAKE_OFF = 6
    REMOVE = 7
    DISCONNECT = 8


CALENDAR_SERVICES = frozenset(service for service in Service if service.calendars)


@dataclass(frozen=True, slots=True)
class Part(ABC):
    """One change. `needs` is the member who alone may do it (None: whoever may edit the page); `size` counts
    what people must do."""

    loss: ClassVar[Loss]

    @property
    def needs(self) -> int | None:
        return None

    @property
    def size(self) -> int:
        return 1

    @abstractmethod
    def apply(self, page: PageValue) -> PageValue:
        """The page's values after this change."""


@dataclass(frozen=True, slots=True)
class OwnAccount(Part):
    """A part that only the member whose account it is may do."""

    member_id: int

    @property
    def needs(self) -> int | None:
        return self.member_id


@dataclass(frozen=True, slots=True)
class Wait(OwnAccount):
    """The error ends by itself, or when the operator has repaired it: its reason says which."""

    loss = Loss.WAIT
    connection_id: int

    @property
    def needs(self) -> int | None:
        return None

    @property
    def size(self) -> int:
        return 0

    def apply(self, page: PageValue) -> PageValue:
        def over(known: ConnectionValue) -> ConnectionValue:
            lacking = tuple(lack for lack in known.lacking if lack[1].needs_person)
            return replace(known, standing=Standing.OK, reason=None, lacking=lacking)

        return with_account(page, self.connection_id, over)


@dataclass(frozen=True, slots=True)
class Reconnect(OwnAccount):
    """Reconnect an account whose error needs a person."""

    loss = Loss.RECONNECT
    connection_id: int

    def apply(self, page: PageValue) -> PageValue:
        return with_repair(page, self.connection_id)


@dataclass(frozen=True, slots=True)
class CheckNow(OwnAccount):
    """Do what the reason of the missing capability says, then check now."""

    loss = Loss.RECONNECT
    connection_id: int

    def apply(self, page: PageValue) -> PageValue:
        return with_account(page, self.connection_id, lambda known: replace(known, lacking=()))


@dataclass(frozen=True, slots=True)
class Connect(OwnAccount):
    """Connect an account at `service` (None: any calendar service) and let bookings be added to it."""

    loss = Loss.CONNECT
    service: Service | None

    def apply(self, page: PageValue) -> PageValue:
        # For "any calendar" the one that is a calendar and nothing else, so that no more is claimed for it.
        service = self.service or Service.CALDAV
        member = page.member(self.member_id)
        calendars = (_new_calendar(member),) if service in CALENDAR_SERVICES else ()
        fresh = _fresh(connection.id for connection in member.connections)
        connection = ConnectionValue(fresh, service, "", Standing.OK, calendars=calendars)
        return with_connection(page, member.id, connection)


@dataclass(frozen=True, slots=True)
class ChooseCalendar(OwnAccount):
    """Choose a calendar of this account, in place of the one that has vanished (None: there was none)."""

    loss = Loss.ADJUST
    connection_id: int
    replacing: int | None

    def apply(self, page: PageValue) -> PageValue:
        if self.replacing is not None:
            page = with_calendar(page, self.replacing, checked=False, receives=False)
        member = page.member(self.member_id)
        connection = next(known for known in member.connections if known.id == self.connection_id)
        chosen = replace(connection, calendars=(*connection.calendars, _new_calendar(member)))
        return with_connection(page, member.id, chosen)


@dataclass(frozen=True, slots=True)
class UntickCalendar(OwnAccount):
    """Neither check this calendar nor add bookings to it."""

    loss = Loss.ADJUST
    calendar_id: int

    def apply(self, page: PageValue) -> PageValue:
        return with_calendar(page, self.calendar_id, checked=False, receives=False)


@dataclass(frozen=True, slots=True)
class GoOnWithout(OwnAccount):
    """Let the page go on without this calendar while it cannot be read."""

    loss = Loss.ADJUST
    calendar_id: int

    def apply(self, page: PageValue) -> PageValue:
        return with_calendar(page, self.calendar_id, go_on_without=True)


@dataclass(frozen=True, slots=True)
class ChooseMeetAccount(OwnAccount):
    """Choose which of several Google accounts makes the Meet links."""

    loss = Loss.ADJUST
    connection_id: int

    def apply(self, page: PageValue) -> PageValue:
        member = page.member(self.member_id)
        return with_member_value(page, replace(member, meet_connection_id=self.connection_id))


@dataclass(frozen=True, slots=True)
class EnterOwnDetail(OwnAccount):
    """Enter the member's own number (for `kind` phone) or address (in person), which guests of every page read
    where the page has none."""

    loss = Loss.ADD
    kind: LocationKind

    def apply(self, page: PageValue) -> PageValue:
        member = page.member(self.member_id)
        if self.kind is LocationKind.PHONE:
            return with_member_value(page, replace(member, phone="entered"))
        return with_member_value(page, replace(member, address="entered"))


@dataclass(frozen=True, slots=True)
class Disconnect(OwnAccount):
    """Disconnect an account."""

    loss = Loss.DISCONNECT
    connection_id: int

    def apply(self, page: PageValue) -> PageValue:
        return without_connection(page, self.connection_id)


@dataclass(frozen=True, slots=True)
class AddLocation(Part):
    """Add a location of this kind (None: any that needs no account)."""

    loss = Loss.ADD
    kind: LocationKind | None

    def apply(self, page: PageValue) -> PageValue:
        return with_location(page, LocationValue(-1, self.kind or LocationKind.LINK))


@dataclass(frozen=True, slots=True)
class EnterDetail(Part):
    """Enter the number or address of a location."""

    loss = Loss.ADD
    location_id: int

    def apply(self, page: PageValue) -> PageValue:
        location = next(location for location in page.locations if location.id == self.location_id)
        return with_location(page, replace(location, detail="entered"))


@dataclass(frozen=True, slots=True)
class RemoveAllLocations(Part):
    """Remove all locations."""

    loss = Loss.REMOVE

    def apply(self, page: PageValue) -> PageValue:
        return replace(page, locations=())


@dataclass(frozen=True, slots=True)
class ChangeOwner(Part):
    """Make this member of the page its owner."""

    loss = Loss.CHANGE_OWNER
    member_id: int

    def apply(self, page: PageValue) -> PageValue:
        return with_owner(page, page.member(self.member_id))


@dataclass(frozen=True, slots=True)
class StopRequiringCalendar(Part):
    """Let members without a connected calendar be hosts too."""

    loss = Loss.ADJUST

    def apply(self, page: PageValue) -> PageValue:
        return replace(page, calendar_required=False)


@dataclass(frozen=True, slots=True)
class TakeOff(Part):
    """Take this member off the page."""

    loss = Loss.TAKE_OFF
    member_id: int

    def apply(self, page: PageValue) -> PageValue:
        return without_member(page, self.member_id)


@dataclass(frozen=True, slots=True)
class AddMember(Part):
    """Add this member to a group (None: anybody with a calendar that works, `how_many` of them)."""

    loss = Loss.ADD
    group_index: int
    member_id: int | None = None
    how_many: int = 1

    @property
    def size(self) -> int:
        return self.how_many

    def apply(self, page: PageValue) -> PageValue:
        if self.member_id is not None:
            named = page.member(self.member_id)
            return with_member(page, named, self.group_index)
        for _ in range(self.how_many):
            fresh = MemberValue(_fresh(member.id for member in page.members), "")
            page = Connect(fresh.id, None).apply(with_member(page, fresh, self.group_index))
        return page


@dataclass(frozen=True, slots=True)
class AddRoom(Part):
    """Add another room, `how_many` of them, to a group of rooms."""

    loss = Loss.ADD
    group_index: int
    how_many: int = 1

    @property
    def size(self) -> int:
        return self.how_many

    def apply(self, page: PageValue) -> PageValue:
        reader = ConnectionValue(0, Service.GOOGLE, "", Standing.OK)
        for _ in range(self.how_many):
            fresh = RoomValue(_fresh(room.id for room in page.rooms), "", (reader,))
            page = with_room(page, fresh, self.group_index)
        return page


@dataclass(frozen=True, slots=True)
class RemoveRoom(Part):
    """Remove a room."""

    loss = Loss.REMOVE
    room_id: int

    def apply(self, page: PageValue) -> PageValue:
        return without_room(page, self.room_id)


@dataclass(frozen=True, slots=True)
class ReduceGroup(Part):
    """Ask for fewer of a group."""

    loss = Loss.REMOVE
    group_index: int
    needed: int

    def apply(self, page: PageValue) -> PageValue:
        return with_group(page, self.group_index, replace(page.groups[self.group_index], needed=self.needed))


@dataclass(frozen=True, slots=True)
class RemoveGroup(Part):
    """Remove a group."""

    loss = Loss.REMOVE
    group_index: int

    def apply(self, page: PageValue) -> PageValue:
        return with_group(page, self.group_index)


def apply_parts(page: PageValue, parts: tuple[Part, ...]) -> PageValue:
    """The page's values after all parts. Groups are removed last, from the end, so that indices hold."""

    def order(part: Part) -> tuple[int, int]:
        if isinstance(part, RemoveGroup):
            return 1, -part.group_index
        return (2 if isinstance(part, RemoveRoom) else 0), 0

    for part in sorted(parts, key=order):
        page = part.apply(page)
    return page


def _new_calendar(member: MemberValue) -> CalendarValue:
    calendars = [calendar for connection in member.connections for calendar in connection.calendars]
    receives = not any(calendar.receives for calendar in calendars)
    return CalendarValue(_fresh(calendar.id for calendar in calendars), "", checked=True, receives=receives)


def _fresh(ids: Iterable[int]) -> int:
    """An id that no stored row has: rows count from 1."""
    return min(0, 0, *ids) - 1
