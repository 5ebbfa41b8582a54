"""Every kind of booking, as guests and hosts click through it; and what interrupts guests: nothing is lost or twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from awase.demo.people import PASSWORD
from tests.e2e.conftest import JAPANESE, PICTURES, Demo, Visit, windows
from tests.e2e.scenes import OWNER, PAGE_PASSWORD
from tests.e2e.test_guest_quality import booked, fill_in, send
from tests.e2e.test_story import eventually

Enter = Callable[[], Visit]


@pytest.fixture
def enter(chromium: Browser, demo: Demo) -> Iterator[Enter]:
    """enter() opens another window of a guest with a phone, who knows nothing of the others."""
    with windows(chromium, demo, JAPANESE, PICTURES) as opened:
        yield opened


@pytest.fixture
def guest(enter: Enter) -> Page:
    return enter().page


def choose(page: Page, address: str) -> str:
    """Open the page and its form at the last free time of the first day; returns that time."""
    page.goto(address)
    slot = page.locator("a.slot").last
    time = slot.inner_text()
    slot.click()
    page.locator("[name=name]").wait_for()
    return time


def book(page: Page) -> str:
    """Fill in the form that is open and send it; returns the booking's address."""
    fill_in(page)
    send(page)
    return booked(page)


def facts(page: Page) -> str:
    return page.locator("dl.pairs").inner_text()


def heading(page: Page, words: str) -> None:
    expect(page.locator("h1")).to_have_text(words)


def test_of_two_requests_one_is_approved_and_one_declined(
    enter: Enter, guest: Page, demo: Demo, scenes: dict[str, str]
) -> None:
    asked = []
    for name in ("花田 承", "花田 辞"):
        choose(guest, demo.url + scenes["request"])
        fill_in(guest, name)
        send(guest)
        heading(guest, "リクエストを送信しました")
        asked.append(guest.url)
    host = enter()
    host.log_in(OWNER)
    for name, button in (("花田 承", "承認する"), ("花田 辞", "お断りする")):
        details = host.open("/app/bookings?tab=requests")
        details.get_by_role("link", name=re.compile(name)).click()
        details.fill("[name=reason]", "満席のため。")
        details.get_by_role("button", name=button, exact=True).click()
        expect(details.locator(".messages")).to_be_visible()
    guest.goto(asked[0])
    heading(guest, "予約が確定しました")
    guest.goto(asked[1])
    heading(guest, "リクエストは承認されませんでした")
    expect(guest.locator("main")).to_contain_text("満席のため。")


def test_a_request_is_withdrawn(guest: Page, demo: Demo, scenes: dict[str, str]) -> None:
    choose(guest, demo.url + scenes["request"])
    fill_in(guest)
    send(guest)
    guest.locator("details summary").click()
    guest.locator("button.danger").click()
    heading(guest, "予約をキャンセルしました")


def test_a_guest_chooses_the_host_and_one_of_several_lengths(guest: Page, demo: Demo, scenes: dict[str, str]) -> None:
    guest.goto(demo.url + scenes["staff"])
    guest.get_by_role("link", name="15分").click()
    expect(guest.locator(".chip[aria-current]").first).to_have_text("15分")
    guest.get_by_role("link", name="林 健太さん").click()
    expect(guest.locator(".chip[aria-current]").last).to_have_text("林 健太さん")
    guest.locator("a.slot").last.click()
    book(guest)
    assert "林 健太さん" in facts(guest)
    begin, end = re.findall(r"(\d+):(\d+)", facts(guest))[:2]
    assert (int(end[0]) * 60 + int(end[1])) - (int(begin[0]) * 60 + int(begin[1])) == 15


def test_every_kind_of_question_is_answered_and_the_host_reads_it(
    enter: Enter, guest: Page, demo: Demo, scenes: dict[str, str], tmp_path: Path
) -> None:
    paper = tmp_path / "企画書.pdf"
    paper.write_bytes(b"%PDF-1.7")
    choose(guest, demo.url + scenes["questions"])
    guest.get_by_label("ご指定の場所").check()
    fill_in(guest, "質問 太郎")
    guest.fill("[name=note]", "車で伺います")
    guest.fill("[name=q_topic]", "移行について")
    guest.fill("[name=q_details]", "一行目\n二行目")
    guest.get_by_label("スタンダード").check()
    guest.select_option("[name=q_prefecture]", "愛知県")
    guest.get_by_label("Google").check()
    guest.get_by_label("Zoom").check()
    guest.fill("[name=q_people]", "12")
    guest.fill("[name=q_since]", "2027-04-01")
    guest.set_input_files("[name=q_paper]", paper)
    guest.check("[name=q_terms]")
    guest.fill("[name=further]", "jiro@guest.example、not-an-address")
    send(guest)

    # Each error is told in the summary and at its field; nothing has to be typed or chosen again.
    summary = guest.locator(".error-summary")
    expect(summary).to_contain_text("not-an-address")
    expect(guest.locator("#id_where_error")).to_be_visible()
    expect(guest.locator(".kept")).to_contain_text("企画書.pdf")
    guest.fill("[name=where]", "名古屋駅の喫茶室")
    guest.fill("[name=further]", "jiro@guest.example")
    send(guest)
    booked(guest)
    assert "ご指定の場所: 名古屋駅の喫茶室" in facts(guest)

    host = enter()
    host.log_in(OWNER)
    host.open("/app/bookings").get_by_role("link", name=re.compile("質問 太郎")).first.click()
    told = host.page.locator("dl.pairs")
    answers = "移行について|二行目|スタンダード|愛知県|Google|Zoom|12|2027|企画書.pdf|車で伺います|jiro@guest.example"
    for answer in answers.split("|"):
        expect(told).to_contain_text(answer)


def test_a_guest_picks_among_several_places(guest: Page, demo: Demo, scenes: dict[str, str]) -> None:
    choose(guest, demo.url + scenes["questions"])
    guest.get_by_label("電話", exact=True).check()
    fill_in(guest)
    guest.fill("[name=q_topic]", "移行について")
    guest.check("[name=q_terms]")
    send(guest)
    booked(guest)
    assert "電話: 090-0000-0000" in facts(guest) or "電話: 03-0000-2001" in facts(guest)


def test_several_guests_share_a_time_of_a_group(enter: Enter, demo: Demo, scenes: dict[str, str]) -> None:
    times = set()
    for _guest in range(2):
        page = enter().page
        times.add(choose(page, demo.url + scenes["group"]))
        book(page)
    assert len(times) == 1


def test_a_secret_link_a_one_time_link_and_a_password_lead_to_the_form(
    guest: Page, demo: Demo, scenes: dict[str, str]
) -> None:
    bare = demo.url + scenes["secret"].partition("?")[0]
    assert guest.goto(bare).status == 404  # type: ignore[union-attr]
    choose(guest, demo.url + scenes["secret"])
    book(guest)

    choose(guest, demo.url + scenes["once"])
    book(guest)
    assert guest.goto(demo.url + scenes["once"]).status == 410  # type: ignore[union-attr]
    expect(guest.locator("main")).to_contain_text("使用済み")

    guest.goto(demo.url + scenes["password"])
    guest.fill("[name=page_password]", PAGE_PASSWORD)
    guest.locator("main form button").click()
    guest.locator("a.slot").last.click()
    book(guest)


def test_after_booking_the_guest_goes_on_to_the_owners_address(guest: Page, demo: Demo, scenes: dict[str, str]) -> None:
    choose(guest, demo.url + scenes["thanks"])
    book(guest)
    guest.locator("a[target=_top]").click()
    guest.wait_for_url("**/scenes/@mori")


def test_a_meeting_takes_a_room_with_it(enter: Enter, demo: Demo) -> None:
    host = enter()
    page, email = host.page, f"kai-{uuid4().hex[:8]}@rooms.example"
    host.open("/accounts/signup/")
    for name, text in (("name", "甲斐 望"), ("email", email), ("password1", PASSWORD)):
        page.fill(f"[name={name}]", text)

    def go_on() -> None:
        page.locator("main .button.filled").first.click()
        page.wait_for_load_state()

    def allow() -> None:
        page.fill("[name=new_account]", email)
        page.locator("button[value=allow]").click()
        page.wait_for_load_state()

    for _step in ("sign up", "place", "calendar"):
        go_on()
    allow()
    go_on()
    go_on()
    public = page.locator("input.copy").input_value()
    rooms = {"service": "google", "email": email, "calendars": [{"name": "会議室あおい", "room": True}]}
    demo.panel.client.post("/control/api/accounts", json=rooms).raise_for_status()

    host.open("/app/connections/google").locator("a[href*='rooms=1']").click()
    allow()
    host.open("/app/connections/google").locator("a[href$='/rooms']").click()
    page.get_by_role("checkbox").check()
    page.locator("main form button.filled").click()
    host.open("/app/pages").locator("article.card h3 a").click()
    host.open(f"{page.url.split('?')[0]}?saved=rooms")
    page.locator("form#rooms").get_by_role("checkbox").check()
    page.locator("form#rooms .actions .button").first.click()
    if page.locator("form#rooms [name=confirmed]").count():
        page.locator("form#rooms .actions .button").first.click()
    expect(page.locator("details:has(form#rooms) .saved")).to_be_visible()

    guest = enter().page
    choose(guest, public)
    book(guest)
    room = next(one["id"] for one in demo.panel.account("google", email)["calendars"] if "会議室" in one["name"])
    eventually(lambda: f"'email': '{room}'" in str(demo.panel.account("google", email)), "the room is invited")


@pytest.mark.parametrize("kind", ["to-come", "passed"])
def test_a_form_left_open_overnight_books_in_the_morning(
    guest: Page, demo: Demo, scenes: dict[str, str], kind: str
) -> None:
    choose(guest, demo.url + scenes["overnight"])
    fill_in(guest, "朝倉 暁")
    guest.fill("[name=note]", "昨夜入力")
    token = guest.locator("main form [name=token]")
    token.evaluate("(field, yesterday) => { field.value = yesterday }", scenes[f"token-{kind}"])
    send(guest)
    if kind == "passed":
        expect(guest.locator(".problem")).to_contain_text("この日時は予約できなくなりました")
        expect(guest.locator("[name=note]")).to_have_value("昨夜入力")
        guest.locator("button.slot").last.click()
        expect(guest.locator("[name=name]")).to_have_value("朝倉 暁")
        expect(guest.locator("[name=note]")).to_have_value("昨夜入力")
        send(guest)
    booked(guest)


@pytest.mark.parametrize("arrived", [False, True], ids=["on its way there", "on its way back"])
def test_a_connection_lost_while_sending_loses_nothing_and_books_once(
    guest: Page, demo: Demo, scenes: dict[str, str], arrived: bool
) -> None:
    choose(guest, demo.url + scenes["plum"])
    form, taken = guest.url, []

    def lose_the_answer(route: Route) -> None:
        if route.request.method != "POST":
            route.fallback()
            return
        taken.append(demo.url + route.fetch(max_redirects=0).headers["location"])
        route.abort("connectionreset")

    guest.locator(".held p").wait_for()
    fill_in(guest)
    guest.fill("[name=note]", "トンネルの中")
    if arrived:
        guest.route("**/book?*", lose_the_answer)
    else:
        guest.context.set_offline(True)
    with guest.expect_event("requestfailed"):
        send(guest)
    guest.unroute("**/book?*")
    guest.context.set_offline(False)

    guest.wait_for_url("chrome-error://**")
    guest.go_back()
    if arrived:  # going back leads on to what was booked
        assert booked(guest) == taken[0]
        return
    expect(guest.locator("[name=note]")).to_have_value("トンネルの中")
    expect(guest.locator("[name=email]")).to_have_value("hanako@guest.example")
    send(guest)
    address = booked(guest)
    guest.goto(form)
    assert booked(guest) == address, "whoever opens the form anew is shown what they booked"


def test_whoever_goes_back_after_booking_sees_the_booking(guest: Page, demo: Demo, scenes: dict[str, str]) -> None:
    choose(guest, demo.url + scenes["plum"])
    address = book(guest)
    guest.go_back()
    assert booked(guest) == address
    guest.reload()
    assert booked(guest) == address


def test_a_time_lost_while_moving_comes_back_with_fresh_ones_and_the_reason(
    enter: Enter, guest: Page, demo: Demo, scenes: dict[str, str]
) -> None:
    choose(guest, demo.url + scenes["thanks"])
    address = book(guest)
    guest.locator("a[href*='/move']").click()
    guest.locator("a.slot").last.click()
    guest.fill("[name=reason]", "列車の遅れ")
    other = enter().page
    choose(other, demo.url + scenes["thanks"])
    book(other)
    send(guest)
    expect(guest.locator(".problem")).to_contain_text("この日時は予約できなくなりました")
    expect(guest.locator("[name=reason]")).to_have_value("列車の遅れ")
    guest.locator("button.slot").first.click()
    expect(guest.locator("[name=reason]")).to_have_value("列車の遅れ")
    send(guest)
    heading(guest, "日時を変更しました")
    assert guest.url == address


def test_an_offline_guest_keeps_the_month_that_is_shown(guest: Page, demo: Demo, scenes: dict[str, str]) -> None:
    guest.goto(demo.url + scenes["plum"])
    month = guest.locator("#month").inner_text()
    guest.context.set_offline(True)
    guest.locator("#next-month").click()
    expect(guest.locator("#month")).to_have_text(month)
    guest.context.set_offline(False)
    guest.locator("#next-month").click()
    expect(guest.locator("#month")).not_to_have_text(month)
