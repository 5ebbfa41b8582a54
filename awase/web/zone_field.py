"""The field for a time zone."""

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
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


@lru_cache(maxsize=1)
def _groups() -> tuple[tuple[Any, tuple[str, ...]], ...]:
    others = tuple(sorted(available_timezones() - set(USUAL)))
    return (gettext_lazy("Usual"), USUAL), (gettext_lazy("All others"), others)


@lru_cache(maxsize=2)
def _options(zones: tuple[str, ...]) -> SafeString:
    return format_html_join("", "<option>{}</option>", ((zone,) for zone in zones))


class ZoneSelect(forms.Select):
    """Draws its six hundred options in one piece: with a template for each they took longer than the rest of the
    page editor."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        attributes = self.build_attrs(self.attrs, {**(attrs or {}), "name": name})
        chosen = format_html(">{}</option>", value or "")
        drawn = (
            (label, SafeString(_options(zones).replace(chosen, f" selected{chosen}"))) for label, zones in _groups()
        )
        options = format_html_join("", '<optgroup label="{}">{}</optgroup>', drawn)
        return format_html("<select{}>{}</select>", flatatt(attributes), options)


class ZoneField(forms.ChoiceField):
    """One of all zones, the usual ones first."""

    widget = ZoneSelect

    def __init__(self, **more: Any) -> None:
        choices = [(label, [(zone, zone) for zone in zones]) for label, zones in _groups()]
        super().__init__(choices=choices, **{"label": gettext_lazy("Time zone"), **more})
