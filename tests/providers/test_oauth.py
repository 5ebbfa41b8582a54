"""Connecting accounts at Google, Microsoft and Zoom: PKCE, scopes, refresh, revocation, refusals."""

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from awase.domain.errors import FailureClass, ProviderError, Reason
from awase.providers.google import CALENDAR_LIST, EVENTS
from awase.providers.protocols import OAuthService, Tokens
from tests.providers.scripted import NOW, TOKENS, Wire, adapter, failure_of, reply
from tests.providers.worlds import VERIFIER, SandboxWorld, at

SERVICES = ("google", "microsoft", "teams", "zoom")


@pytest.fixture(params=SERVICES)
def world(request: pytest.FixtureRequest) -> SandboxWorld:
    return SandboxWorld(request.param)


def now() -> datetime:
    return datetime.now(UTC)


def failing(act: Any) -> Any:
    failure = failure_of(act)
    assert failure is not None
    return failure


def id_token(**claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"header.{payload}.signature"


def test_the_adapters_are_oauth_services(world: SandboxWorld) -> None:
    made: OAuthService = world.adapter
    assert made.authorize_url(state="s", verifier=VERIFIER)
    assert world.adapter.service == world.name


def test_the_consent_address_carries_state_and_the_challenge_but_not_the_verifier(world: SandboxWorld) -> None:
    address = world.adapter.authorize_url(state="one-time", verifier=VERIFIER, login_hint=world.email)
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    assert query["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert (query["code_challenge_method"], query["state"], query["response_type"]) == ("S256", "one-time", "code")
    assert set(query["scope"].split()) == set(world.adapter.scopes)
    assert query["login_hint"] == world.email
    assert VERIFIER not in address
    assert "sandbox-secret" not in address


def test_a_connected_account_is_named_and_its_tokens_run_out_in_an_hour(world: SandboxWorld) -> None:
    grant = world.connect()
    assert grant.account.email == world.email
    assert grant.account.id
    assert not grant.missing
    assert grant.tokens.access_token
    assert grant.tokens.refresh_token
    assert timedelta(minutes=55) < grant.tokens.expires_at - now() <= timedelta(hours=1)
    assert world.adapter.required <= grant.tokens.scopes


def test_the_same_account_has_the_same_id_each_time(world: SandboxWorld) -> None:
    assert world.connect().account == world.connect().account


def test_a_code_with_another_verifier_is_refused(world: SandboxWorld) -> None:
    code = world.callback()["code"]
    failing(lambda: world.adapter.exchange(code=code, verifier="w" * 64, now=now()))


def test_a_code_works_once(world: SandboxWorld) -> None:
    code = world.callback()["code"]
    world.adapter.exchange(code=code, verifier=VERIFIER, now=now())
    failing(lambda: world.adapter.exchange(code=code, verifier=VERIFIER, now=now()))


def test_a_refresh_gives_a_token_that_works(world: SandboxWorld) -> None:
    fresh = world.adapter.refresh(world.keeper.tokens, now=now())
    assert fresh.access_token != world.keeper.tokens.access_token
    assert fresh.refresh_token
    world.keeper.tokens = fresh
    world.session.check()


def test_an_access_token_that_ran_out_is_renewed_on_the_way(world: SandboxWorld) -> None:
    world.fault("expired_access")
    world.session.check()
    assert world.keeper.refreshes == 1


def test_a_revoked_account_needs_the_person(world: SandboxWorld) -> None:
    world.fault("revoked")
    failure = failing(world.session.check)
    assert failure.kind is FailureClass.RECONNECT
    assert failure.reason in (Reason.REVOKED, Reason.ROTATED_ELSEWHERE, Reason.CONSENT_MISSING)


def test_an_expired_secret_of_ours_is_nobody_elses_fault(world: SandboxWorld) -> None:
    world.fault("app_secret_expired", "token")
    failure = failing(lambda: world.adapter.refresh(world.keeper.tokens, now=now()))
    assert (failure.kind, failure.scope) == (FailureClass.APP_CONFIG, "app")


def test_a_refusal_at_the_consent_screen_marks_nothing_and_alarms_nobody(world: SandboxWorld) -> None:
    back = world.callback(allow=False)
    failure = world.adapter.callback_failure(back, now=now())
    assert failure.kind is FailureClass.BAD_REQUEST
    assert not failure.alert


def test_revoking_ends_the_grant_and_again_is_fine(google: SandboxWorld, zoom: SandboxWorld) -> None:
    for world in (google, zoom):
        world.adapter.revoke(world.keeper.tokens)
        assert failing(world.session.check).kind is FailureClass.RECONNECT
        world.adapter.revoke(world.keeper.tokens)


def test_revoking_at_zoom_ends_the_grant_though_the_access_token_ran_out(zoom: SandboxWorld) -> None:
    kept = replace(zoom.keeper.tokens, expires_at=now() - timedelta(seconds=1))
    zoom.fault("expired_access")
    zoom.adapter.revoke(kept)
    assert [grant.ended for grant in zoom.sandbox.grants_of(zoom.account)] == ["revoked"]
    zoom.adapter.revoke(kept)


def test_a_revocation_at_zoom_that_cannot_be_made_is_told() -> None:
    failure = failing(lambda: adapter("zoom", Wire(reply(503))).revoke(TOKENS))
    assert failure.kind is FailureClass.RETRY


def test_a_revocation_that_fails_is_told() -> None:
    failure = failing(lambda: adapter("google", Wire(reply(503))).revoke(TOKENS))
    assert failure.kind is FailureClass.RETRY


def test_microsoft_has_nothing_to_revoke() -> None:
    wire = Wire(reply(500))
    adapter("microsoft", wire).revoke(TOKENS)
    assert wire.requests == []


def test_an_unticked_scope_is_named_and_nothing_else_is_asked(google: SandboxWorld) -> None:
    google.fault("revoked")
    grant = google.connect(without={EVENTS})
    assert grant.missing == {EVENTS}


def test_what_google_was_granted_before_stays_granted_when_it_is_asked_for_less(google: SandboxWorld) -> None:
    rooms = google.adapter.authorize_url(state="xyz", verifier=VERIFIER, rooms=True)
    with_rooms = google.connect_at(rooms).tokens.scopes
    assert google.connect().tokens.scopes == with_rooms > set(google.adapter.scopes)


def test_scopes_taken_away_later_are_noticed_at_the_call_or_the_refresh(google: SandboxWorld) -> None:
    google.fault("scope_missing")
    call = failing(google.session.check)
    refresh = google.adapter.scope_failure(google.adapter.refresh(google.keeper.tokens, now=now()))
    for failure in (call, refresh):
        assert (failure.kind, failure.reason) == (FailureClass.RECONNECT, Reason.SCOPE_MISSING)


def test_google_keeps_its_refresh_token_and_zoom_and_microsoft_rotate(
    google: SandboxWorld, microsoft: SandboxWorld, zoom: SandboxWorld
) -> None:
    for world, rotates in ((google, False), (microsoft, True), (zoom, True)):
        fresh = world.adapter.refresh(world.keeper.tokens, now=now())
        assert (fresh.refresh_token != world.keeper.tokens.refresh_token) is rotates


def test_an_old_zoom_token_is_dead_after_the_rotation(zoom: SandboxWorld) -> None:
    zoom.adapter.refresh(zoom.keeper.tokens, now=now())
    failure = failing(lambda: zoom.adapter.refresh(zoom.keeper.tokens, now=now()))
    assert (failure.symptom, failure.reason) == ("Z01", Reason.ROTATED_ELSEWHERE)


def test_a_second_zoom_consent_ends_the_first(zoom: SandboxWorld) -> None:
    first = zoom.keeper.tokens
    zoom.connect()
    failure = failing(lambda: zoom.adapter.refresh(first, now=now()))
    assert failure.reason is Reason.ROTATED_ELSEWHERE


def test_an_admins_block_is_told_by_the_consent_screen(google: SandboxWorld, microsoft: SandboxWorld) -> None:
    for world in (google, microsoft):
        world.fault("admin_blocked", "authorize")
        failure = world.adapter.callback_failure(world.callback(), now=now())
        assert failure.reason is Reason.ADMIN_BLOCKED


def test_a_refresh_without_scopes_keeps_the_ones_known() -> None:
    held = Tokens("a", "r", at(1), frozenset({EVENTS, CALENDAR_LIST}))
    made = adapter("google", Wire(reply(200, {"access_token": "b", "expires_in": 3599})))
    fresh = made.refresh(held, now=NOW)
    assert (fresh.scopes, fresh.refresh_token) == (held.scopes, "r")


def test_the_known_end_of_a_grant_is_kept() -> None:
    body = {"access_token": "b", "expires_in": 3599, "refresh_token_expires_in": 604_800}
    fresh = adapter("google", Wire(reply(200, body))).refresh(TOKENS, now=NOW)
    assert fresh.refresh_expires_at == NOW + timedelta(days=7)


def test_an_error_inside_a_200_is_an_error() -> None:
    made = adapter("google", Wire(reply(200, {"error": "invalid_grant", "error_description": "Bad Request"})))
    assert failing(lambda: made.refresh(TOKENS, now=NOW)).symptom == "G04"


@pytest.mark.parametrize(
    "token", [None, "no dots", "a.%%%.c", id_token(sub="1", email="a@x.example", aud="another-client")]
)
def test_an_identity_that_is_not_for_us_is_not_believed(token: str | None) -> None:
    body = {"access_token": "a", "refresh_token": "r", "expires_in": 3599, "scope": f"{EVENTS} {CALENDAR_LIST}"}
    made = adapter("google", Wire(reply(200, {**body, "id_token": token})))
    assert failing(lambda: made.exchange(code="c", verifier=VERIFIER, now=NOW)).symptom == "X02"


def test_google_is_asked_for_the_address_where_the_identity_lacks_it() -> None:
    body = {"access_token": "a", "refresh_token": "r", "expires_in": 3599, "scope": f"{EVENTS} {CALENDAR_LIST}"}
    wire = Wire(
        reply(200, {**body, "id_token": id_token(sub="1", aud="client")}),
        reply(200, {"sub": "1", "email": "hanako@minato.example"}),
    )
    grant = adapter("google", wire).exchange(code="c", verifier=VERIFIER, now=NOW)
    assert grant.account.email == "hanako@minato.example"


def test_graph_scopes_are_known_with_and_without_their_address() -> None:
    scope = "openid https://graph.microsoft.com/Calendars.ReadWrite"
    body = {"access_token": "a", "refresh_token": "r", "expires_in": 3599, "scope": scope}
    token = id_token(sub="s", tid="t", preferred_username="hanako@minato.example", aud="client")
    grant = adapter("microsoft", Wire(reply(200, {**body, "id_token": token}))).exchange(
        code="c", verifier=VERIFIER, now=NOW
    )
    assert not grant.missing
    assert (grant.account.id, grant.account.email) == ("t:s", "hanako@minato.example")


def test_no_secret_is_shown_when_values_are_printed(google: SandboxWorld) -> None:
    grant = google.connect()
    shown = repr(grant)
    assert grant.tokens.access_token not in shown
    assert grant.tokens.refresh_token not in shown
    with pytest.raises(ProviderError) as caught:
        google.adapter.exchange(code="4/0Asecret", verifier=VERIFIER, now=now())
    assert "4/0Asecret" not in str(caught.value)
