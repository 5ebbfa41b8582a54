"""Every screen opens, fits its window sideways and speaks the reader's language; a picture of each is kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from awase.demo.people import SATO, TANAKA
from tests.e2e.axe import violations
from tests.e2e.conftest import Demo, Reader, Visit

HOST_SCREENS = {
    "home": "/app/",
    "pages": "/app/pages",
    "new-page": "/app/pages/new",
    "bookings": "/app/bookings",
    "schedules": "/app/schedules",
    "connections": "/app/connections",
    "team": "/app/team",
    "insights": "/app/insights",
    "requests": "/app/bookings?tab=requests",
    "google": "/app/connections/google",
    "microsoft": "/app/connections/microsoft",
    "zoom": "/app/connections/zoom",
    "mailbox": "/app/mailbox",
    "password": "/accounts/password/change/",
}
# Where a list leads to: the first entry of it.
ENTRIES = {
    "page-editor": ("/app/pages", "article.card h3 a"),
    "page-history": ("/app/pages", "article.card a[href$='/history']"),
    "account-history": ("/app/connections/google", "a[href$='/history']"),
    "booking": ("/app/bookings", "main a[href^='/app/bookings/']"),
    "schedule": ("/app/schedules", "main a[href^='/app/schedules/']"),
    "leaving": ("/app/team", "main a[href$='/leave']"),
    "mail": ("/app/mailbox", "main a[href^='/app/mailbox/']"),
}
GUEST_SCREENS = {
    "profile": "/minato/",
    "booking-page": "/minato/meeting/",
    "several-places": "/minato/visit/",
    "assigned": "/minato/product-demo/",
    "stopped-by-hand": "/minato/interview/",
    "log-in": "/accounts/login/",
    "reset": "/accounts/password/reset/",
}
FAULTS = """() => {
    const root = document.documentElement, faults = [];
    if (root.scrollWidth > root.clientWidth) faults.push(`wider than the window: ${root.scrollWidth}`);
    if (document.querySelectorAll('h1').length !== 1) faults.push('not exactly one h1');
    if (!document.title.trim()) faults.push('no title');
    for (const field of document.querySelectorAll('input:not([type=hidden]), select, textarea'))
        if (!field.labels.length && !field.ariaLabel) faults.push(`no label: ${field.outerHTML}`);
    for (const button of document.querySelectorAll('button, a[href]'))
        if (!button.textContent.trim() && !button.ariaLabel) faults.push(`no words: ${button.outerHTML}`);
    for (const part of document.querySelectorAll('[src], link[href]'))
        if (new URL(part.src || part.href).origin !== location.origin) faults.push(`another host: ${part.outerHTML}`);
    return faults;
}"""


def look(window: Visit, reader: Reader, name: str) -> None:
    """Check the screen that is open, and keep its picture."""
    page = window.page
    page.wait_for_load_state("load")
    assert page.evaluate(FAULTS) == [], page.url
    assert violations(page) == [], page.url
    assert page.locator("html").get_attribute("lang") == reader.language
    window.picture(name)


@pytest.mark.parametrize("person", [SATO, TANAKA], ids=["member", "owner"])
def test_every_screen_for_hosts(demo: Demo, visit: Callable[[], Visit], reader: Reader, person):
    window = visit()
    window.log_in(person)
    for name, path in HOST_SCREENS.items():
        answer = window.page.goto(demo.url + path)
        assert answer.status == 200, path
        look(window, reader, name)
    for name, (path, entry) in ENTRIES.items():
        window.open(path).locator(entry).first.click()
        look(window, reader, name)


def test_every_screen_for_guests(demo: Demo, visit: Callable[[], Visit], reader: Reader):
    window = visit()
    for name, path in GUEST_SCREENS.items():
        answer = window.page.goto(demo.url + path)
        assert answer.status == 200, path
        look(window, reader, name)
    answer = window.page.goto(f"{demo.url}/minato/nothing-here/")
    assert answer.status == 404
    look(window, reader, "not-found")
