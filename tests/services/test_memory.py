"""Failures that mean something else once they have been seen before, or elsewhere."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from awase.domain.errors import Failure, FailureClass, FailureScope, Reason
from awase.domain.health import Standing
from awase.models import Credential, ServiceAlarm
from awase.services.signals import Cause, Good, record

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)
REFUSED = Failure(FailureClass.RETRY, FailureScope.CONNECTION, "D02a", detail="HTTP 401")
UNREADABLE = Failure(FailureClass.RETRY, FailureScope.CONNECTION, "X02", detail="wrong shape: items")


def account(number: int, host: str = "p07-caldav.icloud.com", service: str = "caldav") -> Credential:
    return Credential.objects.create(
        service=service,
        account_id=f"https://{host}/{number}/principal/",
        account_email=f"{number}@minato.example",
        secret={"username": "u", "password": "p", "home": "", "addresses": [], "time_zone": "UTC"},
        since=NOW,
        last_good=NOW,
        check_every=timedelta(minutes=5),
        next_check=NOW,
    )


def refused_twice(*accounts: Credential) -> set[tuple[str, str]]:
    """All of them at one time, and again ten minutes later; what is then on record."""
    for minutes in (1, 12):
        for credential in accounts:
            record(credential.pk, REFUSED, Cause.CHECK, NOW + timedelta(minutes=minutes))
    return set(Credential.objects.values_list("standing", "reason"))


@pytest.mark.parametrize("number", [1, 2])
def test_few_refused_app_passwords_at_apple_are_wrong_passwords(number: int) -> None:
    found = refused_twice(*[account(each) for each in range(number)])
    assert found == {(Standing.ERROR, Reason.APP_PASSWORD_INVALID)}


def test_many_refused_app_passwords_at_apple_are_a_matter_of_apple() -> None:
    assert refused_twice(*[account(each) for each in range(3)]) == {(Standing.DEGRADED, "")}


def test_many_refused_app_passwords_elsewhere_are_wrong_passwords() -> None:
    found = refused_twice(*[account(each, "cloud.minato.example") for each in range(3)])
    assert found == {(Standing.ERROR, Reason.APP_PASSWORD_INVALID)}


def test_refusals_of_yesterday_do_not_count_with_todays() -> None:
    for number in range(3):
        record(account(number).pk, REFUSED, Cause.CHECK, NOW - timedelta(hours=2))
    late = account(9)
    for minutes in (1, 12):
        record(late.pk, REFUSED, Cause.CHECK, NOW + timedelta(minutes=minutes))
    late.refresh_from_db()
    assert late.reason == Reason.APP_PASSWORD_INVALID


def test_an_answer_that_stays_unreadable_is_told_to_the_operators_and_marks_nobody(db: Any) -> None:
    credential = account(1, "www.googleapis.com", "google")
    record(credential.pk, UNREADABLE, Cause.CHECK, NOW + timedelta(minutes=1))
    assert not ServiceAlarm.objects.exists(), "once may be an accident"
    record(credential.pk, UNREADABLE, Cause.CHECK, NOW + timedelta(minutes=12))
    alarm = ServiceAlarm.objects.get()
    assert (alarm.service, alarm.symptom, alarm.detail) == ("google", "X02", "wrong shape: items")
    credential.refresh_from_db()
    assert credential.standing == Standing.DEGRADED
    record(credential.pk, Good(full=True), Cause.CHECK, NOW + timedelta(minutes=17))
    assert not ServiceAlarm.objects.exists()
