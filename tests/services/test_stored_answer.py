"""Whatever changes a page's answer renews its stored copy, and the history, in the same transaction."""

from typing import Any

import pytest

from awase.domain.health import LocationKind, Service
from awase.models import BookingPage, Calendar, PageChange, PageHealth
from awase.services import connections
from awase.services.health import verdict_of
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db


def as_answered(page: BookingPage) -> bool:
    """The stored copy says what the gate says, and the history ends with it."""
    stored, answer = PageHealth.objects.get(page=page), verdict_of(page, utcnow())
    last = PageChange.objects.filter(page=page).order_by("pk").last()
    return stored.open == answer.open == (last is None or last.opened)


def test_a_calendar_list_without_meet_stops_the_page_that_needs_it(
    owner: Any, connect: Any, page_of: Any, control: Control
) -> None:
    link = connect(owner, Service.GOOGLE)
    page = page_of(owner, locations=(LocationKind.MEET,))
    control.fault("google", owner.user.email, "no_licence")
    connections.check_now(link, utcnow())
    assert not Calendar.objects.get().meet_allowed
    assert not verdict_of(page, utcnow()).open and as_answered(page)
    control.repair("google", owner.user.email)
    connections.check_now(link, utcnow())
    assert verdict_of(page, utcnow()).open and as_answered(page)
