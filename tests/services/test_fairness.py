"""Automatic assignment is fair to those who were away or whose accounts were broken, and to those who worked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from awase.domain.health import LocationKind, Service
from awase.models import Absence, Booking, BookingPage, Credential, Location, Member, WeeklySchedule
from awase.models.page import Assignment, Condition
from awase.services import checks
from awase.services.hosts import hosts_of
from awase.services.signals import Cause
from tests.services.conftest import TOKYO, Control, utcnow

pytestmark = pytest.mark.django_db
LATER = 12  # the number of a start that is still free when a few were booked


@pytest.fixture
def team(owner: Member, teammate: Member, connect: Callable[..., Any], time_machine: Any) -> tuple[Member, Member]:
    time_machine.move_to(utcnow())
    for member in (owner, teammate):
        connect(member, Service.GOOGLE)
        member.refresh_from_db()
    time_machine.shift(timedelta(seconds=5))
    return owner, teammate


@pytest.fixture
def page(team: tuple[Member, Member], page_of: Callable[..., BookingPage]) -> BookingPage:
    return page_of(*team, condition=Condition.ANY)


@pytest.fixture
def given(free_start: Any, book: Any, time_machine: Any) -> Callable[..., list[Member]]:
    """given(page, n): the hosts of n bookings, one after the other."""

    def go(page: BookingPage, number: int, *, nth: int = 0, **more: Any) -> list[Member]:
        hosts = []
        for _ in range(number):
            time_machine.shift(timedelta(seconds=5))
            hosts += hosts_of(book(page, free_start(page, nth=nth), **more))
        return hosts

    return go


def break_down(member: Member, service: str, control: Control, cause: Cause = Cause.CHECK) -> None:
    control.revoke(service, member.user.email)
    account = Credential.objects.get(account_email=member.user.email, service=service)
    checks.check(account.pk, cause, utcnow())
    account.refresh_from_db()
    assert account.standing == "error"


def test_nobody_is_flooded_after_a_repair(
    team: Any, page: BookingPage, given: Any, connect: Any, control: Control
) -> None:
    owner, teammate = team
    break_down(owner, "google", control)
    assert given(page, 4) == [teammate] * 4
    connect(owner, Service.GOOGLE, again=owner.connections.get())
    hosts = given(page, 4, nth=LATER)
    assert hosts.count(owner) == hosts.count(teammate) == 2


def test_an_account_that_the_page_does_not_need_takes_nothing_from_its_member(
    team: Any, page: BookingPage, given: Any, connect: Any, control: Control
) -> None:
    owner, teammate = team
    connect(owner, Service.ZOOM)
    break_down(owner, "zoom", control)
    hosts = given(page, 6)
    assert hosts.count(owner) == hosts.count(teammate) == 3
    assert not Booking.objects.exclude(away=[]).exists()


def test_who_could_not_hold_the_place_that_was_wanted_was_away_for_those_bookings(
    team: Any, page_of: Any, given: Any, connect: Any, control: Control
) -> None:
    owner, teammate = team
    for member in team:
        connect(member, Service.ZOOM)
    page = page_of(*team, condition=Condition.ANY, locations=(LocationKind.ZOOM, LocationKind.LINK))
    Location.objects.filter(kind=LocationKind.LINK).update(detail="https://meet.example/us")
    zoom, link = page.locations.order_by("position").values_list("pk", flat=True)
    break_down(owner, "zoom", control)
    assert [given(page, 1, nth=nth, location_id=zoom) for nth in range(4)] == [[teammate]] * 4
    assert {tuple(away) for away in Booking.objects.values_list("away", flat=True)} == {(owner.pk,)}
    hosts = given(page, 4, nth=LATER, location_id=link)
    assert hosts.count(owner) == hosts.count(teammate) == 2


def test_who_was_absent_is_not_flooded_on_coming_back(team: Any, page: BookingPage, given: Any) -> None:
    owner, teammate = team
    tomorrow = (utcnow() + timedelta(days=3)).astimezone(TOKYO).date()
    Absence.objects.create(member=teammate, first=date(2020, 1, 1), last=tomorrow)
    assert given(page, 4) == [owner] * 4
    Absence.objects.all().delete()
    hosts = given(page, 4, nth=LATER)
    assert hosts.count(owner) == hosts.count(teammate) == 2


def test_an_absence_counts_by_the_date_where_the_member_is(
    team: Any, page: BookingPage, free_start: Any, book: Any
) -> None:
    owner, teammate = team
    start: datetime = free_start(page)
    there = start.astimezone(TOKYO).date() - timedelta(days=1)
    WeeklySchedule.objects.filter(member=teammate).update(time_zone="America/Los_Angeles", weekly=[[[0, 1440]]] * 7)
    Absence.objects.create(member=teammate, first=there, last=there)
    page.refresh_from_db()
    taken = book(page, start)
    assert hosts_of(taken) == [owner] and taken.away == [teammate.pk]


def test_whoever_joins_later_gets_a_share_of_what_comes_and_no_more(
    team: Any, page_of: Any, given: Any, time_machine: Any
) -> None:
    owner, teammate = team
    page = page_of(owner, condition=Condition.ANY)
    assert given(page, 4) == [owner] * 4
    time_machine.shift(timedelta(seconds=5))
    page.page_members.create(member=teammate, position=1)
    hosts = given(page, 4, nth=LATER)
    assert hosts.count(owner) == hosts.count(teammate) == 2


def test_in_turn_whoever_was_last_stays_known_however_long_ago(
    team: Any, page: BookingPage, given: Any, time_machine: Any
) -> None:
    owner, teammate = team
    BookingPage.objects.update(assignment=Assignment.SEQUENTIAL)
    page.refresh_from_db()
    assert given(page, 1) == [owner]
    Booking.objects.update(created_at=utcnow() - timedelta(days=90))
    assert given(page, 3) == [teammate, owner, teammate]


def test_a_choice_takes_as_many_queries_however_much_there_was(
    team: Any, page: BookingPage, given: Any, free_start: Any, book: Any, settings: Any
) -> None:
    settings.AWASE_LIVE_CHECK = False  # which asks as many accounts as there are people free
    given(page, 1)

    def queries() -> int:
        start = free_start(page)
        with CaptureQueriesContext(database) as asked:
            book(page, start)
        return len(asked)

    before = queries()
    given(page, 8)
    assert queries() == before
