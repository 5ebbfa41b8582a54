"""Several processes want the same time of the same hosts at the same moment (a slice of `campaign`)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.races.campaign import OF_ONE_PERSON, PEOPLE, RACES, WAYS, Race, Tally, Track, Way, clean, track

MANY, GUESTS = 10, 4


@pytest.fixture(scope="module")
def tallies(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[Path], str]) -> dict[str, Tally]:
    folder: Path = tmp_path_factory.mktemp("races")
    with track(folder, new_database(folder), GUESTS) as course:
        of_one_person = _last(course, PEOPLE, OF_ONE_PERSON)
        return {PEOPLE.name: of_one_person, **{way.name: _last(course, way) for way in WAYS}}


def _last(course: Track, way: Way, kinds: tuple[Race, ...] = RACES) -> Tally:
    *_, tally = course.run(way, MANY, kinds)
    return tally


@pytest.mark.races
@pytest.mark.parametrize("bars", ["lock, one person", "lock and guard", "guard alone", "lock alone"])
def test_a_time_wanted_by_several_at_once_is_given_away_once(tallies: dict[str, Tally], bars: str) -> None:
    tally = tallies[bars]
    assert tally.races == MANY
    assert clean(tally), tally


@pytest.mark.races
def test_without_either_bar_the_same_races_sell_time_twice(tallies: dict[str, Tally]) -> None:
    assert tallies["neither"].oversold
    assert clean(tallies["neither"])
