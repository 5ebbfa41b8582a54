"""The worker's periodic table."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from awase.jobs.periodic import TABLE, Task, Timetable
from awase.jobs.worker import Worker
from tests.jobs.conftest import PATIENCE, working

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


def nothing(now: datetime) -> None:
    pass


def test_every_line_is_due_at_the_start_and_again_after_its_interval() -> None:
    often, rarely = Task(nothing, timedelta(minutes=1)), Task(nothing, timedelta(hours=1))
    timetable = Timetable((often, rarely))
    assert timetable.due(NOON) == [often, rarely]
    assert timetable.due(NOON + timedelta(seconds=59)) == []
    assert timetable.due(NOON + timedelta(seconds=60)) == [often]
    assert timetable.due(NOON + timedelta(hours=2)) == [often, rarely], "what was missed runs once"


@pytest.mark.django_db
def test_every_line_of_the_table_runs_on_an_empty_instance() -> None:
    for line in TABLE:
        line.run(NOON)


@pytest.mark.django_db(transaction=True)
def test_a_line_that_fails_is_logged_and_stops_nothing(caplog: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = threading.Event()

    def fails(now: datetime) -> None:
        raise RuntimeError("the table is on fire")

    def works(now: datetime) -> None:
        ran.set()

    worker = Worker()
    worker.timetable = Timetable((Task(fails, timedelta(seconds=1)), Task(works, timedelta(seconds=1))))
    with working(worker):
        assert ran.wait(PATIENCE)
    assert any("fails failed" in record.getMessage() for record in caplog.records)
