"""Bookings as week and month, by host and page; guests with their past bookings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from awase.models import Booking, BookingPage, Member
from tests.services.conftest import TOKYO
from tests.web.conftest import text_of


@pytest.fixture
def browser(log_in: Callable[[Any], Client], team: Any) -> Client:
    return log_in(team[0])


@pytest.fixture
def taken(page: BookingPage, free_start: Any, book: Any) -> Booking:
    booking: Booking = book(page, free_start(page, 60))
    return booking


def on(booking: Booking) -> str:
    return f"{booking.start.astimezone(TOKYO):%Y-%m-%d}"


@pytest.mark.parametrize("view", ["week", "month"])
def test_a_booking_stands_on_its_day_in_the_viewers_zone(browser: Client, taken: Booking, view: str) -> None:
    address = "/app/bookings/calendar"
    shown = browser.get(address, {"view": view, "on": on(taken)})
    assert f'href="/app/bookings/{taken.uid}"' in shown.content.decode()
    if view == "month":
        days = [day for week in shown.context["weeks"] for day in week if day["count"]]
        assert [day["number"] for day in days] == [taken.start.astimezone(TOKYO).day]
    else:
        cells = [cell for hour in shown.context["hours"] for cell in hour["cells"]]
        hour = next(row for row in shown.context["hours"] if any(row["cells"]))
        assert sum(map(len, cells)) == 1
        assert len(hour["cells"][taken.start.astimezone(TOKYO).weekday()]) == 1
    away = browser.get(address, {"view": view, "on": "2030-06-15"})
    assert taken.uid not in away.content.decode() and "There is no booking here." in text_of(away)


def test_the_calendar_turns_and_bears_any_date(browser: Client, taken: Booking) -> None:
    for view in ("week", "month"):
        shown = browser.get("/app/bookings/calendar", {"view": view, "on": "2026-12-31"})
        assert browser.get(shown.context["next_url"]).status_code == 200
        assert browser.get(shown.context["previous_url"]).status_code == 200
    for date in ("0001-01-01", "9999-12-31", "soon", ""):
        assert browser.get("/app/bookings/calendar", {"on": date}).status_code == 200


def test_a_request_and_a_night_are_shown_and_a_cancelled_booking_is_not(
    browser: Client, page: BookingPage, free_start: Any, book: Any
) -> None:
    page.approval = "held"
    page.save()
    asked = book(page, free_start(page, 60))
    shown = browser.get("/app/bookings/calendar", {"on": on(asked)}).content.decode()
    assert 'class="entry asked"' in shown
    Booking.objects.update(state="cancelled")
    assert asked.uid not in browser.get("/app/bookings/calendar", {"on": on(asked)}).content.decode()


def test_list_and_calendar_are_narrowed_to_a_host_and_a_page(
    browser: Client, taken: Booking, team: Any, page_of: Any
) -> None:
    owner, teammate = team
    other = page_of(owner, slug="other")
    for address in ("/app/bookings", "/app/bookings/calendar"):
        for asked, found in (({"by": owner.pk}, True), ({"by": teammate.pk}, False), ({"of": other.pk}, False)):
            shown = browser.get(address, {"on": on(taken), **asked}).content.decode()
            assert (taken.uid in shown) is found, (address, asked)


def test_the_calendar_takes_the_same_number_of_queries_however_many_bookings_there_are(
    browser: Client, page: BookingPage, free_start: Any, book: Any, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    first = book(page, free_start(page, 100))
    address = f"/app/bookings/calendar?view=month&on={on(first)}"
    browser.get(address)
    with CaptureQueriesContext(connection) as one:
        browser.get(address)
    for number in range(5):
        book(page, free_start(page, 100 + 3 * number), email=f"g{number}@guest.example")
    with django_assert_num_queries(len(one)):
        browser.get(address)


def test_guests_are_listed_with_their_past_bookings(
    browser: Client, taken: Booking, book: Any, free_start: Any
) -> None:
    book(taken.page, free_start(taken.page, 90), email="HANAKO@guest.example")
    book(taken.page, free_start(taken.page, 120), email="ann@guest.example", about={"name": "Ann"})
    with time_machine.travel(taken.end + timedelta(minutes=1), tick=False):
        listed = browser.get("/app/guests")
        assert [row["email"] for row in listed.context["guests"]] == ["ann@guest.example", "hanako@guest.example"]
        assert "2 bookings" in text_of(listed)
        assert [row["name"] for row in browser.get("/app/guests?q=ann").context["guests"]] == ["Ann"]
        one = browser.get("/app/guests/of?email=hanako@guest.example")
        assert [group["heading"] for group in one.context["groups"]] == ["Coming", "Past"]
        details = text_of(browser.get(f"/app/bookings/{taken.uid}"))
        assert "1 other booking of this guest" in details


def test_nobody_sees_guests_and_bookings_of_others(
    log_in: Callable[[Any], Client], stranger: Member, new_member: Any, workspace: Any, taken: Booking
) -> None:
    for other in (stranger, new_member("Ito", workspace)):
        browser = log_in(other)
        assert browser.get("/app/guests").context["guests"] == []
        assert browser.get("/app/guests/of?email=hanako@guest.example").status_code == 404
        assert taken.uid not in browser.get("/app/bookings/calendar", {"on": on(taken)}).content.decode()
