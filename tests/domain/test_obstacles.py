"""Every reason for which a time is not offered is told."""

from dataclasses import replace
from datetime import date

import pytest

from awase.domain.availability import HostTimes, Period, SlotRules
from awase.domain.health import Group
from awase.domain.intervals import BusyTimes
from awase.domain.limits import Limit, Per, Quota
from awase.domain.obstacles import Obstacle, why_not
from tests.domain.test_availability import ANN, BEN, LONG_AGO, RULES, at, busy, hours, own

FULL = Quota((Limit(Per.DAY, bookings=0),))
GROUPS = [Group((1,))]


def page(rules=RULES, start="10:00", now=LONG_AGO):
    return why_not(rules, GROUPS, [ANN], at(start), now).page


def test_nothing_stands_against_a_time_that_is_offered():
    why = why_not(RULES, GROUPS, [ANN], at("10:00"), LONG_AGO)
    assert (why.offered, why.page, why.hosts) == (True, (), ((ANN, ()),))


@pytest.mark.parametrize(
    ("rules", "now", "obstacle"),
    [
        (replace(RULES, notice_minutes=60), at("09:01"), Obstacle.NOTICE),
        (RULES, at("10:01"), Obstacle.NOTICE),
        (replace(RULES, period=Period(last=date(2026, 11, 30))), LONG_AGO, Obstacle.PERIOD),
        (replace(RULES, period=Period(first=date(2026, 12, 2))), LONG_AGO, Obstacle.PERIOD),
        (replace(RULES, page=FULL), LONG_AGO, Obstacle.PAGE_LIMIT),
        (replace(RULES, guest=FULL), LONG_AGO, Obstacle.GUEST_LIMIT),
    ],
)
def test_the_pages_reason_is_told(rules, now, obstacle):
    assert page(rules, now=now) == (obstacle,)


def test_a_free_time_off_the_grid_is_told_as_such():
    assert page(start="10:30") == (Obstacle.GRID,)
    assert page(start="11:30") == ()  # it does not fit the hours: that is the host's reason


@pytest.mark.parametrize(
    ("host", "obstacles"),
    [
        (replace(ANN, schedule=hours("09:00-10:30")), (Obstacle.HOURS,)),
        (replace(ANN, absences=((date(2026, 12, 1), date(2026, 12, 1)),)), (Obstacle.ABSENCE,)),
        (replace(ANN, busy=(busy(("10:59", "12:00")),)), (Obstacle.BUSY,)),
        (replace(ANN, busy=(busy(("11:00", "12:00")),)), (Obstacle.BUFFER,)),
        (replace(ANN, busy=(BusyTimes.unread(),)), (Obstacle.UNKNOWN,)),
        (replace(ANN, busy=(busy(covered=("00:00", "11:05")),)), (Obstacle.UNKNOWN,)),
        (replace(ANN, own=(own("10:30", "11:00"),)), (Obstacle.BOOKING,)),
        (replace(ANN, own=(own("11:00", "12:00"),)), (Obstacle.BUFFER,)),
        (replace(ANN, quota=FULL), (Obstacle.HOST_LIMIT,)),
        (
            replace(ANN, schedule=hours("12:00-13:00"), busy=(busy(("10:00", "12:00")),), quota=FULL),
            (Obstacle.HOURS, Obstacle.BUSY, Obstacle.HOST_LIMIT),
        ),
    ],
)
def test_the_hosts_reasons_are_told(host, obstacles):
    rules = replace(RULES, buffer_after=10)
    why = why_not(rules, GROUPS, [host], at("10:00"), LONG_AGO)
    assert not why.offered
    assert why.page == ()
    assert why.hosts == ((host, obstacles),)


def test_rooms_and_free_hosts_are_told_too():
    room = HostTimes(5, None, (busy(("10:00", "10:30")),), room=True)
    groups = [Group((1, 2), 1), Group((5,), rooms=True)]
    taken = replace(BEN, own=(own("09:00", "12:00"),))
    why = why_not(RULES, groups, [ANN, taken, room], at("10:00"), LONG_AGO)
    assert not why.offered
    assert why.hosts == ((ANN, ()), (taken, (Obstacle.BOOKING,)), (room, (Obstacle.BUSY,)))


def test_absences_go_by_the_hosts_zone_whatever_the_hours():
    tokyo = replace(
        ANN, schedule=hours("19:00-22:00", zone="Asia/Tokyo"), absences=((date(2026, 12, 2), date(2026, 12, 2)),)
    )
    rules = SlotRules(30, 30, "UTC")
    assert why_not(rules, GROUPS, [tokyo], at("14:30"), LONG_AGO).hosts[0][1] == (Obstacle.HOURS,)
    assert why_not(rules, GROUPS, [tokyo], at("15:00"), LONG_AGO).hosts[0][1] == (
        Obstacle.HOURS,
        Obstacle.ABSENCE,
    )
