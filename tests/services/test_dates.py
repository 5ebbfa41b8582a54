"""How dates, times and zones are written."""

from datetime import UTC, date, datetime

import pytest
from django.utils import translation

from awase.services import dates

NOON = datetime(2026, 12, 4, 12, 0, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("ja", ("9:05", "12月4日(金)", "2026年12月4日(金)", "2026年12月", "月")),
        ("en", ("9:05\u00a0AM", "Fri, Dec 4", "Fri, Dec 4, 2026", "December 2026", "Mon")),
    ],
)
def test_each_language_has_its_own_way(language: str, written: tuple[str, ...]) -> None:
    day = date(2026, 12, 4)
    with translation.override(language):
        clock = dates.clock(datetime(2026, 12, 4, 9, 5, tzinfo=UTC))
        names = dates.day_name(day), dates.full_day_name(day), dates.month_name(day), dates.weekday_names()[0]
        assert (clock, *names) == written


def test_a_zone_is_called_by_its_name_at_that_moment() -> None:
    with translation.override("en"):
        assert dates.zone_name("America/New_York", NOON) == "Eastern Standard Time (America/New_York)"
        assert dates.zone_name("America/New_York", SUMMER) == "Eastern Daylight Time (America/New_York)"
    with translation.override("ja"):
        assert dates.zone_name("Asia/Tokyo", SUMMER) == "日本標準時 (Asia/Tokyo)"


def test_an_end_on_another_day_is_named_with_it() -> None:
    with translation.override("ja"):
        begins, ends = datetime(2026, 12, 4, 14, 30, tzinfo=UTC), datetime(2026, 12, 4, 15, 30, tzinfo=UTC)
        assert dates.when(begins, ends, "Asia/Tokyo") == "2026年12月4日(金) 23:30 – 12月5日(土) 0:30"
        assert dates.when(begins, ends, "Europe/Paris") == "2026年12月4日(金) 15:30 – 16:30"
