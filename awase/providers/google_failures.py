"""Google: rows G01 to G29 of `providers.md` section 9 (OAuth 2, Calendar v3, Meet)."""

from collections.abc import Iterator

from awase.domain.errors import Capability, Reason
from awase.providers.failures import (
    ANY_STATUS,
    APP,
    APP_CONFIG,
    BAD_REQUEST,
    CALENDAR,
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
    unreadable,
)
from awase.providers.shape import Document, parsed

TOKEN, API, REPLY = Where.TOKEN, Where.API, Where.REPLY


SYMPTOMS = (
    Symptom("G01", TOKEN, (400,), RECONNECT, CONNECTION, Reason.REVOKED,
            codes("invalid_grant"), text="expired or revoked"),
    Symptom("G02", TOKEN, (400,), RECONNECT, CONNECTION, Reason.ACCOUNT_GONE,
            codes("invalid_grant"), text="account has been deleted"),
    Symptom("G03", TOKEN, (400,), RECONNECT, CONNECTION, Reason.MFA_REQUIRED, codes("invalid_rapt")),
    Symptom("G04", TOKEN, (400,), RECONNECT, CONNECTION, Reason.EXPIRED, codes("invalid_grant")),
    Symptom("G05", TOKEN, ANY_STATUS, RECONNECT, CONNECTION, Reason.ADMIN_BLOCKED,
            codes("admin_policy_enforced")),
    Symptom("G05", TOKEN, ANY_STATUS, RECONNECT, CONNECTION, Reason.ADMIN_BLOCKED,
            codes("access_denied"), text="account restricted"),
    Symptom("G06", TOKEN, (400, 401), APP_CONFIG, APP, codes=codes("invalid_client", "deleted_client")),
    Symptom("G07", TOKEN, ANY_STATUS, APP_CONFIG, APP,
            codes=codes("unauthorized_client", "redirect_uri_mismatch")),
    Symptom("G08", TOKEN, ANY_STATUS, RETRY,
            codes=codes("internal_failure", "server_error", "temporarily_unavailable")),
    Symptom("G09", REPLY, ANY_STATUS, RECONNECT, CONNECTION, Reason.SCOPE_MISSING, codes("scope_missing")),
    # The address for push messages is not one of ours in Google's eyes: about no account, whatever the status.
    Symptom("X03", API, (400, 401, 403), BAD_REQUEST, APP, alert=True,
            codes=codes("push.webhookUrlUnauthorized", "push.webhookUrlNotHttps")),
    Symptom("G10", API, (401,), RETRY, CONNECTION, fresh=False),
    unreadable(401),
    Symptom("G11", API, (401,), RECONNECT, CONNECTION, Reason.REVOKED, fresh=True),
    Symptom("G12", API, (403,), RECONNECT, CONNECTION, Reason.SCOPE_MISSING,
            codes("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions")),
    Symptom("G13", API, (403,), RECONNECT, CONNECTION, Reason.NO_MAILBOX, codes("notACalendarUser")),
    Symptom("G14", API, (403,), RATE_LIMITED, CONNECTION, wait=patience(3600),
            codes=codes("dailyLimitExceeded")),
    Symptom("G14", API, (403,), RATE_LIMITED, CONNECTION, wait=patience(60),
            codes=codes("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded",
                        "calendarUsageLimitsExceeded")),
    Symptom("G15", API, (429,), RATE_LIMITED, CONNECTION, wait=patience(60)),
    Symptom("G16", API, (403,), APP_CONFIG, APP, codes=codes("accessNotConfigured", "SERVICE_DISABLED")),
    Symptom("G17", API, (403,), BAD_REQUEST, CALENDAR,
            codes=codes("forbidden", "forbiddenForNonOrganizer", "requiredAccessLevel")),
    Symptom("G18", API, (404,), NOT_FOUND, codes=codes("notFound")),
    Symptom("G19", API, (409,), BAD_REQUEST, EVENT, codes=codes("duplicate")),
    Symptom("G20", API, (410,), BAD_REQUEST, CALENDAR, resync=True,
            codes=codes("fullSyncRequired", "updatedMinTooLongAgo")),
    Symptom("G21", API, (410,), NOT_FOUND, EVENT, codes=codes("deleted")),
    Symptom("G22", API, (412,), BAD_REQUEST, EVENT, codes=codes("conditionNotMet")),
    Symptom("G23", API, (400,), BAD_REQUEST, CAPABILITY, text="invalid conference type value",
            capability=Capability.MEET),
    unreadable(400),
    Symptom("G24", API, (400,), BAD_REQUEST),
    Symptom("G25", REPLY, (200,), NOT_FOUND, CALENDAR, codes=codes("notFound")),
    Symptom("G26", REPLY, (200,), RETRY, CALENDAR, codes=codes("internalError")),
    Symptom("G27", REPLY, (200,), BAD_REQUEST, CALENDAR,
            codes=codes("groupTooBig", "tooManyCalendarsRequested")),
    Symptom("G28", REPLY, (200, 201), BAD_REQUEST, CAPABILITY, codes=codes("conference_failure"),
            capability=Capability.MEET),
    Symptom("G29", API, SERVER_ERRORS, RETRY, wait=as_told),
)  # fmt: skip


def read(answer: Answer) -> Marks | None:
    """The `error` of a token endpoint or the envelope of the API; reasons of both arrays, without case."""
    body = parsed(answer)
    if body is None:
        return None
    error = body.get("error")
    if isinstance(error, dict):
        return Marks(codes(*_envelope_codes(error)), str(error.get("message", "")).lower())
    found = [body.get("error"), body.get("error_subtype")]
    return Marks(
        codes(*(code for code in found if isinstance(code, str))),
        str(body.get("error_description", "")).lower(),
    )


def _envelope_codes(error: Document) -> Iterator[str]:
    if isinstance(status := error.get("status"), str):
        yield status
    for array in ("errors", "details"):
        entries = error.get(array)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(reason := entry.get("reason"), str):
                yield reason


GOOGLE = FailureTable(SYMPTOMS, read)
