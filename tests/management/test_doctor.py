"""`awase doctor`: each thing that can be wrong with an installation is said, with what to do about it."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from awase import registry
from awase.domain.health import Service
from awase.models import Credential, Effect, EffectKind, ServiceAlarm
from awase.services import heartbeat
from sandbox.app import wsgi

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sound(settings: Any, sandbox: Any) -> Any:
    """An installation without a fault, and the stand-ins of the services, which know its redirect addresses."""
    settings.SECRET_KEY = "s" * 50
    settings.AWASE_OPERATOR_EMAIL = "operator@awase.test"
    for service in (Service.GOOGLE, Service.MICROSOFT, Service.TEAMS, Service.ZOOM):
        client = sandbox.state.clients[f"awase-{service.registration}"]
        client.redirect_uris.append(registry.redirect_address(service))
    return sandbox


def report(*arguments: str) -> dict[str, Any]:
    said = StringIO()
    try:
        call_command("doctor", "--json", *arguments, stdout=said)
    except CommandError as error:
        assert "to mend" in str(error)
        assert json.loads(said.getvalue())["ok"] is False
    else:
        assert json.loads(said.getvalue())["ok"] is True
    found: dict[str, Any] = json.loads(said.getvalue())["checks"]
    return found


def findings(check: str, *arguments: str) -> list[tuple[str, str]]:
    return [(finding["level"], finding["what"]) for finding in report(*arguments)[check]]


def only(check: str, *arguments: str) -> tuple[str, str]:
    (finding,) = findings(check, *arguments)
    return finding


def test_a_sound_installation_has_nothing_to_mend_and_the_redirect_addresses_are_named() -> None:
    said = StringIO()
    call_command("doctor", stdout=said)
    for check in ("Database and encryption keys", "Address", "Mail", "Services", "Worker", "Alarms"):
        assert f"{check}: ok\n" in said.getvalue()
    assert "https://awase.test/connect/google/callback" in said.getvalue()
    assert "https://awase.test/connect/teams/callback" in said.getvalue()
    assert set(report()) == set(report("--offline")) | {"Mail", "Services"}


def test_every_finding_says_what_to_do(settings: Any) -> None:
    settings.AWASE_URL, settings.SECRET_KEY, settings.AWASE_OPERATOR_EMAIL = "http://127.0.0.1/x", "short", ""
    said = StringIO()
    with pytest.raises(CommandError, match="4 things to mend"):
        call_command("doctor", "--offline", stdout=said)
    found = report("--offline")
    assert all(finding["cure"] for check in found.values() for finding in check)
    assert said.getvalue().count("→") == sum(len(check) for check in found.values()) == 4


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://book.example.jp", "not an https address"),
        ("https://book.example.jp/awase", "more than a host name"),
        ("https://203.0.113.7", "Google refuses"),
        ("https://localhost", "Google refuses"),
    ],
)
def test_an_address_that_the_services_do_not_take_is_named(settings: Any, address: str, said: str) -> None:
    settings.AWASE_URL = address
    level, what = only("Address", "--offline")
    assert level == "wrong" and said in what


def test_a_demo_may_have_any_address(settings: Any) -> None:
    settings.AWASE_URL, settings.AWASE_DEMO = "http://127.0.0.1:8000", True
    assert findings("Address", "--offline") == []


def test_a_short_secret_and_open_error_pages_are_named(settings: Any) -> None:
    settings.SECRET_KEY, settings.DEBUG = "short", True
    assert [what.split(" ")[0] for _, what in findings("Secrets", "--offline")] == ["AWASE_SECRET_KEY", "AWASE_DEBUG"]


@pytest.mark.parametrize("keys", [(), ("no key",)])
def test_missing_or_malformed_keys_are_named(settings: Any, keys: tuple[str, ...]) -> None:
    settings.AWASE_ENCRYPTION_KEYS = keys
    assert "AWASE_ENCRYPTION_KEYS" in only("Database and encryption keys", "--offline")[1]


def test_keys_that_cannot_read_what_is_stored_are_named(settings: Any, owner: Any, connected: Any) -> None:
    settings.AWASE_ENCRYPTION_KEYS = (Fernet.generate_key().decode(),)
    assert "does not hold the key" in only("Database and encryption keys", "--offline")[1]


def test_a_dead_mail_server_is_named(settings: Any, unused_port: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", unused_port
    assert only("Mail") == ("wrong", "The mail server does not answer (ConnectionRefusedError).")


def test_without_an_operators_address_a_warning_is_enough(settings: Any) -> None:
    settings.AWASE_OPERATOR_EMAIL = ""
    level, what = only("Mail")
    assert (level, what) == ("warning", "Nobody is told of faults that only the operator can repair.")


def changed(settings: Any, service: str, **parts: str) -> None:
    settings.AWASE_SERVICES = {**settings.AWASE_SERVICES, service: {**settings.AWASE_SERVICES[service], **parts}}


def test_half_a_registration_is_named_and_not_tried(settings: Any) -> None:
    changed(settings, "zoom", client_secret="")
    assert only("Registrations") == ("wrong", "Zoom has a client id and no client secret.")
    assert findings("Services") == []


def test_no_registration_at_all_is_worth_a_word(settings: Any) -> None:
    for service in settings.AWASE_SERVICES:
        changed(settings, service, client_id="", client_secret="")
    assert only("Registrations")[0] == "warning"


def test_an_end_that_is_near_warns_and_one_that_is_past_is_wrong(settings: Any) -> None:
    today = datetime.now(UTC).date()
    settings.AWASE_SECRETS_END = {
        "google": None,
        "microsoft": today + timedelta(days=20),
        "zoom": today - timedelta(days=1),
    }
    assert [level for level, _ in findings("Registrations", "--offline")] == ["warning", "wrong"]
    settings.AWASE_SECRETS_END = {"google": date(2099, 1, 1)}
    assert findings("Registrations", "--offline") == []


def test_an_approval_that_lapses_warns_of_what_people_cannot_do_then(settings: Any) -> None:
    settings.AWASE_APPROVALS_END = {"google": None, "zoom": datetime.now(UTC).date() + timedelta(days=20)}
    level, what = only("Registrations", "--offline")
    assert level == "warning" and "no accounts of others may be connected" in what


def test_googles_testing_mode_is_said_with_its_seven_days(settings: Any) -> None:
    settings.AWASE_GOOGLE_TESTING = True
    level, what = only("Registrations", "--offline")
    assert level == "warning" and "seven days" in what


@pytest.mark.parametrize("service", ["google", "microsoft", "zoom"])
@pytest.mark.parametrize("part", ["client_id", "client_secret"])
def test_a_registration_that_the_service_does_not_know_is_named(settings: Any, service: str, part: str) -> None:
    changed(settings, service, **{part: "wrong"})
    names = ["Microsoft", "Teams"] if service == "microsoft" else [service.title()]
    refused = [what for level, what in findings("Services") if "refuses our client id or secret" in what]
    assert [what.split(" ")[0] for what in refused] == names


def test_a_redirect_address_that_is_not_registered_is_named_with_the_right_one(sound: Any) -> None:
    sound.state.clients["awase-zoom"].redirect_uris[:] = ["https://elsewhere.example/callback"]
    (finding,) = report()["Services"]
    assert finding["what"] == "Zoom's consent screen refuses our question."
    assert finding["cure"].endswith("https://awase.test/connect/zoom/callback")


@pytest.fixture
def through(sound: Any) -> Callable[[Callable[[httpx2.Response], httpx2.Response]], Any]:
    """Lets a test change the services' answers on the wire."""

    def use(change: Callable[[httpx2.Response], httpx2.Response]) -> Any:
        inner = httpx2.WSGITransport(app=wsgi(sound))
        return registry.use_transport(httpx2.MockTransport(lambda request: change(inner.handle_request(request))))

    return use


@pytest.mark.parametrize(("seconds", "word"), [(-300, "ahead of"), (300, "behind")])
def test_a_clock_that_goes_wrong_is_named(through: Any, seconds: int, word: str) -> None:
    def dated(response: httpx2.Response) -> httpx2.Response:
        there = datetime.now(UTC) + timedelta(seconds=seconds)
        response.headers["Date"] = f"{there:%a, %d %b %Y %H:%M:%S} GMT"
        return response

    with through(dated):
        found = findings("Services")
    assert len(found) == 4
    assert all(word in what and "clock" in what for _, what in found)


def test_a_service_that_cannot_be_reached_is_named(through: Any) -> None:
    def dead(response: httpx2.Response) -> httpx2.Response:
        raise httpx2.ConnectError("no route to host")

    with through(dead):
        found = findings("Services")
    assert [what for _, what in found] == [
        f"{name} cannot be reached (ConnectError)." for name in ("Google", "Microsoft", "Teams", "Zoom")
    ]


def test_an_outage_there_is_a_warning(through: Any) -> None:
    with through(lambda response: httpx2.Response(503)):
        found = findings("Services")
    assert [level for level, what in found if "not as it should" in what] == ["warning"] * 4


@pytest.fixture
def connected(owner: Any) -> Credential:
    return Credential.objects.create(
        service="google",
        account_id="1",
        account_email="tanaka@minato.example",
        secret={"access_token": "a", "refresh_token": "r"},
        since=datetime.now(UTC),
        check_every=timedelta(minutes=5),
        next_check=datetime.now(UTC) + timedelta(minutes=5),
    )


def test_work_that_nobody_does_is_named(connected: Credential) -> None:
    assert findings("Worker", "--offline") == []
    Credential.objects.update(next_check=datetime.now(UTC) - timedelta(minutes=10))
    Effect.objects.create(kind=EffectKind.MAIL, key="m", next_at=datetime.now(UTC) - timedelta(minutes=10))
    assert only("Worker", "--offline")[1].startswith("No worker seems to run: 1 checks and 1 other")


def test_a_worker_that_gave_no_sign_of_life_for_minutes_is_missed_before_work_piles_up() -> None:
    heartbeat.beat(datetime.now(UTC) - timedelta(minutes=2))
    assert findings("Worker", "--offline") == []
    heartbeat.beat(datetime.now(UTC) - timedelta(minutes=4))
    level, said = only("Worker", "--offline")[:2]
    assert level == "wrong" and said.startswith("No worker runs: the last sign of one was at ")


def test_a_worker_that_is_there_and_falls_behind_is_told_apart() -> None:
    heartbeat.beat(datetime.now(UTC))
    Effect.objects.create(kind=EffectKind.MAIL, key="m", next_at=datetime.now(UTC) - timedelta(minutes=10))
    level, said = only("Worker", "--offline")[:2]
    assert level == "warning" and said.startswith("The worker falls behind: 0 checks and 1 other")


def test_work_that_was_given_up_is_named() -> None:
    Effect.objects.create(kind=EffectKind.MAIL, key="m", next_at=datetime.now(UTC), state="failed")
    assert only("Worker", "--offline")[0] == "warning"


def test_an_open_alarm_is_named_with_its_guide() -> None:
    now = datetime.now(UTC)
    ServiceAlarm.objects.create(service="teams", symptom="M09", detail="HTTP 401", since=now, last_at=now, count=3)
    (finding,) = report("--offline")["Alarms"]
    assert "An alarm about Teams stands since" in finding["what"] and "3 times (M09, HTTP 401)" in finding["what"]
    guide = Path(__file__).parents[2] / "docs/providers/microsoft.md"
    assert "docs/providers/microsoft.md" in finding["cure"] and guide.exists()
