"""Who calls, and whether they may: an API key with the scope, or the log-in of a browser."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.cache import cache, caches
from django.http import HttpRequest
from django.utils import translation
from ninja.utils import check_csrf

from awase.api.problems import KINDS, MEDIA_TYPE, Problem
from awase.services import dashboard, keys
from awase.services.keys import Caller, Scope

# Requests a minute for each key or member. A booking asks the hosts' services live, a check an account.
RATES = {Scope.BOOKINGS_WRITE: 60, Scope.CONNECTIONS_WRITE: 12}
RATE = 600
PACKETS = 20  # in which a process takes admissions from the common count
SECURITY_SCHEMES = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "A key: awase_<id>_<secret>."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": "The log-in of a browser. Methods that change something need X-CSRFToken as well.",
    },
}


class CallerRequest(HttpRequest):
    """A request that has passed `Needs`."""

    auth: Caller


class Needs:
    """Lets those in who may do what `scope` names, so many times a minute."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Caller:
        now = datetime.now(UTC)
        caller = self._by_key(request, now) if "Authorization" in request.headers else self._by_session(request)
        if caller is None:
            raise Problem("not_authenticated", headers={"WWW-Authenticate": 'Bearer realm="Awase"'})
        if self.scope not in caller.scopes:
            raise Problem("missing_scope", scope=self.scope)
        self._count(caller, now)
        return caller

    @staticmethod
    def _by_key(request: HttpRequest, now: datetime) -> Caller | None:
        scheme, _, token = request.headers["Authorization"].partition(" ")
        caller = keys.caller_of(token.strip(), now) if scheme.lower() == "bearer" else None
        if caller and caller.member.user.language and "Accept-Language" not in request.headers:
            translation.activate(caller.member.user.language)  # until the language middleware takes it back
        return caller

    @staticmethod
    def _by_session(request: HttpRequest) -> Caller | None:
        member = next(iter(dashboard.memberships(request.user, request.session)), None)
        if member is not None and check_csrf(request):
            raise Problem("csrf")
        return Caller(member) if member else None

    def _count(self, caller: Caller, now: datetime) -> None:
        who = f"key.{caller.key_id}" if caller.key_id else f"member.{caller.member.pk}"
        minute, second = divmod(int(now.timestamp()), 60)
        if not admitted(f"awase.api.{who}.{self.scope}.{minute}", RATES.get(self.scope, RATE)):
            raise Problem("too_many_requests", headers={"Retry-After": str(60 - second)})


def admitted(name: str, most: int) -> bool:
    """Whether one more of at most `most` is let in within two minutes, whichever process answers.

    A process takes admissions from the common count in small packets, so that most requests need not ask the
    database. Two that take at the same moment may take the same ones: good enough for a limit.
    """
    own = caches["process"]
    with suppress(ValueError):  # none taken yet
        if own.decr(name) >= 0:
            return True
    taken: int = cache.get(name, 0)
    packet = min(max(1, most // PACKETS), most - taken)
    if packet > 0:
        cache.set(name, taken + packet, 120)
        own.set(name, packet - 1, 120)
    return packet > 0


def needs(scope: Scope, *problems: str) -> dict[str, Any]:
    """What an operation is declared with: its authentication, and in the schema its scope and its problems."""
    codes = ["not_authenticated", "missing_scope", "csrf", "too_many_requests", *problems]
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(KINDS[code].status, []).append(code)
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {
        "auth": Needs(scope),
        "openapi_extra": {
            "security": [{"apiKey": [scope.value]}, {"session": []}],
            "responses": {
                status: {"description": "Problem: " + ", ".join(found), "content": content}
                for status, found in sorted(by_status.items())
            },
        },
    }
