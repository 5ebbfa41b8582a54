"""「なぜこの時間は表示されないのか」: the exact reason, from the rows that slots read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from awase.domain.health import Service, StopKind
from awase.domain.obstacles import Obstacle
from awase.models import Absence, BookingPage, Condition, Member, PageMember
from awase.services.why import why
from tests.services.test_slots import MONDAY, NOW, at, opened, page, taken

__all__ = ["page"]


def obstacles(page: BookingPage, hour: int, minute: int = 0) -> set[str]:
    answer = why(page, at(MONDAY, hour, minute), NOW)
    return {*answer.page, *(obstacle for person in answer.people for obstacle in person.obstacles)}


def test_a_time_that_is_offered_has_nothing_against_it(page: BookingPage) -> None:
    answer = why(page, at(MONDAY, 9), NOW)
    assert answer.offered
    assert not answer.page
    assert [(person.eligible, person.obstacles) for person in answer.people] == [(True, ())]


@pytest.mark.parametrize(("hour", "minute", "expected"), [(8, 0, Obstacle.HOURS), (9, 20, Obstacle.GRID)])
def test_hours_and_grid_are_told(page: BookingPage, hour: int, minute: int, expected: Obstacle) -> None:
    assert obstacles(page, hour, minute) == {expected}


def test_bookings_absences_limits_and_notice_are_told_together(page: BookingPage, owner: Member) -> None:
    taken(page, owner, at(MONDAY, 9))
    Absence.objects.create(member=owner, first=MONDAY, last=MONDAY)
    page.limits = {"page": [{"per": "day", "bookings": 1}]}
    page.notice_minutes = 60 * 24 * 30
    assert obstacles(page, 9) == {Obstacle.BOOKING, Obstacle.ABSENCE, Obstacle.PAGE_LIMIT, Obstacle.NOTICE}


def test_a_switch_that_is_off_is_told_apart_from_health(page: BookingPage) -> None:
    page.accepting = False
    answer = why(page, at(MONDAY, 9), NOW)
    assert (answer.offered, answer.accepting, answer.stops) == (False, False, ())


def test_a_member_whom_the_page_goes_on_without_is_named_with_what_they_lack(
    page: BookingPage, owner: Member, teammate: Member, connect: Callable[..., Any]
) -> None:
    connect(owner, Service.GOOGLE)
    opened(teammate, is_default=False)
    PageMember.objects.create(page=page, member=teammate, position=1)
    page.condition = Condition.ANY
    page.save()
    soon = owner.connections.get().credential.last_good + timedelta(minutes=1)
    answer = why(page, at(MONDAY, 9), soon)
    by_name = {person.name: person for person in answer.people}
    assert answer.offered
    assert by_name["Tanaka"].eligible
    assert not by_name["Sato"].eligible
    assert [lack.kind for lack in by_name["Sato"].lacks] == [StopKind.CALENDAR]
