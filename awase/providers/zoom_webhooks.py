"""Zoom's calls to us: the handshake, the signature, and the news that somebody removed the app.

Facts: `providers.md` section 5. Whoever receives the request passes the raw body on, since the signature
covers its bytes.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from awase.domain.errors import Failure, FailureScope
from awase.providers.failures import Marks
from awase.providers.shape import Document, mapping, moment, text
from awase.providers.zoom_failures import ZOOM

TOLERANCE = timedelta(minutes=5)
"""How far the stamp of a genuine request may lie from now; older ones may be replays."""


def signed(secret: str, *, timestamp: str, body: bytes, signature: str, now: datetime) -> bool:
    """True if the headers x-zm-request-timestamp and x-zm-signature fit the raw body. `now` is aware UTC."""
    if not timestamp.isdigit() or abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        return False
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}".encode(), signature.encode())


def validation_reply(secret: str, event: Document) -> dict[str, str]:
    """The JSON to answer `endpoint.url_validation` with. Raises ProviderError X02 without a plainToken."""
    plain = text(mapping(event, "payload"), "plainToken")
    return {
        "plainToken": plain,
        "encryptedToken": hmac.new(secret.encode(), plain.encode(), hashlib.sha256).hexdigest(),
    }


@dataclass(frozen=True, slots=True)
class Deauthorized:
    """A user removed the app: the Zoom user's id, when (aware UTC), and the failure that it is (Z18)."""

    user_id: str
    at: datetime
    failure: Failure


def deauthorized(event: Document) -> Deauthorized | None:
    """What the event says if it is `app_deauthorized`, else None. Raises ProviderError X02.

    An account that was connected again after `at` is not meant: the event comes late or was sent again.
    """
    if event.get("event") != "app_deauthorized":
        return None
    said = mapping(event, "payload")
    failure = ZOOM.in_reply(Marks(frozenset({"app_deauthorized"})), about=FailureScope.CONNECTION)
    return Deauthorized(
        text(said, "user_id"), moment(text(said, "deauthorization_time"), "deauthorization_time"), failure
    )
