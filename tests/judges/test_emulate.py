"""Google's adapter against `emulate`, a stand-in for Google that no one here wrote: the whole OAuth path, and
listing, writing, busy times, free/busy and deleting.

Version 0.11.2 has no GET, PATCH or watch of one event, takes no id, no Meet and no sync token, and lets any
access token pass: of those things the other judges speak.
"""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from awase.domain.errors import Failure, FailureClass, ProviderError, Reason
from awase.providers.google import CALENDAR_LIST, EVENTS, Google
from awase.providers.http import build_client
from awase.providers.protocols import AppConfig, Grant
from tests.judges.session import KEY, event
from tests.providers.worlds import REDIRECT, VERIFIER, Keeper, at

ROOT = Path(__file__).parents[2]
EMAIL = "hanako@minato.example"
SEED = f"""
google:
  users:
    - email: {EMAIL}
      name: Hanako
  oauth_clients:
    - client_id: awase-google
      client_secret: right
      name: Awase
      redirect_uris:
        - {REDIRECT}
  calendars:
    - id: primary
      user_email: {EMAIL}
      summary: Hanako
      primary: true
      selected: true
      time_zone: Asia/Tokyo
"""


class AccountForms(HTMLParser):
    """The forms of the account page, each with its address and fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given["action"], {}))
        elif tag == "input" and self.forms:
            self.forms[-1][1][given["name"]] = given["value"]


@dataclass(frozen=True, slots=True)
class Emulate:
    """A running `emulate`, and the one client that calls it."""

    base: str
    client: httpx2.Client

    def adapter(self, **app: str) -> Google:
        config = AppConfig(**{"client_id": "awase-google", "client_secret": "right", "redirect_uri": REDIRECT} | app)
        return Google(self.client, config, auth_base=self.base, token_base=f"{self.base}/oauth2", api_base=self.base)

    def code(self, google: Google) -> str:
        """Go through the account page; the code with which the person comes back."""
        page = self.client.get(google.authorize_url(state="xyz", verifier=VERIFIER, login_hint=EMAIL))
        (form,) = (form for form in AccountForms(page.text).forms if form[1].get("email") == EMAIL)
        back = self.client.post(f"{self.base}{form[0]}", data=form[1])
        assert back.status_code == 302
        address = back.headers["location"]
        assert address.startswith(f"{REDIRECT}?")
        answer = parse_qs(urlsplit(address).query)
        assert answer["state"] == ["xyz"]
        return answer["code"][0]

    def connected(self) -> tuple[Google, Grant]:
        google = self.adapter()
        return google, google.exchange(code=self.code(google), verifier=VERIFIER, now=datetime.now(UTC))


@pytest.fixture(scope="module")
def emulate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulate]:
    """`emulate`, installed first where it is not."""
    node = subprocess.run([ROOT / "scripts/judges"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    seed = tmp_path_factory.mktemp("emulate") / "seed.yaml"
    seed.write_text(SEED, encoding="utf-8")
    program = ROOT / "tests/judges/npm/node_modules/emulate/dist/index.js"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [node, program, "start", "-s", "google", "-p", str(port), "--seed", seed]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=seed.parent) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            wait_for(base, process)
            with build_client(trust_env=False) as client:
                yield Emulate(base, client)
        finally:
            process.terminate()


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx2.get(address)
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("emulate did not start")


def refused(act: Any) -> Failure:
    with pytest.raises(ProviderError) as caught:
        act()
    return caught.value.failure


def test_a_code_becomes_tokens_and_an_account(emulate: Emulate) -> None:
    _, grant = emulate.connected()
    assert grant.missing == frozenset()
    assert {CALENDAR_LIST, EVENTS} <= grant.tokens.scopes
    assert grant.tokens.refresh_token and grant.tokens.access_token
    assert grant.tokens.expires_at > datetime.now(UTC) + timedelta(minutes=30)
    assert grant.account.email == EMAIL and grant.account.id


def test_the_proof_of_the_key_is_checked(emulate: Emulate) -> None:
    google = emulate.adapter()
    stolen = emulate.code(google)
    failure = refused(lambda: google.exchange(code=stolen, verifier="w" * 64, now=datetime.now(UTC)))
    assert failure.kind is FailureClass.RECONNECT


def test_a_code_is_good_once(emulate: Emulate) -> None:
    google = emulate.adapter()
    once = emulate.code(google)
    google.exchange(code=once, verifier=VERIFIER, now=datetime.now(UTC))
    failure = refused(lambda: google.exchange(code=once, verifier=VERIFIER, now=datetime.now(UTC)))
    assert failure.kind is FailureClass.RECONNECT


def test_an_unregistered_address_to_come_back_to_gets_no_form(emulate: Emulate) -> None:
    google = emulate.adapter(redirect_uri="http://127.0.0.1/elsewhere")
    page = emulate.client.get(google.authorize_url(state="xyz", verifier=VERIFIER))
    assert page.status_code == 400
    assert not AccountForms(page.text).forms


def test_a_wrong_secret_is_our_fault_and_nobodys_account(emulate: Emulate) -> None:
    google = emulate.adapter()
    good = emulate.code(google)
    wrong = emulate.adapter(client_secret="wrong")
    failure = refused(lambda: wrong.exchange(code=good, verifier=VERIFIER, now=datetime.now(UTC)))
    assert failure.kind is FailureClass.APP_CONFIG


def test_the_operators_look_at_the_registration_tells_right_from_wrong(emulate: Emulate) -> None:
    assert emulate.adapter().inspect(now=datetime.now(UTC)).failure is None
    wrong = emulate.adapter(client_secret="wrong").inspect(now=datetime.now(UTC))
    assert wrong.failure is not None and wrong.failure.kind is FailureClass.APP_CONFIG
    assert not emulate.adapter(redirect_uri="http://127.0.0.1/elsewhere").inspect(now=datetime.now(UTC)).consent


def test_a_refresh_keeps_the_refresh_token_and_the_scopes(emulate: Emulate) -> None:
    google, grant = emulate.connected()
    fresh = google.refresh(grant.tokens, now=datetime.now(UTC))
    assert fresh.access_token != grant.tokens.access_token
    assert fresh.refresh_token == grant.tokens.refresh_token
    assert fresh.scopes >= google.required


def test_a_revoked_grant_asks_for_a_person(emulate: Emulate) -> None:
    google, grant = emulate.connected()
    google.revoke(grant.tokens)
    failure = refused(lambda: google.refresh(grant.tokens, now=datetime.now(UTC)))
    assert failure.kind is FailureClass.RECONNECT
    assert failure.reason in (Reason.REVOKED, Reason.EXPIRED)
    google.revoke(grant.tokens)


def test_events_are_written_read_as_busy_and_deleted(emulate: Emulate) -> None:
    google, grant = emulate.connected()
    session = google.session(Keeper(google, grant.tokens))
    session.check()
    assert [calendar.id for calendar in session.list_calendars()] == ["primary"]
    written = session.put_event("primary", event())
    found = session.busy(["primary"], at(1), at(31))["primary"]
    assert not isinstance(found, Failure)
    assert [(busy.start, busy.end, busy.event_id) for busy in found] == [(at(5, 1), at(5, 2), written.id)]
    schedule = session.rooms_busy(["primary"], at(1), at(31))["primary"]
    assert not isinstance(schedule, Failure)
    assert [(busy.start, busy.end) for busy in schedule] == [(at(5, 1), at(5, 2))]
    session.delete_event("primary", KEY, written.id)
    assert session.busy(["primary"], at(1), at(31)) == {"primary": ()}
    session.delete_event("primary", KEY, written.id)


def test_an_address_that_emulate_does_not_know_is_unknown_and_not_free(emulate: Emulate) -> None:
    """It leaves such a calendar out of its answer, where Google names an error."""
    google, grant = emulate.connected()
    session = google.session(Keeper(google, grant.tokens))
    assert isinstance(session.rooms_busy(["nobody@minato.example"], at(1), at(2))["nobody@minato.example"], Failure)


def test_the_lock_of_the_packages_names_no_address() -> None:
    lock = (ROOT / "tests/judges/npm/package-lock.json").read_text(encoding="utf-8")
    assert not re.search('"resolved"', lock)
    assert lock.count('"integrity"') == 5
