"""Webhooks over the API: made once with their secret, listed without it, and their log."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from awase.models import Connection, Effect, EffectKind, Member, WebhookAttempt, WebhookEndpoint
from awase.services import webhooks
from awase.services.webhooks import Event
from tests.api.conftest import Program

URL = "https://hooks.example/awase?key=geheim"


@pytest.fixture
def admin(owner: Member, program: Callable[..., Program]) -> Program:
    return program(owner)


def test_the_secret_is_shown_once_and_the_address_never_again(admin: Program):
    made = admin.post("webhooks", {"url": URL, "events": ["page.stopped", "booking.confirmed"]})
    assert made.status == 201
    assert made.body["secret"].startswith("whsec_")
    assert (made.body["host"], made.body["active"]) == ("hooks.example", True)
    assert made.body["events"] == ["booking.confirmed", "page.stopped"]
    (listed,) = admin.get("webhooks").body["items"]
    assert "secret" not in listed
    assert "geheim" not in str(listed)
    assert WebhookEndpoint.objects.get().secret["address"] == URL


def test_a_chat_has_no_secret(admin: Program):
    made = admin.post("webhooks", {"url": URL, "kind": "chat"})
    assert (made.status, made.body["kind"], made.body["secret"]) == (201, "chat", "")


@pytest.mark.parametrize(
    "sent",
    [
        {"url": "https://127.0.0.1/"},
        {"url": "https://192.168.1.4/hook"},
        {"url": "http://hooks.example/"},
        {"url": "https://me:pass@hooks.example/"},
        {"url": "nonsense"},
        {"url": URL, "events": ["booking.painted"]},
        {"url": URL, "kind": "pigeon"},
        {"url": URL, "secret": "mine"},
        {},
    ],
)
def test_what_cannot_be_a_webhook_is_refused(admin: Program, sent: dict[str, object]):
    assert admin.post("webhooks", sent).code == "invalid"
    assert not WebhookEndpoint.objects.exists()


def test_there_are_only_so_many(admin: Program):
    for _ in range(20):
        assert admin.post("webhooks", {"url": URL}).status == 201
    assert admin.post("webhooks", {"url": URL}).code == "invalid"


def test_the_log_tells_every_try_and_a_message_can_be_sent_again(admin: Program, owner: Member, calendar: Connection):
    webhook = admin.post("webhooks", {"url": URL}).body["id"]
    now = datetime.now(UTC)
    webhooks.tell(owner.workspace_id, Event.CONNECTION_ERROR, calendar.pk, now)
    effect = Effect.objects.get(kind=EffectKind.WEBHOOK)
    WebhookAttempt.objects.create(endpoint_id=webhook, effect=effect, at=now, status=None, error="ConnectError")
    WebhookAttempt.objects.create(endpoint_id=webhook, effect=effect, at=now, status=500)
    Effect.objects.filter(pk=effect.pk).update(state="failed", attempts=10)

    (entry,) = admin.get(f"webhooks/{webhook}/deliveries").body["items"]
    assert (entry["event"], entry["state"], entry["next_at"]) == ("connection.error", "failed", None)
    assert [(attempt["status"], attempt["error"]) for attempt in entry["attempts"]] == [
        (500, ""),
        (None, "ConnectError"),
    ]
    again = admin.post(f"webhooks/{webhook}/deliveries/{effect.pk}/redeliver")
    assert (again.status, again.body["state"]) == (200, "pending")
    assert again.body["next_at"] == "2026-11-30T00:00:00Z"


def test_one_that_was_switched_off_is_switched_on_again(admin: Program):
    webhook = admin.post("webhooks", {"url": URL}).body["id"]
    WebhookEndpoint.objects.update(active=False, failing_since=datetime.now(UTC))
    assert admin.get("webhooks").body["items"][0]["active"] is False
    enabled = admin.post(f"webhooks/{webhook}/enable").body
    assert (enabled["active"], enabled["failing_since"]) == (True, None)


def test_deleting_takes_the_log_along(admin: Program, owner: Member, calendar: Connection):
    webhook = admin.post("webhooks", {"url": URL}).body["id"]
    webhooks.tell(owner.workspace_id, Event.CONNECTION_ERROR, calendar.pk, datetime.now(UTC))
    assert admin.delete(f"webhooks/{webhook}").status == 204
    assert admin.get("webhooks").body == {"items": [], "next": None}
    assert not Effect.objects.filter(kind=EffectKind.WEBHOOK).exists()


def test_another_workspace_s_webhook_does_not_exist(admin: Program, stranger: Member, program: Callable[..., Program]):
    webhook = admin.post("webhooks", {"url": URL}).body["id"]
    other = program(stranger)
    assert other.delete(f"webhooks/{webhook}").code == "not_found"
    assert other.get(f"webhooks/{webhook}/deliveries").code == "not_found"
    assert WebhookEndpoint.objects.exists()
