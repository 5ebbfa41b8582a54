"""Wall-clock time to UTC and back, dates on which clocks change included."""

import time
from bisect import bisect_right
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awase.domain.intervals import epoch
from awase.domain.schedule import (
    Range,
    Schedule,
    always_open,
    expand,
    from_json,
    group_by_day,
    local_date,
    local_texts,
    midnight,
    parse_range,
    range_text,
    to_json,
    wall_clock,
    zone,
)

CLOSED = ((),) * 7
NINE_TO_FIVE = (Range(540, 1020),)


@pytest.fixture(params=["UTC", "America/New_York", "Pacific/Apia", "Asia/Kathmandu"])
def machine_zone(request, monkeypatch):
    """The zone of the machine must not matter."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def utc(text):
    return epoch(datetime.fromisoformat(text).replace(tzinfo=UTC))


def opened(schedule, start, end):
    """The open ranges as text."""
    return [
        tuple(f"{datetime.fromtimestamp(second, UTC):%m-%d %H:%M}" for second in pair)
        for pair in expand(schedule, utc(start), utc(end))
    ]


# Zone, date, hours, and what they are in UTC. Gap: read with the offset before it. Fold: the first time.
TRANSITIONS = [
    ("America/New_York", "2026-03-08", "01:30-02:30", ("03-08 06:30", "03-08 07:30")),  # ends in the gap
    ("America/New_York", "2026-03-08", "02:30-05:00", ("03-08 07:30", "03-08 09:00")),  # begins in the gap
    ("America/New_York", "2026-11-01", "01:30-02:30", ("11-01 05:30", "11-01 07:30")),  # begins in the fold
    ("America/New_York", "2026-11-01", "00:30-01:30", ("11-01 04:30", "11-01 05:30")),  # ends in the fold
    ("Europe/London", "2026-03-29", "01:30-03:00", ("03-29 01:30", "03-29 02:00")),
    ("Europe/London", "2026-10-25", "01:30-02:30", ("10-25 00:30", "10-25 02:30")),
    ("Europe/Berlin", "2026-03-29", "02:30-04:00", ("03-29 01:30", "03-29 02:00")),
    ("Australia/Lord_Howe", "2026-10-04", "02:15-03:00", ("10-03 15:45", "10-03 16:00")),  # half an hour
    ("Australia/Lord_Howe", "2026-04-05", "01:45-02:30", ("04-04 14:45", "04-04 16:00")),
    ("Africa/Cairo", "2026-04-24", "00:00-02:00", ("04-23 22:00", "04-23 23:00")),  # no midnight
    ("Africa/Cairo", "2026-10-29", "23:30-24:30", ("10-29 20:30", "10-29 22:30")),  # midnight put off
    ("America/Santiago", "2026-04-04", "23:00-24:00", ("04-05 02:00", "04-05 04:00")),
    ("America/St_Johns", "2026-03-08", "02:30-04:00", ("03-08 06:00", "03-08 06:30")),
    ("America/Havana", "2026-11-01", "00:30-01:30", ("11-01 04:30", "11-01 06:30")),  # two midnights
    ("Africa/Casablanca", "2026-02-15", "02:30-03:30", ("02-15 01:30", "02-15 03:30")),  # Ramadan begins
    ("Pacific/Chatham", "2026-09-27", "03:00-05:00", ("09-26 14:15", "09-26 15:15")),
    ("Pacific/Chatham", "2026-09-27", "03:00-04:00", None),  # swallowed by the gap
    ("Pacific/Apia", "2011-12-29", "22:00-26:00", ("12-30 08:00", "12-30 12:00")),  # into the lost day
    ("Pacific/Apia", "2011-12-30", "09:00-17:00", None),  # the date that never was
    ("Asia/Kathmandu", "2026-12-01", "09:00-17:00", ("12-01 03:15", "12-01 11:15")),
    ("Asia/Tokyo", "2026-12-31", "22:00-26:00", ("12-31 13:00", "12-31 17:00")),
]


@pytest.mark.parametrize(("zone_name", "day", "hours", "expected"), TRANSITIONS)
def test_hours_follow_the_clock_on_dates_of_change(machine_zone, zone_name, day, hours, expected):
    on = date.fromisoformat(day)
    schedule = Schedule(zone_name, CLOSED, {on: (parse_range(hours),)})
    at = utc(day)
    found = expand(schedule, at - 3 * 86_400, at + 3 * 86_400)
    text = [tuple(f"{datetime.fromtimestamp(second, UTC):%m-%d %H:%M}" for second in pair) for pair in found]
    assert text == ([expected] if expected else [])


ZONES = [
    "America/New_York", "Europe/London", "Europe/Dublin", "Australia/Lord_Howe", "Africa/Cairo",
    "America/Santiago", "America/St_Johns", "America/Havana", "Africa/Casablanca", "Pacific/Chatham",
    "Pacific/Apia", "Asia/Kathmandu", "Asia/Tokyo", "America/Goose_Bay", "Asia/Gaza",
]  # fmt: skip


@settings(deadline=None)
@given(st.sampled_from(ZONES), st.integers(utc("1972-01-01"), utc("2090-01-01")), st.integers(0, 400))
def test_the_wall_clock_agrees_with_zoneinfo(zone_name, start, days):
    end = start + days * 86_400
    clock = wall_clock(zone_name, start, end)
    info = ZoneInfo(zone_name)
    for second in {start, end, *(at + by for at in clock.moments for by in (-3601, -1, 0, 1, 3601))}:
        wall = datetime.fromtimestamp(second, info).replace(tzinfo=UTC)
        if start <= second <= end:
            assert clock.wall(second) == epoch(wall)
        # Back again; in the second pass of a fold to the first.
        again = epoch(wall.replace(tzinfo=info, fold=0))
        assert epoch(wall) - clock.offsets[bisect_right(clock.walls, epoch(wall))] == again <= second


def test_weekly_hours_repeat_in_local_time_across_a_change():
    schedule = Schedule("America/New_York", (NINE_TO_FIVE,) * 5 + ((), ()))
    assert opened(schedule, "2026-03-06", "2026-03-10") == [
        ("03-06 14:00", "03-06 22:00"),
        ("03-09 13:00", "03-09 21:00"),
    ]


def test_ranges_that_touch_the_window_come_whole():
    schedule = Schedule("UTC", (NINE_TO_FIVE,) * 7)
    assert opened(schedule, "2026-12-01 10:00", "2026-12-01 11:00") == [("12-01 09:00", "12-01 17:00")]
    assert opened(schedule, "2026-12-01 17:00", "2026-12-02 09:00") == []


def test_a_range_past_midnight_belongs_to_the_date_on_which_it_begins():
    late = Schedule("UTC", ((), (Range(1320, 1560),), *CLOSED[2:]), {date(2026, 12, 2): ()})
    assert opened(late, "2026-12-02 00:00", "2026-12-02 12:00") == [("12-01 22:00", "12-02 02:00")]


def test_hours_reach_over_a_date_that_is_skipped():
    late = Schedule("Pacific/Apia", (*CLOSED[:3], (Range(1320, 1560),), *CLOSED[4:]))  # Thursday
    assert opened(late, "2011-12-30 11:00", "2011-12-30 11:01") == [("12-30 08:00", "12-30 12:00")]
    friday = Schedule("Pacific/Apia", (*CLOSED[:4], (Range(540, 1020),), *CLOSED[5:]))
    assert opened(friday, "2011-12-29", "2012-01-02") == []


def test_overrides_beat_holidays_and_holidays_beat_weekly_hours():
    holidays = frozenset([date(2026, 12, 1), date(2026, 12, 2)])
    overrides = {date(2026, 12, 2): (Range(600, 660),), date(2026, 12, 3): ()}
    schedule = Schedule("UTC", (NINE_TO_FIVE,) * 7, overrides, holidays, closed_on_holidays=True)
    assert opened(schedule, "2026-11-30", "2026-12-05") == [
        ("11-30 09:00", "11-30 17:00"),
        ("12-02 10:00", "12-02 11:00"),
        ("12-04 09:00", "12-04 17:00"),
    ]
    closed = Schedule("UTC", (NINE_TO_FIVE,) * 7, holidays=holidays, closed_on_holidays=True)
    assert len(opened(closed, "2026-11-30", "2026-12-05")) == 3
    working = Schedule("UTC", (NINE_TO_FIVE,) * 7, holidays=holidays)
    assert len(opened(working, "2026-11-30", "2026-12-05")) == 5


def test_equal_schedules_count_as_one():
    one = Schedule("UTC", (NINE_TO_FIVE,) * 7, {date(2026, 1, 1): ()}, frozenset([date(2026, 1, 2)]))
    same = Schedule("UTC", (NINE_TO_FIVE,) * 7, {date(2026, 1, 1): ()}, frozenset([date(2026, 1, 2)]))
    assert len({one, same, Schedule("UTC", (NINE_TO_FIVE,) * 7)}) == 2


def test_a_day_begins_at_its_first_moment():
    assert midnight("Asia/Tokyo", date(2026, 12, 1)) == utc("2026-11-30 15:00")
    assert midnight("Africa/Cairo", date(2026, 4, 24)) == utc("2026-04-23 22:00")
    assert midnight("America/Havana", date(2026, 11, 1)) == utc("2026-11-01 04:00")
    assert midnight("America/New_York", date(2026, 3, 8), 180) == utc("2026-03-08 07:00")
    assert midnight("UTC", date(9999, 12, 31)) == utc("9000-01-01")
    assert local_date("Asia/Tokyo", utc("2026-11-30 15:00")) == date(2026, 12, 1)


def test_starts_are_grouped_by_the_date_that_the_guest_sees(machine_zone):
    # Goose Bay put its clock back at 00:01 in 2010: a minute of Sunday, then Saturday once more.
    starts = [utc(f"2010-11-07 {clock}") for clock in ("02:30", "03:00", "03:30", "04:00", "05:00")]
    assert group_by_day(starts, "America/Goose_Bay") == {
        date(2010, 11, 6): [starts[0], starts[2]],
        date(2010, 11, 7): [starts[1], starts[3], starts[4]],
    }
    assert group_by_day([], "UTC") == {}


@given(
    st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]),
    st.lists(st.integers(22_000_000, 33_000_000), max_size=20),
)
def test_local_texts_say_what_isoformat_says(name, minutes):
    moments = sorted(60 * minute for minute in minutes)
    expected = [datetime.fromtimestamp(second, ZoneInfo(name)).isoformat() for second in moments]
    assert local_texts(moments, name) == [text.replace("+00:00", "Z") for text in expected]


def test_always_open_adjoins_from_day_to_day():
    assert opened(always_open("America/Havana"), "2026-11-01 05:00", "2026-11-02 06:00") == [
        ("11-01 04:00", "11-02 05:00"),
        ("11-02 05:00", "11-03 05:00"),
    ]


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc", "America", "a\0b"])
def test_an_unknown_zone_is_told(name):
    with pytest.raises(ValueError, match="unknown time zone"):
        zone(name)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ((Range(540, 540),), "bad hours 09:00-09:00"),
        ((Range(540, 480),), "bad hours"),
        ((Range(-1, 480),), "bad hours"),
        ((Range(1440, 1500),), "bad hours"),
        ((Range(540, 1981),), "bad hours"),
        ((Range(600, 720), Range(540, 601)), "overlap at 10:00"),
    ],
)
def test_impossible_hours_are_refused(ranges, message):
    with pytest.raises(ValueError, match=message):
        Schedule("UTC", (ranges, *CLOSED[1:]))
    with pytest.raises(ValueError, match=message):
        Schedule("UTC", CLOSED, {date(2026, 1, 1): ranges})


def test_a_week_has_seven_days():
    with pytest.raises(ValueError, match="seven"):
        Schedule("UTC", CLOSED[1:])


@pytest.mark.parametrize(
    ("text", "hours", "again"),
    [
        ("09:00-17:00", Range(540, 1020), "09:00-17:00"),
        (" 9:05 〜 12:30 ", Range(545, 750), "09:05-12:30"),
        ("22:00-02:00", Range(1320, 1560), "22:00-26:00"),
        ("22:00-26:00", Range(1320, 1560), "22:00-26:00"),
        ("00:00-00:00", Range(0, 1440), "00:00-24:00"),
        ("00:00-24:00", Range(0, 1440), "00:00-24:00"),
    ],
)
def test_hours_are_read_and_written_as_people_do(text, hours, again):
    assert parse_range(text) == hours
    assert range_text(hours) == again
    assert parse_range(again) == hours


@pytest.mark.parametrize("text", ["", "9-17", "09:60-10:00", "09:00", "25:00-26:00", "09:00-09:00", "x09:00-10:00"])
def test_text_that_is_no_hours_is_refused(text):
    with pytest.raises(ValueError, match="hours"):
        parse_range(text)


def test_a_schedule_survives_its_stored_form():
    schedule = Schedule(
        "Asia/Tokyo",
        ((Range(540, 720), Range(780, 1020)), *CLOSED[1:]),
        {date(2026, 12, 31): (Range(1320, 1560),), date(2026, 12, 30): ()},
        frozenset([date(2027, 1, 1)]),
        closed_on_holidays=True,
    )
    weekly, overrides = to_json(schedule)
    assert weekly[0] == [[540, 720], [780, 1020]]
    assert overrides == {"2026-12-30": [], "2026-12-31": [[1320, 1560]]}
    again = from_json("Asia/Tokyo", weekly, overrides, holidays=schedule.holidays, closed_on_holidays=True)
    assert again == schedule


def test_stored_hours_are_put_in_order():
    assert from_json("UTC", [[[780, 1020], [540, 720]], *[[]] * 6], {}).weekly[0] == (
        Range(540, 720),
        Range(780, 1020),
    )


@pytest.mark.parametrize(
    ("zone_name", "weekly", "overrides", "message"),
    [
        ("UTC", None, {}, "list of seven days"),
        ("UTC", [[]] * 7, [], "mapping"),
        ("UTC", [[]] * 6, {}, "seven"),
        ("UTC", [5] * 7, {}, "pairs of minutes"),
        ("UTC", [[[1, 2, 3]]] * 7, {}, "pairs of minutes"),
        ("UTC", [[["9", "17"]]] * 7, {}, "whole minutes"),
        ("UTC", [[[0, True]]] * 7, {}, "whole minutes"),
        ("UTC", [[[600, 500]]] * 7, {}, "bad hours"),
        ("UTC", [[]] * 7, {"soon": []}, "a date must look like"),
        ("Nowhere", [[]] * 7, {}, "unknown time zone"),
    ],
)
def test_malformed_schedules_are_refused_with_a_reason(zone_name, weekly, overrides, message):
    with pytest.raises(ValueError, match=message):
        from_json(zone_name, weekly, overrides)
