"""Zoom: the user and their meetings."""

from __future__ import annotations

import random
import secrets
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.state import Account
from sandbox.wire import Call, Refusal, Response, json_response

DAILY_LIMIT = 100
DAILY_TEXT = (
    "You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted for this "
    "particular user. You may resume these requests at GMT 00:00:00."
)


def api_error(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return json_response(status, {"code": code, "message": message}, headers)


def invalid(field: str, message: str) -> Refusal:
    body = {"code": 300, "message": "Validation Failed.", "errors": [{"field": field, "message": message}]}
    return Refusal(json_response(400, body))


def not_found(status: int) -> Response:
    return api_error(status, status, "This API endpoint is not recognized.")


def bad_json(message: str) -> Response:
    return api_error(400, 300, "Request Body should be a valid JSON object.")


def me(call: Call) -> Response:
    user = call.user
    first, _, last = user.name.partition(" ")
    body = {
        "id": user.id,
        "first_name": first,
        "last_name": last,
        "display_name": user.name,
        "email": user.email,
        "type": 2 if user.licensed else 1,
        "timezone": "Asia/Tokyo",
        "verified": 1,
        "account_id": "sandbox-account",
        "status": "active",
    }
    return json_response(200, body)


def create(call: Call) -> Response:
    body = call.request.json()
    wanted = read_meeting(body)
    count_write(call)
    if call.has("no_licence") or not call.user.licensed:
        return api_error(400, 3161, "Your user account is not allowed meeting hosting and scheduling.")
    number = random.SystemRandom().randrange(80_000_000_000, 90_000_000_000)
    password = secrets.token_hex(3)
    meeting = {
        "uuid": secrets.token_urlsafe(15) + "==",
        "id": number,
        "host_id": call.user.id,
        "host_email": call.user.email,
        "status": "waiting",
        "topic": "Zoom Meeting",
        "type": 2,
        "duration": 60,
        "timezone": "Asia/Tokyo",
        "agenda": "",
        "created_at": stamp(call.sandbox.now()),
        "start_url": f"https://zoom.us/s/{number}?zak={secrets.token_urlsafe(12)}",
        "join_url": f"https://us05web.zoom.us/j/{number}?pwd={secrets.token_urlsafe(12)}",
        "password": password,
        "settings": {"join_before_host": False, "waiting_room": True},
        **wanted,
    }
    call.user.meetings[str(number)] = meeting
    return json_response(201, meeting)


def read_meeting(body: dict[str, Any], known: dict[str, Any] | None = None) -> dict[str, Any]:
    """Check the fields of a create, or of an update of the `known` meeting; bring `start_time` to UTC."""
    wanted: dict[str, Any] = {}
    for name, kind, longest in (
        ("topic", str, 200),
        ("agenda", str, 2000),
        ("timezone", str, 100),
        ("password", str, 10),
        ("type", int, None),
        ("duration", int, None),
        ("settings", dict, None),
    ):
        if name not in body:
            continue
        value = body[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise invalid(name, "Invalid field.")
        if isinstance(value, str) and longest is not None and len(value) > longest:
            raise invalid(name, f"The length exceeds the maximum of {longest}.")
        wanted[name] = value
    if wanted.get("type", 2) not in (1, 2, 3, 8):
        raise invalid("type", "Invalid field.")
    if "start_time" in body:
        wanted["start_time"] = read_start(body["start_time"], ((known or {}) | wanted).get("timezone", "UTC"))
    elif known is None and wanted.get("type", 2) == 2:
        raise invalid("start_time", "Invalid field.")
    return wanted


def read_start(text: Any, zone: str) -> str:
    """`Z` means GMT; without it the time is local to `timezone`."""
    try:
        value = datetime.fromisoformat(text)
        if value.tzinfo is None:
            value = value.replace(tzinfo=ZoneInfo(zone))
    except (TypeError, ValueError, ZoneInfoNotFoundError) as error:
        raise invalid("start_time", "Invalid field.") from error
    return stamp(value)


def count_write(call: Call) -> None:
    """Creates and updates share 100 a day and user, counted in UTC days."""
    today = call.sandbox.now().date().isoformat()
    done = call.user.writes.get(today, 0)
    if done >= DAILY_LIMIT:
        raise Refusal(api_error(429, 429, DAILY_TEXT))
    call.user.writes = {today: done + 1}


def meeting_of(call: Call) -> dict[str, Any]:
    number = call.parts["meeting"]
    found = call.user.meetings.get(number)
    if found is None:
        raise Refusal(api_error(404, 3001, f"Meeting does not exist: {number}."))
    return found


def get(call: Call) -> Response:
    return json_response(200, meeting_of(call))


def update(call: Call) -> Response:
    meeting = meeting_of(call)
    wanted = read_meeting(call.request.json(), meeting)
    count_write(call)
    meeting.update(wanted)
    return Response(204)


def delete(call: Call) -> Response:
    meeting_of(call)
    del call.user.meetings[call.parts["meeting"]]
    return Response(204)


def listing(call: Call) -> Response:
    """Upcoming meetings (also the default `scheduled`), by start, in pages."""
    query = call.request.query
    upcoming = query.get("type") in ("upcoming", "upcoming_meetings")
    now = stamp(call.sandbox.now())
    found = [
        {
            key: meeting[key]
            for key in (
                "uuid",
                "id",
                "host_id",
                "topic",
                "type",
                "start_time",
                "duration",
                "timezone",
                "agenda",
                "created_at",
                "join_url",
            )
            if key in meeting
        }
        for meeting in call.user.meetings.values()
        if not upcoming or meeting.get("start_time", "") >= now
    ]
    found.sort(key=lambda meeting: meeting.get("start_time", ""))
    size = query.get("page_size", "30")
    first = query.get("next_page_token") or "0"
    if not size.isdigit() or not 1 <= int(size) <= 300 or not first.isdigit():
        raise invalid("page_size", "Invalid field.")
    end = int(first) + int(size)
    body = {
        "page_size": int(size),
        "total_records": len(found),
        "next_page_token": str(end) if end < len(found) else "",
        "meetings": found[int(first) : end],
    }
    return json_response(200, body)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def summary(account: Account) -> list[dict[str, Any]]:
    """The meetings for the panel and the control API."""
    return [
        {
            "id": str(meeting["id"]),
            "title": meeting["topic"],
            "start": meeting.get("start_time", ""),
            "duration": meeting["duration"],
            "join_url": meeting["join_url"],
        }
        for meeting in account.meetings.values()
    ]
