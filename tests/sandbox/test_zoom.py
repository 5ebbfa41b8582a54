"""Zoom: meetings and their limits."""

from typing import Any

import pytest

from tests.sandbox.driver import Linked, World

EMAIL = "sato@example.com"
MEETINGS = "/v2/users/me/meetings"


@pytest.fixture
def linked(world: World) -> Linked:
    return world.connect("zoom", EMAIL)


def draft(**changes: Any) -> dict[str, Any]:
    return {
        "topic": "Talk",
        "type": 2,
        "start_time": "2026-12-02T10:00:00Z",
        "duration": 30,
        "timezone": "Asia/Tokyo",
    } | changes


def test_a_meeting_is_made_found_moved_and_deleted(linked: Linked) -> None:
    answer = linked.call("POST", MEETINGS, json=draft())
    made = answer.json()
    assert answer.status_code == 201 and made["join_url"] and made["password"] and made["start_url"]
    listed = linked.call("GET", MEETINGS, params={"type": "upcoming"}).json()["meetings"]
    assert [(item["topic"], item["start_time"], item["id"]) for item in listed] == [
        ("Talk", "2026-12-02T10:00:00Z", made["id"])
    ]
    path = f"/v2/meetings/{made['id']}"
    assert linked.call("PATCH", path, json={"start_time": "2026-12-03T10:00:00"}).status_code == 204
    assert linked.call("GET", path).json()["start_time"] == "2026-12-03T01:00:00Z"
    assert linked.call("DELETE", path).status_code == 204
    gone = linked.call("DELETE", path)
    assert gone.status_code == 404
    assert gone.json() == {"code": 3001, "message": f"Meeting does not exist: {made['id']}."}


def test_a_time_without_z_is_local_to_the_zone(linked: Linked) -> None:
    made = linked.call("POST", MEETINGS, json=draft(start_time="2026-12-02T19:00:00")).json()
    assert made["start_time"] == "2026-12-02T10:00:00Z"


@pytest.mark.parametrize(
    "changes",
    [{"topic": "x" * 201}, {"duration": "30"}, {"start_time": "soon"}, {"start_time": None}, {"type": 7}],
)
def test_a_wrong_meeting_is_refused_by_field(linked: Linked, changes: dict[str, Any]) -> None:
    answer = linked.call("POST", MEETINGS, json=draft(**changes))
    assert answer.status_code == 400 and answer.json()["code"] == 300
    assert answer.json()["errors"][0]["field"] == next(iter(changes))


def test_a_hundred_writes_a_day_then_wait_for_midnight_utc(linked: Linked) -> None:
    number = linked.call("POST", MEETINGS, json=draft()).json()["id"]
    for _ in range(99):
        assert linked.call("PATCH", f"/v2/meetings/{number}", json={"duration": 45}).status_code == 204
    answer = linked.call("POST", MEETINGS, json=draft())
    assert answer.status_code == 429 and "daily rate limit (100)" in answer.json()["message"]
    assert "Retry-After" not in answer.headers
    assert linked.call("DELETE", f"/v2/meetings/{number}").status_code == 204
    linked.world.clock.pass_by(days=1)
    linked.refresh()
    assert linked.call("POST", MEETINGS, json=draft()).status_code == 201


def test_past_meetings_are_not_upcoming_and_lists_have_pages(linked: Linked) -> None:
    for hour in (1, 2, 3):
        linked.call("POST", MEETINGS, json=draft(start_time=f"2026-12-02T0{hour}:00:00Z"))
    linked.call("POST", MEETINGS, json=draft(start_time="2026-11-02T10:00:00Z"))
    first = linked.call("GET", MEETINGS, params={"type": "upcoming", "page_size": 2}).json()
    token = first["next_page_token"]
    second = linked.call("GET", MEETINGS, params={"type": "upcoming", "page_size": 2, "next_page_token": token})
    assert first["total_records"] == 3 and len(first["meetings"]) == 2
    assert len(second.json()["meetings"]) == 1 and second.json()["next_page_token"] == ""


def test_a_missing_scope_is_named(linked: Linked) -> None:
    linked.fault("scope_missing", scopes=["meeting:write:meeting"])
    answer = linked.call("POST", MEETINGS, json=draft())
    assert answer.status_code == 400 and answer.json()["code"] == 4711
    assert "does not contain scopes:[" in answer.json()["message"]
    assert linked.call("GET", "/v2/users/me").status_code == 200
