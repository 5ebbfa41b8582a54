"""Lanes of the worker: a slow service is asked little at once, and keeps nobody else waiting."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.core import mail

from awase.domain.health import LocationKind, Service
from awase.jobs.worker import AT_ONCE, Lane, Worker
from awase.models import Credential, Effect, EffectKind, EffectState
from awase.services import effects, heartbeat
from tests.jobs.conftest import PATIENCE, working
from tests.services.conftest import book, connect, control, free_start, page_of

__all__ = ["book", "connect", "control", "free_start", "page_of"]

pytestmark = pytest.mark.django_db(transaction=True)


def now() -> datetime:
    return datetime.now(UTC)


class Waiting(Executor):
    """Threads that all hang: what they were given is run when the test says so."""

    def __init__(self) -> None:
        self.given: list[tuple[Lane, str, Callable[[], None]]] = []

    def submit(self, run: Any, /, *args: Any, **kwargs: Any) -> Any:
        lane, task, pk = args
        self.given.append((lane, task.__name__, partial(run, lane, task, pk)))

    def lanes(self) -> Counter[Lane]:
        return Counter(lane for lane, _, _ in self.given)

    def finish(self, one: tuple[Lane, str, Callable[[], None]]) -> None:
        self.given.remove(one)
        one[2]()

    def finish_all_but(self, lane: Lane) -> None:
        for one in [one for one in self.given if one[0] is not lane]:
            self.finish(one)


@pytest.fixture
def worker() -> Worker:
    made = Worker()
    made.pool.shutdown()
    made.pool = Waiting()  # type: ignore[assignment]
    return made


def threads(worker: Worker) -> Waiting:
    assert isinstance(worker.pool, Waiting)
    return worker.pool


def soon(what: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_the_lane_of_work_is_the_service_that_it_calls(
    owner: Any, connect: Any, page_of: Any, free_start: Any, book: Any
) -> None:
    connect(owner, Service.GOOGLE)
    connect(owner, Service.ZOOM)
    owner.refresh_from_db()
    page = page_of(owner, locations=(LocationKind.ZOOM,))
    book(page, free_start(page))
    Effect.objects.create(kind=EffectKind.WEBHOOK, key="hook", next_at=now())
    found = {lane: effects.claim_due(now(), 20, lane) for lane in effects.LANES}
    kinds = {lane: {Effect.objects.get(pk=claim.effect_id).kind for claim in claims} for lane, claims in found.items()}
    assert {lane: kind for lane, kind in kinds.items() if kind} == {
        Service.GOOGLE: {"event"},
        Service.ZOOM: {"meeting"},
        EffectKind.MAIL: {"mail"},
        EffectKind.WEBHOOK: {"webhook"},
    }
    assert not effects.any_due(now()), "each piece of work has a lane"


def test_work_that_calls_nobody_any_more_has_a_lane_too(
    owner: Any, connect: Any, page_of: Any, free_start: Any, book: Any
) -> None:
    connection = connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    page = page_of(owner)
    book(page, free_start(page))
    Effect.objects.exclude(kind=EffectKind.EVENT).delete()
    connection.delete()
    assert len(effects.claim_due(now(), 5, EffectKind.EVENT)) == 1


def test_a_service_that_hangs_holds_up_neither_mails_nor_other_services(
    owner: Any, teammate: Any, connect: Any, page_of: Any, free_start: Any, book: Any, worker: Worker
) -> None:
    for person, service in ((owner, Service.GOOGLE), (teammate, Service.MICROSOFT)):
        connect(person, service)
        person.refresh_from_db()
    slow_page, other_page = page_of(owner, slug="slow"), page_of(teammate, slug="other")
    for number in range(5):
        book(slow_page, free_start(slow_page), email=f"guest{number}@guest.example")
    book(other_page, free_start(other_page))
    Credential.objects.update(next_check=now() + timedelta(days=1))
    events = Effect.objects.filter(kind=EffectKind.EVENT)
    while worker._claim_and_start():
        assert max(threads(worker).lanes().values()) <= AT_ONCE
        threads(worker).finish_all_but(Service.GOOGLE)
        Effect.objects.filter(kind=EffectKind.MAIL, state=EffectState.PENDING, booking__page=other_page).update(
            next_at=now()
        )
    assert threads(worker).lanes() == {Service.GOOGLE: AT_ONCE}
    assert events.get(member=teammate).state == EffectState.DONE
    assert any("hanako@guest.example" in message.to for message in mail.outbox)
    running = Counter(events.filter(member=owner).values_list("state", flat=True))
    assert running == {EffectState.RUNNING: AT_ONCE, EffectState.PENDING: 5 - AT_ONCE}, "what waits is not leased"
    threads(worker).finish(threads(worker).given[0])
    worker._claim_and_start()
    assert threads(worker).lanes()[Service.GOOGLE] == AT_ONCE
    assert events.filter(member=owner, state=EffectState.DONE).count() == 1


def test_checks_get_their_turn_at_a_service_with_much_to_write(
    owner: Any, connect: Any, page_of: Any, free_start: Any, book: Any, worker: Worker
) -> None:
    connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    page = page_of(owner)
    for number in range(4):
        book(page, free_start(page), email=f"guest{number}@guest.example")
    Credential.objects.update(next_check=now() - timedelta(minutes=1))
    order = []
    for _ in range(3):
        worker._claim_and_start()
        first = next(one for one in threads(worker).given if one[0] is Service.GOOGLE)
        order.append(first[1])
        threads(worker).finish(first)
    assert "run_check" in order and "run_effect" in order


def test_a_piece_of_work_that_fails_gives_its_place_back(worker: Worker) -> None:
    Effect.objects.create(kind=EffectKind.MAIL, key="broken", payload={}, next_at=now())
    worker._claim_and_start()
    (one,) = threads(worker).given
    threads(worker).finish(one)
    assert worker.under_way[EffectKind.MAIL] == 0


def test_a_worker_gives_signs_of_life() -> None:
    assert heartbeat.last() is None
    with working(Worker()):
        assert soon(lambda: heartbeat.last() is not None)
    seen = heartbeat.last()
    assert seen is not None and now() - seen < timedelta(minutes=1)
