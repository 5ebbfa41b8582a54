"""Assignment lists, rooms, and pages without members."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awase.domain.errors import Reason
from awase.domain.gate import evaluate, open_places
from awase.domain.health import Group, LocationKind, MemberValue, PageValue, RoomValue, StopKind
from tests.domain import oracle
from tests.domain.cast import lists_of, page_of, person, place, room

A, B, C, D, E = 1, 2, 3, 4, 5
OPEN: tuple[StopKind, ...] = ()
CALENDAR, GROUP, ROOM = (StopKind.CALENDAR,), (StopKind.GROUP,), (StopKind.ROOM,)


def team(**calendars: str) -> list[MemberValue]:
    """`team(A="G+", B="G!")`; A, the owner, has Zoom as well."""
    return [person(name, accounts + (" Z+" if name == "A" else "")) for name, accounts in calendars.items()]


WELL = {"A": "G+", "B": "G+", "C": "G+", "D": "G+", "E": "G+"}
EXAMPLE = [Group((A, B)), Group((C, D, E), 1)]


@pytest.mark.parametrize(
    ("groups", "broken", "stops"),
    [
        pytest.param(EXAMPLE, {}, OPEN, id="A and B, and one of C, D, E"),
        pytest.param(EXAMPLE, {"C": "G!", "D": "G-"}, OPEN, id="one of the three is left"),
        pytest.param(EXAMPLE, {"C": "G!", "D": "G-", "E": "G!"}, GROUP, id="none of the three is left"),
        pytest.param(EXAMPLE, {"B": "G!"}, CALENDAR, id="a fixed member broken beside a pool"),
        pytest.param(EXAMPLE, {"B": "G-"}, OPEN, id="a fixed member without a calendar is no error"),
        pytest.param(
            EXAMPLE, {"B": "G!", "C": "G!", "D": "G!", "E": "G!"}, CALENDAR + GROUP, id="both, calendar first"
        ),
        pytest.param([Group((A, B), 2)], {}, OPEN, id="two of two"),
        pytest.param([Group((A, B, C), 2)], {"A": "G!"}, OPEN, id="two of three, one broken"),
        pytest.param([Group((A, B, C), 2)], {"A": "G!", "B": "G!"}, GROUP, id="two of three, two broken"),
        pytest.param([Group((A, B), 3)], {}, GROUP, id="three of two"),
        pytest.param([Group((A, A), 2)], {}, GROUP, id="nobody fills two places of a group"),
        pytest.param([Group((A,)), Group((A, B), 1)], {}, OPEN, id="A is taken, B fills the second"),
        pytest.param([Group((A,)), Group((A, B), 1)], {"B": "G!"}, GROUP, id="A cannot fill both"),
        pytest.param([Group((A,)), Group((A, B))], {}, GROUP, id="A is asked for twice"),
        pytest.param([Group((A, B), 1), Group((A, C), 1)], {"C": "G!"}, OPEN, id="A gives way to B"),
        pytest.param(
            [Group((A, B), 1), Group((B, C), 1), Group((C, A), 1)], {"C": "G!"}, GROUP, id="two for three places"
        ),
        pytest.param([Group((A,)), Group((), 1)], {}, GROUP, id="an empty group cannot be filled"),
        pytest.param([Group((A,)), Group(())], {}, GROUP, id="an empty all-of group cannot be filled"),
    ],
)
def test_an_assignment_list(groups: list[Group], broken: dict[str, str], stops: tuple[StopKind, ...]) -> None:
    members = team(**(WELL | broken))
    verdict = evaluate(lists_of(groups, members, place("zoom"), owner=members[0]))
    assert verdict.stop_kinds == stops


def test_the_group_that_cannot_be_filled_names_what_its_members_lack() -> None:
    members = team(A="G+", B="G+", C="G!", D="G-", E="G~")
    verdict = evaluate(lists_of(EXAMPLE, members, owner=members[0]))
    assert [(stop.member_id, stop.reason, stop.error, stop.group_index) for stop in verdict.stops] == [
        (C, Reason.REVOKED, True, 1),
        (D, None, False, 1),
        (E, Reason.UNREACHABLE, True, 1),
    ]


def test_a_group_stopped_by_how_it_is_set_is_no_error() -> None:
    members = team(A="G+")
    verdict = evaluate(lists_of([Group((A,)), Group((A,), 1)], members, owner=members[0]))
    assert verdict.by_setting
    assert [stop.group_index for stop in verdict.stops] == [1]


def test_those_left_out_of_a_group_are_named_and_are_no_hosts() -> None:
    members = team(A="G+", B="G+", C="G!", D="G-", E="G+")
    verdict = evaluate(lists_of(EXAMPLE, members, place("zoom"), owner=members[0]))
    assert [lack.member_id for lack in verdict.left_out] == [C, D]
    assert {host.member_id: host.location_ids for host in verdict.hosts} == {A: (1,), B: (1,), E: (1,)}
    assert verdict.locations_by_owner


def test_members_without_a_calendar_fill_a_group_where_none_is_required() -> None:
    members = team(A="G+", B="G+", C="G-")
    page = lists_of([Group((A, B)), Group((C,), 1)], members, owner=members[0], calendar_required=False)
    assert evaluate(page).open


def test_on_a_list_the_link_comes_from_the_owner() -> None:
    members = [person("A", "G+ Z!"), person("B", "G+ Z+")]
    verdict = evaluate(lists_of([Group((A,), 1), Group((B,), 1)], members, place("zoom"), owner=members[0]))
    assert [(stop.kind, stop.member_id) for stop in verdict.stops] == [(StopKind.LOCATION, A)]


def test_the_owners_meet_is_written_to_his_calendar_where_he_may_not_be_a_host() -> None:
    owner = person("A", "g+")
    members = [owner, person("B", "G+"), person("C", "G+")]
    pool = [Group((C,)), Group((A, B), 1)]
    fixed = [Group((A, C)), Group((B,), 1)]
    assert evaluate(lists_of(pool, members, place("meet"), owner=owner)).stop_kinds == (StopKind.LOCATION,)
    assert evaluate(lists_of(fixed, members, place("meet"), owner=owner)).open


def with_rooms(groups: list[Group], *rooms: RoomValue, condition: str = "all") -> PageValue:
    people = Group((A,), None if condition == "all" else 1)
    member = person("A", "G+")
    return lists_of([people, *groups], [member], owner=member, rooms=rooms)


@pytest.mark.parametrize("condition", ["all", "any"])
@pytest.mark.parametrize(
    ("group", "rooms", "stops", "usable"),
    [
        pytest.param(Group((1, 2), rooms=True), (room(1), room(2)), OPEN, (1, 2), id="required rooms"),
        pytest.param(Group((1, 2), rooms=True), (room(1), room(2, "!")), ROOM, (1,), id="one in error"),
        pytest.param(Group((1, 2), rooms=True), (room(1), room(2, "~")), ROOM, (1,), id="one unreachable"),
        pytest.param(Group((1,), rooms=True), (room(1, missing=True),), ROOM, (), id="missing"),
        pytest.param(Group((1,), rooms=True), (room(1, readers=0),), ROOM, (), id="no longer connected"),
        pytest.param(Group((1,), rooms=True), (room(1, "!", readers=2),), OPEN, (1,), id="another reads it"),
        pytest.param(Group((1, 2), 1, rooms=True), (room(1, "!"), room(2)), OPEN, (2,), id="any one of two"),
        pytest.param(Group((1, 2), 1, rooms=True), (room(1, "!"), room(2, "!")), ROOM, (), id="none of two"),
        pytest.param(Group((1, 2), 2, rooms=True), (room(1, "!"), room(2)), ROOM, (2,), id="two of two"),
        pytest.param(Group((1,), 2, rooms=True), (room(1),), GROUP, (1,), id="two of one"),
        pytest.param(Group((), rooms=True), (), GROUP, (), id="an empty group of rooms"),
        pytest.param(Group((), 1, rooms=True), (), GROUP, (), id="an empty set of rooms"),
    ],
)
def test_rooms(
    condition: str,
    group: Group,
    rooms: tuple[RoomValue, ...],
    stops: tuple[StopKind, ...],
    usable: tuple[int, ...],
) -> None:
    verdict = evaluate(with_rooms([group], *rooms, condition=condition))
    assert verdict.stop_kinds == stops
    assert verdict.rooms == usable


def test_a_room_is_booked_once_though_two_groups_ask_for_it() -> None:
    groups = [Group((1,), rooms=True), Group((1, 2), 1, rooms=True)]
    assert evaluate(with_rooms(groups, room(1), room(2))).open
    assert evaluate(with_rooms(groups, room(1), room(2, "!"))).stop_kinds == ROOM


def test_a_room_does_not_fill_the_place_of_a_person_with_the_same_number() -> None:
    assert evaluate(with_rooms([Group((A,), rooms=True)], room(A))).open


def test_the_reason_names_the_account_that_reads_the_room() -> None:
    (stop,) = evaluate(with_rooms([Group((1,), rooms=True)], room(1, "!"))).stops
    assert (stop.room_id, stop.member_id, stop.account) == (1, 1, "rooms0@google.test")
    assert (stop.reason, stop.group_index, stop.calendar_name) == (Reason.REVOKED, 1, "Room 1")


def test_a_broken_room_beside_a_usable_one_of_the_set_is_a_warning() -> None:
    verdict = evaluate(with_rooms([Group((1, 2), 1, rooms=True)], room(1, missing=True), room(2)))
    assert [(warning.room_id, warning.calendar_missing) for warning in verdict.warnings] == [(1, True)]


@pytest.mark.parametrize(
    "groups",
    [
        pytest.param([Group(())], id="all"),
        pytest.param([Group((), 1)], id="any"),
        pytest.param([Group(()), Group((), 1)], id="a list"),
        pytest.param([], id="no groups"),
    ],
)
def test_without_members_there_are_no_host_or_group_reasons(groups: list[Group]) -> None:
    owner = person("A", "G!")
    verdict = evaluate(lists_of(groups, [], owner=owner))
    assert verdict.stop_kinds == (StopKind.NO_MEMBERS,)
    assert verdict.by_setting


def test_without_members_the_owners_location_and_the_rooms_are_still_told() -> None:
    owner = person("A", "Z!")
    groups = [Group(()), Group((7,), rooms=True)]
    verdict = evaluate(lists_of(groups, [], place("zoom"), owner=owner, rooms=(room(7, "!"),)))
    assert verdict.stop_kinds == (StopKind.NO_MEMBERS, StopKind.LOCATION, StopKind.ROOM)
    by_host = evaluate(page_of("any", [], place("zoom"), outside_owner=owner))
    assert by_host.stop_kinds == (StopKind.NO_MEMBERS,)


def test_open_places_are_counted_by_group() -> None:
    members = team(A="G+", B="G!", C="G!", D="G+")
    groups = [Group((A, B, C), 3), Group((D,), 1), Group((), 2)]
    assert open_places(lists_of(groups, members, owner=members[0])) == {0: 2, 2: 2}


def test_hundreds_of_places_are_filled() -> None:
    members = [MemberValue(id, str(id), person("A", "G+").connections) for id in range(1, 801)]
    everyone = tuple(range(1, 801))
    page = lists_of([Group(everyone, 400), Group(everyone, 400)], members, owner=members[0])
    assert open_places(page) == {}


PEOPLE = "ABCDE"
drawn_groups = st.lists(
    st.tuples(st.sets(st.sampled_from(PEOPLE), max_size=4), st.sampled_from([None, 1, 2, 3])), min_size=2, max_size=4
)
drawn_calendars = st.fixed_dictionaries({name: st.sampled_from("+!-") for name in PEOPLE})


@settings(max_examples=300, deadline=None)
@given(groups=drawn_groups, calendars=drawn_calendars, required=st.booleans())
def test_any_list_is_filled_exactly_when_some_order_of_the_people_fills_it(
    groups: list[tuple[set[str], int | None]], calendars: dict[str, str], required: bool
) -> None:
    members = [person(name, f"G{sign}") for name, sign in calendars.items()]
    values = [Group(tuple(sorted(ord(name) - ord("A") + 1 for name in people)), needed) for people, needed in groups]
    page = lists_of(values, members, owner=members[0], calendar_required=required)
    letters = [("".join(sorted(people)), needed) for people, needed in groups]
    assert evaluate(page).open is oracle.lists_filled(letters, calendars, required=required)


def test_kinds_of_location_stand_in_the_reason() -> None:
    owner = person("A", "G+ Z! T!")
    verdict = evaluate(lists_of([Group((A,))], [owner], place("zoom", "teams"), owner=owner))
    assert [stop.location_kind for stop in verdict.stops] == [LocationKind.ZOOM, LocationKind.TEAMS]
