"""The screen that makes the code for another site's page."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from awase.models import BookingPage
from awase.models.page import Visibility
from awase.services import links
from tests.web.conftest import text_of


@pytest.fixture
def browser(log_in: Callable[[Any], Client], page: BookingPage) -> Client:
    return log_in(page.owner)


def made(answer: Any) -> str:
    """The code, as it would be pasted."""
    (code,) = re.findall(r"<textarea[^>]+readonly>(.*?)</textarea>", answer.content.decode())
    return unescape(code)


def test_the_code_is_there_at_once_and_follows_what_is_chosen(browser: Client, page: BookingPage) -> None:
    address = f"/app/pages/{page.pk}/embed"
    assert address in browser.get(f"/app/pages/{page.pk}").content.decode()
    plain = browser.get(address)
    assert made(plain) == (
        '<script src="https://awase.test/embed.js" data-page="minato/meet" data-mode="inline" async></script>'
    )
    assert 'src="/minato/meet?embed=1"' in plain.content.decode()
    chosen = {"mode": "float", "label": 'A "fine" time', "lang": "en", "height": "700", "prefill": "q_size=6&email=x@y"}
    shown = browser.get(address, chosen)
    assert made(shown) == (
        '<script src="https://awase.test/embed.js" data-page="minato/meet" data-mode="float"'
        ' data-label="A &quot;fine&quot; time" data-lang="en" data-prefill="q_size=6&amp;email=x@y" async></script>'
    )
    assert "<iframe" not in shown.content.decode()


def test_what_cannot_be_is_said_at_its_field_and_the_usual_code_stands(browser: Client, page: BookingPage) -> None:
    wrong = browser.get(f"/app/pages/{page.pk}/embed", {"mode": "inline", "height": "1", "label": "kept"})
    assert wrong.status_code == 422 and 'id="id_height_error"' in wrong.content.decode()
    assert 'value="kept"' in wrong.content.decode() and 'data-mode="inline"' in made(wrong)


def test_a_page_found_by_its_secret_link_is_embedded_with_it(browser: Client, page: BookingPage) -> None:
    page.visibility = Visibility.SECRET
    page.save()
    address = f"/app/pages/{page.pk}/embed"
    assert "there is none yet" in text_of(browser.get(address, headers={"Accept-Language": "en"}))
    links.renew_secret(page, by=page.owner)
    assert f'data-page="minato/meet?link={links.page_secret(page)}"' in made(browser.get(address))


def test_only_editors_of_the_page_get_there(log_in: Any, stranger: Any, page: BookingPage) -> None:
    address = f"/app/pages/{page.pk}/embed"
    assert log_in(stranger).get(address).status_code == 404
    assert Client(SERVER_NAME="awase.test").get(address).status_code == 302
