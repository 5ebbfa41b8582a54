"""Microsoft's error bodies: AADSTS at the token endpoint, codes at Graph, and its answers to faults."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sandbox.state import Fault
from sandbox.wire import Call, Refusal, Response, json_response

# code: (HTTP status, error, suberror, text); what is not listed is a 400 invalid_grant
AADSTS: dict[int, tuple[int, str, str, str]] = {
    50173: (400, "invalid_grant", "bad_token", "The provided grant has expired due to it being revoked."),
    700082: (400, "invalid_grant", "bad_token", "The refresh token has expired due to inactivity."),
    70008: (400, "invalid_grant", "bad_token", "The provided authorization code or refresh token has expired."),
    70000: (400, "invalid_grant", "bad_token", "The provided value for the 'refresh_token' is not valid."),
    70043: (400, "invalid_grant", "token_expired", "The token has expired due to sign-in frequency checks."),
    50089: (400, "invalid_grant", "bad_token", "Authentication failed due to flow token expired."),
    50076: (400, "invalid_grant", "basic_action", "You must use multi-factor authentication to access this."),
    50079: (400, "invalid_grant", "basic_action", "You must enroll in multi-factor authentication."),
    50074: (400, "invalid_grant", "basic_action", "Strong Authentication is required."),
    50072: (400, "interaction_required", "basic_action", "The user must enroll in a second factor."),
    50078: (400, "invalid_grant", "basic_action", "Presented multi-factor authentication has expired."),
    50158: (400, "interaction_required", "additional_action", "External security challenge not satisfied."),
    65001: (400, "invalid_grant", "consent_required", "The user or administrator has not consented to the app."),
    65004: (400, "access_denied", "", "User declined to consent to access the app."),
    90094: (400, "invalid_grant", "consent_required", "Admin consent is required."),
    90095: (400, "invalid_grant", "consent_required", "Admin consent is required; a request was sent."),
    53000: (400, "interaction_required", "message_only", "The device is not compliant."),
    53003: (400, "invalid_grant", "message_only", "Access has been blocked by Conditional Access policies."),
    530032: (400, "invalid_grant", "message_only", "The tenant security policy blocks this request."),
    50105: (400, "invalid_grant", "message_only", "The signed in user is not assigned to a role for the app."),
    50057: (400, "invalid_grant", "message_only", "The user account is disabled."),
    50034: (400, "invalid_grant", "message_only", "The user account does not exist in the directory."),
    51004: (400, "invalid_grant", "message_only", "The user account does not exist in the directory."),
    50020: (400, "invalid_grant", "message_only", "User account from identity provider does not exist in tenant."),
    50055: (400, "invalid_grant", "user_password_expired", "The password is expired."),
    50132: (400, "invalid_grant", "bad_token", "The session is not valid due to password change."),
    50133: (400, "invalid_grant", "bad_token", "Session is invalid due to expiration or recent password change."),
    50053: (400, "invalid_grant", "message_only", "The account is locked or the IP address is blocked."),
    54005: (400, "invalid_grant", "", "OAuth2 Authorization code was already redeemed."),
    501481: (400, "invalid_grant", "", "The Code_Verifier does not match the code_challenge."),
    7000215: (401, "invalid_client", "", "Invalid client secret provided."),
    7000222: (401, "invalid_client", "", "The provided client secret keys are expired."),
    7000218: (401, "invalid_client", "", "The request body must contain 'client_assertion' or 'client_secret'."),
    700027: (401, "invalid_client", "", "Client assertion failed signature validation."),
    50011: (400, "invalid_request", "", "The redirect URI does not match the one configured for the application."),
    70011: (400, "invalid_scope", "", "The provided value for the input parameter 'scope' is not valid."),
    70003: (400, "unsupported_grant_type", "", "The app requested an unsupported grant type."),
    90130: (400, "invalid_request", "", "The application is not supported over this endpoint."),
    650056: (400, "invalid_client", "", "Misconfigured application."),
    650057: (400, "invalid_resource", "", "Invalid resource."),
    7000112: (401, "unauthorized_client", "", "Application is disabled."),
    700016: (400, "unauthorized_client", "", "Application was not found in the directory."),
    70001: (400, "unauthorized_client", "", "The application is disabled or not installed in the tenant."),
    650052: (400, "invalid_client", "", "The app needs access to a service that the organization lacks."),
    50196: (400, "invalid_grant", "", "The server terminated an operation because of a client request loop."),
    90055: (429, "temporarily_unavailable", "", "The server is too busy."),
    **dict.fromkeys(
        (50033, 50087, 90006, 90012, 90024, 90033, 90090, 70012, 80001, 80002),
        (503, "temporarily_unavailable", "", "A transient error has occurred. Please try again."),
    ),
}
# Why a grant ended, a token call failed, or a fault: its code
CODES = {
    "revoked": 50173,
    "expired": 700082,
    "password_changed": 50133,
    "mfa_required": 50076,
    "consent_missing": 65001,
    "account_gone": 50034,
    "disabled": 50057,
    "admin_blocked": 53003,
    "app_secret_expired": 7000222,
    "invalid_client": 7000215,
    "wrong_client": 700016,
    "unsupported_grant_type": 70003,
    "bad_code": 70000,
    "bad_refresh": 70000,
    "expired_code": 70008,
    "expired_refresh": 700082,
    "used_code": 54005,
    "redirect_mismatch": 50011,
    "bad_verifier": 501481,
}
MOST_PARALLEL = 4  # calls of one app to one mailbox
ACCESS_DENIED = "Access is denied. Check credentials and try again."


def token_error(code: int, now: datetime) -> Response:
    status, error, suberror, text = AADSTS.get(code, (400, "invalid_grant", "", "An error occurred."))
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    when = now.strftime("%Y-%m-%d %H:%M:%SZ")
    body: dict[str, Any] = {
        "error": error,
        "error_description": (
            f"AADSTS{code}: {text}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {when}"
        ),
        "error_codes": [code],
        "timestamp": when,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={code}",
    }
    if suberror:
        body["suberror"] = suberror
    return json_response(status, body)


def token_refused(kind: str, now: datetime) -> Response:
    return token_error(CODES.get(kind, 70000), now)


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """The envelope of Graph."""
    marks = {"date": "2026-01-01T00:00:00", "request-id": str(uuid.uuid4())}
    marks["client-request-id"] = marks["request-id"]
    body = {"error": {"code": code, "message": message, "innerError": marks}}
    return json_response(status, body, headers)


def refuse(status: int, code: str, message: str) -> Refusal:
    return Refusal(error(status, code, message))


def not_found(status: int = 404) -> Response:
    if status == 405:
        return error(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    return error(400, "BadRequest", "Resource not found for the segment.")


def item_not_found() -> Refusal:
    return refuse(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def bad_json(message: str) -> Response:
    text = "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is valid."
    return error(400, "BadRequest", text)


def bad_body(message: str) -> Refusal:
    return refuse(400, "RequestBodyRead", message)


def too_many() -> Response:
    text = "Application is over its MailboxConcurrency limit."
    return error(429, "ApplicationThrottled", text, {"Retry-After": "1"})


def invalid_token(message: str) -> Response:
    headers = {
        "WWW-Authenticate": 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2'
        '/authorize", client_id="00000003-0000-0000-c000-000000000000"'
    }
    return error(401, "InvalidAuthenticationToken", message, headers)


def fault_answer(call: Call, fault: Fault) -> Response | None:
    name, kind = fault.name, call.route.kind
    if kind == "token":
        if name == "code":
            return token_error(int(fault.params.get("code", 50173)), call.sandbox.now())
        if name == "outage":
            return token_error(90033, call.sandbox.now())
        known = ("disabled", "account_gone", "admin_blocked", "app_secret_expired")
        return token_refused(name, call.sandbox.now()) if name in known else None
    if name == "outage":
        return Response(int(fault.params.get("status", 503)))
    if name == "rate_limited":
        wait = str(fault.params.get("retry_after", 10))
        text = "Application is over its MailboxConcurrency limit."
        status = int(fault.params.get("status", 429))
        return error(status, "ApplicationThrottled", text, {"Retry-After": wait})
    if name in ("disabled", "admin_blocked"):
        return invalid_token("Access token validation failure. The account may not be used.")
    if name == "account_gone":
        if call.route.operation == "me.get":
            return error(404, "Request_ResourceNotFound", "Resource does not exist or one of its queried references.")
        return error(404, "ErrorInvalidUser", "The requested user is invalid.")
    if name == "no_mailbox" and call.route.operation != "me.get":
        text = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
        return error(404, "MailboxNotEnabledForRESTAPI", text)
    return None
