"""The time zones offered to guests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from awase.web.zones import ZONES

HALF_DAYS = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=12 * number) for number in range(730)]


def clock(zone: str) -> tuple[timedelta | None, ...]:
    """How far the zone is from UTC, through a year."""
    place = ZoneInfo(zone)
    return tuple(at.astimezone(place).utcoffset() for at in HALF_DAYS)


def test_everybody_on_earth_finds_a_clock_like_theirs() -> None:
    inhabited = {zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")}
    offered = {clock(zone) for zone in ZONES}
    assert {zone for zone in inhabited if clock(zone) not in offered} == set()
