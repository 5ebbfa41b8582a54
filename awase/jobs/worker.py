"""The background worker: due effects and due checks, in a small thread pool.

Each service has a lane, mails and webhooks have theirs; a few pieces of work are under way in each, and nothing is
claimed for a lane that is full. So a service that is slow, or comes back after an outage, holds up nobody else and is
not run down. The bound is one of each worker process: two workers ask twice as much.

The outbox and the check times are rows; the worker merely looks, claims by compare-and-set and runs. Killing
it at any point loses nothing: what it had claimed falls due again when its lease runs out.
"""

import logging
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from types import FrameType
from typing import Any

from django.db import DatabaseError, close_old_connections, connections

from awase.domain.health import Service
from awase.jobs.periodic import Task, Timetable, sweep
from awase.models import EffectKind
from awase.services import checks, effects, heartbeat, push
from awase.services.signals import Cause

logger = logging.getLogger(__name__)

AT_ONCE = 2  # pieces of work of one lane
BATCH = 20
PAUSE_SECONDS = 0.5
PERIODIC_THREADS = 2

Lane = Service | EffectKind


def _now() -> datetime:
    return datetime.now(UTC)


def run_effect(claim: effects.Claim) -> None:
    """Carry out one claimed effect."""
    effects.run(claim, _now())


def run_check(credential_id: int) -> None:
    """Check one claimed account; one that was disconnected meanwhile is nothing to do."""
    if checks.still_there(credential_id):
        checks.check(credential_id, Cause.CHECK, _now())
        push.tend(credential_id, _now())


def work_once() -> int:
    """Run everything that is due now, in this thread, until nothing is; returns how many pieces of work."""
    total = sweep(_now())
    while claimed := [partial(run_effect, claim) for claim in effects.claim_due(_now(), BATCH)] + [
        partial(run_check, pk) for pk in checks.claim_due(_now(), BATCH)
    ]:
        for work in claimed:
            work()
        total += len(claimed)
    return total


class Worker:
    """Claims work and hands it to its threads until told to stop."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.woken = threading.Event()
        self.pool = ThreadPoolExecutor(max_workers=AT_ONCE * len(effects.LANES), thread_name_prefix="awase")
        self.under_way: Counter[Lane] = Counter()
        self.counting = threading.Lock()
        self.effects_first = False
        self.next_beat: datetime | None = None
        self.timetable = Timetable()
        self.aside = ThreadPoolExecutor(max_workers=PERIODIC_THREADS, thread_name_prefix="awase-periodic")

    def run(self) -> None:
        checks.check_all_at_start(_now())
        while not self.stopping.is_set():
            try:
                self._beat(_now())
                for line in self.timetable.due(_now()):
                    self.aside.submit(self._periodic, line)
                busy = self._claim_and_start()
            except DatabaseError:
                logger.exception("the database did not answer; trying again")
                close_old_connections()
                busy = False
            if not busy:
                self.woken.wait(PAUSE_SECONDS)
                self.woken.clear()
        self.pool.shutdown(wait=True)
        self.aside.shutdown(wait=True, cancel_futures=True)

    def _beat(self, now: datetime) -> None:
        if self.next_beat is None or self.next_beat <= now:
            heartbeat.beat(now)
            self.next_beat = now + heartbeat.EVERY

    def _claim_and_start(self) -> bool:
        """Start at most as much work as lanes have room, so that nothing claimed waits with its lease running.
        Effects and checks take turns in coming first, so that neither keeps the other from a busy service."""
        started = 0
        self.effects_first = not self.effects_first
        for source in (self._effects, self._checks) if self.effects_first else (self._checks, self._effects):
            started += source(_now())
        return started > 0

    def _effects(self, now: datetime) -> int:
        if not effects.any_due(now):
            return 0
        return sum(
            self._start(lane, run_effect, effects.claim_due(now, room, lane))
            for lane in effects.LANES
            if (room := self._room(lane)) > 0
        )

    def _checks(self, now: datetime) -> int:
        if not checks.any_due(now):
            return 0
        return sum(
            self._start(service, run_check, checks.claim_due(now, room, service))
            for service in Service
            if (room := self._room(service)) > 0
        )

    def _room(self, lane: Lane) -> int:
        with self.counting:
            return AT_ONCE - self.under_way[lane]

    def _start(self, lane: Lane, task: Callable[[Any], None], claimed: Sequence[object]) -> int:
        with self.counting:
            self.under_way[lane] += len(claimed)
        for claim in claimed:
            self.pool.submit(self._guarded, lane, task, claim)
        return len(claimed)

    def _guarded(self, lane: Lane, task: Callable[[Any], None], claim: object) -> None:
        try:
            task(claim)
        except Exception:
            logger.exception("%s(%s) failed; it falls due again when its lease runs out", task.__name__, claim)
        finally:
            connections.close_all()
            with self.counting:
                self.under_way[lane] -= 1
            self.woken.set()

    def _periodic(self, line: Task) -> None:
        try:
            line.run(_now())
        except Exception:
            logger.exception("%s failed; it is tried again in %s", line.run.__qualname__, line.every)
        finally:
            connections.close_all()

    def stop(self, signum: int, frame: FrameType | None) -> None:
        self.stopping.set()
        self.woken.set()


def run() -> None:
    """Work until SIGTERM or SIGINT; what is under way is finished first."""
    worker = Worker()
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    logger.info("worker started")
    worker.run()
    logger.info("worker stopped")
