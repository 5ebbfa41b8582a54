"""Zoom's calls to us: the handshake, the signature, and news of a user: the app removed, deactivated, active again.

Facts: `providers.md` section 5. Whoever receives the request passes the raw body on, since the signature
covers its bytes.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from awase.domain.errors import Failure, FailureScope
from awase.providers.failures import Marks, wrong_shape
from awase.providers.shape import Document, mapping, moment, number, text
from awase.providers.zoom_failures import ZOOM

TOLERANCE = timedelta(minutes=5)
"""How far the stamp of a genuine request may lie from now; older ones may be replays."""


def signed(secret: str, *, timestamp: str, body: bytes, signature: str, now: datetime) -> bool:
    """True if the headers x-zm-request-timestamp and x-zm-signature fit the raw body. `now` is aware UTC."""
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
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
class UserNews:
    """What became of a Zoom user, and when (aware UTC): the failure that it is (Z18), or None: active again."""

    user_id: str
    at: datetime
    failure: Failure | None


def user_news(event: Document) -> UserNews | None:
    """What the event says of a user, None for all other events. Raises ProviderError X02.

    A user who removed the app has taken everything back. A deactivated one (developers.zoom.us, webhooks, users) holds
    no meetings until an administrator activates them again. An account that was connected after `at` is not meant:
    the event comes late or was sent again.
    """
    kind, said = event.get("event"), mapping(event, "payload")
    if kind == "app_deauthorized":
        at = moment(text(said, "deauthorization_time"), "deauthorization_time")
        return UserNews(text(said, "user_id"), at, _failure("app_deauthorized", FailureScope.CONNECTION))
    if kind not in ("user.deactivated", "user.activated"):
        return None
    try:
        at = datetime.fromtimestamp(number(event, "event_ts") / 1000, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise wrong_shape("event_ts") from error
    over = kind == "user.activated"
    user_id = text(mapping(said, "object"), "id")
    return UserNews(user_id, at, None if over else _failure("user_deactivated", FailureScope.CAPABILITY))


def _failure(mark: str, about: FailureScope) -> Failure:
    return ZOOM.in_reply(Marks(frozenset({mark})), about=about)
