"""A slot held while the form is filled in: taken out for others, bounded, given back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from awase.jobs.worker import work_once
from awase.models import BookingPage, Condition, Hold, HostTime
from awase.services import holds
from awase.services.booking import Refusal
from awase.services.hosts import hosts_of
from awase.services.slots import offer
from tests.services.conftest import utcnow
from tests.services.test_booking_taking import refusal

pytestmark = pytest.mark.django_db
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def page(owner: Any, page_of: Callable[..., BookingPage]) -> BookingPage:
    """The owner's page, without calendars: half an hour each."""
    return page_of(owner)


def run_out(hold: Hold) -> None:
    Hold.objects.filter(pk=hold.pk).update(expires_at=utcnow())


def starts(page: BookingPage) -> list[int]:
    """All starts of the days to come."""
    return offer(page, utcnow(), utcnow() + timedelta(days=10), utcnow()).slots.starts


def test_a_held_slot_is_taken_out_for_others_and_becomes_the_holders_booking(
    page: BookingPage, free_start: Any, book: Any
) -> None:
    start = free_start(page)
    held = holds.hold(page, start, utcnow(), client="203.0.113.7")
    assert held.expires_at > utcnow() + timedelta(minutes=4) and "203.0.113.7" not in str(vars(held))
    assert free_start(page) > start
    assert refusal(lambda: book(page, start)) is Refusal.SLOT_GONE
    assert refusal(lambda: holds.hold(page, start, utcnow(), client="other")) is Refusal.SLOT_GONE
    assert refusal(lambda: book(page, start, hold="invented")) is Refusal.SLOT_GONE
    assert book(page, start, hold=held.token).start == start
    assert not Hold.objects.exists() and HostTime.objects.count() == 1


def test_a_hold_is_no_condition_and_is_given_back_with_another_choice(
    page: BookingPage, free_start: Any, book: Any
) -> None:
    held = holds.hold(page, free_start(page), utcnow(), client="a")
    start = free_start(page)
    assert book(page, start, hold=held.token).start == start, "held for another start, booked without it"
    holds.release(page, held.token)
    holds.release(page, held.token)
    assert free_start(page) == held.start


def test_a_hold_that_has_run_out_stands_in_nobodys_way_before_it_is_swept(
    page: BookingPage, free_start: Any, book: Any
) -> None:
    held = holds.hold(page, free_start(page), utcnow(), client="a")
    run_out(held)
    assert refusal(lambda: holds.renew(page, held.token, utcnow())) is Refusal.SLOT_GONE
    assert book(page, held.start, email="other@guest.example").start == held.start
    assert not Hold.objects.exists()


def test_the_worker_sweeps_what_has_run_out_and_nothing_else(page: BookingPage, free_start: Any) -> None:
    over = holds.hold(page, free_start(page), utcnow(), client="a")
    standing = holds.hold(page, free_start(page), utcnow(), client="b")
    run_out(over)
    work_once()
    assert Hold.objects.get() == standing and HostTime.objects.get().hold == standing


def test_a_hold_is_renewed_while_it_stands(page: BookingPage, free_start: Any) -> None:
    held = holds.hold(page, free_start(page), utcnow(), client="a")
    later = utcnow() + timedelta(minutes=3)
    assert holds.renew(page, held.token, later).expires_at == later + timedelta(minutes=5)


def test_the_fourth_hold_of_a_client_gives_up_the_oldest(page: BookingPage, free_start: Any) -> None:
    now = utcnow()
    made = [holds.hold(page, free_start(page), now + timedelta(seconds=n), client="a") for n in range(4)]
    assert set(Hold.objects.all()) == set(made[1:])
    assert free_start(page) == made[0].start
    holds.hold(page, free_start(page), now, client="b")
    assert Hold.objects.count() == 4


def test_however_many_clients_half_of_what_a_page_offers_stays_free(page: BookingPage) -> None:
    first = starts(page)[0]

    def free() -> list[int]:
        return [start for start in starts(page) if start < first + 2 * 86400]

    held = 0
    with pytest.raises(holds.Refused) as refused:
        for start in free():
            holds.hold(page, datetime.fromtimestamp(start, UTC), utcnow(), client=str(held))
            held += 1
        for number in range(1000):  # those of the days after, with ever more clients
            holds.hold(page, datetime.fromtimestamp(starts(page)[0], UTC), utcnow(), client=f"b{number}")
            held += 1
    assert refused.value.refusal is Refusal.NOT_HELD
    assert Hold.objects.count() == held > 10, "what was refused left nothing behind"
    week = [start for start in starts(page) if start < first + 3 * 86400]
    assert week, "there is still something to be had at once"


def test_the_last_time_of_a_week_is_never_held(page: BookingPage, owner: Any, free_start: Any, book: Any) -> None:
    start = free_start(page)
    owner.schedules.update(
        weekly=[[] for _ in range(7)],
        overrides={f"{start + timedelta(hours=9):%Y-%m-%d}": [_minutes(start)]},
    )
    assert starts(page) == [int(start.timestamp())]
    assert refusal(lambda: holds.hold(page, start, utcnow(), client="a")) is Refusal.NOT_HELD
    assert not HostTime.objects.exists()
    assert book(page, start).start == start


def _minutes(start: datetime) -> list[int]:
    there = start + timedelta(hours=9)
    begin = there.hour * 60 + there.minute
    return [begin, begin + 30]


def test_a_held_slot_keeps_its_host_under_automatic_assignment(
    owner: Any, teammate: Any, page_of: Any, free_start: Any, book: Any
) -> None:
    page = page_of(owner, teammate, condition=Condition.ANY, calendar_required=False)
    start = free_start(page)
    held = holds.hold(page, start, utcnow(), client="a")
    (host,) = held.host_times.all()
    (other,) = hosts_of(book(page, start, email="other@guest.example"))
    assert other.pk != host.member_id
    assert [member.pk for member in hosts_of(book(page, start, hold=held.token))] == [host.member_id]


def test_holding_a_seat_leaves_the_session_open_to_others(owner: Any, page_of: Any, free_start: Any, book: Any) -> None:
    page = page_of(owner, seats=2)
    start = free_start(page)
    held = holds.hold(page, start, utcnow(), client="a")
    first = book(page, start, email="other@guest.example")
    second = book(page, start, hold=held.token)
    assert first.session == second.session and not Hold.objects.exists()


def test_nothing_is_held_on_a_page_that_takes_nothing(page: BookingPage, free_start: Any) -> None:
    start = free_start(page)
    BookingPage.objects.update(accepting=False)
    page.refresh_from_db()
    assert refusal(lambda: holds.hold(page, start, utcnow(), client="a")) is Refusal.NOT_ACCEPTING
    page.accepting = True
    page.save()
    assert refusal(lambda: holds.hold(page, start, utcnow(), client="a", minutes=7)) is Refusal.LENGTH_UNKNOWN
    off_grid = start + timedelta(minutes=7)
    assert refusal(lambda: holds.hold(page, off_grid, utcnow(), client="a")) is Refusal.SLOT_GONE
