"""The dashboard of a large workspace: as many queries as in a small one, lists in pages, and ways to search them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from awase.models import Member
from awase.web.shell import utcnow
from bench.crowd import fill
from bench.screens import queries_of, screens

pytestmark = pytest.mark.django_db


def test_every_screen_takes_as_many_queries_in_a_large_workspace(owner: Member, log_in: Any) -> None:
    browser = log_in(owner)
    fill(owner, members=12, pages=26, bookings=100, now=utcnow())
    small = {name: queries_of(browser, address) for name, address in screens(owner).items()}
    fill(owner, members=20, pages=50, bookings=200, now=utcnow())
    assert {name: queries_of(browser, address) for name, address in screens(owner).items()} == small


def titles(answer: Any) -> list[str]:
    return [title for group in answer.context["groups"] for title in (page["title"] for page in group["pages"])]


def test_many_booking_pages_come_in_sheets_and_are_found_by_title_and_by_owner(owner: Member, log_in: Any) -> None:
    browser = log_in(owner)
    fill(owner, members=3, pages=56, bookings=0, now=utcnow())
    first = browser.get("/app/pages")
    second = browser.get(first.context["pager"]["next_url"])
    assert (len(titles(first)), len(titles(second))) == (50, 6)
    assert first.context["pager"]["text"] == "1–50 of 56"
    every, taking, stopped, own = (filter["count"] for filter in first.context["filters"])
    assert (every, taking + stopped, own) == (56, 56, 14) and stopped > 0
    found = browser.get("/app/pages", {"q": "デモ 7"})
    assert titles(found) == ["製品デモ 7"] and not found.context["pager"]
    of_one = browser.get("/app/pages", {"q": "Olivia", "show": "all"})
    assert len(titles(of_one)) == 14 and "q=Olivia" in of_one.context["filters"][0]["url"]
    assert "There is no such booking page." in browser.get("/app/pages", {"q": "nothing"}).content.decode()


def test_the_live_list_asks_for_the_same_sheet_and_answers_nothing_while_nothing_changes(
    owner: Member, log_in: Any
) -> None:
    browser = log_in(owner)
    fill(owner, members=3, pages=56, bookings=0, now=utcnow())
    shown = browser.get("/app/pages?page=2").content.decode()
    (address,) = re.findall(r'hx-get="(/app/pages[^"]+)"', shown)
    assert browser.get(address.replace("&amp;", "&")).status_code == 204


def test_long_lists_of_names_and_causes_are_told_in_short(owner: Member, log_in: Any) -> None:
    browser = log_in(owner)
    fill(owner, members=200, pages=30, bookings=0, now=utcnow())
    home = browser.get("/app/").context
    assert len(home["stopped"]) <= 6 and all(len(cause["pages"]) <= 4 for cause in home["stopped"])
    cards = [page for group in browser.get("/app/pages").context["groups"] for page in group["pages"]]
    (largest,) = (card for card in cards if card["facts"][0].endswith("more"))
    assert largest["facts"][0].count(",") == 5
    assert "Without 10 members: 191 take bookings" in [badge["label"] for badge in largest["badges"]]
    assert len(largest["problems"][0]["also"]) == 6
