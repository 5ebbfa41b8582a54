"""A proxy with faults on demand, to stand before a CalDAV server.

    python -m sandbox.dav_proxy http://127.0.0.1:5232 --port 5233 --fault reset --method PUT

Tests hold the object and switch its faults while it runs.
"""

from __future__ import annotations

import argparse
import http.client
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

METHODS = ("OPTIONS", "GET", "PUT", "DELETE", "PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR")
KINDS = {
    "answer": "the given status, headers and body; the server behind is not asked",
    "html": "200 and a page, as from a hotel's network",
    "cut": "the server's answer, half of it",
    "reset": "the connection breaks; the server behind is not asked",
    "lost": "carried out, then the connection breaks",
    "hang": "no answer for so many seconds, then the connection ends",
    "late": "the server's answer, so many seconds later",
    "drip": "the server's answer, a byte at a time, so many seconds apart",
}
PAGE = b"<!doctype html><html><body>Welcome to the hotel's network</body></html>"
HOP = {"connection", "transfer-encoding", "content-length", "server", "date", "keep-alive"}


@dataclass
class Fault:
    """What goes wrong, with which methods (none named: all), and how often still (None: until taken away)."""

    kind: str
    methods: Sequence[str] = ()
    times: int | None = None
    status: int = 503
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault is called {self.kind!r}")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer read whole."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


class DavProxy(ThreadingHTTPServer):
    """Listens on loopback alone. `faults` may be changed at any time; `calls` is what was asked, oldest first."""

    daemon_threads = True

    def __init__(self, upstream: str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.upstream = urlsplit(upstream)
        self.faults: list[Fault] = []
        self.calls: list[tuple[str, str]] = []
        self.lock = threading.Lock()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve in a thread of its own, until the end of the block."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            thread.join()

    def due(self, method: str) -> Fault | None:
        """The first fault that hits this method, counted."""
        with self.lock:
            for fault in self.faults:
                if fault.times != 0 and (not fault.methods or method in fault.methods):
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """The answer of the server behind."""
        connection = http.client.HTTPConnection(str(self.upstream.hostname), self.upstream.port or 80, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP]
            return Reply(answer.status, kept, answer.read())
        finally:
            connection.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: DavProxy
    timeout = 60

    def handle_call(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.calls.append((self.command, self.path))
        fault = self.server.due(self.command)
        kind = fault.kind if fault else ""
        if fault and kind == "answer":
            self.reply(Reply(fault.status, list(fault.headers.items()), fault.body))
            return
        if kind == "html":
            self.reply(Reply(200, [("Content-Type", "text/html")], PAGE))
            return
        if fault and kind == "hang":
            time.sleep(fault.seconds)
            return
        if kind == "reset":
            self.reset()
            return
        if fault and kind == "late":
            time.sleep(fault.seconds)
        answer = self.server.ask(self.command, self.path, dict(self.headers), body)
        if kind == "lost":
            self.reset()
        elif kind == "cut":
            self.reply(answer, shown=len(answer.body) // 2)
        elif fault and kind == "drip":
            self.reply(answer, shown=0)
            for place in range(len(answer.body)):
                self.wfile.write(answer.body[place : place + 1])
                time.sleep(fault.seconds)
        else:
            self.reply(answer)

    def reply(self, answer: Reply, shown: int | None = None) -> None:
        """Send an answer; of its body only the first `shown` bytes, whatever its length says."""
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[:shown])

    def reset(self) -> None:
        """End the connection by force."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet: `calls` has the log."""


for method in METHODS:
    setattr(_Handler, f"do_{method}", _Handler.handle_call)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.dav_proxy", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("upstream", help="address of the CalDAV server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--fault", choices=sorted(KINDS), help="; ".join(f"{key}: {text}" for key, text in KINDS.items())
    )
    parser.add_argument("--method", action="append", default=[], help="hit this method alone (may be repeated)")
    parser.add_argument("--status", type=int, default=503)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with DavProxy(options.upstream, options.port) as proxy:
        if options.fault:
            proxy.faults.append(Fault(options.fault, options.method, status=options.status, seconds=options.seconds))
        sys.stdout.write(f"CalDAV proxy: {proxy.address}/ before {options.upstream}\n")
        sys.stdout.flush()
        proxy.serve_forever()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
