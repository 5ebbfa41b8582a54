"""What adapters send and what the sandbox answers, judged by the services' public descriptions."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.judges import contract
from tests.judges.contract import Contract
from tests.judges.recorder import Exchange
from tests.judges.session import STEPS, walked
from tests.providers.worlds import ADAPTERS, SandboxWorld

CONTRACTS = {"google": contract.google, "microsoft": contract.graph, "teams": contract.graph, "zoom": contract.zoom}
NAMES = sorted(STEPS)
DIRECTORY = "/admin/directory/v1/"

# Where description and other outside sources disagree: (adapters concerned, what the judge says, why it stands).
DISAGREEMENTS = (
    (
        {"microsoft", "teams"},
        r"4\d\d: error: .*'innerError' was unexpected",
        "Microsoft's page on errors, and every reported answer, spell it innerError; nothing of ours reads it",
    ),
    (
        {"microsoft"},
        r"getSchedule: the whole: .*'schedules', 'startTime', 'endTime', 'availabilityViewInterval' were unexpected",
        "Microsoft's page on getSchedule shows small first letters, its metadata and SDK large ones; both are taken",
    ),
    (
        {"microsoft"},
        r"delta\(\): parameter (startDateTime|endDateTime) is not described",
        "Microsoft's page on delta for events demands both; its metadata has no parameters for the function",
    ),
    (
        {"microsoft"},
        r"delta\(\): parameter \$deltatoken is not described",
        "it stands in the link that the service itself hands out, and is not put together by us",
    ),
    (
        {"zoom"},
        r"GET /users/\{userId\} 200: the whole: .*'display_name' was unexpected",
        "newer than the description; read if it is there",
    ),
    (
        {"zoom"},
        r"POST /users/\{userId\}/meetings 201: the whole: .*\('uuid', 'host_id', 'status' were unexpected\)",
        "Zoom's answers carry them (the description names them for GET only); nothing of ours reads them",
    ),
)


@cache
def exchanges(name: str) -> tuple[Exchange, ...]:
    return tuple(walked(name)[1])


def described(name: str) -> list[Exchange]:
    """The exchanges of an adapter's session that a description speaks of."""
    below = (CONTRACTS[name]().base, *([DIRECTORY] if name == "google" else []))
    return [exchange for exchange in exchanges(name) if exchange.path.startswith(below)]


def judge_of(name: str, exchange: Exchange) -> Contract:
    """The description that speaks of this exchange: rooms of an organisation have one of their own at Google."""
    return contract.google_rooms() if exchange.path.startswith(DIRECTORY) else CONTRACTS[name]()


def excused(name: str, problem: str) -> bool:
    return any(name in names and re.search(words, problem) for names, words, _ in DISAGREEMENTS)


def problems(name: str) -> list[str]:
    return [
        problem
        for exchange in described(name)
        for judge in (judge_of(name, exchange),)
        for problem in (*judge.request_problems(exchange), *judge.answer_problems(exchange))
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_request_of_an_adapter_and_every_answer_of_the_sandbox_keeps_to_the_description(name: str) -> None:
    left = [problem for problem in problems(name) if not excused(name, problem)]
    assert left == [], "\n".join(left)


@pytest.mark.parametrize("row", range(len(DISAGREEMENTS)))
def test_each_disagreement_written_down_is_still_one(row: int) -> None:
    names, words, why = DISAGREEMENTS[row]
    assert why
    for name in names:
        assert [problem for problem in problems(name) if re.search(words, problem)], name


@pytest.mark.parametrize("name", NAMES)
def test_only_the_consent_and_the_tokens_lie_outside_the_description(name: str) -> None:
    outside = {exchange.path for exchange in exchanges(name)} - {exchange.path for exchange in described(name)}
    assert all(re.search(r"/(auth|authorize|token|revoke)$", path) for path in outside)


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))}


@pytest.mark.parametrize("name", NAMES)
def test_the_session_uses_every_function_of_the_adapter(name: str) -> None:
    world = SandboxWorld(name)
    assert public(type(world.session)) <= STEPS[name].keys()
    # Connecting goes through the first four; the last three send nothing to the API.
    connecting = {"authorize_url", "exchange", "session", "table", "callback_failure", "scope_failure", "inspect"}
    assert public(ADAPTERS[name]) <= STEPS[name].keys() | connecting  # type: ignore[arg-type]


def test_the_scopes_that_google_is_asked_for_allow_every_call() -> None:
    google = SandboxWorld("google").adapter
    asked = {*google.scopes, *google.room_scopes, *google.organisation_scopes}
    for exchange in described("google"):
        operation = judge_of("google", exchange).operation(exchange)
        assert asked & operation.scopes, f"{operation.name} needs one of {sorted(operation.scopes)}"


ZOOM_IS_OLDER = {
    "no status for too many requests": lambda operation: "429" not in operation["responses"],
    "no status for a token that ran out": lambda operation: "401" not in operation["responses"],
    "no body for any error": lambda operation: (
        not any("content" in answer for status, answer in operation["responses"].items() if status[0] in "34")
    ),
    "no scopes, so none of the granular ones": lambda operation: (
        operation.get("security", [{"OAuth": []}]) == [{"OAuth": []}]
    ),
}


@pytest.mark.parametrize("what", sorted(ZOOM_IS_OLDER))
def test_zooms_description_is_older_than_what_is_known(what: str) -> None:
    """Its errors are judged by Zoom's page on them instead (`contract.ZOOM_ERROR`), its scopes by no outside source."""
    document = json.loads((contract.DATA / "zoom.json").read_text(encoding="utf-8"))
    operations = [
        given for verbs in document["paths"].values() for verb, given in verbs.items() if verb != "parameters"
    ]
    assert all(ZOOM_IS_OLDER[what](operation) for operation in operations)


# The judges themselves


def judged(name: str, method: str, path: str, sent: Any = None, query: dict[str, str] | None = None) -> list[str]:
    judge = CONTRACTS[name]()
    body = b"" if sent is None else json.dumps(sent).encode()
    asked = tuple((key, [value]) for key, value in (query or {}).items())
    service = judge.service
    return judge.request_problems(
        Exchange(service, method, judge.base + path, asked, "application/json", body, 200, b"")
    )


@pytest.mark.parametrize(
    ("name", "method", "path", "sent", "query", "said"),
    [
        ("google", "GET", "calendars/x/nothing", None, {}, "not described"),
        ("google", "GET", "calendars/x/events", None, {"maxResults": "many"}, "maxResults|integer"),
        ("google", "GET", "calendars/x/events", None, {"eventTypes": "party"}, "party"),
        ("google", "GET", "calendars/x/events", None, {"singleEvent": "true"}, "singleEvent is not described"),
        ("google", "POST", "calendars/x/events", {"start": {}}, {}, '"end" is a required'),
        ("google", "POST", "calendars/x/events", {"start": {}, "end": {}, "title": "x"}, {}, "title"),
        ("microsoft", "GET", "/me/calendars/x/calendarView", None, {"startDateTime": "x"}, "endDateTime is missing"),
        ("microsoft", "GET", "/me/calendars", None, {"$select": "id,nonsense"}, "nonsense"),
        ("microsoft", "POST", "/me/calendars/x/events", {"subject": 5}, {}, "string"),
        ("microsoft", "POST", "/me/calendars/x/events", {"showAs": "here"}, {}, "here"),
        ("microsoft", "POST", "/me/calendars/x/events", {"start": {"dateTime": 5}}, {}, "string"),
        ("teams", "POST", "/me/onlineMeetings/createOrGet", {"startDateTime": "tomorrow"}, {}, "tomorrow"),
        ("zoom", "POST", "/users/me/meetings", {"topic": 5}, {}, "string"),
        ("zoom", "POST", "/users/me/meetings", {"name": "x"}, {}, "name"),
        ("zoom", "GET", "/users/me/meetings", None, {"page_size": "301"}, "300"),
        ("zoom", "DELETE", "/meetings/5", {"why": "x"}, {}, "a body where none is due"),
    ],
)
def test_a_judge_names_what_is_wrong(
    name: str, method: str, path: str, sent: Any, query: dict[str, str], said: str
) -> None:
    found = judged(name, method, path, sent, query)
    assert any(re.search(said, problem) for problem in found), found


# What a judge refuses, the sandbox refuses


def spoiled(value: Any) -> Iterator[tuple[str, Any]]:
    """The value with one of its leaves of another kind, each of them once: where, and the whole."""
    if isinstance(value, dict):
        for key, inner in value.items():
            for where, wrong in spoiled(inner):
                yield f"{key}.{where}", {**value, key: wrong}
    elif isinstance(value, list):
        yield "list", "no list"
        for place, inner in enumerate(value):
            for where, wrong in spoiled(inner):
                yield f"{place}.{where}", [*value[:place], wrong, *value[place + 1 :]]
    else:
        yield "kind", ["a list"] if isinstance(value, str | None) else "no number"


def writes(judge: Contract, found: list[Exchange]) -> dict[str, Exchange]:
    """The last good exchange with a body of each operation: what it is about still stands."""
    return {
        judge.operation(exchange).name: exchange
        for exchange in found
        if exchange.sent and exchange.status < 300 and exchange.path.startswith(judge.base)
    }


@pytest.mark.parametrize("name", NAMES)
def test_what_the_description_refuses_the_sandbox_refuses_too(name: str) -> None:
    judge = CONTRACTS[name]()
    world, found = walked(name, to_the_end=False)
    host = {"google": "www.googleapis.com", "zoom": "api.zoom.us"}.get(name, "graph.microsoft.com")
    headers = {"Authorization": f"Bearer {world.keeper.token()}"}
    before = copy.deepcopy(world.account.calendars), dict(world.account.meetings)
    tried, taken = 0, []
    for operation, exchange in writes(judge, found).items():
        query = dict(exchange.query)
        for where, wrong in spoiled(exchange.sent_json):
            body = json.dumps(wrong).encode()
            bad = Exchange(exchange.service, exchange.method, exchange.path, (), "application/json", body, 0, b"")
            if not judge.request_problems(bad):
                continue
            address = f"https://{host}{exchange.path}"
            answer = world.client.request(exchange.method, address, params=query, json=wrong, headers=headers)
            tried += 1
            if answer.status_code != 400:
                taken.append(f"{operation} {where}: {answer.status_code}")
    assert taken == [], "\n".join(taken)
    assert tried >= 7
    assert (world.account.calendars, world.account.meetings) == before
