"""Taking a booking: lengths, hosts, limits, links, refusals; and cancelling it within the page's rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from awase import registry
from awase.domain.health import Service
from awase.models import (
    Booking,
    BookingPage,
    BookingState,
    CalendarBusy,
    Condition,
    HostTime,
    OneTimeLink,
    PageGroup,
    PageMember,
    RefusedBooking,
)
from awase.models.page import Assignment, Visibility
from awase.services import accounts, booking, links, pages
from awase.services.booking import Refusal, Refused
from awase.services.hosts import hosts_of
from sandbox.app import wsgi
from tests.services.conftest import utcnow

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(owner: Any, page_of: Callable[..., BookingPage]) -> BookingPage:
    """The owner's page, without calendars: half an hour each."""
    return page_of(owner)


def refusal(act: Callable[[], Any]) -> Refusal:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.refusal


def test_a_chosen_length_is_taken_and_a_foreign_one_refused(page: BookingPage, free_start: Any, book: Any) -> None:
    page.durations = [60]
    page.save()
    taken = book(page, free_start(page), minutes=60)
    assert taken.end - taken.start == timedelta(hours=1)
    assert HostTime.objects.get().end == taken.end
    assert refusal(lambda: book(page, free_start(page), minutes=45)) is Refusal.LENGTH_UNKNOWN


def test_everything_that_the_guest_said_is_kept(page: BookingPage, free_start: Any, book: Any) -> None:
    taken = book(
        page,
        free_start(page),
        about={"company": "花屋", "phone": "03", "further": ("taro@guest.example",)},
        answers=(("お子さまは?", "2人"),),
        tracking={"utm_source": "mail"},
    )
    taken.refresh_from_db()
    assert (taken.guest_company, taken.further_guests) == ("花屋", ["taro@guest.example"])
    assert (taken.answers, taken.tracking) == ([["お子さまは?", "2人"]], {"utm_source": "mail"})


def test_two_bookings_on_one_day_are_one_too_many_where_the_page_takes_one(
    page: BookingPage, free_start: Any, book: Any
) -> None:
    page.limits = {"page": [{"per": "day", "bookings": 1}]}
    page.save()
    first = book(page, free_start(page))
    again = first.start + timedelta(hours=1)
    assert refusal(lambda: book(page, again, email="other@guest.example")) is Refusal.SLOT_GONE


def test_a_guest_who_had_their_share_is_refused_however_the_address_is_written(
    page: BookingPage, free_start: Any, book: Any
) -> None:
    page.limits = {"guest": [{"per": "total", "bookings": 1}]}
    page.save()
    book(page, free_start(page))
    assert refusal(lambda: book(page, free_start(page), email="Hanako@Guest.example")) is Refusal.SLOT_GONE
    assert book(page, free_start(page), email="other@guest.example")


@pytest.mark.parametrize(("minutes", "fault"), [(14, "outage"), (14, "timeout"), (16, "outage"), (16, "timeout")])
def test_where_the_live_check_gets_no_answer_busy_times_decide_while_they_are_young(
    owner: Any,
    connect: Any,
    page_of: Any,
    free_start: Any,
    book: Any,
    control: Any,
    settings: Any,
    minutes: int,
    fault: str,
) -> None:
    settings.AWASE_TOLERANCE = timedelta(hours=1)
    settings.AWASE_LIVE_CHECK_SECONDS = 0.5
    connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    page = page_of(owner)
    start = free_start(page)
    CalendarBusy.objects.update(read_at=(utcnow() - timedelta(minutes=minutes)).timestamp())
    control.fault("google", owner.user.email, fault)
    assert start == free_start(page), "to be listed, times may be as old as the tolerance"
    if minutes < 15:
        assert book(page, start).start == start
    else:
        assert refusal(lambda: book(page, start)) is Refusal.SLOT_GONE


def test_who_belongs_to_two_workspaces_is_booked_in_one_place_at_a_time(
    owner: Any, stranger: Any, page: BookingPage, page_of: Any, free_start: Any, book: Any
) -> None:
    elsewhere = page_of(accounts.add_member(stranger.workspace, owner.user), slug="elsewhere")
    start = free_start(page)
    assert free_start(elsewhere) == start
    taken = book(page, start)
    assert free_start(elsewhere) == taken.end
    assert refusal(lambda: book(elsewhere, start)) is Refusal.SLOT_GONE
    booking.cancel(taken, utcnow(), by=owner)
    assert book(elsewhere, start).start == start


def test_an_archived_page_takes_nothing(page: BookingPage, free_start: Any, book: Any) -> None:
    start = free_start(page)
    page.archived_at = utcnow()
    page.save()
    assert refusal(lambda: book(page, start)) is Refusal.NOT_ACCEPTING


def test_a_refused_booking_is_counted_after_the_rollback_without_a_word_about_the_guest(
    page: BookingPage, free_start: Any, book: Any
) -> None:
    start = free_start(page)
    assert refusal(lambda: book(page, start + timedelta(minutes=7))) is Refusal.SLOT_GONE
    PageMember.objects.all().delete()
    assert refusal(lambda: book(page, start)) is Refusal.NOT_ACCEPTING
    counted = RefusedBooking.objects.order_by("pk").values_list("page", "refusal", "stops")
    assert list(counted) == [(page.pk, "slot_gone", []), (page.pk, "not_accepting", ["no_members"])]
    assert not Booking.objects.exists()


def test_a_list_is_filled_by_those_whose_turn_it_is_and_nobody_fills_two_places(
    owner: Any, new_member: Any, page_of: Any, free_start: Any, book: Any
) -> None:
    ben, cal = new_member("Ben", owner.workspace), new_member("Cal", owner.workspace)
    page = page_of(owner, ben, cal, condition=Condition.LIST)
    page.calendar_required = False
    page.save()
    PageGroup.objects.create(page=page).members.add(owner)
    PageGroup.objects.create(page=page, needed=1).members.add(ben, cal)
    chosen = [set(hosts_of(book(page, free_start(page)))) for _ in range(4)]
    assert chosen == [{owner, ben}, {owner, cal}, {owner, ben}, {owner, cal}]


def test_a_guest_meets_whom_they_chose(owner: Any, teammate: Any, page_of: Any, free_start: Any, book: Any) -> None:
    page = page_of(owner, teammate, condition=Condition.ANY, calendar_required=False)
    BookingPage.objects.update(assignment=Assignment.GUEST)
    page.refresh_from_db()
    start = free_start(page)
    assert hosts_of(book(page, start, host_id=teammate.pk)) == [teammate]
    assert refusal(lambda: book(page, start, host_id=teammate.pk)) is Refusal.SLOT_GONE
    assert hosts_of(book(page, start)) == [owner]


def test_a_one_time_link_takes_one_booking_and_is_kept_if_that_fails(
    page: BookingPage, owner: Any, free_start: Any, book: Any
) -> None:
    link, address = links.make_one_time(page, owner, utcnow(), note="山田様")
    secret = address.partition("?once=")[2]
    assert secret not in str(OneTimeLink.objects.values())
    start = free_start(page)
    assert refusal(lambda: book(page, start + timedelta(minutes=7), once=secret)) is Refusal.SLOT_GONE
    taken = book(page, start, once=secret)
    link.refresh_from_db()
    assert taken.one_time_link == link and link.used_at is not None
    assert refusal(lambda: book(page, free_start(page), once=secret)) is Refusal.LINK_USED
    assert refusal(lambda: book(page, free_start(page), once="invented")) is Refusal.LINK_USED
    assert Booking.objects.count() == 1


def test_a_one_time_link_runs_out(page: BookingPage, owner: Any, free_start: Any, book: Any) -> None:
    _link, address = links.make_one_time(page, owner, utcnow() - timedelta(days=8), days=7)
    assert refusal(lambda: book(page, free_start(page), once=address.partition("?once=")[2])) is Refusal.LINK_USED


def test_a_secret_page_is_seen_by_its_link_and_no_longer_by_one_that_was_renewed(page: BookingPage, owner: Any) -> None:
    now = utcnow()
    assert links.admits(page, now)
    page.visibility = Visibility.SECRET
    page.save()
    assert not links.admits(page, now) and not links.admits(page, now, link=links.page_secret(page))
    first = links.renew_secret(page, by=page.owner).partition("?link=")[2]
    assert links.admits(page, now, link=first) and not links.admits(page, now, link="ü")
    second = links.renew_secret(page, by=page.owner).partition("?link=")[2]
    assert links.admits(page, now, link=second) and not links.admits(page, now, link=first)
    _link, address = links.make_one_time(page, owner, now)
    assert links.admits(page, now, once=address.partition("?once=")[2])


def test_whoever_knew_the_password_gets_a_ticket_that_ends_with_it(page: BookingPage) -> None:
    assert links.password_fits(page, "") and links.ticket_fits(page, "")
    links.set_password(page, "秘密")
    page.refresh_from_db()
    assert "秘密" not in page.password
    assert links.password_fits(page, "秘密") and not links.password_fits(page, "ひみつ")
    ticket = links.ticket(page)
    assert links.ticket_fits(page, ticket) and not links.ticket_fits(page, "")
    links.set_password(page, "other")
    assert not links.ticket_fits(page, ticket)


def test_a_host_who_books_for_a_guest_is_not_bound_by_notice_and_says_so(
    page: BookingPage, owner: Any, stranger: Any, free_start: Any, book: Any
) -> None:
    start = free_start(page)
    BookingPage.objects.update(notice_minutes=60 * 24 * 30)
    page.refresh_from_db()
    assert refusal(lambda: book(page, start)) is Refusal.SLOT_GONE
    assert refusal(lambda: book(page, start, by=owner)) is Refusal.SLOT_GONE
    taken = book(page, start, by=owner, unbound=True)
    change = taken.changes.get()
    assert change.what == "booked_by_host" and "Tanaka" in change.detail and "notice" in change.detail
    assert refusal(lambda: book(page, start, by=owner, unbound=True)) is Refusal.SLOT_GONE, "that hour is taken"
    with pytest.raises(PermissionDenied):
        book(page, start + timedelta(hours=1), by=stranger, unbound=True)


def test_a_host_does_not_book_past_the_owners_switch(page: BookingPage, owner: Any, free_start: Any, book: Any) -> None:
    start = free_start(page)
    pages.set_accepting(page, False, utcnow(), by=page.owner)
    assert refusal(lambda: book(page, start, by=owner, unbound=True)) is Refusal.NOT_ACCEPTING


def test_guests_cancel_before_the_deadline_with_a_reason_and_hosts_at_any_time(
    page: BookingPage, owner: Any, teammate: Any, free_start: Any, book: Any
) -> None:
    BookingPage.objects.update(cancel_until_minutes=60, reason_required=True)
    page.refresh_from_db()
    taken = book(page, free_start(page))
    late = taken.start - timedelta(minutes=59)
    assert refusal(lambda: booking.cancel(taken, late, reason="x")) is Refusal.TOO_LATE
    in_time = taken.start - timedelta(minutes=60)
    assert refusal(lambda: booking.cancel(taken, in_time, reason=" ")) is Refusal.REASON_MISSING
    with pytest.raises(PermissionDenied):
        booking.cancel(taken, late, by=teammate)
    booking.cancel(taken, late, by=owner)
    assert refusal(lambda: booking.cancel(taken, in_time, reason="x")) is Refusal.ALREADY_CANCELLED
    BookingPage.objects.update(guests_cancel=False)
    second = Booking.objects.get(pk=book(page, taken.start).pk)
    assert refusal(lambda: booking.cancel(second, in_time, reason="x")) is Refusal.NOT_ALLOWED
    assert refusal(lambda: booking.cancel(second, second.end, by=owner)) is Refusal.OVER


def test_who_did_not_come_is_marked_after_the_start_and_can_be_taken_back(
    page: BookingPage, owner: Any, teammate: Any, free_start: Any, book: Any
) -> None:
    taken = book(page, free_start(page))
    assert refusal(lambda: booking.mark_no_show(taken, utcnow(), by=owner)) is Refusal.NOT_STARTED
    with pytest.raises(PermissionDenied):
        booking.mark_no_show(taken, taken.end, by=teammate)
    assert booking.mark_no_show(taken, taken.end, by=owner).no_show_at == taken.end
    assert booking.mark_no_show(taken, taken.end, by=owner, no_show=False).no_show_at is None
    assert list(taken.changes.values_list("what", flat=True)) == ["booked", "no_show", "no_show_taken_back"]
    booking.cancel(taken, utcnow(), by=owner)
    assert refusal(lambda: booking.mark_no_show(taken, taken.end, by=owner)) is Refusal.ALREADY_CANCELLED


@pytest.mark.parametrize("condition", [Condition.ALL, Condition.ANY])
def test_the_number_of_queries_of_a_booking_does_not_grow_with_the_members(
    condition: Condition, owner: Any, new_member: Any, page_of: Any, free_start: Any, book: Any
) -> None:
    def queries(page: BookingPage) -> int:
        start = free_start(page)
        with CaptureQueriesContext(connection) as captured:
            book(page, start)
        return len(captured)

    few = page_of(owner, condition=condition, calendar_required=False)
    others = [new_member(f"M{number}", owner.workspace) for number in range(4)]
    many = page_of(owner, *others, condition=condition, slug="many", calendar_required=False)
    assert queries(few) == queries(many)


def test_times_of_all_hosts_are_written_with_the_buffers(
    owner: Any, teammate: Any, page_of: Any, free_start: Any, book: Any
) -> None:
    page = page_of(owner, teammate, buffer_before_minutes=10, buffer_after_minutes=20)
    taken: Booking = book(page, free_start(page))
    times: list[tuple[int, datetime, datetime]] = list(
        HostTime.objects.filter(active=True).values_list("member", "start", "end").order_by("member")
    )
    around = (taken.start - timedelta(minutes=10), taken.end + timedelta(minutes=20))
    assert times == [(owner.pk, *around), (teammate.pk, *around)]
    booking.cancel(taken, utcnow())
    assert not HostTime.objects.filter(active=True).exists() and hosts_of(taken) == [owner, teammate]
    assert Booking.objects.get().state == BookingState.CANCELLED


def test_the_live_check_is_on_and_waits_three_seconds_unless_set_otherwise(
    owner: Any, connect: Any, page_of: Any, free_start: Any, book: Any, sandbox: Any
) -> None:
    connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    page = page_of(owner)

    class Watched(httpx2.WSGITransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            patience.append(request.extensions["timeout"]["read"])
            return super().handle_request(request)

    patience: list[float] = []
    with registry.use_transport(Watched(app=wsgi(sandbox))):
        book(page, free_start(page))
    assert patience and max(patience) == 3
