"""The kept form of what a calendar's busy times are made of."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awase.domain.event_spans import EventSpan, mark, packed, replaced, unpacked

KEY = "0123456789abcdef0123456789abcdef"
SECONDS = st.integers(-(2**62), 2**62)
KEYS = st.one_of(st.just(""), st.binary(min_size=16, max_size=16).filter(any).map(bytes.hex))
SPANS = st.lists(st.builds(EventSpan, st.binary(min_size=8, max_size=8), SECONDS, SECONDS, KEYS))


@given(SPANS)
def test_what_is_packed_comes_back_as_it_was(spans: list[EventSpan]) -> None:
    assert unpacked(packed(spans)) == spans


def test_a_span_takes_forty_bytes_and_no_id() -> None:
    data = packed([EventSpan(mark("secret-lunch"), 1, 2)])
    assert len(data) == 40
    assert b"lunch" not in data


def test_damaged_bytes_are_told() -> None:
    with pytest.raises(struct.error):
        unpacked(b"short")


def test_an_event_that_was_told_replaces_all_that_was_held_under_its_mark() -> None:
    held = [EventSpan(mark("series"), 1, 2), EventSpan(mark("series"), 8, 9), EventSpan(mark("other"), 3, 4, KEY)]
    told = [EventSpan(mark("series"), 5, 6), EventSpan(mark("new"), 7, 8)]
    assert replaced(held, told, []) == [held[2], *told]


def test_an_event_that_is_gone_leaves_nothing() -> None:
    held = [EventSpan(mark("a"), 1, 2), EventSpan(mark("b"), 3, 4)]
    assert replaced(held, [], [mark("a"), mark("unknown")]) == [held[1]]
