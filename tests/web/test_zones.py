"""The time zones offered to guests and to members."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from django import forms

from awase.web.zone_field import ZoneField
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


def test_a_member_chooses_among_all_zones_and_finds_theirs_marked() -> None:
    class Asked(forms.Form):
        zone = ZoneField()

    for chosen in ("Asia/Tokyo", "Europe/Vaduz"):
        form = Asked({"zone": chosen})
        drawn = str(form["zone"])
        assert sorted(re.findall(r"<option(?: selected)?>([^<]+)", drawn)) == sorted(available_timezones())
        assert re.findall(r"<option selected>([^<]+)", drawn) == [chosen]
        assert 'name="zone"' in drawn and 'id="id_zone"' in drawn and form.is_valid()
    assert " selected" not in str(Asked()["zone"]) and not Asked({"zone": "Asia/Edo"}).is_valid()
