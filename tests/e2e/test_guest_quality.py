"""What guests can count on: little to load, nothing that jumps, every way to use a page, nothing lost or twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import ENGLISH, JAPANESE, PICTURES, Demo, Reader, windows

MOST_BYTES, MOST_REQUESTS = 80_000, 12
MOST_SHIFT = 0.02  # 0.1 counts as good
CLS = """() => {
    window.shift = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
}"""
SLOW = {"offline": False, "latency": 300, "downloadThroughput": 50_000, "uploadThroughput": 20_000}


@pytest.fixture
def phone(chromium: Browser, demo: Demo) -> Iterator[BrowserContext]:
    """A guest's phone, with nothing of ours in its store."""
    with windows(chromium, demo, JAPANESE, PICTURES) as visit:
        yield visit().context


def fill_in(page: Page, name: str = "山田 花子") -> None:
    page.fill("[name=name]", name)
    page.fill("[name=email]", "hanako@guest.example")
    if page.locator("[name=phone]").count():
        page.fill("[name=phone]", "090-0000-0000")


def send(page: Page) -> None:
    page.locator("main form button.filled").last.click()


def booked(page: Page) -> str:
    """The address of the booking that is confirmed on this page."""
    expect(page.locator("[data-booked]")).to_be_visible()
    return page.url


@pytest.mark.parametrize("reader", [JAPANESE, ENGLISH], ids=["phone", "desktop"])
def test_the_first_visit_loads_little_and_nothing_jumps(
    chromium: Browser, demo: Demo, scenes: dict[str, str], reader: Reader, record_property: Any
) -> None:
    with windows(chromium, demo, reader, PICTURES, zone_known=False) as visit:
        page = visit().page
        loaded: dict[str, int] = {}
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.on("Network.requestWillBeSent", lambda sent: loaded.setdefault(sent["requestId"], 0))
        wire.on("Network.loadingFinished", lambda end: loaded.update({end["requestId"]: end["encodedDataLength"]}))
        page.add_init_script(f"({CLS})()")
        # The longest page: with choices, and times in the zone of a guest who is far away.
        page.goto(demo.page("product-demo"), wait_until="commit")
        page.locator("table.month").wait_for()
        page.wait_for_load_state("networkidle")
        if reader is ENGLISH:
            expect(page.locator(".zone summary")).to_contain_text("America/New_York")
        weight, shift = sum(loaded.values()), page.evaluate("window.shift")
        print(f"first visit, {reader.name}: {weight} bytes, {len(loaded)} requests, CLS {shift:.4f}")
        assert weight <= MOST_BYTES and len(loaded) <= MOST_REQUESTS
        assert shift <= MOST_SHIFT

        page.locator("a.slot").first.click()
        page.locator(".held p").wait_for()
        assert page.evaluate("window.shift") <= MOST_SHIFT, "the form"


def test_a_guest_without_script_books_moves_and_cancels(chromium: Browser, demo: Demo, scenes: dict[str, str]) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="ja-JP", viewport={"width": 375, "height": 667})
    page = context.new_page()
    page.goto(demo.url + scenes["plum"])
    page.locator("#next-month").click()
    page.locator(".zone summary").click()
    page.select_option("#zone", "Europe/Paris")
    page.locator(".zone button").click()
    expect(page.locator(".zone summary")).to_contain_text("Europe/Paris")
    page.locator("table.month a").last.click()
    page.locator("a.slot").last.click()
    fill_in(page)
    send(page)
    booking = booked(page)
    page.locator("a[href*='/move']").click()
    page.locator("a.slot").first.click()
    send(page)
    expect(page.locator("h1")).to_have_text("日時を変更しました")
    assert page.url == booking
    page.locator("details summary").click()
    page.locator("button.danger").click()
    expect(page.locator("h1")).to_have_text("予約をキャンセルしました")
    context.close()


def test_a_guest_with_a_keyboard_alone_books_and_cancels(
    phone: BrowserContext, demo: Demo, scenes: dict[str, str]
) -> None:
    page = phone.pages[0]
    page.goto(demo.url + scenes["plum"])

    def reach(selector: str) -> None:
        for _ in range(120):
            page.keyboard.press("Tab")
            if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert outline != "none", f"one cannot see that {selector} has the focus"
                return
        pytest.fail(f"{selector} cannot be reached")

    reach("a.skip")
    reach("a#next-month")
    page.keyboard.press("Enter")
    page.locator("a#previous-month").wait_for()
    expect(page.locator("#next-month"), "the place in the page is kept").to_be_focused()
    reach("table.month a")
    page.keyboard.press("Enter")
    reach("a.slot")
    page.keyboard.press("Enter")
    page.locator("[name=name]").wait_for()
    typed = {"name": "山田 花子", "email": "hanako@guest.example", "phone": "090-0000-0000"}
    for name, text in typed.items():
        reach(f"[name={name}]")
        page.keyboard.type(text)
    reach("button.filled")
    page.keyboard.press("Enter")
    booked(page)
    reach("details summary")
    page.keyboard.press("Enter")
    reach("[name=reason]")
    page.keyboard.type("都合により")
    reach("button.danger")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("予約をキャンセルしました")


def test_whoever_sends_an_unfilled_form_begins_at_what_is_wrong(
    phone: BrowserContext, demo: Demo, scenes: dict[str, str]
) -> None:
    page = phone.pages[0]
    page.goto(demo.url + scenes["questions"])
    page.locator("a.slot").last.click()
    page.fill("[name=note]", "kept")
    page.locator("main form").evaluate("(form) => { form.noValidate = true }")
    send(page)
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    expect(page.locator("[name=note]")).to_have_value("kept")
    summary.get_by_role("link").first.click()
    expect(page.locator("[name=name]")).to_be_focused()
    described = page.locator("[name=name]").get_attribute("aria-describedby")
    assert described
    expect(page.locator(f"#{described}")).to_contain_text("お名前を入力してください。")


@pytest.mark.parametrize(("width", "scale"), [(320, 1), (640, 2)], ids=["320 px", "200 %"])
def test_guests_pages_fit_small_windows_and_large_type(
    chromium: Browser, demo: Demo, scenes: dict[str, str], width: int, scale: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 480}, device_scale_factor=scale, locale="en-US")
    page = context.new_page()
    for name in ("member", "staff", "questions", "booked", "requested", "cancelled", "password"):
        page.goto(demo.url + scenes[name])
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page.goto(demo.url + scenes["questions"])
    page.locator("a.slot").first.click()
    expect(page.locator("[name=name]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "form"
    context.close()


def test_on_a_slow_network_two_taps_make_one_booking(phone: BrowserContext, demo: Demo, scenes: dict[str, str]) -> None:
    page = phone.pages[0]
    wire = phone.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send("Network.emulateNetworkConditions", SLOW)
    page.goto(demo.url + scenes["group"])
    page.locator("a.slot").first.click()
    fill_in(page)
    page.locator("main form button.filled").last.dblclick()
    booked(page)


def test_of_two_tabs_on_one_time_the_later_one_keeps_what_was_typed(
    chromium: Browser, demo: Demo, scenes: dict[str, str]
) -> None:
    with windows(chromium, demo, JAPANESE, PICTURES) as visit:
        first, second = visit().page, visit().page
        for page in (first, second):
            page.route("**/hold*", lambda route: route.abort())  # else the second one would not be shown the time
            page.goto(demo.url + scenes["plum"])
            turned = page.locator("#next-month").get_attribute("href") or ""
            page.locator("#next-month").click()
            page.wait_for_url(
                f"**{turned.partition('#')[0]}*"
            )  # else a time of the month before is still there to be taken
            page.locator("a.slot").last.click()
            fill_in(page)
        send(first)
        booked(first)
        send(second)
        expect(second.locator(".problem")).to_contain_text("予約できなくなりました")
        expect(second.locator("[name=name]")).to_have_value("山田 花子")
        second.locator("button.slot").first.click()
        expect(second.locator("[name=name]")).to_have_value("山田 花子")
        send(second)
        assert booked(second) != first.url


def test_the_zone_of_the_guest_is_found_without_asking_and_stays_changed(
    chromium: Browser, demo: Demo, scenes: dict[str, str]
) -> None:
    with windows(chromium, demo, ENGLISH, PICTURES, zone_known=False) as enter:
        page = enter().page
        page.goto(demo.page("meeting"), wait_until="commit")
        expect(page.locator(".zone summary")).to_contain_text("America/New_York")
        page.locator(".zone summary").click()
        page.select_option("#zone", "Europe/Paris")
        page.locator(".zone button").click()
        expect(page.locator(".zone summary")).to_contain_text("Europe/Paris")
        page.goto(demo.page("meeting"))
        expect(page.locator(".zone summary")).to_contain_text("Europe/Paris")
        page.get_by_text("Show the times in your own time zone").click()
        expect(page.locator(".zone summary")).to_contain_text("America/New_York")
    with windows(chromium, demo, ENGLISH, PICTURES, zone_known=False) as enter:
        page = enter().page
        page.goto(demo.url + scenes["group"])
        expect(page.locator(".zone summary")).to_contain_text("Asia/Tokyo")  # a place is where it is
