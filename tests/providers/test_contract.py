"""What every calendar and every meeting service must do alike; nothing here is about one of them."""

from typing import Any

import pytest

from awase.domain.errors import Failure, FailureClass, FailureScope, ProviderError
from awase.providers.protocols import CalendarProvider, ConferenceProvider, EventDraft, MeetingDraft
from tests.providers.worlds import CREATING, SandboxWorld, at

CALENDARS = ("google", "microsoft", "caldav")
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(params=CALENDARS)
def world(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(params=CREATING)
def meetings(request: pytest.FixtureRequest) -> Any:
    return SandboxWorld(request.param)


def draft(day: int = 5, hour: int = 1, key: str = KEY, **more: Any) -> EventDraft:
    start, end = at(day, hour), at(day, hour, 30)
    return EventDraft(key, "打ち合わせ", start, end, "Asia/Tokyo", "A note", "Room 3", **more)


def busy(world: Any, *calendar_ids: str, days: tuple[int, int] = (1, 31)) -> Any:
    return world.session.busy(calendar_ids or (world.calendar_id,), at(days[0]), at(days[1]))


def spans(world: Any, **more: Any) -> list[tuple[Any, Any]]:
    return [(event.start, event.end) for event in busy(world, **more)[world.calendar_id]]


def test_a_session_is_a_calendar_provider(world: Any) -> None:
    assert isinstance(world.session, CalendarProvider)


def test_the_calendars_are_listed_with_name_and_rights(world: Any) -> None:
    extra = world.add_calendar(name="Projekt Größe 予定")
    found = {calendar.id: calendar for calendar in world.session.list_calendars()}
    assert found[extra].name == "Projekt Größe 予定"
    assert found[extra].writable
    assert world.calendar_id in found


def test_an_event_of_others_is_busy_and_not_our_own(world: Any) -> None:
    event_id = world.seed(start="2031-03-05T10:00:00+09:00", end="2031-03-05T11:00:00+09:00")
    (event,) = busy(world)[world.calendar_id]
    assert (event.start, event.end, event.own_key) == (at(5, 1), at(5, 2), "")
    assert event.event_id == event_id


def test_only_what_touches_the_span_is_read(world: Any) -> None:
    for hour in ("09", "10", "11"):
        world.seed(start=f"2031-03-05T{hour}:00:00Z", end=f"2031-03-05T{hour}:30:00Z")
    found = world.session.busy((world.calendar_id,), at(5, 9, 30), at(5, 11))
    assert [event.start for event in found[world.calendar_id]] == [at(5, 10)]


def test_free_declined_and_cancelled_events_are_not_busy(world: Any) -> None:
    span = {"start": "2031-03-05T10:00:00Z", "end": "2031-03-05T11:00:00Z"}
    world.seed(**span, show="free")
    world.seed(**span, response="declined")
    world.seed(**span, status="cancelled")
    assert spans(world) == []


def test_an_all_day_event_lasts_from_midnight_to_midnight_in_its_zone(world: Any) -> None:
    world.seed(start="2031-03-05", end="2031-03-06")
    assert spans(world) == [(at(4, 15), at(5, 15))]


def test_a_series_is_busy_at_each_of_its_times(world: Any) -> None:
    world.seed_weekly(3, start="2031-03-03T10:00:00+09:00", end="2031-03-03T10:30:00+09:00")
    assert [start for start, _ in spans(world)] == [at(3, 1), at(10, 1), at(17, 1)]


def test_many_events_are_all_read(world: Any) -> None:
    for day in range(1, 29):
        for hour in (1, 2, 3, 4):
            world.seed(start=at(day, hour).isoformat(), end=at(day, hour, 30).isoformat())
    assert len(spans(world)) == 112


def test_a_written_event_is_busy_and_known_by_its_key(world: Any) -> None:
    written = world.session.put_event(world.calendar_id, draft())
    (event,) = busy(world)[world.calendar_id]
    assert (event.start, event.end, event.own_key) == (at(5, 1), at(5, 1, 30), KEY)
    assert event.event_id == written.id


def test_writing_twice_makes_one_event(world: Any) -> None:
    first = world.session.put_event(world.calendar_id, draft())
    second = world.session.put_event(world.calendar_id, draft())
    assert first.id == second.id
    assert len(spans(world)) == 1


def test_a_repeat_with_another_time_moves_the_event(world: Any) -> None:
    world.session.put_event(world.calendar_id, draft())
    world.session.put_event(world.calendar_id, draft(day=6))
    assert spans(world) == [(at(6, 1), at(6, 1, 30))]


def test_an_event_moves_by_its_id(world: Any) -> None:
    written = world.session.put_event(world.calendar_id, draft())
    moved = world.session.put_event(world.calendar_id, draft(day=7, hour=3), written.id)
    assert moved.id == written.id
    assert spans(world) == [(at(7, 3), at(7, 3, 30))]


def test_an_event_that_somebody_deleted_comes_back_when_it_is_put_again(world: Any) -> None:
    written = world.session.put_event(world.calendar_id, draft())
    world.remove_event(written.id)
    assert spans(world) == []
    world.session.put_event(world.calendar_id, draft(day=8), written.id)
    assert spans(world) == [(at(8, 1), at(8, 1, 30))]


def test_deleting_frees_the_time_and_deleting_again_is_fine(world: Any) -> None:
    written = world.session.put_event(world.calendar_id, draft())
    world.session.delete_event(world.calendar_id, KEY, written.id)
    assert spans(world) == []
    world.session.delete_event(world.calendar_id, KEY, written.id)


def test_an_event_whose_id_was_never_learnt_is_deleted_by_its_key(world: Any) -> None:
    world.session.put_event(world.calendar_id, draft())
    world.session.delete_event(world.calendar_id, KEY)
    assert spans(world) == []
    world.session.delete_event(world.calendar_id, "f" * 32)


def test_a_calendar_that_is_gone_fails_alone(world: Any) -> None:
    gone = world.add_calendar(name="Old")
    world.remove_calendar(gone)
    world.seed(start="2031-03-05T10:00:00Z", end="2031-03-05T11:00:00Z")
    found = busy(world, world.calendar_id, gone)
    failure = found[gone]
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.scope) == (FailureClass.NOT_FOUND, FailureScope.CALENDAR)
    assert failure.calendar_id == gone
    assert len(found[world.calendar_id]) == 1


def test_check_is_silent_while_the_account_works(world: Any) -> None:
    world.session.check()


def test_an_outage_fails_the_account_and_asks_for_patience(world: Any) -> None:
    world.answer(503, "<html>Service Unavailable</html>")
    with pytest.raises(ProviderError) as caught:
        busy(world)
    assert caught.value.failure.kind is FailureClass.RETRY


def test_a_page_of_html_instead_of_the_answer_is_unknown_and_not_free(world: Any) -> None:
    world.answer(200, "<html><body>Welcome to the hotel's network</body></html>")
    with pytest.raises(ProviderError) as caught:
        busy(world)
    assert caught.value.failure.kind is FailureClass.RETRY


# Meetings


def meeting(key: str = KEY, day: int = 5) -> MeetingDraft:
    return MeetingDraft(key, "打ち合わせ", at(day, 1), at(day, 1, 30), "Asia/Tokyo")


def test_a_session_is_a_conference_provider(meetings: Any) -> None:
    assert isinstance(meetings.session, ConferenceProvider)


def test_a_meeting_has_an_id_and_a_link(meetings: Any) -> None:
    made = meetings.session.create_meeting(meeting())
    assert made.id
    assert made.join_url.startswith("https://")
    assert len(meetings.account.meetings) == 1


def test_a_meeting_moves(meetings: Any) -> None:
    made = meetings.session.create_meeting(meeting())
    meetings.session.update_meeting(made.id, meeting(day=6))
    (held,) = meetings.account.meetings.values()
    start = held.get("start_time") or held["startDateTime"]
    assert start.startswith("2031-03-06T01:00:00")


def test_a_meeting_is_deleted_once_and_again_without_complaint(meetings: Any) -> None:
    made = meetings.session.create_meeting(meeting())
    meetings.session.delete_meeting(made.id)
    assert meetings.account.meetings == {}
    meetings.session.delete_meeting(made.id)


def test_a_create_whose_answer_was_lost_makes_one_meeting(meetings: Any) -> None:
    meetings.fault("lost_answer", meetings.create_operation)
    try:
        made = meetings.session.create_meeting(meeting())
    except ProviderError:
        meetings.fault("ok")
        made = meetings.session.find_meeting(meeting()) or meetings.session.create_meeting(meeting())
    assert len(meetings.account.meetings) == 1
    assert made.join_url


def test_the_check_of_a_meeting_account_is_silent(meetings: Any) -> None:
    meetings.session.check()


def test_a_missing_licence_lacks_the_capability_alone(meetings: Any) -> None:
    meetings.fault("no_licence")
    with pytest.raises(ProviderError) as caught:
        meetings.session.create_meeting(meeting())
    failure = caught.value.failure
    assert (failure.scope, failure.capability) == (FailureScope.CAPABILITY, meetings.capability)
