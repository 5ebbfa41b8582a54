"""The host's screens: the page list, the editor, bookings and schedules – and what strangers must not see."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from awase.domain.errors import Failure, FailureClass, FailureScope, Reason
from awase.domain.health import LocationKind, Service
from awase.models import (
    Booking,
    BookingPage,
    Credential,
    Effect,
    Location,
    PageChange,
    PageHealth,
    Role,
    WeeklySchedule,
)
from awase.models.page import Condition
from awase.services import pages
from awase.services.signals import Cause, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(owner: Any) -> BookingPage:
    return pages.create(owner, title="Product demo", slug="demo", now=datetime.now(UTC), notice_minutes=0)


@pytest.fixture
def browser(owner: Any, log_in: Callable[[Any], Client]) -> Client:
    return log_in(owner)


def text(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.mark.parametrize("path", ["/app/", "/app/pages", "/app/bookings", "/app/connections", "/app/schedules"])
def test_without_a_log_in_every_screen_leads_to_it(client: Client, path: str) -> None:
    answer = client.get(path, SERVER_NAME="awase.test")
    assert answer.status_code == 302 and "/accounts/login/" in answer["Location"]


def test_strangers_cannot_tell_whether_a_page_exists(page: Any, stranger: Any, teammate: Any, log_in: Any) -> None:
    for other in (stranger, teammate):
        for path in ("", "/members", "/locations", "/basics", "/times", "/switch"):
            ask = log_in(other).post if path else log_in(other).get
            assert ask(f"/app/pages/{page.pk}{path}").status_code == 404
    page.refresh_from_db()
    assert page.accepting


def test_a_page_is_made_with_a_title_alone(browser: Client) -> None:
    answer = browser.post("/app/pages/new", {"title": "ご相談", "slug": ""})
    made = BookingPage.objects.get()
    assert answer["Location"] == f"/app/pages/{made.pk}" and made.slug == "page"
    assert browser.post("/app/pages/new", {"title": "ご相談", "slug": "page"}).status_code == 400


def test_what_was_typed_comes_back_with_what_is_wrong(browser: Client, page: BookingPage) -> None:
    typed = {"title": "Another title", "slug": "not a slug", "duration_minutes": "30", "step_minutes": "15"}
    answer = browser.post(f"/app/pages/{page.pk}/basics", typed)
    assert answer.status_code == 400 and "Another title" in text(answer) and "not a slug" in text(answer)
    page.refresh_from_db()
    assert page.title == "Product demo"


def test_a_change_that_would_stop_the_page_is_shown_before_it_is_made(browser: Client, page: BookingPage) -> None:
    data = {"condition": "all", "owner": str(page.owner_id)}
    answer = browser.post(f"/app/pages/{page.pk}/members", data)
    assert answer.status_code == 400 and "would take no bookings" in text(answer)
    assert page.page_members.count() == 1
    assert browser.post(f"/app/pages/{page.pk}/members", {**data, "confirmed": "yes"}).status_code == 302
    assert page.page_members.count() == 0
    assert "The page has no members." in text(browser.get("/app/pages"))


def test_members_condition_and_owner_are_saved(browser: Client, page: BookingPage, teammate: Any) -> None:
    data = {
        "condition": "any",
        "automatic": "yes",
        "method": "sequential",
        "member": [str(page.owner_id), str(teammate.pk)],
        "owner": str(teammate.pk),
        "confirmed": "yes",
    }
    assert browser.post(f"/app/pages/{page.pk}/members", data).status_code == 302
    page.refresh_from_db()
    assert page.condition == Condition.ANY and page.assignment == "sequential" and page.owner_id == teammate.pk
    assert not page.calendar_required


def test_members_of_other_workspaces_cannot_be_put_on_a_page(browser: Client, page: BookingPage, stranger: Any) -> None:
    data = {"condition": "all", "member": [str(page.owner_id), str(stranger.pk)], "owner": str(stranger.pk)}
    browser.post(f"/app/pages/{page.pk}/members", data)
    page.refresh_from_db()
    assert page.owner_id != stranger.pk and not page.page_members.filter(member=stranger).exists()


def test_locations_are_added_filled_in_and_removed(browser: Client, page: BookingPage) -> None:
    address = f"/app/pages/{page.pk}/locations"
    assert browser.post(address, {"add": "in_person", "add_detail": "Tokyo"}).status_code == 302
    place = Location.objects.get()
    assert browser.post(address, {f"detail-{place.pk}": "Osaka", "add": "zoom"}).status_code == 302
    place.refresh_from_db()
    assert place.detail == "Osaka"
    shown = text(browser.get(f"/app/pages/{page.pk}"))
    assert "Osaka" in shown and "has not connected Zoom." in shown
    assert browser.post(address, {"remove": [str(place.pk)]}).status_code == 302
    assert Location.objects.get().kind == LocationKind.ZOOM


def test_the_manual_switch_and_the_health_switch_never_touch_each_other(
    browser: Client, page: BookingPage, owner: Any, connect: Any
) -> None:
    credential = connect(owner, Service.GOOGLE).credential
    browser.post(f"/app/pages/{page.pk}/switch", {"accepting": "off"})
    revoked = Failure(FailureClass.RECONNECT, FailureScope.CONNECTION, "G01", Reason.REVOKED)
    record(credential.pk, revoked, Cause.CHECK, datetime.now(UTC))
    shown = text(browser.get("/app/pages"))
    assert "Stopped by hand" in shown and "Stopped by a connection error" in shown
    browser.post(f"/app/pages/{page.pk}/switch", {"accepting": "on"})
    shown = text(browser.get("/app/pages"))
    assert "Stopped by hand" not in shown and "Stopped by a connection error" in shown
    assert Credential.objects.get().standing == "error"


def test_the_list_is_live_and_silent_while_nothing_changes(browser: Client, page: BookingPage) -> None:
    found = re.search(r'hx-get="([^"]+)"[^>]*>\s*<nav class="chips"', text(browser.get("/app/pages")))
    assert found
    poll = found.group(1).replace("&amp;", "&")
    assert browser.get(poll).status_code == 204
    pages.set_accepting(page, False, datetime.now(UTC), by=page.owner)
    assert "Stopped by hand" in text(browser.get(poll))
    assert browser.get("/app/banner?seen=").status_code == 204


def test_pages_stopped_by_health_come_first_and_of_these_the_longest_stopped(
    browser: Client, owner: Any, connect: Any, page_of: Any
) -> None:
    connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    for slug in ("ann", "ben", "cat", "dan"):
        page_of(owner, slug=slug)
    for hours, slug in enumerate(("ben", "cat", "dan"), start=1):
        page = BookingPage.objects.get(slug=slug)
        pages.set_people(page, replace(pages.people_of(page), member_ids=()), datetime.now(UTC), by=owner)
        PageHealth.objects.filter(page=page).update(since=datetime.now(UTC) - timedelta(hours=hours))
        PageChange.objects.filter(page=page).update(at=datetime.now(UTC) - timedelta(hours=hours))
    pages.set_accepting(BookingPage.objects.get(slug="dan"), False, datetime.now(UTC), by=owner)
    shown = text(browser.get("/app/pages"))
    places = [shown.index(f"/minato/{slug}") for slug in ("cat", "ben", "ann", "dan")]
    assert places == sorted(places), "stopped by hand as well, a page is one of the others"


def test_a_teammates_broken_account_is_listed_for_admins_and_asked_about_once_an_hour(
    browser: Client, owner: Any, teammate: Any, connect: Any, log_in: Any
) -> None:
    link = connect(teammate, Service.GOOGLE)
    revoked = Failure(FailureClass.RECONNECT, FailureScope.CONNECTION, "G01", Reason.REVOKED)
    record(link.credential_id, revoked, Cause.CHECK, datetime.now(UTC))
    assert "Connection errors of members" in text(browser.get("/app/connections?tab=connected"))
    Effect.objects.all().delete()
    assert "was asked by mail" in text(browser.post(f"/app/connections/{link.pk}/ask", follow=True))
    assert "within the last hour" in text(browser.post(f"/app/connections/{link.pk}/ask", follow=True))
    assert Effect.objects.count() == 1
    assert log_in(teammate).post(f"/app/connections/{link.pk}/ask").status_code == 404


def test_a_booking_is_listed_found_shown_and_cancelled(
    browser: Client, page: BookingPage, free_start: Any, book: Any, log_in: Any, stranger: Any
) -> None:
    taken = book(page, free_start(page))
    assert "山田 花子" in text(browser.get("/app/bookings?q=hanako"))
    assert "山田 花子" not in text(browser.get("/app/bookings?q=nobody"))
    assert "山田 花子" in text(browser.get(f"/app/bookings?to={taken.start + timedelta(days=1):%Y-%m-%d}&from=soon"))
    later = text(browser.get(f"/app/bookings?from={taken.start + timedelta(days=2):%Y-%m-%d}"))
    assert "山田 花子" not in later and f'value="{taken.start + timedelta(days=2):%Y-%m-%d}"' in later
    shown = text(browser.get(f"/app/bookings/{taken.uid}"))
    assert "hanako@guest.example" in shown
    assert log_in(stranger).get(f"/app/bookings/{taken.uid}").status_code == 404
    assert log_in(stranger).post(f"/app/bookings/{taken.uid}/cancel").status_code == 404
    assert browser.post(f"/app/bookings/{taken.uid}/cancel", {"reason": "ill"}).status_code == 302
    assert Booking.objects.get().state == "cancelled"
    assert "was cancelled already" in text(browser.post(f"/app/bookings/{taken.uid}/cancel", follow=True))
    assert "山田 花子" in text(browser.get("/app/bookings?tab=cancelled"))


def test_the_missing_place_is_filled_in_by_the_host(
    browser: Client, page: BookingPage, free_start: Any, book: Any, work: Any
) -> None:
    Location.objects.create(page=page, kind=LocationKind.ZOOM)
    taken = book(page, free_start(page))
    assert taken.place_missing
    assert "Place missing" in text(browser.get("/app/bookings"))
    work()
    browser.post(f"/app/bookings/{taken.uid}/place", {"place": "Lobby"})
    taken.refresh_from_db()
    assert taken.location_detail == "Lobby" and not taken.place_missing
    work()
    changed = next(message for message in mail.outbox if message.subject.startswith("予約内容の変更"))
    assert changed.to == ["hanako@guest.example"] and "Lobby" in changed.body


def test_weekly_hours_are_saved_or_come_back_with_the_day_that_is_wrong(browser: Client, owner: Any) -> None:
    row = WeeklySchedule.objects.get(member=owner)
    address = f"/app/schedules/{row.pk}/week"
    good = {"mon-start": ["09:00", "13:00", ""], "mon-end": ["12:00", "17:00", ""]}
    assert browser.post(address, good).status_code == 302
    row.refresh_from_db()
    assert row.weekly[0] == [[540, 720], [780, 1020]] and row.weekly[1] == []
    answer = browser.post(address, {"tue-start": ["10:00"], "tue-end": ["soon"]})
    assert answer.status_code == 400 and "10:00" in text(answer)
    row.refresh_from_db()
    assert row.weekly[0]


def test_the_home_screen_says_what_to_do_first(browser: Client) -> None:
    shown = text(browser.get("/app/"))
    assert "Connect your calendar" in shown and "Create your first booking page" in shown


def test_until_the_first_booking_the_home_screen_says_where_the_page_stands(
    browser: Client, owner: Any, page: BookingPage, free_start: Any, book: Any, connect: Any
) -> None:
    connect(owner, Service.GOOGLE)
    pages.saved(page, (), datetime.now(UTC))
    shown = text(browser.get("/app/"))
    assert "Send your booking page to somebody" in shown and "/minato/demo" in shown
    book(page, free_start(page))
    assert "Send your booking page to somebody" not in text(browser.get("/app/"))


def test_the_page_list_takes_as_many_queries_for_ten_pages_as_for_one(
    browser: Client, owner: Any, page: BookingPage, django_assert_num_queries: Any
) -> None:
    with CaptureQueriesContext(connection) as one:
        browser.get("/app/pages")
    for number in range(9):
        pages.create(owner, title=f"Page {number}", slug=f"page-{number}", now=datetime.now(UTC))
    with django_assert_num_queries(len(one)):
        browser.get("/app/pages")


def test_a_role_is_more_than_a_name(page: BookingPage, teammate: Any, log_in: Any) -> None:
    assert "Product demo" not in text(log_in(teammate).get("/app/pages"))
    teammate.role = Role.ADMIN
    teammate.save()
    assert "Product demo" in text(log_in(teammate).get("/app/pages"))
    assert log_in(teammate).get(f"/app/pages/{page.pk}").status_code == 200


def test_a_booking_over_is_not_cancelled(browser: Client, page: BookingPage, free_start: Any, book: Any) -> None:
    taken = book(page, free_start(page))
    past = datetime.now(UTC) - timedelta(days=2)
    Booking.objects.filter(pk=taken.pk).update(start=past, end=past + timedelta(minutes=30))
    browser.post(f"/app/bookings/{taken.uid}/cancel")
    assert Booking.objects.get().state == "confirmed"
    assert "山田 花子" in text(browser.get("/app/bookings?tab=past"))


def test_the_bare_address_leads_to_the_log_in_which_offers_sign_up_to_the_first_only(
    client: Client, new_member: Any
) -> None:
    answer = client.get("/", SERVER_NAME="awase.test", follow=True)
    assert "Create the first account" in text(answer)
    new_member("Tanaka")
    answer = client.get("/", SERVER_NAME="awase.test", follow=True)
    assert answer.status_code == 200 and "Create the first account" not in text(answer)
    assert "By invitation only" in text(client.get("/accounts/signup/", SERVER_NAME="awase.test"))


def test_the_home_screen_names_a_broken_account_once_with_all_the_pages_that_it_stops(
    browser: Client, page: BookingPage, owner: Any, connect: Any
) -> None:
    link = connect(owner, Service.GOOGLE)
    pages.create(owner, title="Consultation", slug="consultation", now=datetime.now(UTC))
    pages.create(owner, title="Asleep", slug="asleep", now=datetime.now(UTC))
    pages.set_accepting(BookingPage.objects.get(slug="asleep"), False, datetime.now(UTC), by=owner)
    revoked = Failure(FailureClass.RECONNECT, FailureScope.CONNECTION, "G01", Reason.REVOKED)
    record(link.credential_id, revoked, Cause.CHECK, datetime.now(UTC))
    shown = text(browser.get("/app/"))
    assert shown.count("Cannot connect to Google Calendar") == 1
    (stopped,) = re.findall(r"Stopped booking pages</h2>(.*?)</section>", shown, re.DOTALL)
    assert "Product demo" in stopped and "Consultation" in stopped and "Asleep" not in stopped
    assert stopped.count('href="/app/connections?tab=connected"') == 1


def test_the_home_screen_leads_to_the_request_to_answer_the_place_to_fill_in_and_the_work_that_waits(
    browser: Client, page: BookingPage, free_start: Any, book: Any, log_in: Any, teammate: Any, stranger: Any
) -> None:
    asked, placeless, stuck = (book(page, free_start(page, nth)) for nth in (0, 4, 8))
    soon = datetime.now(UTC) + timedelta(hours=1)
    Booking.objects.filter(pk=asked.pk).update(state="requested", answer_by=soon, guest_name="Asks")
    Booking.objects.filter(pk=placeless.pk).update(place_missing=True, guest_name="Placeless")
    Booking.objects.filter(pk=stuck.pk).update(guest_name="Stuck")
    stuck.effects.filter(kind="mail").update(state="parked", parked_reason=Reason.REVOKED)
    shown = text(browser.get("/app/"))
    for heading, booking, said in (
        ("Requests to answer", asked, "then it lapses"),
        ("Places to fill in", placeless, "promised"),
        ("Waiting for a repair", stuck, "A mail could not be sent."),
    ):
        (group,) = re.findall(rf"{heading}</h2>(.*?)</section>", shown, re.DOTALL)
        assert f'href="/app/bookings/{booking.uid}"' in group and said in group
        assert group.count('class="row-title"') == 1
    for other in (teammate, stranger):
        assert "Requests to answer" not in text(log_in(other).get("/app/"))


def test_the_work_of_a_group_session_that_waits_is_one_line_at_home_and_stands_at_each_of_its_seats(
    browser: Client, owner: Any, connect: Any, page_of: Any, free_start: Any, book: Any
) -> None:
    connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    group = page_of(owner, slug="group", seats=3)
    start = free_start(group)
    ann, ben = (book(group, start, email=f"{name}@guest.example") for name in ("ann", "ben"))
    ann.session.effects.filter(kind="event").update(state="parked", parked_reason=Reason.REVOKED)
    assert ann.session.effects.filter(state="parked").count() == 1 and not ann.effects.filter(state="parked").exists()
    (waiting,) = re.findall(r"Waiting for a repair</h2>(.*?)</section>", text(browser.get("/app/")), re.DOTALL)
    assert waiting.count('class="row-title"') == 1 and "and 1 other" in waiting
    assert "The calendar event could not be brought up to date." in waiting
    assert text(browser.get("/app/bookings")).count("Work is waiting") == 2
    for seat in (ann, ben):
        assert "The calendar event could not be brought up to date." in text(browser.get(f"/app/bookings/{seat.uid}"))


def test_the_home_screen_is_live(browser: Client, page: BookingPage, free_start: Any, book: Any) -> None:
    (address,) = re.findall(r'hx-get="(/app/\?[^"]+)"', text(browser.get("/app/")))
    address = address.replace("&amp;", "&")
    assert browser.get(address).status_code == 204
    book(page, free_start(page))
    fresh = browser.get(address)
    assert "山田 花子" in text(fresh) and "<h1" not in text(fresh)


def test_the_home_screen_takes_as_many_queries_for_many_pages_and_bookings_as_for_one(
    browser: Client, owner: Any, page: BookingPage, free_start: Any, book: Any, django_assert_num_queries: Any
) -> None:
    def taken(nth: int) -> None:
        row = book(page, free_start(page, nth))
        Booking.objects.filter(pk=row.pk).update(place_missing=True)
        row.effects.filter(kind="mail").update(state="parked", parked_reason=Reason.REVOKED)

    taken(0)
    browser.get("/app/")
    with CaptureQueriesContext(connection) as one:
        browser.get("/app/")
    for nth in (4, 8, 12):
        taken(nth)
        pages.create(owner, title=f"Page {nth}", slug=f"page-{nth}", now=datetime.now(UTC))
    with django_assert_num_queries(len(one)):
        assert text(browser.get("/app/")).count("promised") == 4
