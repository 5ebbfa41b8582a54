"""Whole seconds, half-open spans, and the stored form of busy times."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awase.domain.intervals import BusyTimes, epoch, merged, moment, span, without

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
AT_NOON = 1796126400
HALF = timedelta(milliseconds=500)


def test_a_moment_becomes_whole_seconds_whatever_its_zone():
    assert epoch(NOON) == AT_NOON
    assert epoch(NOON.astimezone(timezone(timedelta(hours=9)))) == AT_NOON
    assert epoch(NOON + HALF) == AT_NOON
    assert epoch(datetime(1969, 12, 31, 23, 59, 59, 500000, tzinfo=UTC)) == -1
    assert moment(AT_NOON) == NOON
    assert moment(AT_NOON).tzinfo is UTC


def test_a_naive_moment_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        epoch(NOON.replace(tzinfo=None))


def test_a_busy_part_of_a_second_makes_the_whole_second_busy():
    assert span(NOON + HALF, NOON + timedelta(seconds=1) + HALF) == (AT_NOON, AT_NOON + 2)
    assert span(NOON, NOON + timedelta(seconds=1)) == (AT_NOON, AT_NOON + 1)


def test_merged_spans_neither_overlap_nor_touch():
    assert merged([(5, 7), (1, 3), (3, 4), (6, 6), (9, 8), (5, 6), (6, 8)]) == [(1, 4), (5, 8)]
    assert merged([]) == []


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40))))
def test_merging_keeps_every_second_and_adds_none(spans):
    seconds = {second for start, end in spans for second in range(start, end)}
    result = merged(spans)
    assert {second for start, end in result for second in range(start, end)} == seconds
    assert all(before[1] < after[0] for before, after in pairwise(result))


def test_busy_times_are_stored_as_sorted_little_endian_seconds():
    hour = timedelta(hours=1)
    busy = BusyTimes.of(
        [(NOON + 3 * hour, NOON + 4 * hour), (NOON, NOON + hour), (NOON + hour / 2, NOON + 2 * hour)],
        covered=(NOON - hour + HALF, NOON + 9 * hour + HALF),
        read_at=NOON,
    )
    assert busy.pairs() == [(AT_NOON, AT_NOON + 7200), (AT_NOON + 10800, AT_NOON + 14400)]
    assert busy.spans[:16] == AT_NOON.to_bytes(8, "little") + (AT_NOON + 7200).to_bytes(8, "little")
    # What is not wholly known is unknown.
    assert (busy.covered_start, busy.covered_end) == (AT_NOON - 3599, AT_NOON + 9 * 3600)
    assert busy.read_at == AT_NOON


def test_a_calendar_never_read_covers_nothing():
    unread = BusyTimes.unread()
    assert unread.covered_start == unread.covered_end
    assert unread.pairs() == []


@pytest.mark.parametrize(
    ("taken", "left"),
    [
        ([], [(10, 20), (30, 40)]),
        ([(0, 10), (20, 30), (40, 50)], [(10, 20), (30, 40)]),
        ([(12, 14), (16, 18)], [(10, 12), (14, 16), (18, 20), (30, 40)]),
        ([(5, 15), (35, 45)], [(15, 20), (30, 35)]),
        ([(15, 35)], [(10, 15), (35, 40)]),
        ([(0, 100)], []),
    ],
)
def test_what_is_taken_is_cut_out(taken, left):
    assert without([(30, 40), (10, 20)], taken) == left


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6),
)
def test_a_second_is_left_if_it_was_there_and_not_taken(spans, taken):
    left = without(spans, taken)
    for second in range(60):
        there = any(start <= second < end for start, end in spans)
        gone = any(start <= second < end for start, end in taken)
        assert any(start <= second < end for start, end in left) is (there and not gone)
