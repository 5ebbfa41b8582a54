"""What services tell us by themselves, read and checked: Google's channels and Graph's subscriptions.

Facts: `providers.md` sections 2 and 4; Zoom's calls are in `zoom_webhooks`. A message is only a hint that
something changed: it names its channel and proves itself by the secret that the channel was opened with, of
which a digest is kept.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from awase.domain.errors import ProviderError
from awase.providers.shape import Document, decoded, mappings, moment, optional_text, text


class News(StrEnum):
    """What a message says of its channel."""

    OPEN = "open"  # Google: the channel works; nothing has changed
    CHANGED = "changed"  # something changed in the calendar, or messages were lost
    ENDING = "ending"  # Graph: renew the subscription soon (reauthorizationRequired)
    ENDED = "ended"  # Graph: the subscription is gone; make a new one


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `number` grows within a channel (None where the service does not count); `expires_at`, aware
    UTC, is when the channel ends according to the service (None: not said)."""

    channel_id: str
    secret: str = field(repr=False)
    news: News
    resource_id: str = ""
    number: int | None = None
    expires_at: datetime | None = None


GRAPH_NEWS = {
    "": News.CHANGED,
    "missed": News.CHANGED,
    "reauthorizationRequired": News.ENDING,
    "subscriptionRemoved": News.ENDED,
}


def google_message(headers: Mapping[str, str]) -> Message | None:
    """The message in a request's headers (`X-Goog-…`, names in any case), or None if it is none."""
    said = {name.lower(): value for name, value in headers.items()}
    channel_id, number = said.get("x-goog-channel-id", ""), said.get("x-goog-message-number", "")
    if not channel_id or not number.isdecimal() or len(number) > 18:
        return None
    return Message(
        channel_id,
        said.get("x-goog-channel-token", ""),
        News.OPEN if said.get("x-goog-resource-state") == "sync" else News.CHANGED,
        said.get("x-goog-resource-id", ""),
        int(number),
    )


def graph_messages(body: bytes) -> Sequence[Message] | None:
    """The messages in a request's body, or None if they cannot be read."""
    try:
        return [_graph_message(item) for item in mappings(decoded(body) or {}, "value", required=True)]
    except ProviderError:
        return None


def _graph_message(item: Document) -> Message:
    said = optional_text(item, "lifecycleEvent")
    until = optional_text(item, "subscriptionExpirationDateTime")
    return Message(
        text(item, "subscriptionId"),
        optional_text(item, "clientState"),
        GRAPH_NEWS.get(said, News.CHANGED),
        expires_at=moment(until, "subscriptionExpirationDateTime") if until else None,
    )


def digest(secret: str) -> str:
    """The form in which a channel's secret is kept: its SHA-256 in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def refusal(
    message: Message,
    *,
    token_digest: str,
    resource_id: str,
    last_number: int | None,
    expires_at: datetime,
    now: datetime,
) -> str:
    """Why a message is not to be believed, in a word fit for logs; "" if it is genuine.

    `token_digest`, `resource_id`, `last_number` (of the last message taken in) and `expires_at` are those of
    the channel that the message names; moments are aware UTC.
    """
    if not hmac.compare_digest(digest(message.secret), token_digest):
        return "token"
    if resource_id and message.resource_id != resource_id:
        return "resource"
    if expires_at <= now or (message.expires_at is not None and message.expires_at <= now):
        return "stale"
    if message.number is not None and last_number is not None and message.number <= last_number:
        return "replayed"
    return ""
