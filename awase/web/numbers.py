"""Numbers out of addresses and forms."""

LONGEST = 18  # digits: what every database holds


def whole_number(text: str | None) -> int | None:
    """The whole number that this text is; None for anything else, and for numbers without end."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= LONGEST else None
