"""The calendar that bookings are added to is deleted at the service before the event is written."""

from typing import Any

import pytest

from awase.domain.health import Service
from awase.models import Calendar, Effect, EffectKind, EffectState, PageHealth
from awase.services import booking, checks, connections
from awase.services.health import verdict_of
from awase.services.signals import Cause
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db
SERVICES = pytest.mark.parametrize("service", [Service.GOOGLE, Service.MICROSOFT])


@pytest.fixture
def account(owner: Any, connect: Any, control: Control) -> Any:
    """connect an account whose second calendar, `projects`, receives the bookings."""

    def go(service: Service) -> Any:
        control.post("accounts", service=service.value, email=owner.user.email, name=owner.name)
        control.post(f"accounts/{service.value}/{owner.user.email}/calendars", id="projects", name="Projects")
        link = connect(owner, service)
        connections.set_booking_calendar(owner, link.calendars.get(external_id="projects").pk, utcnow())
        owner.refresh_from_db()
        return link

    return go


def vanish(control: Control, service: Service, email: str) -> None:
    path = f"/control/api/accounts/{service.value}/{email}/calendars/projects"
    assert control.client.delete(path).status_code == 200


def event_effect() -> Effect:
    return Effect.objects.get(kind=EffectKind.EVENT)


@SERVICES
def test_the_event_waits_with_its_reason_and_goes_into_the_calendar_that_is_chosen_next(
    owner: Any, account: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control, service: Service
) -> None:
    link = account(service)
    page = page_of(owner)
    book(page, free_start(page))
    vanish(control, service, owner.user.email)
    work()
    assert (event_effect().state, event_effect().parked_reason) == (EffectState.PARKED, "calendar_missing")
    assert Calendar.objects.get(external_id="projects").missing_since
    assert not verdict_of(page, utcnow()).open and not PageHealth.objects.get(page=page).open

    connections.set_booking_calendar(owner, link.calendars.get(primary=True).pk, utcnow())
    work()
    assert event_effect().state == EffectState.DONE
    assert len(control.events(service.value, owner.user.email)) == 1
    assert verdict_of(page, utcnow()).open


@SERVICES
def test_the_event_is_written_when_the_calendar_comes_back(
    owner: Any, account: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control, service: Service
) -> None:
    link = account(service)
    page = page_of(owner)
    book(page, free_start(page))
    vanish(control, service, owner.user.email)
    work()
    control.post(f"accounts/{service.value}/{owner.user.email}/calendars", id="projects", name="Projects")
    checks.check(link.credential_id, Cause.CHECK_NOW, utcnow())
    work()
    assert event_effect().state == EffectState.DONE
    assert len(control.events(service.value, owner.user.email)) == 1


@SERVICES
def test_a_booking_cancelled_meanwhile_leaves_nothing_to_do(
    owner: Any, account: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control, service: Service
) -> None:
    account(service)
    page = page_of(owner)
    taken = book(page, free_start(page))
    work()
    vanish(control, service, owner.user.email)
    booking.cancel(taken, utcnow())
    work()
    assert event_effect().state == EffectState.DONE


def test_an_event_whose_account_was_disconnected_waits_for_the_calendar_that_is_chosen_next(
    owner: Any, connect: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    first = connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    second = connect(owner, Service.MICROSOFT)
    owner.refresh_from_db()
    page = page_of(owner)
    book(page, free_start(page))
    connections.disconnect(first, utcnow())
    work()
    assert (event_effect().state, event_effect().parked_reason) == (EffectState.PARKED, "not_connected")
    connections.set_booking_calendar(owner, second.calendars.get().pk, utcnow())
    work()
    assert event_effect().state == EffectState.DONE
    assert len(control.events("microsoft", owner.user.email)) == 1
