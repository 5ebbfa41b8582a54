"""The one gate: the worked cases of section 3, then every sentence beside them."""

from dataclasses import replace
from typing import Any

import pytest

from awase.domain.gate import evaluate
from awase.domain.health import CalendarValue, MemberValue, PageValue, StopKind, Verdict
from tests.domain.cast import page_of, person, place

CALENDAR, LOCATION, HOST = StopKind.CALENDAR, StopKind.LOCATION, StopKind.HOST
NO_MEMBERS, GROUP, ROOM = StopKind.NO_MEMBERS, StopKind.GROUP, StopKind.ROOM


def kinds_offered(page: PageValue, verdict: Verdict) -> list[str]:
    return [location.kind.value for location in page.locations if location.id in verdict.offered]


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
