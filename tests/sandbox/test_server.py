"""The sandbox as a program: many callers at once, and a state that outlives a stop."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from sandbox.__main__ import Handler, Server
from sandbox.app import wsgi
from tests.sandbox.driver import World

EMAIL = "sato@example.com"


@pytest.fixture
def base(world: World) -> Iterator[str]:
    """The address of the world's sandbox on a port of its own."""
    world.sandbox.clock = lambda: datetime.now(UTC)
    with Server(("127.0.0.1", 0), Handler) as server:
        server.set_app(wsgi(world.sandbox))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_server_answers_many_at_once_and_closes_each_connection(world: World, base: str) -> None:
    linked = world.connect("zoom", EMAIL)
    headers = {"Authorization": f"Bearer {linked.tokens['access_token']}"}
    body = {"topic": "x", "start_time": "2026-12-02T10:00:00Z"}
    statuses: list[int] = []

    def book() -> None:
        with httpx2.Client(base_url=base, headers=headers) as client:
            statuses.extend(client.post("/zoom/v2/users/me/meetings", json=body).status_code for _ in range(5))

    threads = [threading.Thread(target=book) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [201] * 50
    assert len(world.control("GET", f"accounts/zoom/{EMAIL}")["meetings"]) == 50


def test_the_command_keeps_its_state_over_a_stop(tmp_path: Path) -> None:
    accounts: list[int] = []
    for round_ in range(2):
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--state", str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
            assert process.stdout is not None
            port = re.search(r":(\d+)/", process.stdout.readline())
            assert port is not None
            connection = http.client.HTTPConnection("localhost", int(port[1]), timeout=10)
            if round_ == 0:
                connection.request("POST", "/control/api/accounts", json.dumps({"service": "google", "email": EMAIL}))
                connection.getresponse().read()
            connection.request("GET", "/control/api/state")
            accounts.append(len(json.loads(connection.getresponse().read())["accounts"]))
            connection.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
    assert accounts == [1, 1]
