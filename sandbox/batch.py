"""Microsoft: several Graph requests in one."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, unquote

from sandbox.microsoft_errors import refuse
from sandbox.wire import Call, Request, Response, json_response

MOST_PARTS = 20
PREFIX = "/microsoft"


def batch(call: Call) -> Response:
    """Up to twenty requests in one; each part has its own status."""
    parts = call.request.json().get("requests")
    if not isinstance(parts, list) or not 1 <= len(parts) <= MOST_PARTS:
        raise refuse(400, "BadRequest", f"A batch holds 1 to {MOST_PARTS} requests.")
    return json_response(200, {"responses": [batch_part(call, part) for part in parts]})


def batch_part(call: Call, part: dict[str, Any]) -> dict[str, Any]:
    path, _, query = str(part["url"]).partition("?")
    given = {name.lower(): str(value) for name, value in (part.get("headers") or {}).items()}
    carried = {name: call.request.headers.get(name, "") for name in ("host", "authorization")}
    prefix = PREFIX if call.request.base.endswith(PREFIX) else ""
    answer = call.again(
        Request(
            part.get("method", "GET"),
            f"{prefix}/v1.0/{unquote(path).lstrip('/')}",
            parse_qsl(query, keep_blank_values=True),
            given | carried,
            json.dumps(part["body"]).encode() if "body" in part else b"",
            call.request.base.removesuffix(PREFIX),
        )
    )
    shown: dict[str, Any] = {"id": part.get("id"), "status": answer.status, "headers": answer.headers}
    if answer.body:
        try:
            shown["body"] = json.loads(answer.body)
        except ValueError:
            shown["body"] = answer.body.decode("utf-8", "replace")
    return shown
