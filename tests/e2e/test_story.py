"""The whole story, as people live it: a booking, a broken account, the way back – in both languages."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from awase.demo.people import SATO, SUZUKI, TAKAHASHI, TANAKA
from tests.e2e.conftest import SCREEN, Demo, Reader, Visit


def eventually(true: Callable[[], bool], what: str, seconds: float = SCREEN) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.2)


def at_rest(counts: Callable[[], tuple[int, ...]]) -> tuple[int, ...]:
    """The counts once the sample bookings have all arrived at the services: unchanged for some seconds."""
    known, since = counts(), time.monotonic()
    while time.monotonic() - since < 4:
        time.sleep(0.2)
        if (now := counts()) != known:
            known, since = now, time.monotonic()
    return known


def meetings(demo: Demo) -> int:
    return len(demo.panel.account("zoom", SATO.email)["meetings"])


def events(demo: Demo, service: str, email: str) -> int:
    calendars = demo.panel.account(service, email)["calendars"]
    return sum(len(calendar["events"]) for calendar in calendars)


def choose_time(window: Visit, address: str) -> Page:
    """A guest opens the page and takes the last time of the first free day: the form stands open then."""
    page = window.open(address)
    page.locator("ul.slots a").last.click()
    page.fill("input[name=name]", "Kim Guest")
    page.fill("input[name=email]", "kim@guest.example")
    return page


def send(page: Page) -> None:
    page.locator("main form button.filled").last.click()
    page.wait_for_load_state()


def test_an_account_breaks_its_pages_stop_and_open_again_once_it_is_repaired(
    demo: Demo, visit: Callable[[], Visit], reader: Reader
):
    say = reader.say
    not_accepting = say("現在、予約の受付を停止しています", "Bookings are not being accepted at the moment")
    confirmed = say("予約が確定しました", "Your booking is confirmed")
    stopped = say("接続エラーにより停止中", "Stopped by a connection error")
    review = say("確認する", "Review")

    # A guest books: a Zoom meeting, an event in the calendar of each host, the link in the mail.
    before = at_rest(lambda: (meetings(demo), events(demo, "google", SATO.email), events(demo, "google", TANAKA.email)))
    guest = visit()
    guest.open(demo.page("meeting"))
    guest.picture("booking-page")
    page = choose_time(guest, demo.page("meeting"))
    guest.picture("form")
    send(page)
    expect(page.locator("h1")).to_have_text(confirmed)
    guest.picture("confirmed")
    eventually(
        lambda: (
            (meetings(demo), events(demo, "google", SATO.email), events(demo, "google", TANAKA.email))
            == tuple(count + 1 for count in before)
        ),
        "one meeting, and one event for each host",
    )

    # Another guest has the form open when the host's Google account is revoked.
    late = visit()
    form = choose_time(late, demo.page("meeting"))
    host = visit()
    screen = host.log_in(SATO)
    host.open("/app/pages")
    expect(screen.locator("article.card").first).to_contain_text(say("受付中", "Taking bookings"))
    host.picture("page-list")
    demo.panel.revoke("google", SATO.email)

    # The page list shows it by itself: the stopped page first, with reason, cure and button.
    card = screen.locator("article.card").first
    expect(card).to_contain_text(stopped)
    expect(card).to_contain_text("お打ち合わせ")
    expect(card).to_contain_text(SATO.email)
    expect(card).to_contain_text(say("アクセス権が取り消されました", "Access was withdrawn"))
    expect(card.get_by_role("link", name=review)).to_be_visible()
    host.picture("page-list-stopped")

    # Guests are told without a name; a form sent all the same books nothing.
    with form.expect_response(lambda answer: answer.request.method == "POST") as answer:
        send(form)
    assert answer.value.status == 409
    expect(form.get_by_text(not_accepting)).to_be_visible()
    assert SATO.email not in form.content()
    late.picture("refused")
    expect(guest.open(demo.page("meeting")).get_by_text(not_accepting)).to_be_visible()
    guest.picture("stopped-page")
    assert events(demo, "google", TANAKA.email) == before[2] + 1

    # A page with automatic assignment goes on with the others.
    others = [("google", SUZUKI.email), ("microsoft", TAKAHASHI.email)]
    theirs = sum(events(demo, *account) for account in others)
    send(choose_time(guest, demo.page("product-demo")))
    expect(guest.page.locator("h1")).to_have_text(confirmed)
    eventually(lambda: sum(events(demo, *account) for account in others) == theirs + 1, "an event for another host")

    # The admin sees whose account it is, and can ask for it.
    admin = visit()
    team = admin.log_in(TANAKA)
    admin.open("/app/connections")
    expect(
        team.get_by_role("heading", name=say("メンバーの接続エラー", "Connection errors of members"))
    ).to_be_visible()
    expect(team.locator("#connections")).to_contain_text(SATO.name)
    expect(team.get_by_role("button", name=say("再接続を依頼する", "Ask to reconnect"))).to_be_visible()
    admin.picture("admin")

    # From the banner over the integration list and its details to the consent screen, and back.
    screen.locator("#banner").get_by_role("link", name=review).click()
    expect(screen.locator("h1")).to_have_text(say("サービス連携一覧", "All connections"))
    expect(screen.locator("#connections")).to_contain_text(say("接続エラー", "Connection error"))
    host.picture("connections")
    screen.locator("#connections a[href$='/google']").click()
    again = screen.get_by_role("link", name=say("再接続する", "Reconnect"), exact=True)
    if not again.is_visible():
        screen.get_by_text(review, exact=True).last.click()
    host.picture("details")
    again.click()
    expect(screen).to_have_url(re.compile(re.escape(demo.sandbox_url)))
    host.picture("consent")
    screen.locator("button[value=allow]").click()
    expect(screen.get_by_text(say("接続しました", "is connected"))).to_be_visible()
    host.picture("reconnected")

    # The pages are open in the same moment: whoever was refused goes on with what was typed, others book too.
    form.locator("main form button").last.click()
    expect(form.locator("input[name=name]")).to_have_value("Kim Guest")
    send(form)
    expect(form.locator("h1")).to_have_text(confirmed)
    send(choose_time(guest, demo.page("meeting")))
    expect(guest.page.locator("h1")).to_have_text(confirmed)
    host.open("/app/pages")
    expect(screen.locator("article.card").first).not_to_contain_text(stopped)
    expect(screen.locator("#banner")).to_be_empty()
    host.picture("page-list-open")
