"""Each label of connection health, by its exact Japanese words, and the way from an outage to the open page."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from awase.demo.people import SUZUKI, TAKAHASHI, TANAKA
from tests.e2e.cases import ADMIN
from tests.e2e.conftest import JAPANESE, Demo, Visit

pytestmark = pytest.mark.parametrize("reader", [JAPANESE], ids=["ja"], indirect=True)


def test_the_lists_carry_their_exact_labels(cases: None, visit: Callable[[], Visit], reader: object):
    window = visit()
    page = window.log_in(ADMIN)
    window.open("/app/pages")
    expect(page.locator("h1")).to_have_text("予約ページ一覧")
    for term in ("予約ページ", "サービス連携"):
        expect(page.locator("nav a", has_text=term).first).to_be_attached()
    for badge in ("接続エラーにより停止中", "未接続のため停止中", "設定により停止中", "受付中"):
        expect(page.locator("article.card .badge", has_text=badge).first).to_be_visible()
    for label in ("確認する", "B2さんに再接続を依頼する"):
        expect(page.locator("article.card").get_by_text(label, exact=True).first).to_be_visible()
    expect(page.locator("#banner")).to_contain_text("9件の予約ページが受付を停止しています")

    page.locator("#banner").get_by_role("link", name="確認する", exact=True).click()
    expect(page.locator("h1")).to_have_text("サービス連携一覧")
    expect(page.get_by_role("heading", name="メンバーの接続エラー", exact=True)).to_be_visible()
    entry = page.locator("li.row", has_text="B2さん")
    expect(entry).to_contain_text("Google カレンダー")
    expect(entry).to_contain_text("から")
    entry.get_by_role("button", name="再接続を依頼する", exact=True).click()
    expect(page.get_by_text("B2さんに再接続をメールで依頼しました")).to_be_visible()
    expect(page.locator("li.row", has_text="B2さん")).to_contain_text("に依頼済み")
    window.picture("integration-list")


def test_an_error_stands_under_all_and_connected_and_the_tab_says_so(
    cases: None, visit: Callable[[], Visit], reader: object
):
    window = visit()
    page = window.log_in("a3@cases.example")
    window.open("/app/connections")
    expect(page.locator(".topbar summary .error-count")).to_have_text("接続エラー1")
    tabs = page.locator("nav.tabs a")
    expect(tabs).to_have_text(["すべて", "接続済み接続エラー", "未接続"])
    expect(tabs.nth(1).locator("svg")).to_be_visible()
    zoom = page.locator("li.row", has_text="Zoom")
    expect(zoom.locator(".badge")).to_have_text("接続エラー")
    expect(zoom.get_by_role("link", name="詳細", exact=True)).to_be_visible()
    tabs.nth(1).click()
    expect(page.locator("li.row")).to_have_count(2)
    expect(page.locator("li.row", has_text="Zoom").locator(".badge")).to_have_text("接続エラー")
    page.locator("nav.tabs a").nth(2).click()
    expect(page.locator("nav.tabs a").nth(1).locator("svg")).to_be_visible()
    for row in page.locator("li.row").all():
        expect(row.locator(".badge")).to_have_text("未接続")
        expect(row.get_by_role("link", name="接続する", exact=True)).to_be_visible()
    window.picture("not-connected")


def test_the_details_explain_reconnect_and_preview_a_disconnect(
    cases: None, visit: Callable[[], Visit], reader: object
):
    window = visit()
    page = window.log_in("a11@cases.example")
    window.open("/app/connections/google")
    expect(page.get_by_role("heading", name="カレンダー・リソースアカウント設定", exact=True)).to_be_visible()
    expect(page.get_by_text("予定の重複を確認するカレンダー", exact=True)).to_be_visible()
    expect(page.get_by_text("予約を追加するカレンダー", exact=True)).to_be_visible()
    expect(page.locator("select[name^=policy-] option")).to_have_text(["受付を停止する", "除外して続ける"])
    page.get_by_text("連携を解除する", exact=True).click()
    expect(page.get_by_text("「Case 11」が停止します")).to_be_visible()
    window.picture("google")

    window = visit()
    page = window.log_in("a8@cases.example")
    window.open("/app/connections/google")
    broken = page.locator("section.card.is-danger")
    expect(broken).to_have_count(1)
    expect(broken.locator(".badge").first).to_have_text("接続エラー")
    broken.locator("summary", has_text="確認する").click()
    expect(broken).to_contain_text("サービス側でアクセス権が取り消されました")
    again = broken.get_by_role("link", name="再接続する", exact=True)
    expect(again).to_have_attribute("href", re.compile(r"^/app/connections/google/connect\?connection=\d+$"))
    window.picture("google-error")

    page = visit().log_in("a3@cases.example")
    page.goto(page.url.split("/app")[0] + "/app/connections/zoom")
    expect(page.locator("section.card .badge").first).to_have_text("接続エラー")
    expect(page.get_by_role("link", name="再接続する", exact=True).last).to_be_visible()
    expect(page.get_by_text("連携を解除する", exact=True)).to_be_visible()


def test_the_details_of_zoom_and_teams_tell_state_and_account(demo: Demo, visit: Callable[[], Visit], reader: object):
    for person, service in ((SUZUKI, "zoom"), (TAKAHASHI, "teams")):
        window = visit()
        page = window.log_in(person)
        window.open(f"/app/connections/{service}")
        account = page.locator("section.card", has_text=person.email)
        expect(account.locator(".badge").first).to_have_text("接続済み")
        expect(account.get_by_role("link", name="再接続する", exact=True)).to_be_visible()
        account.get_by_text("連携を解除する", exact=True).click()
        expect(account.get_by_role("button", name="今すぐ解除する", exact=True)).to_be_visible()
    window.picture("teams")


def test_the_editor_carries_the_words_of_the_rules(demo: Demo, visit: Callable[[], Visit], reader: object):
    window = visit()
    page = window.log_in(TANAKA)
    window.open("/app/pages").locator("article.card", has_text="製品デモ").get_by_role("link", name="編集").click()
    for summary in page.locator("details.section > summary").all():
        if summary.locator("..").get_attribute("open") is None:
            summary.click()
    for label in (
        "予約ページ編集",
        "参加メンバー",
        "予約を可能にする条件",
        "全メンバーが参加できる日程",
        "メンバー内のいずれか1人が参加できる日程",
        "担当者自動割当(ラウンドロビン)",
        "カレンダー接続済みのメンバーのみ",
        "オーナー",
        "ロケーション",
        "受付",
    ):
        expect(page.locator("main").get_by_text(label, exact=True).first).to_be_visible()
    expect(page.locator("label", has_text="割当リスト")).to_be_visible()
    window.picture("editor")
    window.open("/app/bookings")
    expect(page.locator("main").get_by_text("ホスト", exact=True).first).to_be_attached()


def age(demo: Demo, person: str, service: str, minutes: int) -> None:
    """Let the last good check of an account lie further back, as if so much time had passed."""
    then = datetime.now(UTC) - timedelta(minutes=minutes)
    with sqlite3.connect(demo.folder / "awase.sqlite3", timeout=20) as database:
        done = database.execute(
            "update awase_credential set last_good = ? where account_email = ? and service = ?",
            (then.strftime("%Y-%m-%d %H:%M:%S.%f"), person, service),
        )
        assert done.rowcount == 1


def test_an_outage_becomes_unreachable_and_the_page_opens_by_itself(
    demo: Demo, visit: Callable[[], Visit], reader: object
):
    window, elsewhere = visit(), visit()
    page, other = window.log_in(SUZUKI), elsewhere.log_in(SUZUKI)
    window.open("/app/pages")
    elsewhere.open("/app/schedules")
    card = page.locator("article.card", has_text="ご相談・ご来社")
    expect(card.locator(".badge").first).to_have_text("受付中")
    expect(other.locator("#banner")).to_be_empty()

    demo.panel.outage("google", SUZUKI.email)
    age(demo, SUZUKI.email, "google", minutes=30)
    expect(card.locator(".badge").first).to_have_text("接続エラーにより停止中")
    expect(card).to_contain_text("現在、サービスに接続できません")
    expect(card).to_contain_text("操作は必要ありません")
    expect(card.get_by_text("再接続")).to_have_count(0)
    window.picture("outage")
    # Another screen, on which nothing but the frame is live, tells of it too.
    expect(other.locator("#banner")).to_contain_text("Google カレンダーに接続エラーがあります")
    expect(other.locator(".topbar summary .error-count")).to_have_text("接続エラー1")

    demo.panel.repair("google", SUZUKI.email)
    expect(card.locator(".badge").first).to_have_text("受付中")
    expect(other.locator("#banner")).to_be_empty()
    expect(other.locator(".topbar summary .error-count")).to_be_empty()

    # What happened stands in the histories of the page and of the account.
    card.get_by_role("link", name="履歴").click()
    expect(page.locator("h1")).to_have_text("ご相談・ご来社")
    expect(page.get_by_role("heading", name="過去90日間")).to_be_visible()
    expect(page.locator("ol.timeline > li").first).to_contain_text("自動で再開")
    expect(page.locator("ol.timeline > li").nth(1)).to_contain_text("現在、サービスに接続できません")
    expect(page.locator("svg.strip rect.danger")).to_have_count(1)
    page.get_by_text("表で見る").click()
    expect(page.locator("table tbody tr").first).to_be_visible()
    window.picture("page-history")
    window.open("/app/connections/google").get_by_role("link", name="履歴").click()
    expect(page.locator("ol.timeline > li").first).to_contain_text("接続済み")
    expect(page.locator("ol.timeline")).to_contain_text("接続エラー: 現在、サービスに接続できません")
    expect(page.locator("ol.timeline")).to_contain_text("定期確認で検出")
    window.picture("account-history")
