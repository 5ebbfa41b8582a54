"""The histories of accounts and pages: when what was in which state, why, and what triggered it.

What nobody has written down yet (a tolerance that ran out) stands at the end of a history, from the moment on
which it counts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Q, QuerySet, Subquery

from awase.domain.health import Standing, Verdict
from awase.domain.history import Change, Day, Mark, by_day, first_moment
from awase.models import BookingPage, Calendar, Connection, ConnectionChange, Credential, PageChange, PageHealth, Room
from awase.services.health import pages_of_members, standing_of, tolerance_of, verdicts
from awase.services.signals import Cause

MARKS = {Standing.OK: Mark.OK, Standing.DEGRADED: Mark.WARN, Standing.ERROR: Mark.DANGER}


def since(credential: Credential, now: datetime) -> datetime:
    """Since when the account's state that counts at `now` lasts."""
    standing, _reason = standing_of(credential, now)
    if standing is Standing.ERROR and credential.standing != Standing.ERROR:
        return (credential.last_good or credential.since) + tolerance_of(credential)
    return credential.since


def of_accounts(accounts: Iterable[Credential], start: datetime, now: datetime) -> dict[int, list[Change]]:
    """The changes of each account that reach past `start`, oldest first; one query."""
    accounts = list(accounts)
    rows = ConnectionChange.objects.filter(credential__in=accounts)
    earlier = ConnectionChange.objects.filter(credential=OuterRef("credential"))
    found: dict[int, list[Change]] = {account.pk: [] for account in accounts}
    for row in rows.filter(_reaching_past(start, earlier)).order_by("at", "id"):
        found[row.credential_id].append(Change(row.at, MARKS[Standing(row.standing)], row.reason))
    for account in accounts:
        standing, reason = standing_of(account, now)
        changes = found[account.pk]
        if not changes or changes[-1].mark is not MARKS[standing]:
            changes.append(Change(since(account, now), MARKS[standing], reason or ""))
    return found


def account_days(accounts: Iterable[Credential], now: datetime, time_zone: str) -> dict[int, list[Day]]:
    """The last 90 days of each account, by its id, in a zone."""
    changes = of_accounts(accounts, first_moment(now, time_zone), now)
    return {pk: by_day(rows, now, time_zone) for pk, rows in changes.items()}


@dataclass(frozen=True, slots=True)
class PageTurn:
    """A page stopped or opened: what was written down, and as which mark and cause it counts. `account_since`:
    since when the account that caused it had been in the state of that moment."""

    row: PageChange
    change: Change
    account_since: datetime | None


def turns(pages: Iterable[BookingPage], start: datetime) -> dict[int, list[PageTurn]]:
    """Each page's stops and openings that reach past `start`, oldest first; three queries."""
    pages = list(pages)
    earlier = PageChange.objects.filter(page=OuterRef("page"))
    rows = list(
        PageChange.objects.filter(_reaching_past(start, earlier), page__in=pages)
        .select_related("credential")
        .order_by("at", "id")
    )
    in_error = dict(PageHealth.objects.filter(page__in=pages, open=False).values_list("page", "in_error"))
    found: dict[int, list[PageTurn]] = {page.pk: [] for page in pages}
    for row, (account_since, reason) in zip(rows, _accounts_then(rows), strict=True):
        broken = bool(reason) or not Cause(row.cause).by_hand
        found[row.page_id].append(PageTurn(row, _change(row, reason, broken), account_since))
    for page_id, listed in found.items():
        if listed and not listed[-1].row.opened and page_id in in_error:
            last = listed[-1]
            listed[-1] = replace(last, change=_change(last.row, last.change.cause, in_error[page_id]))
    return found


def _change(row: PageChange, cause: str, broken: bool) -> Change:
    if row.opened:
        return Change(row.at, Mark.OK)
    kind = row.stops[0] if row.stops else ""
    return Change(row.at, Mark.DANGER if broken else Mark.WARN, cause or kind)


def _accounts_then(rows: Sequence[PageChange]) -> list[tuple[datetime | None, str]]:
    """For each row the state of the account that caused it: since when, and the reason of its error, if any."""
    states: dict[int | None, list[tuple[datetime, str]]] = defaultdict(list)
    changes = ConnectionChange.objects.filter(credential__in={row.credential_id for row in rows if row.credential_id})
    for account, at, reason in changes.order_by("at", "id").values_list("credential", "at", "reason"):
        states[account].append((at, reason))
    found: list[tuple[datetime | None, str]] = []
    for row in rows:
        before = [state for state in states[row.credential_id] if state[0] <= row.at]
        found.append(before[-1] if before else (None, ""))
    return found


def opening_delays(listed: Sequence[PageTurn]) -> list[timedelta]:
    """From the repair of an account to the opening of the page that it had stopped, for each such opening."""
    return [
        opening.row.at - opening.account_since
        for stop, opening in pairwise(listed)
        if opening.row.opened and opening.account_since is not None and opening.account_since >= stop.row.at
    ]


def of_pages(pages: Iterable[BookingPage], start: datetime, now: datetime) -> dict[int, list[Change]]:
    """The changes of each page that reach past `start`, oldest first; a constant number of queries. A page is
    open from when it was made until its first stop."""
    pages = list(pages)
    return changes_of(pages, turns(pages, start), verdicts(pages, now), now)


def changes_of(
    pages: Sequence[BookingPage],
    written: Mapping[int, Sequence[PageTurn]],
    answers: Mapping[int, Verdict],
    now: datetime,
) -> dict[int, list[Change]]:
    """The same of stops and openings that are known, with the gate's answers of now."""
    unwritten = stopped_since(pages, answers, now)
    found: dict[int, list[Change]] = {}
    for page in pages:
        changes = [turn.change for turn in written[page.pk]]
        if not changes or page.created_at < changes[0].at:
            changes.insert(0, Change(page.created_at, Mark.OK))
        if page.pk in unwritten and changes[-1].mark is Mark.OK:
            changes.append(_stop(answers[page.pk], unwritten[page.pk]))
        found[page.pk] = changes
    return found


def _stop(answer: Verdict, at: datetime) -> Change:
    """How a stop that nobody has written down yet counts."""
    first = answer.stops[0]
    return Change(at, Mark.DANGER if answer.in_error else Mark.WARN, first.reason or first.kind)


def unwritten_stops(now: datetime) -> dict[BookingPage, Change]:
    """The pages that a tolerance stopped that ran out since anybody looked, each with that stop. Only those are
    evaluated whose accounts, calendars or rooms ran out; eight queries, and while all is well three."""
    overdue = now - settings.AWASE_TOLERANCE
    unread = Q(last_good__lte=overdue) | Q(last_good=None, since__lte=overdue)
    quiet = Credential.objects.filter(unread, check_every__isnull=False).exclude(standing=Standing.ERROR)
    ran_out = [account.pk for account in quiet if standing_of(account, now)[0] is Standing.ERROR]
    failing = Q(missing_since=None, unreadable_since__lte=overdue)
    links = Q(credential__in=ran_out) | Q(calendars__in=Calendar.objects.filter(failing))
    members = set(Connection.objects.filter(links).values_list("member", flat=True))
    # Any account of the workspace may read its rooms.
    members |= set(Room.objects.filter(failing).values_list("workspace__members", flat=True))
    if not members:
        return {}
    stopped = set(PageHealth.objects.filter(open=False).values_list("page", flat=True))
    pages = [page for page in pages_of_members(members) if page.pk not in stopped]
    answers = verdicts(pages, now)
    moments = stopped_since(pages, answers, now)
    return {page: _stop(answers[page.pk], moments[page.pk]) for page in pages if page.pk in moments}


def page_days(pages: Iterable[BookingPage], now: datetime, time_zone: str) -> dict[int, list[Day]]:
    """The last 90 days of each page, by its id, in a zone."""
    changes = of_pages(pages, first_moment(now, time_zone), now)
    return {pk: by_day(rows, now, time_zone) for pk, rows in changes.items()}


def stopped_since(pages: Iterable[BookingPage], answers: Mapping[int, Verdict], now: datetime) -> dict[int, datetime]:
    """Since when each page that is stopped by health has been so, by its id. Where a tolerance ran out and
    nobody has written it down yet: since an account that is needed ran out, of several hosts' the last."""
    closed = {page.pk: answers[page.pk] for page in pages if not answers[page.pk].open}
    found = dict(PageHealth.objects.filter(page__in=closed, open=False).values_list("page", "since"))
    fresh = {pk: answer for pk, answer in closed.items() if pk not in found}
    ids = {stop.connection_id for answer in fresh.values() for stop in answer.stops if stop.connection_id}
    links = Connection.objects.filter(pk__in=ids).select_related("credential")
    ran_out = {link.pk: since(link.credential, now) for link in links}
    for pk, answer in fresh.items():
        moments = [ran_out[stop.connection_id] for stop in answer.stops if stop.connection_id in ran_out]
        found[pk] = (min if answer.locations_by_owner else max)(moments, default=now)
    return found


def _reaching_past(start: datetime, earlier: QuerySet[Any]) -> Q:
    """The rows since `start`, and of each the last one before it."""
    last = earlier.filter(at__lt=start).order_by("-at", "-id").values("pk")[:1]
    return Q(at__gte=start) | Q(pk=Subquery(last))
