"""Reading on from a token: what every calendar service must do alike, and where each has its own way."""

from typing import Any

import pytest

from awase.domain.errors import FailureClass, ProviderError
from awase.providers.protocols import BusyEvent, Changes
from tests.providers.radicale import RadicaleWorld
from tests.providers.scripted import Wire, failure_of, reply, session
from tests.providers.test_caldav import found, status
from tests.providers.test_contract import CALENDARS, KEY, draft
from tests.providers.worlds import SandboxWorld, at

MORNING = {"start": "2031-03-05T10:00:00Z", "end": "2031-03-05T11:00:00Z"}
NOON = {"start": "2031-03-05T12:00:00Z", "end": "2031-03-05T13:00:00Z"}


@pytest.fixture(params=CALENDARS)
def world(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def read(world: Any, token: str = "") -> Changes:
    changes: Changes = world.session.changes(world.calendar_id, token, at(1), at(31))
    return changes


def spans(changes: Changes) -> list[tuple[Any, Any]]:
    return sorted((event.start, event.end) for event in changes.events)


def test_the_first_reading_is_full_and_ends_with_a_token(world: Any) -> None:
    world.seed(**MORNING)
    world.seed(**NOON, show="free")
    changes = read(world)
    assert changes.full
    assert changes.token
    assert spans(changes) == [(at(5, 10), at(5, 11))]


def test_nothing_is_told_where_nothing_changed(world: Any) -> None:
    world.seed(**MORNING)
    again = read(world, read(world).token)
    assert (again.full, again.events, again.gone) == (False, (), frozenset())
    assert again.token


def test_a_new_event_alone_is_told(world: Any) -> None:
    world.seed(**MORNING)
    token = read(world).token
    event_id = world.seed(**NOON)
    changes = read(world, token)
    assert (changes.full, changes.gone) == (False, frozenset())
    assert [(event.event_id, event.start, event.own_key) for event in changes.events] == [(event_id, at(5, 12), "")]
    assert read(world, changes.token).events == ()


def test_a_moved_event_is_told_with_its_new_time_under_its_old_id(world: Any) -> None:
    event_id = world.seed(**MORNING)
    token = read(world).token
    world.move_event(event_id, at(6, 9), at(6, 10))
    (event,) = read(world, token).events
    assert (event.event_id, event.start, event.end) == (event_id, at(6, 9), at(6, 10))


def test_a_deleted_event_is_gone(world: Any) -> None:
    event_id = world.seed(**MORNING)
    first = read(world)
    world.remove_event(event_id)
    changes = read(world, first.token)
    assert changes.full or changes.gone == {event_id}
    assert after(first, changes).events == ()


def test_an_event_that_left_the_window_is_gone(world: Any) -> None:
    event_id = world.seed(**MORNING)
    first = read(world)
    world.move_event(event_id, at(5, 10).replace(month=6), at(5, 11).replace(month=6))
    changes = read(world, first.token)
    assert changes.full or changes.gone == {event_id}
    assert after(first, changes).events == ()


def test_an_event_made_free_takes_no_time_any_more(world: Any) -> None:
    first = read(world)
    event_id = world.seed(**MORNING, show="free")
    assert read(world, first.token).gone == {event_id}


def test_our_own_event_is_told_by_its_key(world: Any) -> None:
    token = read(world).token
    written = world.session.put_event(world.calendar_id, draft())
    (event,) = read(world, token).events
    assert (event.event_id, event.own_key) == (written.id, KEY)


def test_a_new_series_is_busy_at_each_of_its_times(world: Any) -> None:
    token = read(world).token
    world.seed_weekly(3, start="2031-03-03T10:00:00+09:00", end="2031-03-03T10:30:00+09:00")
    assert [start for start, _ in spans(read(world, token))] == [at(3, 1), at(10, 1), at(17, 1)]


def test_of_a_series_that_moved_no_old_time_stays(world: Any) -> None:
    """Whether told at once or read anew, what is held afterwards is the truth."""
    master = world.seed_weekly(2, start="2031-03-03T10:00:00+09:00", end="2031-03-03T10:30:00+09:00")
    first = read(world)
    world.move_event(master, at(3, 5), at(3, 6))
    assert [start for start, _ in spans(after(first, read(world, first.token)))] == [at(3, 5), at(10, 5)]


def test_of_a_series_that_was_deleted_nothing_stays(world: Any) -> None:
    master = world.seed_weekly(3, start="2031-03-03T10:00:00+09:00", end="2031-03-03T10:30:00+09:00")
    first = read(world)
    world.remove_event(master)
    assert after(first, read(world, first.token)).events == ()


def after(held: Changes, changes: Changes) -> Changes:
    """What somebody holds who takes the changes in as their description says."""
    if changes.full:
        return changes
    told = {event.event_id for event in changes.events} | changes.gone
    kept = tuple(event for event in held.events if event.event_id not in told)
    return Changes(kept + changes.events, frozenset(), changes.token, full=True)


@pytest.mark.parametrize("token", ["junk", "sync:junk"])
def test_a_token_that_the_service_does_not_know_leads_to_a_full_reading(world: Any, token: str) -> None:
    world.seed(**MORNING)
    changes = read(world, token)
    assert changes.full
    assert spans(changes) == [(at(5, 10), at(5, 11))]
    assert changes.token != token


def test_a_calendar_that_is_gone_is_not_found_with_a_token_too(world: Any) -> None:
    gone = world.add_calendar(name="Old")
    token = world.session.changes(gone, "", at(1), at(31)).token
    world.remove_calendar(gone)
    failure = failure_of(lambda: world.session.changes(gone, token, at(1), at(31)))
    assert failure is not None
    assert failure.kind is FailureClass.NOT_FOUND


def test_an_outage_is_no_reason_to_read_anew(world: Any) -> None:
    token = read(world).token
    world.answer(503, "<html>Service Unavailable</html>")
    with pytest.raises(ProviderError) as caught:
        read(world, token)
    assert caught.value.failure.kind is FailureClass.RETRY


# One event's times


def test_an_event_tells_when_it_takes_place_now(world: Any) -> None:
    written = world.session.put_event(world.calendar_id, draft())
    for known in (written.id, ""):
        assert world.session.event_times(world.calendar_id, KEY, known) == (at(5, 1), at(5, 1, 30))
    world.move_event(written.id, at(6, 3), at(6, 4))
    assert world.session.event_times(world.calendar_id, KEY, written.id) == (at(6, 3), at(6, 4))


def test_an_event_made_a_whole_day_lasts_it_in_the_calendars_zone(world: Any) -> None:
    written = world.session.put_event(world.calendar_id, draft())
    if isinstance(world, RadicaleWorld):
        text = world.browser.get(written.id).text
        text = text.replace("DTSTART:20310305T010000Z", "DTSTART;VALUE=DATE:20310305")
        text = text.replace("DTEND:20310305T013000Z", "DTEND;VALUE=DATE:20310306")
        world.browser.put(written.id, content=text.encode())
    else:
        days = {"start": "2031-03-05", "end": "2031-03-06"}
        world.on_account("PATCH", f"calendars/primary/events/{written.id}", **days)
    assert world.session.event_times(world.calendar_id, KEY, written.id) == (at(4, 15), at(5, 15))


def test_a_deleted_event_has_no_times(world: Any) -> None:
    written = world.session.put_event(world.calendar_id, draft())
    world.remove_event(written.id)
    for known in (written.id, ""):
        assert world.session.event_times(world.calendar_id, KEY, known) is None


@pytest.mark.parametrize("code", [401, 403, 429, 500, 503])
def test_an_event_that_cannot_be_read_is_not_taken_for_deleted(world: Any, code: int) -> None:
    written = world.session.put_event(world.calendar_id, draft())
    world.answer(code, "{}")
    with pytest.raises(ProviderError) as caught:
        world.session.event_times(world.calendar_id, KEY, written.id)
    assert caught.value.failure.kind is not FailureClass.NOT_FOUND


# Google's own way


def test_google_is_asked_the_same_question_with_a_token_but_for_the_window() -> None:
    wire = Wire(reply(200, {"timeZone": "UTC", "items": [], "nextSyncToken": "two"}))
    assert session("google", wire).changes("c1", "one", at(1), at(31)).token == "two"
    asked = wire.requests[0].url.params
    assert asked["syncToken"] == "one"
    assert asked["singleEvents"] == "true"
    assert "timeMin" not in asked and "timeMax" not in asked


def test_expired_tokens_lead_to_a_full_reading(google: SandboxWorld, microsoft: SandboxWorld) -> None:
    for world in (google, microsoft):
        token = read(world).token
        world.seed(**MORNING)
        world.fault("sync_expired")
        changes = read(world, token)
        assert changes.full
        assert len(changes.events) == 1
        assert not read(world, changes.token).full


def test_a_cancelled_event_tells_google_only_its_id() -> None:
    items = [{"id": "e1", "status": "cancelled"}]
    wire = Wire(reply(200, {"timeZone": "UTC", "items": items, "nextSyncToken": "two"}))
    assert session("google", wire).changes("c1", "one", at(1), at(31)).gone == {"e1"}


# Outlook's own way


def test_outlook_tells_of_a_series_what_the_view_says_without_starting_over(microsoft: SandboxWorld) -> None:
    token = read(microsoft).token
    microsoft.seed_weekly(2, start="2031-03-03T10:00:00+09:00", end="2031-03-03T10:30:00+09:00", show="free")
    before = len(microsoft.operations())
    changes = read(microsoft, token)
    assert (changes.full, changes.events) == (True, ())
    assert microsoft.operations()[before:] == ["calendarView.delta", "calendarView.list"]


def test_outlook_reads_a_long_delta_page_by_page(microsoft: SandboxWorld) -> None:
    token = read(microsoft).token
    for hour in range(24):
        for day in range(1, 11):
            microsoft.seed(start=at(day, hour).isoformat(), end=at(day, hour, 30).isoformat())
    before = len(microsoft.operations())
    assert len(read(microsoft, token).events) == 240
    assert microsoft.operations()[before:] == ["calendarView.delta"] * 2


def test_a_delta_without_a_link_to_the_next_is_unreadable() -> None:
    wire = Wire(reply(200, {"value": []}))
    failure = failure_of(lambda: session("microsoft", wire).changes("c1", "", at(1), at(31)))
    assert failure is not None
    assert failure.symptom == "X02"


def test_an_event_that_outlook_cancelled_has_no_times() -> None:
    times = {"start": {"dateTime": "2031-03-05T01:00:00", "timeZone": "UTC"}}
    wire = Wire(reply(200, {"id": "e1", "isCancelled": True, **times, "end": times["start"]}))
    assert session("microsoft", wire).event_times("c1", KEY, "e1") is None


# CalDAV's own way

CALENDAR = "https://dav.example/home/main/"
EVENT = (
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART:20310305T010000Z\r\nDTEND:20310305T020000Z\r\n"
    "{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
)
SERVER = "xmlns:s='http://calendarserver.org/ns/'"


def state(ctag: str) -> Any:
    return status(found("/home/main/", f"<s:getctag {SERVER}>{ctag}</s:getctag>"))


def events(*names: str) -> Any:
    return status(
        *(
            found(f"/home/main/{name}.ics", f"<c:calendar-data>{EVENT.format(uid=name, more='')}</c:calendar-data>")
            for name in names
        )
    )


def test_without_sync_collection_the_ctag_tells_whether_to_read_anew() -> None:
    wire = Wire(state("1"), events("a"), state("1"), state("2"), state("2"), events("a", "b"))
    it = session("caldav", wire)
    first = it.changes(CALENDAR, "", at(1), at(31))
    assert (first.token, len(first.events)) == ("ctag:1", 1)
    same = it.changes(CALENDAR, first.token, at(1), at(31))
    assert (same.full, same.events, same.token) == (False, (), "ctag:1")
    other = it.changes(CALENDAR, first.token, at(1), at(31))
    assert (other.full, len(other.events), other.token) == (True, 2, "ctag:2")


def test_a_server_that_tells_no_state_is_read_each_time() -> None:
    wire = Wire(status(found("/home/main/", "")), events("a"))
    changes = session("caldav", wire).changes(CALENDAR, "", at(1), at(31))
    assert (changes.full, changes.token) == (True, "")


def sync(token: str, *responses: str) -> Any:
    answer = status(*responses)
    body = answer.text.replace("</d:multistatus>", f"<d:sync-token>{token}</d:sync-token></d:multistatus>")
    return reply(207, body)


def response(href: str, code: int) -> str:
    return f"<d:response><d:href>{href}</d:href><d:status>HTTP/1.1 {code} X</d:status></d:response>"


def test_an_answer_that_the_server_cut_is_asked_on() -> None:
    cut = sync("two", response("/home/main/", 507), found("/home/main/a.ics", "<d:getetag>1</d:getetag>"))
    rest = sync("three", response("/home/main/a.ics", 404), found("/home/main/b.ics", "<d:getetag>1</d:getetag>"))
    wire = Wire(cut, rest, events("b"))
    changes = session("caldav", wire).changes(CALENDAR, "sync:one", at(1), at(31))
    assert changes.token == "sync:three"
    assert changes.gone == {f"{CALENDAR}a.ics"}
    assert [event.event_id for event in changes.events] == [f"{CALENDAR}b.ics"]
    assert [b"one" in wire.requests[0].content, b"two" in wire.requests[1].content] == [True, True]


def test_a_server_that_cuts_its_answers_without_end_is_read_anew() -> None:
    cut = sync("two", response("/home/main/", 507))
    wire = Wire(*[cut] * 50, state("9"), events("a"))
    assert session("caldav", wire).changes(CALENDAR, "sync:one", at(1), at(31)).token == "ctag:9"


def test_an_answer_without_a_new_token_is_not_trusted() -> None:
    wire = Wire(status(), state("9"), events("a"))
    assert session("caldav", wire).changes(CALENDAR, "sync:one", at(1), at(31)).full


def test_where_very_much_changed_the_window_is_read() -> None:
    many = [found(f"/home/main/{number}.ics", "<d:getetag>1</d:getetag>") for number in range(101)]
    wire = Wire(sync("two", *many), state("9"), events("a"))
    assert session("caldav", wire).changes(CALENDAR, "sync:one", at(1), at(31)).full


@pytest.mark.parametrize(
    ("body", "times"),
    [
        (EVENT.format(uid=KEY, more="STATUS:CANCELLED\r\n"), None),
        (EVENT.format(uid=KEY, more=""), (at(5, 1), at(5, 2))),
    ],
)
def test_a_cancelled_event_has_no_times(body: str, times: Any) -> None:
    assert session("caldav", Wire(reply(200, body))).event_times(CALENDAR, KEY) == times


@pytest.mark.parametrize(
    "body", [EVENT.format(uid="other", more=""), EVENT.format(uid=KEY, more="").replace("DTSTART:", "X:"), "<html/>"]
)
def test_an_event_that_is_not_understood_is_not_taken_for_deleted(body: str) -> None:
    failure = failure_of(lambda: session("caldav", Wire(reply(200, body))).event_times(CALENDAR, KEY))
    assert failure is not None
    assert failure.symptom == "X02"


def test_a_busy_event_tells_no_more_than_times_and_marks() -> None:
    assert set(BusyEvent.__slots__) == {"event_id", "start", "end", "own_key", "tentative"}
