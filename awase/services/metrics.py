"""Counters and gauges for monitoring, all from the database: for operators, with no word about anybody."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q

from awase.domain.history import Mark, by_cause, incidents, middle, stretches
from awase.models import (
    Booking,
    BookingPage,
    ConnectionChange,
    Credential,
    Effect,
    EffectState,
    PageChange,
    RefusedBooking,
    ServiceAlarm,
)
from awase.services import history
from awase.services.health import standing_of

RECENT = timedelta(days=1)
Labels = dict[str, str]
Samples = list[tuple[Labels, float]]


@dataclass(frozen=True, slots=True)
class Metric:
    """One family in the sense of Prometheus: a counter or a gauge, with its samples by labels."""

    name: str
    kind: str
    help: str
    samples: tuple[tuple[Labels, float], ...]


def collect(now: datetime) -> list[Metric]:
    """Everything. The number of queries does not grow with the data."""
    return [*_accounts(now), *_pages(now), *_bookings(), *_work(now)]


def _accounts(now: datetime) -> list[Metric]:
    accounts = list(Credential.objects.filter(check_every__isnull=False))
    standings = Counter((account.service, standing_of(account, now)[0].value) for account in accounts)
    recent = history.of_accounts(
        Credential.objects.filter(pk__in=ConnectionChange.objects.filter(at__gte=now - RECENT).values("credential")),
        now - RECENT,
        now,
    )
    detected = middle(
        incident.detected_after
        for changes in recent.values()
        for incident in incidents(stretches(changes, now - RECENT, now), now)
    )
    late = [account.next_check for account in accounts if account.next_check and account.next_check <= now]
    return [
        _gauge(
            "connections", "Accounts in use, by the state that counts.", _labelled(standings, "service", "standing")
        ),
        _gauge("checks_due", "Accounts whose check is due.", [({}, len(late))]),
        _gauge("check_delay_seconds", "How long the most delayed check has been due.", [({}, _age(late, now))]),
        _counter(
            "connection_changes_total",
            "Changes of accounts' states, by what triggered them.",
            _grouped(ConnectionChange.objects.values_list("standing", "cause"), "standing", "cause"),
        ),
        _gauge(
            "time_to_detect_seconds",
            "Median time from the first sign to the error, of the errors of the last day.",
            [({}, detected.total_seconds())] if detected is not None else [],
        ),
        _gauge(
            "service_alarms",
            "Open alarms about faults of this instance's own registrations.",
            [({"service": alarm.service}, 1) for alarm in ServiceAlarm.objects.order_by("service")],
        ),
    ]


def _pages(now: datetime) -> list[Metric]:
    live = BookingPage.objects.filter(archived_at=None)
    unwritten = history.unwritten_stops(now)
    states = live.aggregate(
        open=Count("pk", filter=Q(accepting=True) & ~Q(health__open=False)),
        by_hand=Count("pk", filter=Q(accepting=False)),
        error=Count("pk", filter=Q(accepting=True, health__open=False, health__in_error=True)),
        not_connected=Count("pk", filter=Q(accepting=True, health__open=False, health__in_error=False)),
    )
    for page, stop in unwritten.items():
        if page.accepting:
            states["open"] -= 1
            states["error" if stop.mark is Mark.DANGER else "not_connected"] += 1
    start = now - RECENT
    concerned = live.filter(Q(health__open=False) | Q(pk__in=PageChange.objects.filter(at__gte=start).values("page")))
    turns = history.turns(concerned, start)
    changes = {page_id: [turn.change for turn in listed] for page_id, listed in turns.items()}
    for page, stop in unwritten.items():
        changes.setdefault(page.pk, []).append(stop)
    stopped = by_cause(
        one for listed in changes.values() for one in stretches(listed, start, now) if one.mark >= Mark.WARN
    )
    opened = middle(delay for listed in turns.values() for delay in history.opening_delays(listed))
    return [
        _gauge("pages", "Booking pages by state.", [({"state": state}, count) for state, count in states.items()]),
        _counter(
            "page_turns_total",
            "Pages stopped and opened by health, by what triggered it.",
            [
                ({"turn": "opened" if labels["turn"] == "True" else "stopped", "cause": labels["cause"]}, count)
                for labels, count in _grouped(PageChange.objects.values_list("opened", "cause"), "turn", "cause")
            ],
        ),
        _gauge(
            "page_stopped_seconds",
            "Time for which pages were stopped by health within the last day, by cause.",
            [({"cause": cause or "other"}, length.total_seconds()) for cause, length in stopped.items()],
        ),
        _gauge(
            "time_to_open_seconds",
            "Median time from the repair of an account to the open page, within the last day.",
            [({}, opened.total_seconds())] if opened is not None else [],
        ),
    ]


def _bookings() -> list[Metric]:
    refused = RefusedBooking.objects.values_list("refusal")
    return [
        _counter("bookings_total", "Bookings by state.", _grouped(Booking.objects.values_list("state"), "state")),
        _counter("bookings_refused_total", "Bookings wanted and not taken.", _grouped(refused, "refusal")),
        _counter(
            "bookings_refused_by_health_total",
            "Bookings wanted and not taken because health had stopped the page.",
            [({}, RefusedBooking.objects.exclude(stops=[]).count())],
        ),
    ]


def _work(now: datetime) -> list[Metric]:
    waiting = Effect.objects.exclude(state=EffectState.DONE)
    oldest = Effect.objects.filter(state=EffectState.PENDING, next_at__lte=now).aggregate(at=Min("next_at"))["at"]
    return [
        _gauge(
            "effects", "Outward acts not done yet.", _grouped(waiting.values_list("kind", "state"), "kind", "state")
        ),
        _gauge(
            "effect_delay_seconds",
            "How long the oldest act has been due.",
            [({}, _age([oldest] if oldest else [], now))],
        ),
    ]


def _gauge(name: str, text: str, samples: Samples) -> Metric:
    return Metric(f"awase_{name}", "gauge", text, tuple(samples))


def _counter(name: str, text: str, samples: Samples) -> Metric:
    return Metric(f"awase_{name}", "counter", text, tuple(samples))


def _grouped(rows: Any, *names: str) -> Samples:
    """The number of rows for each combination of the values asked for."""
    return _labelled({tuple(row[:-1]): row[-1] for row in rows.order_by().annotate(number=Count("pk"))}, *names)


def _labelled(counts: Mapping[tuple[Any, ...], int], *names: str) -> Samples:
    return [
        (dict(zip(names, map(str, values), strict=True)), count)
        for values, count in sorted(counts.items(), key=lambda item: tuple(map(str, item[0])))
    ]


def _age(moments: Iterable[datetime], now: datetime) -> float:
    return max(((now - moment).total_seconds() for moment in moments), default=0.0)
