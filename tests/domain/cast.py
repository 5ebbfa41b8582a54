"""People, accounts and pages for the health tests, in the shorthand of the worked cases.

`person("A", "G+ Z!")`: a Google account that works, a Zoom account in error. `G+` and `G!` have one calendar
that is checked and receives bookings; a later account's calendar is checked only. `g` stands for a Google
account of which nothing is in use, `?` for one that is degraded, `G-` for one that is not connected.
"""

from dataclasses import replace
from typing import Any

from awase.domain.errors import Capability, Reason
from awase.domain.health import (
    CalendarValue,
    ConnectionValue,
    Group,
    LocationKind,
    LocationValue,
    MemberValue,
    PageValue,
    RoomValue,
    Service,
    Standing,
)

SERVICES = {
    "G": Service.GOOGLE,
    "M": Service.MICROSOFT,
    "C": Service.CALDAV,
    "Z": Service.ZOOM,
    "T": Service.TEAMS,
}
CALENDAR_SERVICES = {Service.GOOGLE, Service.MICROSOFT, Service.CALDAV}
STANDINGS = {"+": Standing.OK, "?": Standing.DEGRADED, "!": Standing.ERROR, "~": Standing.ERROR}
REASONS = {"!": Reason.REVOKED, "~": Reason.UNREACHABLE}
OTHERS_IDS = 1000


def person(name: str, accounts: str = "", **filled: Any) -> MemberValue:
    """A member whose id is the position of the first letter of `name` (A is 1); connection ids are 10 × id
    + position from 1, each calendar's id that of its connection. `~` is an outage past the tolerance."""
    member_id = ord(name[0]) - ord("A") + 1
    connections: list[ConnectionValue] = []
    for token in accounts.split():
        letter, sign = token[0], token[1]
        if sign == "-":
            continue
        service = SERVICES[letter.upper()]
        connection_id = 10 * member_id + len(connections) + 1
        receives = not any(calendar.receives for other in connections for calendar in other.calendars)
        calendar = CalendarValue(connection_id, f"{name}'s calendar", checked=True, receives=receives)
        in_use = letter.isupper() and service in CALENDAR_SERVICES
        connections.append(
            ConnectionValue(
                connection_id,
                service,
                f"{name.lower()}@{service}.test",
                STANDINGS[sign],
                REASONS.get(sign),
                calendars=(calendar,) if in_use else (),
            )
        )
    return MemberValue(member_id, name, tuple(connections), **filled)


def with_calendar(member: MemberValue, calendar_id: int, **changes: Any) -> MemberValue:
    """The member with one calendar changed."""

    def changed(calendar: CalendarValue) -> CalendarValue:
        return replace(calendar, **changes) if calendar.id == calendar_id else calendar

    return replace(
        member,
        connections=tuple(
            replace(connection, calendars=tuple(map(changed, connection.calendars)))
            for connection in member.connections
        ),
    )


def lacking(member: MemberValue, capability: Capability, reason: Reason = Reason.LICENCE_MISSING) -> MemberValue:
    """The member whose accounts all lack a capability."""
    return replace(
        member,
        connections=tuple(replace(connection, lacking=((capability, reason),)) for connection in member.connections),
    )


def place(*kinds: LocationKind | str) -> tuple[LocationValue, ...]:
    """Locations with ids from 1. Phone and in person carry the page's own number and address."""
    return tuple(
        LocationValue(position, LocationKind(kind), "" if LocationKind(kind).account_backed else "given")
        for position, kind in enumerate(kinds, 1)
    )


def page_of(
    condition: str,
    members: list[MemberValue],
    locations: tuple[LocationValue, ...] = (),
    *,
    calendar_required: bool = True,
    outside_owner: MemberValue | None = None,
) -> PageValue:
    """A page under `all` or `any`; the first member is the owner unless `outside_owner` is."""
    return lists_of(
        [Group(tuple(member.id for member in members), None if condition == "all" else 1)],
        members,
        locations,
        owner=outside_owner or (members[0] if members else person("O", "G+ Z+")),
        calendar_required=calendar_required,
    )


def lists_of(
    groups: list[Group],
    members: list[MemberValue],
    locations: tuple[LocationValue, ...] = (),
    *,
    owner: MemberValue,
    rooms: tuple[RoomValue, ...] = (),
    calendar_required: bool = True,
) -> PageValue:
    """A page with any list of groups."""
    return PageValue(
        id=1,
        owner_id=owner.id,
        members=tuple(dict.fromkeys([owner, *members])),
        groups=tuple(groups),
        locations=locations,
        rooms=rooms,
        calendar_required=calendar_required,
    )


def room(id: int, sign: str = "+", *, readers: int = 1, missing: bool = False) -> RoomValue:
    """A room that the account of member 1 reads; `sign` as in `person`, for the first reader. Others work.
    The readers' connection ids are 1000 + 10 × the room's id + position from 0."""
    standings = [sign] + ["+"] * (readers - 1) if readers else []
    accounts = tuple(
        ConnectionValue(
            OTHERS_IDS + 10 * id + position,
            Service.GOOGLE,
            f"rooms{position}@google.test",
            STANDINGS[s],
            REASONS.get(s),
        )
        for position, s in enumerate(standings)
    )
    return RoomValue(id, f"Room {id}", accounts, missing, "A" if readers else "", 1 if readers else None)
