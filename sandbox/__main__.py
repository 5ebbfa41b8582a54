"""`python -m sandbox`: serve everything on one port."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from socketserver import ThreadingMixIn
from types import FrameType
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from sandbox.app import Sandbox, wsgi
from sandbox.push import keep_delivering

SAVE_EVERY = 0.5


class Server(ThreadingMixIn, WSGIServer):
    """A thread per connection; none of them keeps the process alive."""

    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the host's name, which may take seconds."""
        super(WSGIServer, self).server_bind()
        self.server_name = str(self.server_address[0])
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Handler(WSGIRequestHandler):
    """One request a connection, without a log line for each."""

    timeout = 30

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet: the control interface has the log."""


def keep_saving(sandbox: Sandbox) -> None:
    """Save soon after each change, many changes at once."""
    pause = threading.Event()
    while True:
        sandbox.changed.wait()
        pause.wait(SAVE_EVERY)
        sandbox.save()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--state", type=Path, help="directory for the state file; without it nothing is kept")
    options = parser.parse_args()
    path: Path | None = None
    if options.state is not None:
        options.state.mkdir(parents=True, exist_ok=True)
        path = options.state / "sandbox.json"
    sandbox = Sandbox(path)

    def stop(signum: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with Server((options.host, options.port), Handler) as server:
        server.set_app(wsgi(sandbox))
        threading.Thread(target=keep_delivering, args=(sandbox,), daemon=True).start()
        if path is not None:
            threading.Thread(target=keep_saving, args=(sandbox,), daemon=True).start()
        sys.stdout.write(f"sandbox: http://{options.host}:{server.server_port}/\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        finally:
            sandbox.save()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
