"""The worker's sign of life, which `awase doctor` reads. It stands in the shared cache."""

from datetime import datetime, timedelta

from django.core.cache import cache

EVERY = timedelta(seconds=30)
KEY = "worker:seen"


def beat(now: datetime) -> None:
    """A worker is there and looks for work."""
    cache.set(KEY, now, timeout=None)


def last() -> datetime | None:
    """When a worker was there last, as far as is known. Raises DatabaseError."""
    seen: datetime | None = cache.get(KEY)
    return seen
