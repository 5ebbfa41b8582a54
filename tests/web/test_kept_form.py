"""A session that is over loses nothing: log in, and what was typed is there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from awase.models import Member
from tests.web.conftest import text_of

SCREEN = "https://awase.test/app/settings/profile"
TYPED = {"section": "person", "name": "Typed <name>", "language": "en", "time_zone": "Asia/Tokyo", "clock": "24"}


def browser_of(*, checks: bool = False) -> Client:
    headers = {"Accept-Language": "en", "Referer": SCREEN, "Origin": "https://awase.test"}
    return Client(SERVER_NAME="awase.test", enforce_csrf_checks=checks, headers=headers)


def enter(browser: Client, member: Member, path: str = "/accounts/login/", **more: str) -> Any:
    entered = {"login": member.user.email, "password": "password", **more}
    return browser.post(path, entered, secure=True)


@pytest.fixture
def browser(owner: Member) -> Client:
    browser = browser_of()
    enter(browser, owner)
    del browser.cookies["sessionid"]
    return browser


def test_log_in_and_the_form_is_still_there(browser: Client, owner: Member) -> None:
    answer = browser.post("/app/settings/profile", TYPED, secure=True)
    assert answer["Location"] == "/accounts/login/?next=%2Fapp%2Fkept"
    assert "What you typed is kept" in text_of(browser.get(answer["Location"], secure=True))
    assert enter(browser, owner, answer["Location"], next="/app/kept")["Location"] == "/app/kept"
    assert browser.get("/app/kept", secure=True)["Location"] == "/app/settings/profile"
    shown = browser.get("/app/settings/profile", secure=True).content.decode()
    assert 'data-kept name="name" value="Typed &lt;name&gt;"' in shown
    owner.user.refresh_from_db()
    assert owner.user.name == "Tanaka", "nothing is sent by itself"
    browser.post("/app/settings/profile", TYPED, secure=True)
    owner.user.refresh_from_db()
    assert owner.user.name == "Typed <name>"
    assert "data-kept" not in browser.get("/app/settings/profile", secure=True).content.decode()


def test_nobody_else_sees_what_was_typed(browser: Client, teammate: Member) -> None:
    browser.post("/app/settings/profile", TYPED, secure=True)
    enter(browser, teammate)
    assert browser.get("/app/kept", secure=True)["Location"] == "/app/"
    assert "data-kept" not in browser.get("/app/settings/profile", secure=True).content.decode()


def test_what_is_kept_is_sealed_and_holds_no_password(browser: Client, owner: Member) -> None:
    browser.post("/app/connections/caldav/connect", {"username": "u", "password": "app-secret"}, secure=True)
    assert "username" not in str(dict(browser.session))
    enter(browser, owner)
    assert "app-secret" not in browser.get("/app/settings/profile", secure=True).content.decode()


def test_it_can_be_discarded(browser: Client, owner: Member) -> None:
    browser.post("/app/settings/profile", TYPED, secure=True)
    enter(browser, owner)
    assert browser.post("/app/kept/drop", secure=True)["Location"] == "/app/settings/profile"
    assert "data-kept" not in browser.get("/app/settings/profile", secure=True).content.decode()


def test_a_form_with_the_token_of_an_earlier_log_in_is_kept_too_if_it_comes_from_us(owner: Member) -> None:
    browser = browser_of(checks=True)
    browser.force_login(owner.user)
    answer = browser.post("/app/settings/profile", {**TYPED, "csrfmiddlewaretoken": "x" * 64}, secure=True)
    assert answer.status_code == 302 and answer["Location"] == "/app/kept"
    foreign = browser.post("/app/settings/profile", TYPED, secure=True, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    owner.user.refresh_from_db()
    assert owner.user.name == "Tanaka"


def test_a_poll_after_the_end_of_the_session_leaves_the_screen_alone(browser: Client) -> None:
    banner = browser.get("/app/banner", headers={"HX-Request": "true"}, secure=True)
    assert banner.status_code == 200 and "Your session has ended." in text_of(banner)
    assert not re.search("hx-get", banner.content.decode())
    assert browser.get("/app/pages?part=1", headers={"HX-Request": "true"}, secure=True).status_code == 204
