"""What each role sees and may do, on the screens; the whole table is tried in `tests/services/test_roles.py`. And what
cannot be done: it is explained, with the way to do it, and nothing that was typed is lost."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from awase.demo.people import PASSWORD
from tests.e2e.walk import Walk, fill, press, teams, walk
from tests.e2e.walkers import address

__all__ = ["teams", "walk"]

ALERT = "main [role=alert], main .problem"


def status(page: Page, path: str) -> int:
    answer = page.goto(path)
    assert answer is not None
    return answer.status


def test_owners_and_admins(walk: Walk) -> None:
    roles = walk.open("/app/team").locator("main select[name=role]")
    expect(roles.first.locator("option[value=owner]")).to_have_count(1)
    expect(walk.open(walk.given["page"]).locator("form#access")).to_be_attached()

    # An admin does all but with owners.
    page = walk.open("/app/team", "admin")
    expect(page.locator("main form[action='/app/team/invite']")).to_be_visible()
    expect(page.locator("main form[action='/app/team/invite'] option[value=owner]")).to_have_count(0)
    expect(page.locator(f"main form[action='/app/team/{walk.ids['owner']}/role']")).to_have_count(0)
    expect(walk.open(walk.given["page"], "admin").locator("form#access")).to_be_attached()
    for path in ("/app/settings/workspace", "/app/settings/branding", "/app/settings/webhooks"):
        expect(walk.open(path, "admin").locator("main form").first).to_be_visible()
    expect(walk.open("/app/connections", "admin").locator("h1")).to_be_visible()
    assert status(page, f"{walk.demo.url}/app/settings/mail") in (403, 404), "of the instance's owner alone"


def test_editors_viewers_and_hosts_of_a_page(walk: Walk) -> None:
    shared, coming = walk.given["page"], walk.given["coming"]
    alone = walk.page("Owner alone").address

    # The page's editor: every section but who else may edit.
    page = walk.open(shared, "editor")
    expect(page.locator("form#basics")).to_be_attached()
    expect(page.locator("form#access, #owner")).to_have_count(0)
    page.locator("details:has(form#basics) > summary").click()
    fill(page.locator("form#basics"), internal_note="From the editor")
    press(page.locator("form#basics .actions .button").first)
    expect(page.locator(".saved")).to_be_visible()
    expect(walk.open(coming, "editor").locator("form[action$='/cancel']")).to_be_attached()

    # A viewer reads the settings and the bookings, and changes neither.
    page = walk.open(shared, "viewer")
    expect(page.locator("main")).to_contain_text("From the editor")
    expect(page.locator("main form")).to_have_count(0)
    expect(walk.open("/app/bookings", "viewer").locator("main")).to_contain_text("Coming Guest")
    expect(walk.open(coming, "viewer").locator("main form")).to_have_count(0)
    assert status(page, f"{walk.demo.url}{shared}/book") == 404
    expect(walk.open(f"{shared}/why", "viewer").locator("main form")).to_be_visible()

    # Who takes part sees the page, books for guests, and handles the bookings of their own.
    page = walk.open(shared, "host")
    expect(page.locator("main form")).to_have_count(0)
    press(page.locator("main a[href$='/book']"))
    expect(page.locator("form#book")).to_be_visible()
    expect(walk.open(coming, "host").locator("form[action$='/cancel']")).to_be_attached()

    # All of them are members: the team without invitations, no settings of the workspace, no pages of others.
    for role in ("editor", "viewer", "host"):
        page = walk.open("/app/team", role)
        expect(page.locator("main")).to_contain_text(walk.names["admin"])
        expect(page.locator("main form[action*='/app/team']")).to_have_count(0)
        assert status(page, f"{walk.demo.url}/app/settings/workspace") in (403, 404)
        assert status(page, alone) == 404


def test_two_people_edit_the_same_section(walk: Walk) -> None:
    """The later one sees the difference, with everything typed, and decides."""
    made = walk.page("Twice")
    form = made.section("basics")
    other = walk.open(made.address, "admin")
    other.locator("details:has(form#basics) > summary").click()
    fill(other.locator("form#basics"), title="By the admin", internal_note="Note of the admin")
    press(other.locator("form#basics .actions .button").first)
    fill(form, title="By the owner")
    press(form.locator(".actions .button").first)
    shown = form.locator(".problem table")
    expect(shown).to_contain_text("By the admin")
    expect(shown).to_contain_text("By the owner")
    expect(shown).to_contain_text("Note of the admin")
    expect(form.locator("[name=title]")).to_have_value("By the owner")
    press(form.locator(".actions .button").first)
    expect(made.screen.locator(".saved")).to_be_visible()
    expect(made.guest().locator("h1")).to_have_text("By the owner")


def test_a_form_is_still_there_after_logging_in_again(walk: Walk) -> None:
    made = walk.page("Logged out")
    form = made.section("basics")
    fill(form, title="Typed before", internal_note="A long note")
    window = walk.person("owner")
    window.context.clear_cookies(name=re.compile("session"))
    press(form.locator(".actions .button").first)
    page = made.screen
    page.fill("input[name=login]", address(walk.reader.language, "owner"))
    page.fill("input[name=password]", PASSWORD)
    press(page.locator("main form button").first)
    expect(page.locator(".kept")).to_be_visible()
    expect(form.locator("[name=title]")).to_have_value("Typed before")
    expect(form.locator("[name=internal_note]")).to_have_value("A long note")
    press(form.locator(".actions .button").first)
    expect(page.locator("h1")).to_have_text("Typed before")


def test_what_cannot_be_done_with_people_is_explained(walk: Walk) -> None:
    """The last owner, an owner for an admin, one's own role, and somebody whose bookings are to come."""
    language = walk.reader.language
    last, own = (
        walk.say("先にほかの人をオーナーに", "Make somebody else an owner first"),
        walk.say("自分の権限は変更できません", "You cannot change your own role"),
    )
    page = walk.open("/app/team")
    theirs = page.locator("main li", has_text=address(language, "owner"))
    expect(theirs).to_contain_text(last)
    expect(theirs.locator("a[href$='/leave']")).to_have_count(0)
    page = walk.open(f"/app/team/{walk.ids['owner']}/leave")
    expect(page.locator(ALERT).first).to_contain_text(last)
    expect(page.locator("main form")).to_have_count(0)
    page = walk.open("/app/team", "admin")
    expect(page.locator("main li", has_text=address(language, "admin"))).to_contain_text(own)
    theirs = page.locator("main li", has_text=address(language, "owner"))
    expect(theirs).to_contain_text(walk.say("オーナーだけができます", "Only a workspace owner"))
    expect(theirs.locator("a[href$='/leave']")).to_have_count(0)

    # Bookings to come are handed over in one step, which says beforehand who takes what.
    page = walk.open(f"/app/team/{walk.ids['host']}/leave", "admin")
    expect(page.locator("main form[method=get]")).to_be_visible()
    fill(page.locator("main form[method=get]"), heir=str(walk.ids["viewer"]))
    press(page.locator("main form[method=get] button"))
    expect(page.locator("main")).to_contain_text("Coming Guest")
    expect(page.locator("main form[method=post] .danger")).to_be_visible()
