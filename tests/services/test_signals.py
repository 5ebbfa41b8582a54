"""The one function through which a connection changes state (section 2), on rows."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from awase.domain.errors import Capability, Failure, FailureClass, FailureScope, Reason
from awase.domain.health import LocationKind, Service, Standing
from awase.models import (
    Calendar,
    Connection,
    ConnectionChange,
    Credential,
    Member,
    PageHealth,
    ServiceAlarm,
)
from awase.services import checks, pages
from awase.services.health import standing_of, verdict_of
from awase.services.signals import Cause, Good, record
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db

REVOKED = Failure(FailureClass.RECONNECT, FailureScope.CONNECTION, "G01", Reason.REVOKED)
OUTAGE = Failure(FailureClass.RETRY, FailureScope.CONNECTION, "X01")
BUSY = Failure(FailureClass.RATE_LIMITED, FailureScope.CONNECTION, "Z14")
OURS = Failure(FailureClass.APP_CONFIG, FailureScope.APP, "G06", detail="invalid_client")
LOCKED = Failure(FailureClass.RECONNECT, FailureScope.CONNECTION, "M10c", Reason.ADMIN_BLOCKED)
NO_MEET = Failure(FailureClass.BAD_REQUEST, FailureScope.CAPABILITY, "G23", capability=Capability.MEET)


@pytest.fixture
def google(owner: Member, connect: Callable[..., Connection]) -> Connection:
    link = connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    return link


@pytest.fixture
def zoom(owner: Member, google: Connection, connect: Callable[..., Connection]) -> Connection:
    return connect(owner, Service.ZOOM)


def now_at(link: Connection) -> Credential:
    return Credential.objects.get(pk=link.credential_id)


def test_an_outage_is_degraded_first_and_invisible_to_guests(owner: Member, google: Connection, page_of: Any) -> None:
    page = page_of(owner)
    record(google.credential_id, OUTAGE, Cause.CHECK, utcnow())
    assert now_at(google).standing == Standing.DEGRADED
    assert verdict_of(page, utcnow()).open


def test_the_history_tells_every_change_with_its_cause_and_symptom(owner: Member, google: Connection) -> None:
    now = utcnow()
    for signal, cause in ((OUTAGE, Cause.CHECK), (REVOKED, Cause.CALL), (Good(full=True), Cause.CHECK)):
        record(google.credential_id, signal, cause, now)
    rows = ConnectionChange.objects.filter(credential=google.credential).order_by("pk")
    assert [(row.standing, row.reason, row.symptom, row.cause) for row in rows] == [
        ("ok", "", "", "connected"),
        ("degraded", "", "X01", "check"),
        ("error", "revoked", "G01", "call"),
        ("ok", "", "", "check"),
    ]


def test_the_same_news_twice_is_one_change(google: Connection) -> None:
    for _ in range(3):
        record(google.credential_id, REVOKED, Cause.CALL, utcnow())
    assert ConnectionChange.objects.filter(credential=google.credential, standing="error").count() == 1


def test_a_failure_from_before_the_last_good_check_is_old_news(owner: Member, google: Connection, page_of: Any) -> None:
    page = page_of(owner)
    began = utcnow()
    record(google.credential_id, Good(full=True), Cause.CHECK, began + timedelta(seconds=5))
    record(google.credential_id, REVOKED, Cause.CHECK, began)
    assert now_at(google).standing == Standing.OK
    assert verdict_of(page, utcnow()).open


def test_a_success_from_before_an_error_that_needs_a_person_does_not_clear_it(google: Connection) -> None:
    began = utcnow()
    record(google.credential_id, REVOKED, Cause.LIVE_CHECK, began + timedelta(seconds=5))
    record(google.credential_id, Good(full=True), Cause.CHECK, began)
    assert now_at(google).standing == Standing.ERROR


def test_a_fresh_grant_counts_whatever_was_found_meanwhile(owner: Member, google: Connection, connect: Any) -> None:
    record(google.credential_id, REVOKED, Cause.CHECK, utcnow() + timedelta(minutes=1))
    connect(owner, Service.GOOGLE, again=google)
    assert now_at(google).standing == Standing.OK


def test_reconnecting_during_an_outage_ends_what_needed_the_person(google: Connection) -> None:
    record(google.credential_id, REVOKED, Cause.CHECK, utcnow())
    record(google.credential_id, OUTAGE, Cause.RECONNECTED, utcnow())
    assert standing_of(now_at(google), utcnow()) == (Standing.DEGRADED, None)


def test_any_good_call_of_a_meeting_account_is_a_good_check(zoom: Connection) -> None:
    record(zoom.credential_id, OUTAGE, Cause.CALL, utcnow())
    later = utcnow() + timedelta(minutes=10)
    record(zoom.credential_id, Good(), Cause.CALL, later)
    after = now_at(zoom)
    assert (after.standing, after.last_good) == (Standing.OK, later)


def test_a_good_call_of_a_calendar_account_proves_its_calendars_only_where_none_counts(google: Connection) -> None:
    def after_a_call() -> str:
        record(google.credential_id, OUTAGE, Cause.CALL, utcnow())
        record(google.credential_id, Good(), Cause.CALL, utcnow())
        return now_at(google).standing

    assert after_a_call() == Standing.DEGRADED
    Member.objects.update(booking_calendar=None)
    assert after_a_call() == Standing.DEGRADED, "it is checked for conflicts"
    Calendar.objects.update(go_on_without=True)
    assert after_a_call() == Standing.OK


def test_an_account_that_was_due_and_not_looked_at_is_the_operator_s_matter(
    owner: Member, google: Connection, page_of: Any, settings: Any
) -> None:
    page_of(owner)
    over = utcnow() + settings.AWASE_TOLERANCE + timedelta(minutes=1)
    Credential.objects.update(next_check=utcnow())
    assert standing_of(now_at(google), over) == (Standing.ERROR, Reason.OPERATOR)
    Credential.objects.update(next_check=over + timedelta(hours=1))
    assert standing_of(now_at(google), over) == (Standing.ERROR, Reason.UNREACHABLE), "it had to wait"


def test_a_rate_limit_marks_nobody_and_the_tolerance_decides(zoom: Connection, page_of: Any, owner: Member) -> None:
    page = page_of(owner, locations=(LocationKind.ZOOM,))
    until = utcnow() + timedelta(hours=9)
    limited = Failure(FailureClass.RATE_LIMITED, FailureScope.CONNECTION, "Z14", retry_at=until)
    record(zoom.credential_id, limited, Cause.CHECK, utcnow())
    assert (now_at(zoom).standing, now_at(zoom).next_check) == (Standing.OK, until)
    assert not verdict_of(page, utcnow() + timedelta(hours=1)).open


def test_the_account_of_two_members_breaks_and_is_repaired_for_both(
    owner: Member, teammate: Member, zoom: Connection, connect: Any, page_of: Any
) -> None:
    connect(teammate, Service.GOOGLE)
    connect(teammate, Service.ZOOM, email=owner.user.email)
    mine = page_of(owner, locations=(LocationKind.ZOOM,), slug="mine")
    theirs = page_of(teammate, locations=(LocationKind.ZOOM,), slug="theirs")
    record(zoom.credential_id, REVOKED, Cause.CALL, utcnow())
    assert {health.page_id for health in PageHealth.objects.filter(open=False)} == {mine.pk, theirs.pk}
    record(zoom.credential_id, Good(full=True), Cause.CHECK, utcnow())
    assert not PageHealth.objects.filter(open=False).exists()


def test_a_missing_capability_affects_its_location_only(owner: Member, google: Connection, page_of: Any) -> None:
    meet = page_of(owner, locations=(LocationKind.MEET,), slug="meet")
    plain = page_of(owner, slug="plain")
    record(google.credential_id, NO_MEET, Cause.CALL, utcnow())
    assert now_at(google).standing == Standing.OK
    assert not verdict_of(meet, utcnow()).open
    assert verdict_of(plain, utcnow()).open
    record(google.credential_id, Good(capability=Capability.MEET), Cause.CALL, utcnow())
    assert verdict_of(meet, utcnow()).open


def test_probes_come_after_an_hour_six_hours_and_then_daily_and_failing_calls_use_none_up(
    owner: Member, google: Connection, page_of: Any
) -> None:
    page_of(owner)
    now = utcnow()
    moments: list[datetime] = [now]
    record(google.credential_id, REVOKED, Cause.CHECK, now)
    for _ in range(4):
        next_check = now_at(google).next_check
        assert next_check is not None
        moments.append(next_check)
        record(google.credential_id, REVOKED, Cause.CALL, next_check - timedelta(minutes=1))
        assert now_at(google).next_check == next_check
        record(google.credential_id, REVOKED, Cause.CHECK, next_check)
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert pauses == [timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=1)]


def test_starting_up_reads_at_once_but_probes_nothing_early(owner: Member, google: Connection, page_of: Any) -> None:
    page_of(owner)
    waiting = utcnow() + timedelta(hours=6)
    Credential.objects.update(next_check=waiting, last_checked=utcnow() - timedelta(minutes=10))
    checks.check_all_at_start(utcnow())
    assert now_at(google).next_check < waiting
    Credential.objects.update(next_check=waiting, standing=Standing.ERROR, reason=Reason.REVOKED)
    checks.check_all_at_start(utcnow())
    assert now_at(google).next_check == waiting


def test_switching_a_page_on_reads_at_once(owner: Member, google: Connection, page_of: Any) -> None:
    page = page_of(owner)
    pages.set_accepting(page, False, utcnow(), by=page.owner)
    assert now_at(google).check_every == timedelta(hours=1)
    Credential.objects.update(next_check=utcnow() + timedelta(minutes=3))
    switched = utcnow()
    pages.set_accepting(page, True, switched, by=page.owner)
    assert now_at(google).next_check == switched


def test_an_alarm_ends_with_the_first_success_of_an_account_that_it_hit(google: Connection) -> None:
    record(google.credential_id, OURS, Cause.CHECK, utcnow())
    record(google.credential_id, OURS, Cause.CHECK, utcnow())
    assert ServiceAlarm.objects.get().count == 2
    record(google.credential_id, Good(full=True), Cause.CHECK, utcnow())
    assert not ServiceAlarm.objects.exists()


def test_a_refusal_by_one_tenant_is_the_person_s_matter_and_by_two_ours(
    owner: Member, teammate: Member, connect: Any
) -> None:
    first, second = (connect(member, Service.MICROSOFT) for member in (owner, teammate))
    Credential.objects.filter(pk=second.credential_id).update(account_id="other-tenant:1")
    record(first.credential_id, LOCKED, Cause.CHECK, utcnow())
    assert now_at(first).reason == Reason.ADMIN_BLOCKED
    record(second.credential_id, LOCKED, Cause.CHECK, utcnow())
    assert now_at(second).standing == Standing.OK
    assert ServiceAlarm.objects.get().symptom == "M10b"


def test_a_tenant_taken_for_an_admins_block_is_freed_when_it_turns_out_to_be_ours(
    owner: Member, teammate: Member, connect: Any, control: Any, page_of: Any
) -> None:
    first = connect(owner, Service.MICROSOFT, email="a@one.example")
    second = connect(teammate, Service.MICROSOFT, email="b@two.example")
    page_of(owner, teammate)
    for link in (first, second):
        control.fault("microsoft", link.credential.account_email, "code", operation="token", code=7000112)
    Credential.objects.update(expires_at=utcnow())
    checks.check(first.credential_id, Cause.CHECK, utcnow())
    assert now_at(first).reason == Reason.ADMIN_BLOCKED
    turned = utcnow()
    checks.check(second.credential_id, Cause.CHECK, turned)
    assert now_at(first).next_check <= turned, "not only when its rare probe comes"
    checks.check(first.credential_id, Cause.CHECK, utcnow())
    assert (now_at(first).standing, now_at(first).reason, now_at(first).our_fault) == (Standing.DEGRADED, "", True)
    later = utcnow() + timedelta(hours=2)  # both are looked at often, so each counts for the other
    for link in (first, second, first):
        checks.check(link.credential_id, Cause.CHECK, later)
    assert {now_at(link).reason for link in (first, second)} == {Reason.OPERATOR}


def test_the_alarm_about_several_tenants_ends_with_the_repair(owner: Member, teammate: Member, connect: Any) -> None:
    first, second = (connect(member, Service.MICROSOFT) for member in (owner, teammate))
    Credential.objects.filter(pk=second.credential_id).update(account_id="other-tenant:1")
    for link in (first, second):
        record(link.credential_id, LOCKED, Cause.CHECK, utcnow())
    assert ServiceAlarm.objects.exists()
    record(second.credential_id, Good(full=True), Cause.CHECK, utcnow())
    assert not ServiceAlarm.objects.exists()


def test_what_fails_while_it_is_written_down_changes_nothing(owner: Member, google: Connection, page_of: Any) -> None:
    page_of(owner)

    def refuse(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("INSERT INTO awase_effect"):
            raise RuntimeError("the disk is full")
        return execute(sql, *rest)

    logged = CaptureQueriesContext(connection)  # logged queries go through Django's cursor, where they can be refused
    with logged, connection.execute_wrapper(refuse), pytest.raises(RuntimeError):
        record(google.credential_id, REVOKED, Cause.CHECK, utcnow())
    assert now_at(google).standing == Standing.OK
    assert not ConnectionChange.objects.filter(standing="error").exists()
    assert PageHealth.objects.get().open


def test_a_storage_that_is_full_is_cleared_by_the_next_write(
    owner: Member, google: Connection, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    full = Failure(
        FailureClass.RECONNECT, FailureScope.CAPABILITY, "D11", Reason.STORAGE_FULL, capability=Capability.CALENDAR
    )
    record(google.credential_id, full, Cause.CALL, utcnow())
    page = page_of(owner)
    book(page, free_start(page))
    work()
    assert now_at(google).lacking == {}
