"""A private PostgreSQL server for tests and benchmarks: on a free loopback port, in a folder that goes with it.

`AWASE_TEST_DATABASE=postgres .venv-test/bin/python -m pytest tests/services` runs on such a server.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import psycopg

from awase.demo.children import end_with

USER = "awase"
PATIENCE = 60.0  # seconds until a fresh server must answer
# What a test server may do without: nothing of it outlives the test.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def programs() -> Path | None:
    """The folder with PostgreSQL's server programs, or None: Debian keeps them out of PATH."""
    found = shutil.which("initdb")
    places = chain([Path(found).parent] if found else [], sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_major))
    return next((place for place in list(places)[::-1] if (place / "initdb").exists()), None)


def _major(place: Path) -> int:
    name = place.parent.name
    return int(name) if name.isdecimal() else 0


class Server:
    """A running server. Each test or campaign takes a database of its own from it."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._count = 0

    def new_database(self, like: str = "template1") -> str:
        """The address (`DATABASE_URL`) of a fresh database: empty, or a copy of the one with that name."""
        self._count += 1
        name = f"fresh{os.getpid()}_{self._count}"
        with psycopg.connect(f"{self._address}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {like}")
        return f"{self._address}/{name}"


@contextmanager
def running(*, durable: bool = False) -> Iterator[Server]:
    """A server until the end of the block. `durable`: as an operator would run it, for benchmarks."""
    place = programs()
    if place is None:
        raise SystemExit("PostgreSQL's server is missing: on Debian, apt-get install postgresql.")
    folder = Path(tempfile.mkdtemp(prefix="awase-postgres-"))
    somebody = _somebody(folder)
    password = secrets.token_urlsafe(16)
    try:
        (folder / "password").write_text(password, encoding="ascii")
        if somebody:
            shutil.chown(folder / "password", somebody["user"])
        options = ["--no-sync", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", f"--username={USER}"]
        subprocess.run(
            [str(place / "initdb"), *options, f"--pwfile={folder / 'password'}", str(folder / "data")],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            **somebody,
        )
        process, port = _start(place, folder, {} if durable else CARELESS, somebody)
        try:
            yield Server(f"postgresql://{USER}:{password}@127.0.0.1:{port}")
        finally:
            process.send_signal(signal.SIGINT if durable else signal.SIGQUIT)
            process.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _somebody(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then as somebody who owns nothing but the folder."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _start(
    place: Path, folder: Path, settings: dict[str, str], somebody: dict[str, Any]
) -> tuple[subprocess.Popen[bytes], int]:
    log = folder / "log"
    for _attempt in range(5):  # somebody else may take the port between finding and using it
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        chosen = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": str(port), **settings}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(place / "postgres"), f"-D{folder / 'data'}", *(f"-c{name}={chosen[name]}" for name in chosen)],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the tests, which then end the server
                preexec_fn=partial(end_with, os.getpid()),
                **somebody,
            )
        patience = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < patience:
            if b"ready to accept connections" in log.read_bytes():
                return process, port
            time.sleep(0.05)
        process.kill()
        process.wait()
    raise SystemExit(f"PostgreSQL does not start:\n{log.read_text(errors='replace')[-2000:]}")
