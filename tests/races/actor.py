"""One of several processes that do the same thing at the same moment (`stage.Puppet`).

Each order is an act with its arguments, as a line of JSON; the answer is a line of JSON.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import django

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.db.models import Q, QuerySet  # noqa: E402

from awase.domain.errors import Failure, FailureClass, FailureScope, ProviderError, Reason  # noqa: E402
from awase.models import Booking, BookingPage, Credential, Effect, EffectState, PageHealth  # noqa: E402
from awase.services import booking, checks, health, links, placing  # noqa: E402
from awase.services.signals import Cause, Good, record  # noqa: E402
from awase.services.tokens import StoredTokens  # noqa: E402

GUEST = booking.Guest(name="Guest", email="guest@example.org", language="en", time_zone="UTC")
REVOKED = Failure(FailureClass.RECONNECT, FailureScope.CONNECTION, "G01", reason=Reason.REVOKED)


@contextmanager
def unlocked() -> Iterator[None]:
    """Neither lock nor transaction round the decision: on SQLite the transaction is the lock."""
    without = SimpleNamespace(atomic=nullcontext)
    free = patch.object(QuerySet, "select_for_update", lambda rows, **_: rows)
    with free, patch.object(placing, "transaction", without):
        yield


def book(slug: str, start: int, locked: bool) -> str:
    """ "taken", or why not."""
    page = BookingPage.objects.get(slug=slug)
    wish = booking.Request(start=datetime.fromtimestamp(start, UTC), guest=GUEST)
    try:
        with nullcontext() if locked else unlocked():
            booking.book(page, wish, datetime.now(UTC))
    except booking.Refused as refused:
        return refused.refusal.value
    return "taken"


def refresh(rejected: str, leased: bool) -> str:
    """A token newer than this one, or the symptom of the failure. Without the lease everybody refreshes."""
    credential = Credential.objects.get()
    unleased = patch.object(StoredTokens, "_take_lease", lambda *_: "mine")
    try:
        with nullcontext() if leased else unleased:
            return StoredTokens(credential.pk).token(rejected=rejected)
    except ProviderError as error:
        return error.failure.symptom


def signal(credential: int, good: bool) -> str:
    """Record that the account works, or that it does not."""
    record(credential, Good(full=True) if good else REVOKED, Cause.CHECK, datetime.now(UTC))
    return "recorded"


def stop_seeing(credential: int) -> int:
    """Record that the account does not work; returns the bookings that stand once its pages have stopped."""
    signal(credential, good=False)
    return Booking.objects.count()


def bar_bookings(barred: bool) -> str:
    """Let nobody write bookings, until that is taken back."""
    if barred:
        transaction.set_autocommit(False)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("LOCK TABLE awase_booking IN EXCLUSIVE MODE")
            else:
                cursor.execute("UPDATE awase_booking SET state = state WHERE id IS NULL")
    else:
        transaction.commit()
        transaction.set_autocommit(True)
    return "done"


def outdated() -> list[str]:
    """The pages whose stored answer is not the gate's."""
    answers = health.verdicts(BookingPage.objects.all(), datetime.now(UTC))
    stored = PageHealth.objects.select_related("page")
    return [row.page.slug for row in stored if row.open != answers[row.page_id].open]


def secret(uid: str) -> str:
    """What entitles the guest to change this booking."""
    return links.manage_secret(Booking.objects.get(uid=uid))


def claim(most: int) -> list[int]:
    """The accounts that this process is to check."""
    return checks.claim_due(datetime.now(UTC), most)


def waiting() -> int:
    """How many effects are due soon or under way."""
    due = Q(state=EffectState.PENDING, next_at__lt=datetime.now(UTC) + timedelta(minutes=30))
    return Effect.objects.filter(due | Q(state=EffectState.RUNNING)).count()


ACTS: dict[str, Callable[..., Any]] = {
    act.__name__: act for act in (book, refresh, signal, stop_seeing, bar_bookings, outdated, secret, claim, waiting)
}

if __name__ == "__main__":
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(ACTS[order.pop("act")](**order)), flush=True)
