"""Rows 1 to 7: a calendar that cannot be read is never a free one, and never a reason to blame its owner at once."""

from datetime import timedelta
from typing import Any

import pytest

from awase.domain.errors import Reason
from awase.domain.health import Service, Standing
from awase.models import BookingPage, CalendarBusy, Credential, Effect
from awase.services import booking, checks, connections
from awase.services.health import verdict_of
from awase.services.signals import Cause
from tests.known_failures.conftest import (
    check,
    closed_to_guests,
    credential_of,
    mailed,
    override,
    seed,
    starts,
    state,
)
from tests.providers.radicale import PASSWORD, USER
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db


def test_row_01_a_connection_marked_broken_in_the_database_stops_the_page(
    page: BookingPage, owner: Any, book: Any
) -> None:
    start = starts(page)[0]
    Credential.objects.filter(pk=credential_of(owner).pk).update(standing=Standing.ERROR, reason=Reason.REVOKED)
    assert starts(page) == []
    assert closed_to_guests(page)
    with pytest.raises(booking.Refused) as refused:
        book(page, start)
    assert refused.value.refusal is booking.Refusal.NOT_ACCEPTING


def test_row_02_free_busy_503_is_borne_with_the_last_busy_times_then_the_page_stops_as_unreachable(
    page: BookingPage, owner: Any, control: Control, settings: Any
) -> None:
    taken = starts(page)[4].replace(minute=0) + timedelta(hours=1)
    seed(control, owner, taken)
    check(owner)
    control.fault("google", owner.user.email, "outage")
    check(owner)
    assert state(owner) == (Standing.DEGRADED, None)
    assert not closed_to_guests(page)
    offered = starts(page)
    assert offered and taken not in offered, "the last busy times count"
    later = utcnow() + settings.AWASE_TOLERANCE + timedelta(minutes=1)
    check(owner, now=later)
    assert state(owner, now=later) == (Standing.ERROR, Reason.UNREACHABLE)
    assert starts(page, later) == []


def test_row_03_free_busy_401_is_refreshed_once_and_403_and_429_are_told_apart_from_a_revoked_token(
    page: BookingPage, owner: Any, control: Control
) -> None:
    taken = starts(page)[4].replace(minute=0) + timedelta(hours=1)
    seed(control, owner, taken)
    generation = credential_of(owner).generation
    control.fault("google", owner.user.email, "expired_access")
    check(owner)
    assert state(owner)[0] is Standing.OK
    assert credential_of(owner).generation == generation + 1, "one refresh"
    for status in (403, 429):
        control.fault("google", owner.user.email, "rate_limited", status=status)
        check(owner)
        assert state(owner)[0] is not Standing.ERROR
        offered = starts(page)
        assert offered and taken not in offered, "the last busy times count"
        control.repair("google", owner.user.email)
    control.fault("google", owner.user.email, "disabled")  # 401 with every token
    later = utcnow() + timedelta(minutes=10)  # what asked for fewer calls is left alone for a while
    check(owner, now=later)
    assert state(owner, now=later)[0] is Standing.ERROR
    assert starts(page) == []


def test_row_04_a_credential_marked_invalid_never_counts_as_a_free_calendar(
    team: Any, page_of: Any, control: Control, book: Any
) -> None:
    owner, teammate = team
    page = page_of(owner, teammate)
    taken = starts(page)[4].replace(minute=0) + timedelta(hours=1)
    seed(control, teammate, taken)
    check(teammate)
    control.revoke("google", teammate.user.email)
    check(teammate)
    assert starts(page) == []
    with pytest.raises(booking.Refused):
        book(page, taken)


def test_row_05_one_calendar_failing_inside_a_good_answer_is_unknown_and_never_free(
    owner: Any, second_calendar: Any, page_of: Any, control: Control, settings: Any, book: Any
) -> None:
    page = page_of(owner)
    start = starts(page)[4]
    CalendarBusy.objects.filter(calendar=second_calendar).delete()
    control.fault("google", owner.user.email, "calendar_error", calendar_id=second_calendar.external_id)
    check(owner)
    assert state(owner)[0] is Standing.OK, "the account itself answers"
    assert starts(page) == [], "what could not be read is unknown"
    with pytest.raises(booking.Refused):
        book(page, start)
    later = utcnow() + settings.AWASE_TOLERANCE + timedelta(minutes=1)
    for minutes in (5, 10):
        check(owner, now=utcnow() + timedelta(minutes=minutes))
    check(owner, now=later)
    assert not verdict_of(page, later).open, "a calendar that alone stays unreadable counts as missing"


def test_row_05_a_part_of_a_graph_answer_that_fails_is_unknown_and_never_free(
    owner: Any, connect: Any, page_of: Any, control: Control
) -> None:
    control.post("accounts", service="microsoft", email=owner.user.email, name=owner.name)
    control.post(f"accounts/microsoft/{owner.user.email}/calendars", id="second", name="Second")
    link = connect(owner, Service.MICROSOFT)
    owner.refresh_from_db()
    second = link.calendars.get(name="Second")
    ticked = set(link.calendars.values_list("pk", flat=True))
    page = page_of(owner)
    control.fault("microsoft", owner.user.email, "calendar_error", calendar_id=second.external_id)
    connections.set_use(owner, link, checked=ticked, go_on_without=set(), now=utcnow())
    assert state(owner, Service.MICROSOFT)[0] is Standing.OK
    assert starts(page) == []
    control.repair("microsoft", owner.user.email)
    check(owner, Service.MICROSOFT)
    assert starts(page)


def test_row_05_a_caldav_collection_that_fails_beside_another_is_never_free(
    owner: Any, radicale_behind_proxy: Any, page_of: Any
) -> None:
    server, proxy = radicale_behind_proxy
    second = server.add_calendar("Second")
    link = connections.connect_caldav(owner, None, proxy.address, USER, PASSWORD, utcnow())
    owner.refresh_from_db()
    ticked = set(link.calendars.values_list("pk", flat=True))
    connections.set_use(owner, link, checked=ticked, go_on_without=set(), now=utcnow())
    page = page_of(owner)
    assert len(ticked) == 2 and starts(page)
    server.remove_calendar(second)
    check(owner, Service.CALDAV)
    assert state(owner, Service.CALDAV)[0] is Standing.OK, "the account itself answers"
    assert starts(page) == []
    assert link.calendars.get(missing_since=None).name == "Main", "the other one was read"


@pytest.mark.parametrize("fault", ["timeout", "html_body", "truncated_json", "outage"])
def test_row_06_a_time_out_or_rubbish_in_a_check_degrades_and_mails_nobody(
    page: BookingPage, owner: Any, control: Control, work: Any, fault: str
) -> None:
    control.fault("google", owner.user.email, fault)
    check(owner)
    assert state(owner) == (Standing.DEGRADED, None)
    assert not closed_to_guests(page)
    work()
    assert mailed() == set()
    assert not Effect.objects.filter(kind="mail").exists()


@pytest.mark.parametrize("service", [Service.GOOGLE, Service.ZOOM])
def test_row_07_a_401_in_a_check_asks_for_reconnection_once_the_refresh_says_so_too(
    page: BookingPage, owner: Any, control: Control, service: Service
) -> None:
    control.revoke(service.value, owner.user.email)
    check(owner, service)
    assert state(owner, service)[0] is Standing.ERROR
    reason = state(owner, service)[1]
    assert reason is not None and reason.needs_person
    assert closed_to_guests(page)


def test_row_07_the_status_of_an_answer_counts_whatever_its_body_says(
    page: BookingPage, owner: Any, control: Control
) -> None:
    override(control, Service.ZOOM, owner, "users.get", 503, body={"id": "u", "email": owner.user.email})
    checks.check(credential_of(owner, Service.ZOOM).pk, Cause.CHECK, utcnow())
    assert state(owner, Service.ZOOM)[0] is Standing.DEGRADED
