"""What connection errors cost: how soon they were noticed and repaired, how long pages were stopped and why, who was
turned away, and how many hours of reception were lost.

The manual switch has no history: a page that is stopped by hand now counts as having lost nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from awase.domain.gate import evaluate
from awase.domain.health import PageValue
from awase.domain.history import (
    DAYS,
    Change,
    Day,
    Mark,
    as_changes,
    by_cause,
    by_day,
    first_moment,
    incidents,
    lost,
    middle,
    shared,
    stretches,
)
from awase.domain.intervals import Span, epoch, merged
from awase.domain.schedule import Schedule, expand
from awase.models import BookingPage, Credential, RefusedBooking
from awase.services import history
from awase.services.health import page_values
from awase.services.hours import hours_on


@dataclass(frozen=True, slots=True)
class PageLoss:
    """What one page lost: time stopped by health, opening hours within it, bookings refused meanwhile."""

    page: BookingPage
    stopped: timedelta
    lost: timedelta
    refused: int


@dataclass(frozen=True, slots=True)
class HealthMeasures:
    """The measures of some pages and of the accounts behind them over the last days. Medians are None where
    nothing happened. `lost_by_day` holds the lost opening hours, all pages together, as time in error."""

    errors: int
    detected_after: timedelta | None
    repaired_after: timedelta | None
    opened_after: timedelta | None
    by_cause: Mapping[str, timedelta]
    refused: int
    lost: timedelta
    lost_by_day: tuple[Day, ...]
    pages: tuple[PageLoss, ...]


def measure(pages: Iterable[BookingPage], now: datetime, time_zone: str, days: int = DAYS) -> HealthMeasures:
    """The measures over the last `days` dates of a zone, today included."""
    pages = list(pages)
    start = first_moment(now, time_zone, days)
    values = page_values(pages, now)
    turns = history.turns(pages, start)
    changes = history.changes_of(pages, turns, {pk: evaluate(value) for pk, value in values.items()}, now)
    refused = _refused(pages, start)
    wrong = {
        page.pk: [one for one in stretches(changes[page.pk], start, now) if one.mark >= Mark.WARN] for page in pages
    }
    failed = [page for page in pages if page.accepting and any(one.mark is Mark.DANGER for one in wrong[page.pk])]
    hours = hours_on([(page, values[page.pk].everybody) for page in failed], start, now)
    losses, lost_spans = [], []
    for page in pages:
        bad = wrong[page.pk]
        if not bad and not refused[page.pk]:
            continue
        errors = [one.span for one in bad if one.mark is Mark.DANGER]
        opened = _opening_hours(values[page.pk], hours[page.pk], start, now) if page.pk in hours else []
        gone = lost(errors, opened)
        lost_spans.append(gone)
        stopped = sum((one.length for one in bad), timedelta())
        losses.append(PageLoss(page, stopped, timedelta(seconds=_seconds(gone)), refused[page.pk]))
    found = [
        incident
        for account in history.of_accounts(_accounts(values.values()), start, now).values()
        for incident in incidents(stretches(account, start, now), now)
    ]
    return HealthMeasures(
        errors=len(found),
        detected_after=middle(incident.detected_after for incident in found),
        repaired_after=middle(incident.end - incident.start for incident in found if incident.end),
        opened_after=middle(delay for listed in turns.values() for delay in history.opening_delays(listed)),
        by_cause=by_cause(one for rows in changes.values() for one in stretches(rows, start, now)),
        refused=sum(refused.values()),
        lost=sum((loss.lost for loss in losses), timedelta()),
        lost_by_day=_together(lost_spans, now, time_zone, days),
        pages=tuple(sorted(losses, key=lambda loss: (-loss.lost, -loss.stopped, loss.page.title))),
    )


def _refused(pages: Collection[BookingPage], start: datetime) -> Counter[int]:
    """The bookings that were wanted and not taken because of health, by page."""
    rows = RefusedBooking.objects.filter(page__in=pages, at__gte=start).exclude(stops=[])
    return Counter(rows.values_list("page", flat=True))


def _accounts(values: Iterable[PageValue]) -> list[Credential]:
    """The accounts of everybody on the pages, and of their owners."""
    ids = {account.credential_id for value in values for member in value.members for account in member.connections}
    return list(Credential.objects.filter(pk__in=[pk for pk in ids if pk is not None]).order_by("pk"))


def _opening_hours(value: PageValue, hours: Mapping[int, Schedule], start: datetime, end: datetime) -> list[Span]:
    """When the page could take bookings at all: the hours that as many members share as it needs."""
    begin, until = epoch(start), epoch(end)
    people = {member for _index, group in value.people for member in group.ids}
    spans = {member: expand(hours[member], begin, until) for member in people}
    of_groups = [
        shared(group.needed or len(group.ids), [spans[member] for member in group.ids])
        for _index, group in value.people
        if group.ids
    ]
    return shared(len(of_groups), of_groups) if of_groups else []


def _together(lost_spans: Iterable[list[Span]], now: datetime, time_zone: str, days: int) -> tuple[Day, ...]:
    """All pages' lost hours by day, added up."""
    total: dict[int, Counter[Mark]] = defaultdict(Counter)
    listed = by_day([], now, time_zone, days)
    for spans in lost_spans:
        changes: list[Change] = as_changes(merged(spans))
        for place, day in enumerate(by_day(changes, now, time_zone, days)):
            total[place][Mark.DANGER] += day.seconds.get(Mark.DANGER, 0)
    return tuple(Day(day.day, +total[place]) for place, day in enumerate(listed))


def _seconds(spans: Iterable[Span]) -> int:
    return sum(end - begin for begin, end in spans)
