"""The worked cases of the rules, seen in a browser: badges, sentence, cures, and what guests get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page

from tests.e2e.cases import ADMIN, CASES, WORKSPACE
from tests.e2e.conftest import JAPANESE, Demo, Visit

pytestmark = pytest.mark.parametrize("reader", [JAPANESE], ids=["ja"], indirect=True)

OPEN, ERROR, NOT_CONNECTED, SETTING = "受付中", "接続エラーにより停止中", "未接続のため停止中", "設定により停止中"
CLOSED_TO_GUESTS = "現在、予約の受付を停止しています"
ADD_LOCATION, NO_LOCATIONS = "利用できるロケーションを追加する", "ロケーションをすべて外す"


def google(who: str, place: int = 0) -> str:
    return f"{who}さんのGoogle カレンダー({who.lower()}-{place}@cases.example)に接続できません。"


def zoom(who: str, place: int = 1) -> str:
    return f"{who}さんのZoom({who.lower()}-{place}@cases.example)に接続できません。"


def ask(who: str) -> str:
    return f"{who}さんに再接続を依頼する"


def off(who: str) -> str:
    return f"{who}さんを参加メンバーから外す"


def disconnects(who: str, place: int) -> str:
    return f"{who}さん: {who.lower()}-{place}@cases.example の連携を解除する"


@dataclass(frozen=True)
class Seen:
    """What an admin who is no member sees on the card: badges, the sentence and further reasons, the cures as
    buttons, and as sentences what others may do. `guests`: words that guests read on the page."""

    badges: tuple[str, ...]
    says: tuple[str, ...] = ()
    cures: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    guests: tuple[str, ...] = ()


EXPECTED = (
    Seen((OPEN,)),
    Seen((ERROR,), (google("B2"),), (ask("B2"), off("B2")), (disconnects("B2", 0),)),
    Seen(
        (ERROR,),
        (zoom("A3"),),
        (ask("A3"), ADD_LOCATION, "B3さんをオーナーにする", NO_LOCATIONS),
        (disconnects("A3", 1),),
    ),
    Seen((OPEN,), (zoom("A4"),), guests=("対面",)),
    Seen((OPEN,)),
    Seen(
        (OPEN,),
        (
            "案内できるロケーションがありません。ゲストには「場所は主催者よりご連絡します」と表示されます。",
            "A6さんはZoomを接続していません。",
        ),
        (ADD_LOCATION, NO_LOCATIONS),
        ("A6さん: Zoomを接続する",),
        guests=("場所は主催者よりご連絡します",),
    ),
    Seen((OPEN,)),
    Seen((ERROR,), (google("A8", 1),), (ask("A8"),), (disconnects("A8", 1),)),
    Seen((OPEN,), (google("A9", 1),)),
    Seen((SETTING,), ("参加メンバーがいません。",), ("Adminさんを参加メンバーに加える",)),
    Seen((OPEN, "B11さんを除く1名で受付中"), (google("B11"),)),
    Seen((ERROR,), (google("A12"), google("B12")), (ask("A12"), ask("B12"))),
    Seen(
        (ERROR,),
        (zoom("A13"), "B13さんはZoomを接続していません。"),
        (ask("A13"), ADD_LOCATION),
        ("B13さん: Zoomを接続する",),
    ),
    Seen((ERROR,), (google("B14"), zoom("A14")), (ask("A14"), ask("B14"), ADD_LOCATION)),
    Seen(
        (NOT_CONNECTED,),
        ("A15さんはカレンダーを接続していません。", "B15さんはカレンダーを接続していません。"),
        ("「カレンダー接続済みのメンバーのみ」を解除する",),
        ("A15さん: カレンダーを接続する", "B15さん: カレンダーを接続する"),
    ),
    Seen((OPEN,)),
    Seen(
        (OPEN, "A17さんを除く1名で受付中"),
        (google("A17"), "B17さんはZoomを接続していません。"),
        guests=("電話",),
    ),
    Seen(
        (NOT_CONNECTED,),
        ("A18さんはZoomを接続していません。", "B18さんはZoomを接続していません。"),
        (ADD_LOCATION,),
        ("A18さん: Zoomを接続する", "B18さん: Zoomを接続する"),
    ),
)

CARDS = """() => Object.fromEntries([...document.querySelectorAll('article.card')].map(card => {
    const texts = (under, selector) => [...under.querySelectorAll(selector)].map(part => part.textContent.trim());
    return [card.querySelector('h3').textContent.trim(), {
        badges: texts(card, '.card-head .badge'),
        says: [...texts(card, '.problem strong'), ...texts(card, '.problem > ul > li')],
        review: texts(card, '.problem .button.filled'),
        cures: texts(card, '.problem .button:not(.filled)'),
        told: texts(card, '.problem .told'),
        group: card.closest('section').querySelector('h2').textContent.trim(),
    }];
}))"""


def enter(window: Visit, email: str) -> Page:
    window.log_in(email)
    return window.open("/app/pages")


def test_each_worked_case_is_shown_with_its_reason_and_its_cures(
    demo: Demo, cases: None, visit: Callable[[], Visit], reader: object
):
    window = visit()
    shown = enter(window, ADMIN).evaluate(CARDS)
    window.picture("cases")
    assert len(shown) == len(CASES) == len(EXPECTED)
    for number, wanted in enumerate(EXPECTED, start=1):
        card = shown[f"Case {number}"]
        stopped = OPEN not in wanted.badges
        found = Seen(tuple(card["badges"]), tuple(card["says"]), tuple(card["cures"]), tuple(card["told"]))
        assert (number, found) == (number, Seen(wanted.badges, wanted.says, wanted.cures, wanted.told))
        assert card["review"] == (["確認する"] if wanted.says else [])
        assert card["group"] == ("停止中の予約ページ" if stopped else "その他")


def test_guests_of_each_worked_case_get_what_the_table_says(
    demo: Demo, cases: None, visit: Callable[[], Visit], reader: object
):
    page = visit().page
    for number, wanted in enumerate(EXPECTED, start=1):
        page.goto(f"{demo.url}/{WORKSPACE}/case-{number}/")
        text = page.locator("main").inner_text()
        assert (number, CLOSED_TO_GUESTS in text) == (number, OPEN not in wanted.badges)
        for words in wanted.guests:
            assert words in text, number
        assert "@cases.example" not in page.content()
        if number in (4, 17):
            assert "Zoom" not in text, number


def test_the_owner_does_it_and_a_member_reads_who_can(
    demo: Demo, cases: None, visit: Callable[[], Visit], reader: object
):
    owner = enter(visit(), "a3@cases.example")
    card = owner.evaluate(CARDS)["Case 3"]
    assert card["cures"] == [
        "再接続する",
        ADD_LOCATION,
        "B3さんをオーナーにする",
        NO_LOCATIONS,
        "a3-1@cases.example の連携を解除する",
    ]
    assert card["told"] == []
    owner.get_by_role("link", name="B3さんをオーナーにする").click()
    assert owner.locator("#owner").is_visible()

    member = enter(visit(), "b3@cases.example")
    card = member.evaluate(CARDS)["Case 3"]
    assert card["cures"] == []
    assert card["told"] == [
        "A3さん: 再接続する",
        f"A3さん: {ADD_LOCATION}",
        "A3さん: B3さんをオーナーにする",
        f"A3さん: {NO_LOCATIONS}",
        "A3さん: a3-1@cases.example の連携を解除する",
    ]
    member.get_by_role("link", name="確認する").last.click()
    section = member.get_by_role("heading", name="メンバーの接続エラー").locator("..")
    assert "A3さん" in section.inner_text()
    assert member.get_by_role("button", name="再接続を依頼する").count() == 0
