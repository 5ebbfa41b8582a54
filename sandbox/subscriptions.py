"""The calls that open and close push channels: Google's events.watch, Graph's subscriptions."""

from __future__ import annotations

import re
import secrets
import uuid
from datetime import UTC, datetime
from typing import Any

from sandbox.google_errors import CHANNEL, bad, check_shape
from sandbox.google_errors import error as google_error
from sandbox.google_events import calendar_of
from sandbox.microsoft_errors import refuse
from sandbox.posting import reachable
from sandbox.push import google_message, validated
from sandbox.state import Channel
from sandbox.wire import Call, Refusal, Response, json_response

WEEK = 7 * 86400.0
SHORTEST = 45 * 60.0
RESOURCE = re.compile(r"/?me/(?:calendars/(?P<calendar>[^/]+)/)?events")


def watch(call: Call) -> Response:
    """Google: open a channel; its first message says `sync`."""
    calendar = calendar_of(call)
    body = call.request.json()
    check_shape(body, CHANNEL)
    channel_id, address = body.get("id") or "", body.get("address") or ""
    if not re.fullmatch(r"[A-Za-z0-9\-_+/=]{1,64}", channel_id):
        raise bad("Missing or invalid channel id.", "required")
    if body.get("type") not in ("web_hook", "webhook"):
        raise bad("Unknown channel type.", "push.channelUnknown")
    if not reachable(address):
        raise bad(f"WebHook callback must be HTTPS: {address}", "push.webhookUrlNotHttps")
    if channel_id in call.sandbox.state.channels:
        raise bad(f"Channel id {channel_id} not unique", "channelIdNotUnique")
    ttl = (body.get("params") or {}).get("ttl") or str(int(WEEK))
    if not ttl.isdigit():
        raise bad(f"Invalid value for: {ttl} is not a valid ttl")
    life = min(float(ttl), WEEK)
    channel = open_channel(call, channel_id, calendar.id, address, body.get("token") or "", life)
    channel.resource = secrets.token_urlsafe(20)
    google_message(call.sandbox, channel, "sync")
    answer = {
        "kind": "api#channel",
        "id": channel.id,
        "resourceId": channel.resource,
        "resourceUri": f"https://www.googleapis.com/calendar/v3/calendars/{calendar.id}/events?alt=json",
        "expiration": str(int(channel.expires_at * 1000)),
    }
    return json_response(200, answer | ({"token": channel.token} if channel.token else {}))


def open_channel(call: Call, channel_id: str, calendar: str, address: str, token: str, life: float) -> Channel:
    channel = Channel(
        channel_id,
        call.service,
        call.user.email,
        calendar,
        address,
        token,
        call.sandbox.epoch() + life,
        call.sandbox.state.sequence,
    )
    call.sandbox.state.channels[channel_id] = channel
    return channel


def stop(call: Call) -> Response:
    body = call.request.json()
    check_shape(body, CHANNEL)
    channel = call.sandbox.state.channels.get(body.get("id") or "")
    if channel is None or channel.email != call.user.email or channel.resource != body.get("resourceId"):
        text = f"Channel '{body.get('id')}' not found for project '1'"
        raise Refusal(google_error(404, "notFound", text))
    del call.sandbox.state.channels[channel.id]
    return Response(204)


def create(call: Call) -> Response:
    """Graph: open a subscription, after the handshake with its address."""
    body = call.request.json()
    for name, value in body.items():
        if not isinstance(value, bool if name == "includeResourceData" else str | None):
            raise refuse(400, "BadRequest", f"The value of '{name}' is of the wrong type.")
    address, lifecycle = body.get("notificationUrl"), body.get("lifecycleNotificationUrl") or ""
    kinds = [kind.strip() for kind in str(body.get("changeType", "")).split(",")]
    resource = RESOURCE.fullmatch(str(body.get("resource", "")))
    if not isinstance(address, str) or not reachable(address) or resource is None:
        raise refuse(400, "InvalidRequest", "The notificationUrl or the resource is not valid.")
    if not set(kinds) <= {"created", "updated", "deleted"} or len(str(body.get("clientState") or "")) > 128:
        raise refuse(400, "InvalidRequest", "The changeType or the clientState is not valid.")
    life = lifetime(call, body)
    if not validated(call.sandbox, address) or (lifecycle and not validated(call.sandbox, lifecycle)):
        text = "Subscription validation request failed. Notification endpoint must respond with 200 OK."
        raise refuse(400, "ValidationError", text)
    channel = open_channel(
        call, str(uuid.uuid4()), resource["calendar"] or "", address, body.get("clientState") or "", life
    )
    channel.resource, channel.kinds, channel.lifecycle_address = str(body["resource"]), kinds, lifecycle
    channel.known = [
        event_id
        for calendar in call.user.calendars.values()
        for event_id, event in calendar.events.items()
        if not event.get("_gone")
    ]
    return json_response(201, shown(call, channel))


def lifetime(call: Call, body: dict[str, Any]) -> float:
    """Seconds until the wanted expiry: under a week, raised to 45 minutes."""
    try:
        at = datetime.fromisoformat(str(body.get("expirationDateTime")))
    except ValueError as problem:
        raise refuse(400, "InvalidRequest", "The expirationDateTime is not valid.") from problem
    life = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - call.sandbox.epoch()
    if life > WEEK or life <= 0:
        text = "Subscription expiration can only be 10080 minutes in the future."
        raise refuse(400, "InvalidRequest", text)
    return max(life, SHORTEST)


def shown(call: Call, channel: Channel) -> dict[str, Any]:
    return {
        "@odata.context": f"{call.request.base}/v1.0/$metadata#subscriptions/$entity",
        "id": channel.id,
        "resource": channel.resource,
        "changeType": ",".join(channel.kinds),
        "clientState": channel.token or None,
        "notificationUrl": channel.address,
        "lifecycleNotificationUrl": channel.lifecycle_address or None,
        "expirationDateTime": datetime.fromtimestamp(channel.expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000Z"),
    }


def find(call: Call) -> Channel:
    channel = call.sandbox.state.channels.get(call.parts["subscription"])
    if channel is None or (channel.service, channel.email) != (call.service, call.user.email):
        raise refuse(404, "ResourceNotFound", "The object was not found.")
    return channel


def get(call: Call) -> Response:
    return json_response(200, shown(call, find(call)))


def renew(call: Call) -> Response:
    channel = find(call)
    channel.expires_at = call.sandbox.epoch() + lifetime(call, call.request.json())
    return json_response(200, shown(call, channel))


def reauthorize(call: Call) -> Response:
    find(call)
    return Response(204)


def delete(call: Call) -> Response:
    del call.sandbox.state.channels[find(call).id]
    return Response(204)
