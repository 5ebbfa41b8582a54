"""The owner's own words for mails to guests: text with variables in braces."""

import re
from collections.abc import Mapping

VARIABLES = ("guest", "title", "when", "zone", "host", "place", "link")
_VARIABLE = re.compile(r"\{([^{}\s]*)\}")


def unknown(text: str) -> list[str]:
    """The variables of the text that do not exist, each once, as they stand there."""
    return [name for name in dict.fromkeys(_VARIABLE.findall(text)) if name not in VARIABLES]


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with the values in place of its variables; what has no value leaves nothing behind. Values are not
    looked at again, so a guest's name cannot bring in variables."""
    return _VARIABLE.sub(lambda found: values.get(found.group(1), ""), text)
