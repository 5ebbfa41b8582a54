"""Limits in number and minutes, per day, week, month and in total."""

from datetime import UTC, datetime

import pytest

from awase.domain.intervals import epoch
from awase.domain.limits import ALWAYS, NO_LIMITS, Limit, Per, Quota, from_json, to_json

HALF_HOUR = 1800


def at(text):
    return epoch(datetime.fromisoformat(text).replace(tzinfo=UTC))


def bookings(*starts):
    return tuple((at(start), at(start) + HALF_HOUR) for start in starts)


def full(limit, booked, zone="UTC"):
    return list(Quota((limit,), booked).full(zone, HALF_HOUR))


def test_without_limits_nothing_is_full():
    assert list(NO_LIMITS.full("UTC", HALF_HOUR)) == []


@pytest.mark.parametrize(
    ("per", "first", "after"),
    [
        (Per.DAY, "2026-12-31", "2027-01-01"),
        (Per.WEEK, "2026-12-28", "2027-01-04"),
        (Per.MONTH, "2026-12-01", "2027-01-01"),
    ],
)
def test_a_stretch_is_full_with_as_many_bookings_as_allowed(per, first, after):
    booked = bookings("2026-12-31 09:00", "2026-12-31 23:59")
    assert full(Limit(per, bookings=2), booked) == [(at(first), at(after))]
    assert full(Limit(per, bookings=3), booked) == []


def test_minutes_leave_room_for_exactly_one_more_or_none():
    booked = bookings("2026-12-31 09:00")
    assert full(Limit(Per.DAY, minutes=60), booked) == []
    assert full(Limit(Per.DAY, minutes=59), booked) == [(at("2026-12-31"), at("2027-01-01"))]


def test_a_limit_in_total_is_full_for_ever():
    assert full(Limit(Per.TOTAL, bookings=1), bookings("2020-02-29 09:00")) == [ALWAYS]
    assert full(Limit(Per.TOTAL, bookings=1), ()) == []


def test_a_limit_below_one_booking_is_always_full():
    assert full(Limit(Per.DAY, bookings=0), ()) == [ALWAYS]
    assert full(Limit(Per.WEEK, minutes=29), ()) == [ALWAYS]
    assert full(Limit(Per.WEEK, minutes=30), ()) == []


def test_a_booking_counts_on_the_date_on_which_it_starts_in_the_zone():
    booked = bookings("2026-12-31 14:45")  # 23:45 in Tokyo, running into the new year
    day = [(at("2026-12-30 15:00"), at("2026-12-31 15:00"))]
    assert full(Limit(Per.DAY, bookings=1), booked, "Asia/Tokyo") == day


def test_a_day_on_which_the_clock_goes_back_has_25_hours():
    booked = bookings("2026-11-01 12:00")
    day = [(at("2026-11-01 04:00"), at("2026-11-02 05:00"))]
    assert full(Limit(Per.DAY, bookings=1), booked, "America/New_York") == day


def test_bookings_of_other_stretches_do_not_add_up():
    booked = bookings("2026-12-30 09:00", "2026-12-31 09:00", "2027-01-04 09:00")
    assert full(Limit(Per.DAY, bookings=2), booked) == []
    assert full(Limit(Per.WEEK, bookings=2), booked) == [(at("2026-12-28"), at("2027-01-04"))]


def test_limits_are_stored_and_read_again():
    limits = (Limit(Per.DAY, bookings=3), Limit(Per.WEEK, minutes=600), Limit(Per.TOTAL, 1, 60))
    assert from_json(to_json(limits)) == limits
    assert from_json([]) == ()


@pytest.mark.parametrize(
    "stored",
    [
        {},
        ["day"],
        [{"per": "day"}],
        [{"per": "year", "bookings": 1}],
        [{"per": "day", "bookings": -1}],
        [{"per": "day", "minutes": "60"}],
        [{"per": "day", "bookings": True}],
        [{"per": "day", "bookings": 1, "more": 2}],
    ],
)
def test_what_is_no_list_of_limits_is_refused(stored):
    with pytest.raises(ValueError, match=r"limit|Per"):
        from_json(stored)
