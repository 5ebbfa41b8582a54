"""Reading several calendars of one account: what fails for one alone, and what for all; our own events."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from awase.domain.errors import Failure, FailureClass, FailureScope, ProviderError
from awase.providers.protocols import BusyEvent

MAX_PAGES = 50
"""Pages of one list; more is taken for a loop."""


def own_key(mark: str) -> str:
    """The booking's key if this mark of an event is one (32 hex digits), else "": services choose others."""
    return mark if re.fullmatch(r"[0-9a-f]{32}", mark) else ""


ACCOUNT_WIDE = frozenset({FailureClass.RECONNECT, FailureClass.RATE_LIMITED, FailureClass.APP_CONFIG})


def read_each(
    calendar_ids: Sequence[str], read: Callable[[str], tuple[BusyEvent, ...]]
) -> Mapping[str, tuple[BusyEvent, ...] | Failure]:
    """Each calendar's busy events, or its own failure. Raises ProviderError where the account failed.

    No answer at all (X01) and the account-wide classes end the reading at once; if every calendar failed
    with RETRY, that is an outage of the account and no peculiarity of its calendars.
    """
    found: dict[str, tuple[BusyEvent, ...] | Failure] = {}
    for calendar_id in calendar_ids:
        try:
            found[calendar_id] = read(calendar_id)
        except ProviderError as error:
            failure = error.failure
            if failure.kind in ACCOUNT_WIDE or failure.symptom == "X01":
                raise
            found[calendar_id] = replace(failure, scope=FailureScope.CALENDAR, calendar_id=calendar_id)
    outages = [value for value in found.values() if isinstance(value, Failure)]
    if outages and len(outages) == len(found) and all(each.kind is FailureClass.RETRY for each in outages):
        raise ProviderError(replace(outages[0], scope=FailureScope.CONNECTION, calendar_id=None))
    return found
