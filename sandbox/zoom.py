"""Zoom: authorisation with strict rotation, meetings, and its failures."""

from __future__ import annotations

import random
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox import oauth
from sandbox.consent import Consent
from sandbox.state import Account, Fault
from sandbox.wire import Call, Refusal, Response, Route, json_response

HOSTS = ("zoom.us", "api.zoom.us")
ACCESS_LIFE, REFRESH_LIFE = 3599, 90 * oauth.DAY
DAILY_LIMIT = 100
DAILY_TEXT = (
    "You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted for this "
    "particular user. You may resume these requests at GMT 00:00:00."
)
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


def api_error(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return json_response(status, {"code": code, "message": message}, headers)


def invalid(field: str, message: str) -> Refusal:
    body = {"code": 300, "message": "Validation Failed.", "errors": [{"field": field, "message": message}]}
    return Refusal(json_response(400, body))


def not_found(status: int) -> Response:
    return api_error(status, status, "This API endpoint is not recognized.")


def bad_json(message: str) -> Response:
    return api_error(400, 300, "Request Body should be a valid JSON object.")


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
    if call.grant is None or call.grant.ended:
        return refusal(400, "Invalid Token!", "invalid_request")
    call.grant.ended = "revoked"
    return json_response(200, {"status": "success"})


def me(call: Call) -> Response:
    user = call.user
    first, _, last = user.name.partition(" ")
    body = {
        "id": user.id,
        "first_name": first,
        "last_name": last,
        "display_name": user.name,
        "email": user.email,
        "type": 2 if user.licensed else 1,
        "timezone": "Asia/Tokyo",
        "verified": 1,
        "account_id": "sandbox-account",
        "status": "active",
    }
    return json_response(200, body)


def create(call: Call) -> Response:
    body = call.request.json()
    wanted = read_meeting(body, partial=False)
    count_write(call)
    if call.has("no_licence") or not call.user.licensed:
        return api_error(400, 3161, "Your user account is not allowed meeting hosting and scheduling.")
    number = random.SystemRandom().randrange(80_000_000_000, 90_000_000_000)
    password = secrets.token_hex(3)
    meeting = {
        "uuid": secrets.token_urlsafe(15) + "==",
        "id": number,
        "host_id": call.user.id,
        "host_email": call.user.email,
        "status": "waiting",
        "topic": "Zoom Meeting",
        "type": 2,
        "duration": 60,
        "timezone": "Asia/Tokyo",
        "agenda": "",
        "created_at": stamp(call.sandbox.now()),
        "start_url": f"https://zoom.us/s/{number}?zak={secrets.token_urlsafe(12)}",
        "join_url": f"https://us05web.zoom.us/j/{number}?pwd={secrets.token_urlsafe(12)}",
        "password": password,
        "settings": {"join_before_host": False, "waiting_room": True},
        **wanted,
    }
    call.user.meetings[str(number)] = meeting
    return json_response(201, meeting)


def read_meeting(body: dict[str, Any], *, partial: bool) -> dict[str, Any]:
    """Check the fields of a create or update and bring `start_time` to UTC."""
    wanted: dict[str, Any] = {}
    for name, kind, longest in (
        ("topic", str, 200),
        ("agenda", str, 2000),
        ("timezone", str, 100),
        ("password", str, 10),
        ("type", int, None),
        ("duration", int, None),
        ("settings", dict, None),
    ):
        if name not in body:
            continue
        value = body[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise invalid(name, "Invalid field.")
        if isinstance(value, str) and longest is not None and len(value) > longest:
            raise invalid(name, f"The length exceeds the maximum of {longest}.")
        wanted[name] = value
    if wanted.get("type", 2) not in (1, 2, 3, 8):
        raise invalid("type", "Invalid field.")
    if "start_time" in body:
        wanted["start_time"] = read_start(body["start_time"], wanted.get("timezone", "UTC"))
    elif not partial and wanted.get("type", 2) == 2:
        raise invalid("start_time", "Invalid field.")
    return wanted


def read_start(text: Any, zone: str) -> str:
    """`Z` means GMT; without it the time is local to `timezone`."""
    try:
        value = datetime.fromisoformat(text)
        if value.tzinfo is None:
            value = value.replace(tzinfo=ZoneInfo(zone))
    except (TypeError, ValueError, ZoneInfoNotFoundError) as error:
        raise invalid("start_time", "Invalid field.") from error
    return stamp(value)


def count_write(call: Call) -> None:
    """Creates and updates share 100 a day and user, counted in UTC days."""
    today = call.sandbox.now().date().isoformat()
    done = call.user.writes.get(today, 0)
    if done >= DAILY_LIMIT:
        raise Refusal(api_error(429, 429, DAILY_TEXT))
    call.user.writes = {today: done + 1}


def meeting_of(call: Call) -> dict[str, Any]:
    number = call.parts["meeting"]
    found = call.user.meetings.get(number)
    if found is None:
        raise Refusal(api_error(404, 3001, f"Meeting does not exist: {number}."))
    return found


def get(call: Call) -> Response:
    return json_response(200, meeting_of(call))


def update(call: Call) -> Response:
    meeting = meeting_of(call)
    wanted = read_meeting(call.request.json(), partial=True)
    count_write(call)
    meeting.update(wanted)
    return Response(204)


def delete(call: Call) -> Response:
    meeting_of(call)
    del call.user.meetings[call.parts["meeting"]]
    return Response(204)


def listing(call: Call) -> Response:
    """Upcoming meetings (also the default `scheduled`), by start, in pages."""
    query = call.request.query
    upcoming = query.get("type") in ("upcoming", "upcoming_meetings")
    now = stamp(call.sandbox.now())
    found = [
        {
            key: meeting[key]
            for key in (
                "uuid",
                "id",
                "host_id",
                "topic",
                "type",
                "start_time",
                "duration",
                "timezone",
                "agenda",
                "created_at",
                "join_url",
            )
            if key in meeting
        }
        for meeting in call.user.meetings.values()
        if not upcoming or meeting.get("start_time", "") >= now
    ]
    found.sort(key=lambda meeting: meeting.get("start_time", ""))
    size = query.get("page_size", "30")
    first = query.get("next_page_token") or "0"
    if not size.isdigit() or not 1 <= int(size) <= 300 or not first.isdigit():
        raise invalid("page_size", "Invalid field.")
    end = int(first) + int(size)
    body = {
        "page_size": int(size),
        "total_records": len(found),
        "next_page_token": str(end) if end < len(found) else "",
        "meetings": found[int(first) : end],
    }
    return json_response(200, body)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def summary(account: Account) -> list[dict[str, Any]]:
    """The meetings for the panel and the control API."""
    return [
        {
            "id": str(meeting["id"]),
            "title": meeting["topic"],
            "start": meeting.get("start_time", ""),
            "duration": meeting["duration"],
            "join_url": meeting["join_url"],
        }
        for meeting in account.meetings.values()
    ]


def either(*scopes: str) -> frozenset[str]:
    return frozenset(scopes)


ROUTES = (
    Route("GET", "/oauth/authorize", "authorize", CONSENT.show, "page"),
    Route("POST", "/oauth/authorize", "authorize", CONSENT.decide, "page"),
    Route("POST", "/oauth/token", "token", token, "token"),
    Route("POST", "/oauth/revoke", "revoke", revoke, "token"),
    Route("GET", "/v2/users/me", "users.get", me, scopes=either("user:read:user", "user:read")),
    Route(
        "GET",
        "/v2/users/me/meetings",
        "meetings.list",
        listing,
        scopes=either("meeting:read:list_meetings", "meeting:read"),
    ),
    Route(
        "POST",
        "/v2/users/me/meetings",
        "meetings.create",
        create,
        scopes=either("meeting:write:meeting", "meeting:write"),
    ),
    Route(
        "GET",
        "/v2/meetings/{meeting}",
        "meetings.get",
        get,
        scopes=either("meeting:read:meeting", "meeting:read"),
    ),
    Route(
        "PATCH",
        "/v2/meetings/{meeting}",
        "meetings.update",
        update,
        scopes=either("meeting:update:meeting", "meeting:write"),
    ),
    Route(
        "DELETE",
        "/v2/meetings/{meeting}",
        "meetings.delete",
        delete,
        scopes=either("meeting:delete:meeting", "meeting:write"),
    ),
)
