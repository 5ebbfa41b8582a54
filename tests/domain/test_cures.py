"""Section 5: what would open a stopped page, in which order, and what a change would do to a page."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awase.domain.cures import Cure, cures
from awase.domain.errors import Capability, Reason
from awase.domain.gate import evaluate
from awase.domain.health import Group, LocationKind, LocationValue, MemberValue, PageValue, Service
from awase.domain.parts import (
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
from tests.domain.cast import lacking, lists_of, page_of, person, place, room, with_calendar

A, B, C, D = 1, 2, 3, 4


def listed(page: PageValue) -> list[set[Part]]:
    """The cures of the page, best first; each has been checked to open it or to give it a place."""
    verdict = evaluate(page)
    found = cures(page, verdict)
    for cure in found:
        after = evaluate(apply_parts(page, cure.parts))
        assert after.open
        assert not (verdict.open and after.place_missing)
    assert not any(set(a.parts) < set(b.parts) for a in found for b in found)
    return [set(cure.parts) for cure in found]


def vanished(member: MemberValue) -> MemberValue:
    return with_calendar(member, 10 * member.id + 1, missing=True)


def same_account(*members: MemberValue) -> list[MemberValue]:
    """The members, each one's accounts being the same at the service as the others'."""
    return [
        replace(
            member,
            connections=tuple(
                replace(connection, credential_id=position) for position, connection in enumerate(member.connections, 1)
            ),
        )
        for member in members
    ]


def test_an_open_page_has_no_cures() -> None:
    assert listed(page_of("all", [person("A", "G+ Z!")], place("zoom", "link"))) == []


# Condition `all`


def test_all_calendars_are_reconnected_or_their_members_taken_off_or_disconnected() -> None:
    page = page_of("all", [person("A", "G+"), person("B", "G!"), person("C", "M!")])
    assert listed(page) == [
        {Reconnect(B, 21), Reconnect(C, 31)},
        {TakeOff(B), TakeOff(C)},
        {Disconnect(B, 21), Disconnect(C, 31)},
    ]


def test_all_nobody_is_taken_off_if_nobody_would_be_left() -> None:
    assert listed(page_of("all", [person("A", "G!")])) == [{Reconnect(A, 11)}, {Disconnect(A, 11)}]


def test_all_the_owners_location_has_every_cure_of_the_rules_in_order() -> None:
    page = page_of("all", [person("A", "M+ Z!"), person("B", "M+ Z+"), person("C", "M+ Z!")], place("zoom", "teams"))
    assert listed(page) == [
        {Reconnect(A, 12)},
        {Connect(A, Service.TEAMS)},
        {AddLocation(None)},
        {ChangeOwner(B)},
        {RemoveAllLocations()},
        {Disconnect(A, 12)},
    ]


def test_all_of_the_owners_services_one_suffices_but_all_broken_ones_are_disconnected() -> None:
    page = page_of("all", [person("A", "G+ Z! T!")], place("zoom", "teams"))
    assert listed(page) == [
        {Reconnect(A, 12)},
        {Reconnect(A, 13)},
        {AddLocation(LocationKind.MEET)},
        {AddLocation(None)},
        {RemoveAllLocations()},
        {Disconnect(A, 12), Disconnect(A, 13)},
    ]


def test_all_another_service_that_works_for_the_owner_can_be_added() -> None:
    page = page_of("all", [person("A", "M+ Z! T+")], place("zoom"))
    assert {AddLocation(LocationKind.TEAMS)} in listed(page)
    assert {AddLocation(LocationKind.MEET)} not in listed(page)


def test_all_each_cause_has_its_part() -> None:
    page = page_of("all", [person("A", "G+ Z!"), person("B", "G!")], place("zoom"))
    found = listed(page)
    assert found[0] == {Reconnect(B, 21), Reconnect(A, 12)}
    assert {TakeOff(B), RemoveAllLocations()} in found
    assert all(len(parts) == 2 for parts in found)


def test_all_one_reconnection_cures_both_the_calendar_and_meet() -> None:
    found = listed(page_of("all", [person("A", "G!")], place("meet")))
    assert found == [{Reconnect(A, 11)}, {Disconnect(A, 11)}]


def test_all_an_outage_ends_by_itself_first_and_asks_nobody_to_reconnect() -> None:
    page = page_of("all", [person("A", "G+"), person("B", "G~")])
    assert listed(page) == [{Wait(B, 21)}, {TakeOff(B)}, {Disconnect(B, 21)}]


def test_all_our_own_fault_asks_nobody_to_reconnect() -> None:
    (connection,) = person("B", "G~").connections
    ours = replace(person("B"), connections=(replace(connection, reason=Reason.OPERATOR),))
    assert listed(page_of("all", [person("A", "G+"), ours]))[0] == {Wait(B, 21)}


def test_waiting_is_nothing_that_people_must_do() -> None:
    page = page_of("all", [person("A", "G+"), person("B", "G~"), person("C", "G!")])
    assert listed(page)[0] == {Wait(B, 21), Reconnect(C, 31)}
    assert cures(page, evaluate(page))[0].size == 1


def test_all_a_vanished_calendar_is_unticked_replaced_or_gone_on_without() -> None:
    two = with_calendar(person("B", "G+ M+"), 22, missing=True)
    page = page_of("all", [person("A", "G+"), two])
    assert listed(page) == [
        {UntickCalendar(B, 22)},
        {ChooseCalendar(B, 22, 22)},
        {GoOnWithout(B, 22)},
        {TakeOff(B)},
    ]


def test_all_going_on_without_is_no_cure_for_the_calendar_that_bookings_are_added_to() -> None:
    page = page_of("all", [vanished(person("A", "G+"))])
    assert listed(page) == [{UntickCalendar(A, 11)}, {ChooseCalendar(A, 11, 11)}]


def test_all_the_same_account_of_two_members_is_reconnected_once() -> None:
    page = page_of("all", same_account(person("A", "G!"), person("B", "G!")))
    assert listed(page) == [{Reconnect(A, 11)}, {Disconnect(A, 11), Disconnect(B, 21)}]


def test_all_a_missing_capability_is_checked_after_doing_what_its_reason_says() -> None:
    page = page_of("all", [lacking(person("A", "T+"), Capability.TEAMS)], place("teams"))
    assert listed(page) == [{CheckNow(A, 11)}, {AddLocation(None)}, {RemoveAllLocations()}, {Disconnect(A, 11)}]


def test_all_a_google_account_is_not_disconnected_for_want_of_meet() -> None:
    page = page_of("all", [lacking(person("A", "G+"), Capability.MEET)], place("meet"))
    assert listed(page) == [{CheckNow(A, 11)}, {AddLocation(None)}, {RemoveAllLocations()}]


def test_all_a_capability_missing_through_an_outage_comes_back_by_itself() -> None:
    page = page_of("all", [lacking(person("A", "Z+"), Capability.ZOOM, Reason.UNREACHABLE)], place("zoom"))
    assert listed(page)[0] == {Wait(A, 11)}


def test_all_an_account_in_error_that_lacks_the_capability_too_needs_both() -> None:
    page = page_of("all", [lacking(person("A", "Z!"), Capability.ZOOM)], place("zoom"))
    found = listed(page)
    assert {Reconnect(A, 11), CheckNow(A, 11)} in found
    assert {Reconnect(A, 11)} not in found


def test_all_the_number_or_address_is_entered() -> None:
    places = (*place("zoom"), LocationValue(2, LocationKind.PHONE))
    found = listed(page_of("all", [person("A", "Z!")], places))
    assert {EnterDetail(2)} in found and {EnterOwnDetail(A, LocationKind.PHONE)} in found


@pytest.mark.parametrize("kind", [LocationKind.PHONE, LocationKind.IN_PERSON])
def test_any_a_member_enters_a_number_or_address_of_their_own(kind: LocationKind) -> None:
    page = page_of("any", [person("A", "M+"), person("B", "M+")], (LocationValue(2, kind),))
    assert not evaluate(page).open
    assert listed(page)[:3] == [{EnterDetail(2)}, {EnterOwnDetail(A, kind)}, {AddLocation(None)}]
    assert {EnterOwnDetail(B, kind)} in listed(page)


def test_all_a_place_that_is_missing_has_cures_although_the_page_is_open() -> None:
    page = page_of("all", [person("A", "M+"), person("B", "M+ Z+")], place("zoom"))
    assert evaluate(page).place_missing
    assert listed(page) == [
        {Connect(A, Service.ZOOM)},
        {AddLocation(None)},
        {ChangeOwner(B)},
        {RemoveAllLocations()},
    ]


def test_all_an_owner_outside_the_page_chooses_the_calendar_for_meet() -> None:
    healthy = [person("B", "G+")]
    none = with_calendar(person("A", "G+"), 11, receives=False)
    cured = listed(page_of("all", healthy, place("meet"), outside_owner=none))
    assert {ChooseCalendar(A, 11, None)} in cured
    assert {ChangeOwner(B)} in cured
    gone = listed(page_of("all", healthy, place("meet"), outside_owner=vanished(person("A", "G+"))))
    assert {ChooseCalendar(A, 11, 11)} in gone


def test_all_meet_without_a_chosen_account_is_cured_by_choosing_one() -> None:
    owner = person("A", "M+ G+ G! Z!")
    found = listed(page_of("all", [with_calendar(owner, 13, go_on_without=True)], place("meet", "zoom")))
    assert {ChooseMeetAccount(A, 12)} in found
    assert {ChooseMeetAccount(A, 13), Reconnect(A, 13)} in found
    assert {Connect(A, Service.GOOGLE)} not in found


# Condition `any`


def test_any_one_named_member_is_repaired() -> None:
    page = page_of("any", [person("A", "G! Z+"), person("B", "G! Z+")], place("zoom"))
    assert listed(page) == [{Reconnect(A, 11)}, {Reconnect(B, 21)}]


def test_any_a_member_is_repaired_in_all_that_he_lacks() -> None:
    page = page_of("any", [person("A", "M! Z!"), person("B", "M! Z+")], place("zoom"))
    assert listed(page) == [
        {Reconnect(B, 21)},
        {Reconnect(A, 11), Reconnect(A, 12)},
        {Reconnect(A, 11), AddLocation(None)},
    ]


def test_any_a_calendar_is_connected_or_no_longer_required() -> None:
    page = page_of("any", [person("A", "Z+"), person("B", "m+ Z+")], place("zoom"))
    assert listed(page) == [
        {Connect(A, None)},
        {Connect(B, None)},
        {StopRequiringCalendar()},
        {ChooseCalendar(B, 21, None)},
    ]


def test_any_one_google_account_serves_as_calendar_and_for_meet() -> None:
    found = listed(page_of("any", [person("A")], place("meet")))
    assert found[0] == {Connect(A, Service.GOOGLE)}
    assert {Connect(A, None), AddLocation(None)} in found


def test_any_a_location_that_needs_no_account_is_added() -> None:
    page = page_of("any", [person("A", "G+ Z!"), person("B", "G+ Z-")], place("zoom"))
    assert listed(page) == [{Reconnect(A, 12)}, {Connect(B, Service.ZOOM)}, {AddLocation(None)}]


def test_any_no_eligible_host_is_cured_at_either() -> None:
    page = page_of("any", [person("A", "G+ Z!"), person("B", "G! Z+")], place("zoom"))
    assert listed(page) == [{Reconnect(A, 12)}, {Reconnect(B, 21)}, {AddLocation(None)}]


def test_any_a_vanished_calendar_that_is_the_only_one_is_replaced() -> None:
    assert listed(page_of("any", [vanished(person("A", "G+"))])) == [{ChooseCalendar(A, 11, 11)}]


# Lists, rooms, nobody


def listing(broken: dict[str, str], *groups: Group) -> PageValue:
    members = [person(name, broken.get(name, "G+")) for name in "ABCD"]
    return lists_of(list(groups), members, owner=members[0])


def test_a_group_is_filled_by_any_one_that_is_repaired_or_otherwise() -> None:
    page = listing({"C": "G!", "D": "G~"}, Group((A, B)), Group((C, D), 1))
    assert listed(page) == [{Wait(D, 41)}, {Reconnect(C, 31)}, {AddMember(1)}, {RemoveGroup(1)}]


def test_as_many_are_repaired_as_places_are_open() -> None:
    page = listing({"B": "G!", "C": "G!", "D": "G!"}, Group((A, B, C, D), 3))
    assert listed(page) == [
        {ReduceGroup(0, 1)},
        {Reconnect(B, 21), Reconnect(C, 31)},
        {Reconnect(B, 21), Reconnect(D, 41)},
        {Reconnect(C, 31), Reconnect(D, 41)},
        {AddMember(0, how_many=2)},
    ]


def test_a_list_has_the_calendar_cures_of_all_for_its_fixed_members() -> None:
    page = listing({"B": "G!"}, Group((A, B)), Group((C, D), 1))
    assert listed(page) == [{Reconnect(B, 21)}, {TakeOff(B)}, {Disconnect(B, 21)}]


def test_who_is_asked_for_twice_is_taken_off_or_a_group_removed() -> None:
    page = listing({}, Group((A, B)), Group((A, C)))
    assert listed(page) == [{TakeOff(A)}, {RemoveGroup(1)}]


def test_an_empty_group_gets_a_member_or_is_removed() -> None:
    assert listed(listing({}, Group((A,)), Group((), 2))) == [{RemoveGroup(1)}, {AddMember(1, how_many=2)}]
    assert listed(listing({}, Group((A,)), Group(()))) == [{AddMember(1)}, {RemoveGroup(1)}]


def test_without_members_somebody_is_added_with_what_they_lack() -> None:
    healthy, broken = person("A", "G+ Z+"), person("B", "G! Z!")
    assert listed(page_of("all", [], outside_owner=healthy)) == [{AddMember(0, A)}]
    assert listed(page_of("all", [], outside_owner=broken)) == [{AddMember(0, B), Reconnect(B, 21)}]
    assert listed(page_of("any", [], place("zoom"), outside_owner=broken)) == [
        {AddMember(0, B), Reconnect(B, 21), Reconnect(B, 22)},
        {AddMember(0, B), Reconnect(B, 21), AddLocation(None)},
    ]
    assert listed(lists_of([], [], owner=healthy)) == [{AddMember(0, A)}]


def test_without_members_the_owners_location_is_cured_beside() -> None:
    page = page_of("all", [], place("zoom"), outside_owner=person("A", "M+ Z!"))
    assert listed(page)[0] == {AddMember(0, A), Reconnect(A, 12)}


def test_without_members_every_group_is_filled_or_removed() -> None:
    page = lists_of([Group(()), Group((), 2)], [], owner=person("A", "G+"))
    assert listed(page) == [
        {AddMember(0, A), RemoveGroup(1)},
        {AddMember(0, A), AddMember(1, how_many=2)},
        {RemoveGroup(0), AddMember(1, how_many=2)},
    ]


def test_without_members_a_group_of_several_gets_a_named_one_and_others_beside() -> None:
    page = lists_of([Group((), 2)], [], owner=person("A", "G!"))
    assert listed(page) == [{AddMember(0, A), AddMember(0), Reconnect(A, 11)}]


def roomy(group: Group, *rooms_: object) -> PageValue:
    member = person("A", "G+")
    return lists_of([Group((A,)), group], [member], owner=member, rooms=rooms_)  # type: ignore[arg-type]


def test_a_required_room_is_reconnected_or_removed() -> None:
    page = roomy(Group((1, 2), rooms=True), room(1, "!"), room(2, missing=True))
    assert listed(page) == [{Reconnect(A, 1010), RemoveRoom(2)}, {RemoveRoom(1), RemoveRoom(2)}]


def test_a_set_of_rooms_gets_one_back_or_another_or_is_removed() -> None:
    page = roomy(Group((1, 2), 1, rooms=True), room(1, "!"), room(2, readers=0))
    assert listed(page) == [{Reconnect(A, 1010)}, {AddRoom(1)}, {RemoveGroup(1)}]
    two = roomy(Group((1, 2), 2, rooms=True), room(1, "~"), room(2))
    assert listed(two) == [{Wait(A, 1010)}, {AddRoom(1)}, {ReduceGroup(1, 1)}, {RemoveGroup(1)}]


def test_a_set_of_rooms_that_has_enough_is_no_concern_of_a_page_stopped_for_another_room() -> None:
    member = person("A", "G+")
    groups = [Group((A,)), Group((1, 2), 1, rooms=True), Group((3,), rooms=True)]
    page = lists_of(groups, [member], owner=member, rooms=(room(1, "!"), room(2), room(3, missing=True)))
    assert listed(page) == [{RemoveRoom(3)}]


def test_an_empty_group_of_rooms_gets_one_or_is_removed() -> None:
    assert listed(roomy(Group((), rooms=True))) == [{AddRoom(1)}, {RemoveGroup(1)}]


def test_removing_two_groups_and_a_room_removes_the_right_ones() -> None:
    member = person("A", "G+")
    groups = [Group((), 1), Group((A,)), Group((), rooms=True), Group((1,), rooms=True)]
    page = lists_of(groups, [member], owner=member, rooms=(room(1, missing=True),))
    assert {RemoveGroup(0), RemoveGroup(2), RemoveRoom(1)} in listed(page)


# Who, how many, and which first


def test_a_cure_names_who_alone_may_do_it() -> None:
    page = page_of("all", [person("A", "G+ Z!"), person("B", "G!")], place("zoom"))
    first = cures(page, evaluate(page))[0]
    assert set(first.needs_members) == {A, B}
    assert Cure((TakeOff(B), RemoveAllLocations(), Wait(A, 11))).needs_members == ()


def test_no_more_cures_are_sought_than_asked_for() -> None:
    page = page_of("all", [person("A", "G+ Z! T!")], place("zoom", "teams"))
    verdict = evaluate(page)
    assert cures(page, verdict, limit=2) == cures(page, verdict)[:2]


letters = st.sampled_from("+!~-")
accounts = st.tuples(letters, letters, letters, letters).map(
    lambda signs: " ".join(service + sign for service, sign in zip("GMZT", signs, strict=True))
)
kinds = st.lists(st.sampled_from(["meet", "zoom", "teams", "in_person"]), max_size=3)
group_lists = st.lists(
    st.tuples(st.sets(st.integers(A, D), max_size=3), st.sampled_from([None, 1, 2])), max_size=3
).map(lambda drawn: [Group(tuple(sorted(ids)), needed) for ids, needed in drawn])
rooms = st.lists(st.tuples(st.sampled_from("+!~"), st.booleans()), max_size=2)


@settings(max_examples=150, deadline=None)
@given(
    people=st.tuples(accounts, accounts, accounts, accounts),
    places=kinds,
    groups=group_lists,
    drawn_rooms=rooms,
    needed=st.sampled_from([None, 1]),
    required=st.booleans(),
)
def test_every_stopped_page_has_a_cure_and_no_part_of_it_is_too_many(
    people: tuple[str, ...],
    places: list[str],
    groups: list[Group],
    drawn_rooms: list[tuple[str, bool]],
    needed: int | None,
    required: bool,
) -> None:
    members = [person(name, accounts) for name, accounts in zip("ABCD", people, strict=True)]
    known = tuple(room(id, sign, missing=missing) for id, (sign, missing) in enumerate(drawn_rooms, 1))
    of_rooms = [Group(tuple(room.id for room in known), needed, rooms=True)] if known else []
    page = lists_of(
        [*groups, *of_rooms], members, place(*places), owner=members[0], rooms=known, calendar_required=required
    )
    verdict = evaluate(page)
    found = cures(page, verdict, limit=20)
    assert bool(found) is (not verdict.open or verdict.place_missing)
    assert [cure.order for cure in found] == sorted(cure.order for cure in found)
    for cure in found:
        assert evaluate(apply_parts(page, cure.parts)).open
        for part in cure.parts:
            fewer = tuple(other for other in cure.parts if other != part)
            after = evaluate(apply_parts(page, fewer))
            assert not after.open or (verdict.open and after.place_missing), (cure, part)
