"""Zoom: rows Z01 to Z19 of `providers.md` section 9 (OAuth 2, meetings, the deauthorisation webhook)."""

import re
from datetime import UTC, datetime, timedelta

from awase.domain.errors import Capability, Reason
from awase.providers.failures import (
    ANY_STATUS,
    APP,
    APP_CONFIG,
    BAD_REQUEST,
    CAPABILITY,
    CONNECTION,
    EVENT,
    NOT_FOUND,
    RATE_LIMITED,
    RECONNECT,
    RETRY,
    SERVER_ERRORS,
    Answer,
    FailureTable,
    Marks,
    Symptom,
    Where,
    as_told,
    codes,
    patience,
)
from awase.providers.shape import parsed

TOKEN, API, REPLY = Where.TOKEN, Where.API, Where.REPLY

SCOPES = (
    "meeting:write:meeting",
    "meeting:update:meeting",
    "meeting:delete:meeting",
    "meeting:read:meeting",
    "meeting:read:list_meetings",
    "user:read:user",
)
"""What the operator registers for the app; Zoom grants all of them or none."""


def next_midnight(now: datetime, wish: timedelta | None) -> datetime:
    """The daily limit ends at 00:00 UTC, whatever the headers say."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), datetime.min.time(), UTC)


SYMPTOMS = (
    Symptom("Z01", TOKEN, (400, 401), RECONNECT, CONNECTION, Reason.ROTATED_ELSEWHERE,
            codes("invalid token!")),
    Symptom("Z02", TOKEN, ANY_STATUS, RECONNECT, CONNECTION, Reason.ACCOUNT_GONE, codes("4735")),
    Symptom("Z02", TOKEN, ANY_STATUS, RECONNECT, CONNECTION, Reason.ADMIN_BLOCKED, codes("4738")),
    Symptom("Z02", TOKEN, ANY_STATUS, RECONNECT, CONNECTION, Reason.ROTATED_ELSEWHERE, codes("4741")),
    Symptom("Z02", TOKEN, ANY_STATUS, RECONNECT, CONNECTION, Reason.REVOKED, codes("4711", "4737", "4740")),
    Symptom("Z03", TOKEN, (400, 401), APP_CONFIG, APP,
            codes=codes("invalid_client", "unauthorized_client", "4702", "4704", "4706", "4709", "4717")),
    Symptom("Z04", TOKEN, (400, 401), BAD_REQUEST, CONNECTION, codes=codes("4733", "4734")),
    Symptom("Z05", TOKEN, ANY_STATUS, RETRY, CONNECTION, codes=codes("4732")),
    Symptom("Z05", TOKEN, SERVER_ERRORS, RETRY, CONNECTION, wait=as_told),
    Symptom("Z06", API, (401,), RETRY, CONNECTION, codes=codes("124"), fresh=False),
    Symptom("Z07", API, (401,), RECONNECT, CONNECTION, Reason.REVOKED, codes("124"), fresh=True),
    Symptom("Z08", API, (400, 401), APP_CONFIG, APP, codes=codes("foreign_scope")),
    Symptom("Z08", API, (400, 401), RECONNECT, CONNECTION, Reason.SCOPE_MISSING, codes("4711", "104")),
    Symptom("Z08", API, (400, 401), RECONNECT, CONNECTION, Reason.SCOPE_MISSING,
            codes("4700"), text="does not contain scopes"),
    Symptom("Z08", REPLY, ANY_STATUS, RECONNECT, CONNECTION, Reason.SCOPE_MISSING, codes("scope_missing")),
    Symptom("Z09", API, (404,), RECONNECT, CONNECTION, Reason.ACCOUNT_GONE, codes("1001")),
    Symptom("Z10", API, (400, 404), RECONNECT, CONNECTION, Reason.ACCOUNT_GONE, codes("1010")),
    Symptom("Z11", API, ANY_STATUS, RECONNECT, CONNECTION, Reason.ADMIN_BLOCKED,
            text="access to the zoom rest api has been denied"),
    Symptom("Z12", API, (404,), NOT_FOUND, EVENT, codes=codes("3001")),
    Symptom("Z13", API, (400,), BAD_REQUEST, codes=codes("300")),
    # Creates and updates only: reading goes on, so the account is as well as before.
    Symptom("Z14", API, (429,), RATE_LIMITED, EVENT, text="daily rate limit", wait=next_midnight),
    Symptom("Z15", API, (429,), RATE_LIMITED, CONNECTION, wait=patience(5)),
    Symptom("Z16", API, (400,), RECONNECT, CAPABILITY, Reason.LICENCE_MISSING, codes("3161"),
            capability=Capability.ZOOM),
    Symptom("Z17", API, ANY_STATUS, RETRY, CONNECTION, unreadable=True, wait=as_told),
    Symptom("Z18", REPLY, ANY_STATUS, RECONNECT, CONNECTION, Reason.APP_DEAUTHORIZED,
            codes("app_deauthorized")),
    Symptom("Z18", REPLY, ANY_STATUS, RECONNECT, CAPABILITY, Reason.ACCOUNT_DISABLED, codes("user_deactivated"),
            capability=Capability.ZOOM),
    Symptom("Z19", API, SERVER_ERRORS, RETRY, CONNECTION, wait=as_told),
    # Any other 401 is a token first of all (rule 1).
    Symptom("Z06", API, (401,), RETRY, CONNECTION, fresh=False),
    Symptom("Z07", API, (401,), RECONNECT, CONNECTION, Reason.REVOKED, fresh=True),
)  # fmt: skip


def read(answer: Answer) -> Marks | None:
    """`code`, `error` and `reason` as codes. A scope that we never asked for is marked `foreign_scope`."""
    body = parsed(answer)
    if body is None:
        return None
    found = {str(body[key]).lower() for key in ("code", "error", "reason") if body.get(key) is not None}
    text = " ".join(str(body.get(key, "")) for key in ("message", "error_description", "reason")).lower()
    # 4700 and its kin may stand in the reason's prose only.
    found.update(re.findall(r"\b47\d\d\b", text))
    named = re.search(r"does not contain scopes:\s*\[([^\]]*)\]", text)
    if named and not set(re.split(r"[,\s]+", named[1].strip())) & set(SCOPES):
        found.add("foreign_scope")
    return Marks(frozenset(found), text)


ZOOM = FailureTable(SYMPTOMS, read)
