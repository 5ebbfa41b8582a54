"""Callers of the API, and a page of the owner's that takes bookings: its accounts are at the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client

from awase.domain.health import Service
from awase.models import BookingPage, Connection, Member
from awase.services import connections, keys, pages
from awase.services.keys import Scope

NOW = datetime(2026, 11, 30, 0, 0, tzinfo=UTC)  # Monday, 09:00 in Tokyo


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    """A Monday morning; `clock.shift(seconds)` moves on."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@dataclass(frozen=True)
class Answer:
    """What came back, with the body read as JSON."""

    response: HttpResponse

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def body(self) -> Any:
        return json.loads(self.response.content)

    @property
    def code(self) -> str:
        """The code of a problem; asserts that it is one."""
        assert self.response.headers["Content-Type"] == "application/problem+json"
        assert self.body["status"] == self.status
        assert self.body["title"]
        assert self.body["detail"]
        assert self.body["type"] == f"https://awase.test/api/v1/docs#{self.body['code']}"
        return str(self.body["code"])


class Program:
    """A program that calls the API with a key, or with none."""

    def __init__(self, token: str = "", client: Client | None = None, **headers: str) -> None:
        self.client = client or Client(SERVER_NAME="awase.test", raise_request_exception=True)
        self.headers = {"Authorization": f"Bearer {token}"} | headers if token else headers

    def get(self, path: str, **query: Any) -> Answer:
        return Answer(self.client.get(f"/api/v1/{path}", query, headers=self.headers))

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        content = body if isinstance(body, str | bytes) else json.dumps(body or {})
        return Answer(
            self.client.post(
                f"/api/v1/{path}", content, content_type="application/json", headers={**self.headers, **headers}
            )
        )

    def delete(self, path: str, **headers: str) -> Answer:
        return Answer(self.client.delete(f"/api/v1/{path}", headers={**self.headers, **headers}))


@pytest.fixture
def program(db: None) -> Callable[..., Program]:
    """program(member, *scopes) calls with a fresh key of that member; without scopes it may do everything."""

    def give(member: Member, *scopes: Scope, **headers: str) -> Program:
        return Program(keys.create(member, scopes or Scope, datetime.now(UTC)), **headers)

    return give


@pytest.fixture
def connect(sandbox: Any, consent: Callable[..., str]) -> Callable[..., Connection]:
    """connect(member, service, email) links an account at the sandbox, through its consent screen."""

    def link(member: Member, service: Service = Service.GOOGLE, email: str = "") -> Connection:
        email = email or f"{member.user.email.partition('@')[0]}@{service}.example"
        account = "microsoft" if service is Service.TEAMS else service.value
        if sandbox.account(account, email) is None:
            sandbox.add_account(account, email)
        now = datetime.now(UTC)
        address, pending = connections.start(member, service, None, now)
        back = dict(parse_qsl(urlsplit(consent(address, email)).query))
        return connections.finish(member, service, pending, back, now)

    return link


@pytest.fixture
def calendar(owner: Member, connect: Callable[..., Connection]) -> Connection:
    """The owner's Google account."""
    return connect(owner)


@pytest.fixture
def page(owner: Member, calendar: Connection) -> BookingPage:
    """A page of the owner alone that takes bookings from Monday to Friday, 9 to 18 in Tokyo."""
    return pages.create(owner, title="相談", slug="consult", now=datetime.now(UTC))


def guest(**changes: Any) -> dict[str, Any]:
    """The guest part of a booking."""
    return {"name": "山田 花子", "email": "hanako@guest.example"} | changes


def wish(start: str = "2026-12-01T10:00:00+09:00", **changes: Any) -> dict[str, Any]:
    """The body of a booking on Tuesday at ten."""
    return {"start": start, "guest": guest()} | changes


@pytest.fixture
def break_account(sandbox: Any) -> Callable[[Connection], None]:
    """break_account(connection) withdraws the grant at the service; Awase has yet to notice."""
    from sandbox import faults

    def withdraw(connection: Connection) -> None:
        credential = connection.credential
        account = sandbox.account(credential.service, credential.account_email)
        faults.set_fault(sandbox, account, "revoked")

    return withdraw


@pytest.fixture
def queries() -> Callable[[Callable[[], Any]], int]:
    """queries(act) is the number of SQL queries that `act` makes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count(act: Callable[[], Any]) -> int:
        with CaptureQueriesContext(connection) as captured:
            act()
        return len(captured)

    return count
