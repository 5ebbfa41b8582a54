"""What the services send by themselves: Google channels, Graph subscriptions, Zoom webhooks."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.posting import send_post
from sandbox.push import deliver
from tests.sandbox.driver import Linked, World
from tests.sandbox.test_google import at, seed

EMAIL = "sato@example.com"
HOOK = "https://awase.test/hook"


@dataclass
class Receiver:
    """The product's end of the line: keeps what arrives and answers handshakes."""

    got: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    obliging: bool = True

    def __call__(self, address: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        token = parse_qs(urlsplit(address).query).get("validationToken")
        event = json.loads(body) if body else None
        if token:
            return 200, token[0].encode() if self.obliging else b"no"
        if event and event.get("event") == "endpoint.url_validation":
            plain = event["payload"]["plainToken"]
            secret = b"s" if self.obliging else b"wrong"
            reply = {
                "plainToken": plain,
                "encryptedToken": hmac.new(secret, plain.encode(), hashlib.sha256).hexdigest(),
            }
            return 200, json.dumps(reply).encode()
        self.got.append((address, headers, event))
        return 202, b""


@pytest.fixture
def receiver(world: World) -> Receiver:
    made = Receiver()
    world.sandbox.post = made
    return made


def watch(linked: Linked, **changes: Any) -> Any:
    body = {"id": "channel-1", "type": "web_hook", "address": HOOK, "token": "secret"} | changes
    return linked.call("POST", "/calendar/v3/calendars/primary/events/watch", json=body)


def test_a_google_channel_says_sync_first_and_then_that_something_exists(world: World, receiver: Receiver) -> None:
    linked = world.connect("google", EMAIL)
    channel = watch(linked, params={"ttl": "3600"}).json()
    seed(linked, at(9))
    deliver(world.sandbox)
    assert [headers["X-Goog-Resource-State"] for _, headers, _ in receiver.got] == ["sync", "exists"]
    assert [headers["X-Goog-Message-Number"] for _, headers, _ in receiver.got] == ["1", "2"]
    assert receiver.got[0][1]["X-Goog-Channel-Token"] == "secret"
    stop = {"id": "channel-1", "resourceId": channel["resourceId"]}
    assert linked.call("POST", "/calendar/v3/channels/stop", json=stop).status_code == 204
    assert linked.call("POST", "/calendar/v3/channels/stop", json=stop).status_code == 404
    seed(linked, at(10))
    assert world.sandbox.outgoing.empty()


def test_a_google_channel_ends_when_its_time_is_over(world: World, receiver: Receiver) -> None:
    linked = world.connect("google", EMAIL)
    expiration = int(watch(linked, params={"ttl": "60"}).json()["expiration"])
    assert expiration == (world.sandbox.epoch() + 60) * 1000
    world.clock.pass_by(seconds=61)
    seed(linked, at(9))
    deliver(world.sandbox)
    assert len(receiver.got) == 1


@pytest.mark.parametrize("changes", [{"address": "http://awase.test/"}, {"id": "x" * 65}, {"type": "mail"}])
def test_a_wrong_google_channel_is_refused(world: World, receiver: Receiver, changes: dict[str, Any]) -> None:
    assert watch(world.connect("google", EMAIL), **changes).status_code == 400


def test_a_google_channel_id_is_used_once(world: World, receiver: Receiver) -> None:
    linked = world.connect("google", EMAIL)
    assert [watch(linked).status_code for _ in range(2)] == [200, 400]


def subscribe(linked: Linked, **changes: Any) -> Any:
    body = {
        "changeType": "created,updated,deleted",
        "notificationUrl": HOOK,
        "lifecycleNotificationUrl": f"{HOOK}/life",
        "resource": "/me/events",
        "expirationDateTime": "2026-12-03T00:00:00Z",
        "clientState": "secret",
    }
    return linked.call("POST", "/v1.0/subscriptions", json=body | changes)


def test_a_graph_subscription_reports_what_was_created_changed_and_deleted(world: World, receiver: Receiver) -> None:
    linked = world.connect("microsoft", EMAIL)
    answer = subscribe(linked)
    assert answer.status_code == 201
    (event,) = seed(linked, at(9))
    linked.call("PATCH", f"/v1.0/me/events/{event}", json={"subject": "x"})
    linked.call("DELETE", f"/v1.0/me/events/{event}")
    deliver(world.sandbox)
    told = [item for _, _, body in receiver.got for item in body["value"]]
    assert [item["changeType"] for item in told] == ["created", "updated", "deleted"]
    assert {item["clientState"] for item in told} == {"secret"}
    assert {item["subscriptionId"] for item in told} == {answer.json()["id"]}
    assert {item["resourceData"]["id"] for item in told} == {event}


def test_a_graph_subscription_needs_the_handshake(world: World, receiver: Receiver) -> None:
    receiver.obliging = False
    answer = subscribe(world.connect("microsoft", EMAIL))
    assert answer.status_code == 400 and answer.json()["error"]["code"] == "ValidationError"


@pytest.mark.parametrize(
    "changes",
    [
        {"expirationDateTime": "2026-12-09T00:00:00Z"},
        {"expirationDateTime": "soon"},
        {"clientState": "x" * 129},
        {"changeType": "moved"},
        {"resource": "/me/messages"},
        {"notificationUrl": "http://awase.test/"},
    ],
)
def test_a_wrong_graph_subscription_is_refused(world: World, receiver: Receiver, changes: dict[str, str]) -> None:
    assert subscribe(world.connect("microsoft", EMAIL), **changes).status_code == 400


def test_a_graph_subscription_is_renewed_reauthorized_and_deleted(world: World, receiver: Receiver) -> None:
    linked = world.connect("microsoft", EMAIL)
    short = subscribe(linked, expirationDateTime="2026-12-01T00:01:00Z").json()
    assert short["expirationDateTime"].startswith("2026-12-01T00:45:00")
    path = f"/v1.0/subscriptions/{short['id']}"
    later = {"expirationDateTime": "2026-12-05T00:00:00Z"}
    assert linked.call("PATCH", path, json=later).json()["expirationDateTime"].startswith("2026-12-05")
    assert linked.call("POST", f"{path}/reauthorize").status_code == 204
    assert linked.call("DELETE", path).status_code == 204
    assert linked.call("GET", path).status_code == 404


def test_graph_lifecycle_events_come_when_asked_for(world: World, receiver: Receiver) -> None:
    linked = world.connect("microsoft", EMAIL)
    path = f"/v1.0/subscriptions/{subscribe(linked).json()['id']}"
    for event in ("missed", "subscriptionRemoved"):
        world.control("POST", f"accounts/microsoft/{EMAIL}/lifecycle", event=event)
    deliver(world.sandbox)
    assert [(address, body["value"][0]["lifecycleEvent"]) for address, _, body in receiver.got] == [
        (f"{HOOK}/life", "missed"),
        (f"{HOOK}/life", "subscriptionRemoved"),
    ]
    assert linked.call("GET", path).status_code == 404


def test_zoom_tells_a_valid_webhook_that_the_app_was_removed(world: World, receiver: Receiver) -> None:
    linked = world.connect("zoom", EMAIL)
    world.control("POST", "clients", id="awase-zoom", webhook=HOOK, webhook_secret="s")
    linked.fault("app_deauthorized")
    deliver(world.sandbox)
    ((address, headers, event),) = receiver.got
    assert address == HOOK and event["event"] == "app_deauthorized"
    assert event["payload"]["user_id"] == world.control("GET", f"accounts/zoom/{EMAIL}")["id"]
    signed = f"v0:{headers['x-zm-request-timestamp']}:{json.dumps(event)}".encode()
    assert headers["x-zm-signature"] == f"v0={hmac.new(b's', signed, hashlib.sha256).hexdigest()}"
    assert linked.refresh().json()["reason"] == "Invalid Token!"


def test_zoom_does_not_take_a_webhook_that_fails_the_handshake(world: World, receiver: Receiver) -> None:
    receiver.obliging = False
    body = {"id": "awase-zoom", "webhook": HOOK, "webhook_secret": "s"}
    assert world.http.post("/control/api/clients", json=body).status_code == 400
    world.connect("zoom", EMAIL).fault("app_deauthorized")
    assert world.sandbox.outgoing.empty()


def test_nothing_is_sent_in_clear_to_another_machine() -> None:
    assert send_post("http://awase.test/", {}, b"") == (0, b"")


def test_a_dead_address_is_no_answer() -> None:
    assert send_post("http://127.0.0.1:9/", {}, b"") == (0, b"")
