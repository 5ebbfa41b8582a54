"""Answers with a good status and a wrong shape: never an exception of ours, never free time."""

from collections.abc import Callable
from typing import Any

import pytest

from awase.domain.errors import FailureClass
from awase.providers.protocols import MeetingDraft
from tests.providers.scripted import Wire, failure_of, reply, session
from tests.providers.test_caldav import found, status
from tests.providers.worlds import at

MEETING = MeetingDraft("0" * 32, "Talk", at(5, 1), at(5, 2), "Asia/Tokyo")
TIMES = {"start": {"dateTime": "2031-03-05T01:00:00", "timeZone": "UTC"}, "end": {"dateTime": "x", "timeZone": "UTC"}}
ACTS: dict[str, Callable[[Any], Any]] = {
    "list": lambda it: it.list_calendars(),
    "busy": lambda it: it.busy(["c1"], at(1), at(2)),
    "busy2": lambda it: it.busy(["c1", "c2"], at(1), at(2)),
    "make": lambda it: it.create_meeting(MEETING),
    "find": lambda it: it.find_meeting(MEETING),
}


@pytest.mark.parametrize(
    ("service", "act", "body"),
    [
        ("google", "list", {"items": "none"}),
        ("google", "list", {"items": ["text"]}),
        ("google", "list", {"items": [{"id": 5}]}),
        ("google", "list", {"items": [{"id": "c", "conferenceProperties": "hangoutsMeet"}]}),
        ("google", "list", [1]),
        ("google", "busy", {"items": [{"id": "e", "start": {"dateTime": "2031-03-05T01:00:00"}, "end": {}}]}),
        ("google", "busy", {"items": [{"id": "e", "attendees": {}}]}),
        ("microsoft", "list", {}),
        ("microsoft", "busy", {"value": None}),
        ("microsoft", "busy", {"value": [{"id": "e", **TIMES}]}),
        ("microsoft", "busy", {"value": [], "@odata.nextLink": "https://elsewhere.example/next"}),
        ("microsoft", "busy", {"value": [], "@odata.nextLink": "https://graph.microsoft.com/v1.0/again"}),
        ("microsoft", "busy2", {"responses": [{"id": True, "status": 200, "body": {"value": []}}]}),
        ("microsoft", "busy2", {"responses": [{"id": "9", "status": 200, "body": {"value": []}}]}),
        ("teams", "make", {"joinWebUrl": "https://teams.microsoft.com/l/x"}),
        ("zoom", "find", {"meetings": None}),
        ("zoom", "find", {"meetings": [], "next_page_token": "again"}),
        ("zoom", "find", {"meetings": [{"topic": "Talk", "start_time": "soon"}]}),
        ("zoom", "make", {"id": "no number", "join_url": "https://zoom.us/j/1", "meetings": []}),
    ],
)
def test_a_wrong_shape_asks_for_another_try(service: str, act: str, body: Any) -> None:
    failure = failure_of(lambda: ACTS[act](session(service, Wire(reply(200, body)))))
    assert failure is not None
    assert failure.kind is FailureClass.RETRY


@pytest.mark.parametrize(
    "answer",
    [
        status(),
        status(found("https://[::bad", "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>")),
        reply(200, "<html/>"),
        reply(207, "plain"),
    ],
)
def test_a_calendar_home_of_a_wrong_shape_is_no_empty_one(answer: Any) -> None:
    made = session("caldav", Wire(answer))
    failure = failure_of(made.check) or failure_of(made.list_calendars)
    assert failure is not None
    assert failure.kind is FailureClass.RETRY
