"""分析 of bookings: counted by day, page, host and lead time; what came of them; how evenly assignment falls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from awase.models import Booking, BookingPage, Condition, Member
from awase.services import booking as bookings
from awase.services.dashboard import visible_bookings
from awase.services.insights_bookings import AHEAD, measure
from tests.services.conftest import utcnow
from tests.web.conftest import text_of


@pytest.fixture
def taken(page: BookingPage, free_start: Any, book: Any) -> list[Booking]:
    return [book(page, free_start(page, nth), email=f"g{nth}@guest.example") for nth in (0, 60, 90)]


def of(member: Member, *pages: BookingPage) -> Any:
    return measure(pages, visible_bookings(member), utcnow(), "Asia/Tokyo")


def test_bookings_are_counted_by_day_page_host_and_lead_time(page: BookingPage, taken: list[Booking]) -> None:
    Booking.objects.filter(pk=taken[0].pk).update(created_at=utcnow() - timedelta(days=200))
    Booking.objects.filter(pk=taken[1].pk).update(created_at=taken[1].start - timedelta(days=9))
    found = of(page.owner, page)
    assert (found.total, list(found.by_page), list(found.by_host)) == (2, [(page, 2)], [("Tanaka", 2)])
    assert len(found.by_day) == 90 and sum(found.by_day.values()) == 2
    assert sum(found.lead_days) == 2 and found.lead_days[AHEAD.index(15)] == 1


def test_what_came_of_bookings_is_told_apart(page: BookingPage, taken: list[Booking]) -> None:
    bookings.cancel(taken[0], utcnow(), reason="", by=page.owner)
    bookings.cancel(taken[1], utcnow(), reason="")
    Booking.objects.filter(pk=taken[2].pk).update(
        start=utcnow() - timedelta(hours=2), end=utcnow() - timedelta(hours=1), no_show_at=utcnow()
    )
    found = of(page.owner, page)
    assert found.ended == {"guest": 1, "host": 1, "declined": 0, "lapsed": 0}
    assert (found.held, found.missed) == (1, 1)


def test_assignment_is_shown_beside_what_is_due_by_weight(team: Any, page_of: Any, book: Any, free_start: Any) -> None:
    page = page_of(*team, condition=Condition.ANY, slug="any")
    for nth in (30, 60, 90, 120):
        book(page, free_start(page, nth), email=f"g{nth}@guest.example")
    ((found, shares),) = of(team[0], page).fairness
    assert found == page
    assert [(share.taken, share.due) for share in shares] == [(2, 0.5), (2, 0.5)]


def test_the_screen_shows_plots_with_tables_and_what_to_expect_where_there_is_nothing(
    log_in: Callable[[Any], Client], page: BookingPage, taken: list[Booking], stranger: Member
) -> None:
    shown = log_in(page.owner).get("/app/insights")
    assert shown.content.decode().count("Show as a table") >= 3
    assert shown.context["bookings"]["bars"][0]["rows"] == [{"label": page.title, "value": 3, "width": 100.0}]
    assert "Nothing was booked in this time." in text_of(log_in(stranger).get("/app/insights"))
