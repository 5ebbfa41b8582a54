"""How an answer becomes one class of failure: one table per service, first match wins.

The rows are those of `providers.md` section 9, by id. Each adapter keeps its table in a file of its own
(`google_failures.py` …); the rows X01 to X03, which every service shares, stand here and end every table,
so that every answer finds a row.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum, auto

import httpx2

from awase.domain.errors import Capability, Failure, FailureClass, FailureScope, ProviderError, Reason

# Short names for the tables.
RECONNECT, RETRY = FailureClass.RECONNECT, FailureClass.RETRY
RATE_LIMITED, BAD_REQUEST = FailureClass.RATE_LIMITED, FailureClass.BAD_REQUEST
APP_CONFIG, NOT_FOUND = FailureClass.APP_CONFIG, FailureClass.NOT_FOUND
CONNECTION, CALENDAR, EVENT = FailureScope.CONNECTION, FailureScope.CALENDAR, FailureScope.EVENT
CAPABILITY, APP = FailureScope.CAPABILITY, FailureScope.APP

ANY_STATUS = range(100, 600)
CLIENT_ERRORS = range(400, 500)
SERVER_ERRORS = range(500, 600)

# A failure that says when to come again: (now, the service's own wish or None) → aware UTC, or None for "soon".
Wait = Callable[[datetime, timedelta | None], datetime | None]

SOON = timedelta(seconds=5)  # a limit is never met again sooner, even where Retry-After says 0
OUTAGE_SHORTEST, OUTAGE_LONGEST = timedelta(minutes=1), timedelta(hours=1)
"""Within these an outage is looked at again, whatever Retry-After says, so that nobody stays closed after its end."""


class Where(Enum):
    """Which answers a row speaks of."""

    TOKEN = auto()  # the token endpoint
    API = auto()
    REPLY = auto()  # the body of an answer that looked good
    ANY = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, read whole. `address` is where it came from."""

    status: int
    headers: httpx2.Headers
    body: bytes
    address: httpx2.URL

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Marks:
    """What a body says in machine fields (`codes`, lower case) and in prose (`text`, lower case)."""

    codes: frozenset[str] = frozenset()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Symptom:
    """One row: which answers it matches, and what follows.

    `codes` match if the answer carries one of them; `text` if its prose contains it, for the few cases
    that no machine field tells apart. `unreadable` rows match bodies that are not what was due. `fresh`
    tells an answer to a token that was just renewed from the first one. `scope` None: what the call was
    about.
    """

    id: str
    where: Where
    statuses: Collection[int]
    kind: FailureClass
    scope: FailureScope | None = None
    reason: Reason | None = None
    codes: frozenset[str] = frozenset()
    text: str = ""
    unreadable: bool = False
    fresh: bool | None = None
    about: FailureScope | None = None
    capability: Capability | None = None
    wait: Wait | None = None
    resync: bool = False
    alert: bool = False

    def matches(self, where: Where, status: int, marks: Marks | None, fresh: bool, about: FailureScope) -> bool:
        """True if this row speaks of the answer; `marks` is None where the body could not be read."""
        if self.where not in (where, Where.ANY) or status not in self.statuses:
            return False
        if self.fresh not in (None, fresh) or self.about not in (None, about):
            return False
        if self.unreadable:
            return marks is None
        if not self.codes and not self.text:
            return True
        return (
            marks is not None and (not self.codes or not self.codes.isdisjoint(marks.codes)) and self.text in marks.text
        )


def codes(*names: str | int) -> frozenset[str]:
    """Machine words as they are compared: as texts, in lower case."""
    return frozenset(str(name).lower() for name in names)


def unreadable(*statuses: int) -> Symptom:
    """A row that catches a proxy's page before a row that would take it for the service's word (rule 5)."""
    return Symptom("X02", Where.ANY, statuses, FailureClass.RETRY, unreadable=True)


def as_told(now: datetime, wish: timedelta | None) -> datetime | None:
    """Wait only if the service says so: a minute at least, an hour at most."""
    return None if wish is None else now + min(max(wish, OUTAGE_SHORTEST), OUTAGE_LONGEST)


SHARED = (
    Symptom("X01", Where.ANY, SERVER_ERRORS, FailureClass.RETRY, wait=as_told),
    Symptom("X02", Where.ANY, ANY_STATUS, FailureClass.RETRY, unreadable=True),
    Symptom("X03", Where.ANY, CLIENT_ERRORS, FailureClass.BAD_REQUEST, alert=True),
    Symptom("X02", Where.ANY, ANY_STATUS, FailureClass.RETRY),
)


@dataclass(frozen=True, slots=True)
class FailureTable:
    """A service's rows, and how to read the marks of its answers (None: not what was due)."""

    symptoms: tuple[Symptom, ...]
    read: Callable[[Answer], Marks | None]

    @property
    def refresh_first(self) -> frozenset[str]:
        """The rows that mean: the access token may merely have run out."""
        return frozenset(row.id for row in self.symptoms if row.fresh is False)

    def classify(
        self,
        answer: Answer,
        *,
        now: datetime,
        where: Where = Where.API,
        about: FailureScope = FailureScope.CONNECTION,
        fresh: bool = False,
        calendar_id: str | None = None,
    ) -> Failure:
        """The failure that this answer is; the last rows match anything. `now` is aware UTC."""
        marks = self.read(answer)
        row = next(row for row in (*self.symptoms, *SHARED) if row.matches(where, answer.status, marks, fresh, about))
        failure = _failure(row, about, f"HTTP {answer.status}{_shown(marks)}", calendar_id)
        if row.wait is None:
            return failure
        return replace(failure, retry_at=row.wait(now, retry_after(answer.headers, now)))

    def in_reply(
        self, marks: Marks, *, about: FailureScope, status: int = 200, calendar_id: str | None = None
    ) -> Failure:
        """The failure reported inside an answer that looked good (rule 9)."""
        row = next(row for row in (*self.symptoms, *SHARED) if row.matches(Where.REPLY, status, marks, False, about))
        return _failure(row, about, f"inside HTTP {status}{_shown(marks)}", calendar_id)


def wrong_shape(what: str, *, about: FailureScope = FailureScope.CONNECTION) -> ProviderError:
    """X02: a good status, but the body lacks what it must have. `what` is the field, never its value."""
    return ProviderError(Failure(FailureClass.RETRY, about, "X02", detail=f"wrong shape: {what}"))


def unreachable(error: Exception) -> ProviderError:
    """X01: no answer. Only the error's kind goes into the detail: its text may hold addresses."""
    detail = type(error).__name__
    return ProviderError(Failure(FailureClass.RETRY, FailureScope.CONNECTION, "X01", detail=detail))


def patience(seconds: int) -> Wait:
    """Wait as long as the service says, else so many seconds."""

    def wait(now: datetime, wish: timedelta | None) -> datetime:
        return now + (timedelta(seconds=seconds) if wish is None else max(wish, SOON))

    return wait


def retry_after(headers: httpx2.Headers, now: datetime) -> timedelta | None:
    """The Retry-After header as seconds, HTTP date or (Zoom) ISO date; at most a day, never negative."""
    value = headers.get("retry-after", "").strip()
    try:
        if value.isdigit():
            wish = timedelta(seconds=min(int(value), 86_400))
        elif re.match(r"\d{4}-", value):
            wish = _aware(datetime.fromisoformat(value)) - now
        else:
            wish = _aware(parsedate_to_datetime(value)) - now
    except (ValueError, OverflowError):
        return None
    return min(max(wish, timedelta(0)), timedelta(days=1))


def http_date(value: str) -> datetime | None:
    """A Date header as aware UTC, or None where it is none."""
    try:
        return _aware(parsedate_to_datetime(value)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _failure(row: Symptom, about: FailureScope, detail: str, calendar_id: str | None) -> Failure:
    return Failure(
        kind=row.kind,
        scope=row.scope or about,
        symptom=row.id,
        reason=row.reason,
        capability=row.capability,
        detail=detail,
        calendar_id=calendar_id,
        resync=row.resync,
        alert=row.alert,
    )


def _shown(marks: Marks | None) -> str:
    """The codes fit for a log: short words only, since prose may name people."""
    if marks is None:
        return " unreadable"
    words = sorted(code for code in marks.codes if re.fullmatch(r"[\w.!-]{1,60}", code))
    return " " + " ".join(words[:6]) if words else ""
