"""The real demo, as anybody starts it, and browsers on it."""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, StorageState, expect, sync_playwright

from awase.demo.people import PASSWORD, WORKSPACE_SLUG, Person

REPOSITORY = Path(__file__).parents[2]
PICTURES = REPOSITORY / ".artifacts" / "screens"
CHROMIUM = "/usr/bin/chromium-headless-shell"
# As root there is no sandbox; the rest keeps the browser from calling its maker's servers.
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Seconds. Most is there in a tenth of them: they are for a machine that is busy with other things.
FIRST_START, STOP, SCREEN = 180.0, 60.0, 60.0

expect.set_options(timeout=SCREEN * 1000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


class Panel:
    """The sandbox's control interface: breaks and repairs accounts, shows what the services hold."""

    def __init__(self, url: str) -> None:
        self.client = httpx2.Client(base_url=url, timeout=SCREEN, trust_env=False)

    def fault(self, service: str, email: str, name: str, **details: object) -> None:
        self._post(f"/control/api/accounts/{service}/{email}/fault", {"fault": name, **details})

    def revoke(self, service: str, email: str) -> None:
        self._post(f"/control/api/accounts/{service}/{email}/revoke", {})

    def outage(self, service: str, email: str) -> None:
        self.fault(service, email, "outage")

    def repair(self, service: str, email: str) -> None:
        self._post(f"/control/api/accounts/{service}/{email}/repair", {})

    def by_hand(self, service: str, email: str, **times: str) -> None:
        """Somebody moves the only event of an account in its calendar, or without new times deletes it."""
        (calendar, event) = next(
            (one["id"], event["id"]) for one in self.account(service, email)["calendars"] for event in one["events"]
        )
        address = f"/control/api/accounts/{service}/{email}/calendars/{calendar}/events/{event}"
        (self.client.patch(address, json=times) if times else self.client.delete(address)).raise_for_status()

    def add_account(self, service: str, email: str, calendars: list[dict]) -> None:
        body = {"service": service, "email": email, "name": email, "calendars": calendars}
        self._post("/control/api/accounts", body)

    def accounts(self) -> list[dict]:
        answer = self.client.get("/control/api/state")
        answer.raise_for_status()
        return answer.json()["accounts"]

    def account(self, service: str, email: str) -> dict:
        answer = self.client.get(f"/control/api/accounts/{service}/{email}")
        answer.raise_for_status()
        return answer.json()

    def _post(self, path: str, body: dict) -> None:
        self.client.post(path, json=body).raise_for_status()


@dataclass
class Demo:
    """A running demo: its addresses, its folder, and its first process."""

    url: str
    sandbox_url: str
    folder: Path
    process: subprocess.Popen[str]
    panel: Panel

    def page(self, slug: str) -> str:
        return f"{self.url}/{WORKSPACE_SLUG}/{slug}/"


def start_demo(folder: Path, *arguments: str) -> Demo:
    """`python -m awase demo`, ready; its output is kept flowing so that it never waits for a reader."""
    process = subprocess.Popen(
        [sys.executable, "-m", "awase", "demo", "--with-parent", *arguments],
        cwd=REPOSITORY,
        env={name: value for name, value in os.environ.items() if not name.startswith("AWASE_")}
        | {"AWASE_STATE": str(folder), "AWASE_CHECK_SECONDS": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # As from a terminal, even if this run was started in the background, where Ctrl-C is ignored.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        with process.stdout as output:
            for line in output:
                lines.put(line)

    threading.Thread(target=read, daemon=True).start()
    said = []
    deadline = time.monotonic() + FIRST_START
    while not any("Stop with Ctrl-C" in line for line in said):
        try:
            said.append(lines.get(timeout=0.5))
        except queue.Empty:
            if process.poll() is not None or time.monotonic() > deadline:
                stop_demo(process)
                pytest.fail(f"The demo did not start:\n{''.join(said)}")
    place = json.loads((folder / "demo.json").read_text())
    sandbox_url = f"http://localhost:{place['sandbox_port']}"
    return Demo(f"http://127.0.0.1:{place['port']}", sandbox_url, folder, process, Panel(sandbox_url))


def stop_demo(process: subprocess.Popen[str], demand: int = signal.SIGTERM) -> list[psutil.Process]:
    """End it as a terminal or a supervisor would; returns the processes that it left behind."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(demand)
        process.wait(STOP)
    except psutil.NoSuchProcess:
        family = []
    finally:
        if process.poll() is None:
            process.kill()
    return psutil.wait_procs(family, timeout=STOP)[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class FirstStart:
    """What a demo showed that was started for the first time and ended since, and the folder that it left."""

    folder: Path
    url: str
    profile: str
    accounts: list[dict]

    def copy_to(self, folder: Path) -> Path:
        return shutil.copytree(self.folder, folder)


@pytest.fixture(scope="package")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> FirstStart:
    """Bringing in the sample data takes most of a start: it is done once, here."""
    running = start_demo(tmp_path_factory.mktemp("first") / "state", "--port", str(free_port()))
    shown = FirstStart(running.folder, running.url, profile(running), running.panel.accounts())
    running.panel.client.close()
    assert stop_demo(running.process, signal.SIGINT) == []
    return shown


def profile(demo: Demo) -> str:
    """The public list of booking pages, as a reader of Japanese gets it."""
    address = f"{demo.url}/{WORKSPACE_SLUG}/"
    return httpx2.get(address, trust_env=False, timeout=SCREEN, headers={"Accept-Language": "ja"}).text


@pytest.fixture(scope="package")
def demo(first_start: FirstStart, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo of all browser tests, on ports of its own; it must leave no process behind."""
    folder = first_start.copy_to(tmp_path_factory.mktemp("demo") / "state")
    running = start_demo(folder, "--port", str(free_port()))
    yield running
    running.panel.client.close()
    assert stop_demo(running.process) == []


@pytest.fixture(scope="package")
def cases(demo: Demo) -> None:
    """The worked cases of the rules, as rows of the running product (tests/e2e/cases.py)."""
    subprocess.run([sys.executable, "-m", "tests.e2e.cases", str(demo.folder)], cwd=REPOSITORY, check=True)


@cache
def written_by(module: str, folder: Path) -> Any:
    """What a module of ours that writes into the running product tells of it; written once, however many ask."""
    command = [sys.executable, "-m", module, str(folder)]
    made = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(made.stdout)


@pytest.fixture(scope="package")
def scenes(demo: Demo) -> dict[str, str]:
    """The addresses of pages and bookings in every state that guests meet (tests/e2e/scenes.py)."""
    return written_by("tests.e2e.scenes", demo.folder)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Ends with the package: while it is open, this thread has an event loop, and the ORM refuses to work."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Reader:
    """Who looks at the screens: their language, zone and device."""

    language: str
    locale: str
    time_zone: str
    width: int = 1280
    height: int = 900
    dark: bool = False

    @property
    def name(self) -> str:
        return f"{self.language}-{self.width}-{'dark' if self.dark else 'light'}"

    def say(self, japanese: str, english: str) -> str:
        return japanese if self.language == "ja" else english


JAPANESE = Reader("ja", "ja-JP", "Asia/Tokyo", width=375, height=812)
ENGLISH = Reader("en", "en-US", "America/New_York", dark=True)


@pytest.fixture(params=[JAPANESE, ENGLISH], ids=["ja", "en"])
def reader(request: pytest.FixtureRequest) -> Reader:
    """One who reads Japanese on a phone, and one who reads English on a dark desktop."""
    return request.param


class Visit:
    """One person's browser window, with a counter for its pictures."""

    def __init__(self, context: BrowserContext, folder: Path, url: str) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.folder = folder
        self.url = url

    def open(self, path: str) -> Page:
        self.page.goto(path if path.startswith("http") else self.url + path)
        return self.page

    def log_in(self, person: Person | str) -> Page:
        self.open("/accounts/login/")
        self.page.fill("input[name=login]", person if isinstance(person, str) else person.email)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.locator("main form button").first.click()
        self.page.wait_for_load_state()
        return self.page

    def picture(self, name: str) -> None:
        """Keep the screen as it is, the whole length of it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        number = len(list(self.folder.glob("*.png"))) + 1
        self.page.screenshot(path=self.folder / f"{number:02}-{name}.png", full_page=True)


OPEN: list[Visit] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Of a test that failed each window's last screen is told, and kept as a picture."""
    report = yield
    for window in OPEN if report.failed else ():
        with suppress(Error):
            report.sections.append((f"Screen at {window.page.url}", window.page.locator("body").inner_text()))
            window.picture("failed")
    return report


@pytest.fixture
def pictures(request: pytest.FixtureRequest) -> Path:
    """Where this test's pictures go; those of an earlier run are removed."""
    folder = PICTURES / re.sub(r"[^\w-]+", "-", request.node.name).strip("-")
    for old in folder.glob("*.png"):
        old.unlink()
    return folder


@contextmanager
def windows(
    chromium: Browser,
    demo: Demo,
    reader: Reader,
    pictures: Path,
    state: StorageState | None = None,
    *,
    zone_known: bool = True,
) -> Iterator[Callable[[], Visit]]:
    """Opens browser windows of this reader. A screen with an error of its own fails the test."""
    opened: list[Visit] = []
    complaints: list[str] = []

    def enter() -> Visit:
        context = chromium.new_context(
            locale=reader.locale,
            timezone_id=reader.time_zone,
            viewport={"width": reader.width, "height": reader.height},
            color_scheme="dark" if reader.dark else "light",
            storage_state=state,
        )
        context.set_default_timeout(SCREEN * 1000)
        if zone_known:  # else a guest's first page goes on to their own zone by itself
            context.add_cookies([{"name": "zone", "value": reader.time_zone, "url": demo.url}])
        window = Visit(context, pictures, demo.url)
        opened.append(window)
        OPEN.append(window)
        window.page.on("pageerror", lambda error: complaints.append(str(error)))
        window.page.on(
            "console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None
        )
        return window

    try:
        yield enter
    finally:
        for window in opened:
            OPEN.remove(window)
            window.context.close()
    assert complaints == []


@pytest.fixture
def visit(chromium: Browser, demo: Demo, reader: Reader, pictures: Path) -> Iterator[Callable[[], Visit]]:
    """visit() opens a fresh browser window of this reader."""
    with windows(chromium, demo, reader, pictures) as enter:
        yield enter
