"""The guest's own booking by its secret link: confirmation, meeting link, calendar file, cancelling."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar

from awase.models import Booking, BookingPage, BookingState, HostTime
from awase.services import booking as bookings
from awase.services.links import manage_secret
from tests.services.conftest import Control, utcnow
from tests.web.conftest import Guest, text_of


@pytest.fixture
def taken(page: BookingPage, free_start: Any, book: Any) -> Booking:
    booking: Booking = book(page, free_start(page))
    return booking


def address(booking: Booking, rest: str = "") -> str:
    return f"/b/{booking.uid}/{manage_secret(booking)}{rest}"


def test_the_confirmation_says_what_was_booked(guest: Guest, taken: Booking) -> None:
    answer = guest.get(address(taken))
    text = text_of(answer)
    assert "予約が確定しました" in text and "hanako@guest.example" in text
    assert "Meet" in text and "Tanaka" in text and "Zoom" in text and "日本標準時 (Asia/Tokyo)" in text


def test_later_the_same_address_shows_the_booking(guest: Guest, english: Guest, taken: Booking) -> None:
    with time_machine.travel(taken.created_at + timedelta(minutes=11), tick=False):
        assert "ご予約の内容" in text_of(guest.get(address(taken)))
        text = text_of(english.get(address(taken)))
        assert "Your booking" in text and "Confirmed" in text and "Cancel this booking" in text


def test_the_page_waits_for_the_meeting_link_and_shows_it_by_itself(guest: Guest, taken: Booking, work: Any) -> None:
    assert "リンクを作成しています" in text_of(guest.get(address(taken)))
    assert f'hx-get="{address(taken, "/live")}"' in guest.get(address(taken)).content.decode()
    assert guest.get(address(taken, "/live")).status_code == 204
    work()
    taken.refresh_from_db()
    part = guest.get(address(taken, "/live"))
    assert part.status_code == 200 and f'href="{taken.join_url}"' in part.content.decode()
    assert "hx-get" not in part.content.decode() and "<html" not in part.content.decode()
    assert "リンクを作成しています" not in text_of(guest.get(address(taken)))


def test_a_link_that_waits_for_a_repair_follows_by_mail_and_that_is_said(
    guest: Guest, taken: Booking, work: Any, control: Control, team: Any
) -> None:
    control.revoke("zoom", team[0].user.email)
    work()
    answer = guest.get(address(taken))
    assert "別のメールでお送りします" in text_of(answer) and "hx-get" not in answer.content.decode()
    assert "予約が確定しました" in text_of(answer)


def test_a_link_that_takes_too_long_follows_by_mail(guest: Guest, taken: Booking) -> None:
    with time_machine.travel(taken.created_at + timedelta(minutes=3), tick=False):
        assert "別のメールでお送りします" in text_of(guest.get(address(taken)))


def test_the_booking_can_be_put_into_the_guests_calendar(guest: Guest, taken: Booking) -> None:
    html = guest.get(address(taken)).content.decode().replace("&amp;", "&")
    google = html.partition("https://calendar.google.com/")[2].partition('"')[0]
    outlook = html.partition("https://outlook.live.com/")[2].partition('"')[0]
    times = f"{taken.start:%Y%m%dT%H%M%SZ}/{taken.end:%Y%m%dT%H%M%SZ}"
    assert parse_qs(urlsplit(google).query)["dates"] == [times]
    assert parse_qs(urlsplit(outlook).query)["startdt"] == [f"{taken.start:%Y-%m-%dT%H:%M:%SZ}"]
    assert manage_secret(taken) not in google + outlook


def test_the_calendar_file_is_the_entry_that_the_mail_carries(guest: Guest, taken: Booking) -> None:
    answer = guest.get(address(taken, "/calendar.ics"))
    assert answer["Content-Type"].startswith("text/calendar")
    event = Calendar.from_ical(answer.content).walk("VEVENT")[0]
    assert event["UID"].startswith(taken.uid) and event.decoded("DTSTART") == taken.start


def test_cancelling_gives_the_time_back_and_tells_the_host(
    guest: Guest, page: BookingPage, taken: Booking, work: Any, free_start: Any
) -> None:
    answer = guest.client.post(address(taken, "/cancel"), {"reason": "風邪をひきました"})
    assert answer.status_code == 303 and answer["Location"] == address(taken)
    text = text_of(guest.get(answer["Location"]))
    assert "キャンセルしました" in text or "キャンセルされました" in text
    taken.refresh_from_db()
    assert (taken.state, taken.cancel_reason) == (BookingState.CANCELLED, "風邪をひきました")
    assert not HostTime.objects.filter(active=True).exists() and free_start(page) == taken.start
    work()
    host = next(message for message in mail.outbox if message.to == ["tanaka@minato.example"])
    assert "風邪をひきました" in host.body


def test_a_cancelled_booking_shows_no_meeting_link_any_more(guest: Guest, taken: Booking, work: Any) -> None:
    work()
    taken.refresh_from_db()
    guest.client.post(address(taken, "/cancel"))
    assert taken.join_url and taken.join_url not in guest.get(address(taken)).content.decode()


def test_cancelling_twice_is_no_error(guest: Guest, taken: Booking) -> None:
    guest.client.post(address(taken, "/cancel"))
    assert guest.client.post(address(taken, "/cancel")).status_code == 303
    assert taken.changes.filter(what="cancelled_by_guest").count() == 1


def test_opening_the_cancel_address_cancels_nothing(guest: Guest, taken: Booking) -> None:
    assert guest.get(address(taken, "/cancel")).status_code == 303
    taken.refresh_from_db()
    assert taken.state == BookingState.CONFIRMED


def test_a_booking_that_is_over_cannot_be_cancelled(guest: Guest, taken: Booking) -> None:
    with time_machine.travel(taken.end, tick=False):
        assert "この予約は終了しました" in text_of(guest.get(address(taken)))
        answer = guest.client.post(address(taken, "/cancel"))
        assert answer.status_code == 409 and "終了しているため、変更できません" in text_of(answer)
    taken.refresh_from_db()
    assert taken.state == BookingState.CONFIRMED


def test_a_booking_of_a_stopped_page_can_be_cancelled(
    guest: Guest, taken: Booking, control: Control, team: Any
) -> None:
    control.revoke("google", team[0].user.email)
    assert guest.client.post(address(taken, "/cancel")).status_code == 303
    taken.refresh_from_db()
    assert taken.state == BookingState.CANCELLED


def test_whoever_was_cancelled_by_the_host_reads_so_with_the_reason(guest: Guest, taken: Booking) -> None:
    bookings.cancel(taken, utcnow(), by=taken.page.owner, reason="出張のため")
    text = text_of(guest.get(address(taken)))
    assert "主催者が予約をキャンセルしました" in text and "出張のため" in text


@pytest.mark.parametrize("rest", ["", "/live", "/cancel", "/calendar.ics"])
def test_without_the_secret_nothing_is_there(guest: Guest, taken: Booking, rest: str) -> None:
    wrong = "0" * len(manage_secret(taken))
    for path in (f"/b/{taken.uid}/{wrong}{rest}", f"/b/nothing/{manage_secret(taken)}{rest}"):
        assert guest.get(path).status_code == 404
        assert guest.client.post(path).status_code in (404, 405)
    taken.refresh_from_db()
    assert taken.state == BookingState.CONFIRMED


def test_the_secret_link_is_neither_indexed_nor_passed_on(guest: Guest, taken: Booking) -> None:
    answer = guest.get(address(taken))
    assert (answer["X-Robots-Tag"], answer["Referrer-Policy"]) == ("noindex", "no-referrer")
    assert '<meta name="robots" content="noindex">' in answer.content.decode()
    assert not guest.client.cookies


def test_the_number_of_queries_does_not_grow_with_the_hosts(
    guest: Guest, team: Any, page_of: Any, free_start: Any, book: Any
) -> None:
    counts = []
    for number, people in enumerate((team[:1], team)):
        page = page_of(*people, slug=f"page-{number}")
        taken = book(page, free_start(page))
        with CaptureQueriesContext(connection) as caught:
            guest.get(address(taken))
        counts.append(len(caught))
    assert counts[0] == counts[1]
