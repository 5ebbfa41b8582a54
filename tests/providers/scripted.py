"""A wire that answers as told: the n-th call gets the n-th answer, the last one stays."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx2

from awase.domain.errors import Failure, ProviderError
from awase.providers.caldav import CalDAV, DavAccess
from awase.providers.google import Google
from awase.providers.http import build_client
from awase.providers.microsoft import Microsoft, Teams
from awase.providers.protocols import AppConfig, Tokens, WrittenEvent
from awase.providers.zoom import Zoom

NOW = datetime(2031, 3, 5, 12, 0, tzinfo=UTC)
APP = AppConfig("client", "client-secret", "https://awase.test/callback")
TOKENS = Tokens("access", "refresh", NOW, frozenset())
DAV = DavAccess("hanako", "app-password", "https://dav.example/home/", ("hanako@minato.example",), "Asia/Tokyo")

Content = Mapping[str, Any] | Sequence[Any] | str | bytes | Exception


def reply(status: int, content: Content = "", headers: Mapping[str, str] | None = None) -> httpx2.Response | Exception:
    """An answer with a JSON body, or with text as it is; an exception is a call that fails."""
    if isinstance(content, Exception):
        return content
    if isinstance(content, str | bytes):
        return httpx2.Response(status, headers=headers, content=content)
    return httpx2.Response(status, headers=headers, json=content)


class Wire:
    """A client whose calls are answered from a list, and noted."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []
        self.client = build_client(transport=httpx2.MockTransport(self._answer))

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)


class TwoTokens:
    """A token source that has one token, and a fresh one when that is rejected."""

    def __init__(self) -> None:
        self.rejected: list[str] = []

    def token(self, *, rejected: str | None = None) -> str:
        if rejected is None:
            return "stale"
        self.rejected.append(rejected)
        return "fresh"


def adapter(service: str, wire: Wire) -> Any:
    made: Any
    if service == "caldav":
        return CalDAV(wire.client, clock=lambda: NOW)
    if service == "google":
        return Google(wire.client, APP, clock=lambda: NOW, pause=lambda seconds: None)
    made = {"microsoft": Microsoft, "teams": Teams, "zoom": Zoom}[service]
    return made(wire.client, APP, clock=lambda: NOW)


def session(service: str, wire: Wire, tokens: TwoTokens | None = None) -> Any:
    return adapter(service, wire).session(DAV if service == "caldav" else tokens or TwoTokens())


def refreshed(made: Any) -> Tokens:
    """A refresh as the product does it: what came is looked at once it is safe. Raises ProviderError."""
    tokens: Tokens = made.refresh(TOKENS, now=NOW)
    if failure := made.scope_failure(tokens):
        raise ProviderError(failure)
    return tokens


def failure_of(act: Any) -> Failure | None:
    """What went wrong with an act: raised, told for one calendar, or told beside a written event."""
    try:
        result = act()
    except ProviderError as error:
        return error.failure
    if isinstance(result, WrittenEvent):
        return result.meet_failure
    if isinstance(result, Mapping):
        return next((value for value in result.values() if isinstance(value, Failure)), None)
    return None
