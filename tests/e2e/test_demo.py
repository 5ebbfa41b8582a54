"""The demo as a command: starts, keeps its data, stops without a trace."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import psutil

from awase.demo.people import PAGES
from tests.e2e.conftest import REPOSITORY, free_port, start_demo, stop_demo


def titles(url: str) -> list[str]:
    text = httpx2.get(f"{url}/minato/", trust_env=False, headers={"Accept-Language": "ja"}).text
    return [page.title for page in PAGES if page.title in text]


def test_a_second_start_finds_everything_again(tmp_path: Path):
    first = start_demo(tmp_path / "state", "--port", str(free_port()))
    shown = titles(first.url)
    accounts = first.panel.client.get("/control/api/state").json()["accounts"]
    assert stop_demo(first.process, signal.SIGINT) == []
    assert len(shown) == 5
    assert accounts

    second = start_demo(tmp_path / "state")
    again = second.panel.client.get("/control/api/state").json()["accounts"]
    try:
        assert second.url == first.url
        assert titles(second.url) == shown
        assert {account["id"] for account in again} == {account["id"] for account in accounts}
    finally:
        assert stop_demo(second.process) == []


def test_a_demo_that_loses_a_process_says_which_and_ends(tmp_path: Path):
    running = start_demo(tmp_path / "state", "--port", str(free_port()))
    worker = next(child for child in psutil.Process(running.process.pid).children() if child.cmdline()[-1] == "worker")
    family = psutil.Process(running.process.pid).children(recursive=True)
    worker.kill()
    assert running.process.wait(20) == 1
    assert psutil.wait_procs(family, timeout=5)[1] == []


def test_a_demo_ends_without_a_trace_when_whoever_started_it_is_killed(tmp_path: Path):
    starter = f"""
import sys, time
from pathlib import Path
from tests.e2e.conftest import start_demo
print(start_demo(Path({str(tmp_path / "state")!r}), "--port", "{free_port()}").process.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", starter], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as process:
        launcher = psutil.Process(int(process.stdout.readline()))
        family = [launcher, *launcher.children(recursive=True)]
        process.kill()
    assert len(family) >= 5
    assert psutil.wait_procs(family, timeout=20)[1] == []
