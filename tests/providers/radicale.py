"""A real CalDAV server on loopback for the contract suite: Radicale as a process of its own."""

import re
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from awase.providers.caldav import CalDAV
from awase.providers.guard import Guard, GuardedTransport
from awase.providers.http import build_client

USER, PASSWORD = "hanako@minato.example", "app-password"
VTIMEZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Asia/Tokyo\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
    "TZOFFSETFROM:+0900\r\nTZOFFSETTO:+0900\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)
MKCALENDAR = """<?xml version="1.0"?><c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">
<d:set><d:prop><d:displayname>{name}</d:displayname><c:calendar-timezone>{zone}</c:calendar-timezone>
<c:supported-calendar-component-set><c:comp name="VEVENT"/></c:supported-calendar-component-set></d:prop></d:set>
</c:mkcalendar>"""


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Start Radicale on a free loopback port; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "users").write_text(f"{USER}:{PASSWORD}\n")
    options = {
        "server-hosts": f"127.0.0.1:{port}",
        "auth-type": "htpasswd",
        "auth-htpasswd-filename": str(folder / "users"),
        "auth-htpasswd-encryption": "plain",
        "auth-delay": "0",
        "storage-filesystem-folder": str(folder / "collections"),
        "logging-level": "error",
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "radicale", "--config", "", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        assert process.poll() is None, "Radicale ended at once"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("Radicale did not start")


class Detour(httpx2.BaseTransport):
    """The guarded transport, with raw answers on demand in front of it."""

    def __init__(self) -> None:
        self.real = GuardedTransport(Guard(("127.0.0.1",)))
        self.raw: httpx2.Response | None = None
        self.once = False

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        raw = self.raw
        if self.once:
            self.raw = None
        if raw is not None:
            return httpx2.Response(raw.status_code, headers=raw.headers, content=raw.content)
        return self.real.handle_request(request)

    def close(self) -> None:
        self.real.close()


class RadicaleWorld:
    """One account with one calendar, `Asia/Tokyo`, on a running Radicale."""

    name = "caldav"

    def __init__(self, address: str) -> None:
        self.address = address
        self.browser = httpx2.Client(auth=(USER, PASSWORD))
        self.root = f"{address}/{USER.replace('@', '%40')}/"
        for response in self.browser.request("PROPFIND", self.root, headers={"Depth": "1"}).text.split("<href>")[1:]:
            path = response.partition("<")[0]
            if path.count("/") == 3:
                self.browser.delete(address + path)
        self.detour = Detour()
        self.client = build_client(transport=self.detour, trust_env=False)
        self.adapter = CalDAV(self.client)
        self.calendar_id = self.add_calendar(name="Main")
        self.linked, self.access = self.adapter.connect(address, USER, PASSWORD, time_zone="Asia/Tokyo")
        self.session: Any = self.adapter.session(self.access)

    def close(self) -> None:
        self.client.close()
        self.browser.close()

    def answer(self, status: int, body: str = "", headers: dict[str, str] | None = None) -> None:
        """The server's raw answer to the coming calls."""
        self.detour.raw = httpx2.Response(status, headers=headers, content=body.encode())

    def add_calendar(self, name: str, zone: str = VTIMEZONE) -> str:
        url = f"{self.root}{uuid.uuid4().hex}/"
        wrapped = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{zone}END:VCALENDAR" if zone else ""
        body = MKCALENDAR.format(name=name, zone=wrapped).encode()
        assert self.browser.request("MKCALENDAR", url, content=body).status_code == 201
        return url

    def remove_calendar(self, calendar_id: str) -> None:
        assert self.browser.delete(calendar_id).status_code == 200

    def remove_event(self, event_id: str) -> None:
        assert self.browser.delete(event_id).status_code == 200

    def move_event(self, event_id: str, start: datetime, end: datetime) -> None:
        """As the owner would, by dragging it."""
        text = self.browser.get(event_id).text
        for name, value in (("DTSTART", start), ("DTEND", end)):
            text = re.sub(rf"{name}[;:][^\r\n]+", f"{name}{edge(value.isoformat())}", text)
        assert self.browser.put(event_id, content=text.encode()).status_code in (200, 201, 204)

    def seed_weekly(self, count: int, **event: Any) -> str:
        return self.seed(**event, lines=[f"RRULE:FREQ=WEEKLY;COUNT={count}"])

    def seed(
        self, start: str, end: str, *, show: str = "", response: str = "", status: str = "", lines: Any = ()
    ) -> str:
        """An event that the account's owner made by hand; start and end as ISO moments or dates."""
        kept = [f"DTSTART{edge(start)}", f"DTEND{edge(end)}", *lines]
        if show == "free":
            kept.append("TRANSP:TRANSPARENT")
        if response:
            kept.append(f"ATTENDEE;PARTSTAT={response.upper()}:mailto:{USER}")
        if status:
            kept.append(f"STATUS:{status.upper()}")
        return self.seed_raw(*kept)

    def seed_raw(self, *lines: str, calendar_id: str = "") -> str:
        uid = str(uuid.uuid4())
        text = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", f"UID:{uid}"]
        text += ["DTSTAMP:20310101T000000Z", "SUMMARY:Private", *lines, "END:VEVENT", "END:VCALENDAR", ""]
        url = f"{calendar_id or self.calendar_id}{uid}.ics"
        answer = self.browser.put(url, content="\r\n".join(text).encode())
        assert answer.status_code == 201, answer.text
        return url


def edge(value: str) -> str:
    if "T" not in value:
        return f";VALUE=DATE:{value.replace('-', '')}"
    return f":{datetime.fromisoformat(value).astimezone(UTC):%Y%m%dT%H%M%SZ}"
