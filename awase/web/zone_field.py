"""The field for a time zone."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy

# Zones in which most people live, from west to east.
USUAL = (
    "America/Los_Angeles",
    "America/Denver",
    "America/Chicago",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Paris",
    "Europe/Berlin",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Bangkok",
    "Asia/Shanghai",
    "Asia/Singapore",
    "Asia/Seoul",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Auckland",
    "UTC",
)


class ZoneField(forms.ChoiceField):
    """One of all zones, the usual ones first."""

    def __init__(self, **more: Any) -> None:
        others = sorted(available_timezones() - set(USUAL))
        groups = ((gettext_lazy("Usual"), USUAL), (gettext_lazy("All others"), others))
        choices = [(label, [(zone, zone) for zone in zones]) for label, zones in groups]
        super().__init__(choices=choices, **{"label": gettext_lazy("Time zone"), **more})
