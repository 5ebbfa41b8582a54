"""From sign-up to a booked meeting, as somebody does it who never saw Awase; every click and every field is counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import uuid4

from playwright.sync_api import Locator

from tests.e2e.conftest import Demo, Reader, Visit

MOST_CLICKS, MOST_FIELDS = 12, 6


class Person:
    """Clicks and types, and counts it."""

    def __init__(self, window: Visit) -> None:
        self.window, self.page = window, window.page
        self.clicks = self.fields = 0

    def click(self, place: Locator) -> None:
        place.click()
        self.page.wait_for_load_state()
        self.clicks += 1

    def type(self, name: str, text: str) -> None:
        self.page.fill(f"[name={name}]", text)
        self.fields += 1

    def next(self) -> None:
        self.click(self.page.locator("main .button.filled").first)


def test_from_sign_up_to_a_booked_meeting(demo: Demo, visit: Callable[[], Visit], reader: Reader):
    window = visit()
    person, page = Person(window), window.page
    email = f"mori-{uuid4().hex[:8]}@minato.example"
    began = time.monotonic()

    window.open("/accounts/signup/")
    window.picture("first-run-1-sign-up")
    person.type("name", "森 千夏")
    person.type("email", email)
    person.type("password1", "correct-horse-7")
    person.next()
    assert page.url.endswith("/app/start/place")
    assert page.locator("[name=time_zone]").input_value() == reader.time_zone, "the browser's own zone"
    window.picture("first-run-2-place")
    person.next()
    window.picture("first-run-3-calendar")
    person.next()  # connect Google: its consent screen
    if page.locator("input[name=new_account]").count() and not page.locator("input[name=account]:checked").count():
        person.type("new_account", email)
    person.click(page.locator("button[value=allow]"))
    assert page.url.endswith("/app/start/hours")
    window.picture("first-run-4-hours")
    person.next()
    window.picture("first-run-5-page")
    person.next()
    window.picture("first-run-6-live")
    assert page.locator("input.copy").input_value().startswith(demo.url)
    person.next()  # see it as a guest does

    person.click(page.locator(".month td a").first)
    person.click(page.locator(".slots a").first)
    person.type("name", "山田 花子")
    person.type("email", "hanako@guest.example")
    person.click(page.locator("main form button.filled").first)
    assert "/b/" in page.url
    window.picture("first-run-7-booked")

    took = time.monotonic() - began
    print(f"{person.clicks} clicks, {person.fields} fields, {took:.0f} s without thinking")
    assert person.clicks <= MOST_CLICKS
    assert person.fields <= MOST_FIELDS
