"""“Tell me when it opens”: one mail in the wake of the opening, and nothing kept of whom it went to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from awase.domain.health import Service
from awase.models import BookingPage, Effect, OpeningWish
from awase.models.page import Visibility
from awase.services import awaited, openings, pages
from tests.services.conftest import utcnow

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(owner: Any, page_of: Callable[..., BookingPage]) -> BookingPage:
    """A page that its owner has stopped, and whose guests may ask to be told."""
    return page_of(owner, accepting=False, tell_when_open=True)


def ask(page: BookingPage, email: str = "hanako@guest.example") -> bool:
    return openings.ask(page, email, "ja", utcnow())


def switch(page: BookingPage, on: bool) -> None:
    pages.set_accepting(page, on, utcnow(), by=page.owner)


def test_whoever_asked_gets_one_mail_when_the_owner_opens_the_page(page: BookingPage, work: Any) -> None:
    assert ask(page) and ask(page, "Hanako@Guest.example"), "asked twice, told once"
    work()
    assert not mail.outbox
    switch(page, True)
    assert Effect.objects.get().payload == {"template": "page_open", "wish": OpeningWish.objects.get().pk}
    work()
    [told] = mail.outbox
    assert told.to == ["hanako@guest.example"] and told.reply_to == [page.owner.user.email]
    assert "予約受付が再開" in told.subject and f"/minato/{page.slug}" in told.body
    assert not OpeningWish.objects.exists()
    switch(page, False)
    switch(page, True)
    work()
    assert len(mail.outbox) == 1
    assert "guest.example" not in str(list(Effect.objects.values()))


def test_a_repair_that_opens_the_page_tells_them_too(
    owner: Any, page_of: Callable[..., BookingPage], connect: Any, control: Any, work: Any
) -> None:
    link = connect(owner, Service.GOOGLE)
    page = page_of(owner, tell_when_open=True)
    control.revoke("google", owner.user.email)
    from awase.services import checks
    from awase.services.signals import Cause

    checks.check(link.credential_id, Cause.CHECK, utcnow())
    assert ask(page)
    connect(owner, Service.GOOGLE, again=link)
    work()
    assert "hanako@guest.example" in [address for sent in mail.outbox for address in sent.to]


def test_a_page_that_stops_again_before_the_mail_keeps_them_waiting(page: BookingPage, work: Any) -> None:
    ask(page)
    switch(page, True)
    switch(page, False)
    work()
    assert not mail.outbox and OpeningWish.objects.get().told_at is None
    switch(page, True)
    work()
    assert len(mail.outbox) == 1


def test_nobody_waits_for_a_page_that_takes_bookings_or_does_not_offer_it(page: BookingPage) -> None:
    switch(page, True)
    assert not ask(page)
    switch(page, False)
    for field, value in (("tell_when_open", False), ("visibility", Visibility.SECRET), ("archived_at", utcnow())):
        other = BookingPage.objects.get(pk=page.pk)
        setattr(other, field, value)
        other.save()
        assert not ask(other), field
        page.save()
    assert not OpeningWish.objects.exists()


def test_an_address_waits_for_few_pages_and_not_for_ever(owner: Any, page_of: Callable[..., BookingPage]) -> None:
    for number in range(openings.MOST_OF_AN_ADDRESS + 2):
        assert ask(page_of(owner, slug=f"page-{number}", accepting=False, tell_when_open=True))
    assert OpeningWish.objects.count() == openings.MOST_OF_AN_ADDRESS
    assert awaited.sweep(utcnow() + awaited.KEPT + timedelta(minutes=1)) == openings.MOST_OF_AN_ADDRESS
    assert not OpeningWish.objects.exists()
