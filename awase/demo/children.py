"""The demo's processes: started with a log each, watched, and stopped together whatever happens."""

import ctypes
import http.client
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from awase.demo.place import Trouble

PATIENCE = 60.0  # seconds until a server must answer
GRACE = 8.0  # seconds in which a process may end by itself
LAST_LINES = 20
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with(parent: int) -> None:
    """Have this process asked to end when its parent ends, even by force (Linux; elsewhere nothing)."""
    if LIBC:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it has ended already
            os.kill(os.getpid(), signal.SIGTERM)


class Children:
    """The processes of one demo. Each leads a group of its own: Ctrl-C reaches only us, and we end them in
    order, with whatever they have started."""

    def __init__(self, environment: dict[str, str], logs: Path) -> None:
        self.environment = environment
        self.logs = logs
        self.grace = GRACE
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        logs.mkdir(exist_ok=True)

    def start(self, name: str, *command: str) -> None:
        """Run `python -m command…` in the background."""
        with (self.logs / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(  # noqa: S603  # our own commands, no shell
                [sys.executable, "-m", *command],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(end_with, os.getpid()),
            )

    def run(self, name: str, *command: str) -> None:
        """Run `python -m command…` to its end. Raises Trouble if it fails."""
        self.start(name, *command)
        self.running[name].wait()
        if self.running.pop(name).returncode:
            raise Trouble(f"{name} failed. {self.last_lines(name)}")

    def check(self) -> None:
        """Raises Trouble if one of them has ended."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise Trouble(f"The {name} has stopped (code {process.returncode}). {self.last_lines(name)}")

    def last_lines(self, name: str) -> str:
        path = self.logs / f"{name}.log"
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
        return "\n  ".join([f"The end of {path}:", *lines])

    def wait_for(self, host: str, port: int, path: str = "/") -> None:
        """Return once a server answers there. Raises Trouble if a process ends or time runs out."""
        patience = time.monotonic() + PATIENCE
        while not answers(host, port, path):
            self.check()
            if time.monotonic() > patience:
                raise Trouble(f"Nothing answers at http://{host}:{port}{path}. See {self.logs}.")
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask all to end, newest first; after a while insist."""
        for demand, patience in ((signal.SIGTERM, self.grace), (signal.SIGKILL, 2.0)):
            for process in reversed(self.running.values()):
                signal_group(process.pid, demand)
            deadline = time.monotonic() + patience
            while any(self.alive(process) for process in self.running.values()) and time.monotonic() < deadline:
                time.sleep(0.05)
        self.running.clear()

    @staticmethod
    def alive(process: subprocess.Popen[bytes]) -> bool:
        """Whether the process or anything in its group is left."""
        process.poll()
        return signal_group(process.pid, 0)


def signal_group(group: int, demand: int) -> bool:
    try:
        os.killpg(group, demand)
    except ProcessLookupError:
        return False
    return True


def answers(host: str, port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
