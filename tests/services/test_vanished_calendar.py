"""The calendar that bookings are added to is deleted at the service before the event is written."""

from collections.abc import Collection
from typing import Any

import pytest

from awase.domain.health import Service
from awase.models import Calendar, Condition, Effect, EffectKind, EffectState, PageChange, PageHealth
from awase.services import booking, checks, connections
from awase.services.booking import Refusal
from awase.services.health import verdict_of
from awase.services.hosts import hosts_of
from awase.services.signals import Cause
from tests.services.conftest import Control, utcnow
from tests.services.test_booking_taking import refusal

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


def tick_all(link: Any, *, go_on_without: Collection[str] = ()) -> None:
    names = dict(link.calendars.values_list("external_id", "pk"))
    without = {names[name] for name in go_on_without}
    connections.set_use(link.member, link, checked=set(names.values()), go_on_without=without, now=utcnow())


@SERVICES
def test_the_live_check_that_finds_a_checked_calendar_gone_stops_the_page_at_once(
    owner: Any, account: Any, page_of: Any, free_start: Any, book: Any, control: Control, service: Service
) -> None:
    link = account(service)
    connections.set_booking_calendar(owner, link.calendars.get(primary=True).pk, utcnow())
    tick_all(link)
    page = page_of(owner)
    start = free_start(page)
    vanish(control, service, owner.user.email)
    assert refusal(lambda: book(page, start)) is Refusal.NOT_ACCEPTING
    assert Calendar.objects.get(external_id="projects").missing_since
    assert not Calendar.objects.get(connection=link, primary=True).missing_since
    assert not PageHealth.objects.get(page=page).open
    assert PageChange.objects.get(page=page, opened=False).cause == Cause.LIVE_CHECK
    assert not page.bookings.exists()


def test_a_host_whose_calendar_the_live_check_finds_gone_drops_out_of_this_booking(
    owner: Any, teammate: Any, account: Any, connect: Any, page_of: Any, free_start: Any, book: Any, control: Control
) -> None:
    tick_all(account(Service.GOOGLE))
    connect(teammate, Service.GOOGLE)
    page = page_of(owner, teammate, condition=Condition.ANY)
    start = free_start(page)
    vanish(control, Service.GOOGLE, owner.user.email)
    assert hosts_of(book(page, start)) == [teammate]
    assert [host.member_id for host in verdict_of(page, utcnow()).hosts] == [teammate.pk]


def test_a_calendar_that_its_member_goes_on_without_may_vanish_during_a_booking(
    owner: Any, account: Any, page_of: Any, free_start: Any, book: Any, control: Control
) -> None:
    link = account(Service.GOOGLE)
    connections.set_booking_calendar(owner, link.calendars.get(primary=True).pk, utcnow())
    tick_all(link, go_on_without={"projects"})
    page = page_of(owner)
    start = free_start(page)
    vanish(control, Service.GOOGLE, owner.user.email)
    assert book(page, start).start == start
    assert Calendar.objects.get(external_id="projects").missing_since
