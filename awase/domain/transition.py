"""How the recorded state of a connection moves (connection-health.md section 2). Pure: values and `now` in,
the next state out; the tolerance is applied on top by `health.effective` at every reading."""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from awase.domain.errors import Failure, FailureClass, FailureScope
from awase.domain.health import Recorded, Standing

# While something needs a person the service is probed rarely, so that a cure on its side is noticed too:
# after an hour, six hours later, then daily.
PROBES = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1))


def probe_due(since: datetime, *, now: datetime, within: timedelta) -> bool:
    """True if one of the rare probes of what lasts since then falls into (now - within, now]."""
    *first, rest = PROBES
    moment = since
    for pause in first:
        moment += pause
        if moment > now - within:
            return moment <= now
    return now - moment >= rest and (now - moment) % rest < within


class Cause(StrEnum):
    """What triggered a change of state; kept in the history."""

    CHECK = "check"
    CALL = "call"
    LIVE_CHECK = "live_check"
    PUSH = "push"
    CONNECTED = "connected"
    RECONNECTED = "reconnected"
    DISCONNECTED = "disconnected"
    CHECK_NOW = "check_now"
    EDIT = "edit"

    @property
    def by_hand(self) -> bool:
        """True if a person did something, False if it was noticed by itself."""
        return self not in (Cause.CHECK, Cause.CALL, Cause.LIVE_CHECK, Cause.PUSH)


def outdated(before: Recorded, *, good: bool, began: datetime) -> bool:
    """True for the outcome of a call that began (aware UTC) before what is on record was found out: a failure
    from before the last good check, or a success from before an error that needs a person."""
    if good:
        return needs_person(before) and began < before.since
    return before.last_good is not None and began < before.last_good


def needs_person(state: Recorded) -> bool:
    """True for an error that waiting does not cure."""
    return state.standing is Standing.ERROR and state.reason is not None and state.reason.needs_person


def after_good(before: Recorded, *, now: datetime) -> Recorded:
    """A good check: everything that counts was read (for Zoom, Teams and Meet alone: any good call)."""
    since = before.since if before.standing is Standing.OK else now
    last_good = max(now, before.last_good) if before.last_good else now
    return Recorded(Standing.OK, None, last_good=last_good, since=since)


def after_partial(before: Recorded, *, now: datetime) -> Recorded:
    """A call succeeded that proves the credential but not the calendars: an error that needed a person is
    over, the clock of the calendars is not set back."""
    return replace(before, standing=Standing.DEGRADED, reason=None, since=now) if needs_person(before) else before


def after_failure(before: Recorded, failure: Failure, *, now: datetime) -> Recorded:
    """A classified failure. Only RECONNECT on the connection itself makes an error at once; transient and
    unknown failures degrade, and the tolerance decides the rest. Faults of ours mark nobody: they are only
    remembered, so that nobody is asked to reconnect once the tolerance is over."""
    if failure.kind is FailureClass.RECONNECT and failure.scope is FailureScope.CONNECTION:
        since = before.since if (before.standing, before.reason) == (Standing.ERROR, failure.reason) else now
        return replace(before, standing=Standing.ERROR, reason=failure.reason, since=since, our_fault=False)
    if failure.kind is FailureClass.APP_CONFIG:
        return replace(before, our_fault=True)
    unknown = failure.kind is FailureClass.BAD_REQUEST and failure.alert
    if failure.kind is not FailureClass.RETRY and not unknown:
        return before
    if before.standing is not Standing.OK:
        return replace(before, our_fault=False)
    return replace(before, standing=Standing.DEGRADED, since=now, our_fault=False)
