"""Requests, answers and routes: the thin layer between WSGI and the services' handlers."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

if TYPE_CHECKING:
    from sandbox.state import Account, Grant, Sandbox

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(slots=True)
class Response:
    """An answer. `body` is bytes already; headers keep their spelling."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def status_line(self) -> str:
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return f"{self.status} Unknown"


def json_response(status: int, value: Any, headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Response(status, body, {"Content-Type": JSON_TYPE, **(headers or {})})


def html_response(status: int, page: str) -> Response:
    headers = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
    return Response(status, page.encode(), headers)


def redirect(location: str, status: int = 302) -> Response:
    return Response(status, b"", {"Location": location, "Cache-Control": "no-store"})


class Refusal(Exception):
    """Raised by a handler to answer with an error at once."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_line)
        self.response = response


class BadJson(ValueError):
    """The body is not JSON, or not an object."""


@dataclass(slots=True)
class Request:
    """One request. `path` is decoded and, once a service was found, lacks the service's prefix, which
    then ends `base` (scheme, host and prefix as the client sees them)."""

    method: str
    path: str
    query_pairs: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    base: str

    @property
    def query(self) -> dict[str, str]:
        return dict(self.query_pairs)

    def query_all(self, name: str) -> list[str]:
        return [value for key, value in self.query_pairs if key == name]

    @property
    def form_pairs(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    @property
    def form(self) -> dict[str, str]:
        return dict(self.form_pairs)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; raises BadJson."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError as error:
            raise BadJson("the body is not JSON") from error
        if not isinstance(value, dict):
            raise BadJson("the body is not a JSON object")
        return value

    def bearer(self) -> str:
        kind, _, value = self.headers.get("authorization", "").partition(" ")
        return value.strip() if kind.lower() == "bearer" else ""

    def basic(self) -> tuple[str, str] | None:
        """User and password of a Basic header, or None."""
        kind, _, value = self.headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return user, password


@dataclass(slots=True)
class Call:
    """A request on its way through a service: the route's path parts and whoever it acts for. `again`
    answers a further request, for the parts of a batch."""

    sandbox: Sandbox
    service: str
    request: Request
    route: Route
    parts: dict[str, str]
    again: Callable[[Request], Response]
    account: Account | None = None
    grant: Grant | None = None

    @property
    def user(self) -> Account:
        """The account behind an API call; the service's check has found it before the handler runs."""
        if self.account is None:
            raise LookupError("no account stands behind this call")
        return self.account

    def has(self, fault: str) -> bool:
        """True if this fault is switched on for the account and this operation."""
        return self.account is not None and any(
            active.name == fault for active in self.sandbox.active_faults(self.account, self.route)
        )


Handler = Callable[[Call], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `kind` is page (people), token (client credentials) or api (bearer token);
    `scopes`: any one of them allows the call, empty means that any token does."""

    method: str
    pattern: str
    operation: str
    handler: Handler
    kind: str = "api"
    scopes: frozenset[str] = frozenset()

    def match(self, path: str) -> dict[str, str] | None:
        found = _expression(self.pattern).fullmatch(path)
        return found.groupdict() if found else None


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    """A route's pattern as an expression: {name} stands for one part of the path."""
    parts = re.split(r"\{(\w+)\}", pattern)
    return re.compile(
        "".join(f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    )


def find_route(routes: Iterable[Route], method: str, path: str) -> tuple[Route, dict[str, str]] | int:
    """The route and its path parts, or the status that says why there is none (404, 405)."""
    status = 404
    for route in routes:
        parts = route.match(path)
        if parts is None:
            continue
        if route.method == method:
            return route, parts
        status = 405
    return status


def request_from(environ: dict[str, Any]) -> Request:
    """Read a whole request from a WSGI environ."""
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    headers["content-type"] = environ.get("CONTENT_TYPE") or ""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    host = headers.get("host") or environ["SERVER_NAME"]
    # WSGI hands the path over as latin-1 text of UTF-8 bytes; some callers give real text.
    path = environ.get("PATH_INFO") or "/"
    try:
        path = path.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        path = str(path)
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path,
        query_pairs=parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True),
        headers=headers,
        body=environ["wsgi.input"].read(length) if length else b"",
        base=f"{environ['wsgi.url_scheme']}://{host}{quote(environ.get('SCRIPT_NAME', ''))}",
    )
