"""What two people, or a person and the worker, do at the same moment: nothing of it is lost or done twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from awase import registry
from awase.domain.health import LocationKind, Service
from awase.models import Booking, BookingPage, BookingState, Condition, Credential, Effect, EffectState, HostTime
from awase.models.page import Approval
from awase.services import booking, effects, moving, requests
from awase.services.booking import Refusal
from awase.services.hosts import hosts_of
from sandbox.app import wsgi
from tests.services.conftest import Control, utcnow
from tests.services.test_booking_taking import refusal

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


class Interrupted(httpx2.BaseTransport):
    """The way to the services; at the first call to `path` something else happens before it is carried out, or
    `late`: before it is answered."""

    def __init__(self, sandbox: Any, path: str, act: Callable[[], object], *, late: bool = False) -> None:
        self.inner = httpx2.WSGITransport(app=wsgi(sandbox))
        self.path, self.act, self.late, self.done = path, act, late, False

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        mine = not self.done and self.path in request.url.path
        self.done |= mine
        if mine and not self.late:
            self.act()
        answer = self.inner.handle_request(request)
        if mine and self.late:
            self.act()
        return answer


@pytest.fixture
def meanwhile(sandbox: Any, settings: Any) -> Callable[..., Any]:
    """with meanwhile(act, path): `act` happens at the first call to `path`, without a live check of its own; by
    default before the calendars are read live, for which the tokens have to be refreshed."""

    @contextmanager
    def block(act: Callable[[], object], path: str = "/token") -> Iterator[None]:
        def unhindered() -> None:
            settings.AWASE_LIVE_CHECK = False
            act()
            settings.AWASE_LIVE_CHECK = True

        if path == "/token":
            Credential.objects.update(expires_at=utcnow() - HOUR)
        wire = Interrupted(sandbox, path, unhindered)
        with registry.use_transport(wire):
            yield
        assert wire.done, f"nobody called {path}"

    return block


@pytest.fixture
def page(owner: Any, connect: Callable[..., Any], page_of: Callable[..., BookingPage]) -> Callable[..., BookingPage]:
    connect(owner, Service.GOOGLE)
    connect(owner, Service.ZOOM)
    owner.refresh_from_db()
    return lambda **fields: page_of(owner, locations=(LocationKind.ZOOM,), **fields)


def takes_its_own_time(one: Booking) -> bool:
    one.refresh_from_db()
    times = HostTime.objects.filter(booking=one, active=True).values_list("start", "end")
    return list(times) == [(one.start, one.end)]


def test_a_request_that_its_guest_moves_while_it_is_approved_is_not_approved_for_the_time_before(
    page: Any, owner: Any, free_start: Any, book: Any, meanwhile: Any
) -> None:
    asked = book(page(approval=Approval.UNHELD), free_start(page := BookingPage.objects.get()))
    later = asked.start + 2 * HOUR
    with meanwhile(lambda: moving.move(asked, later, utcnow(), by=None)):
        assert refusal(lambda: requests.approve(asked, utcnow(), by=owner)) is Refusal.CHANGED
    approved = requests.approve(Booking.objects.get(), utcnow(), by=owner)
    assert approved.start == later and takes_its_own_time(approved)


@contextmanager
def answered(sandbox: Any, path: str, act: Callable[[], object]) -> Iterator[None]:
    """`act` happens after the first call to `path` was carried out, and before its answer arrives."""
    wire = Interrupted(sandbox, path, act, late=True)
    with registry.use_transport(wire):
        yield
    assert wire.done, f"nobody called {path}"


def unfinished() -> list[tuple[str, str, str]]:
    return list(Effect.objects.exclude(state=EffectState.DONE).values_list("key", "state", "last_error"))


def test_a_booking_cancelled_while_its_meeting_is_refused_leaves_nothing_waiting(
    page: Any, owner: Any, free_start: Any, book: Any, work: Any, control: Control, meanwhile: Any
) -> None:
    made = page()
    taken = book(made, free_start(made))
    control.revoke("zoom", owner.user.email)
    with meanwhile(lambda: booking.cancel(taken, utcnow()), "/meetings"):
        work()
    assert unfinished() == []


def test_two_accounts_of_a_host_that_fail_at_once_hand_the_booking_over_once_and_leave_nothing_waiting(
    owner: Any, teammate: Any, connect: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control,
    meanwhile: Any,
) -> None:  # fmt: skip
    for member in (owner, teammate):
        connect(member, Service.GOOGLE)
        connect(member, Service.ZOOM)
        member.refresh_from_db()
    made = page_of(owner, teammate, condition=Condition.ANY, locations=(LocationKind.ZOOM,))
    taken = book(made, free_start(made))
    (host,) = hosts_of(taken)
    for service in ("zoom", "google"):
        control.revoke(service, host.user.email)
    claims = {Effect.objects.get(pk=claim.effect_id).kind: claim for claim in effects.claim_due(utcnow(), 20)}
    taken.join_url = "https://zoom.example/j/1"
    taken.save()  # so that the event does not wait for the link
    with meanwhile(lambda: effects.run(claims["meeting"], utcnow()), "/events"):
        effects.run(claims["event"], utcnow())
    assert hosts_of(taken) != [host]
    Effect.objects.filter(state=EffectState.RUNNING).update(lease_until=utcnow())
    work()
    assert unfinished() == []


def test_an_account_repaired_before_the_work_could_begin_to_wait_for_that_does_the_work(
    page: Any, owner: Any, connect: Any, free_start: Any, book: Any, work: Any, control: Control, sandbox: Any
) -> None:
    made = page()
    taken = book(made, free_start(made))
    zoom = owner.connections.get(credential__service="zoom")
    control.fault("zoom", owner.user.email, "scope_missing")

    def reconnect() -> None:
        control.repair("zoom", owner.user.email)
        connect(owner, Service.ZOOM, again=zoom)

    with answered(sandbox, "/meetings", reconnect):
        work()
    work()
    taken.refresh_from_db()
    assert taken.join_url and unfinished() == []


def slow(act: Callable[[], None]) -> Callable[[], None]:
    """What happens while somebody's lease runs out: another worker takes the work over."""

    def take_over() -> None:
        Effect.objects.filter(state=EffectState.RUNNING).update(lease_until=utcnow() - HOUR)
        act()

    return take_over


@pytest.mark.parametrize("late", [False, True], ids=["before it is made", "after"])
def test_a_worker_that_outlives_its_lease_makes_no_second_meeting(
    late: bool, page: Any, owner: Any, free_start: Any, book: Any, work: Any, control: Control, sandbox: Any
) -> None:
    made = page()
    taken = book(made, free_start(made))
    with registry.use_transport(Interrupted(sandbox, "/users/me/meetings", slow(work), late=late)):
        work()
    work()
    (meeting,) = control.account("zoom", owner.user.email)["meetings"]
    taken.refresh_from_db()
    assert taken.join_url == meeting["join_url"] and unfinished() == []


def test_an_outdated_event_written_last_is_put_right(
    page: Any, owner: Any, free_start: Any, book: Any, work: Any, control: Control, sandbox: Any
) -> None:
    made = page()
    taken = book(made, free_start(made))
    work()
    taken.refresh_from_db()
    moving.move(taken, taken.start + HOUR, utcnow(), by=None)

    def move_on() -> None:
        moving.move(Booking.objects.get(), taken.start + 2 * HOUR, utcnow(), by=None)
        work()

    Credential.objects.update(last_good=utcnow())
    with registry.use_transport(Interrupted(sandbox, "/events", slow(move_on))):
        work()
    work()
    (event,) = control.events("google", owner.user.email)
    assert event["start"] == (taken.start + 2 * HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert unfinished() == []


def test_work_that_was_claimed_and_then_taken_over_is_left_to_the_other(
    page: Any, free_start: Any, book: Any, work: Any, control: Control, owner: Any
) -> None:
    made = page()
    book(made, free_start(made))
    claims = effects.claim_due(utcnow(), 20)
    slow(work)()
    for claim in claims:
        effects.run(claim, utcnow())
    assert unfinished() == []
    assert len(control.account("zoom", owner.user.email)["meetings"]) == 1


def test_a_page_that_gets_limits_while_somebody_books_is_asked_again_under_them(
    page: Any, free_start: Any, book: Any, meanwhile: Any
) -> None:
    made = page()
    start = free_start(made)
    with meanwhile(lambda: BookingPage.objects.update(limits={"page": [{"per": "day", "bookings": 1}]})):
        assert refusal(lambda: book(made, start)) is Refusal.CHANGED
    made.refresh_from_db()
    assert book(made, start).state == BookingState.CONFIRMED


def test_requests_that_come_again_and_in_another_order_leave_one_booking_or_none(
    page: Any, owner: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    made = page()
    start = free_start(made)
    taken = book(made, start, idempotency_key="once")
    booking.cancel(taken, utcnow())
    assert refusal(lambda: moving.move(taken, start + HOUR, utcnow(), by=None)) is Refusal.ALREADY_CANCELLED
    assert book(made, start, idempotency_key="once") == taken, "the form comes again after it was cancelled"
    assert refusal(lambda: booking.cancel(taken, utcnow())) is Refusal.ALREADY_CANCELLED
    work()
    assert Booking.objects.count() == 1 and not HostTime.objects.filter(active=True).exists()
    assert control.events("google", owner.user.email) == [] and unfinished() == []
