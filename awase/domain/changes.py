"""Changes to a page's values: what cures try out, and what previews show before somebody does it.

Every function takes a page's values and gives new ones; none of them touches the real thing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from awase.domain.gate import evaluate
from awase.domain.health import (
    CalendarValue,
    ConnectionValue,
    Group,
    LocationValue,
    MemberValue,
    PageValue,
    RoomValue,
    Standing,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do to a page: the gate's answer before and after it."""

    before: Verdict
    after: Verdict

    @property
    def stops(self) -> bool:
        return self.before.open and not self.after.open

    @property
    def opens(self) -> bool:
        return self.after.open and not self.before.open


def preview(before: PageValue, after: PageValue) -> Preview:
    """Whether a change stops or opens a page (health alone; the manual switch is left alone)."""
    return Preview(evaluate(before), evaluate(after))


def with_member_value(page: PageValue, member: MemberValue) -> PageValue:
    """The page with this state of `member`, known before or not; the groups stay as they are."""
    if all(known.id != member.id for known in page.members):
        return replace(page, members=(*page.members, member))
    return replace(page, members=tuple(member if known.id == member.id else known for known in page.members))


def with_connection(page: PageValue, member_id: int, connection: ConnectionValue) -> PageValue:
    """The page after the member connected an account, or in place of the connection with the same id."""
    member = page.member(member_id)
    if all(known.id != connection.id for known in member.connections):
        return with_member_value(page, replace(member, connections=(*member.connections, connection)))
    return _each_connection(page, lambda known: connection if known.id == connection.id else known)


def without_connection(page: PageValue, connection_id: int) -> PageValue:
    """The page after a disconnect: the member's calendars, links, and rooms read by it alone are lost."""

    def kept(connections: Iterable[ConnectionValue]) -> tuple[ConnectionValue, ...]:
        return tuple(connection for connection in connections if connection.id != connection_id)

    return replace(
        page,
        members=tuple(replace(member, connections=kept(member.connections)) for member in page.members),
        rooms=tuple(replace(room, readers=kept(room.readers)) for room in page.rooms),
    )


def with_account(
    page: PageValue, connection_id: int, change: Callable[[ConnectionValue], ConnectionValue]
) -> PageValue:
    """The page with `change` made to this connection and to all of the same account at the service."""
    known = [connection for member in page.members for connection in member.connections]
    known += [reader for room in page.rooms for reader in room.readers]
    accounts = {connection.credential_id for connection in known if connection.id == connection_id} - {None}
    return _each_connection(
        page,
        lambda other: change(other) if other.id == connection_id or other.credential_id in accounts else other,
    )


def with_repair(page: PageValue, connection_id: int) -> PageValue:
    """The page after the account behind this connection works again; missing capabilities stay."""
    return with_account(page, connection_id, lambda known: replace(known, standing=Standing.OK, reason=None))


def with_calendar(page: PageValue, calendar_id: int, **changes: Any) -> PageValue:
    """The page with fields of `CalendarValue` changed on one calendar."""

    def changed(calendar: CalendarValue) -> CalendarValue:
        return replace(calendar, **changes) if calendar.id == calendar_id else calendar

    return _each_connection(page, lambda known: replace(known, calendars=tuple(map(changed, known.calendars))))


def with_member(page: PageValue, member: MemberValue, group_index: int = 0) -> PageValue:
    """The page with `member` added to a group of people; an index past the last makes a new "all of" group."""
    groups = list(page.groups)
    if group_index >= len(groups):
        groups.append(Group((member.id,)))
    else:
        groups[group_index] = replace(groups[group_index], ids=(*groups[group_index].ids, member.id))
    return replace(with_member_value(page, member), groups=tuple(groups))


def without_member(page: PageValue, member_id: int) -> PageValue:
    """The page after the member was taken off; a page owner stays its owner. Emptied groups stay, unfilled."""
    return replace(
        page,
        groups=tuple(
            group if group.rooms else replace(group, ids=tuple(id for id in group.ids if id != member_id))
            for group in page.groups
        ),
    )


def with_owner(page: PageValue, owner: MemberValue) -> PageValue:
    """The page with another owner."""
    return replace(with_member_value(page, owner), owner_id=owner.id)


def in_place_of(page: PageValue, member_id: int, heir: MemberValue) -> PageValue:
    """The page handed over to `heir`, who owns it, and takes the member's place in its groups unless they are in
    one already."""
    handed = with_owner(page, heir)
    if heir.id in page.everybody:
        return without_member(handed, member_id)
    groups = tuple(
        group if group.rooms else replace(group, ids=tuple(heir.id if id == member_id else id for id in group.ids))
        for group in handed.groups
    )
    return replace(handed, groups=groups)


def with_hosts(page: PageValue, host_ids: Iterable[int]) -> PageValue:
    """The page as an existing booking sees it: its own hosts in place of the groups of people."""
    rooms = tuple(group for group in page.groups if group.rooms)
    needed = None if page.by_owner else 1
    return replace(page, groups=(Group(tuple(host_ids), needed), *rooms))


def with_location(page: PageValue, location: LocationValue) -> PageValue:
    """The page with a location added, or in place of the one with the same id."""
    if all(known.id != location.id for known in page.locations):
        return replace(page, locations=(*page.locations, location))
    return replace(page, locations=tuple(location if known.id == location.id else known for known in page.locations))


def without_location(page: PageValue, location_id: int) -> PageValue:
    """The page with a location removed."""
    return replace(page, locations=tuple(known for known in page.locations if known.id != location_id))


def with_room(page: PageValue, room: RoomValue, group_index: int) -> PageValue:
    """The page with a room added to a group of rooms."""
    group = page.groups[group_index]
    page = replace(page, rooms=(*page.rooms, room))
    return with_group(page, group_index, replace(group, ids=(*group.ids, room.id)))


def without_room(page: PageValue, room_id: int) -> PageValue:
    """The page with a room removed. Required rooms are no longer asked for when the last one is gone; a set
    "any one of these" stays, unfilled."""
    groups: list[Group] = []
    for group in page.groups:
        ids = tuple(id for id in group.ids if not (group.rooms and id == room_id))
        if ids or ids == group.ids or group.needed is not None:
            groups.append(replace(group, ids=ids))
    return replace(page, groups=tuple(groups))


def with_group(page: PageValue, group_index: int, *group: Group) -> PageValue:
    """The page with another group at this index, or with none."""
    return replace(page, groups=(*page.groups[:group_index], *group, *page.groups[group_index + 1 :]))


def _each_connection(page: PageValue, change: Callable[[ConnectionValue], ConnectionValue]) -> PageValue:
    return replace(
        page,
        members=tuple(replace(member, connections=tuple(map(change, member.connections))) for member in page.members),
        rooms=tuple(replace(room, readers=tuple(map(change, room.readers))) for room in page.rooms),
    )
