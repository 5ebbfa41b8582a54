"""One instance with real processes and a stand-in for the services, for races and for killing."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from awase.demo.children import Children
from awase.demo.place import SANDBOX_HOST, WEB_HOST, Place
from sandbox.__main__ import Handler, Server
from sandbox.app import Sandbox, wsgi

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

KEY = "b25seS1mb3ItcmFjZXMtYW5kLWZvci1raWxsaW5nISE="


class Stage:
    """The instance in `folder` on the database at `address` (`DATABASE_URL`), with `services` on `port`."""

    def __init__(self, folder: Path, address: str, services: Sandbox, port: int, settings: dict[str, str]) -> None:
        self.services = services
        self.folder = folder
        self.place = Place(folder, free_port(), port, secret_key="only-for-tests", encryption_key=KEY)
        quiet = {"DATABASE_URL": address, "AWASE_LOG_LEVEL": "WARNING"}
        self.environment = self.place.environment() | quiet | settings
        self.children = Children(self.environment, folder / "logs")

    def ask(self, *arguments: str) -> Any:
        """Run `python -m tests.races.scene …` to its end; returns the JSON that it prints."""
        command = [sys.executable, "-m", "tests.races.scene", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[-3000:])
        return json.loads(done.stdout)


def free_port() -> int:
    with socket.create_server((WEB_HOST, 0)) as probe:
        return int(probe.getsockname()[1])


class Watch:
    """Stands before the services: told of each call, before it is carried out and before it is answered."""

    def before(self, path: str) -> None:
        pass

    def after(self, path: str) -> None:
        pass


@contextmanager
def stage(folder: Path, address: str, watch: Watch, **settings: str) -> Iterator[Stage]:
    """An instance until the end of the block, with `watch` standing before its services."""
    services = Sandbox()
    carry_out = wsgi(services)

    def watched(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        watch.before(environ["PATH_INFO"])
        answer = carry_out(environ, start_response)
        watch.after(environ["PATH_INFO"])
        return answer

    with Server((SANDBOX_HOST, 0), Handler) as server:
        server.set_app(watched)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made = Stage(folder, address, services, server.server_port, settings)
        try:
            made.children.run("preparation", "awase", "prepare", "--no-static")
            yield made
        finally:
            made.children.stop()
            server.shutdown()


class Puppet:
    """A process that does what it is told (`actor`)."""

    def __init__(self, here: Stage) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.races.actor"],
            env=here.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, act: str, **order: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"act": act, **order}) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        """Its answer. Raises RuntimeError if it ended instead."""
        assert self.process.stdout
        if not (line := self.process.stdout.readline()):
            raise RuntimeError(f"process {self.process.pid} ended")
        return json.loads(line)

    def ask(self, act: str, **order: Any) -> Any:
        self.tell(act, **order)
        return self.hear()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def puppets(here: Stage, number: int) -> Iterator[list[Puppet]]:
    """So many processes, until the end of the block."""
    made = [Puppet(here) for _ in range(number)]
    try:
        yield made
    finally:
        for puppet in made:
            puppet.end()
