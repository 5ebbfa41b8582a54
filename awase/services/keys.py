"""API keys: `awase_<id>_<secret>`, bound to a member, able to do no more than their scopes say."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet

from awase.models import ApiKey, Member
from awase.models.prepared import prepared

PREFIX = "awase"
USED_EVERY = timedelta(minutes=1)  # how exactly `last_used` is kept: not every request shall write


class Scope(StrEnum):
    """What a key may do. It never sees more than its member does."""

    PAGES_READ = "pages:read"
    PAGES_WRITE = "pages:write"
    BOOKINGS_READ = "bookings:read"
    BOOKINGS_WRITE = "bookings:write"
    CONNECTIONS_READ = "connections:read"
    CONNECTIONS_WRITE = "connections:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"


@dataclass(frozen=True, slots=True)
class Caller:
    """In whose name a request is made, and what it may do. `key_id` is None for somebody who is logged in."""

    member: Member
    scopes: frozenset[str] = frozenset(Scope)
    key_id: int | None = None


def create(member: Member, scopes: Iterable[Scope], now: datetime, name: str = "") -> str:
    """A new key of `member`. What is returned cannot be shown again."""
    public_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    ApiKey.objects.create(
        member=member, public_id=public_id, digest=_digest(secret), name=name, scopes=sorted(scopes), created_at=now
    )
    return f"{PREFIX}_{public_id}_{secret}"


def end(public_id: str) -> bool:
    """End a key at once; False if there is none with this id."""
    return ApiKey.objects.filter(public_id=public_id).delete()[0] > 0


def caller_of(token: str, now: datetime) -> Caller | None:
    """Who calls with this key; None if it is not, or no longer, a key."""
    prefix, _, rest = token.partition("_")
    public_id, _, secret = rest.partition("_")
    key = next(iter(_keys_with(public_id)), None)
    known = key is not None and secrets.compare_digest(_digest(secret), key.digest)
    if key is None or not known or prefix != PREFIX or not key.member.user.is_active:
        return None
    if key.last_used is None or now - key.last_used >= USED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used=now)
    return Caller(key.member, frozenset(key.scopes), key.pk)


@prepared
def _keys_with(public_id: Any) -> QuerySet[ApiKey]:
    return ApiKey.objects.select_related("member__user", "member__workspace").filter(public_id=public_id)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
