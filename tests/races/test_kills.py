"""Web server and worker are killed at random points (a slice of `kill_campaign`)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.races.kill_campaign import campaign

KILLS = 6


@pytest.mark.races
def test_after_any_kill_each_booking_has_its_event_and_meeting_once(
    tmp_path: Path, new_database: Callable[[Path], str]
) -> None:
    with campaign(tmp_path, new_database(tmp_path), seed=2) as under_fire:
        *_, result = under_fire.run(KILLS)
        assert result.kills.total() == KILLS
        assert result.wrong == []
        assert result.states["confirmed"]

        for calendar in under_fire.here.services.state.accounts["google/first@minato.example"].calendars.values():
            calendar.events.clear()
        under_fire.judge()
        assert any("one is missing" in sentence for sentence in result.wrong), "it would have been noticed"
