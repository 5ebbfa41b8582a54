"""Google: authorisation, the calendar list and free/busy. Events are in `google_events`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox import google_events, google_writes, oauth, subscriptions
from sandbox.consent import IDENTITY, Consent
from sandbox.google_errors import (
    FREE_BUSY,
    bad,
    bad_json,
    check_shape,
    error,
    fault_answer,
    insufficient_scope,
    invalid_credential,
    missing_credential,
    not_found,
    token_error,
    token_refused,
)
from sandbox.google_events import calendar_of, etag, local_time
from sandbox.google_meet import meet_allowed
from sandbox.state import Account, Calendar, Grant
from sandbox.times import moment, utc_text, zone
from sandbox.wire import Call, Refusal, Response, Route, json_response

__all__ = ["HOSTS", "ROUTES", "bad_json", "check", "fault_answer", "not_found"]

HOSTS = (
    "accounts.google.com",
    "oauth2.googleapis.com",
    "www.googleapis.com",
    "openidconnect.googleapis.com",
    "admin.googleapis.com",
)
SCOPE_BASE = "https://www.googleapis.com/auth/"
ACCESS_LIFE = 3599.0
MOST_REFRESH_TOKENS = 100
LONGEST_RANGE = timedelta(days=92)


def check(call: Call, trouble: str) -> Response | None:
    """What the API says about the token and its scopes."""
    if trouble == "missing":
        return missing_credential()
    if trouble:
        return invalid_credential()
    scopes = call.route.scopes
    if scopes and call.grant is not None and not scopes & set(call.grant.scopes):
        return insufficient_scope()
    return None


def live_refresh_tokens(call: Call, client_id: str, account: Account) -> list[str]:
    """The refresh tokens that one user holds with one client, oldest first."""
    grants = {grant.id for grant in call.sandbox.grants_of(account) if grant.client_id == client_id and not grant.ended}
    return [
        value
        for value, token in call.sandbox.state.tokens.items()
        if token.kind == "refresh" and token.grant in grants and not token.dead
    ]


def yields_refresh_token(call: Call, account: Account, asked: dict[str, str]) -> bool:
    """Offline access, and either asked for anew or never given before."""
    return asked.get("access_type") == "offline" and (
        "consent" in asked.get("prompt", "").split() or not live_refresh_tokens(call, asked["client_id"], account)
    )


CONSENT = Consent(
    service="google",
    title="Google",
    code_life=600,
    choose_scopes=True,
    scopes=lambda client, asked: [
        scope for scope in asked.get("scope", "").split() if scope in IDENTITY or scope.startswith(SCOPE_BASE)
    ],
    offline=yields_refresh_token,
    refused={"error": "access_denied"},
    blocked={
        "admin_blocked": {"error": "admin_policy_enforced"},
        "disabled": {"error": "access_denied"},
        "account_gone": {"error": "access_denied"},
    },
)


def token(call: Call) -> Response:
    """Redeem a code or refresh; refresh tokens do not rotate."""
    try:
        client = oauth.authenticate_client(call)
        kind = call.request.form.get("grant_type")
        if kind == "authorization_code":
            code = oauth.spend_code(call, client)
            grant = oauth.new_grant(call.sandbox, code)
            return json_response(200, issued(call, grant, with_refresh=code.offline, nonce=code.nonce))
        if kind == "refresh_token":
            grant, _ = oauth.spend_refresh(call, client)
            return json_response(200, issued(call, grant, with_refresh=False))
        raise oauth.OAuthError("unsupported_grant_type")
    except oauth.OAuthError as refused:
        return token_refused(refused.kind)


def issued(call: Call, grant: Grant, *, with_refresh: bool, nonce: str = "") -> dict[str, Any]:
    body: dict[str, Any] = {
        "access_token": oauth.issue(call.sandbox, grant, "access", ACCESS_LIFE),
        "expires_in": int(ACCESS_LIFE),
        "scope": " ".join(grant.scopes),
        "token_type": "Bearer",
    }
    account = call.sandbox.account("google", grant.email)
    if account is None:
        return body
    if with_refresh:
        held = live_refresh_tokens(call, grant.client_id, account)
        for oldest in held[: max(0, len(held) + 1 - MOST_REFRESH_TOKENS)]:
            call.sandbox.state.tokens[oldest].dead = True
        body["refresh_token"] = oauth.issue(call.sandbox, grant, "refresh", None)
    if "openid" in grant.scopes:
        now = int(call.sandbox.epoch())
        claims = {
            "iss": "https://accounts.google.com",
            "azp": grant.client_id,
            "aud": grant.client_id,
            **profile(account, grant),
            "iat": now,
            "exp": now + 3600,
        }
        body["id_token"] = oauth.id_token(call.sandbox, claims | ({"nonce": nonce} if nonce else {}))
    return body


def profile(account: Account, grant: Grant) -> dict[str, Any]:
    claims: dict[str, Any] = {"sub": account.id}
    if "email" in grant.scopes:
        claims |= {"email": account.email, "email_verified": True}
    if "profile" in grant.scopes:
        claims["name"] = account.name
    if not account.personal:
        claims["hd"] = account.email.partition("@")[2]
    return claims


def revoke(call: Call) -> Response:
    """Either token ends the whole grant of this user and client."""
    if call.request.query.get("token") and not call.request.form.get("token"):
        call.request.body = f"token={call.request.query['token']}".encode()
        oauth.identify_token_call(call)
    if call.grant is None or call.account is None or call.grant.ended:
        return token_error(400, "invalid_token", "Token expired or revoked")
    oauth.end_grants(call.sandbox, call.account, "revoked", call.grant.client_id)
    return json_response(200, {})


def userinfo(call: Call) -> Response:
    if call.grant is None:
        return invalid_credential()
    return json_response(200, profile(call.user, call.grant))


def certificates(call: Call) -> Response:
    return json_response(200, oauth.key_set(call.sandbox))


def list_entry(call: Call, calendar: Calendar) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "kind": "calendar#calendarListEntry",
        "etag": etag(calendar.sync_epoch),
        "id": calendar.id,
        "summary": calendar.name,
        "timeZone": calendar.time_zone,
        "colorId": "14",
        "backgroundColor": "#9fe1e7",
        "foregroundColor": "#000000",
        "selected": True,
        "accessRole": access_role(calendar),
        "defaultReminders": [],
        "conferenceProperties": {
            "allowedConferenceSolutionTypes": ["hangoutsMeet"] if meet_allowed(call, calendar) else []
        },
    }
    if calendar.primary:
        entry["primary"] = True
    return entry


def access_role(calendar: Calendar) -> str:
    if calendar.room:
        return "freeBusyReader"
    return "owner" if calendar.writable else "reader"


def calendar_list(call: Call) -> Response:
    query = call.request.query
    ranks = ("freeBusyReader", "reader", "writer", "owner")
    least = query.get("minAccessRole", "freeBusyReader")
    if least not in ranks:
        raise bad("Invalid value for minAccessRole.")
    found = [
        list_entry(call, calendar)
        for calendar in call.user.calendars.values()
        if ranks.index(access_role(calendar)) >= ranks.index(least)
    ]
    first, end = google_events.page_bounds(query, 100, 250)
    body = {"kind": "calendar#calendarList", "etag": etag(call.sandbox.state.sequence)}
    if end < len(found):
        body["nextPageToken"] = google_events.page_token(end)
    else:
        body["nextSyncToken"] = google_events.opaque({"list": call.sandbox.state.sequence})
    return json_response(200, body | {"items": found[first:end]})


def calendar_list_get(call: Call) -> Response:
    return json_response(200, list_entry(call, calendar_of(call)))


def calendar_get(call: Call) -> Response:
    entry = list_entry(call, calendar_of(call))
    kept = ("etag", "id", "summary", "timeZone", "conferenceProperties")
    return json_response(200, {"kind": "calendar#calendar"} | {name: entry[name] for name in kept})


def free_busy(call: Call) -> Response:
    """Busy times of several calendars; what cannot be read is an error inside a 200."""
    body = call.request.json()
    check_shape(body, FREE_BUSY)
    start, end = read_range(body)
    zone_name = body.get("timeZone") or "UTC"
    answers: dict[str, Any] = {}
    items = body.get("items") or []
    for item in items:
        calendar_id = item.get("id", "")
        answers[calendar_id] = (
            failed("tooManyCalendarsRequested")
            if len(items) > int(body.get("calendarExpansionMax") or 50)
            else busy_answer(call, calendar_id, start, end, zone_name)
        )
    return json_response(
        200,
        {
            "kind": "calendar#freeBusy",
            "timeMin": local_time(start, zone_name),
            "timeMax": local_time(end, zone_name),
            "calendars": answers,
        },
    )


def failed(reason: str) -> dict[str, Any]:
    return {"errors": [{"domain": "global", "reason": reason}], "busy": []}


def read_range(body: dict[str, Any]) -> tuple[datetime, datetime]:
    for name in ("timeMin", "timeMax"):
        if not body.get(name):
            raise bad(f"Missing {name} parameter.", "required")
    try:
        start, end = moment(body["timeMin"]), moment(body["timeMax"])
        zone(body.get("timeZone") or "UTC")
    except ValueError as problem:
        raise bad("Bad Request", "badRequest") from problem
    if end <= start:
        raise bad("The specified time range is empty.", "timeRangeEmpty")
    if end - start > LONGEST_RANGE:
        raise bad("The requested time range is too long.", "timeRangeTooLong")
    return start, end


def busy_answer(call: Call, calendar_id: str, start: datetime, end: datetime, zone_name: str) -> dict[str, Any]:
    for fault in call.sandbox.active_faults(call.user, call.route):
        if fault.name == "calendar_error" and fault.params.get("calendar_id", calendar_id) == calendar_id:
            return failed(str(fault.params.get("reason", "internalError")))
    calendar = google_events.find_calendar(call.user, calendar_id)
    if calendar is None:
        return failed("notFound")
    busy = google_events.busy_times(call, calendar, start, end)
    return {"busy": [{"start": local_time(a, zone_name), "end": local_time(b, zone_name)} for a, b in busy]}


def rooms(call: Call) -> Response:
    """Rooms of the customer, for administrators alone (and a scope of its own)."""
    if call.user.personal or call.has("no_admin"):
        raise Refusal(error(403, "forbidden", "Not Authorized to access this resource/api"))
    found = [
        {
            "kind": "admin#directory#resources#calendars#CalendarResource",
            "resourceId": calendar.id.partition("@")[0],
            "resourceName": calendar.name,
            "generatedResourceName": f"{calendar.name} (6)",
            "resourceEmail": calendar.id,
            "resourceCategory": "CONFERENCE_ROOM",
            "capacity": 6,
        }
        for calendar in call.user.calendars.values()
        if calendar.room
    ]
    first, end = google_events.page_bounds(call.request.query, 100, 500)
    body: dict[str, Any] = {"kind": "admin#directory#resources#calendars#calendarResourcesList"}
    if end < len(found):
        body["nextPageToken"] = google_events.page_token(end)
    return json_response(200, body | {"items": found[first:end]})


def summary(account: Account) -> list[dict[str, Any]]:
    """Calendars with their events, for the panel and the control API."""
    return [
        {
            "id": calendar.id,
            "name": calendar.name,
            "primary": calendar.primary,
            "writable": calendar.writable,
            "room": calendar.room,
            "time_zone": calendar.time_zone,
            "events": [
                {
                    "id": event["id"],
                    "title": event.get("summary", ""),
                    "start": utc_text(google_events.span(event, calendar)[0]),
                    "end": utc_text(google_events.span(event, calendar)[1]),
                    "join_url": event.get("hangoutLink", ""),
                    "attendees": [person["email"] for person in event.get("attendees", [])],
                    "resource": event,
                }
                for event in calendar.events.values()
                if event["status"] != "cancelled"
            ],
        }
        for calendar in account.calendars.values()
    ]


def auth(*names: str) -> frozenset[str]:
    return frozenset(SCOPE_BASE + name for name in names)


LIST_SCOPES = auth("calendar", "calendar.calendarlist", "calendar.calendarlist.readonly", "calendar.readonly")
READ_SCOPES = auth(
    "calendar",
    "calendar.app.created",
    "calendar.events",
    "calendar.events.freebusy",
    "calendar.events.owned",
    "calendar.events.owned.readonly",
    "calendar.events.public.readonly",
    "calendar.events.readonly",
    "calendar.readonly",
)
WRITE_SCOPES = auth("calendar", "calendar.app.created", "calendar.events", "calendar.events.owned")
EVENTS = "/calendar/v3/calendars/{calendar}/events"
ROUTES = (
    Route("GET", "/o/oauth2/v2/auth", "authorize", CONSENT.show, "page"),
    Route("POST", "/o/oauth2/v2/auth", "authorize", CONSENT.decide, "page"),
    Route("POST", "/token", "token", token, "token"),
    Route("POST", "/revoke", "revoke", revoke, "token"),
    Route("GET", "/oauth2/v3/certs", "certs", certificates, "page"),
    Route("GET", "/oauth2/v3/userinfo", "userinfo", userinfo, scopes=frozenset({"openid"})),
    Route("GET", "/v1/userinfo", "userinfo", userinfo, scopes=frozenset({"openid"})),
    Route("GET", "/calendar/v3/users/me/calendarList", "calendarList.list", calendar_list, scopes=LIST_SCOPES),
    Route(
        "GET",
        "/calendar/v3/users/me/calendarList/{calendar}",
        "calendarList.get",
        calendar_list_get,
        scopes=LIST_SCOPES,
    ),
    Route(
        "GET",
        "/calendar/v3/calendars/{calendar}",
        "calendars.get",
        calendar_get,
        scopes=auth("calendar", "calendar.calendars", "calendar.calendars.readonly", "calendar.readonly"),
    ),
    Route(
        "POST",
        "/calendar/v3/freeBusy",
        "freebusy.query",
        free_busy,
        scopes=auth("calendar", "calendar.events.freebusy", "calendar.freebusy", "calendar.readonly"),
    ),
    Route(
        "GET",
        "/admin/directory/v1/customer/my_customer/resources/calendars",
        "resources.list",
        rooms,
        scopes=auth("admin.directory.resource.calendar.readonly", "admin.directory.resource.calendar"),
    ),
    Route("GET", EVENTS, "events.list", google_events.listing, scopes=READ_SCOPES),
    Route("GET", EVENTS + "/{event}", "events.get", google_events.get, scopes=READ_SCOPES),
    Route("POST", EVENTS + "/watch", "events.watch", subscriptions.watch, scopes=READ_SCOPES),
    Route("POST", "/calendar/v3/channels/stop", "channels.stop", subscriptions.stop, scopes=READ_SCOPES),
    Route("POST", EVENTS, "events.insert", google_writes.insert, scopes=WRITE_SCOPES),
    Route("PATCH", EVENTS + "/{event}", "events.patch", google_writes.patch, scopes=WRITE_SCOPES),
    Route("PUT", EVENTS + "/{event}", "events.update", google_writes.update, scopes=WRITE_SCOPES),
    Route("DELETE", EVENTS + "/{event}", "events.delete", google_writes.delete, scopes=WRITE_SCOPES),
)
