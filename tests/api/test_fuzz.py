"""The whole schema under generated requests, good and bad: no 5xx, no hang, and every answer as documented."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from awase.api import access, api
from awase.models import BookingPage, Connection, Location, Member
from awase.services import keys
from awase.services.keys import Scope
from awase.wsgi import application
from tests.api.conftest import Program, wish

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
MODEST = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
OPERATIONS = [
    (path, method)
    for path, methods in api.get_openapi_schema(path_prefix="/api/v1/")["paths"].items()
    for method in methods
]


@contextmanager
def one_connection() -> Iterator[None]:
    """The server's side keeps the test's own database connection open, as Django's test client sees to it."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def call(
    owner: Member,
    page: BookingPage,
    calendar: Connection,
    program: Callable[..., Program],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str, str, GenerationMode, bool], None]:
    """call(path, method, mode, there) sends generated requests, to rows that are there or to any."""
    monkeypatch.setattr(access, "RATE", 10**6)
    monkeypatch.setattr(access, "RATES", {})
    for kind, detail in (("in_person", "Minato 1-2-3"), ("zoom", "")):
        Location.objects.create(page=page, kind=kind, detail=detail)
    uid = program(owner).post("pages/consult/bookings", wish()).body["uid"]
    link = program(owner).post("pages/consult/one-time-links").body["id"]
    held = program(owner).post("pages/consult/holds", {"start": "2026-12-02T10:00:00+09:00"}).body["token"]
    rows: dict[str, Any] = {
        "slug": "consult",
        "uid": uid,
        "connection_id": calendar.pk,
        "link_id": link,
        "token": held,
    }
    headers = {"Authorization": f"Bearer {keys.create(owner, Scope, datetime.now(UTC))}", "Host": "awase.test"}
    with one_connection():
        schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application, headers={"Host": "awase.test"})

    def send(path: str, method: str, mode: GenerationMode, there: bool) -> None:
        operation = schema[path][method]
        known = {name: value for name, value in rows.items() if f"{{{name}}}" in path} if there else {}
        strategy = operation.as_strategy(mode, path_parameters=known or None)
        checks = CHECKS + ([negative_data_rejection] if mode is GenerationMode.NEGATIVE else [])

        @given(case=strategy)
        @MODEST
        def run(case: Case) -> None:
            case.call_and_validate(headers=headers, checks=checks)

        with one_connection():
            run()

    return send


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_as_documented(path: str, method: str, call: Callable[..., None]):
    call(path, method, GenerationMode.POSITIVE, there=True)
    call(path, method, GenerationMode.POSITIVE, there=False)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_what_the_schema_forbids_is_refused(path: str, method: str, call: Callable[..., None]):
    call(path, method, GenerationMode.NEGATIVE, there=True)
