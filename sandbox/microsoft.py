"""Microsoft: authorisation, the mailbox's calendars and getSchedule. Events and Teams have their own files."""

from __future__ import annotations

from typing import Any

from sandbox import batch, oauth, schedules, subscriptions, teams
from sandbox import microsoft_events as events
from sandbox import microsoft_writes as writes
from sandbox.consent import Consent
from sandbox.microsoft_errors import (
    ACCESS_DENIED,
    bad_json,
    error,
    fault_answer,
    invalid_token,
    not_found,
    token_error,
    token_refused,
)
from sandbox.microsoft_events import calendar_of
from sandbox.odata import collection, select
from sandbox.state import Account, Calendar, Grant
from sandbox.times import utc_text
from sandbox.wire import Call, Handler, Response, Route, json_response

__all__ = ["HOSTS", "ROUTES", "bad_json", "check", "fault_answer", "not_found"]

HOSTS = ("login.microsoftonline.com", "graph.microsoft.com")
ACCESS_LIFE, REFRESH_LIFE = 3599.0, 90 * oauth.DAY
RESOURCE = "https://graph.microsoft.com/"
CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"


def check(call: Call, trouble: str) -> Response | None:
    """What Graph says about the token and its scopes."""
    if trouble == "missing":
        return invalid_token("Access token is empty.")
    if trouble and call.account is not None and call.account.personal:
        return invalid_token("CompactToken validation failed with reason code: 80049228.")
    if trouble == "expired":
        return invalid_token("Lifetime validation failed, the token is expired.")
    if trouble:
        return invalid_token("Access token has expired or is not yet valid.")
    scopes = call.route.scopes
    if scopes and call.grant is not None and not scopes & set(call.grant.scopes):
        return error(403, "ErrorAccessDenied", ACCESS_DENIED)
    return None


def asked_scopes(asked: dict[str, str]) -> list[str]:
    return [scope.removeprefix(RESOURCE) for scope in asked.get("scope", "").split()]


CONSENT = Consent(
    service="microsoft",
    title="Microsoft",
    code_life=600,
    choose_scopes=False,
    scopes=lambda client, asked: asked_scopes(asked),
    offline=lambda call, account, asked: "offline_access" in asked_scopes(asked),
    refused={
        "error": "access_denied",
        "error_subcode": "cancel",
        "error_description": "AADSTS65004: User declined to consent to access the app.",
    },
    blocked={
        "admin_blocked": {
            "error": "access_denied",
            "error_description": "AADSTS53003: Access has been blocked by Conditional Access policies.",
        },
        "disabled": {"error": "access_denied", "error_description": "AADSTS50057: The user account is disabled."},
        "account_gone": {
            "error": "access_denied",
            "error_description": "AADSTS50034: The user account does not exist in the directory.",
        },
    },
)


def token(call: Call) -> Response:
    """Redeem a code or refresh: each refresh gives a new refresh token, the old one stays alive."""
    now = call.sandbox.now()
    try:
        form = call.request.form
        if call.request.basic() is None and not form.get("client_secret"):
            return token_error(7000218, now)
        if call.request.basic() is None and form.get("client_id") not in call.sandbox.state.clients:
            return token_error(700016, now)
        client = oauth.authenticate_client(call)
        nonce = ""
        if form.get("grant_type") == "authorization_code":
            code = oauth.spend_code(call, client)
            grant, nonce = oauth.new_grant(call.sandbox, code), code.nonce
        elif form.get("grant_type") == "refresh_token":
            grant, _ = oauth.spend_refresh(call, client)
            if set(asked_scopes(form)) - set(grant.scopes):
                return token_error(65001, now)
        else:
            raise oauth.OAuthError("unsupported_grant_type")
    except oauth.OAuthError as refused:
        return token_refused(refused.kind, now)
    return json_response(200, issued(call, grant, nonce))


def issued(call: Call, grant: Grant, nonce: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": " ".join(scope for scope in grant.scopes if scope != "offline_access"),
        "expires_in": int(ACCESS_LIFE),
        "ext_expires_in": int(ACCESS_LIFE),
        "access_token": oauth.issue(call.sandbox, grant, "access", ACCESS_LIFE),
    }
    if grant.offline:
        body["refresh_token"] = oauth.issue(call.sandbox, grant, "refresh", REFRESH_LIFE)
    account = call.sandbox.account("microsoft", grant.email)
    if account is not None and "openid" in grant.scopes:
        now = int(call.sandbox.epoch())
        claims: dict[str, Any] = {
            "iss": f"https://login.microsoftonline.com/{tenant_of(account)}/v2.0",
            "aud": grant.client_id,
            "sub": account.id,
            "oid": account.id,
            "tid": tenant_of(account),
            "name": account.name,
            "preferred_username": account.email,
            "email": account.email,
            "ver": "2.0",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
        }
        body["id_token"] = oauth.id_token(call.sandbox, claims | ({"nonce": nonce} if nonce else {}))
    return body


def tenant_of(account: Account) -> str:
    """One tenant for each mail domain; all personal accounts share one."""
    if account.personal:
        return CONSUMERS
    digits = account.email.partition("@")[2].encode().hex()[:32].ljust(32, "0")
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def keys(call: Call) -> Response:
    return json_response(200, oauth.key_set(call.sandbox))


USER_PROPERTIES = frozenset(
    ("id", "displayName", "givenName", "surname", "mail", "userPrincipalName", "preferredLanguage", "jobTitle")
)


def me(call: Call) -> Response:
    user = call.user
    body = {
        "@odata.context": f"{call.request.base}/v1.0/$metadata#users/$entity",
        "id": user.id,
        "displayName": user.name,
        "givenName": user.name.partition(" ")[0],
        "surname": user.name.partition(" ")[2],
        "mail": user.email,
        "userPrincipalName": user.email,
        "preferredLanguage": None,
        "jobTitle": None,
    }
    return json_response(200, select(call, body, USER_PROPERTIES))


CALENDAR_PROPERTIES = frozenset(
    (
        "id",
        "name",
        "color",
        "hexColor",
        "changeKey",
        "isDefaultCalendar",
        "canShare",
        "canViewPrivateItems",
        "canEdit",
        "isRemovable",
        "isTallyingResponses",
        "allowedOnlineMeetingProviders",
        "defaultOnlineMeetingProvider",
        "owner",
    )
)


def calendar_view(call: Call, calendar: Calendar) -> dict[str, Any]:
    teams_here = teams.teams_allowed(call, calendar)
    body = {
        "id": calendar.id,
        "name": calendar.name,
        "color": "auto",
        "hexColor": "",
        "isDefaultCalendar": calendar.primary,
        "changeKey": f"ck{calendar.sync_epoch}",
        "canShare": calendar.writable,
        "canViewPrivateItems": True,
        "canEdit": calendar.writable,
        "isRemovable": not calendar.primary,
        "isTallyingResponses": calendar.primary,
        "allowedOnlineMeetingProviders": ["teamsForBusiness"] if teams_here else [],
        "defaultOnlineMeetingProvider": "teamsForBusiness" if teams_here else "unknown",
        "owner": {"name": call.user.name, "address": call.user.email},
    }
    return select(call, body, CALENDAR_PROPERTIES)


def calendars(call: Call) -> Response:
    shown = {calendar.id: calendar for calendar in call.user.calendars.values() if not calendar.room}
    found = [{"id": calendar_id} for calendar_id in shown]
    return collection(call, found, lambda item: calendar_view(call, shown[item["id"]]), CALENDAR_PROPERTIES)


def calendar_get(call: Call) -> Response:
    return json_response(200, calendar_view(call, calendar_of(call)))


ROOM_PROPERTIES = frozenset(("id", "displayName", "emailAddress", "capacity", "bookingType"))


def rooms(call: Call) -> Response:
    found = [
        {
            "id": calendar.id,
            "displayName": calendar.name,
            "emailAddress": calendar.id,
            "capacity": 6,
            "bookingType": "standard",
        }
        for calendar in call.user.calendars.values()
        if calendar.room
    ]
    return collection(call, found, lambda room: select(call, room, ROOM_PROPERTIES), ROOM_PROPERTIES, usual=100)


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
                    "title": event["subject"],
                    "start": utc_text(events.span(event, calendar)[0]),
                    "end": utc_text(events.span(event, calendar)[1]),
                    "join_url": (event["onlineMeeting"] or {}).get("joinUrl", ""),
                    "attendees": [person["emailAddress"]["address"] for person in event["attendees"]],
                    "resource": event,
                }
                for event in events.alive(calendar)
            ],
        }
        for calendar in account.calendars.values()
    ]


READ = frozenset(("Calendars.Read", "Calendars.ReadWrite"))
WRITE = frozenset(("Calendars.ReadWrite",))
MEETINGS = frozenset(("OnlineMeetings.ReadWrite",))
PLACES = frozenset(("Place.Read.All",))
ME = "/v1.0/me"
SUBSCRIPTIONS = "/v1.0/subscriptions"
OAUTH = "/{tenant}/oauth2/v2.0"


def on_calendars(method: str, tail: str, operation: str, handler: Handler, scopes: frozenset[str]) -> tuple[Route, ...]:
    """The same operation on a named calendar, on the default one, and straight under /me."""
    heads = ("/calendars/{calendar}", "/calendar", "")
    return tuple(Route(method, ME + head + tail, operation, handler, scopes=scopes) for head in heads)


ROUTES = (
    Route("GET", f"{OAUTH}/authorize", "authorize", CONSENT.show, "page"),
    Route("POST", f"{OAUTH}/authorize", "authorize", CONSENT.decide, "page"),
    Route("POST", f"{OAUTH}/token", "token", token, "token"),
    Route("GET", "/{tenant}/discovery/v2.0/keys", "keys", keys, "page"),
    Route("GET", ME, "me.get", me, scopes=frozenset(("User.Read", "openid", "email", "profile"))),
    Route("GET", f"{ME}/calendars", "calendars.list", calendars, scopes=READ),
    Route("GET", f"{ME}/calendar", "calendars.get", calendar_get, scopes=READ),
    Route("GET", f"{ME}/calendars/{{calendar}}", "calendars.get", calendar_get, scopes=READ),
    Route("POST", f"{ME}/calendar/getSchedule", "getSchedule", schedules.get_schedule, scopes=READ),
    *on_calendars("GET", "/calendarView", "calendarView.list", events.calendar_view, scopes=READ),
    *on_calendars("GET", "/calendarView/delta", "calendarView.delta", events.delta, scopes=READ),
    *on_calendars("GET", "/events", "events.list", events.listing, scopes=READ),
    *on_calendars("POST", "/events", "events.create", writes.create, scopes=WRITE),
    *on_calendars("GET", "/events/{event}", "events.get", events.get, scopes=READ),
    *on_calendars("PATCH", "/events/{event}", "events.update", writes.update, scopes=WRITE),
    *on_calendars("DELETE", "/events/{event}", "events.delete", writes.delete, scopes=WRITE),
    *on_calendars("POST", "/events/{event}/cancel", "events.cancel", writes.cancel, scopes=WRITE),
    Route("GET", f"{ME}/onlineMeetings", "onlineMeetings.list", teams.listing, scopes=MEETINGS),
    Route("POST", f"{ME}/onlineMeetings", "onlineMeetings.create", teams.create, scopes=MEETINGS),
    Route(
        "POST",
        f"{ME}/onlineMeetings/createOrGet",
        "onlineMeetings.createOrGet",
        teams.create_or_get,
        scopes=MEETINGS,
    ),
    Route("GET", f"{ME}/onlineMeetings/{{meeting}}", "onlineMeetings.get", teams.get, scopes=MEETINGS),
    Route("PATCH", f"{ME}/onlineMeetings/{{meeting}}", "onlineMeetings.update", teams.update, scopes=MEETINGS),
    Route("DELETE", f"{ME}/onlineMeetings/{{meeting}}", "onlineMeetings.delete", teams.delete, scopes=MEETINGS),
    Route("POST", SUBSCRIPTIONS, "subscriptions.create", subscriptions.create, scopes=READ),
    Route("GET", f"{SUBSCRIPTIONS}/{{subscription}}", "subscriptions.get", subscriptions.get, scopes=READ),
    Route("PATCH", f"{SUBSCRIPTIONS}/{{subscription}}", "subscriptions.update", subscriptions.renew, scopes=READ),
    Route("DELETE", f"{SUBSCRIPTIONS}/{{subscription}}", "subscriptions.delete", subscriptions.delete, scopes=READ),
    Route(
        "POST",
        f"{SUBSCRIPTIONS}/{{subscription}}/reauthorize",
        "subscriptions.reauthorize",
        subscriptions.reauthorize,
        scopes=READ,
    ),
    Route("POST", "/v1.0/$batch", "batch", batch.batch),
    Route("GET", "/v1.0/places/microsoft.graph.room", "rooms.list", rooms, scopes=PLACES),
    Route("GET", "/v1.0/places/graph.room", "rooms.list", rooms, scopes=PLACES),
)
