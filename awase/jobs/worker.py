"""The background worker: due effects and due checks, in a small thread pool.

The outbox and the check times are rows; the worker merely looks, claims by compare-and-set and runs. Killing
it at any point loses nothing: what it had claimed falls due again when its lease runs out.
"""

import logging
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import FrameType

from django.db import DatabaseError, close_old_connections, connections

from awase.jobs.periodic import Task, Timetable, sweep
from awase.services import checks, effects, push
from awase.services.signals import Cause

logger = logging.getLogger(__name__)

THREADS = 4
BATCH = 20
PAUSE_SECONDS = 0.5
PERIODIC_THREADS = 2


def _now() -> datetime:
    return datetime.now(UTC)


def run_effect(effect_id: int) -> None:
    """Carry out one claimed effect."""
    effects.run(effect_id, _now())


def run_check(credential_id: int) -> None:
    """Check one claimed account; one that was disconnected meanwhile is nothing to do."""
    if checks.still_there(credential_id):
        checks.check(credential_id, Cause.CHECK, _now())
        push.tend(credential_id, _now())


def work_once() -> int:
    """Run everything that is due now, in this thread, until nothing is; returns how many pieces of work."""
    total = sweep(_now())
    while claimed := [(run_effect, pk) for pk in effects.claim_due(_now(), BATCH)] + [
        (run_check, pk) for pk in checks.claim_due(_now(), BATCH)
    ]:
        for work, pk in claimed:
            work(pk)
        total += len(claimed)
    return total


class Worker:
    """Claims work and hands it to its threads until told to stop."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="awase")
        self.running = threading.Semaphore(THREADS)
        self.timetable = Timetable()
        self.aside = ThreadPoolExecutor(max_workers=PERIODIC_THREADS, thread_name_prefix="awase-periodic")

    def run(self) -> None:
        checks.check_all_at_start(_now())
        while not self.stopping.is_set():
            try:
                for line in self.timetable.due(_now()):
                    self.aside.submit(self._periodic, line)
                busy = self._claim_and_start()
            except DatabaseError:
                logger.exception("the database did not answer; trying again")
                close_old_connections()
                busy = False
            if not busy:
                self.stopping.wait(PAUSE_SECONDS)
        self.pool.shutdown(wait=True)
        self.aside.shutdown(wait=True, cancel_futures=True)

    def _claim_and_start(self) -> bool:
        """Start at most as much work as threads are free, so that nothing claimed waits with its lease running."""
        free = 0
        while free < THREADS and self.running.acquire(blocking=False):
            free += 1
        started = 0
        try:
            if free:
                work: list[tuple[Callable[[int], None], int]]
                work = [(run_effect, pk) for pk in effects.claim_due(_now(), free)]
                work += [(run_check, pk) for pk in checks.claim_due(_now(), free - len(work))]
                for task, pk in work:
                    self.pool.submit(self._guarded, task, pk)
                    started += 1
        finally:
            for _ in range(free - started):
                self.running.release()
        return started > 0

    def _guarded(self, task: Callable[[int], None], pk: int) -> None:
        try:
            task(pk)
        except Exception:
            logger.exception("%s(%s) failed; it falls due again when its lease runs out", task.__name__, pk)
        finally:
            connections.close_all()
            self.running.release()

    def _periodic(self, line: Task) -> None:
        try:
            line.run(_now())
        except Exception:
            logger.exception("%s failed; it is tried again in %s", line.run.__qualname__, line.every)
        finally:
            connections.close_all()

    def stop(self, signum: int, frame: FrameType | None) -> None:
        self.stopping.set()


def run() -> None:
    """Work until SIGTERM or SIGINT; what is under way is finished first."""
    worker = Worker()
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    logger.info("worker started")
    worker.run()
    logger.info("worker stopped")
