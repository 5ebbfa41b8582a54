"""Google: Meet links on events, which are asked for first and there at the next look."""

from __future__ import annotations

import secrets
from typing import Any

from sandbox.google_errors import bad
from sandbox.state import Calendar
from sandbox.wire import Call

Event = dict[str, Any]


def touch(call: Call, event: Event) -> None:
    """Mark a change: new sequence number (etag, sync) and time."""
    event["_seq"] = call.sandbox.tick()
    event["updated"] = call.sandbox.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")[:-4] + "Z"


def meet_allowed(call: Call, calendar: Calendar) -> bool:
    return calendar.conferences and call.user.licensed and not call.has("no_licence")


def request_link(call: Call, calendar: Calendar, event: Event, wanted: dict[str, Any] | None) -> None:
    """Apply the `conferenceData` of a write: null takes the link away, a new request makes one."""
    if wanted is None:
        event.pop("conferenceData", None)
        event.pop("hangoutLink", None)
        return
    request = wanted.get("createRequest")
    if request is None:
        return
    held = event.get("conferenceData", {}).get("createRequest", {})
    if held.get("requestId") == request.get("requestId"):
        return  # Google ignores a repeated request
    kind = request.get("conferenceSolutionKey", {}).get("type", "hangoutsMeet")
    if kind != "hangoutsMeet" or not meet_allowed(call, calendar):
        raise bad("Invalid conference type value.")
    if not request.get("requestId"):
        raise bad("Missing conference request id.", "required")
    event["conferenceData"] = {
        "createRequest": {
            "requestId": request["requestId"],
            "conferenceSolutionKey": {"type": kind},
            "status": {"statusCode": "pending"},
        }
    }


def settle(call: Call, event: Event) -> Event:
    """A pending link is ready, or has failed, by the next look at the event."""
    request = event.get("conferenceData", {}).get("createRequest", {})
    if request.get("status", {}).get("statusCode") == "pending":
        if call.has("meet_failed"):
            request["status"]["statusCode"] = "failure"
        else:
            request["status"]["statusCode"] = "success"
            add_link(event)
        touch(call, event)
    return event


def add_link(event: Event) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    code = "-".join("".join(secrets.choice(letters) for _ in range(size)) for size in (3, 4, 3))
    event["hangoutLink"] = f"https://meet.google.com/{code}"
    video = {
        "entryPointType": "video",
        "uri": event["hangoutLink"],
        "label": f"meet.google.com/{code}",
    }
    event["conferenceData"] |= {
        "conferenceId": code,
        "conferenceSolution": {"key": {"type": "hangoutsMeet"}, "name": "Google Meet"},
        "entryPoints": [video],
    }
