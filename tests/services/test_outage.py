"""An hour's outage of each service: refusals, then silence, then rubbish, then back. The clock is moved.

Whoever depends on the service is open while that is borne, stopped afterwards, and open again by itself; nobody is
asked for anything, nothing is lost, and the returning service is not run down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
import stamina
from django.core import mail as django_mail

from awase.domain.errors import Reason
from awase.domain.health import LocationKind, Service, Standing
from awase.jobs.worker import work_once
from awase.models import BookingPage, Credential, Effect, EffectState, Member
from awase.services import connections
from awase.services.health import standing_of, verdict_of
from awase.services.refusals import Refused
from awase.services.slots import offer
from sandbox.dav_proxy import DavProxy, Fault
from tests.providers.radicale import PASSWORD, USER, RadicaleWorld
from tests.services.conftest import Control

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)  # 9:00 in Tokyo
STEP = timedelta(minutes=1)
HOSTS = 4
CALLS_A_MINUTE = 4  # of one account, when its service is back: a fresh token, a check, and what waits


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@dataclass
class Sandboxed:
    """A service of the sandbox, and the accounts of the hosts at it."""

    service: Service
    hosts: list[Member]
    control: Control
    sandbox: Any

    @property
    def name(self) -> str:
        return "microsoft" if self.service is Service.TEAMS else self.service.value

    def strike(self, fault: str) -> None:
        for host in self.hosts:
            self.control.fault(self.name, host.user.email, fault)

    def forget_calls(self) -> None:
        self.sandbox.requests.clear()

    def calls(self) -> Counter[str]:
        """What was asked since, by account."""
        return Counter(entry["account"] for entry in self.sandbox.requests if entry["service"] == self.name)

    def held(self) -> list[int]:
        """How many meetings, or events, each host has there."""
        accounts = [self.sandbox.account(self.name, host.user.email) for host in self.hosts]
        if self.service in LOCATION_OF:
            return [len(account.meetings) for account in accounts]
        return [len(self.control.events(self.name, account.email)) for account in accounts]


@dataclass
class Proxied:
    """Radicale behind a proxy with faults, and one account."""

    world: RadicaleWorld
    proxy: DavProxy
    faults: ClassVar[dict[str, list[Fault]]] = {
        "outage": [Fault("answer", body=b"System in maintenance mode.")],
        "timeout": [Fault("reset")],  # silence would be waited for in earnest
        "html_body": [Fault("html")],
        "ok": [],
    }

    def strike(self, fault: str) -> None:
        self.proxy.faults = self.faults[fault]

    def forget_calls(self) -> None:
        self.proxy.calls.clear()

    def calls(self) -> Counter[str]:
        return Counter(USER for _ in self.proxy.calls)

    def held(self) -> list[int]:
        return [self.world.browser.get(self.world.calendar_id).text.count("BEGIN:VEVENT")]


@dataclass
class Town:
    """Some hosts who all depend on one service, each with a page; and one who does not."""

    service: Service
    hosts: list[Member]
    pages: list[BookingPage]
    bystander: BookingPage
    there: Sandboxed | Proxied
    clock: Any
    book: Callable[..., Any]

    def standings(self) -> set[tuple[Standing, Reason | None]]:
        found = Credential.objects.filter(service=self.service, connections__member__in=self.hosts)
        return {standing_of(credential, now()) for credential in found}

    def open(self) -> list[bool]:
        return [verdict_of(page, now()).open for page in self.pages]

    def all_book(self) -> None:
        """A guest at each page takes the first time that it offers."""
        for page in self.pages:
            starts = offer(page, now(), now() + timedelta(days=10), now()).slots.starts
            self.book(page, datetime.fromtimestamp(starts[0], UTC))

    def live(self, minutes: float) -> None:
        """Let the worker work, and time pass; the page of the one who does not depend on it is open all the time."""
        until = now() + timedelta(minutes=minutes)
        while now() < until:
            work_once()
            assert verdict_of(self.bystander, now()).open
            self.clock.shift(STEP)


def now() -> datetime:
    return datetime.now(UTC)


LOCATION_OF = {Service.ZOOM: LocationKind.ZOOM, Service.TEAMS: LocationKind.TEAMS}


@pytest.fixture(params=list(Service), ids=str)
def town(
    request: pytest.FixtureRequest,
    owner: Any,
    new_member: Any,
    connect: Any,
    page_of: Any,
    book: Any,
    control: Control,
    sandbox: Any,
    time_machine: Any,
) -> Town:
    service: Service = request.param
    there: Sandboxed | Proxied
    if service is Service.CALDAV:
        there, hosts = Proxied(*request.getfixturevalue("radicale_behind_proxy")), [owner]
        time_machine.move_to(MONDAY, tick=False)
        connections.connect_caldav(owner, None, there.proxy.address, USER, PASSWORD, now())
    else:
        time_machine.move_to(MONDAY, tick=False)
        hosts = [owner] + [new_member(f"Host{number}", owner.workspace) for number in range(1, HOSTS)]
        there = Sandboxed(service, hosts, control, sandbox)
        for host in hosts:
            if service in LOCATION_OF:
                connect(host, Service.GOOGLE)
            connect(host, service)
    locations = (LOCATION_OF[service],) if service in LOCATION_OF else ()
    for host in hosts:
        host.refresh_from_db()
    pages = [page_of(host, locations=locations, slug=f"page-{number}") for number, host in enumerate(hosts)]
    other = new_member("Bystander", owner.workspace)
    connect(other, Service.MICROSOFT if service is Service.GOOGLE else Service.GOOGLE)
    other.refresh_from_db()
    return Town(service, hosts, pages, page_of(other, slug="other"), there, time_machine, book)


def test_an_hours_outage_ends_as_if_it_had_not_been(town: Town, settings: Any) -> None:
    town.live(minutes=6)
    assert town.standings() == {(Standing.OK, None)} and all(town.open())
    town.all_book()
    town.there.strike("outage")
    began = now()

    town.live(minutes=8)
    assert {standing for standing, _ in town.standings()} == {Standing.DEGRADED}
    assert all(town.open()), "an outage is borne for the tolerance"
    town.all_book()

    town.live(minutes=12)
    for fault in ("timeout", "html_body"):
        town.there.strike(fault)
        for _ in range(20):
            town.live(minutes=1)
            assert town.standings() == {(Standing.ERROR, Reason.UNREACHABLE)}
            assert not any(town.open())
    assert now() - began == timedelta(hours=1)
    for page in town.pages:
        with pytest.raises(Refused):
            town.book(page, began + timedelta(days=1, hours=3))

    town.there.strike("ok")
    town.there.forget_calls()
    town.live(minutes=1)
    calls = town.there.calls()
    assert max(calls.values(), default=0) <= CALLS_A_MINUTE, calls
    town.live(minutes=6)
    assert town.standings() == {(Standing.OK, None)}
    assert all(town.open()), "the pages open by themselves with the next check"
    town.live(minutes=10)
    assert not Effect.objects.exclude(state=EffectState.DONE).exists()
    assert town.there.held() == [2] * len(town.hosts), "each booking has its one event, or its one meeting"
    assert {effect.attempts for effect in Effect.objects.all()} == {0}
    people = {host.user.email for host in town.hosts}
    words = " ".join(str(mail.body) for mail in django_mail.outbox if people & set(mail.to))
    assert "reconnect" not in words.lower() and "再接続" not in words
