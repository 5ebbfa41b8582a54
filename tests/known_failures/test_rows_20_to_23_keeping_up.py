"""Rows 20 to 23: what is read once does not hold for ever, and what is ours to repair is nobody else's fault."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from awase.domain.errors import ProviderError
from awase.domain.health import Service, Standing
from awase.models import Booking, BookingPage, BookingState, CalendarEvent, Credential, ServiceAlarm
from awase.services import checks
from awase.services.signals import Cause
from awase.services.tokens import StoredTokens
from tests.campaign.wire import Kind, Mishap
from tests.campaign.world import DIED, World
from tests.known_failures.conftest import check, closed_to_guests, mailed, override, starts, state
from tests.services.conftest import Control, utcnow


@pytest.mark.django_db
@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_row_20_an_error_while_reading_events_deletes_no_booking(
    page: BookingPage, owner: Any, control: Control, free_start: Any, book: Any, work: Any, status: int
) -> None:
    taken = book(page, free_start(page))
    work()
    for operation in ("events.get", "events.list", "events.patch"):
        override(control, Service.GOOGLE, owner, operation, status)
    for minutes in (0, 5, 10):
        check(owner, now=utcnow() + timedelta(minutes=minutes))
        work()
    taken.refresh_from_db()
    assert taken.state == BookingState.CONFIRMED and Booking.objects.count() == 1
    assert len(control.events("google", owner.user.email)) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_row_20_a_booking_that_follows_its_event_goes_with_a_deletion_only_never_with_an_unreadable_event(
    page: BookingPage, owner: Any, control: Control, free_start: Any, book: Any, work: Any, sandbox: Any, status: int
) -> None:
    BookingPage.objects.filter(pk=page.pk).update(drift="follow")
    taken = book(page, free_start(page, nth=20))
    work()
    check(owner)
    event = CalendarEvent.objects.get(booking=taken).external_id
    path = f"/control/api/accounts/google/{owner.user.email}/calendars/primary/events/{event}"
    assert control.client.delete(path).status_code < 300
    override(control, Service.GOOGLE, owner, "events.get", status)
    sandbox.requests.clear()
    check(owner, now=utcnow() + timedelta(minutes=5))
    assert any(call["operation"] == "events.get" for call in sandbox.requests), "it was looked at"
    taken.refresh_from_db()
    assert taken.state == BookingState.CONFIRMED
    control.repair("google", owner.user.email)
    check(owner, now=utcnow() + timedelta(minutes=10))
    taken.refresh_from_db()
    assert taken.state == BookingState.CANCELLED


@pytest.mark.django_db
def test_row_21_stored_busy_times_have_an_age_limit_after_which_they_are_unknown(
    page: BookingPage, settings: Any, book: Any
) -> None:
    soon = utcnow() + settings.AWASE_TOLERANCE - timedelta(minutes=1)
    late = utcnow() + settings.AWASE_TOLERANCE + timedelta(minutes=1)
    assert starts(page, soon)
    assert starts(page, late) == [], "no check wrote anything down, and it counts all the same"


@pytest.mark.django_db
def test_row_22_a_fault_of_our_client_secret_alarms_the_operators_and_asks_no_member(
    page: BookingPage, team: Any, control: Control, work: Any
) -> None:
    for member in team:
        control.fault("google", member.user.email, "app_secret_expired")
    Credential.objects.update(expires_at=utcnow() - timedelta(hours=1))
    for member in team:
        check(member)
        assert state(member)[0] is not Standing.ERROR
    work()
    assert ServiceAlarm.objects.get().service == "google"
    assert not mailed() & {member.user.email for member in team}
    assert not closed_to_guests(page)


def test_row_23_a_rotating_token_has_one_writer_and_is_saved_before_it_is_used(world: World) -> None:
    credential = Credential.objects.filter(service=Service.ZOOM).order_by("pk")[0]
    Credential.objects.filter(pk=credential.pk).update(expires_at=world.now())
    world.sandbox.requests.clear()
    barrier = Barrier(4)

    def ask(number: int) -> str:
        barrier.wait()
        try:
            return StoredTokens(credential.pk).token()
        except ProviderError:
            return "not now"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        given = set(pool.map(ask, range(4))) - {"not now"}
    refreshes = [call for call in world.sandbox.requests if call["operation"] == "token"]
    assert len(refreshes) == 1 and len(given) == 1
    saved = Credential.objects.get(pk=credential.pk)
    assert given == {saved.secret["access_token"]}
    assert not world.sandbox.state.tokens[saved.secret["refresh_token"]].dead, "the newest is the one that was kept"
    assert StoredTokens(credential.pk).token() in given
    assert len([call for call in world.sandbox.requests if call["operation"] == "token"]) == 1, "no refresh each call"


def test_row_23_a_process_that_dies_between_renewing_a_token_and_using_it_loses_nothing(world: World) -> None:
    credential = Credential.objects.filter(service=Service.ZOOM).order_by("pk")[0]
    Credential.objects.filter(pk=credential.pk).update(expires_at=world.now())
    world.sandbox.requests.clear()
    died = world.act(Mishap(Kind.DIES_BEFORE_CALL, 2), lambda: checks.check(credential.pk, Cause.CHECK, world.now()))
    assert died is DIED
    assert [call["operation"] for call in world.sandbox.requests] == ["token"], "renewed, and not used yet"

    world.sandbox.requests.clear()
    checks.check(credential.pk, Cause.CHECK, world.now())
    used = [call["operation"] for call in world.sandbox.requests]
    assert used and "token" not in used, "what was saved works, and nobody waits for a lease"
    after = Credential.objects.get(pk=credential.pk)
    assert after.standing == Standing.OK and after.last_good == world.now()
