"""Google's calendar calls: busy times, lists, sync, writing, Meet."""

from typing import Any

import pytest

from tests.sandbox.driver import GOOGLE, Linked, World

EMAIL = "sato@example.com"
EVENTS = "/calendar/v3/calendars/primary/events"
DAY = {"timeMin": "2026-12-02T00:00:00Z", "timeMax": "2026-12-03T00:00:00Z"}


@pytest.fixture
def linked(world: World) -> Linked:
    world.add("google", EMAIL, calendars=[{"id": "team@group", "name": "Team", "writable": False}])
    return world.connect("google", EMAIL)


def draft(**changes: Any) -> dict[str, Any]:
    return {
        "summary": "Meeting",
        "start": {"dateTime": "2026-12-02T10:00:00Z"},
        "end": {"dateTime": "2026-12-02T11:00:00Z"},
    } | changes


def seed(linked: Linked, *events: dict[str, Any], calendar: str = "primary") -> list[str]:
    path = f"accounts/{linked.service}/{linked.email}/calendars/{calendar}/events"
    ids: list[str] = linked.world.control("POST", path, events=list(events))["ids"]
    return ids


def at(hour: int, **more: Any) -> dict[str, Any]:
    return {"start": f"2026-12-02T{hour:02}:00:00Z", "end": f"2026-12-02T{hour + 1:02}:00:00Z"} | more


def busy(linked: Linked, **changes: Any) -> list[dict[str, str]]:
    body = DAY | {"items": [{"id": "primary"}]} | changes
    answer = linked.call("POST", "/calendar/v3/freeBusy", json=body)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, str]] = answer.json()["calendars"]["primary"]["busy"]
    return found


def reason(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["errors"][0]["reason"]


def test_overlapping_busy_times_are_merged_and_cut_to_the_window(linked: Linked) -> None:
    seed(
        linked,
        at(9),
        at(9, end="2026-12-02T10:30:00Z"),
        {"start": "2026-12-01T20:00:00Z", "end": "2026-12-02T01:00:00Z"},
    )
    assert busy(linked) == [
        {"start": "2026-12-02T00:00:00Z", "end": "2026-12-02T01:00:00Z"},
        {"start": "2026-12-02T09:00:00Z", "end": "2026-12-02T10:30:00Z"},
    ]


@pytest.mark.parametrize(
    "kind", [{"show": "free"}, {"response": "declined"}, {"type": "workingLocation"}, {"status": "cancelled"}]
)
def test_what_takes_no_time_is_not_busy(linked: Linked, kind: dict[str, str]) -> None:
    seed(linked, at(9, **kind))
    assert busy(linked) == []


def test_an_all_day_event_is_a_day_of_the_calendars_zone(linked: Linked) -> None:
    seed(linked, {"start": "2026-12-02", "end": "2026-12-03"})
    assert busy(linked, timeZone="Asia/Tokyo")[0]["end"] == "2026-12-03T00:00:00+09:00"


def test_a_weekly_series_is_busy_each_week_at_the_same_wall_clock_time(linked: Linked) -> None:
    rule = ["RRULE:FREQ=WEEKLY;COUNT=3;BYDAY=TU"]
    seed(linked, {"start": "2026-12-01T10:00:00+09:00", "end": "2026-12-01T11:00:00+09:00", "recurrence": rule})
    found = busy(linked, timeMin="2026-11-01T00:00:00Z", timeMax="2027-01-15T00:00:00Z")
    assert [item["start"][:10] for item in found] == ["2026-12-01", "2026-12-08", "2026-12-15"]


def test_an_unknown_calendar_is_an_error_inside_a_good_answer(linked: Linked) -> None:
    answer = linked.call("POST", "/calendar/v3/freeBusy", json=DAY | {"items": [{"id": "gone@group"}]})
    assert answer.status_code == 200
    assert answer.json()["calendars"]["gone@group"]["errors"] == [{"domain": "global", "reason": "notFound"}]


def test_a_calendar_error_hits_that_calendar_alone(linked: Linked) -> None:
    linked.fault("calendar_error", calendar_id="team@group", reason="internalError")
    body = DAY | {"items": [{"id": "team@group"}, {"id": EMAIL}]}
    calendars = linked.call("POST", "/calendar/v3/freeBusy", json=body).json()["calendars"]
    assert calendars["team@group"]["errors"][0]["reason"] == "internalError" and "errors" not in calendars[EMAIL]
    assert linked.call("GET", "/calendar/v3/calendars/team@group/events").status_code == 500
    assert linked.call("GET", EVENTS).status_code == 200


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"timeMax": DAY["timeMin"], "timeMin": DAY["timeMax"]}, "timeRangeEmpty"),
        ({"timeMin": "2026-01-01T00:00:00Z"}, "timeRangeTooLong"),
        ({"timeMin": "2026-12-02"}, "badRequest"),
        ({"timeMin": None}, "required"),
        ({"unknown": 1}, "badRequest"),
        ({"items": "primary"}, "badRequest"),
    ],
)
def test_a_wrong_question_for_busy_times_is_refused(linked: Linked, body: dict[str, Any], expected: str) -> None:
    answer = linked.call("POST", "/calendar/v3/freeBusy", json=DAY | {"items": []} | body)
    assert reason(answer) == (400, expected)


def test_busy_times_need_their_own_scope(world: World) -> None:
    linked = world.connect("google", EMAIL, scope=f"openid {GOOGLE}calendar.events")
    assert linked.call("POST", "/calendar/v3/freeBusy", json=DAY).status_code == 403


def test_an_event_is_written_read_patched_and_deleted(linked: Linked) -> None:
    made = linked.call("POST", EVENTS, json=draft(id="abcde12345")).json()
    assert made["start"]["dateTime"] == "2026-12-02T19:00:00+09:00"
    path = f"{EVENTS}/abcde12345"
    changed = linked.call("PATCH", path, json={"summary": "Moved"}).json()
    assert changed["summary"] == "Moved" and changed["etag"] != made["etag"]
    assert linked.call("GET", path).json() == changed
    assert linked.call("DELETE", path).status_code == 204
    assert linked.call("GET", path).json()["status"] == "cancelled"
    assert reason(linked.call("DELETE", path)) == (410, "deleted")
    assert busy(linked) == []


def test_an_id_stays_taken_even_after_the_event_was_deleted(linked: Linked) -> None:
    linked.call("POST", EVENTS, json=draft(id="abcde12345"))
    assert reason(linked.call("POST", EVENTS, json=draft(id="abcde12345"))) == (409, "duplicate")
    linked.call("DELETE", f"{EVENTS}/abcde12345")
    assert reason(linked.call("POST", EVENTS, json=draft(id="abcde12345"))) == (409, "duplicate")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id": "UPPER"}, "invalid"),
        ({"id": "wxyz1"}, "invalid"),
        ({"end": None}, "required"),
        ({"end": {"dateTime": "2026-12-02T09:00:00Z"}}, "timeRangeEmpty"),
        ({"start": {"dateTime": "2026-12-02T09:00:00"}}, "required"),
        ({"start": {"date": "2026-12-02"}}, "invalid"),
        ({"start": {"dateTime": "soon", "timeZone": "UTC"}}, "badRequest"),
        ({"title": "no such field"}, "badRequest"),
        ({"summary": 5}, "badRequest"),
        ({"transparency": "glass"}, "invalid"),
        ({"attendees": [{"email": "nobody"}]}, "invalid"),
    ],
)
def test_a_wrong_event_is_refused_and_not_stored(linked: Linked, changes: dict[str, Any], expected: str) -> None:
    answer = linked.call("POST", EVENTS, json=draft(**changes))
    assert reason(answer) == (400, expected)
    assert linked.call("GET", EVENTS).json()["items"] == []


def test_a_refused_patch_leaves_the_event_as_it_was(linked: Linked) -> None:
    made = linked.call("POST", EVENTS, json=draft()).json()
    patch = {"summary": "No", "end": {"dateTime": "2026-12-02T09:00:00Z"}}
    assert linked.call("PATCH", f"{EVENTS}/{made['id']}", json=patch).status_code == 400
    assert linked.call("GET", f"{EVENTS}/{made['id']}").json() == made


def test_an_update_takes_away_what_it_does_not_name(linked: Linked) -> None:
    made = linked.call("POST", EVENTS, json=draft(location="Room")).json()
    answer = linked.call("PUT", f"{EVENTS}/{made['id']}", json=draft())
    assert answer.status_code == 200 and "location" not in answer.json()


def test_a_patch_merges_extended_properties(linked: Linked) -> None:
    first = {"private": {"a": "1", "b": "2"}}
    made = linked.call("POST", EVENTS, json=draft(extendedProperties=first)).json()
    patch = {"extendedProperties": {"private": {"b": None, "c": "3"}}}
    changed = linked.call("PATCH", f"{EVENTS}/{made['id']}", json=patch).json()
    assert changed["extendedProperties"] == {"private": {"a": "1", "c": "3"}}
    found = linked.call("GET", EVENTS, params={"privateExtendedProperty": "c=3"}).json()["items"]
    assert [event["id"] for event in found] == [made["id"]]


def test_a_stale_etag_is_a_failed_precondition(linked: Linked) -> None:
    made = linked.call("POST", EVENTS, json=draft()).json()
    path = f"{EVENTS}/{made['id']}"
    linked.call("PATCH", path, json={"summary": "Changed elsewhere"})
    stale = {"If-Match": made["etag"]}
    assert reason(linked.call("PATCH", path, json={"summary": "x"}, headers=stale)) == (412, "conditionNotMet")
    assert reason(linked.call("DELETE", path, headers=stale)) == (412, "conditionNotMet")


def test_a_read_only_calendar_refuses_events(linked: Linked) -> None:
    answer = linked.call("POST", "/calendar/v3/calendars/team@group/events", json=draft())
    assert reason(answer) == (403, "requiredAccessLevel")


def test_a_meet_link_is_pending_first_and_there_at_the_next_look(linked: Linked) -> None:
    request = {"createRequest": {"requestId": "k", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    version = {"conferenceDataVersion": "1"}
    made = linked.call("POST", EVENTS, json=draft(conferenceData=request), params=version).json()
    assert made["conferenceData"]["createRequest"]["status"]["statusCode"] == "pending"
    assert "hangoutLink" not in made
    ready = linked.call("GET", f"{EVENTS}/{made['id']}").json()
    assert ready["conferenceData"]["createRequest"]["status"]["statusCode"] == "success"
    assert ready["conferenceData"]["entryPoints"][0]["uri"] == ready["hangoutLink"]
    same = linked.call("PATCH", f"{EVENTS}/{made['id']}", json={"conferenceData": request}, params=version)
    assert same.json()["hangoutLink"] == ready["hangoutLink"]


def test_without_the_version_parameter_conference_data_is_ignored(linked: Linked) -> None:
    request = {"createRequest": {"requestId": "k", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    assert "conferenceData" not in linked.call("POST", EVENTS, json=draft(conferenceData=request)).json()


def test_meet_can_be_forbidden_or_fail(linked: Linked) -> None:
    request = {"createRequest": {"requestId": "k", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    version = {"conferenceDataVersion": "1"}
    linked.fault("no_licence")
    listed = linked.call("GET", "/calendar/v3/users/me/calendarList/primary").json()
    assert listed["conferenceProperties"] == {"allowedConferenceSolutionTypes": []}
    answer = linked.call("POST", EVENTS, json=draft(conferenceData=request), params=version)
    assert answer.json()["error"]["message"] == "Invalid conference type value."
    linked.fault("meet_failed")
    made = linked.call("POST", EVENTS, json=draft(conferenceData=request), params=version).json()
    seen = linked.call("GET", f"{EVENTS}/{made['id']}").json()
    assert seen["conferenceData"]["createRequest"]["status"]["statusCode"] == "failure"


def test_lists_come_in_pages_in_order(linked: Linked) -> None:
    seed(linked, at(12, title="c"), at(9, title="a"), at(10, title="b"))
    query = {"singleEvents": "true", "orderBy": "startTime", "maxResults": "2"}
    first = linked.call("GET", EVENTS, params=query).json()
    second = linked.call("GET", EVENTS, params=query | {"pageToken": first["nextPageToken"]}).json()
    assert [event["summary"] for event in first["items"] + second["items"]] == ["a", "b", "c"]
    assert "nextPageToken" not in second and "nextSyncToken" not in first


def test_a_list_in_a_window_expands_series_and_shows_the_wanted_zone(linked: Linked) -> None:
    seed(linked, at(9, recurrence=["RRULE:FREQ=DAILY;COUNT=5"]))
    window = {"timeMin": "2026-12-03T00:00:00Z", "timeMax": "2026-12-05T00:00:00Z"}
    query = window | {"singleEvents": "true", "timeZone": "UTC"}
    items = linked.call("GET", EVENTS, params=query).json()["items"]
    assert [item["start"]["dateTime"] for item in items] == ["2026-12-03T09:00:00Z", "2026-12-04T09:00:00Z"]
    assert all(item["recurringEventId"] and "recurrence" not in item for item in items)
    masters = linked.call("GET", EVENTS, params=window).json()["items"]
    assert len(masters) == 1 and masters[0]["recurrence"]


def test_a_sync_token_brings_only_what_changed_and_deletions(linked: Linked) -> None:
    kept, gone = seed(linked, at(9), at(10))
    token = linked.call("GET", EVENTS).json()["nextSyncToken"]
    assert linked.call("GET", EVENTS, params={"syncToken": token}).json()["items"] == []
    linked.world.control("DELETE", f"accounts/google/{EMAIL}/calendars/primary/events/{gone}")
    (new,) = seed(linked, at(11))
    changes = linked.call("GET", EVENTS, params={"syncToken": token}).json()["items"]
    assert {event["id"]: event["status"] for event in changes} == {gone: "cancelled", new: "confirmed"}
    assert kept not in {event["id"] for event in changes}


def test_a_dead_sync_token_asks_for_a_full_sync(linked: Linked) -> None:
    token = linked.call("GET", EVENTS).json()["nextSyncToken"]
    linked.fault("sync_expired")
    assert reason(linked.call("GET", EVENTS, params={"syncToken": token})) == (410, "fullSyncRequired")
    assert reason(linked.call("GET", EVENTS, params={"syncToken": "junk"})) == (410, "fullSyncRequired")


@pytest.mark.parametrize(
    "query",
    [
        {"syncToken": "t", "timeMin": DAY["timeMin"]},
        {"orderBy": "startTime"},
        {"maxResults": "0"},
        {"pageToken": "junk"},
        {"timeMin": "2026-12-02"},
        {"timeZone": "Mars/Olympus"},
        {"eventTypes": "party"},
        {"singleEvent": "true"},
    ],
)
def test_a_wrong_list_question_is_refused(linked: Linked, query: dict[str, str]) -> None:
    assert linked.call("GET", EVENTS, params=query).status_code == 400


def test_a_room_accepts_when_free_and_declines_when_taken(linked: Linked) -> None:
    linked.world.control("POST", f"accounts/google/{EMAIL}/calendars", id="room@resource", name="Room", room=True)
    guest = [{"email": "room@resource", "resource": True}]
    answers = [
        linked.call("POST", EVENTS, json=draft(attendees=guest)).json()["attendees"][0]["responseStatus"]
        for _ in range(2)
    ]
    assert answers == ["accepted", "declined"]
    body = DAY | {"items": [{"id": "room@resource"}]}
    room = linked.call("POST", "/calendar/v3/freeBusy", json=body).json()["calendars"]["room@resource"]
    assert room["busy"] == [{"start": "2026-12-02T10:00:00Z", "end": "2026-12-02T11:00:00Z"}]


def test_a_body_that_is_no_json_is_a_parse_error(linked: Linked) -> None:
    assert reason(linked.call("POST", EVENTS, content=b"{")) == (400, "parseError")


def test_the_real_host_names_lead_to_the_same_service(linked: Linked) -> None:
    headers = {"Authorization": f"Bearer {linked.tokens['access_token']}"}
    answer = linked.world.http.get("https://www.googleapis.com/calendar/v3/users/me/calendarList", headers=headers)
    assert answer.json()["items"][0]["id"] == EMAIL


def test_administrators_list_the_rooms(world: World) -> None:
    scope = f"openid {GOOGLE}admin.directory.resource.calendar.readonly"
    world.add("google", EMAIL, calendars=[{"id": "room@resource", "name": "Room", "room": True}])
    linked = world.connect("google", EMAIL, scope=scope)
    path = "/admin/directory/v1/customer/my_customer/resources/calendars"
    assert [room["resourceEmail"] for room in linked.call("GET", path).json()["items"]] == ["room@resource"]


def test_calendars_are_filtered_by_access_and_paged(linked: Linked) -> None:
    path = "/calendar/v3/users/me/calendarList"
    owned = linked.call("GET", path, params={"minAccessRole": "writer"}).json()["items"]
    assert [calendar["id"] for calendar in owned] == [EMAIL]
    first = linked.call("GET", path, params={"maxResults": "1"}).json()
    second = linked.call("GET", path, params={"maxResults": "1", "pageToken": first["nextPageToken"]}).json()
    assert [item["id"] for item in first["items"] + second["items"]] == [EMAIL, "team@group"]
    assert linked.call("GET", path, params={"minAccessRole": "king"}).status_code == 400


def test_an_unchanged_event_need_not_be_sent_again(linked: Linked) -> None:
    made = linked.call("POST", EVENTS, json=draft()).json()
    answer = linked.call("GET", f"{EVENTS}/{made['id']}", headers={"If-None-Match": made["etag"]})
    assert answer.status_code == 304 and answer.content == b""


def test_lists_are_filtered_by_words_uid_and_time_of_change(linked: Linked) -> None:
    made = linked.call("POST", EVENTS, json=draft(summary="Haircut")).json()
    linked.world.clock.pass_by(minutes=1)
    linked.call("POST", EVENTS, json=draft())
    for query in ({"q": "hair"}, {"iCalUID": made["iCalUID"]}):
        assert [item["id"] for item in linked.call("GET", EVENTS, params=query).json()["items"]] == [made["id"]]
    since = {"updatedMin": "2026-12-01T00:00:30Z", "orderBy": "updated"}
    assert [item["summary"] for item in linked.call("GET", EVENTS, params=since).json()["items"]] == ["Meeting"]


def test_an_all_day_series_has_a_date_for_each_instance(linked: Linked) -> None:
    rule = ["RRULE:FREQ=WEEKLY;BYDAY=WE,TH;UNTIL=20261209"]
    seed(linked, {"start": "2026-12-02", "end": "2026-12-03", "recurrence": rule})
    items = linked.call("GET", EVENTS, params={"singleEvents": "true"}).json()["items"]
    assert [item["start"]["date"] for item in items] == ["2026-12-02", "2026-12-03", "2026-12-09"]


def test_a_repeated_event_keeps_its_hour_when_the_clocks_change(linked: Linked) -> None:
    zone = {"timeZone": "Europe/Berlin"}
    series = {
        "start": {"dateTime": "2027-03-27T09:00:00"} | zone,
        "end": {"dateTime": "2027-03-27T10:00:00"} | zone,
        "recurrence": ["RRULE:FREQ=DAILY;COUNT=2"],
    }
    linked.call("POST", EVENTS, json=series)
    found = busy(linked, timeMin="2027-03-27T00:00:00Z", timeMax="2027-03-29T00:00:00Z")
    assert [item["start"] for item in found] == ["2027-03-27T08:00:00Z", "2027-03-28T07:00:00Z"]


def test_a_sync_token_tells_of_changes_outside_the_first_window_too(linked: Linked) -> None:
    (near,) = seed(linked, at(9))
    window = {"timeMin": "2026-12-02T00:00:00Z", "timeMax": "2026-12-03T00:00:00Z", "singleEvents": "true"}
    token = linked.call("GET", EVENTS, params=window).json()["nextSyncToken"]
    away = {"start": "2027-01-02T09:00:00Z", "end": "2027-01-02T10:00:00Z"}
    linked.world.control("PATCH", f"accounts/google/{EMAIL}/calendars/primary/events/{near}", **away)
    seed(linked, at(12, recurrence=["RRULE:FREQ=WEEKLY"]))
    told = linked.call("GET", EVENTS, params={"syncToken": token, "singleEvents": "true"}).json()["items"]
    assert told[-1]["start"]["dateTime"] > "2030"
    assert {item["start"]["dateTime"][:10] for item in told if item["id"] == near} == {"2027-01-02"}


def test_a_room_has_an_address_of_its_own_kind(linked: Linked) -> None:
    room = linked.world.control("POST", f"accounts/google/{EMAIL}/calendars", name="Room", room=True)["id"]
    entry = linked.call("GET", f"/calendar/v3/users/me/calendarList/{room}").json()
    assert entry["id"].endswith("@resource.calendar.google.com")
    assert entry["accessRole"] == "freeBusyReader"
