"""A worker that dies in any call to a service, and once more after the booking was changed: in the end the outside
is as if it had not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import httpx2
import pytest

from awase import registry
from awase.domain.health import LocationKind, Service
from awase.models import Booking, Effect, EffectState
from awase.services import booking, moving
from sandbox.app import wsgi
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db
EARLY_OR_LATE = (False, True)


class Killed(BaseException):
    """The end of the process."""


class Deadly(httpx2.BaseTransport):
    """The way to the services: at the call of this number the caller dies, before it is carried out or after."""

    def __init__(self, sandbox: Any, number: int, late: bool) -> None:
        self.there = httpx2.WSGITransport(app=wsgi(sandbox))
        self.left, self.late = number, late

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.left -= 1
        if self.left == 0 and not self.late:
            raise Killed
        answer = self.there.handle_request(request)
        if self.left == 0:
            raise Killed
        return answer


@pytest.fixture
def die(sandbox: Any, work: Callable[[], None]) -> Callable[[int, bool], None]:
    """die(n, late): the worker works on and dies in its n-th call, if it gets so far; what it had claimed falls due."""

    def go(number: int, late: bool) -> None:
        try:
            with registry.use_transport(Deadly(sandbox, number, late)):
                work()
        except Killed:
            Effect.objects.filter(state=EffectState.RUNNING).update(lease_until=utcnow())

    return go


@pytest.fixture
def outside(control: Control) -> Callable[[], list[datetime]]:
    """The starts of all events and meetings that stand at the services, as often as they do."""

    def look() -> list[datetime]:
        found = []
        for account in control.client.get("/control/api/state").json()["accounts"]:
            found += [event["start"] for calendar in account["calendars"] for event in calendar["events"]]
            found += [meeting.get("start") or meeting["startDateTime"] for meeting in account["meetings"]]
        return sorted(datetime.fromisoformat(start).astimezone(UTC) for start in found)

    return look


@pytest.fixture
def page(owner: Any, connect: Any, page_of: Any, request: pytest.FixtureRequest) -> Any:
    """The owner's page with this kind of meeting: one event and, but for Meet, one meeting for each booking."""
    kind = request.param
    others = {LocationKind.ZOOM: (Service.ZOOM,), LocationKind.TEAMS: (Service.MICROSOFT, Service.TEAMS)}
    for service in others.get(kind, ()):
        connect(owner, service)
    if kind is not LocationKind.TEAMS:
        connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    return page_of(owner, locations=(kind,))


def expected(page: Any) -> list[datetime]:
    each = 1 if page.locations.get().kind == LocationKind.MEET else 2
    standing = Booking.objects.filter(state="confirmed").order_by("start").values_list("start", flat=True)
    return [start for start in standing for _ in range(each)]


@pytest.mark.parametrize("page", [LocationKind.ZOOM, LocationKind.TEAMS, LocationKind.MEET], indirect=True)
@pytest.mark.parametrize("change", ["move", "cancel"])
def test_whatever_call_a_worker_dies_in_the_outside_ends_as_the_booking_stands(
    page: Any, change: str, free_start: Any, book: Any, die: Any, work: Any, outside: Any
) -> None:
    for first, second, number in product(EARLY_OR_LATE, EARLY_OR_LATE, range(1, 6)):
        taken = book(page, free_start(page))
        die(1, first)
        taken.refresh_from_db()
        if change == "move":
            moving.move(taken, free_start(page, nth=5), utcnow(), by=None)
        else:
            booking.cancel(taken, utcnow())
        die(number, second)
        work()
        Effect.objects.filter(state=EffectState.PENDING).update(next_at=utcnow() - timedelta(seconds=1))
        work()
        assert outside() == expected(page), f"died late: {first}; in call {number}, late: {second}"
        unfinished = Effect.objects.exclude(state=EffectState.DONE)
        assert not unfinished.exists(), [(effect.key, effect.state, effect.last_error) for effect in unfinished]
