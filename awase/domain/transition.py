"""How the recorded state of a connection moves (connection-health.md section 2). Pure: values and `now` in,
the next state out; the tolerance is applied on top by `health.effective` at every reading."""

from dataclasses import replace
from datetime import datetime

from awase.domain.errors import Failure, FailureClass, FailureScope
from awase.domain.health import Recorded, Standing


def after_good(before: Recorded, *, now: datetime) -> Recorded:
    """A good check: everything that counts was read (for Zoom, Teams and Meet alone: any good call)."""
    since = before.since if before.standing is Standing.OK else now
    return Recorded(Standing.OK, None, last_good=now, since=since)


def after_partial(before: Recorded, *, now: datetime) -> Recorded:
    """A call succeeded that proves the credential but not the calendars: an error that needed a person is
    over, the clock of the calendars is not set back."""
    if before.standing is not Standing.ERROR or before.reason is None or not before.reason.needs_person:
        return before
    return replace(before, standing=Standing.DEGRADED, reason=None, since=now)


def after_failure(before: Recorded, failure: Failure, *, now: datetime) -> Recorded:
    """A classified failure. Only RECONNECT on the connection itself makes an error at once; transient and
    unknown failures and faults of ours degrade, and the tolerance decides the rest. Faults of ours are
    remembered as such, so that nobody is asked to reconnect for them."""
    if failure.kind is FailureClass.RECONNECT and failure.scope is FailureScope.CONNECTION:
        since = before.since if (before.standing, before.reason) == (Standing.ERROR, failure.reason) else now
        return replace(before, standing=Standing.ERROR, reason=failure.reason, since=since, our_fault=False)
    degrades = failure.kind in (FailureClass.RETRY, FailureClass.APP_CONFIG) or failure.alert
    if not degrades or before.standing is Standing.ERROR:
        return replace(before, our_fault=before.our_fault or failure.kind is FailureClass.APP_CONFIG)
    since = before.since if before.standing is Standing.DEGRADED else now
    return replace(before, standing=Standing.DEGRADED, since=since, our_fault=failure.kind is FailureClass.APP_CONFIG)
