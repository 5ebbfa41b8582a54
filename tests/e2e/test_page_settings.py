"""Each setting of the page editor has its effect on the public page, as a host clicks through, in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from awase.demo.people import SATO, TANAKA
from tests.e2e.conftest import Reader, Visit
from tests.web.test_page_looks import png


class Editor:
    """A page of its own in the editor, and a guest's window on it."""

    def __init__(self, host: Visit, guest: Visit, slug: str) -> None:
        self.host, self.guest, self.slug = host, guest, slug
        page = host.open("/app/pages/new")
        page.fill("#id_title", "Settings")
        page.fill("#id_slug", slug)
        page.locator("#new button").last.click()
        page.wait_for_url(re.compile(r"/app/pages/\d+"))
        self.address = page.url.split("?")[0]

    def save(self, section: str, change: Callable[[Page], Any]) -> None:
        """Change a section and save it; what it would do is agreed to."""
        page = self.host.open(f"{self.address}?saved={section}")
        form = page.locator(f"form#{section}")
        change(page)
        form.locator(".actions .button").first.click()
        if page.locator(f"form#{section} [name=confirmed]").count():
            page.locator(f"form#{section} .actions .button").first.click()
        expect(page.locator(f"details:has(form#{section}) .saved")).to_be_visible()

    def public(self, query: str = "") -> Page:
        return self.guest.open(f"/minato/{self.slug}{query}")

    def form(self) -> Page:
        page = self.public()
        page.locator("a.slot").first.click()
        page.wait_for_selector("form.form")
        return page


@pytest.fixture
def editor(request: pytest.FixtureRequest, visit: Callable[[], Visit], reader: Reader) -> Iterator[Editor]:
    """The page goes into the archive afterwards, so that it stands in the way of no other test's list."""
    host, guest = visit(), visit()
    host.log_in(TANAKA)
    made = Editor(host, guest, f"{request.function.__name__.replace('_', '-')}-{reader.language}")
    yield made
    page = host.open(made.address)
    page.locator("details:has(form[action$='/archive']) > summary").click()
    page.locator("form[action$='/archive'] button").click()
    expect(host.open(made.address).locator("form[action$='/archive'] [name=archived][value=no]")).to_be_attached()


def test_each_setting_shows_on_the_public_page(editor: Editor, reader: Reader, tmp_path: Path):
    picture = tmp_path / "cover.png"
    picture.write_bytes(png(160, 60))

    def basics(page: Page) -> None:
        page.fill("#id_title", "Renamed")
        page.locator("#id_description-text").fill("Bring papers")
        expect(page.frame_locator("#preview").locator("h1")).to_have_text("Renamed")

    editor.save("basics", basics)
    expect(editor.public().locator("h1")).to_have_text("Renamed")
    expect(editor.guest.page.locator(".summary .prose")).to_contain_text("Bring papers")

    def design(page: Page) -> None:
        page.check("input.theme-plum")
        page.set_input_files("#id_picture", picture)

    editor.save("design", design)
    expect(editor.public().locator("body.theme-plum img.cover")).to_be_visible()

    def members(page: Page) -> None:
        page.check("input[name=condition][value=any]")
        page.uncheck("input[name=automatic]")
        page.get_by_role("checkbox", name=SATO.name).check()

    editor.save("members", members)
    expect(editor.public().get_by_role("link", name=re.compile(SATO.name))).to_be_visible()

    def locations(page: Page) -> None:
        page.select_option("#add", "in_person")
        page.fill("#add_detail", "3F Minato")

    editor.save("locations", locations)
    expect(editor.public().locator(".points")).to_contain_text("3F Minato")

    def times(page: Page) -> None:
        page.select_option("#id_duration_minutes", "60")
        page.locator("input[name=durations][value='30']").check()
        page.select_option("#id_time_zone", "Europe/Paris")

    editor.save("times", times)
    expect(editor.public().locator(".choose").first.locator(".chip")).to_have_count(2)

    def period(page: Page) -> None:
        page.check("input[name=kind][value=rolling]")
        page.fill("#id_period_days", "200")
        page.select_option("#id_notice_minutes", "10080")

    editor.save("period", period)
    expect(editor.public().locator("a#next-month")).to_be_visible()
    editor.save("period", lambda page: page.fill("#id_period_days", "3"))
    expect(editor.public().locator(".month a")).to_have_count(0)
    editor.save(
        "period", lambda page: (page.fill("#id_period_days", "60"), page.select_option("#id_notice_minutes", "0"))
    )

    def form(page: Page) -> None:
        page.select_option("#id_ask_company", "required")
        page.select_option("#id_ask_phone", "optional")
        page.uncheck("#id_ask_further")
        page.fill("#label-0", "How many?")
        page.select_option("#kind-0", "number")

    editor.save("form", form)
    asked = editor.form()
    for name in ("company", "phone", "q_q1"):
        expect(asked.locator(f"[name={name}]")).to_be_visible()
    expect(asked.locator("[name=further]")).to_have_count(0)

    editor.save("changes", lambda page: page.check("input[name=approval][value=held]"))
    button = editor.form().locator("form.form button.filled")
    expect(button).to_have_text(re.compile("リクエスト|request", re.IGNORECASE))

    editor.save("sharing", lambda page: page.uncheck("#id_indexed"))
    expect(editor.public().locator("meta[name=robots]")).to_have_attribute("content", "noindex")
    editor.save("sharing", lambda page: page.fill("#id_new_password", "sesame"))
    expect(editor.public().locator("#page_password")).to_be_visible()
    editor.save(
        "sharing", lambda page: (page.check("#id_no_password"), page.check("input[name=visibility][value=secret]"))
    )
    assert editor.guest.page.goto(f"{editor.guest.url}/minato/{editor.slug}").status == 404

    editor.save("sharing", lambda page: page.check("input[name=visibility][value=public]"))
    page = editor.host.open(f"{editor.address}?saved=switch")
    page.locator("form#switch .button").first.click()
    expect(editor.public().locator(".problem")).to_contain_text(
        reader.say("現在、予約の受付を停止しています", "Bookings are not being accepted at the moment")
    )
