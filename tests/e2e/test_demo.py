"""The demo as a command: starts, keeps its data, stops without a trace."""

import subprocess
import sys
from pathlib import Path

import psutil

from awase.demo.people import PAGES
from tests.e2e.conftest import REPOSITORY, STOP, FirstStart, free_port, profile, start_demo, stop_demo


def titles(profile: str) -> list[str]:
    return [page.title for page in PAGES if page.title in profile]


def ids(accounts: list[dict]) -> set[str]:
    return {account["id"] for account in accounts}


def test_a_second_start_finds_everything_again(first_start: FirstStart, tmp_path: Path):
    assert len(titles(first_start.profile)) == 5
    assert first_start.accounts
    again = start_demo(first_start.copy_to(tmp_path / "state"))
    try:
        assert again.url == first_start.url
        assert titles(profile(again)) == titles(first_start.profile)
        assert ids(again.panel.accounts()) == ids(first_start.accounts)
    finally:
        assert stop_demo(again.process) == []


def test_a_demo_that_loses_a_process_says_which_and_ends(first_start: FirstStart, tmp_path: Path):
    running = start_demo(first_start.copy_to(tmp_path / "state"), "--port", str(free_port()))
    worker = next(child for child in psutil.Process(running.process.pid).children() if child.cmdline()[-1] == "worker")
    family = psutil.Process(running.process.pid).children(recursive=True)
    worker.kill()
    assert running.process.wait(STOP) == 1
    assert psutil.wait_procs(family, timeout=STOP)[1] == []


def test_a_demo_ends_without_a_trace_when_whoever_started_it_is_killed(first_start: FirstStart, tmp_path: Path):
    folder = first_start.copy_to(tmp_path / "state")
    starter = f"""
import sys, time
from pathlib import Path
from tests.e2e.conftest import start_demo
print(start_demo(Path({str(folder)!r}), "--port", "{free_port()}").process.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", starter], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as process:
        launcher = psutil.Process(int(process.stdout.readline()))
        family = [launcher, *launcher.children(recursive=True)]
        process.kill()
    assert len(family) >= 5
    assert psutil.wait_procs(family, timeout=STOP)[1] == []
