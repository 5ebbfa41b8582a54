"""Answers that no service should give: whatever stands in them, an adapter raises `ProviderError` or takes them, and
nothing else escapes into the product."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx2
import pytest

from awase.domain.errors import FailureClass, ProviderError
from awase.providers.protocols import EventDraft, MeetingDraft
from tests.providers.scripted import NOW, TOKENS, Wire, adapter, failure_of, reply, session
from tests.providers.symptoms import ACTS
from tests.providers.worlds import CREATING, SandboxWorld, at

KEY = "0123456789abcdef0123456789abcdef"
DRAFT = EventDraft(KEY, "Talk", at(5, 1), at(5, 2), "Asia/Tokyo", room_addresses=("room@minato.example",))
MEETING = MeetingDraft(KEY, "Talk", at(5, 1), at(5, 2), "Asia/Tokyo")
ROUNDS = 60
ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 10**30, 1e308, [], {}, ["x"], [None], {"a": 1}),
    *("", "x", "é\n", "\ud800", "AWASE" * 2_000, "https://elsewhere.example/next"),
    *("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "9999-12-31", "0001-01-01"),
)


class Spoiled(httpx2.BaseTransport):
    """The sandbox, with one value of one JSON answer turned into something odd."""

    def __init__(self, real: httpx2.BaseTransport, chance: random.Random) -> None:
        self.real, self.chance, self.on = real, chance, False

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = self.real.handle_request(request)
        body = answer.read()
        if not self.on or not body.startswith((b"{", b"[")):
            return httpx2.Response(answer.status_code, headers=answer.headers, content=body)
        value = json.loads(body)
        places = list(_places(value))
        if places and self.chance.random() < 0.7:
            holder, key = self.chance.choice(places)
            holder[key] = self.chance.choice(ODD)
        headers = {name: text for name, text in answer.headers.items() if name.lower() != "content-length"}
        return httpx2.Response(answer.status_code, headers=headers, content=json.dumps(value).encode())


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a decoded answer, as its holder and key."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in list(inner):
        yield value, key
        yield from _places(held)


CALENDAR_ACTS: dict[str, Callable[[SandboxWorld], object]] = {
    "check": lambda world: world.session.check(),
    "list": lambda world: world.session.list_calendars(),
    "busy": lambda world: world.session.busy([world.calendar_id], at(1), at(31)),
    "several": lambda world: world.session.busy([world.calendar_id, "other"], at(1), at(31)),
    "changes": lambda world: world.session.changes(world.calendar_id, "", at(1), at(31)),
    "times": lambda world: world.session.event_times(world.calendar_id, KEY),
    "put": lambda world: world.session.put_event(world.calendar_id, DRAFT),
    "rooms": lambda world: world.session.rooms_busy(["room@minato.example"], at(1), at(31)),
    "room list": lambda world: world.session.list_rooms(),
    "delete": lambda world: world.session.delete_event(world.calendar_id, KEY),
}
MEETING_ACTS: dict[str, Callable[[SandboxWorld], object]] = {
    "check": lambda world: world.session.check(),
    "create": lambda world: world.session.create_meeting(MEETING),
    "find": lambda world: world.session.find_meeting(MEETING),
}
OAUTH_ACTS: dict[str, Callable[[SandboxWorld], object]] = {
    "connect": lambda world: world.connect(),
    "refresh": lambda world: world.keeper.token(rejected="x"),
}
SESSIONS = [
    *((service, act) for service in ("google", "microsoft") for act in CALENDAR_ACTS),
    *((service, act) for service in CREATING for act in MEETING_ACTS),
    *((service, act) for service in ("google", "microsoft", "teams", "zoom") for act in OAUTH_ACTS),
]
EVERY_ACT = CALENDAR_ACTS | MEETING_ACTS | OAUTH_ACTS


@pytest.mark.parametrize(("service", "act"), SESSIONS)
def test_an_odd_value_anywhere_is_a_failure_of_the_service_or_none(service: str, act: str) -> None:
    acts = MEETING_ACTS | OAUTH_ACTS if service in CREATING else CALENDAR_ACTS | OAUTH_ACTS
    world = SandboxWorld(service)
    spoiled = Spoiled(world.client._transport, random.Random(f"{service} {act}"))
    world.client._transport = spoiled
    if service not in CREATING:
        world.seed(start="2031-03-05", end="2031-03-06")
        world.seed_weekly(2, start="2031-03-03T10:00:00+09:00", end="2031-03-03T10:30:00+09:00")
        world.session.put_event(world.calendar_id, DRAFT)
    tokens = world.keeper.tokens
    for _ in range(ROUNDS):
        spoiled.on = True
        with suppress(ProviderError):
            acts[act](world)
        spoiled.on = False
        world.keeper.tokens = tokens
        if act == "refresh":
            tokens = world.keeper.tokens = world.connect().tokens


DEEP = 200_000
RUBBISH: dict[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "no number": b'{"expires_in": NaN}',
    "half a sign": b'{"id": "\\ud800"}',
    "not text": b"\xff\xfe\x00",
    "a list without end": b"[" * DEEP,
    "an object without end": b'{"a":' * DEEP,
    "xml": b'<?xml version="1.0"?><error/>',
    "xml without end": b"<a>" * 20_000,
}


@pytest.mark.parametrize("status", [200, 207, 400, 401, 403, 404, 500])
@pytest.mark.parametrize("body", RUBBISH.values(), ids=RUBBISH)
@pytest.mark.parametrize("service", ["google", "microsoft", "teams", "zoom", "caldav"])
def test_rubbish_of_any_kind_is_classified(service: str, body: bytes, status: int) -> None:
    wire = Wire(reply(status, body))
    act = ACTS["check"] if service in CREATING else ACTS["busy"]
    failure = failure_of(lambda: act(service, session(service, wire)))
    assert failure is not None, "never read as free or well"
    if service != "caldav" and status != 404:
        refreshed = failure_of(lambda: adapter(service, wire).refresh(TOKENS, now=NOW))
        assert refreshed is not None
        assert refreshed.kind in (FailureClass.RETRY, FailureClass.BAD_REQUEST)
