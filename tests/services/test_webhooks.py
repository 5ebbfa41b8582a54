"""What endpoints are told, through a real receiver that checks the signature with the official library."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import pytest
from django.core import mail
from standardwebhooks import Webhook, WebhookVerificationError

from awase.domain.errors import Failure, FailureClass, FailureScope, ProviderError, Reason
from awase.domain.health import Service
from awase.models import (
    Connection,
    Credential,
    Effect,
    EffectKind,
    EffectState,
    Member,
    Role,
    WebhookAttempt,
    WebhookEndpoint,
    Workspace,
)
from awase.models.webhook import EndpointKind
from awase.services import booking, deliveries, effects, moving, webhooks
from awase.services.signals import Cause, Good, record
from awase.services.webhooks import Event
from tests.services.conftest import utcnow

pytestmark = pytest.mark.django_db

REVOKED = Failure(FailureClass.RECONNECT, FailureScope.CONNECTION, "G01", Reason.REVOKED)


class Receiver:
    """Somebody else's server: keeps what was posted, answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], str]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                status, headers = receiver.answers.pop(0) if receiver.answers else (204, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def answer(self, *statuses: int, **headers: str) -> None:
        self.answers += [(status, headers) for status in statuses]

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    def types(self) -> list[str]:
        return [str(body["type"]) for body in self.bodies()]


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.AWASE_WEBHOOKS_ALLOWED = ("127.0.0.1",)
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


def admin_of(workspace: Workspace) -> Member:
    return workspace.members.get(role=Role.OWNER)


def again(endpoint: WebhookEndpoint, now: datetime) -> None:
    """Redeliver the one message that there is."""
    effect = Effect.objects.get(kind=EffectKind.WEBHOOK)
    webhooks.redeliver(endpoint, effect, now, by=admin_of(endpoint.workspace))


@pytest.fixture
def endpoint(receiver: Receiver, workspace: Workspace) -> WebhookEndpoint:
    made, _ = webhooks.create(admin_of(workspace), EndpointKind.SIGNED, receiver.url, [], utcnow())
    return made


@pytest.fixture
def chat(receiver: Receiver, workspace: Workspace) -> WebhookEndpoint:
    workspace.language = "en"
    workspace.save()
    made, secret = webhooks.create(admin_of(workspace), EndpointKind.CHAT, receiver.url, [], utcnow())
    assert secret == ""
    return made


@pytest.fixture
def owner_at_google(owner: Member, connect: Callable[..., Connection]) -> Connection:
    link = connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    return link


@pytest.fixture
def send() -> Callable[[datetime], list[str]]:
    """send(now) tries every webhook due at `now`, until none is; returns their states."""

    def go(now: datetime) -> list[str]:
        while due := effects.claim_due(now, 100):
            for pk in due:
                effects.run(pk, now)
        rows = Effect.objects.filter(kind=EffectKind.WEBHOOK).order_by("pk")
        return [str(state) for state in rows.values_list("state", flat=True)]

    return go


def tell(workspace: Workspace, event: Event, object_id: int) -> datetime:
    """The moment at which it was told."""
    now = utcnow()
    webhooks.tell(workspace.pk, event, object_id, now)
    return now


def test_what_is_told_is_signed_and_the_official_library_accepts_it(
    receiver: Receiver, workspace: Workspace, owner_at_google: Connection, send: Any
) -> None:
    made, secret = webhooks.create(admin_of(workspace), EndpointKind.SIGNED, receiver.url, [], utcnow())
    assert secret.startswith("whsec_") and made.host == "127.0.0.1"
    tell(workspace, Event.CONNECTION_ERROR, owner_at_google.pk)
    assert send(utcnow()) == ["done"]
    ((headers, body),) = receiver.got
    verified = Webhook(secret).verify(body, headers)
    assert verified["type"] == "connection.error"
    assert verified["data"]["account"] == "tanaka@minato.example"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace("connection", "elsewhere"), headers)
    (attempt,) = made.attempts.all()
    assert (attempt.status, attempt.error) == (204, "")


def test_the_outbox_and_the_log_hold_ids_only_and_the_secret_is_sealed(
    owner_at_google: Connection, endpoint: WebhookEndpoint, workspace: Workspace, receiver: Receiver
) -> None:
    from django.db import connection

    tell(workspace, Event.CONNECTION_ERROR, owner_at_google.pk)
    payload = Effect.objects.get(kind=EffectKind.WEBHOOK).payload
    assert payload == {
        "endpoint": endpoint.pk,
        "event": "connection.error",
        "object": owner_at_google.pk,
        "at_once": True,
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM awase_webhookendpoint")
        row = repr(cursor.fetchone())
    assert "whsec_" not in row and "/hook" not in row


def test_a_booking_s_life_is_told_in_order(
    endpoint: WebhookEndpoint,
    receiver: Receiver,
    owner: Member,
    owner_at_google: Connection,
    page_of: Any,
    free_start: Any,
    book: Any,
    work: Any,
) -> None:
    page = page_of(owner)
    taken = book(page, free_start(page))
    work()
    moved = moving.move(taken, free_start(page, 5), utcnow(), by=None)
    work()
    booking.cancel(moved, utcnow(), reason="予定変更")
    work()
    assert receiver.types() == ["booking.confirmed", "booking.rescheduled", "booking.cancelled"]
    first, second, third = (body["data"] for body in receiver.bodies())
    assert first["uid"] == second["uid"] == taken.uid
    assert first["guest"]["name"] == "山田 花子"
    assert first["hosts"] == [{"id": owner.pk, "name": "Tanaka"}]
    assert second["start"] == moved.start.isoformat(timespec="seconds") != first["start"]
    assert (third["state"], third["cancel_reason"]) == ("cancelled", "予定変更")


def test_a_stop_and_what_ends_it_are_told_of_page_and_connection(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: Member, owner_at_google: Connection, page_of: Any, work: Any
) -> None:
    page = page_of(owner)
    record(owner_at_google.credential_id, REVOKED, Cause.CHECK, utcnow())
    work()
    assert sorted(receiver.types()) == ["connection.error", "page.stopped"]
    told = {body["type"]: body["data"] for body in receiver.bodies()}
    assert (told["connection.error"]["standing"], told["connection.error"]["reason"]) == ("error", "revoked")
    stopped = told["page.stopped"]
    assert (stopped["slug"], stopped["open"], stopped["stopped"]) == (page.slug, False, ["calendar"])
    receiver.got.clear()
    record(owner_at_google.credential_id, Good(full=True), Cause.CHECK, utcnow())
    work()
    assert sorted(receiver.types()) == ["connection.restored", "page.opened"]


def test_only_what_an_endpoint_asked_for_is_told_and_other_workspaces_hear_nothing(
    receiver: Receiver, workspace: Workspace, stranger: Member, owner_at_google: Connection, send: Any
) -> None:
    webhooks.create(admin_of(workspace), EndpointKind.SIGNED, receiver.url, [Event.PAGE_STOPPED], utcnow())
    webhooks.create(stranger, EndpointKind.SIGNED, receiver.url, [], utcnow())
    tell(workspace, Event.CONNECTION_ERROR, owner_at_google.pk)
    assert send(utcnow()) == [] and receiver.got == []


def test_a_message_is_tried_for_three_days_with_growing_pauses_under_one_id(
    endpoint: WebhookEndpoint, receiver: Receiver, workspace: Workspace, owner_at_google: Connection, send: Any
) -> None:
    receiver.answer(*[500] * 50)
    began = now = tell(workspace, Event.CONNECTION_ERROR, owner_at_google.pk)
    tries = []
    while send(now) == ["pending"]:
        tries.append(now - began)
        now = Effect.objects.get(kind=EffectKind.WEBHOOK).next_at
    assert send(now) == ["failed"]
    assert tries[0] == timedelta() and tries[1] < timedelta(seconds=10)
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert pauses == sorted(pauses)
    assert timedelta(days=2.9) < now - began < timedelta(days=3.4)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in receiver.got}) == len(receiver.got)
    assert WebhookAttempt.objects.filter(status=500).count() == len(receiver.got) == len(tries) + 1


def test_what_comes_later_about_an_object_waits_for_what_came_before(
    endpoint: WebhookEndpoint, receiver: Receiver, workspace: Workspace, owner_at_google: Connection, send: Any
) -> None:
    receiver.answer(503)
    tell(workspace, Event.CONNECTION_ERROR, owner_at_google.pk)
    now = tell(workspace, Event.CONNECTION_RESTORED, owner_at_google.pk)
    assert send(now) == ["pending", "pending"]
    assert send(now + timedelta(seconds=30)) == ["done", "done"]
    assert receiver.types() == ["connection.error", "connection.error", "connection.restored"]


def test_a_receiver_may_say_when_to_come_back(
    endpoint: WebhookEndpoint, receiver: Receiver, workspace: Workspace, owner_at_google: Connection, send: Any
) -> None:
    receiver.answer(429, **{"Retry-After": "600"})
    now = tell(workspace, Event.CONNECTION_ERROR, owner_at_google.pk)
    assert send(now) == ["pending"]
    assert send(now + timedelta(minutes=9)) == ["pending"]
    assert send(now + timedelta(minutes=11)) == ["done"]


def test_an_endpoint_that_fails_rests_whatever_else_it_is_to_be_told(
    endpoint: WebhookEndpoint,
    receiver: Receiver,
    workspace: Workspace,
    owner: Member,
    owner_at_google: Connection,
    page_of: Any,
    send: Any,
) -> None:
    receiver.answer(500)
    tell(workspace, Event.CONNECTION_ERROR, owner_at_google.pk)
    for page in (page_of(owner, slug=f"page-{number}") for number in range(4)):
        now = tell(workspace, Event.PAGE_STOPPED, page.pk)
    send(now)
    assert len(receiver.got) == 1, "one try a minute, not five"
    send(now + timedelta(minutes=10))
    assert len(receiver.got) == 6
    assert not Effect.objects.exclude(state=EffectState.DONE).exists()


def test_an_endpoint_that_takes_nothing_for_three_days_is_switched_off_and_the_admins_are_told(
    endpoint: WebhookEndpoint,
    receiver: Receiver,
    workspace: Workspace,
    teammate: Member,
    owner: Member,
    owner_at_google: Connection,
    send: Any,
) -> None:
    owner.user.language = "en"
    owner.user.save()
    receiver.answer(*[500] * 100)
    now = tell(workspace, Event.CONNECTION_ERROR, owner_at_google.pk)
    while "pending" in send(now):
        assert WebhookEndpoint.objects.get().active and not mail.outbox
        now = Effect.objects.get(kind=EffectKind.WEBHOOK).next_at
    assert not WebhookEndpoint.objects.get().active
    assert [message.to for message in mail.outbox] == [["tanaka@minato.example"]], "admins only"
    assert mail.outbox[0].subject == "The webhook to 127.0.0.1 was switched off."
    before = len(receiver.got)
    tell(workspace, Event.CONNECTION_RESTORED, owner_at_google.pk)
    again(endpoint, now)
    assert send(now) == ["failed"] and len(receiver.got) == before, "off is off"
    webhooks.set_active(endpoint, True, by=admin_of(endpoint.workspace))
    receiver.answers.clear()
    again(endpoint, now)
    assert send(now) == ["done"]


def test_one_success_forgets_the_failures_before(
    endpoint: WebhookEndpoint, receiver: Receiver, workspace: Workspace, owner_at_google: Connection, send: Any
) -> None:
    receiver.answer(500, 200)
    now = tell(workspace, Event.CONNECTION_ERROR, owner_at_google.pk)
    send(now)
    assert WebhookEndpoint.objects.get().failing_since == now
    send(now + timedelta(minutes=1))
    assert WebhookEndpoint.objects.get().failing_since is None


def test_an_endpoint_that_says_it_is_gone_is_switched_off_at_once(
    endpoint: WebhookEndpoint, receiver: Receiver, workspace: Workspace, owner_at_google: Connection, send: Any
) -> None:
    receiver.answer(410)
    tell(workspace, Event.CONNECTION_ERROR, owner_at_google.pk)
    send(utcnow())
    assert not WebhookEndpoint.objects.get().active


def test_redelivering_sends_the_same_message_again(
    endpoint: WebhookEndpoint, receiver: Receiver, workspace: Workspace, owner_at_google: Connection, send: Any
) -> None:
    tell(workspace, Event.CONNECTION_ERROR, owner_at_google.pk)
    send(utcnow())
    again(endpoint, utcnow())
    send(utcnow())
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1 and len(receiver.got) == 2
    (told,) = webhooks.told(endpoint)
    assert [attempt.status for attempt in told.webhook_attempts.all()] == [204, 204]


def test_no_redirect_is_followed(
    endpoint: WebhookEndpoint, receiver: Receiver, workspace: Workspace, owner_at_google: Connection, send: Any
) -> None:
    receiver.answer(302, Location=receiver.url)
    tell(workspace, Event.CONNECTION_ERROR, owner_at_google.pk)
    assert send(utcnow()) == ["pending"]
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/",
        "https://127.0.0.1/",
        "https://10.0.0.8/hook",
        "https://[::1]/",
        "https://169.254.169.254/latest",
        "http://hooks.example/plain",
        "ftp://hooks.example/",
        "https://user:pass@hooks.example/",
        "https:///nowhere",
        "not an address",
    ],
)
def test_an_address_inside_our_walls_or_malformed_is_refused_before_it_is_kept(
    workspace: Workspace, address: str
) -> None:
    with pytest.raises(ProviderError):
        webhooks.create(admin_of(workspace), EndpointKind.SIGNED, address, [], utcnow())
    assert not WebhookEndpoint.objects.exists()


def test_a_name_that_later_points_inside_is_not_called(
    endpoint: WebhookEndpoint,
    receiver: Receiver,
    workspace: Workspace,
    owner_at_google: Connection,
    send: Any,
    settings: Any,
) -> None:
    settings.AWASE_WEBHOOKS_ALLOWED = ()
    tell(workspace, Event.CONNECTION_ERROR, owner_at_google.pk)
    assert send(utcnow()) == ["pending"]
    assert receiver.got == []
    assert WebhookAttempt.objects.get().error == "private"


def test_a_receiver_that_is_not_there_is_logged_without_an_answer(
    workspace: Workspace, owner_at_google: Connection, send: Any, settings: Any
) -> None:
    settings.AWASE_WEBHOOKS_ALLOWED = ("127.0.0.1",)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    webhooks.create(admin_of(workspace), EndpointKind.SIGNED, f"http://127.0.0.1:{port}/", [], utcnow())
    tell(workspace, Event.CONNECTION_ERROR, owner_at_google.pk)
    assert send(utcnow()) == ["pending"]
    attempt = WebhookAttempt.objects.get()
    assert (attempt.status, attempt.error) == (None, "ConnectError")


def test_a_chat_reads_one_line_and_a_link_in_the_workspace_s_language(
    chat: WebhookEndpoint, receiver: Receiver, owner: Member, owner_at_google: Connection, page_of: Any, work: Any
) -> None:
    page_of(owner, slug="demo")
    record(owner_at_google.credential_id, REVOKED, Cause.CHECK, utcnow())
    record(owner_at_google.credential_id, Good(full=True), Cause.CHECK_NOW, utcnow() + timedelta(minutes=1))
    Effect.objects.filter(payload__event__in=["page.opened", "connection.restored"]).delete()
    work()
    assert all("webhook-signature" not in headers for headers, _ in receiver.got)
    texts = [str(body["text"]) for body in receiver.bodies()]
    assert all(list(body) == ["text"] for body in receiver.bodies())
    assert any(text.startswith("“Demo” takes no bookings at the moment.") for text in texts), texts


def test_a_chat_hears_of_pages_and_connections_only(
    chat: WebhookEndpoint, receiver: Receiver, owner: Member, owner_at_google: Connection, page_of: Any, free_start: Any
) -> None:
    webhooks.tell(chat.workspace_id, Event.BOOKING_CONFIRMED, 1, utcnow())
    assert not Effect.objects.filter(kind=EffectKind.WEBHOOK).exists()


def test_a_chat_is_spared_a_flapping_service(
    chat: WebhookEndpoint,
    receiver: Receiver,
    owner: Member,
    owner_at_google: Connection,
    page_of: Any,
    send: Any,
    time_machine: Any,
) -> None:
    page_of(owner)
    now = utcnow()
    heard: list[datetime] = []
    for turn in range(24):
        now += timedelta(minutes=10)
        time_machine.move_to(now, tick=False)
        signal = Failure(FailureClass.RETRY, FailureScope.CONNECTION, "X01") if turn % 4 else Good(full=True)
        Credential.objects.update(next_check=now + timedelta(days=1))
        record(owner_at_google.credential_id, signal, Cause.CHECK, now)
        send(now)
        heard += [now] * len(
            [text for text in receiver.bodies() if "Google" in text["text"] and "“" not in text["text"]]
        )
        receiver.got.clear()
    assert heard, "it is told all the same"
    assert all(later - at >= timedelta(hours=1) for at, later in pairwise(heard))


def test_a_repair_by_hand_reaches_the_chat_at_once(
    chat: WebhookEndpoint, receiver: Receiver, owner: Member, owner_at_google: Connection, send: Any, connect: Any
) -> None:
    record(owner_at_google.credential_id, REVOKED, Cause.CHECK, utcnow())
    send(utcnow())
    connect(owner, Service.GOOGLE, again=owner_at_google)
    send(utcnow())
    assert [body["text"].splitlines()[0] for body in receiver.bodies()] == [
        "Cannot connect to Google Calendar of Tanaka (tanaka@minato.example).",
        "Google Calendar (tanaka@minato.example) is connected again.",
    ]


def test_webhooks_never_take_all_the_worker_s_threads(
    endpoint: WebhookEndpoint, workspace: Workspace, owner_at_google: Connection
) -> None:
    now = utcnow()
    for number in range(10):
        tell(workspace, Event.CONNECTION_ERROR, number)
    Effect.objects.create(kind=EffectKind.MAIL, key="mail:x", payload={"template": "x"}, next_at=now)
    claimed = effects.claim_due(utcnow(), 10)
    kinds = [str(Effect.objects.get(pk=claim.effect_id).kind) for claim in claimed]
    assert kinds == ["mail", *["webhook"] * effects.MOST_WEBHOOKS]
    assert effects.claim_due(utcnow(), 10) == []


def test_what_was_about_something_that_is_gone_is_left(
    endpoint: WebhookEndpoint, receiver: Receiver, workspace: Workspace, send: Any
) -> None:
    for event in (Event.BOOKING_CONFIRMED, Event.PAGE_STOPPED, Event.CONNECTION_ERROR):
        tell(workspace, event, 4711)
    assert send(utcnow()) == ["done"] * 3 and receiver.got == []


def test_deleting_an_endpoint_ends_what_it_was_to_be_told(
    endpoint: WebhookEndpoint, receiver: Receiver, workspace: Workspace, owner_at_google: Connection, send: Any
) -> None:
    tell(workspace, Event.CONNECTION_ERROR, owner_at_google.pk)
    webhooks.delete(endpoint, by=admin_of(endpoint.workspace))
    assert send(utcnow()) == [] and not WebhookEndpoint.objects.exists()


def test_the_pauses_add_up_to_three_days() -> None:
    whole = sum(deliveries.PAUSES, timedelta())
    assert abs(whole - deliveries.GIVEN_UP_AFTER) < timedelta(hours=1)
