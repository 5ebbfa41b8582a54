"""Outlook and Teams alone: time zones by Windows names, whole days, shared calendars, batches, rooms."""

from typing import Any

import pytest

from awase.domain.errors import Failure, FailureClass, FailureScope
from awase.providers.protocols import EventDraft, MeetingDraft
from tests.providers.scripted import Wire, failure_of, reply, session
from tests.providers.worlds import SandboxWorld, at

KEY = "0123456789abcdef0123456789abcdef"
ROOM = "room-1@minato.example"


def draft(day: int = 5, rooms: tuple[str, ...] = ()) -> EventDraft:
    return EventDraft(KEY, "Talk", at(day, 1), at(day, 2), "Asia/Tokyo", room_addresses=rooms)


def event(**more: Any) -> dict[str, Any]:
    start = {"dateTime": "2031-03-05T01:00:00.0000000", "timeZone": "UTC"}
    end = {"dateTime": "2031-03-05T02:00:00.0000000", "timeZone": "UTC"}
    return {"id": "e1", "showAs": "busy", "isAllDay": False, "start": start, "end": end, **more}


def edge(text: str, zone: str = "UTC") -> dict[str, str]:
    return {"dateTime": text, "timeZone": zone}


def read(*events: dict[str, Any]) -> Any:
    wire = Wire(reply(200, {"value": list(events)}))
    return session("microsoft", wire).busy(["c1"], at(1), at(20))["c1"]


def held(world: SandboxWorld) -> dict[str, Any]:
    (found,) = [each for each in world.account.primary.events.values() if not each.get("_gone")]
    return dict(found)


@pytest.mark.parametrize(
    ("zone", "hour"),
    [("Tokyo Standard Time", 1), ("Asia/Tokyo", 1), ("Eastern Standard Time", 15), ("W. Europe Standard Time", 9)],
)
def test_times_in_windows_and_iana_zones_are_understood(zone: str, hour: int) -> None:
    (found,) = read(event(start=edge("2031-03-05T10:00:00", zone), end=edge("2031-03-05T10:30:00", zone)))
    assert (found.start, found.end) == (at(5, hour), at(5, hour, 30))


def test_a_zone_that_nobody_knows_makes_the_calendar_unknown() -> None:
    wire = Wire(reply(200, {"value": [event(start=edge("2031-03-05T10:00:00", "Customized Time Zone"))]}))
    failure = failure_of(lambda: session("microsoft", wire).busy(["c1"], at(1), at(20)))
    assert failure is not None
    assert failure.kind is FailureClass.RETRY


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        ("Tokyo Standard Time", at(4, 15), at(5, 15)),
        ("Pacific Standard Time", at(5, 8), at(6, 8)),
        ("UTC", at(5), at(6)),
        ("tzone://Microsoft/Custom", at(4, 10), at(6, 12)),
    ],
)
def test_a_whole_day_is_a_day_where_it_was_made_and_the_widest_one_where_that_is_unknown(
    zone: str, first: Any, last: Any
) -> None:
    days = {"start": edge("2031-03-05T00:00:00"), "end": edge("2031-03-06T00:00:00")}
    (found,) = read(event(isAllDay=True, originalStartTimeZone=zone, **days))
    assert (found.start, found.end) == (first, last)


@pytest.mark.parametrize(
    ("shown", "counts"),
    [
        ("busy", True),
        ("oof", True),
        ("tentative", True),
        ("unknown", True),
        ("free", False),
        ("workingElsewhere", False),
    ],
)
def test_what_an_event_shows_decides_whether_it_counts(shown: str, counts: bool) -> None:
    found = read(event(showAs=shown))
    assert bool(found) is counts
    if counts:
        assert found[0].tentative is (shown == "tentative")


def test_an_answer_of_perhaps_is_marked() -> None:
    (found,) = read(event(responseStatus={"response": "tentativelyAccepted"}))
    assert found.tentative


def test_a_shared_calendar_that_refuses_is_not_the_accounts_fault(microsoft: SandboxWorld) -> None:
    shared = microsoft.add_calendar(name="Shared", writable=False)
    failure = failure_of(lambda: microsoft.session.put_event(shared, draft()))
    assert failure is not None
    assert (failure.symptom, failure.kind, failure.scope) == ("M20", FailureClass.BAD_REQUEST, FailureScope.CALENDAR)


def test_a_lost_scope_is_the_accounts_fault(microsoft: SandboxWorld) -> None:
    microsoft.fault("scope_missing")
    failure = failure_of(lambda: microsoft.session.busy([microsoft.calendar_id], at(1), at(2)))
    assert failure is not None
    assert (failure.symptom, failure.reason) == ("M19", "scope_missing")


def test_several_calendars_are_read_in_few_calls(microsoft: SandboxWorld) -> None:
    ids = [microsoft.calendar_id, *(microsoft.add_calendar(name=f"C{n}") for n in range(5))]
    for calendar_id in ids:
        microsoft.seed(calendar_id, start="2031-03-05T10:00:00Z", end="2031-03-05T11:00:00Z")
    microsoft.sandbox.requests.clear()
    found = microsoft.session.busy(ids, at(1), at(9))
    assert {calendar_id: len(events) for calendar_id, events in found.items()} == dict.fromkeys(ids, 1)
    assert microsoft.operations().count("batch") == 2


def test_a_part_that_fails_for_a_moment_is_read_again_by_itself(microsoft: SandboxWorld) -> None:
    other = microsoft.add_calendar(name="Other")
    microsoft.seed(other, start="2031-03-05T10:00:00Z", end="2031-03-05T11:00:00Z")
    microsoft.answer(502, "<html>Bad Gateway</html>", "calendarView.list", times=1)
    found = microsoft.session.busy([microsoft.calendar_id, other], at(1), at(9))
    assert (found[microsoft.calendar_id], len(found[other])) == ((), 1)


def test_a_token_that_runs_out_inside_a_batch_is_renewed(microsoft: SandboxWorld) -> None:
    other = microsoft.add_calendar(name="Other")
    body = {"error": {"code": "InvalidAuthenticationToken", "message": "expired"}}
    microsoft.answer(401, body, "calendarView.list", times=3)
    found = microsoft.session.busy([microsoft.calendar_id, other], at(1), at(9))
    assert found == {microsoft.calendar_id: (), other: ()}
    assert microsoft.keeper.refreshes == 1


def test_one_calendar_with_an_error_is_unknown_and_the_other_read(microsoft: SandboxWorld) -> None:
    other = microsoft.add_calendar(name="Other")
    microsoft.fault("calendar_error", "*", calendar_id=other)
    found = microsoft.session.busy([microsoft.calendar_id, other], at(1), at(9))
    assert found[microsoft.calendar_id] == ()
    assert isinstance(found[other], Failure)
    assert found[other].kind is FailureClass.RETRY


def test_a_repeat_that_graph_answers_with_the_old_event_is_brought_up_to_date(microsoft: SandboxWorld) -> None:
    microsoft.session.put_event(microsoft.calendar_id, draft())
    microsoft.session.put_event(microsoft.calendar_id, draft(day=6))
    assert held(microsoft)["start"]["dateTime"].startswith("2031-03-06T01:00")


def test_a_repeat_that_graph_refuses_finds_the_event_by_its_key() -> None:
    written = {**event(), "subject": "Talk"}
    wire = Wire(reply(409, {"error": {"code": "Conflict"}}), reply(200, {"value": [{"id": "e1"}]}), reply(200, written))
    assert session("microsoft", wire).put_event("c1", draft()).id == "e1"
    assert KEY in wire.requests[1].url.params["$filter"]
    assert wire.requests[-1].method == "PATCH"


def test_guests_are_never_on_the_event_and_rooms_are(microsoft: SandboxWorld) -> None:
    microsoft.session.put_event(microsoft.calendar_id, draft(rooms=(ROOM,)))
    (room,) = held(microsoft)["attendees"]
    assert (room["emailAddress"]["address"], room["type"]) == (ROOM, "resource")
    assert held(microsoft)["location"]["locationEmailAddress"] == ROOM


def test_a_guest_whom_the_host_added_stays_when_the_room_changes(microsoft: SandboxWorld) -> None:
    written = microsoft.session.put_event(microsoft.calendar_id, draft(rooms=(ROOM,)))
    guest = {"emailAddress": {"address": "taro@guest.example"}, "type": "required"}
    microsoft.account.primary.events[written.id]["attendees"].append(guest)
    microsoft.session.put_event(microsoft.calendar_id, draft(), written.id)
    assert [each["emailAddress"]["address"] for each in held(microsoft)["attendees"]] == ["taro@guest.example"]


def test_rooms_are_read_by_address(microsoft: SandboxWorld) -> None:
    microsoft.add_calendar(id=ROOM, name="Room 1", room=True)
    microsoft.seed(ROOM, start="2031-03-05T01:00:00Z", end="2031-03-05T02:00:00Z")
    microsoft.seed(ROOM, start="2031-03-06T01:00:00Z", end="2031-03-06T02:00:00Z", show="workingElsewhere")
    found = microsoft.session.rooms_busy([ROOM, "nobody@elsewhere.example"], at(1), at(9))
    assert [(each.start, each.end) for each in found[ROOM]] == [(at(5, 1), at(5, 2))]
    assert found["nobody@elsewhere.example"].kind is FailureClass.NOT_FOUND


def test_all_calls_ask_for_utc_and_lasting_ids() -> None:
    wire = Wire(reply(200, {"value": []}))
    session("microsoft", wire).busy(["c1"], at(1), at(2))
    assert 'outlook.timezone="UTC"' in wire.requests[0].headers["prefer"]
    assert 'IdType="ImmutableId"' in wire.requests[0].headers["prefer"]


def test_no_title_and_no_person_is_asked_for() -> None:
    wire = Wire(reply(200, {"value": []}))
    session("microsoft", wire).busy(["c1"], at(1), at(2))
    asked = wire.requests[0].url.params["$select"].split(",")
    assert not {"subject", "attendees", "organizer", "body", "location"} & set(asked)


def test_a_personal_account_has_no_teams_and_says_so() -> None:
    world = SandboxWorld("teams", "hanako@outlook.jp")
    meeting = MeetingDraft(KEY, "Talk", at(5, 1), at(5, 2), "Asia/Tokyo")
    failure = failure_of(lambda: world.session.create_meeting(meeting))
    assert failure is not None
    assert (failure.reason, failure.scope) == ("licence_missing", FailureScope.CAPABILITY)


def test_a_teams_link_that_is_there_at_the_second_look_is_a_link() -> None:
    wire = Wire(reply(201, {"id": "m1"}), reply(200, {"id": "m1", "joinWebUrl": "https://teams.example/1"}))
    made = session("teams", wire).create_meeting(MeetingDraft(KEY, "Talk", at(5, 1), at(5, 2), "Asia/Tokyo"))
    assert (made.id, made.join_url) == ("m1", "https://teams.example/1")
    assert wire.requests[1].url.path == "/v1.0/me/onlineMeetings/m1"


def test_a_span_longer_than_a_view_is_read_in_parts() -> None:
    both = event(end=edge("2036-03-06T01:00:00"))
    wire = Wire(reply(200, {"value": [both]}), reply(200, {"value": [both, event(id="e2")]}))
    start, end = at(1), at(1).replace(year=2038)
    found = session("microsoft", wire).busy(["c1"], start, end)["c1"]
    assert [each.event_id for each in found] == ["e1", "e2"]
    asked = [dict(request.url.params) for request in wire.requests]
    border = "2036-02-28T00:00:00Z"
    assert [(each["startDateTime"], each["endDateTime"]) for each in asked] == [
        ("2031-03-01T00:00:00Z", border),
        (border, "2038-03-01T00:00:00Z"),
    ]
    changes = session("microsoft", Wire(reply(200, {"value": []}))).changes("c1", "", start, end)
    assert changes.full
    assert not changes.token


def test_creating_the_same_teams_meeting_again_gets_the_same_link(teams: SandboxWorld) -> None:
    meeting = MeetingDraft(KEY, "Talk", at(5, 1), at(5, 2), "Asia/Tokyo")
    assert teams.session.create_meeting(meeting) == teams.session.create_meeting(meeting)
    assert len(teams.account.meetings) == 1


def test_teams_and_outlook_are_the_same_account_at_microsoft(teams: SandboxWorld, microsoft: SandboxWorld) -> None:
    tenant = microsoft.connect().account.id.partition(":")[0]
    assert teams.connect().account.id.partition(":")[0] == tenant
