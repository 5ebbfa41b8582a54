"""Connected people and pages for the use cases: real OAuth against the sandbox, real rows, real effects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import httpx2
import pytest

from awase.domain.health import LocationKind, Service
from awase.jobs.worker import work_once
from awase.models import BookingPage, Condition, Connection, Effect, EffectState, Location, Member, PageMember
from awase.models.page import Assignment
from awase.services import booking, connections, pages
from awase.services.slots import offer
from sandbox.dav_proxy import DavProxy
from tests.providers.radicale import RadicaleWorld, running
from tests.settings import database_server

TOKYO = ZoneInfo("Asia/Tokyo")
collect_ignore = [] if database_server else ["test_lost_server.py"]


def utcnow() -> datetime:
    return datetime.now(UTC)


class Control:
    """The sandbox's control interface."""

    def __init__(self, client: httpx2.Client) -> None:
        self.client = client

    def post(self, path: str, **body: Any) -> Any:
        answer = self.client.post(f"/control/api/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def account(self, service: str, email: str) -> dict[str, Any]:
        state = self.client.get("/control/api/state").json()
        service = "microsoft" if service == "teams" else service
        return next(item for item in state["accounts"] if (item["service"], item["email"]) == (service, email))

    def events(self, service: str, email: str) -> list[dict[str, Any]]:
        return [event for calendar in self.account(service, email)["calendars"] for event in calendar["events"]]

    def revoke(self, service: str, email: str) -> None:
        self.post(f"accounts/{service}/{email}/revoke")

    def fault(self, service: str, email: str, fault: str, **more: Any) -> None:
        self.post(f"accounts/{service}/{email}/fault", fault=fault, **more)

    def repair(self, service: str, email: str) -> None:
        self.post(f"accounts/{service}/{email}/repair")


@pytest.fixture
def control(sandbox_client: httpx2.Client) -> Control:
    return Control(sandbox_client)


@pytest.fixture
def connect(consent: Callable[..., str], control: Control) -> Callable[..., Connection]:
    """connect(member, service, …) goes through the consent screen; `again` reconnects."""

    def go(
        member: Member,
        service: Service,
        *,
        again: Connection | None = None,
        email: str = "",
        **choices: Any,
    ) -> Connection:
        email = email or member.user.email
        at = "microsoft" if service is Service.TEAMS else service.value
        calendars = [{"primary": True}] if service.calendars else []
        control.post("accounts", service=at, email=email, name=member.name, calendars=calendars)
        address, pending = connections.start(member, service, again, utcnow())
        back = consent(address, email, **choices)
        answer = dict(parse_qsl(urlsplit(back).query))
        return connections.finish(member, service, pending, answer, utcnow())

    return go


@pytest.fixture
def page_of(db: None) -> Callable[..., BookingPage]:
    """page_of(owner, *others, locations=(…), condition=…): a page that takes bookings."""

    def make(
        owner: Member,
        *others: Member,
        locations: tuple[LocationKind, ...] = (),
        condition: Condition = Condition.ALL,
        slug: str = "meet",
        **fields: Any,
    ) -> BookingPage:
        page = pages.create(owner, title=slug.title(), slug=slug, now=utcnow(), notice_minutes=0, **fields)
        for position, kind in enumerate(locations):
            Location.objects.create(page=page, kind=kind, position=position)
        for position, member in enumerate(others, start=1):
            PageMember.objects.create(page=page, member=member, position=position)
        page.condition = condition
        page.assignment = Assignment.EVEN
        page.save()
        pages.saved(page, (), utcnow())
        return page

    return make


@pytest.fixture
def free_start() -> Callable[..., datetime]:
    """free_start(page, nth=0): a start that the page offers, within the next ten days."""

    def first(page: BookingPage, nth: int = 0) -> datetime:
        now = utcnow()
        starts = offer(page, now, now + timedelta(days=10), now).slots.starts
        return datetime.fromtimestamp(starts[nth], UTC)

    return first


@pytest.fixture
def book() -> Callable[..., Any]:
    """book(page, start, email=…, …) as a guest; `about` tells more of them."""

    def go(
        page: BookingPage, start: datetime, *, email: str = "hanako@guest.example", about: Any = None, **more: Any
    ) -> Any:
        known = {"name": "山田 花子", "language": "ja", "time_zone": "Asia/Tokyo", "note": "よろしく"}
        guest = booking.Guest(email=email, **known | (about or {}))
        return booking.book(page, booking.Request(start=start, guest=guest, **more), utcnow())

    return go


@pytest.fixture
def radicale_behind_proxy(tmp_path: Path, settings: Any) -> Iterator[tuple[RadicaleWorld, DavProxy]]:
    """A running CalDAV server with one account, and the proxy with faults in front of it."""
    settings.AWASE_CALDAV_ALLOWED = ["127.0.0.1"]
    with running(tmp_path) as address, DavProxy(address) as proxy, proxy.serving():
        world = RadicaleWorld(address)
        yield world, proxy
        world.close()


@pytest.fixture
def work() -> Callable[[], None]:
    """Let the worker do all that is due, and what it postpones for seconds at once too."""

    def go() -> None:
        for _round in range(6):
            Effect.objects.filter(state=EffectState.PENDING, next_at__lt=utcnow() + timedelta(seconds=30)).update(
                next_at=utcnow()
            )
            if not work_once():
                return

    return go
