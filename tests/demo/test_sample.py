"""The sample data, brought in over the product's own screens and the sandbox's, all in this process."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import httpx2
import pytest
from django.core.wsgi import get_wsgi_application

from awase.demo import sample
from awase.demo.browser import Browser, Unexpected
from awase.demo.people import BOOKINGS, PAGES, PEOPLE, SATO, TANAKA
from awase.models import Booking, BookingPage, Calendar, Connection, Member
from awase.services.health import verdicts
from sandbox.app import Sandbox, wsgi


class ByHost(httpx2.BaseTransport):
    """The network of the demo: the product under its host name, the sandbox under every other."""

    def __init__(self, stand_in: Sandbox) -> None:
        self.product = httpx2.WSGITransport(app=get_wsgi_application())
        self.sandbox = httpx2.WSGITransport(app=wsgi(stand_in))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        place = self.product if request.url.host == "awase.test" else self.sandbox
        return place.handle_request(request)


@pytest.fixture
def network(transactional_db: None, sandbox: Sandbox) -> ByHost:
    return ByHost(sandbox)


def test_everybody_is_connected_and_every_page_can_be_booked_but_the_one_stopped_by_hand(network: ByHost):
    sample.fill("http://localhost", network)

    connected = Counter(Connection.objects.values_list("member__user__email", flat=True))
    assert connected == {person.email: len(person.connects) for person in PEOPLE}
    assert Calendar.objects.filter(checked=True).count() == len(PEOPLE)
    assert Member.objects.exclude(booking_calendar=None).count() == len(PEOPLE)
    pages = list(BookingPage.objects.all())
    answers = verdicts(pages, datetime.now(UTC))
    assert len(pages) == len(PAGES)
    assert all(answer.open for answer in answers.values())
    assert [page.slug for page in pages if not page.accepting] == ["interview"]
    assert Counter(Booking.objects.values_list("page__slug", flat=True)) == Counter(booking[0] for booking in BOOKINGS)


def test_a_repetition_adds_nothing(network: ByHost, sandbox: Sandbox):
    def counts() -> list[int]:
        calendars = [calendar for account in sandbox.accounts("google") for calendar in account.calendars.values()]
        rows = [kind.objects.count() for kind in (Member, BookingPage, Connection, Booking)]
        return [*rows, sum(len(calendar.events) for calendar in calendars)]

    sample.fill("http://localhost", network)
    once = counts()
    sample.fill("http://localhost", network)
    assert counts() == once


def test_appointments_lie_in_the_coming_three_weeks_at_their_hour_in_tokyo():
    monday_noon = datetime(2026, 11, 23, 3, tzinfo=UTC)
    starts = [appointment["start"] for appointment in sample.appointments(SATO, monday_noon)]
    assert starts[:2] == ["2026-11-23T10:00:00+09:00", "2026-11-24T09:30:00+09:00"]
    assert starts[-1] == "2026-12-11T11:00:00+09:00"
    assert len(starts) == 3 * len(SATO.busy)


def test_a_screen_that_does_not_lead_on_is_named(network: ByHost):
    sample.fill_calendars("http://localhost", datetime.now(UTC), network)
    sample.add_people()
    with Browser("https://awase.test", TANAKA, network) as browser, pytest.raises(Unexpected, match="connect"):
        browser.connect("caldav")
