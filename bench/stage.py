"""A complete Awase for one benchmark: a folder that goes away again, a database, and the real processes."""

import base64
import json
import os
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from awase.demo.children import Children
from tests import postgres

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
DATABASES = ("sqlite", "postgresql")
NOBODY = f"http://{HOST}:9"  # stands for the services: nothing that a benchmark does may leave the machine


class Stage:
    """The instance in `folder`, its database at `address` (`DATABASE_URL`; "": the file in the folder)."""

    def __init__(self, folder: Path, address: str, settings: Mapping[str, str]) -> None:
        with socket.create_server((HOST, 0)) as probe:
            self.port: int = probe.getsockname()[1]
        around = {name: value for name, value in os.environ.items() if not name.startswith(("AWASE_", "DATABASE_"))}
        self.environment = {
            **around,
            **({"DATABASE_URL": address} if address else {}),
            "DJANGO_SETTINGS_MODULE": "awase.settings",
            "PYTHONPATH": str(ROOT),
            "AWASE_STATE": str(folder),
            "AWASE_URL": f"http://{HOST}:{self.port}",
            "AWASE_SECRET_KEY": "only-for-a-benchmark",
            "AWASE_ENCRYPTION_KEYS": base64.urlsafe_b64encode(b"only for a benchmark, thirty-two").decode(),
            "AWASE_LOG_LEVEL": "WARNING",
            "AWASE_GOOGLE_BASE": NOBODY,
            "AWASE_TOLERANCE_SECONDS": "86400",  # the accounts are read once, at the beginning
            **settings,
        }
        self.children = Children(self.environment, folder / "logs")

    def ask(self, module: str, *arguments: str) -> Any:
        """Run a module of the benchmarks in this instance; returns the JSON object that it prints last."""
        self.children.run(module, module, *arguments)
        return json.loads(self.children.last_lines(module).splitlines()[-1])

    def serve(self, *, workers: int = 1) -> float:
        """Start the web server; returns after how many seconds it gave its first answer."""
        began = time.perf_counter()
        where = ("--host", HOST, "--port", str(self.port), "--workers", str(workers))
        self.children.start("web", "awase", "serve", *where)
        self.children.wait_for(HOST, self.port, "/accounts/login/")
        return time.perf_counter() - began

    def memory(self, name: str) -> float:
        """Resident MB of the process that does the work of the child `name`: the largest of its family (Linux)."""
        return max(_resident_kb(pid) for pid in _family(self.children.running[name].pid)) * 1024 / 1e6


def _family(pid: int) -> Iterator[int]:
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from _family(int(child))


def _resident_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


@contextmanager
def stage(database: str, **settings: str) -> Iterator[Stage]:
    """A fresh instance on `sqlite` or `postgresql`; its processes and its folder end with the block."""
    with ExitStack() as until_the_end:
        folder = Path(until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="awase-bench-")))
        address = ""
        if database == "postgresql":
            address = until_the_end.enter_context(postgres.running(durable=True)).new_database()
        made = Stage(folder, address, settings)
        until_the_end.callback(made.children.stop)
        made.children.run("preparation", "awase", "prepare")
        yield made
