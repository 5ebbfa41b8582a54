"""The screen on which an owner words the mails to guests, and the gallery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from awase.models import BookingPage
from tests.web.conftest import text_of


@pytest.fixture
def browser(log_in: Callable[[Any], Client], page: BookingPage) -> Client:
    return log_in(page.owner)


def address(page: BookingPage, rest: str = "") -> str:
    return f"/app/pages/{page.pk}/mails/confirmed{rest}?lang_of_mail=ja"


def test_words_are_kept_and_shown_in_the_editor(browser: Client, page: BookingPage) -> None:
    kept = browser.post(address(page), {"subject": "{title}", "text": "{guest}様、お待ちしています。"})
    assert kept.status_code == 302
    page.refresh_from_db()
    assert page.texts["ja"]["confirmed"] == {"subject": "{title}", "text": "{guest}様、お待ちしています。"}
    assert "お待ちしています" in browser.get(address(page)).content.decode()
    assert "日本語" in text_of(browser.get(f"/app/pages/{page.pk}"))


def test_an_unknown_variable_is_named_at_its_field_and_nothing_is_lost(browser: Client, page: BookingPage) -> None:
    answer = browser.post(address(page), {"subject": "S", "text": "Dear {gest}"})
    assert answer.status_code == 422
    assert "{gest}" in text_of(answer) and "Dear {gest}" in answer.content.decode()
    page.refresh_from_db()
    assert page.texts == {}


def test_the_preview_shows_what_is_typed_and_keeps_nothing(browser: Client, page: BookingPage) -> None:
    shown = browser.post(address(page, "/preview"), {"subject": "<i>S</i>", "text": "{guest}様 <script>"})
    assert "山田 花子様 &lt;script&gt;" in shown.content.decode() and "&lt;i&gt;S" in shown.content.decode()
    policy = shown["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "frame-ancestors 'self'" in policy
    page.refresh_from_db()
    assert page.texts == {}


def test_only_editors_of_the_page_get_there(log_in: Any, stranger: Any, page: BookingPage) -> None:
    for path in (address(page), address(page, "/preview")):
        assert log_in(stranger).get(path).status_code == 404
        assert Client(SERVER_NAME="awase.test").get(path).status_code in (302, 404)
        assert log_in(page.owner).get(path.replace("confirmed", "host_booked")).status_code == 404


def test_the_gallery_is_there_for_development_only(settings: Any, page: BookingPage, client: Client) -> None:
    paths = ("/app/gallery", "/app/gallery/mails", "/app/gallery/mails/ja/confirmed")
    for path in paths:
        assert client.get(path, SERVER_NAME="awase.test").status_code == 404
    settings.AWASE_DEMO = True
    for path in paths:
        assert client.get(path, SERVER_NAME="awase.test").status_code == 200


def test_words_that_somebody_else_saved_meanwhile_are_shown_beside_what_was_typed(
    browser: Client, page: BookingPage
) -> None:
    seen = browser.get(address(page)).context["seen"]
    browser.post(address(page), {"subject": "Theirs", "text": "", "seen": seen})
    answer = browser.post(address(page), {"subject": "Mine", "text": "", "seen": seen})
    assert answer.status_code == 422
    assert "Somebody else changed this section meanwhile." in text_of(answer) and "Theirs" in text_of(answer)
    assert 'value="Mine"' in answer.content.decode()
    assert browser.post(address(page), {"subject": "Mine", "seen": answer.context["seen"]}).status_code == 302
