"""Rows 24 to 30: nothing is believed that anybody could have said, and nobody is left to find out by himself."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from awase.domain.health import Service
from awase.jobs.worker import work_once
from awase.models import BookingPage, Condition, Connection, ConnectionChange, Credential, Effect
from awase.models.encryption import Undecipherable
from awase.services import connections
from awase.services.connections import ConnectProblem, Trouble
from awase.services.hosts import hosts_of
from awase.web.booking import BOOKINGS_AN_HOUR
from awase.web.booking_form import sign
from tests.known_failures.conftest import STOPPED, check, credential_of, mailed, starts
from tests.services.conftest import Control, utcnow
from tests.web.conftest import Guest, text_of

pytestmark = pytest.mark.django_db


def test_row_24_a_header_that_anybody_can_send_does_not_move_the_rate_limit(
    page: BookingPage, guest: Guest, settings: Any
) -> None:
    offered = starts(page)
    form = guest.open_form(page, offered[0])

    def send(number: int, claimed: str) -> int:
        form.values["token"] = sign(page, offered[number], f"form {number}")
        posted = form.values | guest.DETAILS
        return int(guest.client.post(form.action, posted, headers={"X-Forwarded-For": claimed}).status_code)

    answers = [send(number, f"203.0.113.{number}") for number in range(BOOKINGS_AN_HOUR)]
    assert set(answers) == {303}
    last = BOOKINGS_AN_HOUR
    assert send(last, "203.0.113.250") == 429, "the client's own word on its address does not count"
    settings.AWASE_TRUSTED_PROXIES = ("127.0.0.1",)
    assert send(last, "203.0.113.251") == 303, "the word of a proxy that the operator named does"


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:8000/", "https://10.0.0.7/dav", "https://[::1]/", "https://169.254.169.254/latest", "file:///x"],
)
def test_row_25_a_caldav_address_inside_our_walls_is_refused_before_the_request(
    owner: Any, sandbox: Any, address: str
) -> None:
    with pytest.raises(ConnectProblem) as problem:
        connections.connect_caldav(owner, None, address, "tanaka", "secret", utcnow())
    assert problem.value.trouble is Trouble.ADDRESS
    assert not sandbox.requests and not Connection.objects.exists()


def test_row_26_jobs_hold_ids_only_and_equal_secrets_look_different(
    page: BookingPage, team: Any, control: Control, free_start: Any, book: Any
) -> None:
    book(page, free_start(page))
    control.revoke("zoom", team[0].user.email)
    check(team[0], Service.ZOOM)
    work_once()
    jobs = json.dumps(list(Effect.objects.values("key", "payload", "last_error", "parked_reason")))
    secrets = [value for credential in Credential.objects.all() for value in credential.secret.values()]
    assert secrets and not any(secret in jobs for secret in secrets)
    assert "山田" not in jobs and "hanako@guest.example" not in jobs

    first, second = Credential.objects.order_by("pk")[:2]
    Credential.objects.filter(pk__in=[first.pk, second.pk]).update(secret={"access_token": "same"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM awase_credential WHERE id IN (%s, %s)", [first.pk, second.pk])
        sealed = [bytes(row[0]) for row in cursor.fetchall()]
        first.secret = {"access_token": "same"}
        first.save(update_fields=["secret"])
        cursor.execute("SELECT secret FROM awase_credential WHERE id = %s", [first.pk])
        again = bytes(cursor.fetchone()[0])
    assert again not in sealed and not any(b"same" in text for text in [*sealed, again])

    altered = again[:40] + (b"B" if again[40:41] == b"A" else b"A") + again[41:]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE awase_credential SET secret = %s WHERE id = %s", [altered, first.pk])
    with pytest.raises(Undecipherable):
        Credential.objects.get(pk=first.pk)


def test_row_27_state_and_pkce_are_fresh_for_each_request_and_bound_to_the_session(
    owner: Any, teammate: Any, log_in: Any, consent: Any, control: Control
) -> None:
    control.post("accounts", service="google", email=owner.user.email, name=owner.name)
    browser, other = log_in(owner), log_in(teammate)
    asked = [browser.get("/app/connections/google/connect")["Location"] for _ in range(2)]
    first, second = (parse_qs(urlsplit(address).query) for address in asked)
    assert first["code_challenge_method"] == ["S256"]
    assert first["state"] != second["state"] and first["code_challenge"] != second["code_challenge"]
    back = consent(asked[1], owner.user.email).removeprefix("https://awase.test")
    assert other.get(back).status_code == 400, "an attacker's answer in another session"
    assert Client(SERVER_NAME="awase.test").get(back).status_code in (302, 400)
    assert not Connection.objects.exists()
    assert browser.get(back).status_code == 302
    assert Connection.objects.get().member == owner


def test_row_28_the_periodic_check_finds_the_broken_account_and_mails_at_once(
    page: BookingPage, team: Any, control: Control, time_machine: Any, settings: Any
) -> None:
    work_once()
    mail.outbox.clear()
    control.revoke("google", team[0].user.email)
    time_machine.move_to(utcnow() + 1.2 * settings.AWASE_CHECK_INTERVAL)
    work_once()  # nobody logged in, no guest came
    assert ConnectionChange.objects.filter(credential=credential_of(team[0])).latest("pk").cause == "check"
    assert team[0].user.email in mailed()


def test_row_29_a_stopped_page_says_so_to_guests_and_to_its_owner(
    page: BookingPage, team: Any, control: Control, guest: Guest, log_in: Any, work: Any
) -> None:
    owner = team[0]
    control.revoke("google", owner.user.email)
    check(owner)
    work()
    to_guests = text_of(guest.get("/minato/meet"))
    assert STOPPED in to_guests and owner.user.email not in to_guests and "Google" not in to_guests
    told = next(message for message in mail.outbox if message.to == [owner.user.email])
    assert "Google" in f"{told.subject} {told.body}" and page.title in told.body
    owner.user.language = "ja"
    owner.user.save()
    assert "接続エラーにより停止中" in text_of(log_in(owner).get("/app/pages"))


def test_row_30_time_in_which_accounts_were_broken_counts_as_absence(
    team: Any, page_of: Any, control: Control, connect: Any, free_start: Any, book: Any, time_machine: Any
) -> None:
    owner, teammate = team
    page = page_of(owner, teammate, condition=Condition.ANY)
    time_machine.move_to(utcnow())
    control.revoke("google", owner.user.email)
    check(owner)
    for _ in range(6):
        time_machine.shift(timedelta(seconds=5))
        assert hosts_of(book(page, free_start(page))) == [teammate]
    connect(owner, Service.GOOGLE, again=owner.connections.get(credential__service=Service.GOOGLE))
    given = []
    for _ in range(6):
        time_machine.shift(timedelta(seconds=5))
        given += hosts_of(book(page, free_start(page, nth=20)))
    assert given.count(owner) == given.count(teammate) == 3
