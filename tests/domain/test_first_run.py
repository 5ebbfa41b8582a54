"""The steps of the first run, and where somebody stands who takes them in another order."""

import pytest

from awase.domain.first_run import ORDER, Step, after, left


def test_the_steps_follow_each_other() -> None:
    assert [after(step) for step in ORDER] == [Step.CALENDAR, Step.HOURS, Step.PAGE, None]


@pytest.mark.parametrize(
    ("step", "now_at", "then"),
    [
        (Step.PLACE, "place", "calendar"),
        (Step.PAGE, "page", ""),
        (Step.PLACE, "hours", "hours"),
        (Step.HOURS, "place", "page"),
        (Step.PLACE, "", ""),
    ],
)
def test_nothing_that_was_reached_is_lost(step: Step, now_at: str, then: str) -> None:
    assert left(step, now_at) == then
