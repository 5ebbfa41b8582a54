"""What lies between the product and the services: the wire, on which answers get lost, and the moment at which
a process dies.

A process that dies does nothing more: from then on every statement fails, so no clean-up of the code under
test runs, and the database undoes what was not committed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpx2
from django.db import connection, connections


class Killed(BaseException):
    """The process died here."""


class Kind(StrEnum):
    """What happens at the n-th call, or the n-th statement, of one piece of work."""

    LOST = "the answer of a call is lost"
    DIES_BEFORE_CALL = "dies before a call"
    DIES_AFTER_CALL = "dies after the service acted"
    DIES_AT_STATEMENT = "dies between two statements"


@dataclass(frozen=True, slots=True)
class Mishap:
    kind: Kind
    nth: int

    def __repr__(self) -> str:
        return f"Mishap({self.kind.name}, {self.nth})"


class Wire(httpx2.BaseTransport):
    """The transport of all adapters. `app` is the sandbox of the moment."""

    def __init__(self) -> None:
        self.app: httpx2.BaseTransport | None = None
        self.mishap: Mishap | None = None
        self.calls = self.statements = 0
        self.dead = False
        self.inside_transactions: list[str] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        assert self.app is not None
        if connection.in_atomic_block:
            self.inside_transactions.append(f"{request.method} {request.url.path}")
        self.calls += 1
        here = self.mishap if self.mishap and self.mishap.nth == self.calls else None
        if self.dead or (here and here.kind is Kind.DIES_BEFORE_CALL):
            self._die()
        answer = self.app.handle_request(request)
        if here and here.kind is Kind.DIES_AFTER_CALL:
            self._die()
        if here and here.kind is Kind.LOST:
            raise httpx2.ReadTimeout("the answer was lost")
        return answer

    def _die(self) -> None:
        self.dead = True
        raise Killed

    def _statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.statements += 1
        here = self.mishap is not None and self.mishap.kind is Kind.DIES_AT_STATEMENT
        if self.dead or (here and self.mishap and self.mishap.nth == self.statements):
            self._die()
        return execute(sql, params, many, context)

    @contextmanager
    def mishaps(self, mishap: Mishap | None) -> Iterator[None]:
        """Let `mishap` happen in this block; raises Killed out of it if the process died."""
        self.mishap, self.calls, self.statements = mishap, 0, 0
        try:
            with connection.execute_wrapper(self._statement):
                yield
        finally:
            self.mishap = None
            if self.dead:
                self.dead = False
                connections.close_all()
