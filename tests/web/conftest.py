"""The guest: a browser that keeps no more than it is given, and pages to book."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from awase.domain.health import LocationKind, Service
from tests.services.conftest import book, connect, control, free_start, page_of, work

__all__ = ["book", "connect", "control", "free_start", "page_of", "work"]

WEEK = [[[0, 1440]]] * 7


class Fields(HTMLParser):
    """What a browser would send of the first form, untouched."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.action = ""
        self._area = ""
        self.feed(html.partition("<form")[1] + html.partition("<form")[2].partition("</form>")[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = values["action"]
        elif tag == "input" and values.get("type") != "file" and (values.get("type") != "radio" or "checked" in values):
            self.values[values["name"]] = values.get("value", "")
        elif tag == "textarea":
            self._area = values["name"]
            self.values[self._area] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] += data.removeprefix("\n")


class Guest:
    """Somebody with a browser, who types the usual details into the form."""

    DETAILS = {"name": "山田 花子", "email": "hanako@guest.example", "note": "よろしく"}  # noqa: RUF012

    def __init__(self, language: str = "ja") -> None:
        self.client = Client(SERVER_NAME="awase.test", headers={"Accept-Language": language})

    def get(self, path: str, **query: str) -> Any:
        return self.client.get(path, query)

    def open_form(self, page: Any, start: Any, **query: str) -> Fields:
        answer = self.get(f"/minato/{page.slug}/book", start=f"{start:%Y-%m-%dT%H:%MZ}", **query)
        assert answer.status_code == 200, answer.content.decode()
        return Fields(answer.content.decode())

    def send(self, form: Fields, **entries: str) -> Any:
        return self.client.post(form.action, form.values | self.DETAILS | entries)

    def book(self, page: Any, start: Any, **entries: str) -> Any:
        return self.send(self.open_form(page, start), **entries)


def text_of(answer: Any) -> str:
    """The words of a page, without its marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.fixture
def guest(db: None) -> Guest:
    return Guest()


@pytest.fixture
def english(db: None) -> Guest:
    return Guest("en-US")


@pytest.fixture
def team(owner: Any, teammate: Any, connect: Callable[..., Any]) -> tuple[Any, Any]:
    """Two members who are there at any hour, with Google and Zoom."""
    for member in (owner, teammate):
        member.schedules.update(weekly=WEEK)
        connect(member, Service.GOOGLE)
        connect(member, Service.ZOOM)
        member.refresh_from_db()
    return owner, teammate


@pytest.fixture
def page(team: tuple[Any, Any], page_of: Callable[..., Any]) -> Any:
    """The owner's page, by Zoom."""
    return page_of(team[0], locations=(LocationKind.ZOOM,))
