"""Microsoft: Teams links, on events and as meetings of their own."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sandbox.microsoft_errors import bad_body, error, refuse
from sandbox.state import Calendar
from sandbox.wire import Call, Refusal, Response, json_response

Meeting = dict[str, Any]

WRITABLE: dict[str, type | tuple[type, ...]] = {
    "startDateTime": str,
    "endDateTime": str,
    "subject": (str, type(None)),
    "externalId": str,
    "lobbyBypassSettings": dict,
    "allowedPresenters": str,
    "isEntryExitAnnounced": bool,
    "participants": dict,
}
READ_ONLY = ("id", "creationDateTime", "joinWebUrl", "joinUrl", "videoTeleconferenceId", "chatInfo")


def licensed(call: Call) -> bool:
    return call.user.licensed and not call.user.personal and not call.has("no_licence")


def teams_allowed(call: Call, calendar: Calendar) -> bool:
    return licensed(call) and calendar.conferences


def join_url() -> str:
    thread = quote(f"19:meeting_{secrets.token_urlsafe(24)}@thread.v2", safe="")
    context = quote(f'{{"Tid":"{uuid.uuid4()}","Oid":"{uuid.uuid4()}"}}', safe="")
    return f"https://teams.microsoft.com/l/meetup-join/{thread}/0?context={context}"


def add_link(event: dict[str, Any]) -> None:
    """Make an event a Teams meeting; the join block becomes part of its body."""
    address = join_url()
    block = f'<div class="me-email-text"><a href="{address}">Join the meeting now</a></div>'
    event |= {
        "isOnlineMeeting": True,
        "onlineMeetingProvider": "teamsForBusiness",
        "onlineMeeting": {"joinUrl": address},
        "body": {"contentType": "html", "content": event["body"].get("content", "") + block},
    }


def require_licence(call: Call) -> None:
    if not licensed(call):
        raise Refusal(error(403, "Forbidden", ""))


def read_body(call: Call) -> Meeting:
    body = call.request.json()
    for name, value in body.items():
        if name.startswith("@"):
            continue
        if name not in WRITABLE:
            known = "is read-only" if name in READ_ONLY else "does not exist on type 'microsoft.graph.onlineMeeting'"
            raise bad_body(f"The property '{name}' {known}.")
        if not isinstance(value, WRITABLE[name]):
            raise bad_body(f"The value of '{name}' is of the wrong type.")
    return {name: value for name, value in body.items() if not name.startswith("@")}


def moment_text(body: Meeting, name: str, default: datetime) -> str:
    """A dateTimeOffset, given back in UTC."""
    if name not in body:
        return default.strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        at = datetime.fromisoformat(body[name])
    except ValueError as problem:
        raise bad_body(f"Cannot convert the literal '{body[name]}' to 'Edm.DateTimeOffset'.") from problem
    if at.tzinfo is None:
        raise bad_body(f"Cannot convert the literal '{body[name]}' to 'Edm.DateTimeOffset'.")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_span(call: Call, body: Meeting) -> tuple[str, str]:
    now = call.sandbox.now()
    start, end = moment_text(body, "startDateTime", now), moment_text(body, "endDateTime", now)
    if end < start:
        raise refuse(400, "BadRequest", "The end time is before the start time.")
    return start, end


def make(call: Call, body: Meeting) -> Meeting:
    now = call.sandbox.now()
    start, end = read_span(call, body)
    meeting = {
        "id": "MSo" + secrets.token_urlsafe(48).replace("_", "x"),
        "creationDateTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "subject": body.get("subject"),
        "externalId": body.get("externalId"),
        "startDateTime": start,
        "endDateTime": end,
        "joinWebUrl": join_url(),
        "participants": {"organizer": {"upn": call.user.email, "role": "presenter"}, "attendees": []},
        "allowedPresenters": body.get("allowedPresenters", "everyone"),
        "videoTeleconferenceId": str(secrets.randbelow(900_000_000) + 100_000_000),
        "joinMeetingIdSettings": {
            "isPasscodeRequired": True,
            "joinMeetingId": str(secrets.randbelow(9 * 10**11) + 10**11),
            "passcode": secrets.token_urlsafe(5),
        },
    }
    call.user.meetings[meeting["id"]] = meeting
    return meeting


def create(call: Call) -> Response:
    require_licence(call)
    return json_response(201, make(call, read_body(call)))


def create_or_get(call: Call) -> Response:
    """The meeting with this externalId: 201 if it is new, 200 if it was there."""
    require_licence(call)
    body = read_body(call)
    read_span(call, body)
    external = body.get("externalId")
    if not external:
        raise refuse(400, "BadRequest", "The externalId is required.")
    for meeting in call.user.meetings.values():
        if meeting["externalId"] == external:
            return json_response(200, meeting)
    return json_response(201, make(call, body))


def find(call: Call) -> Meeting:
    require_licence(call)
    meeting = call.user.meetings.get(call.parts["meeting"])
    if meeting is None:
        raise refuse(404, "NotFound", "The meeting was not found.")
    return meeting


def get(call: Call) -> Response:
    return json_response(200, find(call))


def update(call: Call) -> Response:
    meeting, body = find(call), read_body(call)
    now = call.sandbox.now()
    changes = {name: moment_text(body, name, now) for name in ("startDateTime", "endDateTime") if name in body}
    meeting |= changes | {name: body[name] for name in ("subject", "allowedPresenters") if name in body}
    return json_response(200, meeting)


def delete(call: Call) -> Response:
    del call.user.meetings[find(call)["id"]]
    return Response(204)


def listing(call: Call) -> Response:
    """Meetings can only be looked up by their join address."""
    require_licence(call)
    wanted = call.request.query.get("$filter", "")
    name, _, value = wanted.partition(" eq ")
    if name.strip().lower() != "joinweburl":
        raise refuse(400, "InvalidArgument", "Filter expression expected: JoinWebUrl eq '...'")
    found = [item for item in call.user.meetings.values() if item["joinWebUrl"] == value.strip().strip("'")]
    return json_response(200, {"value": found})
