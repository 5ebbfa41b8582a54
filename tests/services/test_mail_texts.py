"""The owner's own words in the mails to guests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied

from awase.domain.health import LocationKind
from awase.models import BookingPage
from awase.services import mail_samples, mail_texts
from tests.services.conftest import utcnow

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(owner: Any, page_of: Callable[..., BookingPage]) -> BookingPage:
    return page_of(owner)


def say(page: BookingPage, template: str = "confirmed", language: str = "ja", **words: str) -> None:
    mail_texts.save(page, template, language, **{"subject": "", "text": "", "by": page.owner, **words})


def test_a_guest_reads_the_owners_words_with_their_own_details(
    page: BookingPage, free_start: Any, book: Any, work: Any
) -> None:
    say(page, subject="{title}のご予約", text="{guest}様\n<b>ありがとうございます。</b>\n{when}")
    book(page, free_start(page))
    work()
    sent = next(sent for sent in mail.outbox if sent.to == ["hanako@guest.example"])
    assert sent.subject == "Meetのご予約"
    assert "山田 花子様\n<b>ありがとうございます。</b>" in sent.body and "ご予約ありがとうございます" not in sent.body
    html = str(sent.alternatives[0][0])
    assert "&lt;b&gt;" in html and "<b>" not in html
    assert sent.reply_to == [page.owner.user.email]


def test_a_guest_of_another_language_reads_the_usual_words(
    page: BookingPage, free_start: Any, book: Any, work: Any
) -> None:
    say(page, text="日本語だけの文面")
    book(page, free_start(page), about={"language": "en"})
    work()
    assert not any("日本語だけの文面" in sent.body for sent in mail.outbox)


def test_words_of_other_mails_and_languages_are_kept_and_empty_ones_taken_away(page: BookingPage) -> None:
    say(page, text="A")
    say(BookingPage.objects.get(pk=page.pk), "reminder", "en", subject="B")
    page.refresh_from_db()
    assert page.texts == {"ja": {"confirmed": {"text": "A"}}, "en": {"reminder": {"subject": "B"}}}
    say(page, text="  ")
    assert page.texts == {"en": {"reminder": {"subject": "B"}}}


def test_only_who_may_edit_the_page_words_its_mails(page: BookingPage, stranger: Any, teammate: Any) -> None:
    for other in (stranger, teammate):
        with pytest.raises(PermissionDenied):
            say(page, text="mine", by=other)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("template", mail_samples.ALL)
def test_every_mail_has_a_sample_in_both_languages(
    owner: Any, page_of: Callable[..., BookingPage], template: str, language: str
) -> None:
    page = page_of(owner, locations=(LocationKind.PHONE,))
    sample = mail_samples.sample(page, template, language, utcnow())
    assert sample.subject and page.title in sample.text and f'lang="{language}"' in sample.html
    if template in mail_texts.EDITABLE:
        own = mail_samples.sample(page, template, language, utcnow(), subject="S {guest}", text="T {when}")
        assert own.subject.startswith("S ") and "{" not in own.subject and "\nT " in own.text
