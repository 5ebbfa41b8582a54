"""Public profiles: a workspace with its pages, a member with theirs, and who may write what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from awase.domain.health import LocationKind
from awase.models import BookingPage, Condition, Member, PageGroup
from awase.models.page import Assignment, Visibility
from awase.services import profiles
from tests.web.conftest import Guest, text_of


@pytest.fixture
def known(team: tuple[Member, Member]) -> tuple[Member, Member]:
    """Two members with a profile each."""
    for member, slug in zip(team, ("tanaka", "sato"), strict=True):
        profiles.save(member, slug=slug, about="お気軽にどうぞ。")
        member.refresh_from_db()
    return team


def test_a_member_is_shown_with_the_pages_on_which_they_can_be_booked(
    english: Guest, known: tuple[Member, Member], page_of: Callable[..., BookingPage]
) -> None:
    owner, other = known
    page_of(owner, locations=(LocationKind.ZOOM,), slug="alone", description="<b>Bold</b> words")
    page_of(owner, other, locations=(LocationKind.ZOOM,), slug="both")
    listed = page_of(owner, slug="listed")
    listed.condition = Condition.LIST
    listed.save()
    PageGroup.objects.create(page=listed).members.add(other)
    page_of(owner, other, slug="hidden", visibility=Visibility.SECRET)
    mine = text_of(english.get("/minato/@tanaka"))
    assert owner.name in mine and "お気軽にどうぞ。" in mine
    assert "Alone" in mine and "Both" in mine and "Listed" not in mine and "Hidden" not in mine
    theirs = text_of(english.get("/minato/@sato/"))
    assert "Both" in theirs and "Listed" in theirs and "Alone" not in theirs and "Hidden" not in theirs


def test_where_guests_choose_the_person_the_profile_has_chosen(
    english: Guest, known: tuple[Member, Member], page_of: Callable[..., BookingPage]
) -> None:
    page = page_of(*known, slug="choose", condition=Condition.ANY)
    BookingPage.objects.filter(pk=page.pk).update(assignment=Assignment.GUEST)
    assert f"/minato/choose?host={known[1].pk}" in english.get("/minato/@sato").content.decode()
    assert "host=" not in english.get("/minato/").content.decode()


def test_the_workspace_leads_to_its_members_profiles(english: Guest, known: tuple[Member, Member]) -> None:
    shown = english.get("/minato/").content.decode()
    assert "/minato/@tanaka" in shown and "/minato/@sato" in shown
    profiles.save(known[1], slug="", about="")
    assert "@sato" not in english.get("/minato/").content.decode()
    assert english.get("/minato/@sato").status_code == 404


@pytest.mark.parametrize("path", ["/minato/@nobody", "/elsewhere/@tanaka", "/minato/@"])
def test_nobody_is_found_elsewhere(english: Guest, known: tuple[Member, Member], path: str) -> None:
    assert english.get(path).status_code == 404


def test_who_has_left_has_no_profile(english: Guest, known: tuple[Member, Member]) -> None:
    Member.objects.filter(pk=known[1].pk).update(left_at="2026-01-01T00:00Z")
    assert english.get("/minato/@sato").status_code == 404


def test_a_member_writes_their_own_profile(log_in: Callable[[Any], Client], known: tuple[Member, Member]) -> None:
    browser = log_in(known[1])
    assert "/minato/@sato" in browser.get("/app/profile").content.decode()
    assert browser.post("/app/profile", {"slug": "ken", "about": "<i>こんにちは</i>"}).status_code == 302
    assert Guest("ja").get("/minato/@ken").content.decode().count("&lt;i&gt;こんにちは") == 1
    taken = browser.post("/app/profile", {"slug": "tanaka", "about": "kept"})
    assert taken.status_code == 422 and "kept" in taken.content.decode()
    assert browser.post("/app/profile", {"slug": "a/b", "about": ""}).status_code == 422
    known[0].refresh_from_db()
    assert known[0].slug == "tanaka"


def test_the_profile_asks_the_database_a_constant_number_of_times(
    english: Guest,
    known: tuple[Member, Member],
    page_of: Callable[..., BookingPage],
    django_assert_num_queries: Any,
    django_assert_max_num_queries: Any,
) -> None:
    page_of(*known, locations=(LocationKind.ZOOM,), slug="first")
    english.get("/minato/")
    with django_assert_max_num_queries(12) as few:
        english.get("/minato/")
    for number in range(5):
        page_of(*known, locations=(LocationKind.ZOOM,), slug=f"more-{number}")
    with django_assert_num_queries(len(few)):
        english.get("/minato/")
