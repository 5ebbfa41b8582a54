"""Push channels: opened, renewed and ended at the services, and the messages that come through them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from awase.domain.errors import FailureClass, FailureScope, ProviderError
from awase.providers.protocols import Channel, PushProvider
from awase.providers.push import GRAPH_NEWS, Message, News, digest, google_message, graph_messages, refusal
from sandbox.push import deliver
from tests.providers.scripted import NOW, Wire, failure_of, reply, session
from tests.providers.worlds import SandboxWorld, at

HOOK = "https://awase.test/hooks"
SECRET = "a-secret"
SERVICES = ("google", "microsoft")


class Receiver:
    """Our end of the line: keeps the messages, and answers Graph's handshake."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.obliging = True
        self.messages: list[Message] = []

    def __call__(self, address: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        token = parse_qs(urlsplit(address).query).get("validationToken")
        if token:
            return 200, token[0].encode() if self.obliging else b""
        assert address == HOOK
        told = [google_message(headers)] if self.name == "google" else graph_messages(body)
        assert told is not None
        self.messages += [each for each in told if each is not None]
        return 202, b""


@pytest.fixture(params=SERVICES)
def world(request: pytest.FixtureRequest) -> Any:
    made = request.getfixturevalue(request.param)
    made.receiver = made.sandbox.post = Receiver(made.name)
    return made


def now() -> datetime:
    return datetime.now(UTC)


def watch(world: Any, calendar_id: str = "", channel_id: str = "channel-1") -> Channel:
    channel: Channel = world.session.watch(
        calendar_id or world.calendar_id, HOOK, SECRET, channel_id=channel_id, now=now()
    )
    return channel


def news(world: Any) -> list[News]:
    """What has been told but the greeting."""
    deliver(world.sandbox)
    return [message.news for message in world.receiver.messages if message.news is not News.OPEN]


def seed(world: Any) -> str:
    return str(world.seed(start="2031-03-05T10:00:00Z", end="2031-03-05T11:00:00Z"))


def test_a_session_can_watch(world: Any) -> None:
    assert isinstance(world.session, PushProvider)


def test_a_watched_calendar_tells_of_changes_and_proves_who_speaks(world: Any) -> None:
    channel = watch(world)
    seed(world)
    assert news(world) == [News.CHANGED]
    message = world.receiver.messages[-1]
    assert (message.channel_id, message.secret) == (channel.id, SECRET)
    assert message.resource_id == channel.resource_id


def test_a_channel_lasts_some_days_and_says_so(world: Any) -> None:
    assert timedelta(days=2) < watch(world).expires_at - now() <= timedelta(days=7)


def test_another_calendar_is_not_told_of(world: Any) -> None:
    watch(world, world.add_calendar(name="Other"))
    seed(world)
    assert news(world) == []


def test_a_stopped_channel_is_silent_and_stopping_again_is_fine(world: Any) -> None:
    channel = watch(world)
    world.session.stop(channel)
    seed(world)
    assert news(world) == []
    world.session.stop(channel)


def test_a_calendar_that_is_gone_cannot_be_watched(google: SandboxWorld) -> None:
    failure = failure_of(lambda: watch(google, "gone@group.calendar.google.com"))
    assert failure is not None
    assert (failure.kind, failure.scope) == (FailureClass.NOT_FOUND, FailureScope.CALENDAR)


@pytest.mark.parametrize("act", ["stop", "renew"])
def test_an_outage_is_told_and_not_taken_for_an_end(world: Any, act: str) -> None:
    channel = watch(world)
    world.answer(503, "")
    if act == "stop":
        with pytest.raises(ProviderError):
            world.session.stop(channel)
    elif world.name == "microsoft":
        with pytest.raises(ProviderError):
            world.session.renew(channel, now=now())


def test_google_names_the_channel_as_we_do_and_greets_us(google: SandboxWorld) -> None:
    google.sandbox.post = receiver = Receiver("google")
    assert watch(google).id == "channel-1"
    assert news_of(google, receiver) == [News.OPEN]
    assert receiver.messages[0].number == 1


def news_of(world: SandboxWorld, receiver: Receiver) -> list[News]:
    deliver(world.sandbox)
    return [message.news for message in receiver.messages]


def test_google_renews_nothing_so_that_a_new_channel_is_opened(google: SandboxWorld) -> None:
    assert google.session.renew(watch(google), now=now()) is None


def test_an_address_that_google_does_not_take_marks_nobody() -> None:
    body = {"error": {"code": 401, "errors": [{"reason": "push.webhookUrlUnauthorized"}], "message": "x"}}
    it = session("google", Wire(reply(401, body)))
    failure = failure_of(lambda: it.watch("c1", HOOK, SECRET, channel_id="one", now=NOW))
    assert failure is not None
    assert (failure.kind, failure.scope, failure.alert) == (FailureClass.BAD_REQUEST, FailureScope.APP, True)


def test_graph_asks_the_address_first(microsoft: SandboxWorld) -> None:
    microsoft.sandbox.post = receiver = Receiver("microsoft")
    receiver.obliging = False
    failure = failure_of(lambda: watch(microsoft))
    assert failure is not None
    assert failure.kind is FailureClass.BAD_REQUEST


def test_a_graph_subscription_is_renewed_and_one_that_is_gone_is_not(microsoft: SandboxWorld) -> None:
    microsoft.sandbox.post = Receiver("microsoft")
    channel = watch(microsoft)
    renewed = microsoft.session.renew(channel, now=now() + timedelta(days=1))
    assert renewed.id == channel.id
    assert renewed.expires_at - channel.expires_at > timedelta(hours=23)
    microsoft.session.stop(channel)
    assert microsoft.session.renew(channel, now=now()) is None


@pytest.mark.parametrize("event", [name for name in GRAPH_NEWS if name])
def test_graph_tells_of_the_subscriptions_own_life(microsoft: SandboxWorld, event: str) -> None:
    microsoft.sandbox.post = receiver = Receiver("microsoft")
    watch(microsoft)
    microsoft.on_account("POST", "lifecycle", event=event)
    assert news_of(microsoft, receiver) == [GRAPH_NEWS[event]]


# What is a message, and what is believed


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Goog-Channel-ID": "one"},
        {"X-Goog-Message-Number": "1"},
        {"X-Goog-Channel-ID": "one", "X-Goog-Message-Number": "-1"},
        {"X-Goog-Channel-ID": "one", "X-Goog-Message-Number": "9" * 19},
    ],
)
def test_what_is_no_message_of_google_is_none(headers: Mapping[str, str]) -> None:
    assert google_message(headers) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"value": {}}',
        b'{"value": [{"clientState": "x"}]}',
        b'{"value": [{"subscriptionId": "s", "subscriptionExpirationDateTime": "soon"}]}',
        b"\xff",
    ],
)
def test_what_is_no_message_of_graph_is_none(body: bytes) -> None:
    assert graph_messages(body) is None


def test_a_message_keeps_its_secret_to_itself() -> None:
    (message,) = graph_messages(json.dumps({"value": [{"subscriptionId": "s", "clientState": SECRET}]}).encode()) or ()
    assert message == Message("s", SECRET, News.CHANGED)
    assert SECRET not in repr(message)


GENUINE = Message("one", SECRET, News.CHANGED, "resource", 5, at(9))


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (GENUINE, ""),
        (Message("one", SECRET, News.CHANGED, "resource"), ""),
        (Message("one", "another", News.CHANGED, "resource", 5), "token"),
        (Message("one", "", News.CHANGED, "resource", 5), "token"),
        (Message("one", SECRET, News.CHANGED, "elsewhere", 5), "resource"),
        (Message("one", SECRET, News.CHANGED, "resource", 4), "replayed"),
        (Message("one", SECRET, News.CHANGED, "resource", 3), "replayed"),
        (Message("one", SECRET, News.CHANGED, "resource", 5, at(1)), "stale"),
    ],
)
def test_only_a_genuine_new_message_is_believed(message: Message, why: str) -> None:
    told = refusal(
        message,
        token_digest=digest(SECRET),
        resource_id="resource",
        last_number=4,
        expires_at=at(9),
        now=at(5),
    )
    assert told == why


@pytest.mark.parametrize(("expires_at", "why"), [(at(5), "stale"), (at(6), "")])
def test_after_its_end_a_channel_has_nothing_to_say(expires_at: datetime, why: str) -> None:
    told = refusal(
        Message("one", SECRET, News.CHANGED),
        token_digest=digest(SECRET),
        resource_id="",
        last_number=None,
        expires_at=expires_at,
        now=at(5),
    )
    assert told == why
