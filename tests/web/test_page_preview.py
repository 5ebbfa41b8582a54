"""The preview in the page editor: the public page as it is typed, of which nothing is kept and nobody else knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from awase.domain.health import LocationKind
from awase.models import BookingPage, Hold, Location, Member, PageChange
from tests.web.conftest import text_of

BASICS = {"title": "Typed title", "slug": "meet", "description": "", "language": "en"}


@pytest.fixture
def browser(log_in: Callable[[Any], Client], team: Any) -> Client:
    return log_in(team[0])


@pytest.fixture
def preview(browser: Client, page: BookingPage) -> Callable[..., Any]:
    """preview(section, data): the public page as the section stands typed; without data as it is stored."""

    def go(section: str, data: dict[str, Any] | None = None, path: str = "") -> Any:
        address = f"/app/pages/{page.pk}/preview/{section}{path}"
        return browser.get(address) if data is None else browser.post(address, data)

    return go


def test_plain_fields_are_shown_as_typed_and_not_kept(preview: Callable[..., Any], page: BookingPage) -> None:
    before = BookingPage.objects.filter(pk=page.pk).values().get()
    assert "Typed title" in text_of(preview("basics", BASICS))
    assert "Typed title" not in text_of(preview("basics"))
    assert BookingPage.objects.filter(pk=page.pk).values().get() == before


def test_what_cannot_be_kept_is_shown_as_stored(preview: Callable[..., Any], page: BookingPage) -> None:
    shown = text_of(preview("basics", {**BASICS, "slug": "not a slug"}))
    assert page.title in shown and "Typed title" not in shown


def test_locations_and_members_are_shown_as_typed_and_not_kept(
    preview: Callable[..., Any], page: BookingPage, team: Any
) -> None:
    place = Location.objects.get(page=page)
    data = {"place": [place.pk], "remove": [place.pk], "add": "in_person", "add_detail": "3F, Minato building"}
    assert "3F, Minato building" in text_of(preview("locations", data))
    assert list(page.locations.values_list("kind", flat=True)) == [LocationKind.ZOOM]
    members = {"condition": "any", "member": [team[0].pk, team[1].pk], "owner": team[0].pk}
    shown = text_of(preview("members", members))
    assert "Sato" in shown and "Sato" not in text_of(preview("members"))
    assert page.page_members.count() == 1 and not PageChange.objects.filter(page=page, opened=False).exists()


def test_a_page_that_would_stop_is_shown_as_guests_would_see_it(preview: Callable[..., Any], team: Any) -> None:
    shown = text_of(preview("members", {"condition": "all", "owner": team[0].pk}))
    assert "Bookings are not being accepted at the moment" in shown


def test_questions_are_shown_on_the_form_which_holds_no_time(preview: Callable[..., Any], page: BookingPage) -> None:
    answer = preview("form", {"label-0": "How many of you?", "kind-0": "number"})
    assert "How many of you?" in text_of(answer)
    assert "hx-post" not in answer.content.decode().partition("<main")[2]
    assert not Hold.objects.exists()


def test_a_time_leads_to_the_form_and_back_within_the_preview(preview: Callable[..., Any], page: BookingPage) -> None:
    month = preview("basics")
    found = re.search(rf'href="/app/pages/{page.pk}/preview/basics(/book\?start=[^"]+)"', month.content.decode())
    assert found
    form = preview("basics", BASICS, path=found[1])
    assert "Typed title" in text_of(form)
    assert form.context["back_url"].startswith(f"/app/pages/{page.pk}/preview/basics")


def test_only_this_site_may_show_it_in_a_frame(preview: Callable[..., Any]) -> None:
    answer = preview("basics")
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]


def test_nobody_but_editors_sees_it(
    log_in: Callable[[Any], Client], stranger: Member, teammate: Member, page: BookingPage
) -> None:
    for other in (stranger, teammate):
        for path in ("", "/book?start=2030-01-01T00:00Z"):
            assert log_in(other).get(f"/app/pages/{page.pk}/preview/basics{path}").status_code == 404
    assert Client(SERVER_NAME="awase.test").get(f"/app/pages/{page.pk}/preview/basics").status_code == 302


def test_other_sections_are_not_there(preview: Callable[..., Any]) -> None:
    assert preview("nothing").status_code == 404
