"""The demo's processes end together, whatever happens to any of them. Small programs stand in for the servers."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from awase.demo.children import Children
from awase.demo.place import Trouble

PROGRAMS = {
    "sleeper": """
        import time
        time.sleep(60)
        """,
    "stubborn": """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("up", flush=True)
        time.sleep(60)
        """,
    "family": """
        import subprocess, sys, time
        subprocess.Popen([sys.executable, "-m", "sleeper"])
        time.sleep(60)
        """,
    "failing": """
        import sys
        print("the reason")
        sys.exit(3)
        """,
    "web": """
        import sys
        from http.server import HTTPServer, SimpleHTTPRequestHandler
        HTTPServer(("127.0.0.1", int(sys.argv[1])), SimpleHTTPRequestHandler).serve_forever()
        """,
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    for name, source in PROGRAMS.items():
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
    repository = str(Path(__file__).parents[2])
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), repository])}


@pytest.fixture
def children(environment: dict[str, str], tmp_path: Path) -> Iterator[Children]:
    made = Children(environment, tmp_path / "logs")
    yield made
    made.stop()


def eventually(true: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def test_a_server_is_waited_for(children: Children, unused_port: int):
    children.start("web", "web", str(unused_port))
    children.wait_for("127.0.0.1", unused_port)


def test_a_server_that_ends_while_it_is_waited_for_is_reported_with_its_last_lines(children: Children, unused_port):
    children.start("web", "failing")
    with pytest.raises(Trouble, match=r"(?s)web has stopped \(code 3\).*the reason"):
        children.wait_for("127.0.0.1", unused_port)


def test_a_process_that_ends_is_noticed(children: Children):
    children.start("worker", "sleeper")
    children.check()
    os.kill(children.running["worker"].pid, signal.SIGKILL)
    children.running["worker"].wait()
    with pytest.raises(Trouble, match=r"worker has stopped \(code -9\)"):
        children.check()


def test_a_failing_preparation_is_reported(children: Children):
    with pytest.raises(Trouble, match=r"(?s)preparation failed.*the reason"):
        children.run("preparation", "failing")


def test_what_a_process_has_started_ends_with_it(children: Children):
    children.start("web", "family")
    parent = psutil.Process(children.running["web"].pid)
    assert eventually(lambda: bool(parent.children()))
    child = parent.children()[0]
    children.stop()
    assert eventually(lambda: not parent.is_running() and not child.is_running())


def test_a_process_that_will_not_end_is_killed(children: Children):
    children.grace = 0.3
    children.start("worker", "stubborn")
    assert eventually(lambda: "up" in (children.logs / "worker.log").read_text())
    process = children.running["worker"]
    children.stop()
    assert process.wait(5) == -signal.SIGKILL


def test_processes_end_even_if_the_launcher_is_killed(environment: dict[str, str], tmp_path: Path):
    launcher = textwrap.dedent(f"""
        import os, time
        from pathlib import Path
        from awase.demo.children import Children
        children = Children(dict(os.environ), Path({str(tmp_path / "logs")!r}))
        children.start("worker", "sleeper")
        print(children.running["worker"].pid, flush=True)
        time.sleep(60)
    """)
    with subprocess.Popen([sys.executable, "-c", launcher], env=environment, stdout=subprocess.PIPE) as process:
        worker = psutil.Process(int(process.stdout.readline()))
        process.kill()
    assert eventually(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
