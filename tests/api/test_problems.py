"""Whatever goes wrong under /api/v1/ is a problem that says what happened and what to do; and the schema tells all."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from awase.api.problems import KINDS
from awase.models import Member
from awase.services import dashboard
from awase.services.booking import Refusal
from tests.api.conftest import Answer, Program


@pytest.fixture
def client(db: None) -> Client:
    return Client(SERVER_NAME="awase.test")


@pytest.mark.parametrize(
    "path", ["", "nothing", "pages/", "pages/a b", "pages/%00", "bookings/../x", "connections/x/check"]
)
def test_an_unknown_address_is_not_found(client: Client, path: str):
    answer = Answer(client.get(f"/api/v1/{path}"))
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    "path", ["nothing", "pages/none", "bookings/none", "pages/none/slots?from=2026-12-01T00:00:00Z"]
)
def test_what_is_not_there_looks_like_what_may_not_be_seen(owner: Member, program: Callable[..., Program], path: str):
    path += "&to=2026-12-02T00:00:00Z" if "?" in path else ""
    assert program(owner).get(path).code == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("delete", "pages", {"GET"}),
        ("put", "pages/consult", {"GET"}),
        ("get", "bookings/1/cancel", {"POST"}),
        ("post", "openapi.json", {"GET", "HEAD"}),
        ("post", "docs", {"GET", "HEAD"}),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(client: Client, method: str, path: str, allowed: set[str]):
    answer = Answer(client.generic(method.upper(), f"/api/v1/{path}"))
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert set(answer.response.headers["Allow"].split(", ")) == allowed


def test_problems_are_told_in_japanese_too(client: Client):
    answer = Answer(client.get("/api/v1/pages", headers={"Accept-Language": "ja"}))
    assert re.search("[ぁ-ん]", answer.body["title"] + answer.body["detail"])
    assert answer.response.headers["Content-Language"] == "ja"


def test_an_answer_is_kept_by_nobody_else(owner: Member, program: Callable[..., Program]):
    assert program(owner).get("pages").response.headers["Cache-Control"] == "no-store"
    assert Program().get("pages").response.headers["Cache-Control"] == "no-store"


def test_a_mistake_of_ours_is_a_problem_without_details(
    owner: Member, program: Callable[..., Program], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def broken(member: Member) -> Any:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(dashboard, "visible_pages", broken)
    caller = program(owner)
    caller.client.raise_request_exception = False
    answer = caller.get("pages")
    assert (answer.status, answer.code) == (500, "internal")
    assert b"secret detail" not in answer.response.content
    assert "GET /api/v1/pages failed" in caplog.text


def test_every_refusal_of_a_booking_is_a_problem():
    assert {refusal.value for refusal in Refusal} <= set(KINDS)


def test_the_schema_is_openapi_3_1(client: Client):
    schema = client.get("/api/v1/openapi.json").json()
    assert schema["openapi"].startswith("3.1.")
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(schema)] == []


def test_the_documentation_is_one_page_that_loads_nothing_from_elsewhere(client: Client):
    answer = client.get("/api/v1/docs", headers={"Accept-Language": "ja"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert not re.search(r"(src|href|action)=\"(https?:)?//", text)
    assert "<script>" not in text
    assert " style=" not in text
    for code in KINDS:
        assert f'id="{code}"' in text


def test_the_documentation_shows_every_operation_and_leads_nowhere_wrong(client: Client):
    text = client.get("/api/v1/docs").content.decode()
    schema = client.get("/api/v1/openapi.json").json()
    for path, methods in schema["paths"].items():
        for method in methods:
            assert f"<code>{method.upper()} {path}</code>" in text
    targets = set(re.findall(r'href="#([^"]+)"', text))
    assert targets <= set(re.findall(r'id="([^"]+)"', text))
    assert len(targets) > 20
