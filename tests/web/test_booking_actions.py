"""What a host does with a booking on its screen: answers, moves, hands over, marks, sends again, books for a guest."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from awase.models import Booking, BookingPage, BookingState, Condition, Effect, Member, PageMember, PageShare
from tests.services.conftest import TOKYO, utcnow
from tests.web.conftest import text_of


@pytest.fixture
def browser(log_in: Callable[[Any], Client], team: Any) -> Client:
    return log_in(team[0])


@pytest.fixture
def taken(page: BookingPage, free_start: Any, book: Any) -> Booking:
    booking: Booking = book(page, free_start(page, 60))
    return booking


@pytest.fixture
def asked(page: BookingPage, free_start: Any, book: Any) -> Booking:
    page.approval = "held"
    page.save()
    booking: Booking = book(page, free_start(page, 60))
    return booking


def details(browser: Client, booking: Booking) -> str:
    return text_of(browser.get(f"/app/bookings/{booking.uid}", headers={"Accept-Language": "en"}))


def buttons(browser: Client, booking: Booking) -> set[str]:
    """What the details of a booking lead to, by the last part of each address."""
    html = browser.get(f"/app/bookings/{booking.uid}").content.decode()
    return set(re.findall(rf'(?:href|action)="/app/bookings/{booking.uid}/([\w-]+)"', html))


@pytest.fixture
def act(browser: Client) -> Callable[..., str]:
    """act(booking, what, …): presses a button; what the screen says then."""

    def go(booking: Booking, what: str, **data: Any) -> str:
        answer = browser.post(f"/app/bookings/{booking.uid}/{what}", data, follow=True)
        booking.refresh_from_db()
        return text_of(answer)

    return go


def test_a_request_is_listed_and_approved(browser: Client, asked: Booking, act: Callable[..., str]) -> None:
    assert "Waiting for your answer" in text_of(browser.get("/app/bookings?tab=requests"))
    assert "The guest waits for your answer." in details(browser, asked)
    assert buttons(browser, asked) >= {"approve", "decline", "times", "cancel"}
    assert "The booking stands." in act(asked, "approve")
    assert asked.state == BookingState.CONFIRMED
    assert "answered already" in act(asked, "approve")


def test_a_request_is_declined_with_a_reason(asked: Booking, act: Callable[..., str]) -> None:
    assert "The request is declined." in act(asked, "decline", reason="Holiday")
    assert (asked.state, asked.cancel_reason) == (BookingState.DECLINED, "Holiday")


def test_a_booking_is_moved_to_one_of_the_times_shown(
    browser: Client, taken: Booking, act: Callable[..., str], free_start: Any
) -> None:
    new = free_start(taken.page, 5)
    shown = browser.get(f"/app/bookings/{taken.uid}/times")
    offered = {slot["value"] for day in shown.context["days"] for slot in day["slots"]}
    value = next(text for text in offered if text[:16] == f"{new.astimezone(TOKYO):%Y-%m-%dT%H:%M}")
    assert "Moved." in act(taken, "move", start=value)
    assert taken.start == new
    assert "This time is not free" in act(taken, "move", start="soon")


def test_a_booking_is_handed_to_another_member_of_the_page(
    browser: Client, page: BookingPage, team: Any, taken: Booking, act: Callable[..., str]
) -> None:
    assert "Hand to another host" not in details(browser, taken)
    PageMember.objects.create(page=page, member=team[1], position=1)
    page.condition = Condition.ANY
    page.save()
    assert "Hand to another host" in details(browser, taken)
    assert "Handed over." in act(taken, "reassign", member=team[1].pk)
    assert [row.member for row in taken.host_times.all()] == [team[1]]
    assert "not free then" in act(taken, "reassign", member=999)


def test_a_no_show_is_marked_once_it_has_begun_and_taken_back(
    browser: Client, taken: Booking, act: Callable[..., str]
) -> None:
    assert "The guest did not come" not in details(browser, taken)
    with time_machine.travel(taken.start + timedelta(minutes=20), tick=False):
        assert "Marked: the guest did not come." in act(taken, "no-show", no_show="yes")
        assert taken.no_show_at and "Did not come" in details(browser, taken)
        act(taken, "no-show", no_show="no")
        assert taken.no_show_at is None


def test_the_mail_is_sent_again(taken: Booking, act: Callable[..., str]) -> None:
    before = Effect.objects.filter(kind="mail").count()
    assert "The mail is sent once more." in act(taken, "resend")
    assert Effect.objects.filter(kind="mail").count() == before + 1


def test_a_host_books_for_a_guest_and_is_told_what_is_in_the_way(
    browser: Client, page: BookingPage, free_start: Any
) -> None:
    page.notice_minutes = 60 * 24 * 300
    page.save()
    page.notice_minutes = 0
    start = free_start(page, 3).astimezone(TOKYO)
    assert "<h1>Book for a guest</h1>" in browser.get(f"/app/pages/{page.pk}/book").content.decode()
    entered = {"start": f"{start:%Y-%m-%dT%H:%M}", "name": "Ann", "email": "ann@guest.example", "language": "en"}
    assert browser.post(f"/app/pages/{page.pk}/book", entered).status_code == 302
    taken = Booking.objects.get()
    assert taken.start == start
    again = browser.post(f"/app/pages/{page.pk}/book", entered)
    assert again.status_code == 400 and "This time is not free" in text_of(again)


def test_who_may_only_see_a_page_is_not_offered_to_book_on_it(
    log_in: Callable[[Any], Client], new_member: Any, workspace: Any, page: BookingPage
) -> None:
    viewer = new_member("Ito", workspace)
    PageShare.objects.create(page=page, member=viewer)
    browser = log_in(viewer)
    assert browser.get(f"/app/pages/{page.pk}").status_code == 200
    assert browser.get(f"/app/pages/{page.pk}/book").status_code == 404


@pytest.mark.parametrize("name", ["=HYPERLINK()", "＝HYPERLINK()"])
def test_the_list_comes_as_a_file_that_no_spreadsheet_runs(browser: Client, taken: Booking, name: str) -> None:
    Booking.objects.update(guest_name=name)
    sheet = browser.get("/app/bookings.csv").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(sheet)))
    assert len(rows) == 2 and f"'{name}" in rows[1]


@pytest.mark.parametrize(
    "what", ["approve", "decline", "move", "reassign", "no-show", "resend", "cancel", "place", "times"]
)
def test_strangers_and_teammates_who_do_not_host_cannot_tell_that_it_exists(
    log_in: Callable[[Any], Client], stranger: Member, new_member: Any, workspace: Any, taken: Booking, what: str
) -> None:
    for other in (stranger, new_member("Ito", workspace)):
        browser = log_in(other)
        answer = browser.get if what == "times" else browser.post
        assert answer(f"/app/bookings/{taken.uid}/{what}").status_code == 404
    taken.refresh_from_db()
    assert taken.state == BookingState.CONFIRMED and taken.end > utcnow()


def test_an_event_moved_by_hand_is_told_in_the_viewers_own_time(browser: Client, taken: Booking) -> None:
    assert "was moved in a calendar" not in details(browser, taken)
    Booking.objects.filter(pk=taken.pk).update(drift="moved")
    taken.changes.create(at=utcnow(), what="event_moved", detail="Sato: 2026-12-03 01:00Z → 2026-12-03 15:30Z")
    shown = details(browser, taken)
    assert "was moved in a calendar" in shown and "move or cancel it here" in shown
    assert "Sato: Thu, Dec 3 10:00" in shown.replace("\xa0", " ") and "Fri, Dec 4 12:30" in shown and "Z →" not in shown
