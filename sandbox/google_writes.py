"""Google: writing events – insert, patch, update, delete – and seeding them."""

from __future__ import annotations

import re
import secrets
from typing import Any

from sandbox.google_errors import EVENT, bad, check_shape, error
from sandbox.google_events import (
    COMMON_PARAMETERS,
    Event,
    etag,
    event_of,
    known_parameters,
    room_bookings,
    shown,
    span,
    writable_calendar,
)
from sandbox.google_meet import request_link, touch
from sandbox.state import Account, Calendar, Sandbox
from sandbox.times import parse_rule
from sandbox.wire import Call, Refusal, Response, json_response

WRITABLE = (
    "summary",
    "description",
    "location",
    "start",
    "end",
    "attendees",
    "recurrence",
    "transparency",
    "visibility",
    "status",
    "eventType",
    "extendedProperties",
    "reminders",
    "source",
    "colorId",
    "sequence",
    "guestsCanInviteOthers",
    "guestsCanModify",
    "guestsCanSeeOtherGuests",
)
WRITE_PARAMETERS = COMMON_PARAMETERS | {
    "alwaysIncludeEmail",
    "conferenceDataVersion",
    "eventLabelVersion",
    "maxAttendees",
    "sendNotifications",
    "sendUpdates",
    "supportsAttachments",
    "timeZone",
}
EVENT_ID = re.compile(r"[a-v0-9]{5,1024}")
ID_ALPHABET = "abcdefghijklmnopqrstuv0123456789"


def body_of(call: Call) -> dict[str, Any]:
    query = known_parameters(call, WRITE_PARAMETERS)
    if query.get("sendUpdates", "none") not in ("all", "externalOnly", "none"):
        raise bad("Invalid value for sendUpdates.")
    if query.get("conferenceDataVersion", "0") not in ("0", "1"):
        raise bad("Invalid value for conferenceDataVersion.")
    body = call.request.json()
    check_shape(body, EVENT)
    return body


def insert(call: Call) -> Response:
    calendar = writable_calendar(call)
    body = body_of(call)
    event_id = body.get("id") or "".join(secrets.choice(ID_ALPHABET) for _ in range(26))
    if not EVENT_ID.fullmatch(event_id):
        raise bad("Invalid resource id value.")
    if event_id in calendar.events:  # ids of deleted events stay taken
        raise Refusal(error(409, "duplicate", "The requested identifier already exists."))
    event = blank(call.sandbox, call.user, calendar, event_id, body.get("iCalUID"))
    apply(call, calendar, event, {name: value for name, value in body.items() if value is not None})
    calendar.events[event_id] = event
    return json_response(200, shown(call, calendar, event))


def blank(sandbox: Sandbox, account: Account, calendar: Calendar, event_id: str, uid: str | None = None) -> Event:
    """An event with everything that Google fills in itself."""
    organizer = (
        {"email": account.email, "self": True}
        if calendar.primary
        else {"email": calendar.id, "displayName": calendar.name, "self": True}
    )
    made = sandbox.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {
        "kind": "calendar#event",
        "id": event_id,
        "status": "confirmed",
        "htmlLink": f"https://www.google.com/calendar/event?eid={event_id}",
        "created": made,
        "updated": made,
        "creator": {"email": account.email, "self": True},
        "organizer": organizer,
        "iCalUID": uid or f"{event_id}@google.com",
        "sequence": 0,
        "reminders": {"useDefault": True},
        "eventType": "default",
    }


def apply(call: Call, calendar: Calendar, event: Event, body: dict[str, Any]) -> None:
    """Bring the event to what the body says (null takes a field away), or refuse it."""
    if body.get("eventType", event["eventType"]) != event["eventType"] and event.get("_seq"):
        raise bad("Event type cannot be changed.", "eventTypeRestriction")
    for name in WRITABLE:
        if name in body:
            if body[name] is None:
                event.pop(name, None)
            else:
                event[name] = body[name]
    check_times(event, calendar)
    for person in event.get("attendees", []):
        if "@" not in person.get("email", ""):
            raise bad("Invalid attendee email.")
        person.setdefault("responseStatus", "needsAction")
        if person.get("resource"):
            answer_for_room(call.sandbox, calendar, event, person)
    if call.request.query.get("conferenceDataVersion") == "1" and "conferenceData" in body:
        request_link(call, calendar, event, body["conferenceData"])
    touch(call, event)


def check_times(event: Event, calendar: Calendar) -> None:
    for side in ("start", "end"):
        if not event.get(side):
            raise bad(f"Missing {side} time.", "required")
        given = event[side]
        if bool(given.get("date")) == bool(given.get("dateTime")):
            raise bad(f"Invalid {side} time.")
    if bool(event["start"].get("date")) != bool(event["end"].get("date")):
        raise bad("Start and end times must either both be date or both be dateTime.")
    if event.get("recurrence") and "dateTime" in event["start"] and not event["start"].get("timeZone"):
        raise bad("Missing time zone definition for start time.", "required")
    for side in ("start", "end"):
        given = event[side]
        if "dateTime" in given and not has_zone(given):
            raise bad(f"Missing time zone definition for {side} time.", "required")
    try:
        start, end = span(event, calendar)
        parse_rule(event.get("recurrence") or [], calendar.time_zone)
    except ValueError as problem:
        raise bad("Bad Request", "badRequest") from problem
    if end < start or (end == start and event["start"].get("date")):
        raise bad("The specified time range is empty.", "timeRangeEmpty")


def has_zone(given: dict[str, str]) -> bool:
    return bool(given.get("timeZone")) or bool(re.search(r"(Z|[+-]\d\d:?\d\d)$", given["dateTime"]))


def answer_for_room(sandbox: Sandbox, calendar: Calendar, event: Event, person: dict[str, Any]) -> None:
    """A room accepts by itself where it is free, else it declines."""
    start, end = span(event, calendar)
    taken = room_bookings(sandbox, person["email"], start, end, besides=event["id"])
    person["responseStatus"] = "declined" if taken else "accepted"


def guarded_event(call: Call, calendar: Calendar) -> Event:
    """The event to change, if the caller's If-Match still fits."""
    event = event_of(call, calendar)
    wanted = call.request.headers.get("if-match")
    if wanted not in (None, "*", etag(event["_seq"])):
        text = "Precondition Failed"
        gone = error(412, "conditionNotMet", text, location=("header", "If-Match"))
        raise Refusal(gone)
    return event


def patch(call: Call) -> Response:
    calendar = writable_calendar(call)
    event = guarded_event(call, calendar)
    body = body_of(call)
    changed = {**event}
    for side, values in (body.get("extendedProperties") or {}).items():
        held = {**event.get("extendedProperties", {})}
        merged = {**held.get(side, {}), **(values or {})}
        held[side] = {name: value for name, value in merged.items() if value is not None}
        body["extendedProperties"] = held
    apply(call, calendar, changed, body)
    calendar.events[event["id"]] = changed
    return json_response(200, shown(call, calendar, changed))


def update(call: Call) -> Response:
    """PUT: what the body does not name is taken away."""
    calendar = writable_calendar(call)
    event = guarded_event(call, calendar)
    body = body_of(call)
    changed = {
        name: value
        for name, value in event.items()
        if name not in WRITABLE or name in ("status", "eventType", "sequence", "reminders")
    }
    apply(call, calendar, changed, {name: value for name, value in body.items() if value is not None})
    calendar.events[event["id"]] = changed
    return json_response(200, shown(call, calendar, changed))


def delete(call: Call) -> Response:
    known_parameters(call, WRITE_PARAMETERS)
    calendar = writable_calendar(call)
    event = guarded_event(call, calendar)
    if event["status"] == "cancelled":
        raise Refusal(error(410, "deleted", "Resource has been deleted"))
    event["status"] = "cancelled"
    touch(call, event)
    return Response(204)


def remove(sandbox: Sandbox, calendar: Calendar, event_id: str) -> bool:
    """Delete as the calendar's owner would in the browser."""
    event = calendar.events.get(event_id)
    if event is None or event["status"] == "cancelled":
        return False
    event["status"] = "cancelled"
    event["_seq"] = sandbox.tick()
    return True


def move(sandbox: Sandbox, calendar: Calendar, event_id: str, wanted: dict[str, Any]) -> bool:
    """Move by hand as the calendar's owner would: start and end as in `seed`. Raises ValueError."""
    event = calendar.events.get(event_id)
    if event is None or event["status"] == "cancelled":
        return False
    changed = {**event, **edges(calendar, wanted), "_seq": sandbox.tick()}
    check_order(changed, calendar)
    calendar.events[event_id] = changed
    return True


def edges(calendar: Calendar, wanted: dict[str, Any]) -> dict[str, Any]:
    day = "T" not in wanted["start"]
    return {
        side: {"date": wanted[side]} if day else {"dateTime": wanted[side], "timeZone": calendar.time_zone}
        for side in ("start", "end")
    }


def check_order(event: Event, calendar: Calendar) -> None:
    start, end = span(event, calendar)
    if end <= start:
        raise ValueError("the event ends before it starts")


def seed(sandbox: Sandbox, account: Account, calendar: Calendar, wanted: dict[str, Any]) -> str:
    """Put an event as the owner would: title, start and end (moments with offset, or dates), show
    (busy, free), response, type, recurrence. Raises ValueError."""
    event = blank(sandbox, account, calendar, wanted.get("id") or secrets.token_hex(13))
    event |= edges(calendar, wanted)
    event["summary"] = wanted.get("title", "")
    if wanted.get("show") == "free":
        event["transparency"] = "transparent"
    if wanted.get("type"):
        event["eventType"] = wanted["type"]
    if wanted.get("status"):
        event["status"] = wanted["status"]
    if wanted.get("response"):
        event["attendees"] = [{"email": account.email, "responseStatus": wanted["response"]}]
    if wanted.get("recurrence"):
        event["recurrence"] = wanted["recurrence"]
        parse_rule(event["recurrence"], calendar.time_zone)
    check_order(event, calendar)
    event["_seq"] = sandbox.tick()
    calendar.events[event["id"]] = event
    return str(event["id"])
