"""The one gate: the worked cases of section 3, then every sentence beside them."""

from dataclasses import replace

import pytest

from awase.domain.errors import Capability, Reason
from awase.domain.gate import account_behind, calendar_standing, evaluate, location_standing
from awase.domain.health import (
    CalendarStanding,
    CalendarValue,
    LocationKind,
    LocationStanding,
    LocationValue,
    MemberValue,
    PageValue,
    Service,
    StopKind,
    Verdict,
)
from tests.domain.cast import lacking, page_of, person, place, with_calendar

CALENDAR, LOCATION, HOST = StopKind.CALENDAR, StopKind.LOCATION, StopKind.HOST
NO_MEMBERS = StopKind.NO_MEMBERS
USABLE, ERROR, NOT_CONNECTED = LocationStanding.USABLE, LocationStanding.ERROR, LocationStanding.NOT_CONNECTED


def kinds_offered(page: PageValue, verdict: Verdict) -> list[str]:
    return [location.kind.value for location in page.locations if location.id in verdict.offered]


two_googles = person("A", "G+ G!")
WORKED_CASES = [
    # condition, members (owner first), locations, stops, offered, hosts, warnings
    pytest.param("all", ["G+ Z+", "G+"], ["zoom"], [], ["zoom"], "AB", 0, id="all: everything works"),
    pytest.param("all", ["G+ Z+", "G!"], ["zoom"], [CALENDAR], [], "", 0, id="all: B's calendar"),
    pytest.param("all", ["G+ Z!", "G+ Z+"], ["zoom"], [LOCATION], [], "", 0, id="all: owner's location"),
    pytest.param(
        "all",
        ["G+ Z!", "G+"],
        ["zoom", "in_person"],
        [],
        ["in_person"],
        "AB",
        1,
        id="all: only in person is offered",
    ),
    pytest.param("all", ["G+ Z!", "G+"], [], [], [], "AB", 0, id="all: a page without locations"),
    pytest.param("all", ["G+ Z-", "G+"], ["zoom"], [], [], "AB", 1, id="all: not connected, guests are told"),
    pytest.param("all", ["G+ Z+", "g!"], ["zoom"], [], ["zoom"], "AB", 0, id="all: nothing of it in use"),
    pytest.param("all", [two_googles], [], [CALENDAR], [], "", 0, id="all: a second account in use"),
    pytest.param(
        "all",
        [with_calendar(two_googles, 12, go_on_without=True)],
        [],
        [],
        [],
        "A",
        1,
        id="all: the second one under go on without it",
    ),
    pytest.param("all", [], [], [NO_MEMBERS], [], "", 0, id="all: no members"),
    pytest.param("any", ["G+ Z+", "G! Z+"], ["zoom"], [], ["zoom"], "A", 0, id="any: only A is host"),
    pytest.param("any", ["G! Z+", "G! Z+"], ["zoom"], [CALENDAR], [], "", 0, id="any: no usable calendar"),
    pytest.param("any", ["G+ Z!", "G+ Z-"], ["zoom"], [LOCATION], [], "", 0, id="any: no usable location"),
    pytest.param("any", ["G+ Z!", "G! Z+"], ["zoom"], [HOST], [], "", 0, id="any: no eligible host"),
    pytest.param("any", ["G-", "G-"], [], [CALENDAR], [], "", 0, id="any: calendar required"),
    pytest.param("any, calendar not required", ["G-", "G-"], [], [], [], "AB", 0, id="any: not required"),
    pytest.param("any", ["G! Z!", "G+ Z-"], ["zoom", "phone"], [], ["phone"], "B", 1, id="any: only B, by phone"),
    pytest.param("any", ["G+ Z-", "G+ Z-"], ["zoom"], [LOCATION], [], "", 0, id="any: nobody has Zoom"),
]


@pytest.mark.parametrize(("condition", "members", "locations", "stops", "offered", "hosts", "warnings"), WORKED_CASES)
def test_worked_case(
    condition: str,
    members: list[str | MemberValue],
    locations: list[str],
    stops: list[StopKind],
    offered: list[str],
    hosts: str,
    warnings: int,
) -> None:
    people = [
        accounts if isinstance(accounts, MemberValue) else person(name, accounts)
        for name, accounts in zip("ABC", members, strict=False)
    ]
    condition, _, not_required = condition.partition(",")
    page = page_of(condition, people, place(*locations), calendar_required=not not_required)
    verdict = evaluate(page)
    assert list(verdict.stop_kinds) == stops
    assert verdict.open is not bool(stops)
    assert kinds_offered(page, verdict) == offered
    assert [host.member_id for host in verdict.hosts] == [ord(name) - ord("A") + 1 for name in hosts]
    assert len(verdict.warnings) == warnings
    assert verdict.place_missing is (not stops and bool(locations) and not offered)


def without_calendar(member: MemberValue) -> MemberValue:
    """The member with no calendar that bookings are added to."""
    return with_calendar(member, 10 * member.id + 1, receives=False)


def vanished(member: MemberValue) -> MemberValue:
    """The member whose first calendar is gone at the service."""
    return with_calendar(member, 10 * member.id + 1, missing=True)


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        pytest.param(person("A", "G+"), CalendarStanding.OK, id="ok"),
        pytest.param(person("A", "G?"), CalendarStanding.OK, id="degraded is invisible"),
        pytest.param(person("A", "G!"), CalendarStanding.ERROR, id="error"),
        pytest.param(person("A", "C~"), CalendarStanding.ERROR, id="outage past the tolerance"),
        pytest.param(person("A"), CalendarStanding.NONE, id="nothing connected"),
        pytest.param(person("A", "Z+ T+"), CalendarStanding.NONE, id="no calendar service"),
        pytest.param(person("A", "g+"), CalendarStanding.NONE, id="nothing ticked"),
        pytest.param(person("A", "g!"), CalendarStanding.NONE, id="nothing ticked, in error"),
        pytest.param(person("A", "G+ M+"), CalendarStanding.OK, id="two accounts"),
        pytest.param(person("A", "G+ M!"), CalendarStanding.ERROR, id="one of two in error"),
        pytest.param(vanished(person("A", "G+")), CalendarStanding.ERROR, id="vanished"),
        pytest.param(
            with_calendar(without_calendar(person("A", "G!")), 11, go_on_without=True),
            CalendarStanding.OK,
            id="goes on without its only calendar",
        ),
        pytest.param(
            with_calendar(person("A", "G!"), 11, go_on_without=True),
            CalendarStanding.ERROR,
            id="bookings are added to it, so it counts all the same",
        ),
        pytest.param(
            with_calendar(person("A", "G+ M+"), 12, missing=True, go_on_without=True),
            CalendarStanding.OK,
            id="goes on without a vanished one",
        ),
        pytest.param(
            lacking(person("A", "G+"), Capability.MEET), CalendarStanding.OK, id="Meet missing affects no calendar"
        ),
    ],
)
def test_calendar_of_a_member(member: MemberValue, expected: CalendarStanding) -> None:
    assert calendar_standing(member) is expected


@pytest.mark.parametrize(
    ("member", "location", "expected"),
    [
        pytest.param(person("A", "Z+"), "zoom", USABLE, id="zoom"),
        pytest.param(person("A", "Z?"), "zoom", USABLE, id="degraded"),
        pytest.param(person("A", "Z!"), "zoom", ERROR, id="zoom in error"),
        pytest.param(person("A", "T+"), "zoom", NOT_CONNECTED, id="zoom not connected"),
        pytest.param(person("A", "Z! Z+"), "zoom", USABLE, id="of two, the one that works"),
        pytest.param(lacking(person("A", "Z+"), Capability.ZOOM), "zoom", ERROR, id="zoom user deactivated"),
        pytest.param(person("A", "T+"), "teams", USABLE, id="teams"),
        pytest.param(person("A", "M+"), "teams", NOT_CONNECTED, id="an Outlook account is no Teams connection"),
        pytest.param(lacking(person("A", "T+"), Capability.TEAMS), "teams", ERROR, id="no Teams licence"),
        pytest.param(person("A", "G+"), "meet", USABLE, id="meet"),
        pytest.param(person("A", "G!"), "meet", ERROR, id="meet, google in error"),
        pytest.param(lacking(person("A", "G+"), Capability.MEET), "meet", ERROR, id="meet not allowed"),
        pytest.param(lacking(person("A", "G+"), Capability.CALENDAR), "meet", USABLE, id="another capability missing"),
        pytest.param(person("A"), "meet", NOT_CONNECTED, id="meet without google"),
        pytest.param(person("A"), "link", USABLE, id="link"),
        pytest.param(person("A"), "ask_guest", USABLE, id="ask the guest"),
        pytest.param(person("A"), "phone", USABLE, id="the page's number"),
        pytest.param(person("A"), "in_person", USABLE, id="the page's address"),
    ],
)
def test_location_for_a_member(member: MemberValue, location: str, expected: LocationStanding) -> None:
    assert location_standing(member, place(location)[0]) is expected


@pytest.mark.parametrize(("kind", "own"), [("phone", "phone"), ("in_person", "address")])
def test_phone_and_in_person_need_a_number_or_address_of_the_page_or_the_member(kind: str, own: str) -> None:
    blank = LocationValue(1, LocationKind(kind))
    assert location_standing(person("A"), blank) is NOT_CONNECTED
    assert location_standing(person("A", **{own: "given"}), blank) is USABLE
    other = "address" if own == "phone" else "phone"
    assert location_standing(person("A", **{other: "given"}), blank) is NOT_CONNECTED


@pytest.mark.parametrize(
    ("member", "account"),
    [
        pytest.param(person("A", "G+ G!", meet_connection_id=12), 11, id="bookings are added to it"),
        pytest.param(person("A", "M+ G+ G!", meet_connection_id=13), 13, id="bookings go elsewhere: the chosen one"),
        pytest.param(person("A", "M+ G+"), 12, id="an only one is chosen by itself"),
        pytest.param(person("A", "M+ G+ G+"), None, id="none of two was chosen"),
        pytest.param(person("A", "M+ G+", meet_connection_id=99), 12, id="the chosen one is gone, one is left"),
        pytest.param(without_calendar(person("A", "G+")), 11, id="no calendar receives: the only one"),
        pytest.param(person("A", "M+"), None, id="no google account"),
    ],
)
def test_the_google_account_behind_meet(member: MemberValue, account: int | None) -> None:
    behind = account_behind(member, LocationKind.MEET)
    assert (behind and behind.id) == account
    if account is None:
        assert location_standing(member, place("meet")[0]) is NOT_CONNECTED


def test_all_an_owner_outside_the_page_counts_with_his_location_and_not_with_his_calendar() -> None:
    healthy = [person("B", "G+")]
    zoom = place("zoom")
    assert evaluate(page_of("all", healthy, zoom, outside_owner=person("A", "G! Z+"))).open
    broken = evaluate(page_of("all", healthy, zoom, outside_owner=person("A", "G+ Z!")))
    assert broken.stop_kinds == (LOCATION,)
    assert evaluate(page_of("any", [person("B", "G+ Z+")], zoom, outside_owner=person("A", "Z!"))).open


@pytest.mark.parametrize(
    ("owner", "stops"),
    [
        pytest.param(person("A", "G+"), (), id="his calendar receives"),
        pytest.param(without_calendar(person("A", "G+")), (LOCATION,), id="none receives"),
        pytest.param(vanished(person("A", "G+")), (LOCATION,), id="the one that receives has vanished"),
        pytest.param(person("A", "M+ G+"), (), id="his Outlook calendar receives"),
    ],
)
def test_all_meet_of_an_owner_outside_the_page_is_written_to_his_calendar(
    owner: MemberValue, stops: tuple[StopKind, ...]
) -> None:
    page = page_of("all", [person("B", "G+")], place("meet"), outside_owner=owner)
    verdict = evaluate(page)
    assert verdict.stop_kinds == stops
    assert all(stop.calendar_missing and stop.account == "a@google.test" for stop in verdict.stops)


def test_all_meet_of_an_owner_on_the_page_needs_no_calendar_of_his_own() -> None:
    assert evaluate(page_of("all", [without_calendar(person("A", "G+"))], place("meet"))).open


def test_all_every_reason_is_held_and_calendars_come_first() -> None:
    verdict = evaluate(page_of("all", [person("A", "G+ Z!"), person("B", "M~")], place("zoom", "teams")))
    assert [(stop.kind, stop.member_id, stop.service, stop.reason) for stop in verdict.stops] == [
        (CALENDAR, 2, Service.MICROSOFT, Reason.UNREACHABLE),
        (LOCATION, 1, Service.ZOOM, Reason.REVOKED),
    ]
    assert verdict.in_error
    assert [(warning.location_kind, warning.error) for warning in verdict.warnings] == [(LocationKind.TEAMS, False)]


def test_all_a_vanished_calendar_is_named_while_its_connection_is_ok() -> None:
    (stop,) = evaluate(page_of("all", [vanished(person("A", "G+"))])).stops
    assert (stop.kind, stop.calendar_id, stop.calendar_name) == (CALENDAR, 11, "A's calendar")
    assert stop.calendar_missing
    assert stop.reason is None


def test_all_a_missing_capability_stops_with_its_reason() -> None:
    (stop,) = evaluate(page_of("all", [lacking(person("A", "T+"), Capability.TEAMS)], place("teams"))).stops
    assert (stop.kind, stop.reason) == (LOCATION, Reason.LICENCE_MISSING)


def test_a_connection_is_told_once_though_one_of_its_calendars_does_not_count() -> None:
    member = person("A", "G!")
    (connection,) = member.connections
    idle = CalendarValue(12, "Old work", checked=True, receives=False, go_on_without=True)
    both = replace(member, connections=(replace(connection, calendars=(*connection.calendars, idle)),))
    verdict = evaluate(page_of("all", [both]))
    assert len(verdict.stops) == 1
    assert verdict.warnings == ()


def test_an_account_that_takes_no_new_events_is_a_warning() -> None:
    full = lacking(person("A", "C+"), Capability.CALENDAR, Reason.STORAGE_FULL)
    verdict = evaluate(page_of("all", [full]))
    assert verdict.open
    assert [warning.reason for warning in verdict.warnings] == [Reason.STORAGE_FULL]
    assert evaluate(page_of("all", [without_calendar(full)])).warnings == ()


def test_any_a_member_left_out_is_named() -> None:
    members = [person("A", "G+ Z+"), person("B", "G! Z!"), person("C", "Z-")]
    verdict = evaluate(page_of("any", members, place("zoom")))
    assert [(lack.member_id, lack.kind, lack.error) for lack in verdict.left_out] == [
        (2, CALENDAR, True),
        (3, CALENDAR, False),
        (2, LOCATION, True),
        (3, LOCATION, False),
    ]


def test_any_a_location_is_offered_only_with_the_hosts_who_can_hold_it() -> None:
    members = [person("A", "G+ Z+"), person("B", "G+ T+"), person("C", "G! Z+ T+")]
    verdict = evaluate(page_of("any", members, place("teams", "zoom", "meet")))
    assert {host.member_id: host.location_ids for host in verdict.hosts} == {1: (2, 3), 2: (1, 3)}
    assert verdict.offered == (1, 2, 3)
    assert not verdict.locations_by_owner
    assert verdict.warnings == ()


def test_any_warns_of_an_eligible_hosts_broken_location_and_of_one_that_nobody_can_hold() -> None:
    members = [person("A", "G+ Z!"), person("B", "G+ Z+")]
    verdict = evaluate(page_of("any", members, place("zoom", "teams", "link")))
    assert [(lack.member_id, lack.location_kind) for lack in verdict.warnings] == [
        (1, LocationKind.ZOOM),
        (1, LocationKind.TEAMS),
        (2, LocationKind.TEAMS),
    ]


def test_any_no_eligible_host_names_what_each_lacks() -> None:
    verdict = evaluate(page_of("any", [person("A", "G+ Z!"), person("B", "G! Z+")], place("zoom")))
    assert [(stop.kind, stop.member_id, stop.service) for stop in verdict.stops] == [
        (HOST, 2, Service.GOOGLE),
        (HOST, 1, Service.ZOOM),
    ]


def test_any_no_usable_calendar_and_no_usable_location_are_both_told() -> None:
    verdict = evaluate(page_of("any", [person("A", "G! Z-")], place("zoom")))
    assert verdict.stop_kinds == (CALENDAR, LOCATION)


def test_any_without_connections_is_not_connected_and_not_an_error() -> None:
    verdict = evaluate(page_of("any", [person("A")], place("zoom")))
    assert not verdict.open
    assert not verdict.in_error
    assert not verdict.by_setting


def test_a_page_names_who_and_what_it_holds_or_the_gate_refuses_it() -> None:
    page = page_of("all", [person("A", "G+")])
    with pytest.raises(KeyError):
        evaluate(replace(page, owner_id=9))
