"""Consent screens answered in code, as the sample data and the tests do it."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from awase import registry
from awase.demo.consent import ConsentRefused, Form
from awase.domain.health import Service


def test_a_form_is_read_as_a_browser_would_send_it():
    form = Form(
        """<form action="/search"><input name="q"></form>
        <form action="/in"><input type="hidden" name="token" value="t"><input name="login" value="">
        <input type="checkbox" name="box" value="1" checked><input type="checkbox" name="box" value="2">
        <input type="radio" name="pick" value="a"><button name="go" value="1">Go</button></form>
        <form action="/later"><input name="login" value="wrong"></form>""",
        holding="login",
    )
    assert form.action == "/in"
    assert form.fields == [("token", "t"), ("login", ""), ("box", "1")]


def test_a_page_without_such_a_form_is_an_error():
    with pytest.raises(LookupError, match="login"):
        Form("<form><input name=other></form>", holding="login")


@pytest.fixture
def screen(sandbox: object) -> str:
    """The consent screen that a member is sent to."""
    return registry.oauth(Service.GOOGLE).authorize_url(state="the-state", verifier="v" * 43)


def test_allowing_leads_back_with_a_code_and_the_state(screen: str, consent: Callable[..., str]):
    back = urlsplit(consent(screen, "sato@minato.example"))
    assert f"{back.scheme}://{back.netloc}{back.path}" == "https://awase.test/connect/google/callback"
    answer = parse_qs(back.query)
    assert answer["state"] == ["the-state"]
    assert answer["code"]


def test_denying_leads_back_with_an_error(screen: str, consent: Callable[..., str]):
    answer = parse_qs(urlsplit(consent(screen, "sato@minato.example", allow=False)).query)
    assert answer["error"] == ["access_denied"]
    assert "code" not in answer


def test_a_box_may_stay_unticked(screen: str, consent: Callable[..., str]):
    events = "https://www.googleapis.com/auth/calendar.events"
    asked = parse_qs(urlsplit(screen).query)["scope"][0].split()
    left_out = next(scope for scope in asked if scope.startswith(events))
    answer = parse_qs(urlsplit(consent(screen, "sato@minato.example", without=[left_out])).query)
    assert left_out not in answer["scope"][0].split()


def test_a_screen_that_refuses_the_app_is_told_apart(screen: str, consent: Callable[..., str]):
    with pytest.raises(ConsentRefused, match="401"):
        consent(screen.replace("awase-google", "nobody"), "sato@minato.example")
