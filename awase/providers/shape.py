"""Reading fields out of decoded JSON: what must be there and is not makes the answer unreadable (X02)."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from awase.providers.failures import Answer, wrong_shape

Document = Mapping[str, Any]
LONGEST = timedelta(days=3660)


def decoded(body: bytes) -> Document | None:
    """A body as a JSON object, or None if it is anything else, also one of lists within lists without end."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def parsed(answer: Answer) -> Document | None:
    """The body as a JSON object, or None if it is anything else."""
    return decoded(answer.body)


def document(answer: Answer) -> Document:
    """The body as a JSON object. Raises ProviderError X02."""
    value = parsed(answer)
    if value is None:
        raise wrong_shape("not a JSON object")
    return value


def text(source: Document, key: str) -> str:
    """A text that must be there and not empty. Raises ProviderError X02."""
    value = optional_text(source, key)
    if not value:
        raise wrong_shape(key)
    return value


def optional_text(source: Document, key: str) -> str:
    """A text, or "" where it is missing, null, or half of a sign, which nothing could keep."""
    value = source.get(key)
    if not isinstance(value, str):
        return ""
    try:
        value.encode()
    except UnicodeEncodeError:
        return ""
    return value


def token_text(source: Document, key: str) -> str:
    """A text that can travel in a header. Raises ProviderError X02."""
    value = text(source, key)
    if not value.isascii() or not value.isprintable():
        raise wrong_shape(key)
    return value


def seconds(source: Document, key: str) -> timedelta:
    """A span of seconds, ten years at most. Raises ProviderError X02."""
    value = number(source, key)
    if not 0 <= value <= LONGEST.total_seconds():
        raise wrong_shape(key)
    return timedelta(seconds=value)


def number(source: Document, key: str) -> int:
    """A whole number, also as digits in a text. Raises ProviderError X02."""
    value = source.get(key)
    if isinstance(value, str) and value.isdigit():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_shape(key)
    return value


def mapping(source: Document, key: str) -> Document:
    """An object, or an empty one where it is missing or null. Raises ProviderError X02."""
    value = source.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise wrong_shape(key)
    return value


def mappings(source: Document, key: str, *, required: bool = False) -> Sequence[Document]:
    """A list of objects; missing counts as empty unless required. Raises ProviderError X02."""
    value = source.get(key)
    if value is None and not required:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise wrong_shape(key)
    return value


def moment(value: str, what: str) -> datetime:
    """An RFC 3339 moment with its offset, as aware UTC. Raises ProviderError X02."""
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            raise wrong_shape(what)
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise wrong_shape(what) from error
