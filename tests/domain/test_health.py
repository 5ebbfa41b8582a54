"""The values that the gate reads, and the one clock."""

from datetime import UTC, datetime, timedelta

import pytest

from awase.domain.errors import Capability, Reason
from awase.domain.health import (
    CalendarValue,
    ConnectionValue,
    Group,
    Lack,
    LocationKind,
    Recorded,
    Service,
    Standing,
    StopKind,
    Verdict,
    effective,
    overdue,
    tolerance,
)
from tests.domain.cast import lists_of, page_of, person, room

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def state(
    standing: Standing, *, good_ago: timedelta | None, reason: Reason | None = None, ours: bool = False
) -> tuple[Standing, Reason | None]:
    """What counts at noon for a connection whose last good check was `good_ago` before."""
    recorded = Recorded(
        standing,
        reason,
        last_good=None if good_ago is None else NOON - good_ago,
        since=NOON - timedelta(minutes=10),
        our_fault=ours,
    )
    return effective(recorded, now=NOON, tolerance=QUARTER)


JUST_IN_TIME = QUARTER - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("standing", "good_ago", "expected"),
    [
        pytest.param(Standing.OK, JUST_IN_TIME, (Standing.OK, None), id="ok"),
        pytest.param(Standing.DEGRADED, JUST_IN_TIME, (Standing.DEGRADED, None), id="degraded"),
        pytest.param(Standing.DEGRADED, QUARTER, (Standing.ERROR, Reason.UNREACHABLE), id="tolerance over"),
        pytest.param(Standing.OK, QUARTER, (Standing.ERROR, Reason.UNREACHABLE), id="nobody wrote it down"),
        pytest.param(Standing.OK, None, (Standing.OK, None), id="never checked, new"),
    ],
)
def test_the_tolerance_runs_from_the_last_good_check(
    standing: Standing, good_ago: timedelta | None, expected: tuple[Standing, Reason | None]
) -> None:
    assert state(standing, good_ago=good_ago) == expected


def test_a_connection_that_was_never_read_has_the_tolerance_from_its_beginning() -> None:
    recorded = Recorded(Standing.OK, None, last_good=None, since=NOON - QUARTER)
    assert effective(recorded, now=NOON, tolerance=QUARTER) == (Standing.ERROR, Reason.UNREACHABLE)


def test_an_error_that_needs_a_person_lasts_whatever_the_clock_says() -> None:
    revoked = state(Standing.ERROR, good_ago=timedelta(), reason=Reason.REVOKED)
    assert revoked == (Standing.ERROR, Reason.REVOKED)


def test_where_we_are_at_fault_the_reason_names_the_operator() -> None:
    assert state(Standing.DEGRADED, good_ago=QUARTER, ours=True) == (Standing.ERROR, Reason.OPERATOR)


def test_an_outage_written_down_is_over_once_a_good_check_is_young_enough() -> None:
    outage = state(Standing.ERROR, good_ago=JUST_IN_TIME, reason=Reason.UNREACHABLE)
    assert outage == (Standing.DEGRADED, None)


def test_the_tolerance_is_three_check_intervals_where_that_is_longer() -> None:
    assert tolerance(QUARTER, timedelta(minutes=5)) == QUARTER
    assert tolerance(QUARTER, timedelta(hours=1)) == timedelta(hours=3)


def test_a_read_is_overdue_exactly_when_the_tolerance_is_over() -> None:
    assert overdue(NOON - QUARTER, now=NOON, tolerance=QUARTER)
    assert not overdue(NOON - JUST_IN_TIME, now=NOON, tolerance=QUARTER)


def test_only_an_outage_and_our_own_fault_need_no_person() -> None:
    assert {reason for reason in Reason if not reason.needs_person} == {Reason.UNREACHABLE, Reason.OPERATOR}


@pytest.mark.parametrize(
    ("checked", "receives", "go_on_without", "in_use", "counts"),
    [
        (False, False, False, False, False),
        (True, False, False, True, True),
        (True, False, True, True, False),
        (False, True, False, True, True),
        (True, True, True, True, True),
    ],
)
def test_a_calendar_counts_if_bookings_are_added_or_it_is_checked_under_stop(
    checked: bool, receives: bool, go_on_without: bool, in_use: bool, counts: bool
) -> None:
    calendar = CalendarValue(1, "Work", checked, receives, go_on_without)
    assert (calendar.in_use, calendar.counts) == (in_use, counts)


def test_meet_zoom_and_teams_need_an_account() -> None:
    backed = {kind for kind in LocationKind if kind.account_backed}
    assert backed == {LocationKind.MEET, LocationKind.ZOOM, LocationKind.TEAMS}


def test_a_missing_capability_has_its_reason() -> None:
    lacking = ((Capability.MEET, Reason.LICENCE_MISSING),)
    connection = ConnectionValue(1, Service.GOOGLE, "a@google.test", Standing.OK, lacking=lacking)
    assert connection.lacks(Capability.MEET) is Reason.LICENCE_MISSING
    assert connection.lacks(Capability.CALENDAR) is None


@pytest.mark.parametrize(
    ("sign", "readers", "missing", "usable"),
    [
        pytest.param("+", 1, False, True, id="its account works"),
        pytest.param("?", 1, False, True, id="degraded"),
        pytest.param("!", 1, False, False, id="in error"),
        pytest.param("!", 2, False, True, id="another account of the workspace can read it"),
        pytest.param("+", 1, True, False, id="missing"),
        pytest.param("+", 0, False, False, id="no longer connected"),
    ],
)
def test_a_room_is_usable_if_an_account_can_read_it(sign: str, readers: int, missing: bool, usable: bool) -> None:
    assert room(1, sign, readers=readers, missing=missing).usable is usable


def test_a_page_knows_its_people_in_list_order_each_once() -> None:
    a, b, c = person("A"), person("B"), person("C")
    groups = [Group((2, 1)), Group((7,), 1, rooms=True), Group((1, 3), 1)]
    page = lists_of(groups, [a, b, c], owner=a)
    assert page.everybody == (2, 1, 3)
    assert [index for index, _ in page.people] == [0, 2]
    assert page.member(3) == c
    with pytest.raises(KeyError):
        page.member(4)


@pytest.mark.parametrize(
    ("groups", "by_owner"),
    [
        pytest.param([Group((1, 2))], True, id="all"),
        pytest.param([Group((1, 2), 1)], False, id="any"),
        pytest.param([Group((1,), 1), Group((7,), rooms=True)], False, id="any with rooms"),
        pytest.param([Group((1, 2), 2)], True, id="two of"),
        pytest.param([Group((1,), 1), Group((2,), 1)], True, id="one of, and one of"),
        pytest.param([], True, id="no groups"),
    ],
)
def test_the_link_comes_from_the_owner_unless_one_of_a_single_group_hosts(groups: list[Group], by_owner: bool) -> None:
    a, b = person("A"), person("B")
    assert lists_of(groups, [a, b], owner=a).by_owner is by_owner


def stopped_by(*stops: Lack) -> Verdict:
    return Verdict(open=False, stops=stops)


def test_a_verdict_tells_broken_from_not_connected_and_from_settings() -> None:
    broken = stopped_by(Lack(StopKind.GROUP), Lack(StopKind.ROOM))
    unconnected = stopped_by(Lack(StopKind.CALENDAR, error=False), Lack(StopKind.CALENDAR, error=False))
    settings = stopped_by(Lack(StopKind.NO_MEMBERS, error=False))
    assert (broken.in_error, broken.by_setting) == (True, False)
    assert (unconnected.in_error, unconnected.by_setting) == (False, False)
    assert (settings.in_error, settings.by_setting) == (False, True)
    assert unconnected.stop_kinds == (StopKind.CALENDAR,)


def test_the_condition_any_is_a_single_group_of_which_one_is_needed() -> None:
    assert page_of("any", [person("A")]).groups == (Group((1,), 1),)
    assert page_of("all", [person("A")]).groups == (Group((1,), None),)
