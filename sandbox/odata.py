"""The part of OData that Graph's calendar calls need: $select, $top, $skip, $orderby, paging, zones."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from sandbox.microsoft_errors import refuse
from sandbox.times import zone
from sandbox.wire import Call, Response, json_response

Resource = dict[str, Any]

WINDOWS_ZONES = {
    "UTC": "UTC",
    "Tokyo Standard Time": "Asia/Tokyo",
    "Korea Standard Time": "Asia/Seoul",
    "China Standard Time": "Asia/Shanghai",
    "Singapore Standard Time": "Asia/Singapore",
    "India Standard Time": "Asia/Kolkata",
    "AUS Eastern Standard Time": "Australia/Sydney",
    "GMT Standard Time": "Europe/London",
    "Romance Standard Time": "Europe/Paris",
    "W. Europe Standard Time": "Europe/Berlin",
    "Eastern Standard Time": "America/New_York",
    "Central Standard Time": "America/Chicago",
    "Mountain Standard Time": "America/Denver",
    "Pacific Standard Time": "America/Los_Angeles",
}
MOST_ITEMS = 1000


def graph_zone(name: str) -> ZoneInfo:
    """A zone by its Windows or IANA name."""
    try:
        return zone(WINDOWS_ZONES.get(name, name))
    except ValueError as problem:
        text = f"A time zone with the name '{name}' was not found."
        raise refuse(400, "TimeZoneNotSupportedException", text) from problem


def windows_name(iana: str) -> str:
    return next((name for name, value in WINDOWS_ZONES.items() if value == iana), iana)


def preferred_zone(call: Call) -> str:
    found = re.search(r'outlook\.timezone="([^"]+)"', call.request.headers.get("prefer", ""))
    return found[1] if found else "UTC"


def read_time(value: Any, where: str) -> datetime:
    """A dateTimeTimeZone as aware UTC."""
    texts = isinstance(value, dict) and isinstance(value.get("timeZone"), str | None)
    if not texts or not isinstance(value.get("dateTime"), str):
        raise refuse(400, "RequestBodyRead", f"Cannot read '{where}' as microsoft.graph.dateTimeTimeZone.")
    try:
        at = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value["dateTime"]))
    except ValueError as problem:
        text = f"The value of '{where}' is not a date and time."
        raise refuse(400, "ErrorPropertyValidationFailure", text) from problem
    if at.tzinfo is None:
        at = at.replace(tzinfo=graph_zone(value.get("timeZone") or "UTC"))
    return at.astimezone(UTC)


def write_time(at: datetime, zone_name: str) -> dict[str, str]:
    local = at.astimezone(graph_zone(zone_name))
    return {"dateTime": local.strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": zone_name}


def read_moment(call: Call, name: str) -> datetime:
    """A query parameter like startDateTime; without an offset it is UTC."""
    text = call.request.query.get(name, "")
    try:
        at = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError as problem:
        message = (
            "This request requires a time window specified by the query string parameters StartDateTime and "
            "EndDateTime."
        )
        raise refuse(400, "ErrorInvalidParameter", message) from problem
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def number(call: Call, name: str, usual: int) -> int:
    text = call.request.query.get(name, str(usual))
    if not text.isdigit() or int(text) > 10**6 or (name == "$top" and not 1 <= int(text) <= MOST_ITEMS):
        raise refuse(400, "ErrorInvalidParameter", f"The value of {name} is not valid.")
    return int(text)


def selected(call: Call, known: frozenset[str]) -> set[str]:
    """The names in $select, or the refusal of an unknown one."""
    wanted = {name.strip() for name in call.request.query.get("$select", "").split(",") if name.strip()}
    for name in sorted(wanted - known):
        text = f"Parsing OData Select and Expand failed: Could not find a property named '{name}'."
        raise refuse(400, "RequestBroker--ParseUri", text)
    return wanted


def select(call: Call, resource: Resource, known: frozenset[str]) -> Resource:
    """Keep the selected properties; id and annotations always stay."""
    wanted = selected(call, known)
    if not wanted:
        return resource
    return {name: value for name, value in resource.items() if name in wanted or name == "id" or name.startswith("@")}


def collection(
    call: Call,
    found: list[Resource],
    show: Callable[[Resource], Resource],
    known: frozenset[str],
    usual: int = 10,
) -> Response:
    """One page of a collection, whose resources have the properties `known`, with the link to the next."""
    selected(call, known)
    size, first = number(call, "$top", usual), number(call, "$skip", 0)
    body: Resource = {
        "@odata.context": f"{call.request.base}/v1.0/$metadata",
        "value": [show(item) for item in found[first : first + size]],
    }
    if "$count" in call.request.query:
        body["@odata.count"] = len(found)
    if first + size < len(found):
        query = call.request.query | {"$skip": str(first + size)}
        body["@odata.nextLink"] = link(call, query)
    return json_response(200, body)


def link(call: Call, query: dict[str, str]) -> str:
    return f"{call.request.base}{quote(call.request.path)}?{urlencode(query, safe='$,')}"
