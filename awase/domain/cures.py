"""What would open a stopped page again (section 5 of the connection-health rules).

For each cause there are ways out; a cure takes one way for each cause. Every cure listed was tried: its
parts were applied to the page's values and the gate asked again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, islice, product

from awase.domain.gate import (
    account_behind,
    attends,
    broken_calendars,
    calendar_usable,
    evaluate,
    location_lack,
    location_standing,
    open_places,
    receiving,
)
from awase.domain.health import (
    BACKED_BY,
    CalendarValue,
    ConnectionValue,
    Group,
    LocationKind,
    LocationStanding,
    LocationValue,
    MemberValue,
    PageValue,
    RoomValue,
    Service,
    Standing,
    StopKind,
    Verdict,
)
from awase.domain.parts import (
    CALENDAR_SERVICES,
    AddLocation,
    AddMember,
    AddRoom,
    ChangeOwner,
    CheckNow,
    ChooseCalendar,
    ChooseMeetAccount,
    Connect,
    Disconnect,
    EnterDetail,
    EnterOwnDetail,
    GoOnWithout,
    Loss,
    Part,
    Reconnect,
    ReduceGroup,
    RemoveAllLocations,
    RemoveGroup,
    RemoveRoom,
    StopRequiringCalendar,
    TakeOff,
    UntickCalendar,
    Wait,
    apply_parts,
)

Way = tuple[Part, ...]
"""Changes made together, as one way out of one cause."""

MOST_COMBINATIONS = 200
"""Of a "k of" group with many broken members, so many combinations are tried, cheapest members first."""


@dataclass(frozen=True, slots=True)
class Cure:
    """Parts that, done together, open the page. Buttons for who may do them; otherwise an "ask" sentence."""

    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        """What people must do; waiting is nothing."""
        return sum(part.size for part in self.parts)

    @property
    def needs_members(self) -> tuple[int, ...]:
        """The members who alone may do parts of it, each once."""
        return tuple(dict.fromkeys(part.needs for part in self.parts if part.needs is not None))

    def __le__(self, other: "Cure") -> bool:
        """True if the other cure contains this one."""
        return set(self.parts) <= set(other.parts)

    @property
    def order(self) -> tuple[int, list[Loss]]:
        """The smallest first; of equal size what loses least, the worst part of each compared first."""
        return self.size, sorted((part.loss for part in self.parts), reverse=True)


def cures(page: PageValue, verdict: Verdict, *, limit: int | None = None) -> tuple[Cure, ...]:
    """The cures of a stopped page, or of an open one that has no place to offer; best first, at most `limit`.

    Each was tried on the values and opens the page (or gives it a place). None contains another. The order
    is total, and the same for the same values.
    """
    if verdict.open and not verdict.place_missing:
        return ()
    causes = filter(None, _causes(page, verdict))
    candidates = {
        frozenset(parts): Cure(parts)
        for choice in product(*causes)
        for parts in [_once_per_account(page, chain.from_iterable(choice))]
    }

    def works(parts: Way) -> bool:
        after = evaluate(apply_parts(page, parts))
        return after.open and not (verdict.open and after.place_missing)

    listed: list[Cure] = []
    for cure in sorted(candidates.values(), key=lambda candidate: candidate.order):
        if limit is not None and len(listed) >= limit:
            break
        if not any(known <= cure for known in listed) and works(cure.parts):
            found = Cure(_needed(cure.parts, works))
            listed = [known for known in listed if not found <= known] + [found]
    return tuple(sorted(listed, key=lambda cure: cure.order))


def _needed(parts: Way, works: Callable[[Way], bool]) -> Way:
    """`parts` without those that are too many: one cause may go away with what is done about another."""
    for part in sorted(parts, key=lambda part: part.loss, reverse=True):
        fewer = tuple(other for other in parts if other != part)
        if works(fewer):
            parts = fewer
    return parts


def _once_per_account(page: PageValue, parts: Iterable[Part]) -> Way:
    """Each part once, and of two repairs of the same account at the service only the first."""
    connections = [
        *(connection for member in page.members for connection in member.connections),
        *(reader for room in page.rooms for reader in room.readers),
    ]
    accounts = {known.id: known.credential_id or -known.id for known in connections}
    chosen: dict[object, Part] = {}
    for part in parts:
        key: object = part
        if isinstance(part, Reconnect | Wait | CheckNow):
            key = type(part), accounts[part.connection_id]
        chosen.setdefault(key, part)
    return tuple(chosen.values())


def _causes(page: PageValue, verdict: Verdict) -> Iterator[list[Way]]:
    """For each cause of the stop, the ways out of it."""
    kinds = verdict.stop_kinds
    still_open = open_places(page)
    if StopKind.NO_MEMBERS in kinds:
        (index, group), *others = page.people or ((len(page.groups), Group(())),)
        yield _ways_to_add_named(page, index, group) + ([(RemoveGroup(index),)] if others else [])
        for index, group in others:
            yield [(AddMember(index, how_many=group.needed or 1),), (RemoveGroup(index),)]
    if page.by_owner:
        if StopKind.CALENDAR in kinds:
            yield _ways_of_calendars(page)
        if StopKind.LOCATION in kinds or verdict.place_missing:
            yield _ways_of_owner_location(page)
    elif not {StopKind.CALENDAR, StopKind.LOCATION, StopKind.HOST}.isdisjoint(kinds):
        yield [way for id in page.everybody for way in _ways_to_host(page, page.member(id))]
    for index, group in enumerate(page.groups):
        if group.rooms:
            yield _ways_of_rooms(page, index, still_open.get(index, 0))
        elif page.by_owner and page.everybody and index in still_open:
            yield _ways_of_people(page, index, still_open[index])


def _ways_to_add_named(page: PageValue, index: int, group: Group) -> list[Way]:
    """On a page without members: add X, with what X lacks; where one is not enough, others beside X."""
    ways: list[Way] = []
    others = (group.needed or 1) - 1
    for member in page.members:
        if not page.by_owner:
            lacking = _ways_to_host(page, member)
        elif group.needed is None:
            lacking = _repairs(member)
        else:
            lacking = _ways_to_use_calendar(page, member)
        rest = (AddMember(index, how_many=others),) if others else ()
        ways += [(AddMember(index, member.id), *way, *rest) for way in lacking]
    return ways


def _ways_of_calendars(page: PageValue) -> list[Way]:
    """The calendars in error of the members of "all of" groups: repair them all, take these members off, or
    disconnect the broken accounts."""
    everybody = [page.member(id) for id in page.everybody if attends(page, id)]
    concerned = [member for member in everybody if broken_calendars(member)]
    return [
        *_repairs(*concerned),
        tuple(TakeOff(member.id) for member in concerned),
        *_repairs(*concerned, disconnect=True),
    ]


def _repairs(*members: MemberValue, disconnect: bool = False) -> list[Way]:
    """Repair all that is broken in the members' calendars (or disconnect what is in error): one way, or one
    for each thing that can be done about missing calendars."""
    broken = [(member, *problem) for member in members for problem in broken_calendars(member)]
    missing = any(calendar is not None for _, _, calendar in broken)
    end = _disconnect if disconnect else _restore
    return [
        tuple(
            end(member.id, connection) if calendar is None else about_missing(member, connection, calendar)
            for member, connection, calendar in broken
        )
        for about_missing in (_ABOUT_MISSING if missing else _ABOUT_MISSING[:1])
    ]


_ABOUT_MISSING: tuple[Callable[[MemberValue, ConnectionValue, CalendarValue], Part], ...] = (
    lambda member, connection, calendar: UntickCalendar(member.id, calendar.id),
    lambda member, connection, calendar: ChooseCalendar(member.id, connection.id, calendar.id),
    lambda member, connection, calendar: GoOnWithout(member.id, calendar.id),
)


def _disconnect(member_id: int, connection: ConnectionValue) -> Part:
    return Disconnect(member_id, connection.id)


def _restore(member_id: int, connection: ConnectionValue) -> Part:
    """What ends the error of a connection: its person, or time."""
    if connection.reason is None or connection.reason.needs_person:
        return Reconnect(member_id, connection.id)
    return Wait(member_id, connection.id)


def _ways_to_use_calendar(page: PageValue, member: MemberValue) -> list[Way]:
    """What gives `member` a calendar that is usable for "k of"; one empty way if it is already."""
    if calendar_usable(page, member) or broken_calendars(member):
        return _repairs(member)
    idle = [
        connection
        for connection in member.connections
        if connection.service in CALENDAR_SERVICES and connection.standing is not Standing.ERROR
    ]
    serves_both = any(location.kind is LocationKind.MEET for location in page.locations)
    return [
        (Connect(member.id, None),),
        *([(Connect(member.id, Service.GOOGLE),)] if serves_both else []),
        *((ChooseCalendar(member.id, connection.id, None),) for connection in idle),
        (StopRequiringCalendar(),),
    ]


def _ways_to_use_location(
    page: PageValue, member: MemberValue, location: LocationValue, *, present: bool = True
) -> list[Way]:
    """What makes `location`, which is not usable for `member`, so."""
    if not location.kind.account_backed:
        return [(EnterDetail(location.id),), (EnterOwnDetail(member.id, location.kind),)]
    starts: list[Way] = [()]
    if account_behind(member, location.kind) is None:
        # Only with Meet may there be accounts and none of them the one: then one can be chosen.
        service, _ = BACKED_BY[location.kind]
        accounts = [connection for connection in member.connections if connection.service is service]
        starts = [(ChooseMeetAccount(member.id, account.id),) for account in accounts]
        starts.append((Connect(member.id, service),))
    return [_completed(page, member.id, location, start, present=present) for start in starts]


def _completed(page: PageValue, member_id: int, location: LocationValue, way: Way, *, present: bool) -> Way:
    """`way`, and after it whatever the account behind the location still lacks, one thing after the other."""
    page = apply_parts(page, way)
    member = page.member(member_id)
    account = account_behind(member, location.kind)
    if account is None or location_lack(member, location, attends=present) is None:
        return way
    reason = account.lacks(BACKED_BY[location.kind][1])
    part: Part
    if account.standing is Standing.ERROR:
        part = _restore(member_id, account)
    elif reason is not None:
        part = (CheckNow if reason.needs_person else Wait)(member_id, account.id)
    else:
        written = receiving(member)
        part = ChooseCalendar(member_id, *((written[0].id, written[1].id) if written else (account.id, None)))
    return (*way, *_completed(page, member_id, location, (part,), present=present))


def _ways_to_host(page: PageValue, member: MemberValue) -> list[Way]:
    """Under `any`: what `member` lacks to be eligible."""
    locations: list[Way] = [()]
    if page.locations and all(location_lack(member, location) for location in page.locations):
        locations = [way for location in page.locations for way in _ways_to_use_location(page, member, location)]
        locations.append((AddLocation(None),))
    calendars = _ways_to_use_calendar(page, member)
    return [(*calendar, *location) for calendar, location in product(calendars, locations)]


def _ways_of_owner_location(page: PageValue) -> list[Way]:
    """No location works for the owner: one that does, another owner, none at all, or none in error."""
    owner, present = page.member(page.owner_id), attends(page, page.owner_id)
    ways = [way for location in page.locations for way in _ways_to_use_location(page, owner, location, present=present)]
    known = {location.kind for location in page.locations}
    others = [LocationValue(0, kind) for kind in BACKED_BY if kind not in known]
    ways += [(AddLocation(new.kind),) for new in others if not location_lack(owner, new, attends=present)]
    ways.append((AddLocation(None),))
    for id in page.everybody:
        standings = [
            location_standing(page.member(id), location, attends=attends(page, id)) for location in page.locations
        ]
        if id != owner.id and LocationStanding.USABLE in standings:
            ways.append((ChangeOwner(id),))
    ways.append((RemoveAllLocations(),))
    behind = [account_behind(owner, kind) for kind in BACKED_BY if kind in known]
    # A Google account that only lacks Meet is not broken: its calendars are not given up for that.
    broken = [
        account
        for account in behind
        if account and (account.standing is Standing.ERROR or account.service is not Service.GOOGLE)
    ]
    return [*ways, tuple(Disconnect(owner.id, account.id) for account in broken)]


def _ways_of_people(page: PageValue, index: int, places: int) -> list[Way]:
    """A group of people of which `places` stay open."""
    group = page.groups[index]
    if group.needed is None and group.ids:
        twice = [id for id in group.ids if sum(id in other.ids for _, other in page.people) > 1]
        return [*((TakeOff(id),) for id in twice), (RemoveGroup(index),)]
    others = [page.member(id) for id in dict.fromkeys(group.ids) if not attends(page, id)]
    repairs = [_ways_to_use_calendar(page, member) for member in others if not calendar_usable(page, member)]
    return _ways_of_set(index, group, places, repairs, AddMember(index, how_many=places))


def _ways_of_rooms(page: PageValue, index: int, places: int) -> list[Way]:
    """A group of rooms: required ones in error, or one of which `places` stay open."""
    group = page.groups[index]
    broken = [room for room in page.rooms if room.id in group.ids and not room.usable]
    if places:
        repairs = [_room_repairs(room) for room in broken]
        return _ways_of_set(index, group, places, repairs, AddRoom(index, how_many=places))
    if group.needed is not None:
        return []
    removals: list[Way] = [(RemoveRoom(room.id),) for room in broken]
    repaired = product(*(_room_repairs(room) or [removal] for room, removal in zip(broken, removals, strict=True)))
    return [tuple(chain.from_iterable(ways)) for ways in (*repaired, removals)]


def _room_repairs(room: RoomValue) -> list[Way]:
    """Reconnect the account through which the room was added; an outage of any reader ends by itself."""
    if room.missing or room.member_id is None:
        return []
    parts = [_restore(room.member_id, reader) for reader in room.readers]
    return [(part,) for position, part in enumerate(parts) if position == 0 or isinstance(part, Wait)]


def _ways_of_set(index: int, group: Group, places: int, repairs: Sequence[list[Way]], addition: Part) -> list[Way]:
    """As many of the broken ones repaired as `places` are open, or that many added, fewer asked for, or the
    group removed."""
    cheapest_first = sorted(repairs, key=lambda ways: min((Cure(way).size for way in ways), default=0))
    together = (
        tuple(chain.from_iterable(choice))
        for chosen in combinations(cheapest_first, places)
        for choice in product(*chosen)
    )
    ways: list[Way] = [*islice(together, MOST_COMBINATIONS), (addition,)]
    if group.needed is not None and group.ids and group.needed > places:
        ways.append((ReduceGroup(index, group.needed - places),))
    return [*ways, (RemoveGroup(index),)]
