"""Microsoft: reading the events of Outlook calendars – lists, expansion, deltas."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.microsoft_errors import error, item_not_found, refuse
from sandbox.odata import (
    collection,
    graph_zone,
    link,
    preferred_zone,
    read_moment,
    read_time,
    select,
    write_time,
)
from sandbox.state import Calendar
from sandbox.times import Rule, midnight, occurrences
from sandbox.wire import Call, Refusal, Response, json_response

Event = dict[str, Any]

LONGEST_VIEW = timedelta(days=1825)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SHOW_AS = ("free", "tentative", "busy", "oof", "workingElsewhere", "unknown")
# What a client may write, with the JSON type that Graph wants
EDGE = {"dateTime": str, "timeZone": str}
PLACE = {
    "displayName": str,
    "locationEmailAddress": str,
    "locationUri": str,
    "locationType": str,
    "uniqueId": str,
    "uniqueIdType": str,
    "address": dict,
    "coordinates": dict,
}
GUEST = {
    "emailAddress": {"name": str, "address": str},
    "type": str,
    "status": {"response": str, "time": str},
    "proposedNewTime": {"start": EDGE, "end": EDGE},
}
# What may be written, and of which kind; a list holds items of its first one.
WRITABLE: dict[str, Any] = {
    "subject": str,
    "body": {"contentType": str, "content": str},
    "start": EDGE,
    "end": EDGE,
    "location": PLACE,
    "locations": [PLACE],
    "attendees": [GUEST],
    "isAllDay": bool,
    "showAs": str,
    "transactionId": str,
    "isOnlineMeeting": bool,
    "onlineMeetingProvider": str,
    "recurrence": {"pattern": dict, "range": dict},
    "reminderMinutesBeforeStart": int,
    "isReminderOn": bool,
    "sensitivity": str,
    "importance": str,
    "categories": [str],
    "allowNewTimeProposals": bool,
    "hideAttendees": bool,
    "responseRequested": bool,
    "singleValueExtendedProperties": [{"id": str, "value": str}],
}
PROPERTIES = frozenset(WRITABLE) | {
    "id",
    "changeKey",
    "createdDateTime",
    "lastModifiedDateTime",
    "iCalUId",
    "bodyPreview",
    "hasAttachments",
    "isCancelled",
    "isDraft",
    "isOrganizer",
    "onlineMeeting",
    "onlineMeetingUrl",
    "organizer",
    "originalStart",
    "originalStartTimeZone",
    "originalEndTimeZone",
    "responseStatus",
    "seriesMasterId",
    "type",
    "webLink",
}


# Calendars and times


def calendar_of(call: Call) -> Calendar:
    """The calendar named in the path (or the default one), or why it cannot be read."""
    wanted = call.parts.get("calendar")
    calendar = call.user.calendars.get(wanted) if wanted else call.user.primary
    if calendar is None or calendar.room:
        raise item_not_found()
    for fault in call.sandbox.active_faults(call.user, call.route):
        if fault.name == "calendar_error" and fault.params.get("calendar_id", calendar.id) == calendar.id:
            if fault.params.get("reason") == "notFound":
                raise item_not_found()
            raise refuse(500, "ErrorInternalServerError", "An internal server error occurred.")
    return calendar


def span(event: Event, calendar: Calendar) -> tuple[datetime, datetime]:
    """Start and end as aware UTC; all-day events are days of the calendar's zone."""
    if event["isAllDay"]:
        day = [midnight(event[side]["dateTime"][:10], calendar.time_zone) for side in ("start", "end")]
        return day[0], day[1]
    return read_time(event["start"], "start"), read_time(event["end"], "end")


def alive(calendar: Calendar) -> list[Event]:
    return [event for event in calendar.events.values() if not event.get("_gone")]


def rule_of(event: Event, zone: ZoneInfo) -> Rule | None:
    """Graph's recurrence as a rule; daily and weekly patterns only."""
    recurrence = event.get("recurrence")
    if not recurrence:
        return None
    pattern, limits = recurrence["pattern"], recurrence["range"]
    if pattern["type"] not in ("daily", "weekly"):
        raise refuse(400, "ErrorPropertyValidationFailure", "Only daily and weekly patterns are known here.")
    until = None
    if limits.get("type") == "endDate":
        last = datetime.fromisoformat(limits["endDate"]).replace(tzinfo=zone)
        until = (last + timedelta(days=1, seconds=-1)).astimezone(UTC)
    return Rule(
        pattern["type"].upper(),
        int(pattern.get("interval", 1)),
        int(limits["numberOfOccurrences"]) if limits.get("type") == "numbered" else None,
        until,
        tuple(WEEKDAYS.index(day.lower()) for day in pattern.get("daysOfWeek", [])),
    )


def expand(event: Event, calendar: Calendar, start: datetime, end: datetime) -> Iterator[Event]:
    """The event, or the occurrences of its series, that overlap [start, end)."""
    first, last = span(event, calendar)
    zone_name = event["originalStartTimeZone"]
    rule = rule_of(event, graph_zone(zone_name))
    if rule is None:
        if last > start and first < end:
            yield event
        return
    for begins in occurrences(first, str(graph_zone(zone_name)), rule, end):
        ends = begins + (last - first)
        if ends > start:
            made = {name: value for name, value in event.items() if name != "recurrence"}
            yield made | {
                "id": f"{event['id']}.{begins:%Y%m%dT%H%M}",
                "seriesMasterId": event["id"],
                "type": "occurrence",
                "start": write_time(begins, "UTC"),
                "end": write_time(ends, "UTC"),
            }


def shown(call: Call, calendar: Calendar, event: Event) -> Event:
    """The event as it is sent: wanted properties, times in the preferred zone."""
    answer: Event = {"@odata.etag": f'W/"{event["changeKey"]}"'}
    answer |= {name: value for name, value in event.items() if not name.startswith("_")}
    zone_name = preferred_zone(call)
    graph_zone(zone_name)
    for side in ("start", "end"):
        if event["isAllDay"]:
            answer[side] = {"dateTime": event[side]["dateTime"], "timeZone": zone_name}
        else:
            answer[side] = write_time(read_time(event[side], side), zone_name)
    held = answer.pop("singleValueExtendedProperties", [])
    wanted = re.search(r"singleValueExtendedProperties\(\$filter=(.+)\)", call.request.query.get("$expand", ""))
    answer = select(call, answer, PROPERTIES)
    if wanted:
        ids = re.findall(r"id eq '([^']+)'", wanted[1])
        kept = [item for item in held if item["id"] in ids]
        if kept:
            answer["singleValueExtendedProperties"] = kept
    return answer


# Reading


def filtered(call: Call, found: list[Event]) -> list[Event]:
    """Apply $filter (an own extended property only) and $orderby (start only)."""
    wanted = call.request.query.get("$filter")
    if wanted is not None:
        match = re.fullmatch(
            r"singleValueExtendedProperties/[Aa]ny\(\w+:\s*\w+/id eq '([^']+)' and \w+/value eq '([^']+)'\)",
            wanted.strip(),
        )
        if match is None:
            raise refuse(400, "ErrorInvalidUrlQueryFilter", "The filter expression is not supported here.")
        pair = {"id": match[1], "value": match[2]}
        found = [event for event in found if pair in event.get("singleValueExtendedProperties", [])]
    order = call.request.query.get("$orderby", "start/dateTime")
    if order not in ("start/dateTime", "start/dateTime asc", "start/dateTime desc"):
        raise refuse(400, "ErrorInvalidUrlQuery", "The ordering is not supported here.")
    return sorted(found, key=lambda event: event["start"]["dateTime"], reverse=order.endswith("desc"))


def window(call: Call) -> tuple[datetime, datetime]:
    start, end = read_moment(call, "startDateTime"), read_moment(call, "endDateTime")
    if end < start:
        raise refuse(400, "ErrorInvalidParameter", "The end of the time window is before its start.")
    if end - start > LONGEST_VIEW:
        text = "Your request can't be completed. The range between the start and end dates is greater than 1825 days."
        raise refuse(400, "ErrorInvalidRequest", text)
    return start, end


def calendar_view(call: Call) -> Response:
    calendar = calendar_of(call)
    start, end = window(call)
    found = [made for event in alive(calendar) for made in expand(event, calendar, start, end)]
    return collection(call, filtered(call, found), lambda event: shown(call, calendar, event), PROPERTIES)


def listing(call: Call) -> Response:
    calendar = calendar_of(call)
    return collection(call, filtered(call, alive(calendar)), lambda event: shown(call, calendar, event), PROPERTIES)


def delta(call: Call) -> Response:
    """Changes since a token, page by page; the window is fixed in the links."""
    calendar = calendar_of(call)
    query = call.request.query
    for name in ("$select", "$expand", "$filter", "$orderby", "$search"):
        if name in query:
            raise refuse(400, "ErrorInvalidUrlQuery", f"The following parameters are not supported: {name}.")
    token = query.get("$skiptoken") or query.get("$deltatoken")
    held: dict[str, Any]
    if token is None:
        held = {"since": 0, "epoch": calendar.sync_epoch, "window": [item.isoformat() for item in window(call)]}
    else:
        try:
            held = json.loads(base64.urlsafe_b64decode(token))
        except ValueError:
            held = {"epoch": None}
        if held["epoch"] != calendar.sync_epoch:
            text = "The sync state generation is not found; continue with a full sync."
            raise Refusal(error(410, "syncStateNotFound", text))
    start, end = (datetime.fromisoformat(item) for item in held["window"])
    until = held.setdefault("until", call.sandbox.state.sequence)
    changes = [
        item
        for event in calendar.events.values()
        if held["since"] < event["_seq"] <= until
        for item in told(call, calendar, event, start, end, first=held["since"] == 0)
    ]
    asked = re.search(r"odata\.maxpagesize=(\d+)", call.request.headers.get("prefer", ""))
    first, size = held.get("from", 0), int(asked[1]) if asked else 10
    body = {
        "@odata.context": f"{call.request.base}/v1.0/$metadata#Collection(event)",
        "value": changes[first : first + size],
    }
    if first + size < len(changes):
        body["@odata.nextLink"] = state_link(call, "$skiptoken", {**held, "from": first + size})
    else:
        following = {"since": until, "epoch": held["epoch"], "window": held["window"]}
        body["@odata.deltaLink"] = state_link(call, "$deltatoken", following)
    return json_response(200, body)


def state_link(call: Call, name: str, held: dict[str, Any]) -> str:
    return link(call, {name: base64.urlsafe_b64encode(json.dumps(held).encode()).decode()})


def told(
    call: Call, calendar: Calendar, event: Event, start: datetime, end: datetime, *, first: bool
) -> Iterator[Event]:
    """What a delta says of one event: nothing but a removal where it is gone or outside the window; of a series
    the master in full and its occurrences as bare times. The first round knows no removals."""
    made = [] if event.get("_gone") else list(expand(event, calendar, start, end))
    if not made:
        if not first:
            yield {"id": event["id"], "@removed": {"reason": "deleted"}}
        return
    if event.get("recurrence"):
        yield shown(call, calendar, event)
    for each in made:
        item = shown(call, calendar, each)
        bare = ("@odata.etag", "id", "seriesMasterId", "type", "start", "end")
        yield {name: item[name] for name in bare} if item["type"] == "occurrence" else item


def find_event(call: Call) -> tuple[Calendar, Event]:
    wanted = call.parts["event"]
    for calendar in call.user.calendars.values():
        event = calendar.events.get(wanted.partition(".")[0])
        if event is not None and not event.get("_gone") and call.parts.get("calendar", calendar.id) == calendar.id:
            if "." in wanted:
                begins = datetime.strptime(wanted.partition(".")[2], "%Y%m%dT%H%M").replace(tzinfo=UTC)
                event = next(expand(event, calendar, begins, begins + timedelta(minutes=1)), event)
            return calendar, event
    raise item_not_found()


def get(call: Call) -> Response:
    calendar, event = find_event(call)
    return json_response(200, shown(call, calendar, event))
