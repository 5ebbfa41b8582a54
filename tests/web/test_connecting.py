"""Connecting accounts in the browser's eyes: what can go wrong is explained, and nothing is stored then."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from awase.models import Connection, Credential, ServiceAlarm

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def accounts_at_google(sandbox_client: httpx2.Client) -> None:
    for email in ("tanaka@minato.example", "private@minato.example"):
        body = {"service": "google", "email": email, "name": "Tanaka", "calendars": [{"primary": True}]}
        assert sandbox_client.post("/control/api/accounts", json=body).status_code < 300


@pytest.fixture
def browser(owner: Any, log_in: Callable[[Any], Any]) -> Any:
    return log_in(owner)


def go(browser: Any, consent: Callable[..., str], email: str, query: str = "", **choices: Any) -> Any:
    address = browser.get(f"/app/connections/google/connect{query}")["Location"]
    back = consent(address, email, **choices)
    return browser.get(back.removeprefix("https://awase.test"))


def test_going_through_the_consent_screen_connects_the_account(browser: Any, consent: Callable[..., str]) -> None:
    assert go(browser, consent, "tanaka@minato.example").status_code == 302
    link = Connection.objects.get()
    assert link.credential.account_email == "tanaka@minato.example"
    assert link.calendars.get().checked
    assert "tanaka@minato.example" in browser.get("/app/connections?tab=connected").content.decode()


def test_denied_consent_is_explained_and_nothing_stored(browser: Any, consent: Callable[..., str]) -> None:
    answer = go(browser, consent, "tanaka@minato.example", allow=False)
    assert answer.status_code == 400
    assert "Nothing was stored" in answer.content.decode()
    assert not Credential.objects.exists()


def test_an_administrators_refusal_is_not_taken_for_the_persons(
    browser: Any, consent: Callable[..., str], sandbox_client: httpx2.Client
) -> None:
    account = {"service": "microsoft", "email": "tanaka@minato.example"}
    sandbox_client.post("/control/api/accounts", json=account)
    sandbox_client.post("/control/api/accounts/microsoft/tanaka@minato.example/fault", json={"fault": "admin_blocked"})
    address = browser.get("/app/connections/microsoft/connect")["Location"]
    back = consent(address, "tanaka@minato.example")
    answer = browser.get(back.removeprefix("https://awase.test"))
    assert answer.status_code == 400
    assert "The administrator of the account does not allow the access." in answer.content.decode()


def test_a_fault_of_ours_while_connecting_alarms_the_operators(
    browser: Any, consent: Callable[..., str], sandbox_client: httpx2.Client
) -> None:
    fault = {"fault": "app_secret_expired", "operation": "token"}
    sandbox_client.post("/control/api/accounts/google/tanaka@minato.example/fault", json=fault)
    assert go(browser, consent, "tanaka@minato.example").status_code == 400
    assert ServiceAlarm.objects.get().symptom == "G06"


def test_an_account_without_a_calendar_is_told_so(
    browser: Any, consent: Callable[..., str], sandbox_client: httpx2.Client
) -> None:
    fault = {"fault": "no_mailbox"}
    sandbox_client.post("/control/api/accounts/google/tanaka@minato.example/fault", json=fault)
    answer = go(browser, consent, "tanaka@minato.example")
    assert "The account has no calendar that can be used." in answer.content.decode()
    assert not Credential.objects.exists()


def test_an_error_that_anybody_could_type_into_the_address_alarms_nobody(browser: Any) -> None:
    state = parse_qs(urlsplit(browser.get("/app/connections/google/connect")["Location"]).query)["state"][0]
    answer = browser.get(f"/connect/google/callback?error=invalid_client&state={state}")
    assert answer.status_code == 400
    assert not ServiceAlarm.objects.exists()


def test_an_unticked_scope_is_explained_and_nothing_stored(browser: Any, consent: Callable[..., str]) -> None:
    events = "https://www.googleapis.com/auth/calendar.events"
    answer = go(browser, consent, "tanaka@minato.example", without=[events])
    assert answer.status_code == 400
    assert "Not every box" in answer.content.decode()
    assert not Credential.objects.exists()


def test_another_account_at_reconnect_is_named_and_nothing_stored(browser: Any, consent: Callable[..., str]) -> None:
    go(browser, consent, "tanaka@minato.example")
    link = Connection.objects.get()
    answer = go(browser, consent, "private@minato.example", query=f"?connection={link.pk}")
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "tanaka@minato.example" in page and "private@minato.example" in page
    assert Credential.objects.count() == 1


@pytest.mark.parametrize("state", ["", "&state=wrong"])
def test_a_missing_or_wrong_state_is_refused(browser: Any, consent: Callable[..., str], state: str) -> None:
    browser.get("/app/connections/google/connect")
    answer = browser.get(f"/connect/google/callback?code=anything{state}")
    assert answer.status_code == 400
    assert not Credential.objects.exists()


def test_an_answer_works_once(browser: Any, consent: Callable[..., str]) -> None:
    address = browser.get("/app/connections/google/connect")["Location"]
    back = consent(address, "tanaka@minato.example").removeprefix("https://awase.test")
    assert browser.get(back).status_code == 302
    assert browser.get(back).status_code == 400


def test_somebody_else_cannot_finish_the_request(
    browser: Any, consent: Callable[..., str], teammate: Any, log_in: Callable[[Any], Any]
) -> None:
    address = browser.get("/app/connections/google/connect")["Location"]
    back = consent(address, "tanaka@minato.example").removeprefix("https://awase.test")
    assert log_in(teammate).get(back).status_code == 400
    assert not Credential.objects.exists()


@pytest.mark.parametrize("act", ["check", "disconnect", "calendars"])
def test_strangers_and_teammates_cannot_touch_an_account(
    browser: Any,
    consent: Callable[..., str],
    teammate: Any,
    stranger: Any,
    log_in: Callable[[Any], Any],
    act: str,
) -> None:
    go(browser, consent, "tanaka@minato.example")
    link = Connection.objects.get()
    for other in (teammate, stranger):
        assert log_in(other).post(f"/app/connections/{link.pk}/{act}").status_code == 404
    assert Connection.objects.filter(pk=link.pk).exists()


def test_disconnecting_forgets_the_tokens_and_ends_the_grant(
    browser: Any, consent: Callable[..., str], sandbox_client: httpx2.Client
) -> None:
    go(browser, consent, "tanaka@minato.example")
    assert browser.post(f"/app/connections/{Connection.objects.get().pk}/disconnect").status_code == 302
    assert not Credential.objects.exists()
    state = sandbox_client.get("/control/api/state").json()
    account = next(item for item in state["accounts"] if item["email"] == "tanaka@minato.example")
    assert account["grants"] == 0


def test_tokens_are_not_readable_in_the_database(browser: Any, consent: Callable[..., str]) -> None:
    from django.db import connection

    go(browser, consent, "tanaka@minato.example")
    token = Credential.objects.get().secret["refresh_token"]
    with connection.cursor() as cursor:
        cursor.execute("select secret from awase_credential")
        stored = bytes(cursor.fetchone()[0])
    assert token.encode() not in stored


def test_no_link_says_to_which_server_a_password_goes(browser: Any) -> None:
    def shown(address: str) -> bool:
        answer = browser.get("/app/connections/caldav/connect", {"address": address})
        return f'value="{address}"' in answer.content.decode()

    assert shown("https://caldav.icloud.com/") and not shown("https://evil.example/")
