"""Microsoft: rows M01 to M35 of `providers.md` section 9 (identity platform, Outlook and Teams over Graph)."""

import re
from collections.abc import Iterator

from awase.domain.errors import Capability, Reason
from awase.providers.failures import (
    ANY_STATUS,
    APP,
    APP_CONFIG,
    BAD_REQUEST,
    CALENDAR,
    CAPABILITY,
    CLIENT_ERRORS,
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
REFUSED = (400, 401)
NO_MAILBOX = codes("MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI")


SYMPTOMS = (
    Symptom("M01", TOKEN, REFUSED, RECONNECT, CONNECTION, Reason.REVOKED, codes(50173)),
    Symptom("M02", TOKEN, REFUSED, RECONNECT, CONNECTION, Reason.EXPIRED,
            codes(700082, 70008, 70000, 70043, 50089)),
    Symptom("M03", TOKEN, REFUSED, RECONNECT, CONNECTION, Reason.MFA_REQUIRED,
            codes(50072, 50074, 50076, 50078, 50079, 50158)),
    Symptom("M04", TOKEN, REFUSED, RECONNECT, CONNECTION, Reason.CONSENT_MISSING,
            codes(65001, "consent_required")),
    Symptom("M05", TOKEN, REFUSED, RECONNECT, CONNECTION, Reason.ADMIN_BLOCKED,
            codes(53000, 53003, 530032, 50105, 90094, 90095)),
    Symptom("M06", TOKEN, REFUSED, RECONNECT, CONNECTION, Reason.ACCOUNT_DISABLED, codes(50057)),
    Symptom("M07", TOKEN, REFUSED, RECONNECT, CONNECTION, Reason.ACCOUNT_GONE, codes(50034, 51004, 50020)),
    Symptom("M08", TOKEN, REFUSED, RECONNECT, CONNECTION, Reason.PASSWORD_CHANGED, codes(50055, 50132, 50133)),
    Symptom("M09", TOKEN, REFUSED, APP_CONFIG, APP, codes=codes(7000215, 7000218, 7000222, 700027)),
    Symptom("M10", TOKEN, REFUSED, APP_CONFIG, APP, codes=codes(50011, 70011, 90130, 650056, 650057)),
    # M10b is the same from two tenants or more: see `history.seen_again`.
    Symptom("M10c", TOKEN, REFUSED, RECONNECT, CONNECTION, Reason.ADMIN_BLOCKED,
            codes(7000112, 700016, 70001, 650052)),
    # With 50053 comes invalid_grant; after an hour of it: see `history.seen_again`.
    Symptom("M10e", TOKEN, REFUSED, RETRY, CONNECTION, codes=codes(50053)),
    Symptom("M10d", TOKEN, REFUSED, APP_CONFIG, APP, codes=codes("unauthorized_client", "invalid_client")),
    Symptom("M11", TOKEN, REFUSED, BAD_REQUEST, CONNECTION, codes=codes(54005)),
    Symptom("M12", TOKEN, ANY_STATUS, RETRY, CONNECTION,
            codes=codes("temporarily_unavailable", 50033, 50087, 90006, 90012, 90024, 90033, 90055, 90090,
                        70012, 80001, 80002)),
    Symptom("M13", TOKEN, REFUSED, RATE_LIMITED, CONNECTION, codes=codes(50196), wait=patience(300), alert=True),
    Symptom("M14", TOKEN, REFUSED, RECONNECT, CONNECTION, Reason.EXPIRED,
            codes("invalid_grant", "interaction_required")),
    Symptom("M15", TOKEN, (429,), RATE_LIMITED, CONNECTION, wait=patience(60)),
    Symptom("M18", API, (401, 403), RECONNECT, CONNECTION, Reason.MFA_REQUIRED, codes("insufficient_claims")),
    # Some personal accounts hear of the missing mailbox by a 401, which no new token cures.
    Symptom("M21", API, (401,), RECONNECT, CONNECTION, Reason.NO_MAILBOX, NO_MAILBOX),
    Symptom("M16", API, (401,), RETRY, CONNECTION, fresh=False),
    unreadable(401),
    Symptom("M17", API, (401,), RECONNECT, CONNECTION, Reason.REVOKED, fresh=True),
    Symptom("M19", API, (403,), RECONNECT, CONNECTION, Reason.SCOPE_MISSING,
            codes("ErrorAccessDenied", "Authorization_RequestDenied")),
    Symptom("M19", REPLY, ANY_STATUS, RECONNECT, CONNECTION, Reason.SCOPE_MISSING, codes("scope_missing")),
    Symptom("M20", REPLY, (403,), BAD_REQUEST, CALENDAR, codes=codes("foreign_calendar")),
    Symptom("M21", API, (404,), RECONNECT, CONNECTION, Reason.NO_MAILBOX, NO_MAILBOX),
    Symptom("M22", API, (404,), NOT_FOUND, codes=codes("ErrorItemNotFound", "ErrorFolderNotFound")),
    Symptom("M22", API, (404,), NOT_FOUND, EVENT, codes=codes("NotFound", "ResourceNotFound"), about=EVENT),
    Symptom("M22", API, (404,), NOT_FOUND, CALENDAR, codes=codes("ResourceNotFound"), about=CALENDAR),
    Symptom("M23", API, (404,), RECONNECT, CONNECTION, Reason.ACCOUNT_GONE,
            codes("ErrorInvalidUser", "ResourceNotFound", "Request_ResourceNotFound")),
    Symptom("M24", API, CLIENT_ERRORS, BAD_REQUEST, CALENDAR, resync=True,
            codes=codes("syncStateNotFound", "resyncRequired", "SyncStateInvalid")),
    Symptom("M25", API, (400,), BAD_REQUEST,
            codes=codes("ErrorTimeIntervalTooBig", "ErrorMailboxDataArrayTooBig", "ErrorInvalidRequest")),
    Symptom("M26", API, (429,), RATE_LIMITED, CONNECTION, wait=patience(30)),
    Symptom("M27", API, (503,), RATE_LIMITED, CONNECTION, codes=codes("retry-after"), wait=patience(30)),
    Symptom("M28", API, SERVER_ERRORS, RETRY, wait=as_told),
    Symptom("M29", REPLY, (200,), NOT_FOUND, CALENDAR, codes=codes(5009)),
    Symptom("M30", REPLY, (200,), RETRY, CALENDAR, codes=codes("schedule_error")),
    Symptom("M32", REPLY, (200, 201), RECONNECT, CAPABILITY, Reason.LICENCE_MISSING, codes("no_teams_link"),
            capability=Capability.TEAMS),
    Symptom("M35", API, (409, 412), BAD_REQUEST, EVENT),
)  # fmt: skip

# Of online meetings alone: elsewhere "Forbidden" says nothing of a licence. M34 stands before M33 because both may
# carry that code.
MEETING_SYMPTOMS = (
    Symptom("M34", API, (403,), APP_CONFIG, APP, text="no application access policy found"),
    Symptom("M33", API, (403,), RECONNECT, CAPABILITY, Reason.LICENCE_MISSING, codes("Forbidden"),
            capability=Capability.TEAMS),
)  # fmt: skip


def read(answer: Answer) -> Marks | None:
    """`error`, `suberror` and `error_codes` of the token endpoint, or Graph's `error.code`.

    The AADSTS number is read from the prose only where a redirect carries no `error_codes`. The header
    WWW-Authenticate tells the lack of claims, Retry-After a 503 that is a limit.
    """
    headers = frozenset(_header_codes(answer))
    body = parsed(answer)
    if body is None:
        return Marks(headers) if headers else None
    error = body.get("error")
    if isinstance(error, dict):
        found = codes(*(code for code in (error.get("code"),) if isinstance(code, str)))
        return Marks(found | headers, str(error.get("message", "")).lower())
    return Marks(codes(*_token_codes(body)) | headers, str(body.get("error_description", "")).lower())


def _token_codes(body: Document) -> Iterator[str | int]:
    for key in ("error", "suberror"):
        if isinstance(value := body.get(key), str):
            yield value
    numbers = body.get("error_codes")
    if isinstance(numbers, list):
        yield from (number for number in numbers if isinstance(number, int))
    else:
        yield from re.findall(r"AADSTS(\d+)", str(body.get("error_description", "")))


def _header_codes(answer: Answer) -> Iterator[str]:
    if "insufficient_claims" in answer.headers.get("www-authenticate", ""):
        yield "insufficient_claims"
    if answer.status == 503 and "retry-after" in answer.headers:
        yield "retry-after"


OUTLOOK = FailureTable(SYMPTOMS, read)
TEAMS = FailureTable((*MEETING_SYMPTOMS, *SYMPTOMS), read)
