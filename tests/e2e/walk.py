"""A team of each language that walks through the product: windows of its people and of their guests, and booking pages
in the editor and as guests see them. See `tests/e2e/walkers.py` for who they are."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import ENGLISH, JAPANESE, PICTURES, SCREEN, Demo, Reader, Visit, windows, written_by
from tests.e2e.walkers import address

TOKYO = ZoneInfo("Asia/Tokyo")
SATURDAY, MOST_DAYS = 5, 60


@pytest.fixture(scope="package")
def teams(demo: Demo) -> dict[str, dict[str, Any]]:
    """What the teams were given, by language (tests/e2e/walkers.py)."""
    return written_by("tests.e2e.walkers", demo.folder)


@pytest.fixture(scope="package", params=[JAPANESE, ENGLISH], ids=["ja", "en"])
def walk(
    request: pytest.FixtureRequest, demo: Demo, chromium: Browser, teams: dict[str, dict[str, Any]]
) -> Iterator[Walk]:
    """The team of one language. Everybody logs in once."""
    reader: Reader = request.param
    with ExitStack() as stack:
        enter = stack.enter_context(windows(chromium, demo, reader, PICTURES / f"walk-{reader.language}"))
        yield Walk(demo, reader, enter, teams[reader.language])


def fill(form: Locator, **fields: Any) -> None:
    """Set fields of a form by name: texts, choices by value, several by a list, boxes by yes or no, files by path."""
    for name, value in fields.items():
        field = form.locator(f"[name='{name}']")
        kind = field.first.evaluate("field => field.localName === 'input' ? field.type : field.localName")
        match kind:
            case "select":
                field.select_option(str(value))
            case "radio":
                form.locator(f"[name='{name}'][value='{value}']").check()
            case "checkbox" if isinstance(value, list):
                for box in field.all():
                    box.set_checked(box.get_attribute("value") in value)
            case "checkbox":
                field.set_checked(value)
            case "file":
                field.set_input_files(value)
            case _:
                field.fill(str(value))


def press(button: Locator) -> None:
    """Press a button that leads to another screen, and wait for it."""
    with button.page.expect_navigation():
        button.click()


class Walk:
    """One team, its people's windows, and what guests see of its pages."""

    def __init__(self, demo: Demo, reader: Reader, enter: Callable[[], Visit], given: dict[str, Any]) -> None:
        self.demo, self.reader, self.enter, self.given = demo, reader, enter, given
        self.slug: str = given["slug"]
        self.names: dict[str, str] = given["names"]
        self.ids: dict[str, int] = given["members"]
        self.guest = enter()
        self._people: dict[str, Visit] = {}
        self.today = datetime.now(TOKYO).date()

    def say(self, japanese: str, english: str) -> str:
        return self.reader.say(japanese, english)

    def person(self, role: str) -> Visit:
        """The window of whoever has this role, logged in."""
        if role not in self._people:
            self._people[role] = self.enter()
            self._people[role].log_in(address(self.reader.language, role))
        return self._people[role]

    def open(self, path: str, role: str = "owner") -> Page:
        return self.person(role).open(path)

    def page(self, title: str, **members: Any) -> Editor:
        """A new page of the owner's, without a condition on accounts; `members`: fields of that section."""
        screen = self.open("/app/pages/new")
        fill(screen.locator("form#new"), title=title)
        press(screen.locator("form#new .actions .button"))
        made = Editor(self, screen)
        made.save("period", notice_minutes=0)
        if members:
            made.save("members", **members)
        return made

    def status(self, path: str) -> int:
        """What the guest's browser is answered."""
        answer = self.guest.page.goto(self.demo.url + path)
        assert answer is not None
        return answer.status

    def until(self, shown: Callable[[], bool], what: str) -> None:
        """Wait for what the worker does."""
        deadline = time.monotonic() + SCREEN
        while not shown():
            assert time.monotonic() < deadline, f"not in time: {what}"
            time.sleep(0.1)

    def mail(self, *words: str) -> Page:
        """The newest mail with these words in its subject or address, once it has come to the demo's mailbox."""
        found = self.open("/app/mailbox").locator("main li")
        for text in words:
            found = found.filter(has_text=text)
        self.until(lambda: found.count() > 0 or not self.open("/app/mailbox"), f"a mail {words}")
        press(found.first.locator("a"))
        return self.person("owner").page

    def let_reminders_come(self) -> None:
        """Reminders and thanks that are planned for later are sent now."""
        with sqlite3.connect(self.demo.folder / "awase.sqlite3", timeout=SCREEN) as database:
            planned = "payload LIKE '%\"sequence\"%' AND state = 'pending'"
            database.execute(f"UPDATE awase_effect SET next_at = datetime('now') WHERE {planned}")  # noqa: S608

    def let_requests_lapse(self) -> None:
        """The time to answer the requests of this team is over now."""
        with sqlite3.connect(self.demo.folder / "awase.sqlite3", timeout=SCREEN) as database:
            theirs = "answer_by IS NOT NULL AND page_id IN (SELECT id FROM awase_bookingpage WHERE owner_id = ?)"
            database.execute(
                f"UPDATE awase_booking SET answer_by = datetime('now') WHERE {theirs}",  # noqa: S608
                [self.ids["owner"]],
            )

    def events(self, service: str, email: str) -> int:
        """How many events stand in the calendars of an account."""
        return sum(len(one["events"]) for one in self.demo.panel.account(service, email)["calendars"])

    def connect(self, role: str, *calendars: dict[str, Any]) -> Page:
        """Somebody connects their Google account, which has these calendars; their window at its details."""
        email = address(self.reader.language, role)
        self.demo.panel.add_account("google", email, list(calendars))
        screen = self.open("/app/connections/google", role)
        press(screen.locator("main [action$='/google/connect'] button, main a[href*='/google/connect']").first)
        screen.locator(f"input[name=account][value='{email}']").check()
        press(screen.locator("button[value=allow]"))
        return self.open("/app/connections/google", role)

    def rooms(self, *names: str) -> list[str]:
        """The admin connects an account that sees these rooms, and adds them; their numbers."""
        screen = self.connect("admin", *({"name": name, "room": True} for name in names))
        press(screen.locator("#rooms a[href*='rooms=1']"))
        screen.locator(f"input[name=account][value='{address(self.reader.language, 'admin')}']").check()
        press(screen.locator("button[value=allow]"))
        press(self.open("/app/connections/google", "admin").locator("#rooms a[href$='/rooms']"))
        for box in screen.locator("[name=room]").all():
            box.check()
        press(screen.locator("main form .filled"))
        removals = screen.locator("form[action^='/app/rooms/']").all()
        return [str(form.get_attribute("action")).split("/")[3] for form in removals]


class Editor:
    """One booking page: its sections in the owner's window, and what guests see."""

    def __init__(self, walk: Walk, screen: Page) -> None:
        self.walk, self.screen = walk, screen
        self.address = screen.url.split("?")[0]
        self.number = int(self.address.rpartition("/")[2])
        self.public = screen.locator("input.copy").first.input_value().removeprefix(walk.demo.url)
        # A working day of its own, a week ahead at least, so that no other page's bookings are in the way.
        days = (walk.today + timedelta(days=number) for number in range(8, MOST_DAYS))
        working = [day for day in days if day.weekday() < SATURDAY]
        self.day = working[self.number % len(working)]

    def open(self) -> Page:
        """The editor."""
        self.screen.goto(self.address)
        return self.screen

    def press_in(self, section: str, button: str) -> None:
        """Press a button of a section."""
        press(self.section(section).locator(button).first)

    def section(self, name: str) -> Locator:
        """A section's form, unfolded."""
        if self.screen.url.split("?")[0].split("#")[0] != self.address:
            self.open()
        form = self.screen.locator(f"form#{name}")
        if not form.is_visible():
            self.screen.locator(f"details:has(form#{name}) > summary").click()
        return form

    def save(self, section: str, change: Callable[[Locator], Any] | None = None, **fields: Any) -> None:
        """Change a section and save it; what it would do is agreed to."""
        form = self.section(section)
        fill(form, **fields)
        if change:
            change(form)
        press(form.locator(".actions .button").first)
        if form.locator("[name=confirmed]").count():
            press(form.locator(".actions .button").first)
        expect(self.screen.locator(f"details:has(form#{section}) .saved")).to_be_visible()

    def guest(self, **query: str) -> Page:
        """The public page, in the guest's window."""
        return self.walk.guest.open(f"{self.public}?{urlencode(query)}")

    def times(self, day: date | None = None, **query: str) -> list[str]:
        """The times that guests are shown for a day, in Tokyo."""
        day = day or self.day
        page = self.guest(month=f"{day:%Y-%m}", day=f"{day}", zone=TOKYO.key, **query)
        found = page.locator("ul.slots a").evaluate_all(
            "all => all.map(a => new URL(a.href).searchParams.get('start'))"
        )
        starts = [datetime.fromisoformat(start).astimezone(TOKYO) for start in found]
        return [f"{start:%H:%M}" for start in starts if start.date() == day]

    def form(self, clock: str, day: date | None = None, **query: str) -> Page:
        """The form for a time in Tokyo, with a guest's name and address."""
        start = datetime.fromisoformat(f"{day or self.day}T{clock}").replace(tzinfo=TOKYO).astimezone(UTC)
        page = self.walk.guest.open(f"{self.public}/book?{urlencode({'start': f'{start:%Y-%m-%dT%H:%MZ}', **query})}")
        fill(page.locator("main form.form"), name="Guest", email="guest@walk.example")
        return page

    def book(self, clock: str, day: date | None = None, **fields: Any) -> Page:
        """A guest books, and sees what came of it."""
        page = self.form(clock, day)
        fill(page.locator("main form.form"), **fields)
        press(page.locator("main form.form button.filled").last)
        return page

    def last_booking(self, name: str = "Guest") -> Page:
        """The details of the guest's booking that stands last in the list of this page, in the owner's window."""
        page = self.walk.open(f"/app/bookings?of={self.number}&q={name}")
        press(page.locator("main a[href^='/app/bookings/']").last)
        return page
