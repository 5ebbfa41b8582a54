"""The link that leads one member, in one tap, to the consent of their broken account."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from awase.domain.health import Service
from awase.models import Connection, Credential, Effect, Role
from awase.services import checks, reconnect_link
from awase.services.signals import Cause
from tests.services.conftest import Control, connect, control, page_of, utcnow, work

__all__ = ["connect", "control", "page_of", "work"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def broken(teammate: Any, connect: Callable[..., Connection], control: Control) -> Connection:
    """The teammate's Google account, whose access was withdrawn."""
    link = connect(teammate, Service.GOOGLE)
    control.revoke("google", teammate.user.email)
    checks.check(link.credential_id, Cause.CHECK, utcnow())
    return link


def path(link: Connection) -> str:
    return reconnect_link.make(link, utcnow()).removeprefix("https://awase.test")


def test_an_admin_asks_and_the_mail_leads_in_one_tap_to_the_consent_and_back(
    owner: Any,
    teammate: Any,
    broken: Connection,
    page_of: Any,
    log_in: Callable[[Any], Client],
    consent: Callable[..., str],
    work: Callable[[], None],
) -> None:
    work()
    mail.outbox.clear()
    assert log_in(owner).post(f"/app/connections/{broken.pk}/ask").status_code == 302
    work()
    (asked,) = mail.outbox
    assert asked.to == [teammate.user.email]
    found = re.search(r"https://awase\.test(/reconnect/\S+)", asked.body)
    assert found

    browser = log_in(teammate)
    answer = browser.get(found[1], follow=False)
    answer = browser.get(answer["Location"])
    assert answer["Location"].startswith("https://accounts.google.com/"), "one tap leads to the consent screen"
    back = consent(answer["Location"], teammate.user.email)
    browser.get(back.removeprefix("https://awase.test"))
    assert Credential.objects.get(pk=broken.credential_id).standing == "ok"


def test_asking_twice_within_an_hour_sends_one_mail(
    owner: Any, broken: Connection, log_in: Callable[[Any], Client]
) -> None:
    for _ in range(2):
        log_in(owner).post(f"/app/connections/{broken.pk}/ask")
    assert Effect.objects.filter(payload__template="reconnect_request").count() == 1


def test_without_a_log_in_the_link_leads_through_it(client: Client, broken: Connection) -> None:
    answer = client.get(path(broken), SERVER_NAME="awase.test")
    assert answer.status_code == 302
    assert answer["Location"] == f"/accounts/login/?next={path(broken).replace(':', '%3A')}"


def test_nobody_reconnects_for_somebody_else_not_even_an_admin(
    owner: Any, stranger: Any, new_member: Any, broken: Connection, log_in: Callable[[Any], Client]
) -> None:
    admin = new_member("Kato", owner.workspace, Role.ADMIN)
    for other in (owner, admin, stranger):
        answer = log_in(other).get(path(broken))
        assert answer.status_code == 403
        assert "This link is for somebody else" in answer.content.decode()


def test_a_link_runs_out_after_seven_days(
    teammate: Any, broken: Connection, log_in: Callable[[Any], Client], time_machine: Any
) -> None:
    address, now = path(broken), utcnow()
    browser = log_in(teammate)
    time_machine.move_to(now + timedelta(days=6, hours=23))
    assert browser.get(address).status_code == 302
    time_machine.move_to(now + timedelta(days=7, minutes=1))
    answer = browser.get(address)
    assert answer.status_code == 410
    assert "This link has run out" in answer.content.decode()


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: "x" + token, lambda token: "nonsense"])
def test_a_link_that_was_changed_leads_nowhere(
    teammate: Any, broken: Connection, log_in: Callable[[Any], Client], change: Callable[[str], str]
) -> None:
    token = path(broken).removeprefix("/reconnect/")
    assert log_in(teammate).get(f"/reconnect/{change(token)}").status_code == 404


def test_a_link_to_an_account_that_was_disconnected_leads_nowhere(
    teammate: Any, broken: Connection, log_in: Callable[[Any], Client]
) -> None:
    address = path(broken)
    broken.delete()
    assert log_in(teammate).get(address).status_code == 404


def test_what_works_again_need_not_be_reconnected(
    teammate: Any, broken: Connection, connect: Any, log_in: Callable[[Any], Client]
) -> None:
    address = path(broken)
    connect(teammate, Service.GOOGLE, again=broken)
    answer = log_in(teammate).get(address, follow=True)
    assert answer.redirect_chain == [("/app/connections/google", 302)]
    assert "need not be reconnected" in answer.content.decode()


def test_a_caldav_account_leads_to_its_form(teammate: Any, log_in: Callable[[Any], Client]) -> None:
    account = Credential.objects.create(
        service="caldav",
        account_id="dav",
        account_email="sato@dav.example",
        secret={"username": "sato", "password": "x", "home": "https://dav.example/"},
        standing="error",
        reason="app_password_invalid",
        since=utcnow(),
    )
    link = Connection.objects.create(member=teammate, credential=account)
    answer = log_in(teammate).get(path(link), follow=True)
    assert answer.status_code == 200
    assert "sato@dav.example" in answer.content.decode()
