"""A guest among several who want the same time at the same moment: a process of its own (`stage.Puppet`).

Each order names a page, a start (epoch seconds) and whether the lock is on; the answer is "taken" or why not.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace
from unittest.mock import patch

import django

django.setup()

from django.db.models import QuerySet  # noqa: E402

from awase.models import BookingPage  # noqa: E402
from awase.services import booking, placing  # noqa: E402

GUEST = booking.Guest(name="Guest", email="guest@example.org", language="en", time_zone="UTC")


@contextmanager
def unlocked() -> Iterator[None]:
    """Neither lock nor transaction round the decision: on SQLite the transaction is the lock."""
    without = SimpleNamespace(atomic=nullcontext)
    free = patch.object(QuerySet, "select_for_update", lambda rows, **_: rows)
    with free, patch.object(placing, "transaction", without):
        yield


def attempt(slug: str, start: int, locked: bool) -> str:
    page = BookingPage.objects.get(slug=slug)
    wish = booking.Request(start=datetime.fromtimestamp(start, UTC), guest=GUEST)
    try:
        with nullcontext() if locked else unlocked():
            booking.book(page, wish, datetime.now(UTC))
    except booking.Refused as refused:
        return refused.refusal.value
    return "taken"


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(attempt(**json.loads(line))), flush=True)
