"""The one WSGI application: finds the service by path prefix or host name, applies faults, keeps the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

from sandbox import control, google, microsoft, panel, push, zoom
from sandbox.faults import cut_off, html_answer, raw_answer
from sandbox.microsoft_errors import MOST_PARALLEL, too_many
from sandbox.oauth import identify_bearer, identify_token_call
from sandbox.state import Fault, Sandbox
from sandbox.wire import (
    BadJson,
    Call,
    Refusal,
    Request,
    Response,
    Route,
    find_route,
    json_response,
    request_from,
)

__all__ = ["Sandbox", "wsgi"]

HELD_SECONDS = 60.0


class Service(Protocol):
    """What the module of a service offers: its routes and real host names, how it refuses a token or a
    missing scope (`check` gets what `identify_bearer` found), and its error bodies."""

    @property
    def ROUTES(self) -> tuple[Route, ...]: ...
    @property
    def HOSTS(self) -> tuple[str, ...]: ...
    def check(self, call: Call, trouble: str) -> Response | None: ...
    def fault_answer(self, call: Call, fault: Fault) -> Response | None: ...
    def not_found(self, status: int) -> Response: ...
    def bad_json(self, message: str) -> Response: ...


SERVICES: dict[str, Service] = {"google": google, "microsoft": microsoft, "zoom": zoom}
HOSTS = {host: name for name, service in SERVICES.items() for host in service.HOSTS}


def wsgi(sandbox: Sandbox) -> Callable[..., Iterable[bytes]]:
    """The application over this state, for a server or for a client's in-process transport."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = request_from(environ)
        response = answer(sandbox, request)
        headers = {**response.headers, "Content-Length": str(len(response.body))}
        if response.status in (204, 304):
            headers.pop("Content-Type", None)
        start_response(response.status_line, list(headers.items()))
        return [response.body]

    return application


def answer(sandbox: Sandbox, request: Request) -> Response:
    """Answer one request."""
    name = find_service(request)
    if name is None:
        return local_answer(sandbox, request)
    service = SERVICES[name]
    found = find_route(service.ROUTES, request.method, request.path)
    if isinstance(found, int):
        return service.not_found(found)
    route, parts = found
    call = Call(sandbox, name, request, route, parts, partial(answer, sandbox))
    with sandbox.lock:
        trouble = ""
        if route.kind == "token":
            identify_token_call(call)
        elif route.kind == "api":
            trouble = identify_bearer(call)
        mailbox = f"{name}/{call.account.email}" if call.account and route.kind == "api" else ""
        sandbox.in_flight[mailbox] += 1
        crowded = name == "microsoft" and mailbox and sandbox.in_flight[mailbox] > MOST_PARALLEL
    status = 0
    try:
        response = too_many() if crowded else run(service, call, trouble)
        status = response.status
        return response
    finally:
        with sandbox.lock:
            sandbox.in_flight[mailbox] -= 1
            record(call, status)


def run(service: Service, call: Call, trouble: str) -> Response:
    """Latency, faults, token and scope, then the handler."""
    sandbox = call.sandbox
    if call.account is not None and call.account.latency:
        sandbox.sleep(call.account.latency)
    with sandbox.lock:
        raw = raw_answer(call)
        faults = sandbox.active_faults(call.account, call.route) if call.account else []
    if raw is not None:
        return raw
    after: Fault | None = None
    for fault in faults:
        if fault.name == "timeout":
            return held(sandbox, fault)
        if fault.name == "html_body" and call.route.kind != "page":
            return html_answer(fault)
        if fault.name in ("lost_answer", "truncated_json"):
            after = fault
            continue
        answered = service.fault_answer(call, fault)
        if answered is not None:
            return answered
    with sandbox.lock:
        response = handle(service, call, trouble)
        push.notify(sandbox)
        if call.request.method != "GET" or call.account is not None:
            sandbox.changed.set()
    if after is not None and after.name == "lost_answer":
        return held(sandbox, after)
    return cut_off(response) if after is not None else response


def handle(service: Service, call: Call, trouble: str) -> Response:
    try:
        if call.route.kind == "api":
            refused = service.check(call, trouble)
            if refused is not None:
                return refused
        return call.route.handler(call)
    except Refusal as refusal:
        return refusal.response
    except BadJson as error:
        return service.bad_json(str(error))


def held(sandbox: Sandbox, fault: Fault) -> Response:
    """Keep the caller waiting; whoever is still there afterwards gets an empty 504."""
    sandbox.hold(float(fault.params.get("wait", HELD_SECONDS)))
    return Response(504)


def find_service(request: Request) -> str | None:
    """The name of the service that a request is for; its prefix moves from the path to the base."""
    host = request.headers.get("host", "").partition(":")[0].lower()
    if host in HOSTS:
        return HOSTS[host]
    first, _, rest = request.path.lstrip("/").partition("/")
    if first in SERVICES:
        request.path = f"/{rest}"
        request.base += f"/{first}"
        return first
    return None


def local_answer(sandbox: Sandbox, request: Request) -> Response:
    """The control API and the panel."""
    with sandbox.lock:
        response = control.answer(sandbox, request) or panel.answer(sandbox, request)
        push.notify(sandbox)
        if request.method != "GET":
            sandbox.changed.set()
    return response or json_response(404, {"error": "not_found", "message": "No such page."})


def record(call: Call, status: int) -> None:
    call.sandbox.requests.append(
        {
            "at": call.sandbox.now().isoformat(timespec="milliseconds"),
            "service": call.service,
            "operation": call.route.operation,
            "method": call.request.method,
            "path": call.request.path,
            "account": call.account.email if call.account else "",
            "status": status,
        }
    )
