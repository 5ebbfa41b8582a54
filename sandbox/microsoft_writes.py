"""Microsoft: writing events of Outlook calendars, and seeding them."""

from __future__ import annotations

import base64
import re
import secrets
import uuid
from datetime import UTC, datetime
from typing import Any

from sandbox.microsoft_errors import bad_body, refuse
from sandbox.microsoft_events import (
    PROPERTIES,
    SHOW_AS,
    WRITABLE,
    Event,
    alive,
    calendar_of,
    find_event,
    rule_of,
    shown,
    span,
)
from sandbox.odata import graph_zone, read_time, windows_name, write_time
from sandbox.state import Account, Calendar, Sandbox
from sandbox.teams import add_link, teams_allowed
from sandbox.wire import Call, Response, json_response


def read_body(call: Call) -> Event:
    """Refuse unknown properties and wrong types, as Graph does."""
    body = call.request.json()
    check_kind(body, WRITABLE, "event")
    return {name: value for name, value in body.items() if not name.startswith("@")}


def check_kind(value: Any, kind: Any, where: str) -> None:
    """Compare a value with what `WRITABLE` says; null means unset."""
    if value is None:
        return
    expected = type(kind) if isinstance(kind, dict | list) else kind
    if not isinstance(value, expected) or (kind is int and isinstance(value, bool)):
        raise bad_body(f"Cannot convert the value of '{where}' to the expected type.")
    if isinstance(kind, list):
        for item in value:
            check_kind(item, kind[0], where)
    elif isinstance(kind, dict) and isinstance(value, dict):
        for name, item in value.items():
            if name in kind:
                check_kind(item, kind[name], name)
            elif name in PROPERTIES and kind is WRITABLE:
                raise bad_body(f"The property '{name}' is read-only.")
            elif "@" not in name:
                raise bad_body(f"The property '{name}' does not exist on type 'microsoft.graph.{where}'.")


def create(call: Call) -> Response:
    calendar = calendar_of(call)
    if not calendar.writable:
        raise refuse(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    body = read_body(call)
    transaction = body.get("transactionId")
    if transaction:
        for event in alive(calendar):
            if event.get("transactionId") == transaction:
                return json_response(201, shown(call, calendar, event))
    for side in ("start", "end"):
        if not body.get(side):
            raise refuse(400, "ErrorPropertyValidationFailure", f"The property '{side}' is required.")
    event = blank(call.sandbox, call.user)
    apply(call, calendar, event, body)
    calendar.events[event["id"]] = event
    return json_response(201, shown(call, calendar, event))


def blank(sandbox: Sandbox, account: Account) -> Event:
    """An event with everything that Exchange fills in itself."""
    event_id = "AAMkAD" + secrets.token_urlsafe(48).replace("_", "x") + "="
    now = sandbox.now().strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
    return {
        "id": event_id,
        "createdDateTime": now,
        "lastModifiedDateTime": now,
        "changeKey": "",
        "categories": [],
        "transactionId": None,
        "originalStartTimeZone": "UTC",
        "originalEndTimeZone": "UTC",
        "iCalUId": "040000008200E00074C5B7101A82E008" + uuid.uuid4().hex.upper(),
        "reminderMinutesBeforeStart": 15,
        "isReminderOn": True,
        "hasAttachments": False,
        "subject": "",
        "bodyPreview": "",
        "importance": "normal",
        "sensitivity": "normal",
        "isAllDay": False,
        "isCancelled": False,
        "isOrganizer": True,
        "responseRequested": True,
        "seriesMasterId": None,
        "showAs": "busy",
        "type": "singleInstance",
        "webLink": f"https://outlook.office365.com/owa/?itemid={event_id}",
        "onlineMeetingUrl": None,
        "isOnlineMeeting": False,
        "onlineMeetingProvider": "unknown",
        "onlineMeeting": None,
        "allowNewTimeProposals": True,
        "hideAttendees": False,
        "isDraft": False,
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
        "body": {"contentType": "html", "content": ""},
        "location": {"displayName": "", "locationType": "default"},
        "locations": [],
        "recurrence": None,
        "attendees": [],
        "organizer": {"emailAddress": {"name": account.name, "address": account.email}},
    }


def apply(call: Call, calendar: Calendar, event: Event, body: Event) -> None:
    """Bring the event to what the body says, or refuse it."""
    known = event["transactionId"]
    if event["changeKey"] and body.get("transactionId", known) != known:
        raise refuse(400, "ErrorPropertyValidationFailure", "TransactionId cannot be changed.")
    if body.get("showAs", "busy") not in SHOW_AS:
        raise bad_body("The value of 'showAs' is not a member of microsoft.graph.freeBusyStatus.")
    links = {"isOnlineMeeting", "onlineMeetingProvider"}
    event |= {name: value for name, value in body.items() if name not in links | {"start", "end"}}
    for side in ("start", "end"):
        if side in body:
            zone_name = body[side].get("timeZone") or "UTC"
            at = read_time(body[side], side)
            event[f"original{side.title()}TimeZone"] = zone_name
            event[side] = write_time(at, zone_name if event["isAllDay"] else "UTC")
    check_times(event, calendar)
    for person in event["attendees"]:
        if "@" not in person.get("emailAddress", {}).get("address", ""):
            raise refuse(400, "ErrorInvalidRecipients", "At least one recipient is not valid.")
        person.setdefault("status", {"response": "none", "time": "0001-01-01T00:00:00Z"})
        person.setdefault("type", "required")
    event["type"] = "seriesMaster" if event["recurrence"] else "singleInstance"
    event["bodyPreview"] = re.sub(r"<[^>]+>", "", event["body"].get("content", ""))[:255]
    if body.get("isOnlineMeeting") and not event["isOnlineMeeting"] and teams_allowed(call, calendar):
        add_link(event)
    touch(call.sandbox, event)


def check_times(event: Event, calendar: Calendar) -> None:
    if event["isAllDay"] and any("T00:00:00" not in event[side]["dateTime"] for side in ("start", "end")):
        text = "The Event.Start property for an all-day event needs to be set to midnight."
        raise refuse(400, "ErrorPropertyValidationFailure", text)
    start, end = span(event, calendar)
    if end < start or (event["isAllDay"] and end == start):
        raise refuse(400, "ErrorPropertyValidationFailure", "At least one property failed validation.")
    try:
        rule_of(event, graph_zone(event["originalStartTimeZone"]))
    except (KeyError, ValueError, TypeError) as problem:
        raise bad_body("The recurrence cannot be read.") from problem


def touch(sandbox: Sandbox, event: Event) -> None:
    event["_seq"] = sandbox.tick()
    event["changeKey"] = base64.b64encode(f"DwAAABYAAAB{event['_seq']:09d}".encode()).decode()
    event["lastModifiedDateTime"] = sandbox.now().strftime("%Y-%m-%dT%H:%M:%S.0000000Z")


def guarded_event(call: Call) -> tuple[Calendar, Event]:
    calendar, event = find_event(call)
    wanted = call.request.headers.get("if-match")
    if wanted not in (None, "*", f'W/"{event["changeKey"]}"'):
        raise refuse(412, "ErrorIrresolvableConflict", "The send or update operation could not be performed.")
    if not calendar.writable:
        raise refuse(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    return calendar, event


def update(call: Call) -> Response:
    calendar, event = guarded_event(call)
    changed = dict(event)
    apply(call, calendar, changed, read_body(call))
    calendar.events[event["id"]] = changed
    return json_response(200, shown(call, calendar, changed))


def delete(call: Call) -> Response:
    calendar, event = guarded_event(call)
    remove(call.sandbox, calendar, event["id"])
    return Response(204)


def cancel(call: Call) -> Response:
    """The organizer cancels: attendees would be told, the event goes."""
    calendar, event = guarded_event(call)
    if not event["isOrganizer"]:
        text = "Your request can't be completed. You need to be an organizer to cancel a meeting."
        raise refuse(400, "ErrorInvalidRequest", text)
    remove(call.sandbox, calendar, event["id"])
    return Response(202)


def remove(sandbox: Sandbox, calendar: Calendar, event_id: str) -> bool:
    """Delete; a mark stays for deltas."""
    event = calendar.events.get(event_id)
    if event is None or event.get("_gone"):
        return False
    calendar.events[event_id] = {"id": event_id, "_gone": True, "_seq": sandbox.tick()}
    return True


def move(sandbox: Sandbox, calendar: Calendar, event_id: str, wanted: dict[str, Any]) -> bool:
    """Move by hand as the calendar's owner would: start and end as in `seed`. Raises ValueError."""
    event = calendar.events.get(event_id)
    if event is None or event.get("_gone"):
        return False
    changed = dict(event)
    place(changed, calendar, wanted)
    touch(sandbox, changed)
    calendar.events[event_id] = changed
    return True


def place(event: Event, calendar: Calendar, wanted: dict[str, Any]) -> None:
    """Give the event its start and end: moments with offset, or dates. Raises ValueError."""
    event["isAllDay"] = "T" not in wanted["start"]
    for side in ("start", "end"):
        at = datetime.fromisoformat(wanted[side])
        if at.tzinfo is None and not event["isAllDay"]:
            raise ValueError(f"{side} has no offset")
        event[side] = write_time(at.replace(tzinfo=UTC) if event["isAllDay"] else at, "UTC")
        event[f"original{side.title()}TimeZone"] = windows_name(calendar.time_zone)
    start, end = span(event, calendar)
    if end <= start:
        raise ValueError("the event ends before it starts")


def seed(sandbox: Sandbox, account: Account, calendar: Calendar, wanted: dict[str, Any]) -> str:
    """Put an event as the owner would: title, start and end (moments with offset, or dates), show (one of
    showAs), response, cancelled. Raises ValueError."""
    event = blank(sandbox, account)
    event["id"] = wanted.get("id") or event["id"]
    event["subject"] = wanted.get("title", "")
    place(event, calendar, wanted)
    event["showAs"] = wanted.get("show", "busy")
    if event["showAs"] not in SHOW_AS:
        raise ValueError(f"show must be one of {', '.join(SHOW_AS)}")
    if wanted.get("response"):
        event["isOrganizer"] = False
        event["responseStatus"] = {"response": wanted["response"], "time": event["createdDateTime"]}
    event["isCancelled"] = wanted.get("status") == "cancelled"
    event["recurrence"] = wanted.get("recurrence")
    event["type"] = "seriesMaster" if event["recurrence"] else "singleInstance"
    touch(sandbox, event)
    calendar.events[event["id"]] = event
    return str(event["id"])
