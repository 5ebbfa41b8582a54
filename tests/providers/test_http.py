"""The shared wire: limits of time and size, no cookies, no redirects, safe repeats."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from awase.domain.errors import FailureClass, ProviderError
from awase.providers import http
from awase.providers.failures import retry_after
from awase.providers.google_failures import GOOGLE
from awase.providers.http import TIMEOUT, BearerWire, Wire, build_client
from tests.providers.scripted import NOW, TwoTokens, failure_of, reply
from tests.providers.scripted import Wire as Script
from tests.providers.worlds import SandboxWorld, at

BASE = "https://api.example"


def bearer(script: Script) -> BearerWire:
    return BearerWire(Wire(script.client, GOOGLE, lambda: NOW), BASE, TwoTokens())


def test_every_call_has_a_time_limit_even_on_a_client_without() -> None:
    seen: list[dict[str, float]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.extensions["timeout"])
        return httpx2.Response(200, json={})

    for client in (
        httpx2.Client(transport=httpx2.MockTransport(answer), timeout=None),
        build_client(transport=httpx2.MockTransport(answer), timeout=httpx2.Timeout(3.0)),
    ):
        Wire(client, GOOGLE).fetch("GET", BASE)
    assert seen[0] == TIMEOUT.as_dict()
    assert set(seen[1].values()) == {3.0}


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_LIMIT", 1000)
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 100
            yield b"x" * 100

    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, content=endless()))
    failure = failure_of(lambda: Wire(build_client(transport=transport), GOOGLE).send("GET", BASE))
    assert failure is not None
    assert (failure.kind, failure.symptom) == (FailureClass.RETRY, "X02")
    assert sent < 2000


def test_a_body_that_only_drips_is_given_up() -> None:
    def dripping() -> Iterator[bytes]:
        while True:
            time.sleep(0.02)
            yield b" "

    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, content=dripping()))
    client = build_client(transport=transport, timeout=httpx2.Timeout(0.05))
    failure = failure_of(lambda: Wire(client, GOOGLE).send("GET", BASE))
    assert failure is not None
    assert (failure.symptom, failure.detail) == ("X01", "ReadTimeout")


def test_a_body_that_cannot_be_unpacked_is_unreadable() -> None:
    transport = httpx2.MockTransport(
        lambda request: httpx2.Response(200, headers={"Content-Encoding": "gzip"}, content=b"no gzip")
    )
    failure = failure_of(lambda: Wire(build_client(transport=transport), GOOGLE).send("GET", BASE))
    assert failure is not None
    assert failure.kind is FailureClass.RETRY


def test_cookies_of_one_account_never_reach_another() -> None:
    script = Script(reply(200, {}, {"Set-Cookie": "session=somebody; Path=/"}))
    wire = Wire(script.client, GOOGLE)
    wire.fetch("GET", BASE)
    wire.fetch("GET", BASE)
    assert "cookie" not in script.requests[1].headers


def test_a_redirect_is_not_followed_and_no_answer() -> None:
    script = Script(reply(302, "", {"Location": "https://elsewhere.example/"}))
    failure = failure_of(lambda: bearer(script).call("GET", "/things"))
    assert failure is not None
    assert failure.kind is FailureClass.RETRY
    assert {request.url.host for request in script.requests} == {"api.example"}


def test_a_next_page_elsewhere_does_not_get_the_token() -> None:
    script = Script(reply(200, {}))
    failure = failure_of(lambda: bearer(script).call("GET", "https://elsewhere.example/page2"))
    assert failure is not None
    assert failure.symptom == "X02"
    assert script.requests == []


def test_a_base_is_not_fooled_by_a_longer_host_name() -> None:
    script = Script(reply(200, {}))
    assert failure_of(lambda: bearer(script).call("GET", "https://api.example.evil.test/page2")) is not None
    assert script.requests == []


@pytest.mark.parametrize("problem", [reply(500), reply(200, httpx2.ConnectError("reset"))])
def test_a_read_is_tried_twice_where_the_failure_came_at_once(problem: httpx2.Response) -> None:
    script = Script(problem, reply(200, {}))
    bearer(script).call("GET", "/things")
    assert len(script.requests) == 2


def test_a_read_that_ran_into_the_time_limit_is_not_repeated() -> None:
    script = Script(httpx2.ReadTimeout("slow"), reply(200, {}))
    assert failure_of(lambda: bearer(script).call("GET", "/things")) is not None
    assert len(script.requests) == 1


def test_a_write_is_never_repeated() -> None:
    script = Script(reply(500), reply(200, {}))
    assert failure_of(lambda: bearer(script).call("POST", "/things", json={})) is not None
    assert len(script.requests) == 1


def test_a_refused_call_is_not_repeated() -> None:
    script = Script(reply(403, {"error": {"errors": [{"reason": "forbidden"}]}}), reply(200, {}))
    assert failure_of(lambda: bearer(script).call("GET", "/things")) is not None
    assert len(script.requests) == 1


def test_a_failing_token_source_is_heard() -> None:
    class Broken:
        def token(self, *, rejected: str | None = None) -> str:
            raise ProviderError(GOOGLE.classify(answer, now=NOW))

    answer = Wire(Script(reply(500)).client, GOOGLE).fetch("GET", BASE)
    wire = BearerWire(Wire(Script(reply(200, {})).client, GOOGLE), BASE, Broken())
    failure = failure_of(lambda: wire.call("GET", "/things"))
    assert failure is not None
    assert failure.symptom == "G29"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("Wed, 05 Mar 2031 12:01:00 GMT", 60),
        ("2031-03-05T12:00:30Z", 30),
        ("2031-03-05T11:00:00Z", 0),
        ("999999999", 86_400),
    ],
)
def test_retry_after_is_read_in_all_its_spellings(value: str, seconds: int) -> None:
    assert retry_after(httpx2.Headers({"Retry-After": value}), NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", ["", "soon", "-5", "2031-99-99"])
def test_an_unreadable_retry_after_is_none(value: str) -> None:
    assert retry_after(httpx2.Headers({"Retry-After": value}), NOW) is None


def test_the_sandbox_shows_a_time_out_a_cut_off_body_and_a_page_of_html(google: SandboxWorld) -> None:
    for fault in ("timeout", "truncated_json", "html_body"):
        google.fault("ok")
        google.fault(fault, "api")
        failure = failure_of(lambda: google.session.busy([google.calendar_id], at(1), at(2)))
        assert failure is not None, fault
        assert failure.kind is FailureClass.RETRY, fault
    google.fault("ok")
    assert google.session.busy([google.calendar_id], at(1), at(2))[google.calendar_id] == ()


def test_the_clock_is_aware_utc() -> None:
    assert http.utc_now().tzinfo is UTC
    assert abs(http.utc_now() - datetime.now(UTC)) < timedelta(seconds=5)
