"""Every row of the symptom table through every operation that can meet it: the class does not depend on who asked, and
no refusal is read as free time or as done."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from awase.domain.errors import FailureClass, FailureScope
from awase.providers.protocols import Channel
from tests.providers.scripted import NOW, Wire, failure_of, session
from tests.providers.symptoms import ACTS, CALENDAR, CASES, MEETING, Case
from tests.providers.worlds import CREATING, at

CHANNEL = Channel("channel", "resource", NOW + timedelta(days=1))
MORE: dict[str, Callable[[str, Any], Any]] = {
    "list": lambda service, it: it.list_calendars(),
    "changes": lambda service, it: it.changes(CALENDAR.get(service, "c1"), "", at(1), at(9)),
    "times": lambda service, it: it.event_times(CALENDAR.get(service, "c1"), "f" * 32),
    "room list": lambda service, it: it.list_rooms(),
    "all rooms": lambda service, it: it.list_rooms(organisation=True),
    "watch": lambda service, it: it.watch("c1", "https://awase.test/hooks", "secret", channel_id="c", now=NOW),
    "stop": lambda service, it: it.stop(CHANNEL),
    "find": lambda service, it: it.find_meeting(MEETING),
}
ALL_ACTS = ACTS | MORE
CALENDARS = ("check", "list", "busy", "changes", "times", "put", "delete")
GRAPH_AND_GOOGLE = (*CALENDARS, "busy2", "move", "delete_id", "rooms", "room list", "all rooms", "watch", "stop")
OPERATIONS = {
    "google": (*GRAPH_AND_GOOGLE, "put_meet"),
    "microsoft": GRAPH_AND_GOOGLE,
    "caldav": CALENDARS,
    "teams": ("check", "meeting", "move_meeting", "delete_meeting"),
    "zoom": ("check", "meeting", "move_meeting", "delete_meeting", "find"),
}
READING = {"check", "list", "busy", "busy2", "changes", "rooms", "room list", "all rooms", "find"}
ENDING = {"delete", "delete_id", "delete_meeting", "stop"}
OF_THE_OBJECT = (FailureClass.BAD_REQUEST, FailureClass.NOT_FOUND)


def refused(one: Case) -> bool:
    """One refusal of the API, by itself. "ResourceNotFound" alone says what it is about by the call that was made."""
    answer = one.answers[0]
    named = b'"ResourceNotFound"' not in getattr(answer, "content", b"")
    return named and one.act is not None and len(one.answers) == 1 and getattr(answer, "status_code", 599) >= 300


REFUSALS = [(one, act) for one in CASES if refused(one) for act in OPERATIONS[one.service]]


@pytest.mark.parametrize(
    ("one", "act"),
    REFUSALS,
    ids=[f"{one.row}-{one.service}-{act}" for one, act in REFUSALS],
)
def test_a_refusal_means_the_same_whoever_asked(one: Case, act: str) -> None:
    failure = failure_of(lambda: ALL_ACTS[act](one.service, session(one.service, Wire(*one.answers))))
    if failure is None:
        gone = one.expect == "success" or one.expect.split()[0] == "not_found"
        assert gone and act not in READING, "only what is gone already counts as ended"
        assert act in ENDING or act == "times"
        return
    kind, scope, reason = one.expect.split() if one.expect != "success" else ("not_found", "-", "-")
    if kind in OF_THE_OBJECT or scope == FailureScope.CAPABILITY:
        assert failure.kind in OF_THE_OBJECT or (failure.kind, failure.scope) == (kind, scope)
    else:
        assert failure.kind == kind
        assert (failure.reason or "-") == reason
    if one.service in CREATING:
        assert failure.scope is not FailureScope.CALENDAR
