"""The inside of `bench.health`, in the process of one instance: what the worker and the signals do.

`python -m bench.outage pages COUNT` or `python -m bench.outage accounts COUNT`; prints the rows as JSON.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from awase.domain.errors import Failure, FailureClass, FailureScope, Reason  # noqa: E402
from awase.domain.health import Service, Standing  # noqa: E402
from awase.models import BookingPage, Condition, Credential, Effect, PageChange, PageHealth, PageMember  # noqa: E402
from awase.services import checks  # noqa: E402
from awase.services.health import renew  # noqa: E402
from awase.services.signals import Cause, Good, record  # noqa: E402
from bench import load  # noqa: E402
from bench.rows import workspace  # noqa: E402

OWNERS = 20
BATCH = 500
INTERVAL = timedelta(hours=1)
STEP = timedelta(minutes=1)
REVOKED = Failure(FailureClass.RECONNECT, FailureScope.CONNECTION, "G01", Reason.REVOKED)


def outage(count: int) -> list[dict[str, object]]:
    """One account in error on `count` pages of many owners, then repaired; and the same on a tenth of them."""
    now = datetime.now(UTC)
    members = workspace("outage", [()] * (OWNERS + 1), now)
    shared, owners = members[0], members[1:]
    pages = BookingPage.objects.bulk_create(
        BookingPage(
            workspace=shared.workspace,
            owner=owners[number % OWNERS],
            title=f"Page {number}",
            slug=f"page-{number}",
            condition=Condition.ALL,
        )
        for number in range(count)
    )
    PageMember.objects.bulk_create(
        PageMember(page=page, member_id=member_id, position=position)
        for page in pages
        for position, member_id in enumerate((page.owner_id, shared.pk))
    )
    renew(pages, now, Cause.EDIT)
    credential = Credential.objects.get(connections__member=shared)
    few = {page.pk for page in pages[: count // 10]}
    rows = []
    for size in (count, count // 10):
        if size != count:
            PageMember.objects.filter(member=shared).exclude(page__in=few).delete()
        for what, signal in (("account breaks", REVOKED), ("account is repaired", Good(full=True))):
            # A benchmark's day: nothing of an earlier turn is damped.
            now += timedelta(hours=2)
            before = PageChange.objects.count()
            with CaptureQueriesContext(connection) as queries:
                began = time.perf_counter()
                record(credential.pk, signal, Cause.CHECK, now)
                ms = (time.perf_counter() - began) * 1000
            stopped = PageHealth.objects.filter(open=False).count()
            turned = PageChange.objects.count() - before
            if (stopped, turned) != (size if signal is REVOKED else 0, size):
                raise SystemExit(f"{size} pages should have turned: {turned} did, {stopped} are stopped")
            rows.append(
                {"what": what, "pages": size, "queries": len(queries), "notices": Effect.objects.count(),
                 "ms": round(ms, 1), "goal_ms": 2000}
            )  # fmt: skip
    return rows


def spread(count: int) -> list[dict[str, object]]:
    """`count` accounts that all fall due at one moment, as after a pause of the worker, and then through a day."""
    began = datetime(2026, 12, 1, tzinfo=UTC)
    Credential.objects.bulk_create(
        Credential(
            service=Service.GOOGLE,
            account_id=f"account{number}",
            account_email=f"account{number}@bench.example",
            secret={},
            standing=Standing.OK,
            since=began,
            last_good=began,
            check_every=INTERVAL,
            next_check=began,
        )
        for number in range(count)
    )
    batches: list[float] = []
    burst = picked_at(began, batches)
    if burst != count:
        raise SystemExit(f"{count} accounts were due, {burst} were picked")
    ticks = [began + STEP * number for number in range(1, timedelta(days=1) // STEP + 1)]
    picked = [picked_at(now, []) for now in ticks]
    mean = count * (STEP / INTERVAL)
    return [
        {"what": "batches of 500", "accounts": count, "batches": len(batches),
         "ms": load.median(batches), "p99_ms": load.quantile(batches, 99), "goal_ms": 50},
        {"what": "a simulated day", "accounts": count, "picked": sum(picked), "mean_per_second": mean / STEP.seconds,
         "most_per_second": max(picked) / STEP.seconds, "ratio": max(picked) / mean, "goal_ratio": 2},
    ]  # fmt: skip


def picked_at(now: datetime, batches: list[float]) -> int:
    """How many accounts are picked until none is due any more; the milliseconds of each batch are added."""
    picked = 0
    while claimed := timed(lambda: len(checks.claim_due(now, BATCH)), batches):
        picked += claimed
    return picked


def timed(work: Callable[[], int], times: list[float]) -> int:
    """The answer; its milliseconds are added to `times` if it is that of a whole batch."""
    began = time.perf_counter()
    answer = work()
    if answer == BATCH:
        times.append((time.perf_counter() - began) * 1000)
    return answer


def main(arguments: Sequence[str]) -> None:
    what = {"pages": outage, "accounts": spread}[arguments[0]]
    print(json.dumps(what(int(arguments[1]))))


if __name__ == "__main__":
    main(sys.argv[1:])
