"""A worker that runs beside the test, as its process would."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from awase.jobs.worker import Worker

PATIENCE = 60.0  # seconds; on a busy machine much is late


@contextmanager
def working(worker: Worker) -> Iterator[None]:
    """`worker` runs in a thread until the end of the block."""

    def run() -> None:
        try:
            worker.run()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        worker.stopping.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()
