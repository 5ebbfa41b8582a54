"""Microsoft: getSchedule, free/busy by address."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox import microsoft_events as events
from sandbox.microsoft_errors import refuse
from sandbox.odata import preferred_zone, read_time, write_time
from sandbox.state import Account, Calendar
from sandbox.wire import Call, Response, json_response

LONGEST_SCHEDULE = timedelta(days=62)
MOST_SCHEDULES = 20
DIGITS = {"free": "0", "workingElsewhere": "0", "tentative": "1", "busy": "2", "oof": "3", "unknown": "2"}


def get_schedule(call: Call) -> Response:
    """Free/busy by address, work accounts only; an address that fails is an error inside a 200."""
    if call.user.personal:
        raise refuse(400, "BadRequest", "This operation is not supported for personal Microsoft accounts.")
    body = call.request.json()
    wanted = body.get("schedules") or body.get("Schedules")
    if not isinstance(wanted, list) or not all(isinstance(item, str) for item in wanted):
        raise refuse(400, "RequestBodyRead", "The parameter 'schedules' is a collection of strings.")
    start = read_time(body.get("startTime") or body.get("StartTime"), "startTime")
    end = read_time(body.get("endTime") or body.get("EndTime"), "endTime")
    step = body.get("availabilityViewInterval", body.get("AvailabilityViewInterval", 30))
    if not isinstance(step, int) or not 5 <= step <= 1440:
        raise refuse(400, "ErrorInvalidMergedFreeBusyInterval", "The interval must be from 5 to 1440 minutes.")
    if end <= start:
        raise refuse(400, "ErrorInvalidTimeInterval", "The time interval is not valid.")
    if end - start > LONGEST_SCHEDULE:
        raise refuse(400, "ErrorTimeIntervalTooBig", "The requested time duration is too large.")
    if len(wanted) > MOST_SCHEDULES:
        raise refuse(400, "ErrorMailboxDataArrayTooBig", "The number of mailboxes is too large.")
    value = [schedule(call, address, start, end, step) for address in wanted]
    context = f"{call.request.base}/v1.0/$metadata#Collection(microsoft.graph.scheduleInformation)"
    return json_response(200, {"@odata.context": context, "value": value})


def schedule(call: Call, address: str, start: datetime, end: datetime, step: int) -> dict[str, Any]:
    for fault in call.sandbox.active_faults(call.user, call.route):
        if fault.name == "calendar_error" and fault.params.get("calendar_id", address) == address:
            code = "5009" if fault.params.get("reason") == "notFound" else "5001"
            return failed(address, "The mailbox could not be read.", code)
    found = readable(call, address)
    if found is None:
        return failed(address, "Unable to resolve e-mail address to an Active Directory object.", "5009")
    items = sorted(
        (events.span(made, found), made["showAs"], made["subject"])
        for event in events.alive(found)
        if not event["isCancelled"] and event["responseStatus"]["response"] != "declined"
        for made in events.expand(event, found, start, end)
        if made["showAs"] != "free"
    )
    zone_name = preferred_zone(call)
    return {
        "scheduleId": address,
        "availabilityView": view([(span, show) for span, show, _ in items], start, end, step),
        "scheduleItems": [
            {
                "isPrivate": False,
                "status": show,
                "subject": subject,
                "location": "",
                "isMeeting": False,
                "isRecurring": False,
                "isException": False,
                "isReminderSet": True,
                "start": write_time(span[0], zone_name),
                "end": write_time(span[1], zone_name),
            }
            for span, show, subject in items
        ],
        "workingHours": {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": "08:00:00.0000000",
            "endTime": "17:00:00.0000000",
            "timeZone": {"name": "Tokyo Standard Time"},
        },
    }


def failed(address: str, message: str, code: str) -> dict[str, Any]:
    return {"scheduleId": address, "error": {"message": message, "responseCode": code}}


def readable(call: Call, address: str) -> Calendar | None:
    """The default calendar of somebody in the same organisation, or a room."""
    own = call.user.calendars.get(address)
    if own is not None and own.room:
        return own
    account = call.sandbox.account("microsoft", address)
    if account is None or account.personal or domain(account) != domain(call.user):
        return None
    return account.primary


def view(items: list[tuple[tuple[datetime, datetime], str]], start: datetime, end: datetime, step: int) -> str:
    digits = ""
    while start < end:
        after = start + timedelta(minutes=step)
        digits += max((DIGITS[show] for span, show in items if span[0] < after and span[1] > start), default="0")
        start = after
    return digits


def domain(account: Account) -> str:
    return account.email.partition("@")[2]
