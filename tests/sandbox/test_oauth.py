"""The consent screens, codes and token endpoints of all three services."""

import base64
import json
import re
from html import unescape

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from sandbox.oauth import signing_key
from tests.sandbox.driver import AUTHORIZE, GOOGLE, World

ALL = pytest.mark.parametrize("service", ["google", "microsoft", "zoom"])
PROBE = {
    "google": "/calendar/v3/users/me/calendarList",
    "microsoft": "/v1.0/me/calendars",
    "zoom": "/v2/users/me",
}
EMAIL = "sato@example.com"


@ALL
def test_an_authorisation_yields_a_token_that_works(world: World, service: str) -> None:
    assert world.connect(service, EMAIL).call("GET", PROBE[service]).status_code == 200


@ALL
def test_a_denial_comes_back_as_an_error_with_the_state(world: World, service: str) -> None:
    world.add(service, EMAIL)
    back = world.consent(service, EMAIL, decision="deny")
    assert back["error"] == "access_denied" and back["state"] == "s" and "code" not in back


@ALL
def test_a_code_is_good_once(world: World, service: str) -> None:
    world.add(service, EMAIL)
    code = world.consent(service, EMAIL)["code"]
    assert world.redeem(service, code).status_code == 200
    assert world.redeem(service, code).status_code == 400


@ALL
def test_a_code_runs_out(world: World, service: str) -> None:
    world.add(service, EMAIL)
    code = world.consent(service, EMAIL)["code"]
    world.clock.pass_by(minutes=11)
    assert world.redeem(service, code).status_code == 400


@ALL
@pytest.mark.parametrize("verifier", ["w" * 43, ""])
def test_a_wrong_pkce_verifier_is_refused(world: World, service: str, verifier: str) -> None:
    world.add(service, EMAIL)
    code = world.consent(service, EMAIL)["code"]
    assert world.redeem(service, code, code_verifier=verifier).status_code == 400


@ALL
def test_another_redirect_address_at_the_token_endpoint_is_refused(world: World, service: str) -> None:
    world.add(service, EMAIL)
    code = world.consent(service, EMAIL)["code"]
    assert world.redeem(service, code, redirect_uri="http://127.0.0.1/other").status_code == 400


@ALL
def test_an_unregistered_redirect_address_is_never_used(world: World, service: str) -> None:
    question = world.question(service, redirect_uri="https://evil.example/callback")
    answer = world.http.get(AUTHORIZE[service], params=question)
    assert answer.status_code == 400 and "redirect_uri_mismatch" in answer.text


@ALL
def test_registered_redirect_addresses_are_compared_exactly(world: World, service: str) -> None:
    world.control("POST", "clients", id=f"awase-{service}", redirect_uris=["https://awase.test/cb"])
    for address, status in (("https://awase.test/cb", 200), ("https://awase.test/cb/", 400)):
        answer = world.http.get(AUTHORIZE[service], params=world.question(service, redirect_uri=address))
        assert answer.status_code == status


@ALL
def test_an_access_token_runs_out_and_a_refresh_cures_it(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    world.clock.pass_by(hours=1, minutes=1)
    assert linked.call("GET", PROBE[service]).status_code == 401
    assert linked.refresh().status_code == 200
    assert linked.call("GET", PROBE[service]).status_code == 200


@ALL
def test_the_wrong_secret_is_an_invalid_client(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    world.control("POST", "clients", id=f"awase-{service}", secret="another")
    answer = linked.refresh()
    assert answer.status_code in (400, 401) and answer.json()["error"] == "invalid_client"


@ALL
def test_a_token_of_one_service_is_nothing_at_another(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    other = {"google": "zoom", "microsoft": "google", "zoom": "microsoft"}[service]
    linked.service = other
    assert linked.call("GET", PROBE[other]).status_code == 401


@ALL
def test_typing_a_new_address_makes_an_account(world: World, service: str) -> None:
    back = world.consent(service, "new@example.com")
    assert world.redeem(service, back["code"]).status_code == 200
    assert world.sandbox.account(service, "new@example.com") is not None


@ALL
def test_the_login_hint_is_preselected(world: World, service: str) -> None:
    world.add(service, "first@example.com")
    world.add(service, EMAIL)
    screen = world.http.get(AUTHORIZE[service], params=world.question(service, login_hint=EMAIL)).text
    assert re.findall(r'value="([^"]+@[^"]+)" checked', screen) == [EMAIL]


def test_google_gives_a_refresh_token_only_at_the_first_consent_or_when_asked_again(world: World) -> None:
    first = world.connect("google", EMAIL, prompt="select_account")
    assert "refresh_token" in first.tokens
    assert "refresh_token" not in world.connect("google", EMAIL, prompt="select_account").tokens
    assert "refresh_token" in world.connect("google", EMAIL, prompt="consent").tokens
    assert "refresh_token" not in world.connect("google", "b@example.com", access_type="online").tokens


def test_google_refreshes_without_rotating(world: World) -> None:
    linked = world.connect("google", EMAIL)
    for _ in range(2):
        answer = linked.refresh()
        assert answer.status_code == 200 and "refresh_token" not in answer.json()


def test_google_returns_only_the_scopes_that_were_ticked(world: World) -> None:
    linked = world.connect("google", EMAIL, untick=("calendar.events",))
    assert f"{GOOGLE}calendar.events" not in linked.tokens["scope"].split()
    assert f"{GOOGLE}calendar.freebusy" in linked.tokens["scope"].split()
    answer = linked.call("POST", "/calendar/v3/calendars/primary/events", json={})
    error = answer.json()["error"]
    assert answer.status_code == 403 and error["status"] == "PERMISSION_DENIED"
    assert error["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    assert error["errors"][0]["reason"] == "insufficientPermissions"


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_google_revoking_either_token_ends_the_whole_grant(world: World, kind: str) -> None:
    linked, other = world.connect("google", EMAIL), world.connect("google", EMAIL)
    assert world.http.post("/google/revoke", data={"token": linked.tokens[kind]}).status_code == 200
    for grant in (linked, other):
        assert grant.call("GET", PROBE["google"]).status_code == 401
        answer = grant.refresh()
        assert answer.json() == {
            "error": "invalid_grant",
            "error_description": "Token has been expired or revoked.",
        }
    assert world.http.post("/google/revoke", data={"token": linked.tokens[kind]}).status_code == 400


def test_google_lets_the_oldest_of_over_a_hundred_refresh_tokens_die(world: World) -> None:
    first = world.connect("google", EMAIL)
    second = world.connect("google", EMAIL)
    for _ in range(99):
        world.connect("google", EMAIL)
    assert first.refresh().status_code == 400
    assert second.refresh().status_code == 200


def test_google_signs_an_id_token_with_issuer_audience_and_address(world: World) -> None:
    linked = world.connect("google", EMAIL)
    header, payload, signature = linked.tokens["id_token"].split(".")
    claims = json.loads(decode(payload))
    assert claims["iss"] == "https://accounts.google.com" and claims["aud"] == "awase-google"
    assert claims["email"] == EMAIL and claims["sub"] == linked.call("GET", "/oauth2/v3/userinfo").json()["sub"]
    signing_key(world.sandbox).public_key().verify(
        decode(signature), f"{header}.{payload}".encode(), padding.PKCS1v15(), hashes.SHA256()
    )


def test_microsoft_gives_a_new_refresh_token_and_leaves_the_old_one_alive(world: World) -> None:
    linked = world.connect("microsoft", EMAIL)
    old = linked.tokens["refresh_token"]
    assert linked.refresh().json()["refresh_token"] != old
    assert world.refresh("microsoft", old).status_code == 200


def test_microsoft_without_offline_access_gives_no_refresh_token(world: World) -> None:
    linked = world.connect("microsoft", EMAIL, scope="openid email Calendars.Read")
    assert "refresh_token" not in linked.tokens and "offline_access" not in linked.tokens["scope"]


def test_microsoft_says_that_a_code_was_redeemed_already(world: World) -> None:
    world.add("microsoft", EMAIL)
    code = world.consent("microsoft", EMAIL)["code"]
    world.redeem("microsoft", code)
    assert world.redeem("microsoft", code).json()["error_codes"] == [54005]


def test_zoom_takes_only_the_newest_refresh_token(world: World) -> None:
    linked = world.connect("zoom", EMAIL)
    old = linked.tokens["refresh_token"]
    assert linked.refresh().status_code == 200
    answer = world.refresh("zoom", old)
    assert answer.status_code == 400
    assert answer.json() == {"reason": "Invalid Token!", "error": "invalid_grant"}
    assert linked.refresh().status_code == 200


def test_zoom_a_new_authorisation_kills_the_earlier_tokens(world: World) -> None:
    first, second = world.connect("zoom", EMAIL), world.connect("zoom", EMAIL)
    assert first.call("GET", PROBE["zoom"]).json()["code"] == 124
    assert first.refresh().json()["code"] == 4741
    assert second.refresh().status_code == 200


def test_zoom_takes_the_client_secret_in_the_header_only(world: World) -> None:
    linked = world.connect("zoom", EMAIL)
    form = {
        "grant_type": "refresh_token",
        "refresh_token": linked.tokens["refresh_token"],
        "client_id": "awase-zoom",
        "client_secret": "sandbox-secret",
    }
    assert world.http.post("/zoom/oauth/token", data=form).json()["error"] == "invalid_client"
    assert linked.refresh().status_code == 200


def test_zoom_revokes_with_basic_credentials(world: World) -> None:
    linked = world.connect("zoom", EMAIL)
    answer = world.http.post(
        "/zoom/oauth/revoke",
        data={"token": linked.tokens["access_token"]},
        auth=("awase-zoom", "sandbox-secret"),
    )
    assert answer.json() == {"status": "success"}
    assert linked.refresh().status_code == 400


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@ALL
@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"prompt": "none"}, "interaction_required"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_a_wrong_question_comes_back_as_an_error(
    world: World, service: str, options: dict[str, str], error: str
) -> None:
    answer = world.http.get(AUTHORIZE[service], params=world.question(service, **options))
    assert answer.status_code == 302 and f"error={error}" in answer.headers["location"]


@ALL
def test_an_unknown_client_gets_no_screen(world: World, service: str) -> None:
    answer = world.http.get(AUTHORIZE[service], params=world.question(service, client_id="who"))
    assert answer.status_code == 401 and "invalid_client" in answer.text


@ALL
def test_without_an_address_the_screen_asks_again(world: World, service: str) -> None:
    screen = world.http.get(AUTHORIZE[service], params=world.question(service)).text
    request = re.search(r'name="request" value="([^"]*)"', screen)
    assert request is not None
    form = {"request": unescape(request[1]), "new_account": "nobody", "decision": "allow"}
    answer = world.http.post(AUTHORIZE[service], data=form)
    assert answer.status_code == 200 and 'role="alert"' in answer.text


@ALL
@pytest.mark.parametrize("form", [{"grant_type": "password"}, {"grant_type": "refresh_token", "refresh_token": "x"}])
def test_a_wrong_token_call_is_refused(world: World, service: str, form: dict[str, str]) -> None:
    assert world.token(service, **form).status_code == 400


@pytest.mark.parametrize("service", ["google", "microsoft"])
def test_a_refresh_token_of_another_client_is_an_unauthorized_client(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    world.control("POST", "clients", id="other", service=service)
    form = {"grant_type": "refresh_token", "refresh_token": linked.tokens["refresh_token"]}
    assert world.token(service, client_id="other", **form).json()["error"] == "unauthorized_client"


def test_microsoft_wants_a_secret_a_known_client_and_granted_scopes(world: World) -> None:
    linked = world.connect("microsoft", EMAIL)
    form = {"grant_type": "refresh_token", "refresh_token": linked.tokens["refresh_token"]}
    for changes, code in (
        ({"client_secret": ""}, 7000218),
        ({"client_id": "who"}, 700016),
        ({"scope": "Mail.Read"}, 65001),
    ):
        assert world.token("microsoft", **form, **changes).json()["error_codes"] == [code]


@ALL
def test_refresh_tokens_of_microsoft_and_zoom_run_out_after_ninety_days(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    world.clock.pass_by(days=91)
    assert linked.refresh().status_code == (200 if service == "google" else 400)


@pytest.mark.parametrize("path", ["/google/oauth2/v3/certs", "/microsoft/common/discovery/v2.0/keys"])
def test_the_public_keys_are_there(world: World, path: str) -> None:
    assert world.http.get(path).json()["keys"][0]["kty"] == "RSA"


@ALL
def test_calls_without_a_token_or_to_nowhere_are_refused(world: World, service: str) -> None:
    assert world.http.get(f"/{service}{PROBE[service]}").status_code == 401
    linked = world.connect(service, EMAIL)
    assert linked.call("GET", "/no/such/thing").status_code in (400, 404)
    assert linked.call("OPTIONS", PROBE[service]).status_code == 405


def test_the_microsoft_id_token_names_tenant_and_address(world: World) -> None:
    claims = [
        json.loads(decode(world.connect("microsoft", email, nonce="n").tokens["id_token"].split(".")[1]))
        for email in (EMAIL, "b@example.com", "c@outlook.com")
    ]
    assert [claim["email"] for claim in claims] == [EMAIL, "b@example.com", "c@outlook.com"]
    assert claims[0]["tid"] == claims[1]["tid"] != claims[2]["tid"]
    assert claims[0]["nonce"] == "n" and claims[0]["tid"] in claims[0]["iss"]
