"""The table of who may do what is whole, and one part that may is enough."""

import pytest

from awase.domain.permissions import ALLOWED, Act, Part, allowed


def test_every_act_has_its_line_and_nothing_is_left_to_nobody() -> None:
    assert set(ALLOWED) == set(Act)
    assert all(ALLOWED.values())


@pytest.mark.parametrize("act", Act)
def test_one_part_that_may_is_enough_and_none_is_not(act: Act) -> None:
    for part in Part:
        assert allowed(act, [part]) is (part in ALLOWED[act])
    assert allowed(act, Part) and not allowed(act, [])
