"""Stretches, days and measures of a history of changes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awase.domain.history import (
    Change,
    Day,
    Incident,
    Mark,
    Stretch,
    as_changes,
    by_cause,
    by_day,
    first_moment,
    incidents,
    lost,
    middle,
    shared,
    stretches,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)


def before(**ago: float) -> datetime:
    return NOW - timedelta(**ago)


def history(*steps: tuple[datetime, Mark] | tuple[datetime, Mark, str]) -> list[Change]:
    return [Change(*step) for step in steps]


BROKE = history((LONG_AGO, Mark.OK), (before(hours=5), Mark.DANGER, "revoked"), (before(hours=2), Mark.OK))


def test_a_history_becomes_stretches_that_follow_each_other():
    found = stretches(BROKE, before(hours=10), NOW)
    assert [(one.mark, one.cause, one.length) for one in found] == [
        (Mark.OK, "", timedelta(hours=5)),
        (Mark.DANGER, "revoked", timedelta(hours=3)),
        (Mark.OK, "", timedelta(hours=2)),
    ]
    assert found[0].start == before(hours=10) and found[-1].end == NOW


def test_there_is_nothing_before_the_first_change():
    assert stretches(history((before(hours=1), Mark.OK)), before(days=3), NOW) == [
        Stretch(before(hours=1), NOW, Mark.OK)
    ]
    assert stretches([], before(days=3), NOW) == []


def test_repeated_changes_to_the_same_state_make_one_stretch():
    again = history((before(hours=3), Mark.OK), (before(hours=2), Mark.OK), (before(hours=1), Mark.WARN))
    assert [one.length for one in stretches(again, LONG_AGO, NOW)] == [timedelta(hours=2), timedelta(hours=1)]


def test_changes_at_one_moment_leave_no_empty_stretch():
    twice = history((before(hours=3), Mark.WARN), (before(hours=3), Mark.OK))
    assert [one.mark for one in stretches(twice, LONG_AGO, NOW)] == [Mark.OK]


def test_the_strip_has_a_day_for_each_date_up_to_today_in_the_reader_s_zone():
    shown = by_day(BROKE, NOW, "Asia/Tokyo")
    assert len(shown) == 90
    assert (shown[0].day, shown[-1].day) == (date(2026, 8, 26), date(2026, 11, 23))
    # 12:00 UTC is 21:00 in Tokyo: all of it lies within that one date.
    assert shown[-1].seconds == {Mark.OK: 18 * 3600, Mark.DANGER: 3 * 3600}
    assert shown[-1].worst is Mark.DANGER and shown[-2].worst is Mark.OK


def test_an_error_over_midnight_counts_on_both_dates():
    over = history((LONG_AGO, Mark.OK), (before(hours=14), Mark.DANGER), (before(hours=10), Mark.OK))
    yesterday, today = by_day(over, NOW, "Europe/London")[-2:]
    assert yesterday.hours(Mark.DANGER) == 2.0 and today.hours(Mark.DANGER) == 2.0
    assert today.hours(Mark.WARN) == 0.0


def test_a_date_has_as_many_hours_as_the_zone_gives_it():
    night = datetime(2026, 10, 26, 12, tzinfo=UTC)  # the day after clocks went back in Berlin
    shown = by_day(history((LONG_AGO, Mark.OK)), night, "Europe/Berlin", days=2)
    assert shown[0].hours(Mark.OK) == 25.0
    assert first_moment(night, "Europe/Berlin", days=2) == datetime(2026, 10, 24, 22, tzinfo=UTC)


def test_days_before_there_was_anything_are_empty():
    empty = by_day(history((before(days=1), Mark.OK)), NOW, "UTC")[0]
    assert empty.worst is Mark.NONE and empty.hours(Mark.OK) == 0.0


def test_even_a_moment_of_error_shows_as_a_tenth_of_an_hour():
    assert Day(date(2026, 1, 1), {Mark.DANGER: 20}).hours(Mark.DANGER) == 0.1


@given(
    st.lists(st.tuples(st.integers(0, 100 * 86_400), st.sampled_from([Mark.OK, Mark.WARN, Mark.DANGER])), max_size=30),
    st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York", "Pacific/Apia"]),
)
def test_all_time_since_the_first_change_is_in_exactly_one_day_and_state(steps: list[tuple[int, Mark]], zone: str):
    changes = [Change(NOW - timedelta(seconds=ago), mark) for ago, mark in sorted(steps, key=lambda step: -step[0])]
    shown = by_day(changes, NOW, zone)
    start = first_moment(NOW, zone)
    known = NOW - max(changes[0].at, start) if changes else timedelta()
    assert sum(sum(day.seconds.values()) for day in shown) == known.total_seconds()


def test_stopped_time_is_summed_up_by_cause_the_longest_first():
    steps = history(
        (before(hours=20), Mark.DANGER, "revoked"),
        (before(hours=19), Mark.OK),
        (before(hours=10), Mark.DANGER, "unreachable"),
        (before(hours=6), Mark.DANGER, "revoked"),
        (before(hours=5), Mark.WARN, "no_members"),
        (before(hours=3), Mark.OK),
    )
    total = by_cause(stretches(steps, LONG_AGO, NOW))
    assert list(total.items()) == [
        ("unreachable", timedelta(hours=4)),
        ("no_members", timedelta(hours=2)),
        ("revoked", timedelta(hours=2)),
    ]


def test_an_incident_begins_with_its_first_sign():
    steps = history(
        (LONG_AGO, Mark.OK),
        (before(hours=9), Mark.WARN),
        (before(hours=8), Mark.WARN, "later"),
        (before(hours=7), Mark.DANGER, "unreachable"),
        (before(hours=6), Mark.DANGER, "revoked"),
        (before(hours=4), Mark.OK),
        (before(hours=3), Mark.WARN),
        (before(hours=2), Mark.OK),
        (before(hours=1), Mark.DANGER, "revoked"),
    )
    first, second = incidents(stretches(steps, LONG_AGO, NOW), NOW)
    assert first == Incident(before(hours=9), before(hours=7), before(hours=4))
    assert first.detected_after == timedelta(hours=2)
    assert second == Incident(before(hours=1), before(hours=1), None)
    assert second.detected_after == timedelta()


def test_the_middle_of_nothing_is_unknown():
    assert middle([]) is None
    assert middle([timedelta(hours=1), timedelta(hours=9), timedelta(hours=2)]) == timedelta(hours=2)


@pytest.mark.parametrize(
    ("needed", "open_"), [(1, [(0, 40), (50, 60)]), (2, [(5, 20), (30, 40)]), (3, [(10, 20)]), (4, [])]
)
def test_hours_are_shared_by_as_many_as_are_needed(needed: int, open_: list[tuple[int, int]]):
    assert shared(needed, [[(0, 20), (20, 40)], [(10, 20), (50, 60)], [(30, 40), (5, 20)]]) == open_


def test_only_stopped_time_within_the_opening_hours_is_lost():
    assert lost([(0, 100), (300, 400)], [(50, 350), (90, 120)]) == [(50, 100), (300, 350)]
    assert lost([], [(0, 10)]) == []


def test_lost_hours_are_told_by_day_like_any_other_state():
    start, end = (int(before(hours=hours).timestamp()) for hours in (3, 1))
    assert by_day(as_changes([(start, end)]), NOW, "UTC", days=1)[0].hours(Mark.DANGER) == 2.0
