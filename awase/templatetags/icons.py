"""The icon set, drawn into the page itself: no request, and nothing to wait for. Loaded in templates as `icons`."""

import re
from functools import cache
from pathlib import Path

from django import template
from django.utils.safestring import SafeString

SET = Path(__file__).parents[1] / "templates" / "components" / "icons.svg"

register = template.Library()


@cache
def drawings() -> dict[str, SafeString]:
    """name → the icon as it stands in a page."""
    symbols = re.findall(r'<symbol id="([\w-]+)" viewBox="([\d ]+)">(.+?)</symbol>', SET.read_text(encoding="utf-8"))
    return {
        # Our own drawings: there is nothing in them to escape.
        name: SafeString(f'<svg class="icon" viewBox="{box}" aria-hidden="true">{shapes}</svg>')
        for name, box, shapes in symbols
    }


@register.simple_tag
def drawing(name: str) -> SafeString:
    """The icon of this name. Raises KeyError for one that is not in the set."""
    return drawings()[name]
