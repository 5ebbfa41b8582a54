"""Requests: approved, declined or lapsed; the slot held meanwhile, or open to others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied

from awase.domain.health import LocationKind, Service
from awase.jobs.worker import work_once
from awase.models import Booking, BookingPage, BookingState, Condition, Credential, HostTime
from awase.models.page import Approval
from awase.services import booking, checks, moving, requests
from awase.services.booking import Refusal
from awase.services.hosts import hosts_of
from awase.services.signals import Cause
from tests.services.conftest import Control, utcnow
from tests.services.test_booking_moving import invitations
from tests.services.test_booking_taking import refusal

pytestmark = pytest.mark.django_db
HELD, UNHELD = Approval.HELD, Approval.UNHELD


@pytest.fixture
def page(owner: Any, connect: Callable[..., Any], page_of: Callable[..., BookingPage]) -> Callable[[str], BookingPage]:
    """page(approval): the owner's page by Zoom, where bookings are requests."""
    connect(owner, Service.GOOGLE)
    connect(owner, Service.ZOOM)
    owner.refresh_from_db()
    return lambda approval: page_of(owner, locations=(LocationKind.ZOOM,), approval=approval)


def outside(control: Control) -> tuple[int, int]:
    """How many events and meetings the owner has."""
    meetings = control.account("zoom", "tanaka@minato.example")["meetings"]
    return len(control.events("google", "tanaka@minato.example")), len(meetings)


def told() -> list[tuple[str, str]]:
    found = [(message.to[0].partition("@")[0], message.subject.partition(":")[0]) for message in mail.outbox]
    mail.outbox.clear()
    return sorted(found)


@pytest.mark.parametrize("approval", [HELD, UNHELD])
def test_a_request_becomes_a_booking_once_it_is_approved(
    approval: str, page: Any, owner: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    made = page(approval)
    asked = book(made, free_start(made))
    assert asked.state == BookingState.REQUESTED and asked.answer_by <= asked.start
    assert (free_start(made) > asked.start) is (approval == HELD)
    work()
    assert outside(control) == (0, 0)
    assert not invitations("hanako@guest.example")
    assert len(told()) == 2
    approved = requests.approve(asked, utcnow(), by=owner)
    assert approved.state == BookingState.CONFIRMED and HostTime.objects.get().active
    assert refusal(lambda: requests.approve(asked, utcnow(), by=owner)) is Refusal.NOT_WAITING
    assert refusal(lambda: requests.decline(asked, utcnow(), by=owner)) is Refusal.NOT_WAITING
    work()
    assert outside(control) == (1, 1)
    ((method, event),) = invitations("hanako@guest.example")
    assert (method, event["STATUS"]) == ("REQUEST", "CONFIRMED")
    assert [name for name, _subject in told()] == ["hanako"], "the host knows already"
    booking.cancel(Booking.objects.get(), utcnow())
    work()
    assert outside(control) == (0, 0)


@pytest.mark.parametrize("approval", [HELD, UNHELD])
def test_a_declined_request_gives_its_time_back_and_the_guest_reads_why(
    approval: str, page: Any, owner: Any, teammate: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    made = page(approval)
    asked = book(made, free_start(made))
    for answer_it in (requests.approve, requests.decline):
        with pytest.raises(PermissionDenied):
            answer_it(asked, utcnow(), by=teammate)
    declined = requests.decline(asked, utcnow(), by=owner, reason="満席です")
    assert declined.state == BookingState.DECLINED and free_start(declined.page) == asked.start
    work()
    assert outside(control) == (0, 0)
    (answer,) = [message for message in mail.outbox if message.to == ["hanako@guest.example"]]
    assert "満席です" in answer.body
    assert refusal(lambda: booking.cancel(declined, utcnow())) is Refusal.ALREADY_CANCELLED
    later = asked.start + timedelta(hours=1)
    assert refusal(lambda: moving.move(declined, later, utcnow(), by=None)) is Refusal.ALREADY_CANCELLED


def test_a_request_that_nobody_answers_lapses_and_both_are_told(
    page: Any, owner: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    made = page(HELD)
    asked = book(made, free_start(made))
    work()
    mail.outbox.clear()
    Booking.objects.update(answer_by=utcnow())
    asked.refresh_from_db()
    assert refusal(lambda: requests.approve(asked, utcnow(), by=owner)) is Refusal.NOT_WAITING
    work_once()
    asked.refresh_from_db()
    assert asked.state == BookingState.EXPIRED and free_start(asked.page) == asked.start
    assert [name for name, _subject in told()] == ["hanako", "tanaka"]
    assert outside(control) == (0, 0)
    assert requests.lapse_due(utcnow()) == 0


def test_a_slot_that_was_not_held_and_is_gone_cannot_be_approved(
    page: Any, owner: Any, free_start: Any, book: Any
) -> None:
    unheld = page(UNHELD)
    start = free_start(unheld)
    first, second = book(unheld, start), book(unheld, start, email="other@guest.example")
    requests.approve(second, utcnow(), by=owner)
    assert refusal(lambda: requests.approve(first, utcnow(), by=owner)) is Refusal.SLOT_GONE
    first.refresh_from_db()
    assert first.state == BookingState.REQUESTED, "it may still be moved, or declined"
    later = moving.move(first, start + timedelta(hours=1), utcnow(), by=owner)
    assert later.state == BookingState.REQUESTED and not later.host_times.filter(active=True).exists()
    assert requests.approve(later, utcnow(), by=owner).state == BookingState.CONFIRMED


def test_notice_does_not_bind_the_host_who_approves(page: Any, owner: Any, free_start: Any, book: Any) -> None:
    made = page(UNHELD)
    asked = book(made, free_start(made))
    BookingPage.objects.update(notice_minutes=60 * 24 * 20, accepting=False)
    asked = Booking.objects.get()
    assert requests.approve(asked, utcnow(), by=owner).state == BookingState.CONFIRMED


@pytest.mark.parametrize("approval", [HELD, UNHELD])
def test_what_health_forbids_is_not_approved(
    approval: str, page: Any, owner: Any, free_start: Any, book: Any, control: Control
) -> None:
    made = page(approval)
    asked = book(made, free_start(made))
    control.revoke("google", "tanaka@minato.example")
    checks.check(Credential.objects.get(service="google").pk, Cause.CHECK, utcnow())
    assert refusal(lambda: requests.approve(asked, utcnow(), by=owner)) is Refusal.NOT_ACCEPTING


def test_a_request_that_is_withdrawn_or_moved_by_its_guest_is_told_to_the_host(
    page: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    made = page(HELD)
    asked = book(made, free_start(made))
    BookingPage.objects.update(guests_cancel=False, cancel_until_minutes=10**6)
    work()
    mail.outbox.clear()
    moved = moving.move(asked, asked.start + timedelta(hours=1), utcnow(), by=None)
    assert moved.state == BookingState.REQUESTED and moved.host_times.get().active
    work()
    assert [name for name, _subject in told()] == ["hanako", "tanaka"]
    withdrawn = booking.cancel(Booking.objects.select_related("page").get(), utcnow())
    assert withdrawn.state == BookingState.CANCELLED
    work()
    assert [name for name, _subject in told()] == ["hanako", "tanaka"]
    assert outside(control) == (0, 0)


def test_under_automatic_assignment_the_host_who_was_asked_is_kept_if_free(
    owner: Any, teammate: Any, page_of: Any, free_start: Any, book: Any
) -> None:
    page = page_of(owner, teammate, condition=Condition.ANY, calendar_required=False, approval=UNHELD)
    start = free_start(page)
    asked = [book(page, start, email=f"{number}@guest.example") for number in range(3)]
    first = hosts_of(asked[0])
    assert {host for one in asked for host in hosts_of(one)} <= {owner, teammate}
    assert hosts_of(requests.approve(asked[0], utcnow(), by=owner)) == first
    assert hosts_of(requests.approve(asked[1], utcnow(), by=owner)) != first
    assert refusal(lambda: requests.approve(asked[2], utcnow(), by=owner)) is Refusal.SLOT_GONE


def test_a_booking_made_by_a_host_needs_no_approval(page: Any, owner: Any, free_start: Any, book: Any) -> None:
    made = page(HELD)
    assert book(made, free_start(made), by=owner).state == BookingState.CONFIRMED


def test_a_request_that_is_withdrawn_is_nothing_to_cancel_in_the_guests_calendar(
    page: Any, free_start: Any, book: Any, work: Any
) -> None:
    made = page(HELD)
    asked = book(made, free_start(made))
    work()
    booking.cancel(asked, utcnow())
    work()
    assert len([message for message in mail.outbox if message.to == ["hanako@guest.example"]]) == 2
    assert invitations("hanako@guest.example") == []
