"""Google: reading the events of a calendar – lists with pages and sync tokens, expansion, busy times."""

from __future__ import annotations

import base64
import binascii
import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sandbox.google_errors import bad, error, not_found
from sandbox.google_meet import settle
from sandbox.state import Account, Calendar, Sandbox
from sandbox.times import midnight, moment, occurrences, parse_rule, utc_text, zone
from sandbox.wire import Call, Refusal, Response, json_response

Event = dict[str, Any]

FAR = datetime(9000, 1, 1, tzinfo=UTC)
COMMON_PARAMETERS = {"alt", "fields", "key", "oauth_token", "prettyPrint", "quotaUser", "userIp"}
LIST_PARAMETERS = COMMON_PARAMETERS | {
    "alwaysIncludeEmail",
    "eventTypes",
    "iCalUID",
    "maxAttendees",
    "maxResults",
    "orderBy",
    "pageToken",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "showDeleted",
    "showHiddenInvitations",
    "singleEvents",
    "syncToken",
    "timeMax",
    "timeMin",
    "timeZone",
    "updatedMin",
}
NOT_WITH_SYNC_TOKEN = (
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
)
EVENT_TYPES = ("birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation")


# Calendars


def find_calendar(account: Account, calendar_id: str) -> Calendar | None:
    return account.primary if calendar_id == "primary" else account.calendars.get(calendar_id)


def calendar_of(call: Call) -> Calendar:
    """The calendar named in the path, or the refusal that it is unknown or, by fault, unreadable."""
    calendar = find_calendar(call.user, call.parts["calendar"])
    if calendar is None:
        raise Refusal(not_found())
    for fault in call.sandbox.active_faults(call.user, call.route):
        if fault.name == "calendar_error" and fault.params.get("calendar_id", calendar.id) == calendar.id:
            if fault.params.get("reason") == "notFound":
                raise Refusal(not_found())
            raise Refusal(error(500, "backendError", "Backend Error", rpc="INTERNAL"))
    return calendar


def writable_calendar(call: Call) -> Calendar:
    calendar = calendar_of(call)
    if not calendar.writable or calendar.room:
        text = "You need to have writer access to this calendar."
        raise Refusal(error(403, "requiredAccessLevel", text, domain="calendar"))
    return calendar


# Small forms


def etag(sequence: int) -> str:
    return f'"{3_400_000_000_000_000 + sequence}"'


def opaque(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def read_opaque(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(base64.urlsafe_b64decode(text))
    except (binascii.Error, ValueError):
        return None
    return value if isinstance(value, dict) else None


def page_token(first: int) -> str:
    return opaque({"from": first})


def page_bounds(query: dict[str, str], usual: int, most: int) -> tuple[int, int]:
    """First and last place (exclusive) of the wanted page."""
    size = query.get("maxResults", str(usual))
    if not size.isdigit() or int(size) < 1:
        raise bad("Invalid value for maxResults.")
    first = 0
    if "pageToken" in query:
        token = read_opaque(query["pageToken"])
        if token is None or "from" not in token:
            raise bad("Invalid page token value.")
        first = int(token["from"])
    return first, first + min(int(size), most)


def local_time(value: datetime, zone_name: str) -> str:
    """Google writes `Z` for UTC and an offset elsewhere."""
    if zone_name in ("UTC", "Etc/UTC", "GMT"):
        return utc_text(value)
    return value.astimezone(zone(zone_name)).isoformat(timespec="seconds")


def span(event: Event, calendar: Calendar) -> tuple[datetime, datetime]:
    """Start and end as aware UTC; all-day dates are days of the calendar's zone, the end exclusive."""
    start, end = (
        midnight(event[side]["date"], calendar.time_zone)
        if event[side].get("date")
        else moment(event[side]["dateTime"], event[side].get("timeZone") or calendar.time_zone)
        for side in ("start", "end")
    )
    return start, end


def shown(call: Call, calendar: Calendar, event: Event, zone_name: str = "") -> Event:
    """The event as it is sent: without our own marks, times in the wanted zone, `self` where it is us."""
    answer = {name: copy.deepcopy(value) for name, value in event.items() if not name.startswith("_")}
    for side in ("start", "end", "originalStartTime"):
        if "dateTime" in answer.get(side, {}):
            at = moment(answer[side]["dateTime"], answer[side].get("timeZone") or calendar.time_zone)
            answer[side]["dateTime"] = local_time(at, zone_name or calendar.time_zone)
    for person in answer.get("attendees", []):
        if person["email"].lower() == call.user.email:
            person["self"] = True
    answer["etag"] = etag(event["_seq"])
    return answer


# Expansion and busy times


def expand(event: Event, calendar: Calendar, start: datetime, end: datetime) -> Iterator[Event]:
    """The event, or the instances of its series, that overlap [start, end)."""
    first, last = span(event, calendar)
    zone_name = event["start"].get("timeZone") or calendar.time_zone
    rule = parse_rule(event.get("recurrence") or [], zone_name)
    if rule is None:
        if last > start and first < end:
            yield event
        return
    for begins in occurrences(first, zone_name, rule, end):
        if begins + (last - first) > start:
            yield instance(event, begins, begins + (last - first), zone_name)


def instance(event: Event, start: datetime, end: datetime, zone_name: str) -> Event:
    made = {name: value for name, value in event.items() if name != "recurrence"}
    if "date" in event["start"]:
        days = {"start": start.astimezone(zone(zone_name)), "end": end.astimezone(zone(zone_name))}
        made |= {side: {"date": day.date().isoformat()} for side, day in days.items()}
        made["id"] = f"{event['id']}_{days['start']:%Y%m%d}"
    else:
        made |= {
            "start": {"dateTime": utc_text(start), "timeZone": zone_name},
            "end": {"dateTime": utc_text(end), "timeZone": zone_name},
            "id": f"{event['id']}_{start:%Y%m%dT%H%M%SZ}",
        }
    return made | {"recurringEventId": event["id"], "originalStartTime": made["start"]}


def is_busy(account: Account, event: Event) -> bool:
    declined = any(
        person["email"].lower() == account.email and person.get("responseStatus") == "declined"
        for person in event.get("attendees", [])
    )
    return not (
        declined
        or event["status"] == "cancelled"
        or event.get("transparency") == "transparent"
        or event.get("eventType") in ("workingLocation", "birthday")
    )


def busy_times(call: Call, calendar: Calendar, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Merged busy times within [start, end); a room is also busy where it was booked as an attendee."""
    spans = [
        span(made, calendar)
        for event in calendar.events.values()
        if is_busy(call.user, event)
        for made in expand(event, calendar, start, end)
    ]
    if calendar.room:
        spans += room_bookings(call.sandbox, calendar.id, start, end)
    merged: list[tuple[datetime, datetime]] = []
    for begins, ends in sorted((max(a, start), min(b, end)) for a, b in spans):
        if merged and begins <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ends))
        else:
            merged.append((begins, ends))
    return merged


def room_bookings(
    sandbox: Sandbox, room: str, start: datetime, end: datetime, besides: str = ""
) -> list[tuple[datetime, datetime]]:
    """Where any calendar's event holds this room, except the event `besides`."""
    return [
        span(made, calendar)
        for account in sandbox.accounts("google")
        for calendar in account.calendars.values()
        for event in calendar.events.values()
        if event["status"] != "cancelled" and event["id"] != besides
        for person in event.get("attendees", [])
        if person["email"] == room and person.get("responseStatus") != "declined"
        for made in expand(event, calendar, start, end)
    ]


# Reading


def known_parameters(call: Call, known: set[str]) -> dict[str, str]:
    for name in call.request.query:
        if name not in known:
            text = f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.'
            raise Refusal(error(400, "badRequest", text, rpc="INVALID_ARGUMENT"))
    return call.request.query


def true(query: dict[str, str], name: str) -> bool:
    value = query.get(name, "false")
    if value not in ("true", "false", "True", "False"):
        raise bad(f"Invalid value for {name}.")
    return value.lower() == "true"


def listing(call: Call) -> Response:
    calendar = calendar_of(call)
    query = known_parameters(call, LIST_PARAMETERS)
    types = call.request.query_all("eventTypes")
    if any(kind not in EVENT_TYPES for kind in types):
        raise bad("Invalid value for eventTypes.")
    if query.get("orderBy", "startTime") not in ("startTime", "updated"):
        raise bad("Invalid value for orderBy.")
    single, deleted, since = true(query, "singleEvents"), true(query, "showDeleted"), 0
    if query.get("orderBy") == "startTime" and not single:
        raise bad("The requested ordering is not available for the particular query.", "badRequest")
    kept = {name: query[name] for name in ("timeMin", "timeMax") if name in query}
    if "syncToken" in query:
        # What changed is told whatever its time: an event that left the first reading's range, too.
        token = read_sync_token(calendar, query)
        since, single, deleted, kept = token["seq"], token["single"], True, token["range"]
    start, end = list_range(query, single)
    found = [
        made
        for event in list(calendar.events.values())
        if event["_seq"] > since
        and (deleted or event["status"] != "cancelled")
        and (not types or event.get("eventType", "default") in types)
        and matches(call, event)
        for made in (expand if single else whole)(event, calendar, start, end)
    ]
    if query.get("orderBy") == "updated":
        found.sort(key=lambda event: event["updated"])
    else:
        found.sort(key=lambda event: (span(event, calendar)[0], event["id"]))
    first, last = page_bounds(query, 250, 2500)
    zone_name = query.get("timeZone", "")
    check_zone(zone_name)
    body: dict[str, Any] = {
        "kind": "calendar#events",
        "etag": etag(call.sandbox.state.sequence),
        "summary": calendar.name,
        "updated": call.sandbox.now().isoformat(timespec="milliseconds"),
        "timeZone": zone_name or calendar.time_zone,
        "accessRole": "owner" if calendar.writable else "reader",
        "defaultReminders": [],
        "items": [shown(call, calendar, settle(call, event), zone_name) for event in found[first:last]],
    }
    if last < len(found):
        body["nextPageToken"] = page_token(last)
    elif not {"orderBy", "q", "updatedMin"} & query.keys():
        body["nextSyncToken"] = opaque(
            {"seq": call.sandbox.state.sequence, "epoch": calendar.sync_epoch, "single": single, "range": kept}
        )
    return json_response(200, body)


def whole(event: Event, calendar: Calendar, start: datetime, end: datetime) -> Iterator[Event]:
    """The series itself, if anything of it overlaps."""
    if next(expand(event, calendar, start, end), None) is not None:
        yield event


def read_sync_token(calendar: Calendar, query: dict[str, str]) -> dict[str, Any]:
    for name in NOT_WITH_SYNC_TOKEN:
        if name in query:
            raise bad(f"Sync token cannot be used with {name}.", "invalidParameter")
    token = read_opaque(query["syncToken"])
    if token is None or token.get("epoch") != calendar.sync_epoch:
        text = "Sync token is no longer valid, a full sync is required."
        gone = error(410, "fullSyncRequired", text, domain="calendar", location=("parameter", "syncToken"))
        raise Refusal(gone)
    return token


def list_range(query: dict[str, str], single: bool) -> tuple[datetime, datetime]:
    try:
        start = moment(query["timeMin"]) if "timeMin" in query else datetime(1970, 1, 1, tzinfo=UTC)
        end = moment(query["timeMax"]) if "timeMax" in query else FAR
    except ValueError as problem:
        raise bad("Bad Request", "badRequest") from problem
    if "timeMin" in query and "timeMax" in query and end <= start:
        raise bad("The specified time range is empty.", "timeRangeEmpty")
    if "timeMax" not in query and single:
        end = start.replace(year=max(start.year, 2000) + 40)
    return start, end


def check_zone(name: str) -> None:
    try:
        zone(name or "UTC")
    except ValueError as problem:
        raise bad("Invalid time zone definition.") from problem


def matches(call: Call, event: Event) -> bool:
    query = call.request.query
    if "iCalUID" in query and event["iCalUID"] != query["iCalUID"]:
        return False
    if "updatedMin" in query and event["updated"] < query["updatedMin"]:
        return False
    if "q" in query and query["q"].lower() not in json.dumps(event, ensure_ascii=False).lower():
        return False
    for side in ("private", "shared"):
        held = event.get("extendedProperties", {}).get(side, {})
        for wanted in call.request.query_all(f"{side}ExtendedProperty"):
            name, _, value = wanted.partition("=")
            if held.get(name) != value:
                return False
    return True


def event_of(call: Call, calendar: Calendar) -> Event:
    event = calendar.events.get(call.parts["event"])
    if event is None:
        raise Refusal(not_found())
    return event


def get(call: Call) -> Response:
    calendar = calendar_of(call)
    event = settle(call, event_of(call, calendar))
    zone_name = call.request.query.get("timeZone", "")
    check_zone(zone_name)
    answer = shown(call, calendar, event, zone_name)
    if call.request.headers.get("if-none-match") == answer["etag"]:
        return Response(304, headers={"ETag": answer["etag"]})
    return json_response(200, answer, {"ETag": answer["etag"]})
