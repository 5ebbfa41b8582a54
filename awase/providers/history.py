"""What a failure means when it has been seen before: some rows of `providers.md` section 9 need memory.

Adapters keep none. Whoever records failures passes each one through `seen_again` with what is on record.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from awase.domain.errors import Failure, FailureClass, FailureScope, Reason

LOCKED_OUT = timedelta(hours=1)
REFUSED_TWICE = timedelta(minutes=10)
UNREADABLE = timedelta(minutes=10)
MANY_REFUSED = 3  # accounts at Apple within an hour


def seen_again(
    failure: Failure, *, first_seen: datetime, now: datetime, tenants: int = 1, refused_at_apple: int = 0
) -> Failure:
    """The failure as it counts now.

    `first_seen` is when this account met the same symptom first since its last success (`now` if this is
    the first time), both aware UTC; `tenants` is how many Microsoft tenants met it within the last hour, this
    one included (the tenant is the part of `Account.id` before the colon); `refused_at_apple` is how many iCloud
    accounts met D02a within the last hour, this one included (0 for an account elsewhere).

    - M10c from two tenants or more is M10b: our registration, not one admin's decision (rule 4).
    - M10e (locked out, or a bad address) for an hour needs the person.
    - D02a (401 of a CalDAV server) again after ten minutes is D02b: the password no longer works. Where many
      iCloud accounts are refused at once, Apple has changed something, and it stays a matter of patience.
    - X02 (a good status, an unreadable body) that goes on for ten minutes is told to the operators.
    """
    lasting = now - first_seen
    if failure.symptom == "M10c" and tenants >= 2:
        return replace(failure, symptom="M10b", kind=FailureClass.APP_CONFIG, scope=FailureScope.APP, reason=None)
    if failure.symptom == "M10e" and lasting >= LOCKED_OUT:
        return replace(failure, kind=FailureClass.RECONNECT, reason=Reason.ACCOUNT_DISABLED)
    if failure.symptom == "X02" and lasting >= UNREADABLE:
        return replace(failure, alert=True)
    if failure.symptom == "D02a" and lasting >= REFUSED_TWICE and refused_at_apple < MANY_REFUSED:
        return replace(
            failure,
            symptom="D02b",
            kind=FailureClass.RECONNECT,
            reason=Reason.APP_PASSWORD_INVALID,
            retry_at=None,
        )
    return failure
