"""Where somebody is logged in, and ending it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.db.models import Q

from awase.models import User

SEEN_EVERY = timedelta(minutes=10)  # how exactly the last use is kept: not every request shall write


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """One browser in which somebody is logged in. `agent` is what the browser calls itself."""

    id: int
    agent: str
    address: str
    since: datetime
    seen: datetime
    here: bool


def of_user(user: User, session_key: str | None) -> list[LoggedIn]:
    """Every browser in which they are logged in, the one that asks first, then as last seen."""
    rows = UserSession.objects.purge_and_list(user)
    found = [
        LoggedIn(row.pk, row.user_agent, row.ip, row.created_at, row.last_seen_at, row.session_key == session_key)
        for row in rows
    ]
    return sorted(found, key=lambda one: (not one.here, -one.seen.timestamp()))


def seen(session_key: str | None, now: datetime) -> None:
    """Remember that this browser is in use, every now and then."""
    name = f"seen:{session_key}"
    written: datetime | None = caches["process"].get(name)
    if not session_key or (written is not None and now - written < SEEN_EVERY):
        return
    caches["process"].set(name, now, 24 * 3600)
    if written is not None:
        UserSession.objects.filter(session_key=session_key, last_seen_at__lte=now - SEEN_EVERY).update(last_seen_at=now)


def end(user: User, *, only: int | None = None, but: str | None = None) -> int:
    """Log them out at once: in one browser (`only`, its id), or everywhere but in the one with this session key.
    Returns in how many."""
    rows = UserSession.objects.filter(user=user)
    rows = rows.filter(pk=only) if only is not None else rows.filter(~Q(session_key=but))
    found = list(rows)
    for row in found:
        row.end()
    return len(found)


def sweep(now: datetime) -> int:
    """Drop the sessions that have run out; returns how many."""
    return Session.objects.filter(expire_date__lt=now).delete()[0]


def end_two_factor(email: str) -> bool:
    """Take the second factor and its recovery codes from somebody who lost them, and log them out everywhere; False if
    they have none. For operators on the server itself."""
    user = User.objects.filter(email=email).first()
    if user is None or not Authenticator.objects.filter(user=user).exists():
        return False
    Authenticator.objects.filter(user=user).delete()
    end(user)
    return True
