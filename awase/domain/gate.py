"""The one gate: may this page take a booking now, from which hosts, at which locations, and if not, why?

Section 3 and 4 of the connection-health rules, as one pure function of values: no clock, no database, no
network. The page list, the public page, slots, bookings, the API and the notices all read `evaluate`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from awase.domain.errors import Capability
from awase.domain.health import (
    BACKED_BY,
    CalendarStanding,
    CalendarValue,
    ConnectionValue,
    HostAnswer,
    Lack,
    LocationKind,
    LocationStanding,
    LocationValue,
    MemberValue,
    PageValue,
    RoomValue,
    Standing,
    StopKind,
    Verdict,
)

_SENTENCE_ORDER = {kind: position for position, kind in enumerate(StopKind)}

Members = Mapping[int, MemberValue]


def calendar_standing(member: MemberValue) -> CalendarStanding:
    """`calendar(M)`: error if a calendar that counts is missing or its connection is in error; else ok if
    any calendar is checked or receives bookings; else none."""
    if broken_calendars(member):
        return CalendarStanding.ERROR
    in_use = any(calendar.in_use for connection in member.connections for calendar in connection.calendars)
    return CalendarStanding.OK if in_use else CalendarStanding.NONE


def broken_calendars(
    member: MemberValue, *, counting: bool = True
) -> list[tuple[ConnectionValue, CalendarValue | None]]:
    """What is broken in the member's calendars that count (or, in use, do not): each connection in error,
    with None, and each missing calendar of a connection that works."""
    broken: list[tuple[ConnectionValue, CalendarValue | None]] = []
    for connection in member.connections:
        calendars = [c for c in connection.calendars if c.in_use and c.counts is counting]
        if connection.standing is Standing.ERROR:
            broken += [(connection, None)] if calendars else []
        else:
            broken += [(connection, calendar) for calendar in calendars if calendar.missing]
    return broken


def location_standing(member: MemberValue, location: LocationValue, *, attends: bool = True) -> LocationStanding:
    """`location(M, L)`. `attends` is False for a page owner who is not sure to be a host of each booking: a
    Meet link is then written to the calendar that his bookings are added to, which must exist."""
    lack = location_lack(member, location, attends=attends)
    if lack is None:
        return LocationStanding.USABLE
    return LocationStanding.ERROR if lack.error else LocationStanding.NOT_CONNECTED


def receiving(member: MemberValue) -> tuple[ConnectionValue, CalendarValue] | None:
    """The calendar that the member's bookings are added to, with its connection; None if there is none."""
    return next(
        (
            (connection, calendar)
            for connection in member.connections
            for calendar in connection.calendars
            if calendar.receives
        ),
        None,
    )


def account_behind(member: MemberValue, kind: LocationKind) -> ConnectionValue | None:
    """The member's account that makes the links of an account-backed `kind`; None if there is none.

    Zoom, Teams: the member's connection (of several, one that works). Meet: the Google account that bookings
    are added to, else the one chosen for Meet, else an only one.
    """
    service, capability = BACKED_BY[kind]
    own = [connection for connection in member.connections if connection.service is service]
    if kind is LocationKind.MEET:
        written = receiving(member)
        if written is not None and written[0].service is service:
            return written[0]
        chosen = [connection for connection in own if connection.id == member.meet_connection_id] or own
        return chosen[0] if len(chosen) == 1 else None
    works = [
        connection
        for connection in own
        if connection.standing is not Standing.ERROR and connection.lacks(capability) is None
    ]
    return next(iter(works or own), None)


def location_lack(member: MemberValue, location: LocationValue, *, attends: bool = True) -> Lack | None:
    """What keeps `location` from being usable for `member` (an error, or not connected); None if nothing.
    `attends` as in `location_standing`."""
    lack = Lack(
        StopKind.LOCATION,
        member_id=member.id,
        location_id=location.id,
        location_kind=location.kind,
        error=False,
    )
    if not location.kind.account_backed:
        own = {LocationKind.PHONE: member.phone, LocationKind.IN_PERSON: member.address}.get(location.kind)
        return lack if own is not None and not (location.detail or own) else None
    account = account_behind(member, location.kind)
    if account is None:
        return lack
    lack = replace(lack, error=True, connection_id=account.id, service=account.service, account=account.account)
    if account.standing is Standing.ERROR:
        return replace(lack, reason=account.reason)
    reason = account.lacks(BACKED_BY[location.kind][1])
    if reason is not None:
        return replace(lack, reason=reason)
    if location.kind is LocationKind.MEET and not attends:
        written = receiving(member)
        if written is None:
            return replace(lack, calendar_missing=True)
        calendar = written[1]
        if calendar.missing:
            return replace(lack, calendar_missing=True, calendar_id=calendar.id, calendar_name=calendar.name)
    return None


def calendar_usable(page: PageValue, member: MemberValue) -> bool:
    """True if the member's calendar lets them be one of "k of": ok, or none where the page requires none."""
    standing = calendar_standing(member)
    return standing is CalendarStanding.OK or (standing is CalendarStanding.NONE and not page.calendar_required)


def attends(page: PageValue, member_id: int) -> bool:
    """True if the member takes part in every booking of the page: a member of an "all of" group."""
    return any(group.needed is None and member_id in group.ids for _, group in page.people)


def open_places(page: PageValue) -> dict[int, int]:
    """How many places stay open in which groups (by index; only those) when all are filled at once.

    An "all of" group has a place for each of its ids, whatever their state (their errors stop the page by
    themselves); a "k of" group has k, for those whose calendar, or room, is usable. Nobody fills two places.
    An empty group has at least one, which nobody can fill. Under `any` people are not asked for here.
    """
    members = {member.id: member for member in page.members}
    rooms = {room.id: room for room in page.rooms}
    places: list[tuple[int, list[tuple[bool, int]]]] = []
    # Fixed places first: augmenting paths never take a seat away from those who have only this one.
    for index, group in sorted(enumerate(page.groups), key=lambda item: item[1].needed is not None):
        ids = list(dict.fromkeys(group.ids))
        if not ids and (group.rooms or page.by_owner):
            places += [(index, [])] * max(group.needed or 1, 1)
        elif group.needed is None:
            places += [(index, [(group.rooms, id)]) for id in ids]
        elif group.rooms:
            places += [(index, [(True, id) for id in ids if rooms[id].usable])] * group.needed
        elif page.by_owner:
            usable = [(False, id) for id in ids if calendar_usable(page, members[id])]
            places += [(index, usable)] * group.needed
    seated: dict[tuple[bool, int], int] = {}

    def seat(place: int, asked: set[tuple[bool, int]]) -> bool:
        for who in sorted(places[place][1], key=seated.__contains__):  # the free first
            if who not in asked:
                asked.add(who)
                if who not in seated or seat(seated[who], asked):
                    seated[who] = place
                    return True
        return False

    return dict(Counter(index for place, (index, _) in enumerate(places) if not seat(place, set())))


@dataclass(slots=True)
class _Findings:
    """What the parts of the gate find, before it becomes a verdict."""

    stops: list[Lack] = field(default_factory=list)
    warnings: list[Lack] = field(default_factory=list)
    left_out: list[Lack] = field(default_factory=list)
    hosts: list[HostAnswer] = field(default_factory=list)
    offered: tuple[int, ...] = ()


def evaluate(page: PageValue) -> Verdict:
    """The gate's answer for one page. Pure: the effective states, with the caller's clock, are in the values.

    Raises KeyError if `page` names an owner, member or room that it does not hold.
    """
    members = {member.id: member for member in page.members}
    found = _Findings()
    still_open = open_places(page)
    if page.by_owner:
        _owner_location(page, members, found)
        _groups_of_people(page, members, still_open, found)
    else:
        _eligible_hosts(page, members, found)
    _groups_of_rooms(page, still_open, found)
    if not page.everybody:
        found.stops.append(Lack(StopKind.NO_MEMBERS, error=False))
    for id in page.everybody:
        found.warnings += _idle_calendar_lacks(members[id])
    is_open = not found.stops
    return Verdict(
        open=is_open,
        stops=tuple(sorted(dict.fromkeys(found.stops), key=lambda stop: _SENTENCE_ORDER[stop.kind])),
        hosts=tuple(found.hosts) if is_open else (),
        offered=found.offered if is_open else (),
        locations_by_owner=page.by_owner,
        place_missing=is_open and bool(page.locations) and not found.offered,
        warnings=tuple(dict.fromkeys(found.warnings)),
        left_out=tuple(dict.fromkeys(found.left_out)),
        rooms=tuple(room.id for room in page.rooms if room.usable),
    )


def _owner_location(page: PageValue, members: Members, found: _Findings) -> None:
    """Stop if the page has locations, none usable for the owner, and at least one in error."""
    owner, present = members[page.owner_id], attends(page, page.owner_id)
    lacks = {location.id: location_lack(owner, location, attends=present) for location in page.locations}
    found.offered = tuple(id for id, lack in lacks.items() if lack is None)
    for lack in filter(None, lacks.values()):
        (found.stops if lack.error and not found.offered else found.warnings).append(lack)


def _groups_of_people(page: PageValue, members: Members, still_open: Mapping[int, int], found: _Findings) -> None:
    """The calendar rule of `all` for each "all of" group; "k of" groups need k whose calendar is usable."""
    hosts: list[int] = []
    for index, group in page.people:
        broken: list[Lack] = []
        for id in dict.fromkeys(group.ids):
            if group.needed is None:
                found.stops += _calendar_lacks(members[id])
            elif not calendar_usable(page, members[id]):
                broken += [] if attends(page, id) else _unusable_calendar_lacks(members[id])
                continue
            hosts.append(id)
        if index not in still_open:
            found.left_out += broken
        elif page.everybody:
            not_filled = broken or [Lack(StopKind.GROUP, error=False)]
            found.stops += [replace(lack, kind=StopKind.GROUP, group_index=index) for lack in not_filled]
    found.hosts = [HostAnswer(id, found.offered) for id in dict.fromkeys(hosts)]


def _eligible_hosts(page: PageValue, members: Members, found: _Findings) -> None:
    """The rule of `any`: stop if no member has both a usable calendar and, on a page with locations, one."""
    calendars: list[Lack] = []
    locations: list[Lack] = []
    with_calendar = with_location = False
    of_hosts: list[Lack] = []
    for member in (members[id] for id in page.everybody):
        no_calendar = [] if calendar_usable(page, member) else _unusable_calendar_lacks(member)
        lacks = {location.id: location_lack(member, location) for location in page.locations}
        usable = tuple(id for id, lack in lacks.items() if lack is None)
        unusable = [lack for lack in lacks.values() if lack is not None]
        no_location = unusable if page.locations and not usable else []
        with_calendar |= not no_calendar
        with_location |= not no_location
        if no_calendar or no_location:
            calendars += no_calendar
            locations += no_location
        else:
            found.hosts.append(HostAnswer(member.id, usable))
            of_hosts += unusable
    held = {id for host in found.hosts for id in host.location_ids}
    found.offered = tuple(location.id for location in page.locations if location.id in held)
    found.warnings += [lack for lack in of_hosts if lack.error or lack.location_id not in held]
    if found.hosts:
        found.left_out += calendars + locations
        return
    if with_calendar and with_location:
        found.stops += [replace(lack, kind=StopKind.HOST) for lack in calendars + locations]
    else:
        found.stops += ([] if with_calendar else calendars) + ([] if with_location else locations)


def _groups_of_rooms(page: PageValue, still_open: Mapping[int, int], found: _Findings) -> None:
    """All required rooms must be usable; of a set, as many as are needed."""
    rooms = {room.id: room for room in page.rooms}
    for index, group in enumerate(page.groups):
        if not group.rooms:
            continue
        broken = [_room_lack(rooms[id], index) for id in group.ids if not rooms[id].usable]
        required = group.needed is None
        (found.stops if required or index in still_open else found.warnings).extend(broken)
        if index in still_open and (required or not broken):
            found.stops.append(Lack(StopKind.GROUP, group_index=index, error=False))


def _room_lack(room: RoomValue, group_index: int) -> Lack:
    lack = Lack(
        StopKind.ROOM,
        member_id=room.member_id,
        room_id=room.id,
        group_index=group_index,
        calendar_name=room.name,
        calendar_missing=room.missing,
    )
    if not room.readers:
        return lack
    reader = room.readers[0]
    return replace(
        lack,
        connection_id=reader.id,
        service=reader.service,
        account=reader.account,
        reason=None if room.missing else reader.reason,
    )


def _calendar_lacks(member: MemberValue) -> list[Lack]:
    """What is broken in the calendars of `member` that count."""
    return [_calendar_lack(member, *broken) for broken in broken_calendars(member)]


def _unusable_calendar_lacks(member: MemberValue) -> list[Lack]:
    """The same for a member who may not be one of "k of": what is broken, or that there is no calendar."""
    return _calendar_lacks(member) or [Lack(StopKind.CALENDAR, member_id=member.id, error=False)]


def _idle_calendar_lacks(member: MemberValue) -> list[Lack]:
    """What does not stop a page: calendars under *go on without it* that cannot be read, and an account
    that can be read but takes no new events (storage full)."""
    told = broken_calendars(member)
    lacks = [
        _calendar_lack(member, *broken) for broken in broken_calendars(member, counting=False) if broken not in told
    ]
    written = receiving(member)
    full = written and written[0].lacks(Capability.CALENDAR)
    if written and full:
        lacks.append(replace(_calendar_lack(member, written[0], None), reason=full))
    return lacks


def _calendar_lack(member: MemberValue, connection: ConnectionValue, missing: CalendarValue | None) -> Lack:
    lack = Lack(
        StopKind.CALENDAR,
        member_id=member.id,
        connection_id=connection.id,
        service=connection.service,
        account=connection.account,
        reason=connection.reason,
    )
    if missing is None:
        return lack
    return replace(lack, calendar_id=missing.id, calendar_name=missing.name, calendar_missing=True)
