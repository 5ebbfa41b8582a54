"""はじめての設定: sign-up to a live page; each step can be skipped and gone on with; who may sign up."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from awase.domain.first_run import Step, left
from awase.domain.health import Service
from awase.models import BookingPage, Member, User
from tests.web.conftest import text_of

ENTERED = {"name": "Mori", "email": "mori@minato.example", "password1": "correct-horse-7", "time_zone": "Europe/Paris"}


@pytest.fixture
def browser(db: None) -> Client:
    return Client(SERVER_NAME="awase.test", headers={"Accept-Language": "en"})


@pytest.fixture
def newcomer(browser: Client) -> Client:
    assert browser.post("/accounts/signup/", ENTERED)["Location"] == "/app/start"
    return browser


def standing() -> str:
    return Member.objects.get(user__email="mori@minato.example").first_run


def test_the_first_account_owns_the_instance_and_later_ones_need_an_invitation(newcomer: Client) -> None:
    user = User.objects.get()
    assert (user.owns_instance, user.name, user.time_zone, user.language) == (True, "Mori", "Europe/Paris", "en")
    other = Client(SERVER_NAME="awase.test", headers={"Accept-Language": "en"})
    assert "By invitation only" in text_of(other.get("/accounts/signup/"))
    other.post("/accounts/signup/", {**ENTERED, "email": "late@minato.example"})
    assert User.objects.count() == 1


def test_an_open_instance_lets_anybody_sign_up_into_a_workspace_of_their_own(settings: Any, newcomer: Client) -> None:
    settings.AWASE_SIGNUP_OPEN = True
    other = Client(SERVER_NAME="awase.test")
    assert other.post("/accounts/signup/", {**ENTERED, "email": "late@minato.example"})["Location"] == "/app/start"
    late = Member.objects.get(user__email="late@minato.example")
    assert late.user.owns_instance is None
    assert late.workspace != Member.objects.get(user__email="mori@minato.example").workspace


def test_the_four_steps_end_with_a_page_that_takes_bookings(newcomer: Client) -> None:
    assert newcomer.get("/app/start")["Location"] == "/app/start/place"
    place = newcomer.post("/app/start/place", {"language": "en", "time_zone": "Asia/Tokyo"})
    assert place["Location"] == "/app/start/calendar"
    assert newcomer.post("/app/start/calendar", {"skip": "yes"})["Location"] == "/app/start"
    hours = {"days": ["0", "1", "2", "3", "4", "5", "6"], "start": "08:00", "end": "20:00"}
    assert newcomer.post("/app/start/hours", hours)["Location"] == "/app/start/page"
    made = newcomer.post("/app/start/page", {"title": "Intro", "minutes": "30", "place": "later", "detail": ""})
    shown = text_of(newcomer.get(made["Location"]))
    assert "Your booking page is live" in shown
    page = BookingPage.objects.get()
    assert standing() == "" and page.owner.schedules.get().weekly == [[[480, 1200]]] * 7
    assert newcomer.get("/app/start")["Location"] == "/app/"
    public = newcomer.get(f"/{page.workspace.slug}/{page.slug}/")
    assert re.search(r"/book\?start=", public.content.decode()), "times are offered"


def test_every_step_can_be_skipped_and_taken_up_again(newcomer: Client) -> None:
    for step in Step:
        assert standing() == step
        newcomer.post(f"/app/start/{step}", {"skip": "yes"})
    assert standing() == "" and not BookingPage.objects.exists()


def test_whoever_leaves_half_way_is_led_on_from_the_home_screen_until_they_say_no(newcomer: Client) -> None:
    newcomer.post("/app/start/place", {"skip": "yes"})
    assert "/app/start" in newcomer.get("/app/").content.decode()
    newcomer.post("/app/start/calendar", {"leave": "yes"})
    assert standing() == ""
    assert "/app/start" not in newcomer.get("/app/").content.decode()


def test_doing_an_earlier_step_again_keeps_what_was_reached() -> None:
    assert left(Step.PLACE, Step.HOURS) == Step.HOURS
    assert left(Step.HOURS, Step.HOURS) == Step.PAGE
    assert left(Step.PAGE, Step.PAGE) == "" and left(Step.CALENDAR, "") == ""


def test_a_connected_calendar_leads_on_and_offers_its_meetings(newcomer: Client, connect: Callable[..., Any]) -> None:
    member = Member.objects.get()
    newcomer.post("/app/start/place", {"skip": "yes"})
    connect(member, Service.GOOGLE)
    assert "mori@minato.example" in text_of(newcomer.get("/app/start/calendar"))
    assert 'value="meet"' in newcomer.get("/app/start/page").content.decode()
    newcomer.post("/app/start/page", {"title": "30分", "minutes": "30", "place": "meet", "detail": ""})
    page = BookingPage.objects.get()
    assert (page.slug, page.locations.get().kind) == ("30", "meet")


def test_what_was_typed_comes_back_with_what_is_wrong(newcomer: Client) -> None:
    wrong = newcomer.post("/app/start/hours", {"days": ["0"], "start": "18:00", "end": "09:00"})
    assert wrong.status_code == 400 and 'value="18:00"' in wrong.content.decode()
    wrong = newcomer.post("/app/start/page", {"title": "Call me", "minutes": "30", "place": "phone", "detail": ""})
    assert wrong.status_code == 400 and 'value="Call me"' in wrong.content.decode()
    assert "Enter the number or the address." in text_of(wrong)
