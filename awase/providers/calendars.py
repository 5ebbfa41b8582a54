"""Reading several calendars of one account: what fails for one alone, and what for all; our own events."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from awase.domain.errors import Failure, FailureClass, FailureScope, ProviderError
from awase.providers.protocols import BusyEvent, Changes

Read = TypeVar("Read")

MAX_PAGES = 50
"""Pages of one list; more is taken for a loop."""


def own_key(mark: str) -> str:
    """The booking's key if this mark of an event is one (32 hex digits), else "": services choose others."""
    return mark if re.fullmatch(r"[0-9a-f]{32}", mark) else ""


ACCOUNT_WIDE = frozenset({FailureClass.RECONNECT, FailureClass.RATE_LIMITED, FailureClass.APP_CONFIG})


def read_each(calendar_ids: Sequence[str], read: Callable[[str], Read]) -> Mapping[str, Read | Failure]:
    """What `read` found for each calendar, or its own failure. Raises ProviderError where the account failed.

    No answer at all (X01), the account-wide classes and whatever asks for patience (a refused CalDAV password must
    not be tried at the next calendar) end the reading at once; if every calendar failed with RETRY, that is an outage
    of the account and no peculiarity of its calendars.
    """
    found: dict[str, Read | Failure] = {}
    for calendar_id in calendar_ids:
        try:
            found[calendar_id] = read(calendar_id)
        except ProviderError as error:
            failure = error.failure
            if failure.kind in ACCOUNT_WIDE or failure.symptom == "X01" or failure.retry_at is not None:
                raise
            found[calendar_id] = replace(failure, scope=FailureScope.CALENDAR, calendar_id=calendar_id)
    outages = [value for value in found.values() if isinstance(value, Failure)]
    if outages and len(outages) == len(found) and all(each.kind is FailureClass.RETRY for each in outages):
        raise ProviderError(replace(outages[0], scope=FailureScope.CONNECTION, calendar_id=None))
    return found


def parts(start: datetime, end: datetime, longest: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """[start, end) in parts that a service takes, in order, without a gap."""
    while start < end:
        until = min(end, start + longest)
        yield start, until
        start = until


def since_or_whole(token: str, since: Callable[[], Changes | None], whole: Callable[[], Changes]) -> Changes:
    """Read on from the token; everything where there is none, or the service does not take it, or the changes
    do not tell all (None). Raises ProviderError.

    A refusal of whatever wording, or an answer of a wrong shape, costs one more reading, which then fails by
    itself if it was about more than the token.
    """
    if token:
        try:
            if (found := since()) is not None:
                return found
        except ProviderError as error:
            refused = error.failure.kind in (FailureClass.BAD_REQUEST, FailureClass.NOT_FOUND)
            if not refused and error.failure.symptom != "X02":
                raise
    return whole()


def changed(events: Iterable[BusyEvent], ids: Iterable[str], token: str, start: datetime, end: datetime) -> Changes:
    """Changes out of the ids that were mentioned and those of their events that are busy."""
    kept = tuple(event for event in events if event.start < end and event.end > start)
    return Changes(kept, frozenset(ids).difference(event.event_id for event in kept), token, full=False)
