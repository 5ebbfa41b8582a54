"""A service that wants to be left alone by an account is left alone, whoever would call it: the checks, what is to be
written, the look at booking time, a page that is saved, a person who asks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from awase.domain.errors import Reason
from awase.domain.health import LocationKind, Service, Standing
from awase.jobs.worker import work_once
from awase.models import BookingPage, CalendarEvent, Credential, Effect, EffectKind, EffectState, Location
from awase.services import booking, checks, connections, pages, rooms
from awase.services.health import standing_of, verdict_of
from awase.services.signals import Cause
from sandbox.dav_proxy import DavProxy, Fault
from tests.providers.radicale import PASSWORD, USER
from tests.services.conftest import Control

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)  # 9:00 in Tokyo


def now() -> datetime:
    return datetime.now(UTC)


def work_for(clock: Any, length: timedelta) -> None:
    """Let the worker work, and time pass."""
    until = now() + length
    while now() < until:
        work_once()
        clock.shift(timedelta(minutes=1))


class Server:
    """Radicale, whose one account belongs to the owner; its proxy counts what comes."""

    def __init__(self, proxy: DavProxy) -> None:
        self.proxy = proxy

    def refuse(self, body: bytes = b"") -> None:
        self.proxy.faults = [Fault("answer", status=401, body=body, headers={"WWW-Authenticate": "Basic"})]

    @property
    def calls(self) -> int:
        return len(self.proxy.calls)


@pytest.fixture
def server(radicale_behind_proxy: Any, time_machine: Any, owner: Any) -> Server:
    time_machine.move_to(MONDAY, tick=False)
    _, proxy = radicale_behind_proxy
    connections.connect_caldav(owner, None, proxy.address, USER, PASSWORD, now())
    owner.refresh_from_db()
    return Server(proxy)


def everything_that_calls(page: BookingPage, book: Any, free_start: Any) -> None:
    """A guest books, one cancels, the page is saved for longer, the owner asks, the process starts anew."""
    link = page.owner.connections.get()
    taken = book(page, free_start(page, 3))
    booking.cancel(booking.Booking.objects.earliest("pk"), now())
    before = pages.touched(page)
    page.period_days = 300
    page.save()
    pages.saved(page, before, now())
    checks.check_all_at_start(now())
    assert connections.check_now(link, now()) is not None
    Effect.objects.filter(state=EffectState.PENDING).update(next_at=now())
    work_once()
    assert taken.pk


def test_after_one_refused_password_nothing_is_sent_for_ten_minutes_then_one_try_and_no_more(
    server: Server, owner: Any, page_of: Any, book: Any, free_start: Any, time_machine: Any
) -> None:
    page = page_of(owner)
    book(page, free_start(page))
    work_for(time_machine, timedelta(minutes=6))
    assert CalendarEvent.objects.get().external_id
    server.refuse()
    before = server.calls
    checks.check(Credential.objects.get().pk, Cause.CHECK, now())
    assert server.calls == before + 1
    everything_that_calls(page, book, free_start)
    work_for(time_machine, timedelta(minutes=9))
    assert server.calls == before + 1, "a wrong password repeated slows down our whole address"
    work_for(time_machine, timedelta(minutes=3))
    assert server.calls == before + 2
    assert standing_of(Credential.objects.get(), now()) == (Standing.ERROR, Reason.APP_PASSWORD_INVALID)
    assert not verdict_of(page, now()).open

    work_for(time_machine, timedelta(minutes=50))
    assert server.calls == before + 2
    waiting = Effect.objects.filter(kind=EffectKind.EVENT).exclude(state=EffectState.DONE)
    assert {effect.state for effect in waiting} == {EffectState.PARKED}, "what waits, waits for the person, and says so"

    server.proxy.faults = []
    connections.connect_caldav(owner, owner.connections.get(), server.proxy.address, USER, PASSWORD, now())
    work_for(time_machine, timedelta(minutes=2))
    assert verdict_of(page, now()).open
    assert not waiting.all().exists(), "the event is written, the cancelled one taken away"


def test_a_person_who_made_the_password_valid_again_need_not_wait_for_a_probe(
    server: Server, owner: Any, page_of: Any, time_machine: Any
) -> None:
    page = page_of(owner)
    server.refuse(
        b"<d:error xmlns:d='DAV:' xmlns:o='http://owncloud.org/ns'><o:hint>password login forbidden</o:hint></d:error>"
    )
    checks.check(Credential.objects.get().pk, Cause.CHECK, now())
    assert standing_of(Credential.objects.get(), now())[1] is Reason.APP_PASSWORD_INVALID
    server.proxy.faults = []
    assert connections.check_now(owner.connections.get(), now()) is None
    assert verdict_of(page, now()).open


def test_a_limit_of_an_account_is_kept_by_all_who_call_and_the_other_accounts_go_on(
    owner: Any, connect: Any, page_of: Any, book: Any, free_start: Any, control: Control, sandbox: Any,
    time_machine: Any,
) -> None:  # fmt: skip
    time_machine.move_to(MONDAY, tick=False)
    connect(owner, Service.GOOGLE)
    connect(owner, Service.ZOOM)
    owner.refresh_from_db()
    page = page_of(owner)
    Location.objects.create(page=page, kind=LocationKind.ZOOM)
    book(page, free_start(page))
    work_for(time_machine, timedelta(minutes=2))
    google = Credential.objects.get(service=Service.GOOGLE)
    control.fault("google", owner.user.email, "rate_limited", status=429, retry_after=600)
    checks.check(google.pk, Cause.CHECK, now())
    sandbox.requests.clear()
    book(page, free_start(page, 3), email="jiro@guest.example")
    for link in owner.connections.filter(credential=google):
        assert connections.check_now(link, now()) == now() + timedelta(minutes=10)
        with pytest.raises(Exception, match="patience"):
            rooms.seen_by(link, now())
    work_for(time_machine, timedelta(minutes=9))
    asked = {entry["service"] for entry in sandbox.requests}
    assert asked == {"zoom"}
    control.repair("google", owner.user.email)
    work_for(time_machine, timedelta(minutes=3))
    assert not Effect.objects.filter(kind=EffectKind.EVENT).exclude(state=EffectState.DONE).exists()


def test_the_screen_says_until_when_it_is_waited(
    owner: Any, connect: Any, control: Control, log_in: Any, time_machine: Any
) -> None:
    time_machine.move_to(MONDAY, tick=False)
    link = connect(owner, Service.GOOGLE)
    control.fault("google", owner.user.email, "rate_limited", status=429, retry_after=600)
    browser = log_in(owner)
    browser.post(f"/app/connections/{link.pk}/check")
    page = browser.post(f"/app/connections/{link.pk}/check", follow=True).content.decode()
    assert "The service asked for patience: it is asked again at 9:10\xa0AM." in page
