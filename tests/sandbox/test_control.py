"""The control interface and the panel."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.app import Sandbox
from tests.sandbox.driver import SCOPES, Clock, World

EMAIL = "sato@example.com"


def test_the_state_shows_accounts_with_calendars_events_and_meetings(world: World) -> None:
    event = {"title": "Lunch", "start": "2026-12-02T12:00:00+09:00", "end": "2026-12-02T13:00:00+09:00"}
    for service in ("google", "microsoft"):
        world.add(service, EMAIL, name="佐藤", calendars=[{"primary": True, "events": [event]}, {"name": "Team"}])
    world.connect("zoom", EMAIL)
    accounts = {account["service"]: account for account in world.control("GET", "state")["accounts"]}
    for service in ("google", "microsoft"):
        primary, team = accounts[service]["calendars"]
        assert primary["events"][0]["title"] == "Lunch" and team["name"] == "Team"
        assert primary["events"][0]["start"] == "2026-12-02T03:00:00Z"
        assert accounts[service]["grants"] == 0 and accounts[service]["name"] == "佐藤"
    assert accounts["zoom"]["grants"] == 1 and accounts["zoom"]["meetings"] == []


def test_adding_an_account_again_keeps_it(world: World) -> None:
    first = world.add("google", EMAIL)
    again = world.add("google", EMAIL.upper(), calendars=[{"name": "Team"}])
    assert again["id"] == first["id"] and len(again["calendars"]) == 2


@pytest.mark.parametrize("service", ["google", "microsoft"])
def test_seeded_events_and_calendars_can_be_taken_away(world: World, service: str) -> None:
    world.add(service, EMAIL)
    base = f"accounts/{service}/{EMAIL}/calendars"
    event = {"start": "2026-12-02T12:00:00Z", "end": "2026-12-02T13:00:00Z"}
    (made,) = world.control("POST", f"{base}/primary/events", **event)["ids"]
    world.control("DELETE", f"{base}/primary/events/{made}")
    assert world.http.request("DELETE", f"/control/api/{base}/primary/events/{made}").status_code == 404
    extra = world.control("POST", base, name="Team")["id"]
    world.control("DELETE", f"{base}/{extra}")
    assert len(world.control("GET", f"accounts/{service}/{EMAIL}")["calendars"]) == 1


@pytest.mark.parametrize("service", ["google", "microsoft"])
def test_seeded_events_can_be_moved_by_hand(world: World, service: str) -> None:
    world.add(service, EMAIL)
    base = f"accounts/{service}/{EMAIL}/calendars/primary/events"
    event = {"start": "2026-12-02T12:00:00Z", "end": "2026-12-02T13:00:00Z"}
    (made,) = world.control("POST", base, **event)["ids"]
    world.control("PATCH", f"{base}/{made}", start="2026-12-03T12:00:00Z", end="2026-12-03T13:00:00Z")
    (held,) = world.control("GET", f"accounts/{service}/{EMAIL}")["calendars"][0]["events"]
    assert (held["id"], held["start"]) == (made, "2026-12-03T12:00:00Z")
    backwards = world.http.patch(f"/control/api/{base}/{made}", json={**event, "end": event["start"]})
    assert backwards.status_code == 400
    world.control("DELETE", f"{base}/{made}")
    assert world.http.patch(f"/control/api/{base}/{made}", json=event).status_code == 404


def test_a_removed_account_is_gone_with_its_tokens(world: World) -> None:
    linked = world.connect("google", EMAIL)
    world.control("DELETE", f"accounts/google/{EMAIL}")
    assert linked.call("GET", "/calendar/v3/users/me/calendarList").status_code == 401
    assert linked.refresh().status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "accounts", {"service": "yahoo", "email": EMAIL}, 400),
        ("POST", "accounts", {"service": "google", "email": "nobody"}, 400),
        ("POST", "accounts", {"service": "google"}, 400),
        ("POST", "accounts/google/who@example.com/revoke", {}, 404),
        ("POST", f"accounts/google/{EMAIL}/fault", {"fault": "earthquake"}, 400),
        ("POST", f"accounts/google/{EMAIL}/dance", {}, 404),
        ("POST", f"accounts/google/{EMAIL}/calendars/none/events", {}, 404),
        ("POST", f"accounts/google/{EMAIL}/calendars/primary/events", {"start": "x"}, 400),
        ("POST", f"accounts/zoom/{EMAIL}/calendars", {"name": "x"}, 400),
        ("POST", "clock", {"offset_seconds": "soon"}, 400),
        ("GET", "nonsense", {}, 404),
    ],
)
def test_wrong_control_calls_say_what_is_wrong(
    world: World, method: str, path: str, body: dict[str, Any], status: int
) -> None:
    world.add("google", EMAIL)
    world.add("zoom", EMAIL)
    answer = world.http.request(method, f"/control/api/{path}", json=body)
    assert answer.status_code == status and answer.json()["message"]


def test_a_control_body_that_is_no_json_is_refused(world: World) -> None:
    assert world.http.post("/control/api/clock", content=b"{").status_code == 400


def test_a_page_of_another_site_may_not_change_anything(world: World) -> None:
    world.add("google", EMAIL)
    foreign = {"Origin": "https://evil.example"}
    assert world.http.post("/control/api/reset", headers=foreign).status_code == 403
    form = {"service": "google", "email": EMAIL, "fault": "outage"}
    assert world.http.post("/panel/fault", data=form, headers=foreign).status_code == 403
    own = {"Origin": "http://localhost:8765"}
    assert world.http.post("/panel/fault", data=form, headers=own).status_code == 303


def test_the_clock_moves_by_an_offset(world: World) -> None:
    linked = world.connect("google", EMAIL)
    assert world.control("POST", "clock", offset_seconds=3600)["now"].startswith("2026-12-01T01:00")
    assert linked.call("GET", "/calendar/v3/users/me/calendarList").status_code == 401
    assert world.control("POST", "clock", advance_seconds=60)["offset_seconds"] == 3660


def test_the_log_names_operation_account_and_status_but_no_secret(world: World) -> None:
    linked = world.connect("google", EMAIL)
    linked.call("GET", "/calendar/v3/users/me/calendarList")
    linked.refresh()
    log = world.control("GET", "requests")["requests"]
    assert [(line["operation"], line["account"], line["status"]) for line in log[-2:]] == [
        ("calendarList.list", EMAIL, 200),
        ("token", EMAIL, 200),
    ]
    text = json.dumps(log) + world.http.get("/control/api/state").text
    assert linked.tokens["access_token"] not in text and linked.tokens["refresh_token"] not in text
    assert "sandbox-secret" not in text
    world.control("DELETE", "requests")
    assert world.control("GET", "requests")["requests"] == []


def test_a_reset_forgets_everything(world: World) -> None:
    linked = world.connect("zoom", EMAIL)
    world.control("POST", "reset")
    assert world.control("GET", "state")["accounts"] == []
    assert linked.call("GET", "/v2/users/me").status_code == 401


def test_the_state_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.json"
    world = World()
    world.sandbox.state_path = path
    for service in SCOPES:
        world.connect(service, EMAIL).fault("outage", seconds=5)
    world.control("POST", f"accounts/google/{EMAIL}/calendars/primary/events", start="2026-12-02", end="2026-12-03")
    world.sandbox.save()
    again = Sandbox(path, clock=Clock())
    assert again.state == world.sandbox.state
    assert path.stat().st_mode & 0o077 == 0


def test_the_panel_shows_every_account_and_its_buttons_work(world: World) -> None:
    for service in SCOPES:
        world.connect(service, EMAIL)
    world.add("google", "<b>@example.com", name="<script>")
    page = world.http.get("/").text
    assert page.count(f"<small>{EMAIL}</small>") == 3
    assert "<script>" not in page and "<b>@" not in page
    answer = world.http.post("/panel/fault", data={"service": "zoom", "email": EMAIL, "fault": "revoked"})
    assert answer.status_code == 303 and answer.headers["location"] == f"/#zoom-{EMAIL}"
    assert world.control("GET", f"accounts/zoom/{EMAIL}")["fault"] == "revoked"


def test_an_unknown_page_is_not_found(world: World) -> None:
    assert world.http.get("/nothing/here").status_code == 404
