"""Google's error bodies, its answers to faults, and the shapes of what may be written."""

from __future__ import annotations

from typing import Any

from sandbox.state import Fault
from sandbox.wire import Call, Refusal, Response, json_response


def error(
    status: int,
    reason: str,
    message: str,
    *,
    domain: str = "global",
    location: tuple[str, str] | None = None,
    rpc: str = "",
    details: list[dict[str, Any]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """The envelope of the Calendar API. `location` is (locationType, location), `rpc` the status word."""
    first: dict[str, Any] = {"message": message, "domain": domain, "reason": reason}
    if location:
        first["locationType"], first["location"] = location
    body: dict[str, Any] = {"errors": [first], "code": status, "message": message}
    if rpc:
        body["status"] = rpc
    if details:
        body["details"] = details
    return json_response(status, {"error": body}, headers)


def token_error(status: int, code: str, text: str = "", **extra: str) -> Response:
    body = {"error": code, **({"error_description": text} if text else {}), **extra}
    return json_response(status, body)


def bad(message: str, reason: str = "invalid") -> Refusal:
    return Refusal(error(400, reason, message))


def not_found(status: int = 404) -> Response:
    if status == 405:
        return error(405, "httpMethodNotAllowed", "Method Not Allowed")
    return error(404, "notFound", "Not Found")


def bad_json(message: str) -> Response:
    text = "Invalid JSON payload received."
    return error(400, "parseError", text, rpc="INVALID_ARGUMENT")


def missing_credential() -> Response:
    text = "Request is missing required authentication credential. Expected OAuth 2 access token."
    return error(401, "required", text, location=("header", "Authorization"), rpc="UNAUTHENTICATED")


def invalid_credential() -> Response:
    return error(
        401,
        "authError",
        "Invalid Credentials",
        location=("header", "Authorization"),
        rpc="UNAUTHENTICATED",
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'},
    )


def insufficient_scope() -> Response:
    detail = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
        "metadata": {"service": "calendar-json.googleapis.com"},
    }
    return error(
        403,
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
        rpc="PERMISSION_DENIED",
        details=[detail],
    )


ENDED = {
    "revoked": lambda: token_error(400, "invalid_grant", "Token has been expired or revoked."),
    "password_changed": lambda: token_error(400, "invalid_grant", "Token has been expired or revoked."),
    "consent_missing": lambda: token_error(400, "invalid_grant", "Token has been expired or revoked."),
    "expired": lambda: token_error(400, "invalid_grant", "Bad Request"),
    "mfa_required": lambda: token_error(
        400, "invalid_grant", "reauth related error (invalid_rapt)", error_subtype="invalid_rapt"
    ),
    "account_gone": lambda: token_error(400, "invalid_grant", "The account has been deleted"),
    "disabled": lambda: token_error(400, "access_denied", "Account restricted"),
    "admin_blocked": lambda: token_error(400, "admin_policy_enforced", "Access to this app is restricted."),
    "app_secret_expired": lambda: token_error(401, "invalid_client", "Unauthorized"),
    "invalid_client": lambda: token_error(401, "invalid_client", "Unauthorized"),
    "wrong_client": lambda: token_error(401, "unauthorized_client", "Unauthorized"),
    "redirect_mismatch": lambda: token_error(400, "redirect_uri_mismatch", "Bad Request"),
    "bad_verifier": lambda: token_error(400, "invalid_grant", "Invalid code verifier."),
    "unsupported_grant_type": lambda: token_error(400, "unsupported_grant_type", "Invalid grant_type"),
    "internal_failure": lambda: token_error(500, "internal_failure", "Backend Error"),
    "outage": lambda: token_error(503, "temporarily_unavailable", "The service is unavailable."),
}


def token_refused(kind: str) -> Response:
    """The token endpoint's answer; whatever is not listed is a bad code or token."""
    return ENDED.get(kind, ENDED["expired"])()


def fault_answer(call: Call, fault: Fault) -> Response | None:
    name, kind = fault.name, call.route.kind
    if kind == "token":
        if call.route.operation == "revoke" and name != "outage":
            return None
        if name == "code":
            return token_refused(str(fault.params.get("code", "internal_failure")))
        known = ("disabled", "account_gone", "admin_blocked", "app_secret_expired", "outage")
        return token_refused(name) if name in known else None
    if name == "outage":
        status = int(fault.params.get("status", 503))
        return error(status, "backendError", "Service unavailable. Please try again", rpc="UNAVAILABLE")
    if name == "rate_limited":
        return rate_limited(fault)
    if name in ("disabled", "account_gone", "admin_blocked"):
        return invalid_credential()
    if name == "no_mailbox":
        text = "The user must be signed up for Google Calendar."
        return error(403, "notACalendarUser", text, domain="calendar")
    return None


def rate_limited(fault: Fault) -> Response:
    status = int(fault.params.get("status", 403))
    reason = str(fault.params.get("reason", "rateLimitExceeded"))
    text = "Calendar usage limits exceeded." if reason == "quotaExceeded" else "Rate Limit Exceeded"
    headers = {"Retry-After": str(fault.params["retry_after"])} if "retry_after" in fault.params else {}
    return error(status, reason, text, domain="usageLimits", headers=headers)


# Shapes from the discovery document (calendar v3). A dict is an object, a list an array of one shape.
ANY = object()
TIME = {"date": str, "dateTime": str, "timeZone": str}
PERSON = {"displayName": str, "email": str, "id": str, "self": bool}
EVENT: dict[str, Any] = {
    **dict.fromkeys(
        (
            "colorId",
            "created",
            "description",
            "etag",
            "eventLabelId",
            "eventType",
            "hangoutLink",
            "htmlLink",
            "iCalUID",
            "id",
            "kind",
            "location",
            "recurringEventId",
            "status",
            "summary",
            "transparency",
            "updated",
            "visibility",
        ),
        str,
    ),
    **dict.fromkeys(
        (
            "anyoneCanAddSelf",
            "attendeesOmitted",
            "endTimeUnspecified",
            "guestsCanInviteOthers",
            "guestsCanModify",
            "guestsCanSeeOtherGuests",
            "locked",
            "privateCopy",
        ),
        bool,
    ),
    **dict.fromkeys(
        (
            "birthdayProperties",
            "focusTimeProperties",
            "gadget",
            "outOfOfficeProperties",
            "workingLocationProperties",
        ),
        ANY,
    ),
    "attachments": [ANY],
    "attendees": [
        {
            **dict.fromkeys(("asyncOperation", "comment", "displayName", "email", "id", "responseStatus"), str),
            **dict.fromkeys(("optional", "organizer", "resource", "self"), bool),
            "additionalGuests": int,
        }
    ],
    "conferenceData": {
        "conferenceId": str,
        "conferenceSolution": ANY,
        "createRequest": {
            "conferenceSolutionKey": {"type": str},
            "requestId": str,
            "status": {"statusCode": str},
        },
        "entryPoints": [ANY],
        "notes": str,
        "parameters": ANY,
        "signature": str,
    },
    "creator": PERSON,
    "organizer": PERSON,
    "start": TIME,
    "end": TIME,
    "originalStartTime": TIME,
    "extendedProperties": {"private": ANY, "shared": ANY},
    "recurrence": [str],
    "reminders": {"overrides": [{"method": str, "minutes": int}], "useDefault": bool},
    "sequence": int,
    "source": {"title": str, "url": str},
}
FREE_BUSY = {
    "timeMin": str,
    "timeMax": str,
    "timeZone": str,
    "items": [{"id": str}],
    "calendarExpansionMax": int,
    "groupExpansionMax": int,
}
CHANNEL = {
    **dict.fromkeys(("address", "expiration", "id", "kind", "resourceId", "resourceUri", "token"), str),
    "type": str,
    "params": {"ttl": str},
    "payload": bool,
}
WORDS = {
    "eventType": ("default", "outOfOffice", "focusTime", "workingLocation", "birthday", "fromGmail"),
    "status": ("confirmed", "tentative", "cancelled"),
    "transparency": ("opaque", "transparent"),
    "visibility": ("default", "public", "private", "confidential"),
    "responseStatus": ("needsAction", "declined", "tentative", "accepted"),
}


def check_shape(value: Any, shape: Any, where: str = "") -> None:
    """Refuse unknown names, wrong types and unknown words, as Google's JSON front does. null means unset."""
    if value is None or shape is ANY:
        return
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise _wrong_type(where, value)
        for name, item in value.items():
            if name not in shape:
                place = f" at '{where}'" if where else ""
                raise _invalid_argument(f'Unknown name "{name}"{place}: Cannot find field.')
            check_shape(item, shape[name], f"{where}.{name}" if where else name)
            if name in WORDS and item is not None and item not in WORDS[name]:
                raise bad(f"Invalid value for: {item} is not a valid value")
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise _wrong_type(where, value)
        for index, item in enumerate(value):
            check_shape(item, shape[0], f"{where}[{index}]")
    elif not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
        raise _wrong_type(where, value)


def _wrong_type(where: str, value: Any) -> Refusal:
    return _invalid_argument(f"Invalid value at '{where}', {value!r}")


def _invalid_argument(text: str) -> Refusal:
    message = f"Invalid JSON payload received. {text}"
    return Refusal(error(400, "badRequest", message, rpc="INVALID_ARGUMENT"))
