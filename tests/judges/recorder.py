"""Listens on the sandbox's wire: every request with its answer, also the parts of a batch."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from sandbox.app import HOSTS, SERVICES


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer. `path` is as at the service itself; `query` by name."""

    service: str
    method: str
    path: str
    query: tuple[tuple[str, list[str]], ...]
    content_type: str
    sent: bytes
    status: int
    got: bytes

    @property
    def sent_json(self) -> Any:
        return json.loads(self.sent or b"null")

    @property
    def got_json(self) -> Any:
        return json.loads(self.got or b"null")

    def parts(self) -> tuple[Exchange, ...]:
        """The exchanges inside a Graph batch; an ordinary one is its own only part."""
        if not self.path.endswith("/$batch"):
            return (self,)
        answers = {part["id"]: part for part in self.got_json["responses"]}
        return tuple(_part(asked, answers[asked["id"]]) for asked in self.sent_json["requests"])


def _part(asked: dict[str, Any], answered: dict[str, Any]) -> Exchange:
    path, _, query = asked["url"].partition("?")
    sent, got = (json.dumps(part["body"]).encode() if "body" in part else b"" for part in (asked, answered))
    kind = "application/json"
    return Exchange("microsoft", asked["method"], f"/v1.0{path}", _query(query), kind, sent, answered["status"], got)


def _query(text: str) -> tuple[tuple[str, list[str]], ...]:
    return tuple(parse_qs(text, keep_blank_values=True, strict_parsing=bool(text)).items())


@dataclass
class Recorder:
    """Wraps the sandbox's application and keeps what passes between the services and those who call them."""

    exchanges: list[Exchange] = field(default_factory=list)

    def around(self, app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        """The application, listened to."""

        def listening(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            statuses: list[int] = []

            def start(status: str, headers: Any, *more: Any) -> Any:
                statuses.append(int(status.split()[0]))
                return start_response(status, headers, *more)

            got = b"".join(app({**environ, "wsgi.input": io.BytesIO(sent)}, start))
            self._keep(environ, sent, statuses[-1], got)
            return [got]

        return listening

    def _keep(self, environ: dict[str, Any], sent: bytes, status: int, got: bytes) -> None:
        path: str = environ["PATH_INFO"]
        service = HOSTS.get(environ.get("HTTP_HOST", "").partition(":")[0], "")
        if not service:
            service, _, path = path.lstrip("/").partition("/")
            path = f"/{path}"
        if service in SERVICES:
            query = _query(environ["QUERY_STRING"])
            kind = environ.get("CONTENT_TYPE") or ""
            self.exchanges.append(Exchange(service, environ["REQUEST_METHOD"], path, query, kind, sent, status, got))
