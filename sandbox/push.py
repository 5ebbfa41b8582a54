"""Calls that the services make by themselves: Google channels, Graph subscriptions, Zoom webhooks.

Messages are put into `Sandbox.outgoing` under the lock and sent afterwards, by a thread of the server or,
in-process, by `deliver`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox.state import Account, Channel, Client, Sandbox


def send(sandbox: Sandbox, service: str, address: str, headers: dict[str, str], body: bytes) -> bytes:
    """Send a message now and note it in the log; the body of a good answer, else nothing."""
    status, answer = sandbox.post(address, headers, body)
    sandbox.requests.append(
        {
            "at": sandbox.now().isoformat(timespec="milliseconds"),
            "service": service,
            "operation": "push",
            "method": "POST",
            "path": address.partition("?")[0],
            "account": "",
            "status": status,
        }
    )
    return answer if 200 <= status < 300 else b""


def deliver(sandbox: Sandbox) -> None:
    """Send everything that waits."""
    while not sandbox.outgoing.empty():
        send(sandbox, *sandbox.outgoing.get())


def keep_delivering(sandbox: Sandbox) -> None:
    while True:
        send(sandbox, *sandbox.outgoing.get())


def notify(sandbox: Sandbox) -> None:
    """Tell every channel about changes of its calendars since its last message."""
    now = sandbox.epoch()
    for channel in list(sandbox.state.channels.values()):
        if channel.expires_at <= now:
            del sandbox.state.channels[channel.id]
        elif channel.seen < sandbox.state.sequence:
            changed = changes(sandbox, channel)
            channel.seen = sandbox.state.sequence
            if changed and channel.service == "google":
                google_message(sandbox, channel, "exists")
            elif changed:
                graph_message(sandbox, channel, changed)


def changes(sandbox: Sandbox, channel: Channel) -> list[dict[str, Any]]:
    account = sandbox.account(channel.service, channel.email)
    return [
        event
        for calendar in (account.calendars.values() if account else ())
        if channel.calendar in ("", calendar.id)
        for event in calendar.events.values()
        if event["_seq"] > channel.seen
    ]


# Google


def google_message(sandbox: Sandbox, channel: Channel, state: str) -> None:
    """A push without a body; everything is in the headers."""
    channel.count += 1
    expires = datetime.fromtimestamp(channel.expires_at, UTC)
    headers = {
        "X-Goog-Channel-ID": channel.id,
        "X-Goog-Channel-Expiration": expires.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "X-Goog-Resource-ID": channel.resource,
        "X-Goog-Resource-URI": f"https://www.googleapis.com/calendar/v3/calendars/{channel.calendar}/events?alt=json",
        "X-Goog-Resource-State": state,
        "X-Goog-Message-Number": str(channel.count),
    }
    if channel.token:
        headers["X-Goog-Channel-Token"] = channel.token
    sandbox.outgoing.put(("google", channel.address, headers, b""))


# Microsoft


def validated(sandbox: Sandbox, address: str) -> bool:
    """The handshake: the address must answer with the decoded token as plain text."""
    token = f"Validation: Testing client application reachability for subscription {uuid.uuid4()}"
    glue = "&" if urlsplit(address).query else "?"
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    answer = send(sandbox, "microsoft", f"{address}{glue}{urlencode({'validationToken': token})}", headers, b"")
    return answer.decode("utf-8", "replace") == token


def graph_message(sandbox: Sandbox, channel: Channel, changed: list[dict[str, Any]]) -> None:
    value = []
    for event in changed:
        kind = "deleted" if event.get("_gone") else "updated" if event["id"] in channel.known else "created"
        if event["id"] not in channel.known:
            channel.known.append(event["id"])
        if kind in channel.kinds:
            path = f"Users/{channel.email}/Events/{event['id']}"
            data = {"@odata.type": "#Microsoft.Graph.Event", "@odata.id": path, "id": event["id"]}
            value.append({**graph_frame(channel), "changeType": kind, "resource": path, "resourceData": data})
    if value:
        post_json(sandbox, channel.address, {"value": value})


def graph_frame(channel: Channel) -> dict[str, Any]:
    return {
        "subscriptionId": channel.id,
        "subscriptionExpirationDateTime": datetime.fromtimestamp(channel.expires_at, UTC).isoformat(),
        "clientState": channel.token,
    }


def lifecycle(sandbox: Sandbox, account: Account, event: str) -> int:
    """Send a lifecycle event for every subscription of an account that takes them. Raises ValueError."""
    if event not in ("reauthorizationRequired", "subscriptionRemoved", "missed"):
        raise ValueError("event must be reauthorizationRequired, subscriptionRemoved or missed")
    sent = 0
    for channel in list(sandbox.state.channels.values()):
        if (channel.service, channel.email) != (account.service, account.email):
            continue
        if event == "subscriptionRemoved":
            del sandbox.state.channels[channel.id]
        if channel.lifecycle_address:
            body = {"value": [{**graph_frame(channel), "lifecycleEvent": event}]}
            post_json(sandbox, channel.lifecycle_address, body)
            sent += 1
    return sent


def post_json(sandbox: Sandbox, address: str, body: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/json"}
    sandbox.outgoing.put(("microsoft", address, headers, json.dumps(body).encode()))


# Zoom


def zoom_headers(client: Client, now: float, body: bytes) -> dict[str, str]:
    stamp = str(int(now))
    signed = hmac.new(client.webhook_secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "x-zm-request-timestamp": stamp,
        "x-zm-signature": f"v0={signed.hexdigest()}",
    }


def zoom_endpoint_valid(sandbox: Sandbox, client: Client) -> bool:
    """The handshake `endpoint.url_validation`: the plain token must come back with its HMAC."""
    plain = secrets.token_urlsafe(16)
    body = json.dumps({"event": "endpoint.url_validation", "payload": {"plainToken": plain}}).encode()
    answer = send(sandbox, "zoom", client.webhook, zoom_headers(client, sandbox.epoch(), body), body)
    wanted = hmac.new(client.webhook_secret.encode(), plain.encode(), hashlib.sha256).hexdigest()
    try:
        return bool(json.loads(answer) == {"plainToken": plain, "encryptedToken": wanted})
    except ValueError:
        return False


def zoom_deauthorized(sandbox: Sandbox, account: Account) -> None:
    """Tell every Zoom app with a webhook that this user removed it."""
    when = sandbox.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")[:-4] + "Z"
    signature = secrets.token_hex(32)
    said = {"user_id": account.id, "signature": signature, "deauthorization_time": when}
    zoom_event(sandbox, "app_deauthorized", said, name_client=True)


def zoom_status(sandbox: Sandbox, account: Account, *, active: bool) -> None:
    """Tell that an administrator deactivated the user, or activated them again."""
    user = {"id": account.id, "email": account.email, "type": 2 if account.licensed else 1}
    said = {"operator": "admin@sandbox.example", "operator_id": "sandbox-admin", "object": user}
    zoom_event(sandbox, "user.activated" if active else "user.deactivated", said)


def zoom_event(sandbox: Sandbox, kind: str, said: dict[str, Any], *, name_client: bool = False) -> None:
    """Send an event to every Zoom app with a webhook."""
    now = sandbox.now()
    for client in sandbox.state.clients.values():
        if client.service != "zoom" or not client.webhook:
            continue
        payload = {"account_id": "sandbox-account", **said, **({"client_id": client.id} if name_client else {})}
        event = {"event": kind, "event_ts": int(now.timestamp() * 1000), "payload": payload}
        body = json.dumps(event).encode()
        sandbox.outgoing.put(("zoom", client.webhook, zoom_headers(client, now.timestamp(), body), body))
