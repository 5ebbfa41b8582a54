"""A booking page inside the page of another site: in the page, in a window, and by a button in the corner."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.e2e.conftest import Demo, Visit
from tests.e2e.scenes import PAGE_PASSWORD

SITE = """<!doctype html><html lang="ja"><title>Somebody's site</title><body><h1>Somebody's site</h1>
<script src="{url}/embed.js" data-page="{page}" data-mode="{mode}" data-label="予約する"
  data-name="山田 花子"></script>
<script>addEventListener("awase:booked", () => document.title = "booked")</script>"""


@pytest.fixture
def site(demo: Demo) -> Iterator[str]:
    """A site of its own, on another origin than the product; its path says how it shows a page, and which."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            mode, _slash, page = self.path.strip("/").partition("/")
            body = SITE.format(url=demo.url, mode=mode, page=page or "minato/consultation").encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def book(page: Page, frame: FrameLocator) -> None:
    frame.locator("a.slot").first.click()
    assert frame.locator("[name=name]").input_value() == "山田 花子"
    frame.locator("[name=email]").fill("hanako@guest.example")
    frame.locator("form button.filled").click()
    frame.locator("[data-booked]").wait_for()
    page.wait_for_function("document.title === 'booked'")


def test_a_guest_books_inside_another_site_and_the_frame_grows_with_its_page(
    visit: Callable[[], Visit], site: str
) -> None:
    page = visit().page
    page.goto(f"{site}/inline")
    frame = page.frame_locator("iframe")
    frame.locator("table.month").wait_for()
    assert frame.locator("footer").inner_text().split() == ["日本語", "English"]
    page.wait_for_function("document.querySelector('iframe').getBoundingClientRect().height >= 640")
    height = page.locator("iframe").bounding_box()["height"]  # type: ignore[index]
    book(page, frame)
    if height > 700:  # on a phone, where the month is long
        page.wait_for_function("before => document.querySelector('iframe').clientHeight < before", arg=height)
    assert page.context.cookies(site) == []

    # The booking is moved and cancelled without leaving the site.
    frame.locator("a[href*='/move']").click()
    frame.locator("a.slot").last.click()
    frame.locator("form button.filled").click()
    expect(frame.locator("h1")).to_have_text(re.compile("日時を変更しました|The time has been changed"))
    frame.locator("details summary").click()
    frame.locator("button.danger").click()
    expect(frame.locator("h1")).to_have_text(re.compile("キャンセルしました|has been cancelled"))
    assert page.url.startswith(site)


def test_a_page_with_a_password_opens_inside_another_site(
    visit: Callable[[], Visit], site: str, scenes: dict[str, str]
) -> None:
    page = visit().page
    page.goto(f"{site}/inline{scenes['password']}")
    frame = page.frame_locator("iframe")
    frame.locator("[name=page_password]").fill(PAGE_PASSWORD)
    frame.locator("form button").click()
    frame.locator("table.month").wait_for()
    book(page, frame)


@pytest.mark.parametrize("mode", ["popup", "float"])
def test_a_button_opens_the_page_in_a_window_that_closes_again(
    visit: Callable[[], Visit], site: str, mode: str
) -> None:
    page = visit().page
    page.goto(f"{site}/{mode}")
    page.get_by_role("button", name="予約する").click()
    page.frame_locator("iframe").locator("table.month").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    page.get_by_role("button", name="予約する").click()
    page.get_by_role("button", name="閉じる", exact=True).click()
    expect(page.locator("dialog")).to_be_hidden()
    page.get_by_role("button", name="予約する").click()
    book(page, page.frame_locator("iframe"))


def test_no_other_page_can_be_framed(visit: Callable[[], Visit], demo: Demo) -> None:
    window = visit()
    for path in ("/app/", "/accounts/login/", "/minato/consultation"):
        answer = window.page.request.get(f"{demo.url}{path}")
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"
