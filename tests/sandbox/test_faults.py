"""Faults on demand: every mode and act at every service, and raw answers."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox import faults
from tests.sandbox.driver import Linked, NoAnswer, World

EMAIL = "sato@example.com"
SERVICES = ["google", "microsoft", "zoom"]
ALL = pytest.mark.parametrize("service", SERVICES)
READ = {
    "google": "/calendar/v3/users/me/calendarList",
    "microsoft": "/v1.0/me/calendars",
    "zoom": "/v2/users/me/meetings",
}
WRITE: dict[str, tuple[str, dict[str, Any]]] = {
    "google": (
        "/calendar/v3/calendars/primary/events",
        {"start": {"dateTime": "2026-12-02T10:00:00Z"}, "end": {"dateTime": "2026-12-02T11:00:00Z"}},
    ),
    "microsoft": (
        "/v1.0/me/events",
        {
            "start": {"dateTime": "2026-12-02T10:00:00", "timeZone": "UTC"},
            "end": {"dateTime": "2026-12-02T11:00:00", "timeZone": "UTC"},
        },
    ),
    "zoom": ("/v2/users/me/meetings", {"topic": "x", "start_time": "2026-12-02T10:00:00Z"}),
}


def read(linked: Linked) -> Any:
    return linked.call("GET", READ[linked.service])


def write(linked: Linked) -> Any:
    path, body = WRITE[linked.service]
    return linked.call("POST", path, json=body)


def things(linked: Linked) -> int:
    """How many events and meetings the account holds."""
    shown = linked.world.http.get(f"/control/api/accounts/{linked.service}/{EMAIL}").json()
    return len(shown["meetings"]) + sum(len(calendar["events"]) for calendar in shown["calendars"])


def standing(linked: Linked) -> str:
    name: str = linked.world.http.get(f"/control/api/accounts/{linked.service}/{EMAIL}").json()["fault"]
    return name


@ALL
def test_a_revocation_kills_the_tokens_and_only_a_new_consent_repairs_it(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    world.control("POST", f"accounts/{service}/{EMAIL}/revoke")
    assert read(linked).status_code == 401
    refused = linked.refresh()
    assert refused.status_code == 400 and refused.json()["error"] == "invalid_grant"
    world.control("POST", f"accounts/{service}/{EMAIL}/repair")
    assert linked.refresh().status_code == 400 and standing(linked) == "revoked"
    anew = world.connect(service, EMAIL)
    assert read(anew).status_code == 200 and standing(anew) == "ok"


@ALL
@pytest.mark.parametrize("act", ["expired", "password_changed", "mfa_required", "consent_missing"])
def test_other_ends_of_a_grant_can_be_taken_back(world: World, service: str, act: str) -> None:
    linked = world.connect(service, EMAIL)
    linked.fault(act)
    assert read(linked).status_code == 401 and linked.refresh().status_code == 400
    linked.fault("ok")
    assert read(linked).status_code == 200 and linked.refresh().status_code == 200


@ALL
def test_an_expired_access_token_is_cured_by_a_refresh(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    linked.fault("expired_access")
    assert read(linked).status_code == 401
    linked.refresh()
    assert read(linked).status_code == 200


@ALL
def test_missing_scopes_come_back_by_repair_or_a_new_consent(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    linked.fault("scope_missing")
    assert read(linked).status_code in (400, 403)
    linked.fault("ok")
    assert read(linked).status_code == 200
    linked.fault("scope_missing")
    assert read(world.connect(service, EMAIL)).status_code == 200


@ALL
def test_an_outage_hits_calls_and_token_endpoint_until_repaired(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    linked.fault("outage")
    assert read(linked).status_code == 503 and linked.refresh().status_code == 503
    linked.fault("ok")
    assert read(linked).status_code == 200 and linked.refresh().status_code == 200


@ALL
def test_a_mode_may_end_by_itself(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    linked.fault("outage", seconds=60)
    world.clock.pass_by(seconds=59)
    assert read(linked).status_code == 503
    world.clock.pass_by(seconds=1)
    assert read(linked).status_code == 200


@ALL
def test_a_mode_may_be_for_one_operation(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    linked.fault("outage", operation="token")
    assert read(linked).status_code == 200 and linked.refresh().status_code == 503


@ALL
def test_accounts_do_not_share_faults(world: World, service: str) -> None:
    linked, other = world.connect(service, EMAIL), world.connect(service, "b@example.com")
    linked.fault("outage")
    assert read(other).status_code == 200


@ALL
def test_no_answer_comes_in_time(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    linked.fault("timeout")
    with pytest.raises(NoAnswer):
        write(linked)
    linked.fault("ok")
    assert things(linked) == 0


@ALL
def test_a_lost_answer_leaves_the_thing_done(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    linked.fault("lost_answer")
    with pytest.raises(NoAnswer):
        write(linked)
    assert things(linked) == 1


@ALL
def test_html_comes_where_json_was_due_and_nothing_is_done(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    linked.fault("html_body")
    answer = write(linked)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html")
    assert things(linked) == 0


@ALL
def test_a_cut_off_answer_is_unreadable_though_the_thing_is_done(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    linked.fault("truncated_json")
    with pytest.raises(ValueError, match=r".+"):
        write(linked).json()
    assert things(linked) == 1


@ALL
def test_latency_delays_an_answer(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    world.control("POST", f"accounts/{service}/{EMAIL}/latency", seconds=2.5)
    assert read(linked).status_code == 200 and world.slept == [2.5]


@ALL
@pytest.mark.parametrize("mode", ["disabled", "account_gone", "admin_blocked"])
def test_a_closed_account_is_refused_everywhere_and_cannot_consent(world: World, service: str, mode: str) -> None:
    linked = world.connect(service, EMAIL)
    linked.fault(mode)
    assert read(linked).status_code in (401, 403, 404)
    assert linked.refresh().status_code == 400
    assert "error" in world.consent(service, EMAIL)


def test_rate_limits_look_like_each_service(world: World) -> None:
    answers = {}
    for service in SERVICES:
        linked = world.connect(service, EMAIL)
        linked.fault("rate_limited", retry_after=30)
        answers[service] = read(linked)
        assert linked.refresh().status_code == 200
    google, microsoft, zoom = (answers[service] for service in SERVICES)
    assert google.status_code == 403
    assert google.json()["error"]["errors"][0]["reason"] == "rateLimitExceeded"
    assert microsoft.status_code == 429 and microsoft.headers["Retry-After"] == "30"
    assert microsoft.json()["error"]["code"] == "ApplicationThrottled"
    assert zoom.status_code == 429 and "per-second rate limit" in zoom.json()["message"]
    assert datetime.fromisoformat(zoom.headers["Retry-After"]) == datetime(2026, 12, 1, 0, 0, 30, tzinfo=UTC)


def test_zoom_may_say_that_the_day_is_used_up(world: World) -> None:
    linked = world.connect("zoom", EMAIL)
    linked.fault("rate_limited", daily=True)
    assert "daily rate limit (100)" in read(linked).json()["message"]


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ("revoked", {"error_description": "Token has been expired or revoked."}),
        ("expired", {"error_description": "Bad Request"}),
        ("mfa_required", {"error_subtype": "invalid_rapt"}),
        ("account_gone", {"error_description": "The account has been deleted"}),
        ("disabled", {"error": "access_denied", "error_description": "Account restricted"}),
        ("admin_blocked", {"error": "admin_policy_enforced"}),
        ("app_secret_expired", {"error": "invalid_client"}),
    ],
)
def test_google_words_each_end_of_a_grant(world: World, act: str, expected: dict[str, str]) -> None:
    linked = world.connect("google", EMAIL)
    linked.fault(act)
    assert linked.refresh().json().items() >= expected.items()


@pytest.mark.parametrize(
    ("act", "code"),
    [
        ("revoked", 50173),
        ("expired", 700082),
        ("mfa_required", 50076),
        ("consent_missing", 65001),
        ("password_changed", 50133),
        ("account_gone", 50034),
        ("disabled", 50057),
        ("admin_blocked", 53003),
        ("app_secret_expired", 7000222),
    ],
)
def test_microsoft_numbers_each_end_of_a_grant(world: World, act: str, code: int) -> None:
    linked = world.connect("microsoft", EMAIL)
    linked.fault(act)
    body = linked.refresh().json()
    assert body["error_codes"] == [code] and body["error_description"].startswith(f"AADSTS{code}: ")
    assert "\r\nTrace ID: " in body["error_description"]


@pytest.mark.parametrize("code", [50053, 50196, 70043, 7000112, 7000215, 90055, 90033, 530032])
def test_microsoft_gives_any_code_that_is_asked_for(world: World, code: int) -> None:
    linked = world.connect("microsoft", EMAIL)
    linked.fault("code", code=code)
    assert linked.refresh().json()["error_codes"] == [code]


@pytest.mark.parametrize("code", [4700, 4702, 4711, 4717, 4732, 4735, 4738, 4741])
def test_zoom_gives_any_code_that_is_asked_for(world: World, code: int) -> None:
    linked = world.connect("zoom", EMAIL)
    linked.fault("code", code=code)
    assert linked.refresh().json()["code"] == code


def test_an_expired_secret_of_the_app_leaves_living_tokens_alone(world: World) -> None:
    linked = world.connect("microsoft", EMAIL)
    linked.fault("app_secret_expired")
    assert read(linked).status_code == 200 and linked.refresh().status_code == 401


def test_an_account_without_a_mailbox_says_so(world: World) -> None:
    google, microsoft = world.connect("google", EMAIL), world.connect("microsoft", EMAIL)
    google.fault("no_mailbox")
    microsoft.fault("no_mailbox")
    assert read(google).json()["error"]["errors"][0]["reason"] == "notACalendarUser"
    assert read(microsoft).json()["error"]["code"] == "MailboxNotEnabledForRESTAPI"


@ALL
def test_a_raw_answer_is_given_as_often_as_asked(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    raw = {"status": 418, "headers": {"Retry-After": "7"}, "body": {"tea": True}, "times": 2}
    world.control("POST", f"accounts/{service}/{EMAIL}/override", operation="api", **raw)
    for _ in range(2):
        answer = read(linked)
        assert answer.status_code == 418 and answer.json() == {"tea": True}
        assert answer.headers["Retry-After"] == "7"
    assert read(linked).status_code == 200


@ALL
def test_a_raw_answer_without_a_count_lasts_until_cleared(world: World, service: str) -> None:
    linked = world.connect(service, EMAIL)
    world.control("POST", "override", service=service, operation="token", status=500, body="")
    assert [linked.refresh().status_code for _ in range(3)] == [500] * 3
    assert read(linked).status_code == 200
    world.control("DELETE", "override")
    assert linked.refresh().status_code == 200


def test_a_raw_answer_may_be_for_one_named_operation(world: World) -> None:
    linked = world.connect("google", EMAIL)
    world.control("POST", f"accounts/google/{EMAIL}/override", operation="events.insert", status=500, body="", times=1)
    assert read(linked).status_code == 200
    assert write(linked).status_code == 500 and write(linked).status_code == 200


def test_every_fault_can_be_switched_on_and_off_at_every_service(world: World) -> None:
    for service in SERVICES:
        linked = world.connect(service, EMAIL)
        for name in [*faults.MODES, *faults.ACTS]:
            if name not in faults.FINAL:
                linked.fault(name)
                linked.fault("ok")
        linked.refresh()
        assert read(linked).status_code == 200, service
