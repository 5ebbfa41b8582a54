"""How many calls of one account may be under way at once, where its service sets a limit."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from awase.providers.failures import unreachable


class Turns:
    """At most `most` calls at once for each key, in this process, whoever makes them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: Counter[str] = Counter()
        self._ended = threading.Condition()

    @contextmanager
    def one(self, key: str, patience: float) -> Iterator[None]:
        """Wait for a turn, for so many seconds at most, and hold it. Raises ProviderError X01, as a time-out."""
        with self._ended:
            if not self._ended.wait_for(lambda: self._under_way[key] < self._most, patience):
                error = httpx2.PoolTimeout("earlier calls of this account are still under way")
                raise unreachable(error) from error
            self._under_way[key] += 1
        try:
            yield
        finally:
            with self._ended:
                self._under_way[key] -= 1
                if not self._under_way[key]:
                    del self._under_way[key]
                self._ended.notify_all()
