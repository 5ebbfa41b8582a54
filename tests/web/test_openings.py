"""The stopped page asks guests whether to tell them when it opens."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from awase.models import BookingPage, OpeningWish
from tests.web.conftest import Fields, Guest, text_of


@pytest.fixture
def closed(page: BookingPage) -> BookingPage:
    BookingPage.objects.filter(pk=page.pk).update(accepting=False, tell_when_open=True)
    return page


def test_a_guest_leaves_an_address_on_the_stopped_page(guest: Guest, closed: BookingPage) -> None:
    cache.clear()
    form = Fields(guest.get("/minato/meet").content.decode())
    sent = guest.client.post(form.action, {"email": "hanako@guest.example"})
    answer = guest.client.get(sent["Location"])
    assert "受付が再開されましたら" in text_of(answer) and "hanako" not in text_of(answer)
    kept = OpeningWish.objects.get()
    assert (kept.email, kept.language) == ("hanako@guest.example", "ja")


def test_a_mistyped_address_comes_back_with_what_is_wrong(guest: Guest, closed: BookingPage) -> None:
    answer = guest.client.post("/minato/meet/tell", {"email": "hanako@"})
    assert answer.status_code == 422 and 'value="hanako@"' in answer.content.decode()
    assert "メールアドレスの形式が正しくありません" in text_of(answer)


def test_without_the_owners_wish_nothing_is_asked_or_kept(guest: Guest, closed: BookingPage) -> None:
    BookingPage.objects.update(tell_when_open=False)
    assert "/tell" not in guest.get("/minato/meet").content.decode()
    guest.client.post("/minato/meet/tell", {"email": "hanako@guest.example"})
    assert not OpeningWish.objects.exists()


def test_one_client_cannot_enter_many_addresses(guest: Guest, closed: BookingPage) -> None:
    cache.clear()
    answers = [
        guest.client.post("/minato/meet/tell", {"email": f"guest{number}@guest.example"}).status_code
        for number in range(11)
    ]
    assert answers == [303] * 10 + [429]


def test_an_open_page_is_shown_at_once(guest: Guest, page: BookingPage, free_start: Any) -> None:
    cache.clear()
    BookingPage.objects.update(tell_when_open=True)
    answer = guest.client.post("/minato/meet/tell", {"email": "hanako@guest.example"})
    assert answer.status_code == 303 and answer["Location"] == "/minato/meet"
