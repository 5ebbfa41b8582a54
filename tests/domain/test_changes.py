"""Changes to a page's values, and what a preview says of them."""

from dataclasses import replace

import pytest

from awase.domain.changes import (
    in_place_of,
    preview,
    with_connection,
    with_group,
    with_hosts,
    with_location,
    with_member,
    with_member_value,
    with_owner,
    with_repair,
    with_room,
    without_connection,
    without_location,
    without_member,
    without_room,
)
from awase.domain.gate import evaluate
from awase.domain.health import Group, LocationKind, LocationValue, PageValue
from tests.domain.cast import lists_of, page_of, person, place, room

A, B = 1, 2


def test_disconnecting_a_broken_account_opens_the_page() -> None:
    page = page_of("all", [person("A", "G+"), person("B", "G!")])
    shown = preview(page, without_connection(page, 21))
    assert (shown.opens, shown.stops) == (True, False)


def test_disconnecting_the_last_calendar_under_any_stops_the_page() -> None:
    page = page_of("any", [person("A", "G+")])
    shown = preview(page, without_connection(page, 11))
    assert (shown.opens, shown.stops) == (False, True)


def test_a_new_owner_with_a_broken_location_stops_the_page_and_a_sound_one_opens_it() -> None:
    sound, broken = person("A", "G+ Z+"), person("B", "G+ Z!")
    page = page_of("all", [sound, broken], place("zoom"))
    assert preview(page, with_owner(page, broken)).stops
    assert preview(with_owner(page, broken), page).opens


def test_removing_the_only_usable_location_stops_the_page() -> None:
    page = page_of("all", [person("A", "G+ Z!")], place("zoom", "link"))
    assert preview(page, without_location(page, 2)).stops


def test_taking_the_last_eligible_member_off_stops_the_page() -> None:
    page = page_of("any", [person("A", "G+"), person("B", "G!")])
    assert preview(page, without_member(page, A)).stops
    assert not preview(page, without_member(page, B)).stops


def test_whoever_takes_over_a_page_takes_its_owners_place_unless_they_have_one() -> None:
    page = page_of("any", [person("A", "G+"), person("B", "G+")])
    assert in_place_of(page, A, person("C", "G+")).everybody == (3, B)
    handed = in_place_of(page, A, page.member(B))
    assert (handed.owner_id, handed.everybody) == (B, (B,))
    rooms = replace(page, groups=(*page.groups, Group((7,), rooms=True)))
    assert in_place_of(rooms, A, person("C", "G+")).groups[-1] == Group((7,), rooms=True)


def test_a_change_that_changes_nothing_neither_stops_nor_opens() -> None:
    page = page_of("all", [person("A", "G+"), person("B", "G+")])
    shown = preview(page, without_member(page, B))
    assert (shown.opens, shown.stops) == (False, False)


def test_a_page_owner_taken_off_stays_the_owner() -> None:
    page = without_member(page_of("all", [person("A", "G! Z!"), person("B", "G+")], place("zoom")), A)
    assert page.everybody == (B,)
    assert [stop.member_id for stop in evaluate(page).stops] == [A]


def test_a_repair_reaches_every_connection_of_the_same_account_and_no_other() -> None:
    a, b, c = person("A", "Z!"), person("B", "Z!"), person("C", "Z!")
    shared = [replace(member, connections=(replace(member.connections[0], credential_id=7),)) for member in (a, b)]
    page = with_repair(page_of("any", [*shared, c]), 11)
    assert [member.connections[0].reason is None for member in page.members] == [True, True, False]


def test_a_repair_reaches_the_rooms_that_the_account_reads() -> None:
    member = person("A", "G+")
    page = lists_of([Group((1,)), Group((5,), rooms=True)], [member], owner=member, rooms=(room(5, "!"),))
    assert preview(page, with_repair(page, 1050)).opens
    assert preview(with_repair(page, 1050), without_connection(page, 1050)).stops


def test_a_connection_is_added_or_takes_the_place_of_the_one_with_its_id() -> None:
    member = person("A", "G! Z+")
    page = page_of("any", [member], place("zoom"))
    repaired = person("A", "G+").connections[0]
    assert with_connection(page, A, repaired).member(A).connections == (repaired, member.connections[1])
    added = with_connection(page, A, replace(repaired, id=19))
    assert [connection.id for connection in added.member(A).connections] == [11, 12, 19]


def test_a_member_is_added_to_a_group_or_makes_one() -> None:
    owner, new = person("A", "G+"), person("B", "G+")
    assert with_member(page_of("any", [owner]), new).groups == (Group((A, B), 1),)
    empty = lists_of([], [], owner=owner)
    assert with_member(empty, new).groups == (Group((B,)),)
    assert with_member(empty, new).member(B) == new


def test_a_members_new_state_replaces_the_old_one() -> None:
    page = page_of("all", [person("A", "G!")])
    assert preview(page, with_member_value(page, person("A", "G+"))).opens


def test_a_location_is_added_or_changed_in_its_place() -> None:
    page = page_of("all", [person("A", "G+")], place("zoom", "link"))
    changed = LocationValue(1, LocationKind.PHONE, "given")
    assert with_location(page, changed).locations == (changed, page.locations[1])
    assert with_location(page, replace(changed, id=3)).locations[-1].id == 3


def roomy(group: Group) -> PageValue:
    member = person("A", "G+")
    return lists_of([Group((1,)), group], [member], owner=member, rooms=(room(1), room(2, "!")))


def test_required_rooms_are_asked_for_no_longer_when_the_last_one_is_removed() -> None:
    page = roomy(Group((1, 2), rooms=True))
    assert without_room(page, 2).groups[1].ids == (1,)
    assert len(without_room(without_room(page, 2), 1).groups) == 1


def test_a_set_of_rooms_never_vanishes() -> None:
    page = without_room(roomy(Group((2,), 1, rooms=True)), 2)
    assert page.groups[1] == Group((), 1, rooms=True)
    assert not evaluate(page).open


def test_an_empty_group_of_people_does_not_vanish_with_a_room() -> None:
    member = person("A", "G+")
    page = lists_of([Group(()), Group((1,), rooms=True)], [], owner=member, rooms=(room(1),))
    assert without_room(page, 1).groups == (Group(()),)


def test_a_room_and_a_group_are_added_and_removed() -> None:
    page = roomy(Group((2,), 1, rooms=True))
    assert preview(page, with_room(page, room(3), 1)).opens
    assert preview(page, with_group(page, 1)).opens
    assert preview(page, with_group(page, 1, Group((1,), rooms=True))).opens


@pytest.mark.parametrize(("condition", "hosts", "may_move"), [("any", [A], True), ("any", [B], False)])
def test_an_existing_booking_sees_the_page_with_its_own_hosts(condition: str, hosts: list[int], may_move: bool) -> None:
    page = page_of(condition, [person("A", "G+ Z+"), person("B", "G! Z+")], place("zoom"))
    assert evaluate(with_hosts(page, hosts)).open is may_move


def test_a_booking_of_a_list_may_be_moved_though_another_group_is_empty_now() -> None:
    members = [person("A", "G+"), person("B", "G+")]
    page = lists_of([Group((A,)), Group((), 1), Group((7,), rooms=True)], members, owner=members[0], rooms=(room(7),))
    assert not evaluate(page).open
    moved = with_hosts(page, [A, B])
    assert moved.groups == (Group((A, B)), Group((7,), rooms=True))
    assert evaluate(moved).open
