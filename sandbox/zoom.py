"""Zoom: authorisation with strict rotation, and its failures. Meetings are in `zoom_meetings`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sandbox import oauth
from sandbox import zoom_meetings as meetings
from sandbox.consent import Consent
from sandbox.state import Fault
from sandbox.wire import Call, Response, Route, json_response
from sandbox.zoom_meetings import DAILY_TEXT, api_error, bad_json, not_found

__all__ = ["HOSTS", "ROUTES", "bad_json", "check", "fault_answer", "not_found"]

HOSTS = ("zoom.us", "api.zoom.us")
ACCESS_LIFE, REFRESH_LIFE = 3599, 90 * oauth.DAY
CODE_TEXTS = {
    4700: "Token cannot be empty.",
    4702: "Invalid client.",
    4704: "Invalid client secret.",
    4706: "Client ID or client secret is missing.",
    4709: "Redirect URI mismatch.",
    4711: "Refresh token invalid.",
    4717: "The app has been disabled",
    4732: "Internal error, try again.",
    4733: "Code is expired.",
    4734: "Invalid authorization code.",
    4735: "The owner of the token does not exist.",
    4737: "The token's account does not match.",
    4738: "The app was disabled by the account admin.",
    4740: "The token version is not valid.",
    4741: "The token has been revoked because of multiple authorizations.",
}
CLIENT_CODES = (4702, 4704, 4706, 4717)


def refusal(status: int, reason: str, error: str = "", code: int | None = None) -> Response:
    """A body of the token endpoint."""
    body: dict[str, Any] = {"reason": reason}
    if error:
        body["error"] = error
    if code is not None:
        body["code"] = code
    return json_response(status, body)


def coded(code: int) -> Response:
    if code == 4732:
        return refusal(500, CODE_TEXTS[code], "server_error", code)
    error = "invalid_client" if code in CLIENT_CODES else "invalid_grant"
    return refusal(400, CODE_TEXTS.get(code, "Exception message"), error, code)


TOKEN_ERRORS = {
    "invalid_client": lambda: refusal(400, "Invalid client_id or client_secret", "invalid_client"),
    "unsupported_grant_type": lambda: refusal(400, "unsupported grant type", "unsupported_grant_type"),
    "bad_code": lambda: coded(4734),
    "used_code": lambda: coded(4734),
    "expired_code": lambda: coded(4733),
    "redirect_mismatch": lambda: refusal(400, CODE_TEXTS[4709], "invalid_request", 4709),
    "bad_verifier": lambda: refusal(400, "Code verifier does not match.", "invalid_request"),
    "superseded": lambda: coded(4741),
    "consent_missing": lambda: coded(4740),
}


def check(call: Call, trouble: str) -> Response | None:
    """What the API says about the token and its scopes."""
    if trouble == "expired":
        return api_error(401, 124, "Access token is expired.")
    if trouble:
        return api_error(401, 124, "Invalid access token.")
    wanted = call.route.scopes
    if wanted and call.grant is not None and not wanted & set(call.grant.scopes):
        named = ",".join(sorted(wanted))
        return api_error(400, 4711, f"Invalid access token, does not contain scopes:[{named}].")
    return None


def fault_answer(call: Call, fault: Fault) -> Response | None:
    token = call.route.kind == "token"
    name = fault.name
    if name == "outage":
        text = "<html><head><title>503 Service Temporarily Unavailable</title></head></html>"
        return Response(int(fault.params.get("status", 503)), text.encode(), {"Content-Type": "text/html"})
    if name == "rate_limited" and call.route.kind == "api":
        return rate_limited(call, fault)
    if name == "code" and token:
        return coded(int(fault.params.get("code", 4700)))
    if name == "app_secret_expired" and token:
        return coded(4704)
    if name in ("disabled", "account_gone"):
        email = call.account.email if call.account else ""
        return coded(4735) if token else api_error(404, 1001, f"User does not exist: {email}.")
    if name == "admin_blocked":
        denied = f"Access to the Zoom REST API has been denied for this user, {call.user.email}."
        return coded(4738) if token else api_error(403, 403, denied)
    return None


def rate_limited(call: Call, fault: Fault) -> Response:
    if fault.params.get("daily"):
        return api_error(429, 429, DAILY_TEXT)
    until = call.sandbox.now() + timedelta(seconds=float(fault.params.get("retry_after", 5)))
    text = "You have reached the maximum per-second rate limit for this API. Try again later."
    headers = {
        "X-RateLimit-Type": "QPS",
        "X-RateLimit-Limit": "10",
        "X-RateLimit-Remaining": "0",
        "Retry-After": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return api_error(429, 429, text, headers)


CONSENT = Consent(
    service="zoom",
    title="Zoom",
    code_life=300,
    choose_scopes=False,
    scopes=lambda client, asked: list(client.scopes),
    offline=lambda call, account, asked: True,
    refused={"error": "access_denied"},
    blocked={
        fault: {"error": "access_denied", "error_description": "The app is not available to this account."}
        for fault in ("disabled", "account_gone", "admin_blocked")
    },
)


def token(call: Call) -> Response:
    """Redeem a code, or rotate: only the newest refresh token of a user's newest authorisation works."""
    try:
        client = oauth.authenticate_client(call, basic_only=True)
        kind = call.request.form.get("grant_type")
        if kind == "authorization_code":
            code = oauth.spend_code(call, client)
            account = call.sandbox.account("zoom", code.email)
            if account is not None:
                oauth.end_grants(call.sandbox, account, "superseded", client.id)
            grant = oauth.new_grant(call.sandbox, code)
        elif kind == "refresh_token":
            grant, spent = oauth.spend_refresh(call, client)
            spent.dead = True
        else:
            raise oauth.OAuthError("unsupported_grant_type")
    except oauth.OAuthError as error:
        made = TOKEN_ERRORS.get(error.kind)
        return made() if made else refusal(400, "Invalid Token!", "invalid_grant")
    body = {
        "access_token": oauth.issue(call.sandbox, grant, "access", ACCESS_LIFE),
        "token_type": "bearer",
        "refresh_token": oauth.issue(call.sandbox, grant, "refresh", REFRESH_LIFE),
        "expires_in": ACCESS_LIFE,
        "scope": " ".join(grant.scopes),
        "api_url": "https://api.zoom.us",
    }
    return json_response(200, body)


def revoke(call: Call) -> Response:
    try:
        oauth.authenticate_client(call, basic_only=True)
    except oauth.OAuthError:
        return TOKEN_ERRORS["invalid_client"]()
    token = call.sandbox.state.tokens.get(call.request.form.get("token", ""))
    ran_out = token is None or token.kind != "access" or token.dead or (token.expires_at or 0) <= call.sandbox.epoch()
    if call.grant is None or call.grant.ended or ran_out:
        return refusal(400, "Invalid Token!", "invalid_request")
    call.grant.ended = "revoked"
    return json_response(200, {"status": "success"})


def either(*scopes: str) -> frozenset[str]:
    return frozenset(scopes)


ROUTES = (
    Route("GET", "/oauth/authorize", "authorize", CONSENT.show, "page"),
    Route("POST", "/oauth/authorize", "authorize", CONSENT.decide, "page"),
    Route("POST", "/oauth/token", "token", token, "token"),
    Route("POST", "/oauth/revoke", "revoke", revoke, "token"),
    Route("GET", "/v2/users/me", "users.get", meetings.me, scopes=either("user:read:user", "user:read")),
    Route(
        "GET",
        "/v2/users/me/meetings",
        "meetings.list",
        meetings.listing,
        scopes=either("meeting:read:list_meetings", "meeting:read"),
    ),
    Route(
        "POST",
        "/v2/users/me/meetings",
        "meetings.create",
        meetings.create,
        scopes=either("meeting:write:meeting", "meeting:write"),
    ),
    Route(
        "GET",
        "/v2/meetings/{meeting}",
        "meetings.get",
        meetings.get,
        scopes=either("meeting:read:meeting", "meeting:read"),
    ),
    Route(
        "PATCH",
        "/v2/meetings/{meeting}",
        "meetings.update",
        meetings.update,
        scopes=either("meeting:update:meeting", "meeting:write"),
    ),
    Route(
        "DELETE",
        "/v2/meetings/{meeting}",
        "meetings.delete",
        meetings.delete,
        scopes=either("meeting:delete:meeting", "meeting:write"),
    ),
)
