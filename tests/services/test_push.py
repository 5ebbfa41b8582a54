"""Being told of changes: channels opened, renewed and ended; messages believed or not; what follows from them.

The stand-ins really call: through a handler in place of the network, into the product's own addresses."""

import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from awase.domain.errors import Reason
from awase.domain.health import Service, Standing
from awase.models import Calendar, Connection, ConnectionChange, Credential, Member, PushChannel, ServiceAlarm
from awase.services import checks, connections, push
from awase.services.signals import Cause
from sandbox.push import deliver
from tests.services.conftest import Control, utcnow
from tests.services.test_checks import Diary, at

pytestmark = pytest.mark.django_db

PUSHING = (Service.GOOGLE, Service.MICROSOFT)
SECRET = "zoom-webhook-secret"


class Line:
    """Carries what the services send to our addresses, and keeps it."""

    def __init__(self) -> None:
        self.client = Client(SERVER_NAME="awase.test", enforce_csrf_checks=True)
        self.statuses: list[int] = []
        self.sent: list[tuple[str, dict[str, str], bytes]] = []
        self.cut = False

    def __call__(self, address: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}" == "https://awase.test"
        if self.cut:
            return 0, b""
        self.sent.append((address, headers, body))
        answer = self.post(address, headers, body)
        self.statuses.append(answer.status_code)
        return answer.status_code, answer.content

    def post(self, address: str, headers: dict[str, str], body: bytes = b"") -> Any:
        parts = urlsplit(address)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        kind = headers.get("Content-Type", "application/octet-stream")
        return self.client.post(path, body, content_type=kind, secure=True, headers=headers)


@pytest.fixture
def line(sandbox: Any, settings: Any) -> Iterator[Line]:
    settings.AWASE_PUSH = True
    sandbox.post = Line()
    yield sandbox.post


@pytest.fixture
def diary(owner: Any, connect: Callable[..., Any], control: Control) -> Callable[..., Diary]:
    def open_one(service: Service = Service.GOOGLE, **more: Any) -> Diary:
        return Diary(owner, connect(owner, service, **more), control)

    return open_one


@pytest.fixture(params=PUSHING)
def own(request: pytest.FixtureRequest, diary: Callable[..., Diary], line: Line) -> Diary:
    made = diary(request.param)
    push.tend(made.connection.credential_id, utcnow())
    wait(made)
    return made


def wait(own: Diary) -> None:
    """The account has been read a while ago, and its next turn is far away."""
    checks.check(own.connection.credential_id, Cause.CHECK, utcnow())
    Credential.objects.update(last_checked=utcnow() - timedelta(minutes=2), next_check=utcnow() + timedelta(minutes=3))


def due(own: Diary) -> bool:
    credential = Credential.objects.get(pk=own.connection.credential_id)
    return credential.next_check is not None and credential.next_check <= utcnow()


def channel(own: Diary) -> PushChannel:
    return PushChannel.objects.get(credential=own.connection.credential)


def told(sandbox: Any, line: Line) -> list[int]:
    """Let the services send what waits; the answers they got."""
    line.statuses.clear()
    deliver(sandbox)
    return line.statuses


def test_a_change_by_hand_is_told_and_read_at_once(own: Diary, sandbox: Any, line: Line) -> None:
    told(sandbox, line)
    assert not due(own)
    own.add(at(3))
    assert told(sandbox, line) == [202]
    assert due(own)
    assert checks.claim_due(utcnow(), 5) == [own.connection.credential_id]
    own.check()
    assert own.starts() == [at(3)]


def test_each_calendar_in_use_has_one_channel_and_no_other(own: Diary) -> None:
    own.control.post(f"{own.base}/calendars", name="Second")
    connections.check_now(own.connection, utcnow())
    for checked, channels in ((2, 2), (1, 1), (0, 0)):
        rows = list(Calendar.objects.filter(connection=own.connection).order_by("-primary"))
        Member.objects.update(booking_calendar=None)
        for place, row in enumerate(rows):
            Calendar.objects.filter(pk=row.pk).update(checked=place < checked)
        for _ in range(2):
            push.tend(own.connection.credential_id, utcnow())
        assert PushChannel.objects.count() == channels


def test_a_channel_lasts_for_days_and_keeps_no_secret(own: Diary) -> None:
    row = channel(own)
    assert row.expires_at > utcnow() + timedelta(days=2)
    assert len(row.token_digest) == 64
    assert row.calendar is not None


def test_a_channel_is_renewed_before_it_ends(own: Diary, sandbox: Any, line: Line) -> None:
    told(sandbox, line)
    first = channel(own)
    push.tend(own.connection.credential_id, first.expires_at - timedelta(days=1, minutes=1))
    assert channel(own).expires_at == first.expires_at
    push.tend(own.connection.credential_id, first.expires_at - timedelta(hours=23))
    later = channel(own)
    assert later.expires_at >= first.expires_at
    assert (later.pk == first.pk) is (own.connection.credential.service == Service.MICROSOFT)
    told(sandbox, line)
    wait(own)
    own.add(at(3))
    assert told(sandbox, line) == [202]


def test_a_channel_that_ended_is_opened_anew(own: Diary) -> None:
    first = channel(own)
    push.tend(own.connection.credential_id, first.expires_at + timedelta(hours=1))
    assert channel(own).channel_id != first.channel_id


def test_without_a_public_address_nobody_is_asked_to_call(own: Diary, settings: Any) -> None:
    PushChannel.objects.all().delete()
    settings.AWASE_PUSH = False
    push.tend(own.connection.credential_id, utcnow())
    assert not PushChannel.objects.exists()


def test_an_account_in_error_is_left_alone(own: Diary) -> None:
    PushChannel.objects.all().delete()
    Credential.objects.update(standing=Standing.ERROR)
    push.tend(own.connection.credential_id, utcnow())
    assert not PushChannel.objects.exists()


@pytest.mark.parametrize("fault", ["outage", "revoked"])
def test_where_no_channel_can_be_opened_the_checks_go_on(own: Diary, fault: str) -> None:
    PushChannel.objects.all().delete()
    own.fault(fault)
    push.tend(own.connection.credential_id, utcnow())
    assert not PushChannel.objects.exists()
    credential = Credential.objects.get(pk=own.connection.credential_id)
    assert (credential.standing, credential.last_symptom) == (Standing.OK, "")


def test_a_refused_channel_is_not_asked_for_again_at_once(own: Diary, line: Line, sandbox: Any) -> None:
    PushChannel.objects.all().delete()
    refusal = {"error": {"code": 400, "errors": [{"reason": "pushNotSupportedForRequestedResource"}]}}
    operation = "events.watch" if own.connection.credential.service == Service.GOOGLE else "subscriptions.create"
    own.control.post(f"{own.base}/override", status=400, body=refusal, operation=operation)
    sandbox.requests.clear()
    for _ in range(3):
        push.tend(own.connection.credential_id, utcnow())
    assert [entry["operation"] for entry in sandbox.requests].count(operation) == 1


def test_an_address_that_google_does_not_take_alarms_the_operators(diary: Any, line: Line) -> None:
    own = diary(Service.GOOGLE)
    refusal = {"error": {"code": 401, "errors": [{"reason": "push.webhookUrlUnauthorized"}]}}
    own.control.post(f"{own.base}/override", status=401, body=refusal, operation="events.watch")
    push.tend(own.connection.credential_id, utcnow())
    assert ServiceAlarm.objects.get().service == "google"
    assert Credential.objects.get().standing == Standing.OK


def test_graph_opens_nothing_without_its_handshake(diary: Any, line: Line) -> None:
    line.cut = True
    own = diary(Service.MICROSOFT)
    push.tend(own.connection.credential_id, utcnow())
    assert not PushChannel.objects.exists()


def test_disconnecting_ends_the_channels_at_the_service(own: Diary, sandbox: Any, line: Line) -> None:
    assert sandbox.state.channels
    connections.disconnect(own.connection, utcnow())
    assert not sandbox.state.channels
    assert not PushChannel.objects.exists()


def test_an_outage_does_not_hinder_disconnecting(own: Diary) -> None:
    own.fault("outage")
    connections.disconnect(own.connection, utcnow())
    assert not Credential.objects.exists()


def test_the_account_of_another_member_keeps_its_channels(
    own: Diary, connect: Any, teammate: Any, sandbox: Any
) -> None:
    link = connect(teammate, Service(own.connection.credential.service), email=own.member.user.email)
    connections.disconnect(link, utcnow())
    assert sandbox.state.channels


# What is believed


def sent_again(own: Diary, sandbox: Any, line: Line) -> tuple[str, dict[str, str], bytes]:
    """The message about a change, which has been taken in."""
    told(sandbox, line)
    own.add(at(3))
    told(sandbox, line)
    wait(own)
    return line.sent[-1]


def test_a_forged_secret_changes_nothing(own: Diary, sandbox: Any, line: Line) -> None:
    address, headers, body = sent_again(own, sandbox, line)
    forged = {**headers, "X-Goog-Channel-Token": "guess", "X-Goog-Message-Number": "99"}
    answer = line.post(address, forged, body.replace(b'"clientState": "', b'"clientState": "x'))
    assert answer.status_code == 403
    assert not due(own)


def test_an_unknown_channel_changes_nothing(own: Diary, sandbox: Any, line: Line) -> None:
    message = sent_again(own, sandbox, line)
    PushChannel.objects.all().delete()
    assert line.post(*message).status_code == 403
    assert not due(own)


def test_a_message_after_the_channels_end_changes_nothing(own: Diary, sandbox: Any, line: Line) -> None:
    message = sent_again(own, sandbox, line)
    PushChannel.objects.update(expires_at=utcnow() - timedelta(minutes=1))
    assert line.post(*message).status_code == 403
    assert not due(own)


def test_a_replayed_message_of_google_changes_nothing(diary: Any, sandbox: Any, line: Line) -> None:
    own = diary(Service.GOOGLE)
    push.tend(own.connection.credential_id, utcnow())
    assert line.post(*sent_again(own, sandbox, line)).status_code == 403
    assert not due(own)


def test_a_message_is_not_taken_from_another_services_address(own: Diary, sandbox: Any, line: Line) -> None:
    address, headers, body = sent_again(own, sandbox, line)
    other = "microsoft" if address.endswith("google") else "google"
    assert line.post(f"https://awase.test/hooks/{other}", headers, body).status_code == 403
    assert not due(own)


def test_what_was_refused_is_logged_without_what_it_said(
    own: Diary, sandbox: Any, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    address, headers, body = sent_again(own, sandbox, line)
    row = channel(own)
    PushChannel.objects.all().delete()
    with caplog.at_level(logging.WARNING):
        line.post(address, headers, body)
    assert "refused" in caplog.text
    assert row.channel_id not in caplog.text
    assert headers.get("X-Goog-Channel-Token", "clientState") not in caplog.text


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"value": [{}]}', b"{" * 100_000])
@pytest.mark.parametrize("service", ["google", "microsoft", "zoom"])
def test_rubbish_is_refused(line: Line, service: str, body: bytes) -> None:
    assert line.post(f"https://awase.test/hooks/{service}", {}, body).status_code == 403
    assert line.client.get(f"/hooks/{service}", secure=True).status_code == 405


def test_a_word_to_be_said_back_is_said_back_as_plain_text(line: Line) -> None:
    answer = line.post("https://awase.test/hooks/microsoft?validationToken=%3Cb%3E+1", {})
    assert (answer.status_code, answer.content) == (200, b"<b> 1")
    assert answer["Content-Type"].startswith("text/plain")
    assert line.post(f"https://awase.test/hooks/microsoft?validationToken={'x' * 2001}", {}).status_code == 403


# What follows


def test_a_burst_of_messages_leads_to_one_check_after_it(own: Diary, sandbox: Any, line: Line) -> None:
    told(sandbox, line)
    read_at = utcnow() - timedelta(seconds=1)
    Credential.objects.update(last_checked=read_at)
    for hour in (9, 10, 11):
        own.add(at(3, hour))
        told(sandbox, line)
    assert Credential.objects.get().next_check == read_at + push.BURST


def test_an_account_in_trouble_keeps_its_own_pace(own: Diary, sandbox: Any, line: Line) -> None:
    told(sandbox, line)
    Credential.objects.update(last_symptom="G15")
    own.add(at(3))
    assert told(sandbox, line) == [202]
    assert not due(own)


@pytest.mark.parametrize("event", ["missed", "reauthorizationRequired", "subscriptionRemoved"])
def test_graphs_news_of_a_subscription_are_heeded(diary: Any, sandbox: Any, line: Line, event: str) -> None:
    own = diary(Service.MICROSOFT)
    push.tend(own.connection.credential_id, utcnow())
    wait(own)
    first = channel(own)
    own.control.post(f"{own.base}/lifecycle", event=event)
    assert told(sandbox, line) == [202]
    assert due(own)
    push.tend(own.connection.credential_id, utcnow())
    later = channel(own)
    assert later.expires_at > utcnow() + timedelta(days=2)
    assert (later.channel_id == first.channel_id) is (event != "subscriptionRemoved")


# Zoom


@pytest.fixture
def zoom(diary: Any, line: Line, settings: Any, control: Control) -> Diary:
    settings.AWASE_SERVICES = {**settings.AWASE_SERVICES}
    settings.AWASE_SERVICES["zoom"] = {**settings.AWASE_SERVICES["zoom"], "webhook_secret": SECRET}
    made: Diary = diary(Service.ZOOM)
    address = "https://awase.test/hooks/zoom"
    control.post("clients", id="awase-zoom", webhook=address, webhook_secret=SECRET)  # with its handshake
    return made


def issued(minutes_ago: float) -> None:
    """When the account's tokens were given."""
    Credential.objects.update(expires_at=utcnow() + timedelta(hours=1) - timedelta(minutes=minutes_ago))


def test_removing_the_app_at_zoom_marks_the_account_at_once(zoom: Diary, sandbox: Any, line: Line) -> None:
    issued(minutes_ago=20)
    zoom.fault("app_deauthorized")
    assert told(sandbox, line) == [200]
    credential = Credential.objects.get()
    assert (credential.standing, credential.reason) == (Standing.ERROR, Reason.APP_DEAUTHORIZED)
    assert ConnectionChange.objects.filter(cause=Cause.PUSH).count() == 1


def test_nothing_of_the_tokens_is_kept_after_the_removal_and_zoom_is_not_asked_any_more(
    zoom: Diary, sandbox: Any, line: Line
) -> None:
    issued(minutes_ago=20)
    zoom.fault("app_deauthorized")
    told(sandbox, line)
    credential = Credential.objects.get()
    assert credential.secret == {"access_token": "", "refresh_token": ""}
    sandbox.requests.clear()
    checks.check(credential.pk, Cause.CHECK, utcnow())
    assert Credential.objects.get().reason == Reason.APP_DEAUTHORIZED
    connections.disconnect(Connection.objects.get(credential=credential), utcnow())
    assert not [call for call in sandbox.requests if call["service"] == "zoom"]


def test_a_deactivated_zoom_user_cannot_hold_meetings_until_activated_again(
    zoom: Diary, sandbox: Any, line: Line
) -> None:
    issued(minutes_ago=20)
    zoom.fault("disabled", operation="meetings.create")
    assert told(sandbox, line) == [200]
    credential = Credential.objects.get()
    assert (credential.standing, credential.lacking) == (Standing.OK, {"zoom": Reason.ACCOUNT_DISABLED})
    zoom.fault("ok")
    assert told(sandbox, line) == [200]
    assert Credential.objects.get().lacking == {}


def test_news_that_a_user_is_active_opens_nothing_that_was_closed_for_another_reason(
    zoom: Diary, sandbox: Any, line: Line
) -> None:
    issued(minutes_ago=20)
    Credential.objects.update(lacking={"zoom": Reason.LICENCE_MISSING})
    for name in ("disabled", "ok"):
        zoom.fault(name, operation="meetings.list")
    sandbox.outgoing.get_nowait()  # that of the deactivation was lost
    assert told(sandbox, line) == [200]
    assert Credential.objects.get().lacking == {"zoom": Reason.LICENCE_MISSING}


def test_an_event_of_zoom_that_is_sent_again_changes_nothing(zoom: Diary, line: Line, caplog: Any) -> None:
    issued(minutes_ago=20)
    body = removal(zoom.connection.credential.account_id)
    assert event_from_zoom(line, body).status_code == 200
    Credential.objects.update(standing=Standing.OK, reason="")
    assert event_from_zoom(line, body).status_code == 403
    assert Credential.objects.get().standing == Standing.OK
    assert "an event of zoom was refused: replayed" in caplog.text


def test_an_old_removal_does_not_break_an_account_connected_since(zoom: Diary, sandbox: Any, line: Line) -> None:
    zoom.fault("app_deauthorized")
    Credential.objects.update(expires_at=utcnow() + timedelta(hours=1, minutes=1))
    assert told(sandbox, line) == [403]
    assert Credential.objects.get().standing == Standing.OK


def event_from_zoom(line: Line, body: bytes, *, age: int = 0, secret: str = SECRET) -> Any:
    stamp = str(int(utcnow().timestamp()) - age)
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {"x-zm-request-timestamp": stamp, "x-zm-signature": f"v0={digest}", "Content-Type": "application/json"}
    return line.post("https://awase.test/hooks/zoom", headers, body)


def removal(user_id: str) -> bytes:
    said = {"user_id": user_id, "deauthorization_time": utcnow().strftime("%Y-%m-%dT%H:%M:%S.000Z")}
    return json.dumps({"event": "app_deauthorized", "payload": said}).encode()


@pytest.mark.parametrize(("age", "secret"), [(301, SECRET), (-301, SECRET), (0, "guess")])
def test_a_wrong_or_old_signature_changes_nothing(zoom: Diary, line: Line, age: int, secret: str) -> None:
    issued(minutes_ago=20)
    body = removal(zoom.connection.credential.account_id)
    assert event_from_zoom(line, body, age=age, secret=secret).status_code == 403
    assert Credential.objects.get().standing == Standing.OK


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{",
        b"[" * 100_000,
        b'{"event": "app_deauthorized"}',
        b'{"event": "endpoint.url_validation"}',
        b'{"event": "user.deactivated", "event_ts": 1000000000000000000000000, "payload": {"object": {"id": "u"}}}',
    ],
)
def test_a_signed_event_that_cannot_be_read_changes_nothing(zoom: Diary, line: Line, body: bytes) -> None:
    assert event_from_zoom(line, body).status_code == 403


def test_events_about_nobody_here_or_nothing_for_us_are_thanked_for(zoom: Diary, line: Line) -> None:
    assert event_from_zoom(line, removal("somebody-else")).status_code == 200
    assert event_from_zoom(line, b'{"event": "meeting.started"}').status_code == 200
    assert Credential.objects.get().standing == Standing.OK


def test_without_a_secret_no_event_of_zoom_is_believed(zoom: Diary, line: Line, settings: Any) -> None:
    settings.AWASE_SERVICES["zoom"] = {**settings.AWASE_SERVICES["zoom"], "webhook_secret": ""}
    assert event_from_zoom(line, b'{"event": "meeting.started"}', secret="").status_code == 403
