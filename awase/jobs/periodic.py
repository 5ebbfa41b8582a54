"""What the worker does every so often, beside the effects and checks that fall due one by one.

Each function takes `now` and may run twice at once, in several workers: rows are claimed or locked in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from awase.services import awaited, foresight, guest_files, holds, notices, probing, requests, sessions, team


def sweep(now: datetime) -> int:
    """End what has run out: holds, and requests that nobody answered. Returns how many."""
    return holds.sweep(now) + requests.lapse_due(now)


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the table."""

    run: Callable[[datetime], int | None]
    every: timedelta


TABLE = (
    Task(sweep, timedelta(seconds=5)),
    Task(notices.catch_up, timedelta(minutes=1)),
    Task(notices.remind, timedelta(minutes=10)),
    Task(probing.probe_capabilities, probing.EVERY),
    Task(foresight.look_ahead, timedelta(hours=1)),
    Task(guest_files.sweep, timedelta(hours=1)),
    Task(awaited.sweep, timedelta(hours=1)),
    Task(team.sweep, timedelta(hours=1)),
    Task(sessions.sweep, timedelta(days=1)),
)


class Timetable:
    """When each line is due next, for one worker; at the start all of them are."""

    def __init__(self, table: tuple[Task, ...] = TABLE) -> None:
        self._next: dict[Task, datetime | None] = dict.fromkeys(table)

    def due(self, now: datetime) -> list[Task]:
        """The lines to run now; they are due again after their interval."""
        found = [task for task, at in self._next.items() if at is None or at <= now]
        self._next.update((task, now + task.every) for task in found)
        return found
