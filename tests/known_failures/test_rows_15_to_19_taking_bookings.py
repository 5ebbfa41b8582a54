"""Rows 15 to 19: a booking that is taken stands, one that cannot be honoured is not taken, whatever is asked."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core import mail
from django.db import connections
from django.http import QueryDict

from awase.domain.health import Service
from awase.models import Booking, BookingPage, BookingState, Effect, EffectState, HostTime
from awase.services import booking
from awase.services.booking import Refusal, Refused
from awase.web.booking_form import sign
from tests.campaign.world import World
from tests.known_failures.conftest import check, override, seed, starts
from tests.services.conftest import Control, utcnow
from tests.web.conftest import Guest, text_of

GUESTS = 4


@pytest.mark.django_db
def test_row_15_an_event_that_cannot_be_written_is_tried_again_while_the_booking_stands(
    page: BookingPage, owner: Any, control: Control, free_start: Any, book: Any, work: Any
) -> None:
    override(control, Service.GOOGLE, owner, "events.insert", 500)
    taken = book(page, free_start(page))
    work()
    effect = Effect.objects.get(booking=taken, kind="event")
    assert effect.state == EffectState.PENDING and effect.last_error
    assert Booking.objects.get().state == BookingState.CONFIRMED
    assert any(message.to == ["hanako@guest.example"] for message in mail.outbox), "the confirmation is not skipped"
    control.repair("google", owner.user.email)
    Effect.objects.filter(pk=effect.pk).update(next_at=utcnow())
    work()
    assert len(control.events("google", owner.user.email)) == 1


@pytest.mark.django_db
def test_row_15_an_hour_whose_event_could_not_be_written_is_free_again_after_the_cancellation(
    page: BookingPage, owner: Any, control: Control, free_start: Any, book: Any, work: Any, connect: Any
) -> None:
    start = free_start(page)
    taken = book(page, start)
    control.revoke("google", owner.user.email)
    work()
    assert Effect.objects.get(booking=taken, kind="event").state == EffectState.PARKED
    booking.cancel(taken, utcnow())
    connect(owner, Service.GOOGLE, again=owner.connections.get(credential__service=Service.GOOGLE))
    work()
    assert book(page, start).start == start
    assert control.account("zoom", owner.user.email)["meetings"] == []


def test_row_16_several_guests_who_want_one_slot_at_the_same_moment_get_one_booking(world: World) -> None:
    page = BookingPage.objects.get(slug="all")
    for start in world.starts(page)[:5]:
        barrier = Barrier(GUESTS)

        def ask(number: int, start: datetime = start, barrier: Barrier = barrier) -> str:
            barrier.wait()
            try:
                world.book(page, start)
            except Refused as refused:
                return refused.refusal
            finally:
                connections.close_all()
            return "booked"

        with ThreadPoolExecutor(GUESTS) as pool:
            answers = sorted(pool.map(ask, range(GUESTS)))
        assert answers == ["booked"] + [Refusal.SLOT_GONE] * (GUESTS - 1)
        assert HostTime.objects.filter(start=start, active=True).count() == 2, "one for each host"


@pytest.mark.django_db
@pytest.mark.parametrize("shift", [timedelta(days=-7), timedelta(minutes=7), timedelta(days=4000)])
def test_row_17_a_start_in_the_past_off_the_grid_or_years_ahead_is_refused_with_fresh_times(
    page: BookingPage, guest: Guest, free_start: Any, shift: timedelta
) -> None:
    start = free_start(page, nth=5)
    form = guest.open_form(page, start)
    form.values["token"] = sign(page, start + shift, "as if it had been offered")
    answer = guest.send(form)
    assert answer.status_code == 409
    assert not Booking.objects.exists()
    assert re.search(r"\d{1,2}:\d\d", text_of(answer)), "fresh times are shown"


@pytest.mark.django_db
def test_row_18_whatever_is_shown_can_be_booked_and_nothing_else(
    page: BookingPage, owner: Any, control: Control, book: Any
) -> None:
    shown = starts(page)
    seed(control, owner, shown[4].replace(minute=0) + timedelta(hours=2))
    check(owner)
    shown = starts(page)
    window = [shown[0] + timedelta(minutes=15 * step) for step in range(40)]
    for start in window:
        offered = start in starts(page)
        try:
            book(page, start)
        except Refused:
            assert not offered, f"{start} was shown and refused"
        else:
            assert offered, f"{start} was booked and not shown"
    assert Booking.objects.count() > 5


@pytest.mark.django_db
def test_row_19_of_all_that_the_product_asks_of_a_request_nothing_weakens_a_check(
    page: BookingPage, owner: Any, guest: Guest, control: Control, free_start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[str] = set()

    class Curious(QueryDict):
        """Notes every name that is looked for, whether a guest sent it or not."""

        def getlist(self, key: str, default: Any = None) -> Any:
            asked.add(key)
            return super().getlist(key, default)

        def __getitem__(self, key: str) -> Any:
            asked.add(key)
            return super().__getitem__(key)

        def __contains__(self, key: object) -> bool:
            asked.add(str(key))
            return super().__contains__(key)

    for place in ("django.core.handlers.wsgi", "django.http.request", "django.http"):
        monkeypatch.setattr(f"{place}.QueryDict", Curious)
    start = free_start(page)
    assert guest.book(page, start, email="first@guest.example").status_code == 303
    monkeypatch.undo()
    assert {"start", "email"} <= asked, "the looking on works"

    form = guest.open_form(page, free_start(page, nth=20))
    control.revoke("google", owner.user.email)
    wishes = sorted(asked - set(form.values) - set(guest.DETAILS))
    for wish in wishes:
        for value in ("true", "1", "on", "all"):
            guest.send(form, **{wish: value})
            guest.client.post(f"{form.action}?{wish}={value}", form.values | guest.DETAILS)
    assert wishes and Booking.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wish", ["silent_calendar_failures", "isSilentCalendarFailures", "skip_checks", "force", "without", "live"]
)
def test_row_19_no_word_of_a_guest_weakens_a_check(
    page: BookingPage, owner: Any, guest: Guest, control: Control, free_start: Any, wish: str
) -> None:
    form = guest.open_form(page, free_start(page))
    control.revoke("google", owner.user.email)
    form.action += f"{'&' if '?' in form.action else '?'}{wish}=true"
    answer = guest.send(form, **{wish: "true"})
    assert answer.status_code != 303
    assert not Booking.objects.exists()
