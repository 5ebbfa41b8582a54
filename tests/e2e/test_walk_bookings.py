"""Each act on a booking, as a host presses it, and what the guest sees of it then; in both languages."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

from playwright.sync_api import Page, expect

from tests.e2e.walk import Editor, Walk, fill, press, teams, walk

__all__ = ["teams", "walk"]


def said(page: Page) -> None:
    """It was done, and the screen says so."""
    expect(page.locator(".messages .success")).to_be_visible()


def unfolded(page: Page, act: str, **fields: str) -> None:
    """Unfold an act on a booking, fill it in and press it."""
    form = page.locator(f"form[action$='/{act}']")
    page.locator("details", has=form).locator("summary").click()
    fill(form, **fields)
    press(form.locator("button.filled"))
    said(page)


def test_requests_are_answered_and_bookings_changed(walk: Walk) -> None:
    made, names = walk.page("Acts"), walk.names
    made.save("locations", add="in_person", add_detail="3F Minato")
    both = [str(walk.ids[role]) for role in ("owner", "host")]
    made.save("members", condition="any", automatic=True, method="even", calendar_required=False, member=both)
    made.save("changes", approval="held")

    declined = made.book("10:00", name="Declined Guest").url
    page = walk.open("/app/bookings?tab=requests&q=Declined")
    press(page.locator("main .row a").first)
    fill(page.locator("form[action$='/approve']"), reason="Holiday")
    press(page.locator("button[formaction$='/decline']"))
    said(page)
    expect(walk.guest.open(declined).locator("main")).to_contain_text("Holiday")

    approved = made.book("10:00", name="Approved Guest").url
    page = walk.open("/app/bookings?tab=requests&q=Approved")
    press(page.locator("main .row a").first)
    press(page.locator("form[action$='/approve'] .filled"))
    said(page)
    expect(walk.guest.open(approved).locator("main")).to_contain_text("3F Minato")

    # Moved, sent again, handed over, cancelled; the guest's page follows, and the history has it all.
    before = page.locator("p.when").inner_text()
    press(page.locator("a[href$='/times']"))
    press(page.locator("button.slot").first)  # sooner than anything that other pages have
    said(page)
    after = page.locator("p.when").inner_text()
    assert after != before
    expect(walk.guest.open(approved).locator("dl.pairs")).not_to_contain_text(before)
    press(page.locator("form[action$='/resend'] button"))
    said(page)
    expect(page.locator("dl.pairs")).to_contain_text(names["owner"])
    unfolded(page, "reassign", member=str(walk.ids["host"]))
    expect(page.locator("dl.pairs")).to_contain_text(names["host"])
    unfolded(page, "cancel", reason="Illness")
    expect(walk.guest.open(approved).locator("main")).to_contain_text("Illness")
    for what in (
        walk.say("承認", "Approved"),
        walk.say("ホストが日時を変更", "Moved by the host"),
        walk.say("メールを再送", "Mail sent again"),
        walk.say("担当者を変更", "Handed to another host"),
        walk.say("ホストがキャンセル", "Cancelled by the host"),
    ):
        expect(page.locator(".timeline")).to_contain_text(what)
    expect(page.locator("form[action$='/cancel'], form[action$='/resend'], form[action$='/reassign']")).to_have_count(0)


def test_booked_for_a_guest_found_again_and_explained(walk: Walk) -> None:
    """By list, week, month, guest and file; and why no other time is to be had."""
    made = walk.page("Phoned")
    made.save("locations", add="phone")
    editor = str(walk.ids["editor"])
    made.save("members", owner=editor, member=[editor])
    page = walk.open(f"{made.address}/book")
    fill(page.locator("form#book"), start=f"{made.day}T10:00", name="=Phoned", email=f"p{made.number}@walk.example")
    press(page.locator("form#book .filled"))
    said(page)
    details = page.url
    page = walk.open(f"{made.address}/book")
    fill(page.locator("form#book"), start=f"{made.day}T10:00", name="Second", email="second@walk.example")
    press(page.locator("form#book .filled"))
    expect(page.locator("[name=name]")).to_have_value("Second")
    expect(page.locator("form#book .errorlist, form#book .error").first).to_be_visible()
    for moment, why in (
        (f"{made.day}T10:00", walk.say("ほかの予約あり", "another booking")),
        (f"{made.day}T07:00", walk.say("予約可能枠の外", "outside the hours")),
        (f"{made.day + timedelta(days=200)}T10:00", walk.say("受付期間の外", "outside the period")),
    ):
        page = walk.open(f"{made.address}/why?at={moment}")
        expect(page.locator("section.card[aria-live]")).to_contain_text(re.compile(why))
    page = walk.open(f"{made.address}/why?at={made.day}T14:00")
    expect(page.locator("section.card[aria-live]")).to_contain_text(
        walk.say("表示されています", "is offered to guests")
    )

    # The place is not said yet: it is filled in, and the guest told.
    page = walk.open(details)
    fill(page.locator("form[action$='/place']"), place="Second floor")
    press(page.locator("form[action$='/place'] button"))
    said(page)
    expect(page.locator("dl.pairs")).to_contain_text("Second floor")
    for view in ("week", "month"):
        shown = walk.open(f"/app/bookings/calendar?view={view}&on={made.day}")
        expect(shown.locator(".entry", has_text="=Phoned").first).to_be_attached()
    page = walk.open("/app/guests?q=Phoned")
    press(page.locator("main a[href*='/app/guests/of']", has_text="=Phoned").first)
    expect(page.locator("main")).to_contain_text("Phoned")
    page = walk.open(f"/app/bookings?of={made.number}")
    with page.expect_download() as saved:
        page.locator("a[href*='bookings.csv']").click()
    rows = list(csv.reader(io.StringIO(saved.value.path().read_text(encoding="utf-8-sig"))))
    assert len(rows) == 2 and "'=Phoned" in rows[1]


def test_a_guest_who_did_not_come_is_marked(walk: Walk) -> None:
    page = walk.open(walk.given["begun"])
    press(page.locator("form[action$='/no-show'] button"))
    said(page)
    expect(page.locator(".badges")).to_contain_text(walk.say("不参加", "Did not come"))
    press(page.locator("form[action$='/no-show'] button"))
    said(page)
    expect(page.locator(".badges .badge")).to_have_count(0)


def test_work_that_waits_for_an_account_says_so_until_it_is_repaired(walk: Walk) -> None:
    """Somebody changes the event by hand. Then the host's account is revoked; what a cancellation would write there
    waits with its reason."""
    walk.connect("viewer")
    made = walk.page("Parked")
    made.save("members", condition="all", member=[str(walk.ids["viewer"])])
    walk.until(lambda: "15:00" in made.times(), "the times of the account")
    made.book("15:00", name="Waiting Guest")
    page = made.last_booking("Waiting Guest")
    details = page.url
    account = ("google", f"viewer@walk-{walk.reader.language}.example")
    walk.until(lambda: walk.events(*account) > 0, "the event")
    changed_by_hand(walk, made, details, account)
    walk.demo.panel.revoke(*account)
    unfolded(walk.open(details), "cancel")
    waits = page.locator("main .problem", has_text=walk.say("カレンダーの予定", "calendar event"))
    walk.until(lambda: waits.count() > 0 or not page.reload(), "the work that waits")
    expect(waits).to_contain_text(walk.say("アクセス権が取り消されました", "Access was withdrawn"))
    expect(page.locator(".badges")).to_contain_text(walk.say("処理待ちあり", "Work is waiting"))

    # The host connects anew: it follows by itself.
    screen = walk.open("/app/connections/google", "viewer")
    again = screen.get_by_role("link", name=walk.say("再接続する", "Reconnect"), exact=True)
    if not again.is_visible():
        screen.get_by_text(walk.say("確認する", "Review"), exact=True).last.click()
    press(again)
    press(screen.locator("button[value=allow]"))
    walk.until(lambda: waits.count() == 0 or not page.reload(), "the work to be done")
    walk.until(lambda: walk.events(*account) == 0, "the event to go")


def changed_by_hand(walk: Walk, made: Editor, details: str, account: tuple[str, str]) -> None:
    """One team's event is deleted in the calendar: it is shown and written again. The other's is moved, and the booking
    follows, as the page says."""
    if walk.reader.language == "ja":
        walk.demo.panel.by_hand(*account)
        shown, after = "カレンダーで予定が削除されました", "カレンダーの予定が元に戻りました"
    else:
        made.save("changes", drift="follow")
        there = f"{made.day}T16:00:00+09:00", f"{made.day}T16:30:00+09:00"
        walk.demo.panel.by_hand(*account, start=there[0], end=there[1])
        shown, after = "The event was moved in the calendar", "Moved by the host"
    page = walk.open(details)
    history = page.locator(".timeline")
    walk.until(lambda: after in history.inner_text() or not page.reload(), "the event to be put right")
    expect(history).to_contain_text(shown)
    if walk.reader.language == "en":
        expect(page.locator("p.when")).to_contain_text("4:00 PM")
        expect(history).to_contain_text("4:00 PM")
    assert walk.events(*account) == 1
