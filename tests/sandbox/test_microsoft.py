"""Graph: calendar views, getSchedule, writing events, Teams."""

import threading
from typing import Any

import pytest

from tests.sandbox.driver import Linked, World
from tests.sandbox.test_google import at, seed

EMAIL = "sato@example.com"
ME = "/v1.0/me"
WINDOW = {"startDateTime": "2026-12-02T00:00:00Z", "endDateTime": "2026-12-03T00:00:00Z"}


@pytest.fixture
def linked(world: World) -> Linked:
    return world.connect("microsoft", EMAIL)


def draft(**changes: Any) -> dict[str, Any]:
    return {
        "subject": "Meeting",
        "start": {"dateTime": "2026-12-02T19:00:00", "timeZone": "Tokyo Standard Time"},
        "end": {"dateTime": "2026-12-02T20:00:00", "timeZone": "Asia/Tokyo"},
    } | changes


def view(linked: Linked, **query: str) -> list[dict[str, Any]]:
    answer = linked.call("GET", f"{ME}/calendarView", params=WINDOW | query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_an_event_is_written_read_changed_and_deleted(linked: Linked) -> None:
    answer = linked.call("POST", f"{ME}/events", json=draft())
    made = answer.json()
    assert answer.status_code == 201
    assert made["start"] == {"dateTime": "2026-12-02T10:00:00.0000000", "timeZone": "UTC"}
    path = f"{ME}/events/{made['id']}"
    assert linked.call("PATCH", path, json={"subject": "Moved"}).json()["subject"] == "Moved"
    assert linked.call("GET", path).json()["subject"] == "Moved"
    assert linked.call("DELETE", path).status_code == 204
    assert code(linked.call("GET", path)) == (404, "ErrorItemNotFound")
    assert code(linked.call("DELETE", path)) == (404, "ErrorItemNotFound")


def test_the_same_transaction_makes_one_event(linked: Linked) -> None:
    ids = {linked.call("POST", f"{ME}/events", json=draft(transactionId="booking-1")).json()["id"] for _ in range(2)}
    assert len(ids) == 1 and len(view(linked)) == 1
    change = linked.call("PATCH", f"{ME}/events/{ids.pop()}", json={"transactionId": "other"})
    assert change.status_code == 400


def test_the_preferred_zone_is_honoured(linked: Linked) -> None:
    seed(linked, at(10))
    prefer = {"Prefer": 'outlook.timezone="Tokyo Standard Time"'}
    item = linked.call("GET", f"{ME}/calendarView", params=WINDOW, headers=prefer).json()["value"][0]
    assert item["start"] == {"dateTime": "2026-12-02T19:00:00.0000000", "timeZone": "Tokyo Standard Time"}
    wrong = {"Prefer": 'outlook.timezone="Nowhere"'}
    assert linked.call("GET", f"{ME}/calendarView", params=WINDOW, headers=wrong).status_code == 400


def test_a_view_selects_pages_and_expands_series(linked: Linked) -> None:
    recurrence = {
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 3},
    }
    series = {"start": "2026-12-01T10:00:00+00:00", "end": "2026-12-01T11:00:00+00:00", "recurrence": recurrence}
    seed(linked, series, at(9), at(12))
    query = WINDOW | {"$select": "start,showAs", "$top": "2"}
    first = linked.call("GET", f"{ME}/calendarView", params=query).json()
    assert {name for item in first["value"] for name in item} == {"@odata.etag", "id", "start", "showAs"}
    second = linked.call("GET", first["@odata.nextLink"].partition("/microsoft")[2]).json()
    hours = [item["start"]["dateTime"][11:13] for item in first["value"] + second["value"]]
    assert hours == ["09", "10", "12"] and "@odata.nextLink" not in second


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"$select": "nonsense"}, "RequestBroker--ParseUri"),
        ({"$top": "0"}, "ErrorInvalidParameter"),
        ({"startDateTime": ""}, "ErrorInvalidParameter"),
        ({"endDateTime": "2036-12-02T00:00:00Z"}, "ErrorInvalidRequest"),
        ({"$filter": "subject eq 'x'"}, "ErrorInvalidUrlQueryFilter"),
    ],
)
def test_a_wrong_view_is_refused(linked: Linked, query: dict[str, str], expected: str) -> None:
    assert code(linked.call("GET", f"{ME}/calendarView", params=WINDOW | query)) == (400, expected)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": "x"}, "RequestBodyRead"),
        ({"id": "x"}, "RequestBodyRead"),
        ({"subject": 5}, "RequestBodyRead"),
        ({"showAs": "here"}, "RequestBodyRead"),
        ({"start": None}, "ErrorPropertyValidationFailure"),
        ({"end": {"dateTime": "2026-12-02T08:00:00", "timeZone": "UTC"}}, "ErrorPropertyValidationFailure"),
        ({"start": {"dateTime": "soon", "timeZone": "UTC"}}, "ErrorPropertyValidationFailure"),
        ({"start": {"dateTime": "2026-12-02T08:00:00", "timeZone": "Mars"}}, "TimeZoneNotSupportedException"),
        ({"isAllDay": True}, "ErrorPropertyValidationFailure"),
        ({"attendees": [{"emailAddress": {"address": "nobody"}}]}, "ErrorInvalidRecipients"),
    ],
)
def test_a_wrong_event_is_refused_and_not_stored(linked: Linked, changes: dict[str, Any], expected: str) -> None:
    assert code(linked.call("POST", f"{ME}/events", json=draft(**changes))) == (400, expected)
    assert view(linked) == []


def test_an_all_day_event_keeps_its_dates_in_any_zone(linked: Linked) -> None:
    day = {"dateTime": "2026-12-02T00:00:00", "timeZone": "Asia/Tokyo"}
    after = {"dateTime": "2026-12-03T00:00:00", "timeZone": "Asia/Tokyo"}
    linked.call("POST", f"{ME}/events", json=draft(isAllDay=True, start=day, end=after))
    assert view(linked)[0]["start"]["dateTime"] == "2026-12-02T00:00:00.0000000"


def test_own_extended_properties_are_found_again(linked: Linked) -> None:
    name = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Booking"
    linked.call("POST", f"{ME}/events", json=draft(singleValueExtendedProperties=[{"id": name, "value": "b1"}]))
    expand = {"$expand": f"singleValueExtendedProperties($filter=id eq '{name}')"}
    assert view(linked, **expand)[0]["singleValueExtendedProperties"][0]["value"] == "b1"
    assert "singleValueExtendedProperties" not in view(linked)[0]
    where = f"singleValueExtendedProperties/Any(ep: ep/id eq '{name}' and ep/value eq 'b1')"
    found = linked.call("GET", f"{ME}/events", params={"$filter": where}).json()["value"]
    assert len(found) == 1


def test_teams_on_an_event_gives_a_link_or_silently_none(linked: Linked) -> None:
    wanted = draft(isOnlineMeeting=True, onlineMeetingProvider="teamsForBusiness")
    made = linked.call("POST", f"{ME}/events", json=wanted).json()
    assert made["onlineMeeting"]["joinUrl"].startswith("https://teams.microsoft.com/l/meetup-join/")
    linked.fault("no_licence")
    answer = linked.call("POST", f"{ME}/events", json=wanted)
    silent = answer.json()
    assert answer.status_code == 201 and silent["onlineMeeting"] is None
    assert silent["isOnlineMeeting"] is False and silent["onlineMeetingProvider"] == "unknown"


def test_a_teams_meeting_of_its_own_needs_a_licence(linked: Linked) -> None:
    body = {"subject": "Talk", "startDateTime": "2026-12-02T10:00:00Z", "endDateTime": "2026-12-02T11:00:00Z"}
    answer = linked.call("POST", f"{ME}/onlineMeetings", json=body)
    assert answer.status_code == 201
    path = f"{ME}/onlineMeetings/{answer.json()['id']}"
    assert linked.call("PATCH", path, json={"subject": "Other"}).json()["subject"] == "Other"
    found = linked.call(
        "GET", f"{ME}/onlineMeetings", params={"$filter": f"JoinWebUrl eq '{answer.json()['joinWebUrl']}'"}
    )
    assert [item["id"] for item in found.json()["value"]] == [answer.json()["id"]]
    assert linked.call("DELETE", path).status_code == 204
    assert linked.call("GET", path).status_code == 404
    linked.fault("no_licence")
    assert code(linked.call("POST", f"{ME}/onlineMeetings", json=body)) == (403, "Forbidden")


def test_create_or_get_makes_one_meeting_for_one_external_id(linked: Linked) -> None:
    body = {"externalId": "b1", "subject": "Talk"}
    answers = [linked.call("POST", f"{ME}/onlineMeetings/createOrGet", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json()["id"] == answers[1].json()["id"]


def test_a_personal_account_has_neither_schedules_nor_teams(world: World) -> None:
    linked = world.connect("microsoft", "sato@outlook.com")
    assert linked.call("GET", f"{ME}/calendarView", params=WINDOW).status_code == 200
    assert linked.call("POST", f"{ME}/calendar/getSchedule", json={}).status_code == 400
    assert linked.call("POST", f"{ME}/onlineMeetings", json={}).status_code == 403


def schedule(linked: Linked, *addresses: str, **changes: Any) -> Any:
    body = {
        "schedules": list(addresses),
        "startTime": {"dateTime": "2026-12-02T09:00:00", "timeZone": "UTC"},
        "endTime": {"dateTime": "2026-12-02T12:00:00", "timeZone": "UTC"},
        "availabilityViewInterval": 60,
    }
    return linked.call("POST", f"{ME}/calendar/getSchedule", json=body | changes)


def test_schedules_show_colleagues_and_say_inside_a_200_what_failed(linked: Linked) -> None:
    linked.world.add("microsoft", "tanaka@example.com")
    seed(linked, at(9, show="tentative"), at(10), at(11, show="free"))
    mine, theirs, unknown = schedule(linked, EMAIL, "tanaka@example.com", "who@example.com").json()["value"]
    assert mine["availabilityView"] == "120" and len(mine["scheduleItems"]) == 2
    assert theirs["availabilityView"] == "000"
    assert unknown["error"]["responseCode"] == "5009"


def test_schedules_have_limits(linked: Linked) -> None:
    long = schedule(linked, EMAIL, endTime={"dateTime": "2027-03-01T00:00:00", "timeZone": "UTC"})
    assert code(long) == (400, "ErrorTimeIntervalTooBig")
    assert code(schedule(linked, *[EMAIL] * 21)) == (400, "ErrorMailboxDataArrayTooBig")


def test_a_delta_brings_changes_and_removals_until_its_state_is_lost(linked: Linked) -> None:
    (old,) = seed(linked, at(9))
    first = linked.call("GET", f"{ME}/calendarView/delta", params=WINDOW).json()
    assert [item["id"] for item in first["value"]] == [old]
    again = first["@odata.deltaLink"].partition("/microsoft")[2]
    linked.call("DELETE", f"{ME}/events/{old}")
    (new,) = seed(linked, at(10))
    changes = linked.call("GET", again).json()["value"]
    assert {item["id"]: "@removed" in item for item in changes} == {old: True, new: False}
    linked.fault("sync_expired")
    assert code(linked.call("GET", again)) == (410, "syncStateNotFound")


def test_an_unknown_calendar_is_not_found(linked: Linked) -> None:
    answer = linked.call("GET", f"{ME}/calendars/nothing/calendarView", params=WINDOW)
    assert code(answer) == (404, "ErrorItemNotFound")


def test_a_stale_etag_is_refused(linked: Linked) -> None:
    made = linked.call("POST", f"{ME}/events", json=draft()).json()
    path = f"{ME}/events/{made['id']}"
    linked.call("PATCH", path, json={"subject": "x"})
    assert linked.call("PATCH", path, json={}, headers={"If-Match": made["@odata.etag"]}).status_code == 412


def test_without_the_scope_access_is_denied(world: World) -> None:
    linked = world.connect("microsoft", EMAIL, scope="offline_access openid User.Read")
    assert code(linked.call("GET", f"{ME}/calendars")) == (403, "ErrorAccessDenied")


def test_more_than_four_calls_at_once_to_one_mailbox_are_throttled(world: World) -> None:
    linked = world.connect("microsoft", EMAIL)
    world.control("POST", f"accounts/microsoft/{EMAIL}/latency", seconds=1)
    inside, release = threading.Semaphore(0), threading.Event()

    def wait(seconds: float) -> None:
        inside.release()
        release.wait(10)

    world.sandbox.sleep = wait
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(linked.call("GET", f"{ME}/calendars").status_code))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=10)
    fifth = linked.call("GET", f"{ME}/calendars")
    release.set()
    for thread in threads:
        thread.join()
    assert code(fifth) == (429, "ApplicationThrottled") and int(fifth.headers["Retry-After"]) > 0
    assert answers == [200] * 4
    assert linked.call("GET", f"{ME}/calendars").status_code == 200


def test_a_batch_carries_a_status_for_each_part(linked: Linked) -> None:
    parts = [
        {"id": "1", "method": "GET", "url": "/me/calendars"},
        {"id": "2", "method": "GET", "url": "/me/events/nothing"},
        {"id": "3", "method": "POST", "url": "/me/events", "body": draft(), "headers": {}},
    ]
    answer = linked.call("POST", "/v1.0/$batch", json={"requests": parts})
    assert answer.status_code == 200
    assert {part["id"]: part["status"] for part in answer.json()["responses"]} == {"1": 200, "2": 404, "3": 201}


def test_cancelling_takes_the_event_away_for_its_organizer_alone(linked: Linked) -> None:
    made = linked.call("POST", f"{ME}/events", json=draft()).json()["id"]
    (invited,) = seed(linked, at(12, response="accepted"))
    assert linked.call("POST", f"{ME}/events/{made}/cancel", json={"comment": "x"}).status_code == 202
    assert code(linked.call("POST", f"{ME}/events/{invited}/cancel", json={})) == (400, "ErrorInvalidRequest")
    assert [event["id"] for event in view(linked)] == [invited]


def test_a_calendar_that_may_only_be_read_refuses_events(linked: Linked) -> None:
    path = f"accounts/microsoft/{EMAIL}/calendars"
    calendar = linked.world.control("POST", path, name="Team", writable=False)["id"]
    answer = linked.call("POST", f"{ME}/calendars/{calendar}/events", json=draft())
    assert code(answer) == (403, "ErrorAccessDenied")
    listed = linked.call("GET", f"{ME}/calendars", params={"$select": "name,canEdit"}).json()["value"]
    assert [(item["name"], item["canEdit"]) for item in listed] == [("Calendar", True), ("Team", False)]


def test_a_calendar_error_hits_that_calendar_alone(linked: Linked) -> None:
    team = linked.world.control("POST", f"accounts/microsoft/{EMAIL}/calendars", name="Team")["id"]
    linked.fault("calendar_error", calendar_id=team)
    broken = linked.call("GET", f"{ME}/calendars/{team}/calendarView", params=WINDOW)
    assert broken.status_code == 500 and view(linked) == []
    linked.fault("calendar_error", calendar_id=team, reason="notFound")
    assert linked.call("GET", f"{ME}/calendars/{team}/calendarView", params=WINDOW).status_code == 404
    linked.fault("calendar_error", calendar_id=EMAIL)
    assert schedule(linked, EMAIL).json()["value"][0]["error"]["responseCode"] == "5001"


def test_the_profile_and_one_calendar_can_be_read(linked: Linked) -> None:
    assert linked.call("GET", ME, params={"$select": "mail"}).json()["mail"] == EMAIL
    default = linked.call("GET", f"{ME}/calendar").json()
    assert default["isDefaultCalendar"] and default["allowedOnlineMeetingProviders"] == ["teamsForBusiness"]


def test_rooms_are_listed_and_readable_by_address(world: World) -> None:
    room = {"id": "room@example.com", "name": "Room", "room": True, "events": [at(10)]}
    world.add("microsoft", EMAIL, calendars=[room])
    linked = world.connect("microsoft", EMAIL, scope="openid Calendars.Read Place.Read.All")
    found = linked.call("GET", "/v1.0/places/microsoft.graph.room").json()["value"]
    assert [item["emailAddress"] for item in found] == ["room@example.com"]
    assert schedule(linked, "room@example.com").json()["value"][0]["availabilityView"] == "020"


def test_a_weekly_series_ends_on_its_last_day(linked: Linked) -> None:
    recurrence = {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["wednesday"]},
        "range": {"type": "endDate", "startDate": "2026-12-02", "endDate": "2026-12-16"},
    }
    linked.call("POST", f"{ME}/events", json=draft(recurrence=recurrence))
    days = [item["start"]["dateTime"][:10] for item in view(linked, endDateTime="2027-02-01T00:00:00Z")]
    assert days == ["2026-12-02", "2026-12-09", "2026-12-16"]
    occurrence = view(linked)[0]
    assert linked.call("GET", f"{ME}/events/{occurrence['id']}").json()["type"] == "occurrence"
    monthly = {**recurrence, "pattern": {"type": "absoluteMonthly"}}
    assert linked.call("POST", f"{ME}/events", json=draft(recurrence=monthly)).status_code == 400


@pytest.mark.parametrize(
    "body",
    [{"topic": "x"}, {"joinWebUrl": "x"}, {"startDateTime": "soon"}, {"startDateTime": "2026-12-02T10:00:00"}],
)
def test_a_wrong_teams_meeting_is_refused(linked: Linked, body: dict[str, str]) -> None:
    assert code(linked.call("POST", f"{ME}/onlineMeetings", json=body)) == (400, "RequestBodyRead")


def test_a_body_that_is_no_json_is_refused(linked: Linked) -> None:
    assert linked.call("POST", f"{ME}/events", content=b"{").status_code == 400


WEEKLY = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["wednesday"]},
    "range": {"type": "numbered", "numberOfOccurrences": 2},
}


def test_a_delta_tells_a_series_by_its_master_and_bare_times(linked: Linked) -> None:
    (master,) = seed(linked, at(9, recurrence=WEEKLY))
    told = linked.call("GET", f"{ME}/calendarView/delta", params=WINDOW).json()["value"]
    assert [item["type"] for item in told] == ["seriesMaster", *["occurrence"] * (len(told) - 1)]
    assert told[0]["showAs"] == "busy"
    for item in told[1:]:
        assert set(item) == {"@odata.etag", "id", "seriesMasterId", "type", "start", "end"}
        assert item["seriesMasterId"] == master


def test_a_delta_comes_in_pages_of_the_preferred_size(linked: Linked) -> None:
    seed(linked, at(9), at(10), at(11))
    prefer = {"Prefer": "odata.maxpagesize=2"}
    first = linked.call("GET", f"{ME}/calendarView/delta", params=WINDOW, headers=prefer).json()
    assert len(first["value"]) == 2 and "@odata.deltaLink" not in first
    following = first["@odata.nextLink"].partition("/microsoft")[2]
    last = linked.call("GET", following, headers=prefer).json()
    assert len(last["value"]) == 1 and "$deltatoken" in last["@odata.deltaLink"].replace("%24", "$")


def test_a_delta_calls_an_event_removed_that_left_the_window(linked: Linked) -> None:
    (event,) = seed(linked, at(9))
    again = linked.call("GET", f"{ME}/calendarView/delta", params=WINDOW).json()["@odata.deltaLink"]
    away = {"start": "2028-01-02T09:00:00Z", "end": "2028-01-02T10:00:00Z"}
    linked.world.control("PATCH", f"accounts/microsoft/{EMAIL}/calendars/primary/events/{event}", **away)
    (told,) = linked.call("GET", again.partition("/microsoft")[2]).json()["value"]
    assert (told["id"], "@removed" in told) == (event, True)


@pytest.mark.parametrize("name", ["$select", "$filter", "$expand", "$orderby", "$search"])
def test_a_delta_takes_no_query_options(linked: Linked, name: str) -> None:
    answer = linked.call("GET", f"{ME}/calendarView/delta", params={**WINDOW, name: "id"})
    assert code(answer) == (400, "ErrorInvalidUrlQuery")
