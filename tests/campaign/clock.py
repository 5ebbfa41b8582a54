"""The one clock of a campaign: it stands still unless an event moves it, and whoever sleeps moves it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import SupportsIndex

import time_machine

START = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)  # a Monday, 9:00 in Tokyo
_yield = time.sleep


class Clock:
    """Moves the time of product and sandbox alike."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller

    def now(self) -> datetime:
        return datetime.now(UTC)

    def restart(self) -> None:
        self._traveller.move_to(START)

    def wait(self, time_passing: timedelta) -> None:
        self._traveller.shift(time_passing)

    def sleep(self, seconds: SupportsIndex | float, /) -> None:
        """In the place of time.sleep; other threads get a chance all the same."""
        self._traveller.shift(float(seconds))
        _yield(0.0005)


@contextmanager
def running() -> Iterator[Clock]:
    """The clock, at START."""
    real = time.sleep, time.monotonic
    with time_machine.travel(START, tick=False) as traveller:
        clock = Clock(traveller)
        time.sleep, time.monotonic = clock.sleep, time.time
        try:
            yield clock
        finally:
            time.sleep, time.monotonic = real
