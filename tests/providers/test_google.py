"""Google alone: Meet links, deleted ids, people on the event, kinds of events."""

from typing import Any

import pytest

from awase.domain.errors import Capability, FailureClass
from awase.providers.protocols import EventDraft
from tests.providers.scripted import Wire, failure_of, reply, session
from tests.providers.worlds import SandboxWorld, at

KEY = "0123456789abcdef0123456789abcdef"
ROOM = "room-1@resource.calendar.google.com"


def draft(meet: bool = True, day: int = 5, rooms: tuple[str, ...] = ()) -> EventDraft:
    return EventDraft(KEY, "Talk", at(day, 1), at(day, 2), "Asia/Tokyo", room_addresses=rooms, meet=meet)


def held(world: SandboxWorld) -> dict[str, Any]:
    event: dict[str, Any] = world.account.primary.events[KEY]
    return event


def test_a_meet_link_is_waited_for(google: SandboxWorld) -> None:
    written = google.session.put_event(google.calendar_id, draft())
    assert written.join_url.startswith("https://meet.google.com/")
    assert not written.meet_pending
    assert written.meet_failure is None


def test_a_meet_link_that_takes_too_long_is_pending_and_no_failure() -> None:
    status = {"createRequest": {"requestId": KEY, "status": {"statusCode": "pending"}}}
    wire = Wire(reply(200, {"id": KEY, "status": "confirmed", "conferenceData": status}))
    written = session("google", wire).put_event("c1", draft())
    assert (written.meet_pending, written.join_url, written.meet_failure) == (True, "", None)
    assert len(wire.requests) == 4


def test_where_meet_is_not_allowed_the_event_stands_without_it(google: SandboxWorld) -> None:
    google.fault("no_licence")
    written = google.session.put_event(google.calendar_id, draft())
    assert written.id == KEY
    assert written.meet_failure is not None
    assert written.meet_failure.capability is Capability.MEET
    assert held(google)["status"] == "confirmed"


def test_a_meet_link_that_fails_leaves_the_event(google: SandboxWorld) -> None:
    google.fault("meet_failed")
    written = google.session.put_event(google.calendar_id, draft())
    assert written.meet_failure is not None
    assert written.meet_failure.symptom == "G28"


def test_a_meet_link_that_failed_is_asked_for_anew(google: SandboxWorld) -> None:
    google.fault("meet_failed")
    google.session.put_event(google.calendar_id, draft())
    google.fault("ok")
    written = google.session.put_event(google.calendar_id, draft(), KEY)
    assert written.meet_failure is None and written.join_url
    assert google.session.put_event(google.calendar_id, draft(), KEY).join_url == written.join_url


def test_a_moved_event_keeps_its_link(google: SandboxWorld) -> None:
    first = google.session.put_event(google.calendar_id, draft())
    second = google.session.put_event(google.calendar_id, draft(day=6), first.id)
    assert second.join_url == first.join_url


def test_a_link_is_added_and_taken_away_with_the_location(google: SandboxWorld) -> None:
    google.session.put_event(google.calendar_id, draft(meet=False))
    linked = google.session.put_event(google.calendar_id, draft(meet=True), KEY)
    assert linked.join_url
    bare = google.session.put_event(google.calendar_id, draft(meet=False), KEY)
    assert bare.join_url == ""
    assert "conferenceData" not in held(google)


def test_where_meet_is_not_allowed_any_more_the_event_still_moves(google: SandboxWorld) -> None:
    google.session.put_event(google.calendar_id, draft(meet=False))
    google.fault("no_licence")
    moved = google.session.put_event(google.calendar_id, draft(day=6), KEY)
    assert moved.meet_failure is not None
    assert held(google)["start"]["dateTime"].startswith("2031-03-06T01:00")


def test_an_event_deleted_by_us_comes_back_under_the_same_key(google: SandboxWorld) -> None:
    google.session.put_event(google.calendar_id, draft(meet=False))
    google.session.delete_event(google.calendar_id, KEY)
    google.session.put_event(google.calendar_id, draft(meet=False, day=7))
    assert held(google)["status"] == "confirmed"


def test_guests_are_never_on_the_event_and_rooms_are(google: SandboxWorld) -> None:
    google.add_calendar(id=ROOM, name="Room 1", room=True)
    google.session.put_event(google.calendar_id, draft(meet=False, rooms=(ROOM,)))
    (room,) = held(google)["attendees"]
    assert (room["email"], room["resource"], room["responseStatus"]) == (ROOM, True, "accepted")


def test_a_guest_whom_the_host_added_stays_when_the_room_changes(google: SandboxWorld) -> None:
    google.session.put_event(google.calendar_id, draft(meet=False, rooms=(ROOM,)))
    held(google)["attendees"].append({"email": "taro@guest.example", "responseStatus": "accepted"})
    google.session.put_event(google.calendar_id, draft(meet=False), KEY)
    assert [guest["email"] for guest in held(google)["attendees"]] == ["taro@guest.example"]


def test_calendars_say_whether_they_can_carry_a_meet_link(google: SandboxWorld) -> None:
    plain = google.add_calendar(name="Plain", conferences=False)
    reader = google.add_calendar(name="Shared", writable=False)
    found = {calendar.id: calendar for calendar in google.session.list_calendars()}
    assert found[google.calendar_id].conferences == {Capability.MEET}
    assert found[google.calendar_id].primary
    assert found[google.calendar_id].time_zone == "Asia/Tokyo"
    assert found[plain].conferences == frozenset()
    assert not found[reader].writable


@pytest.mark.parametrize(("kind", "counts"), [("focusTime", True), ("outOfOffice", True), ("workingLocation", False)])
def test_kinds_of_events_count_as_busy_or_not(google: SandboxWorld, kind: str, counts: bool) -> None:
    google.seed(start="2031-03-05T10:00:00Z", end="2031-03-05T11:00:00Z", type=kind)
    found = google.session.busy([google.calendar_id], at(1), at(9))
    assert bool(found[google.calendar_id]) is counts


def test_an_answer_of_perhaps_is_marked(google: SandboxWorld) -> None:
    google.seed(start="2031-03-05T10:00:00Z", end="2031-03-05T11:00:00Z", response="tentative")
    (event,) = google.session.busy([google.calendar_id], at(1), at(9))[google.calendar_id]
    assert event.tentative


def test_one_calendar_with_an_error_is_unknown_and_the_other_read(google: SandboxWorld) -> None:
    other = google.add_calendar(name="Other")
    google.fault("calendar_error", "*", calendar_id=other)
    found = google.session.busy([google.calendar_id, other], at(1), at(9))
    assert found[google.calendar_id] == ()
    assert found[other].kind is FailureClass.RETRY
    assert found[other].calendar_id == other


def test_no_title_and_no_person_is_asked_for(google: SandboxWorld) -> None:
    wire = Wire(reply(200, {"timeZone": "UTC", "items": []}))
    session("google", wire).busy(["c1"], at(1), at(2))
    fields = wire.requests[0].url.params["fields"]
    assert "summary" not in fields
    assert "email" not in fields
    assert wire.requests[0].url.params["maxAttendees"] == "1"


@pytest.mark.parametrize(
    "item",
    [
        {"id": "e", "end": {"dateTime": "2031-03-05T02:00:00Z"}},
        {"id": "e", "start": {"dateTime": "soon"}, "end": {"dateTime": "2031-03-05T02:00:00Z"}},
        {"id": "e", "start": {"date": "2031-03-05"}, "end": {"date": "2031-03-06"}},
        {"start": {"dateTime": "2031-03-05T01:00:00Z"}, "end": {"dateTime": "2031-03-05T02:00:00Z"}},
    ],
)
def test_an_event_that_cannot_be_read_makes_the_calendar_unknown(item: dict[str, Any]) -> None:
    wire = Wire(reply(200, {"timeZone": "Nowhere/Land", "items": [item]}))
    failure = failure_of(lambda: session("google", wire).busy(["c1"], at(1), at(9)))
    assert failure is not None
    assert failure.kind is FailureClass.RETRY


def test_pages_without_end_are_given_up() -> None:
    wire = Wire(reply(200, {"timeZone": "UTC", "items": [], "nextPageToken": "again"}))
    failure = failure_of(lambda: session("google", wire).busy(["c1"], at(1), at(9)))
    assert failure is not None
    assert failure.symptom == "X02"
    assert len(wire.requests) == 50


def test_rooms_are_read_by_address_over_long_spans() -> None:
    busy = {"busy": [{"start": "2031-03-05T01:00:00Z", "end": "2031-03-05T02:00:00Z"}]}
    wire = Wire(reply(200, {"calendars": {ROOM: busy, "gone": {"errors": [{"reason": "notFound"}]}}}))
    found = session("google", wire).rooms_busy([ROOM, "gone", "silent"], at(1), at(1).replace(month=6))
    assert [event.start for event in found[ROOM]] == [at(5, 1), at(5, 1)]
    assert found["gone"].kind is FailureClass.NOT_FOUND
    assert found["silent"].kind is FailureClass.RETRY
    assert len(wire.requests) == 2
