"""How a call to a service can fail, chosen by what happens next.

The adapters turn every answer of a service into one of these classes (`providers.md` section 0 and 9);
the health engine consumes nothing else.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FailureClass(StrEnum):
    """What happens next."""

    RECONNECT = "reconnect"  # only the user, or their admin, can repair it
    RETRY = "retry"  # outage, time-out, unreadable answer: try again later
    RATE_LIMITED = "rate_limited"  # wait until a known time
    BAD_REQUEST = "bad_request"  # our call was wrong for this object
    APP_CONFIG = "app_config"  # our client id, secret, redirect address: operators only
    NOT_FOUND = "not_found"  # the calendar, event or meeting is gone; the credential is fine


class FailureScope(StrEnum):
    """How far a failure reaches."""

    CONNECTION = "connection"
    CALENDAR = "calendar"
    EVENT = "event"  # one event or meeting
    CAPABILITY = "capability"  # e.g. Teams links only
    APP = "app"  # everybody on this service


class Reason(StrEnum):
    """Why a connection is in error, or a capability missing. Each has a sentence in both languages."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    PASSWORD_CHANGED = "password_changed"
    MFA_REQUIRED = "mfa_required"
    CONSENT_MISSING = "consent_missing"
    SCOPE_MISSING = "scope_missing"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_GONE = "account_gone"
    ADMIN_BLOCKED = "admin_blocked"
    NO_MAILBOX = "no_mailbox"
    LICENCE_MISSING = "licence_missing"
    APP_PASSWORD_INVALID = "app_password_invalid"
    APP_DEAUTHORIZED = "app_deauthorized"
    ROTATED_ELSEWHERE = "rotated_elsewhere"
    STORAGE_FULL = "storage_full"
    # The two that ask nobody to reconnect:
    UNREACHABLE = "unreachable"  # an outage at the service; ends by itself
    OPERATOR = "operator"  # our own fault; the operator must repair it

    @property
    def needs_person(self) -> bool:
        """True if only reconnecting (or the account's admin) cures it, not waiting."""
        return self not in (Reason.UNREACHABLE, Reason.OPERATOR)


class Capability(StrEnum):
    """What one account can do; a missing one affects that location kind only, never the calendars."""

    CALENDAR = "calendar"
    MEET = "meet"
    TEAMS = "teams"
    ZOOM = "zoom"


@dataclass(frozen=True, slots=True)
class Failure:
    """One classified failure of one call.

    `symptom` is the row of `providers.md` section 9 that matched ("G01"). `retry_at` is aware UTC and set
    for RATE_LIMITED where the service told us. `detail` is fit for logs: no token, no address of a guest.
    `calendar_id` is the service's id when one calendar alone failed inside a good answer.
    """

    kind: FailureClass
    scope: FailureScope
    symptom: str
    reason: Reason | None = None
    capability: Capability | None = None
    retry_at: datetime | None = None
    detail: str = ""
    calendar_id: str | None = None
    resync: bool = False  # a sync token is no longer valid: read everything again, no alert
    alert: bool = False  # tell the operators although nobody is marked


class ProviderError(Exception):
    """A call failed; `failure` says how. Raised by adapters, caught by services, never swallowed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.symptom} {failure.kind}: {failure.detail}")
        self.failure = failure
