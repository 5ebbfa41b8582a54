"""The JSON control interface under /control/api/: accounts, events, faults, clock, log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from sandbox import faults, google, google_writes, microsoft, microsoft_writes, push, zoom_meetings
from sandbox.oauth import end_grants
from sandbox.state import SERVICES, Account, Calendar, Client, Override, Sandbox, new_calendar_id, new_room_address
from sandbox.wire import BadJson, Refusal, Request, Response, json_response

PREFIX = "/control/api/"
SEED = {"google": google_writes.seed, "microsoft": microsoft_writes.seed}
MOVE = {"google": google_writes.move, "microsoft": microsoft_writes.move}
REMOVE = {"google": google_writes.remove, "microsoft": microsoft_writes.remove}
CALENDARS = {"google": google.summary, "microsoft": microsoft.summary}


def answer(sandbox: Sandbox, request: Request) -> Response | None:
    """Answer a control request; None if it is none."""
    if not request.path.startswith(PREFIX):
        return None
    if foreign(request):
        return problem(403, "foreign_origin", "Only the sandbox's own pages may change it.")
    parts = [unquote(part) for part in request.path[len(PREFIX) :].strip("/").split("/")]
    try:
        if parts[0] == "accounts" and len(parts) > 1:
            return on_account(sandbox, request, parts[1:])
        action = ACTIONS.get((request.method, "/".join(parts)))
        if action is None:
            return problem(404, "not_found", f"No control action {request.method} {request.path}.")
        return json_response(200, action(sandbox, request))
    except Refusal as refusal:
        return refusal.response
    except BadJson as error:
        return problem(400, "bad_json", str(error))
    except (KeyError, TypeError, ValueError) as error:
        return problem(400, "bad_request", f"{type(error).__name__}: {error}")


def foreign(request: Request) -> bool:
    """True for a change asked for by another site's page."""
    origin = request.headers.get("origin", "")
    return (
        request.method != "GET"
        and origin not in ("", "null")
        and (urlsplit(origin).netloc != request.headers.get("host", ""))
    )


def problem(status: int, code: str, message: str) -> Response:
    return json_response(status, {"error": code, "message": message})


def state(sandbox: Sandbox, request: Request) -> dict[str, Any]:
    return {
        "now": sandbox.now().isoformat(),
        "offset_seconds": sandbox.state.offset,
        "accounts": [account_view(sandbox, account) for account in sandbox.state.accounts.values()],
        "clients": [
            {"id": client.id, "service": client.service, "redirect_uris": client.redirect_uris}
            for client in sandbox.state.clients.values()
        ],
    }


def account_view(sandbox: Sandbox, account: Account) -> dict[str, Any]:
    grants = [grant for grant in sandbox.grants_of(account) if not grant.ended]
    calendars = CALENDARS.get(account.service)
    return {
        "service": account.service,
        "email": account.email,
        "id": account.id,
        "name": account.name,
        "personal": account.personal,
        "licensed": account.licensed,
        "fault": faults.standing(account),
        "faults": [{"fault": fault.name, "operation": fault.operation, **fault.params} for fault in account.faults],
        "latency": account.latency,
        "grants": len(grants),
        "scopes": sorted({scope for grant in grants for scope in grant.scopes}),
        "calendars": calendars(account) if calendars else [],
        "meetings": zoom_meetings.summary(account) if account.service == "zoom" else list(account.meetings.values()),
    }


def add_account(sandbox: Sandbox, request: Request) -> dict[str, Any]:
    """Make an account, or add calendars and events to the one that is there."""
    body = request.json()
    service, email = body["service"], str(body["email"]).strip().lower()
    if service not in SERVICES or email.count("@") != 1:
        raise ValueError(f"service must be one of {', '.join(SERVICES)}, and email an address")
    account = sandbox.account(service, email) or sandbox.add_account(
        service,
        email,
        name=body.get("name", ""),
        personal=body.get("personal"),
        licensed=not body.get("no_licence", False),
        time_zone=body.get("time_zone", "Asia/Tokyo"),
    )
    for wanted in body.get("calendars", []):
        calendar = account.primary if wanted.get("primary") else add_calendar(account, wanted)
        seed_events(sandbox, account, calendar, wanted.get("events", []))
    return account_view(sandbox, account)


def add_calendar(account: Account, wanted: dict[str, Any]) -> Calendar:
    """A further calendar (`room`: a meeting room that this account sees)."""
    if account.service == "zoom":
        raise ValueError("Zoom accounts have no calendars")
    made = new_room_address(account) if wanted.get("room") else new_calendar_id(account.service)
    calendar_id = wanted.get("id") or made
    if calendar_id in account.calendars:
        raise ValueError(f"calendar {calendar_id} is there already")
    calendar = Calendar(
        calendar_id,
        wanted.get("name", "Calendar"),
        wanted.get("time_zone", "Asia/Tokyo"),
        writable=wanted.get("writable", True),
        conferences=wanted.get("conferences", True),
        room=wanted.get("room", False),
    )
    account.calendars[calendar_id] = calendar
    return calendar


def seed_events(sandbox: Sandbox, account: Account, calendar: Calendar, events: list[dict[str, Any]]) -> list[str]:
    return [SEED[account.service](sandbox, account, calendar, wanted) for wanted in events]


def on_account(sandbox: Sandbox, request: Request, parts: list[str]) -> Response:
    """Actions on one account: {service}/{email}/…"""
    account = sandbox.account(parts[0], parts[1]) if len(parts) > 1 else None
    if account is None:
        return problem(404, "no_account", "There is no such account.")
    rest = parts[2:]
    if not rest and request.method == "DELETE":
        end_grants(sandbox, account, "account_gone")
        del sandbox.state.accounts[f"{account.service}/{account.email}"]
        return json_response(200, {})
    if rest == ["fault"] and request.method == "POST":
        body = request.json()
        known = {"fault", "operation", "seconds"}
        params = {name: value for name, value in body.items() if name not in known}
        faults.set_fault(sandbox, account, body["fault"], body.get("operation", "*"), body.get("seconds"), params)
    elif rest in (["revoke"], ["repair"]) and request.method == "POST":
        faults.set_fault(sandbox, account, "revoked" if rest == ["revoke"] else "ok")
    elif rest == ["latency"] and request.method == "POST":
        account.latency = float(request.json()["seconds"])
    elif rest == ["lifecycle"] and request.method == "POST":
        push.lifecycle(sandbox, account, request.json()["event"])
    elif rest == ["override"] and request.method == "POST":
        add_override(sandbox, {**request.json(), "service": account.service, "email": account.email})
    elif rest and rest[0] == "calendars":
        return on_calendars(sandbox, request, account, rest[1:])
    elif rest[:1] == ["meetings"] and len(rest) == 2 and request.method == "DELETE":
        account.meetings.pop(rest[1])
    elif rest or request.method != "GET":
        return problem(404, "not_found", f"No control action {request.method} {request.path}.")
    return json_response(200, account_view(sandbox, account))


def on_calendars(sandbox: Sandbox, request: Request, account: Account, rest: list[str]) -> Response:
    if not rest and request.method == "POST":
        body = request.json()
        calendar = add_calendar(account, body)
        seed_events(sandbox, account, calendar, body.get("events", []))
        return json_response(201, {"id": calendar.id})
    chosen = account.primary if rest[:1] == ["primary"] else account.calendars.get(rest[0] if rest else "")
    if chosen is None:
        return problem(404, "no_calendar", "There is no such calendar.")
    if len(rest) == 1 and request.method == "DELETE":
        del account.calendars[chosen.id]
        return json_response(200, {})
    if rest[1:] == ["events"] and request.method == "POST":
        body = request.json()
        made = seed_events(sandbox, account, chosen, body.get("events", [body]))
        return json_response(201, {"ids": made})
    if len(rest) == 3 and rest[1] == "events" and request.method in ("DELETE", "PATCH"):
        done = (
            REMOVE[account.service](sandbox, chosen, rest[2])
            if request.method == "DELETE"
            else MOVE[account.service](sandbox, chosen, rest[2], request.json())
        )
        return json_response(200, {}) if done else problem(404, "no_event", "There is no such event.")
    return problem(404, "not_found", f"No control action {request.method} {request.path}.")


def add_override(sandbox: Sandbox, body: dict[str, Any]) -> None:
    """A raw answer: `body` is text, or JSON to be written as such; `times` calls, or until cleared."""
    raw = body.get("body", "")
    if not isinstance(raw, str):
        raw = json_response(200, raw).body.decode()
    sandbox.state.overrides.append(
        Override(
            body["service"],
            str(body.get("email", "")).lower(),
            body.get("operation", "api"),
            int(body["status"]),
            dict(body.get("headers") or {}),
            raw,
            None if body.get("times") is None else int(body["times"]),
        )
    )


def override(sandbox: Sandbox, request: Request) -> dict[str, Any]:
    add_override(sandbox, request.json())
    return {"overrides": len(sandbox.state.overrides)}


def clear_overrides(sandbox: Sandbox, request: Request) -> dict[str, Any]:
    sandbox.state.overrides.clear()
    return {"overrides": 0}


def clock(sandbox: Sandbox, request: Request) -> dict[str, Any]:
    """Set the offset, or move it on by `advance_seconds`."""
    body = request.json()
    if "offset_seconds" in body:
        sandbox.state.offset = float(body["offset_seconds"])
    sandbox.state.offset += float(body.get("advance_seconds", 0))
    return {"now": sandbox.now().isoformat(), "offset_seconds": sandbox.state.offset}


def reset(sandbox: Sandbox, request: Request) -> dict[str, Any]:
    sandbox.reset()
    return {}


def requests(sandbox: Sandbox, request: Request) -> dict[str, Any]:
    return {"requests": list(sandbox.requests)}


def forget_requests(sandbox: Sandbox, request: Request) -> dict[str, Any]:
    sandbox.requests.clear()
    return {}


def client(sandbox: Sandbox, request: Request) -> dict[str, Any]:
    """Register or change an app: id, service, secret, redirect_uris, and for Zoom scopes, webhook and
    webhook_secret (the address must pass the handshake)."""
    body = request.json()
    known = sandbox.state.clients.get(body["id"])
    service = known.service if known else body["service"]
    if service not in SERVICES:
        raise ValueError(f"service must be one of {', '.join(SERVICES)}")
    made = known or Client(body["id"], service, "sandbox-secret")
    made.secret = str(body.get("secret", made.secret))
    made.redirect_uris = [str(address) for address in body.get("redirect_uris", made.redirect_uris)]
    made.scopes = [str(scope) for scope in body.get("scopes", made.scopes)]
    sandbox.state.clients[made.id] = made
    if "webhook" in body:
        made.webhook, made.webhook_secret = str(body["webhook"]), str(body["webhook_secret"])
        if made.webhook and not push.zoom_endpoint_valid(sandbox, made):
            made.webhook = ""
            raise ValueError("the webhook did not pass the handshake")
    return {"id": made.id, "service": made.service, "redirect_uris": made.redirect_uris}


ACTIONS: dict[tuple[str, str], Callable[[Sandbox, Request], dict[str, Any]]] = {
    ("GET", "state"): state,
    ("POST", "accounts"): add_account,
    ("POST", "override"): override,
    ("DELETE", "override"): clear_overrides,
    ("POST", "clock"): clock,
    ("POST", "reset"): reset,
    ("GET", "requests"): requests,
    ("DELETE", "requests"): forget_requests,
    ("POST", "clients"): client,
}
