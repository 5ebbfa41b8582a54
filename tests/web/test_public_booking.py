"""Booking as a guest: the form, what is refused and how, and that nothing typed is lost."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.test import RequestFactory, override_settings

from awase.domain.health import LocationKind, Service
from awase.models import Booking, BookingPage, Condition, Location, Member, WeeklySchedule
from awase.models.page import Assignment
from awase.services import connections, pages
from awase.web import limits
from awase.web.booking import BOOKINGS_AN_HOUR
from awase.web.booking_form import SALT
from tests.services.conftest import Control, utcnow
from tests.web.conftest import Fields, Guest, text_of

STOPPED = "現在、予約の受付を停止しています"
HALF_AN_HOUR = timedelta(minutes=30)
GONE = "この日時は予約できなくなりました"


def form_again(answer: Any) -> Fields:
    return Fields(answer.content.decode())


def test_a_booking_ends_on_its_own_page(guest: Guest, page: BookingPage, free_start: Any) -> None:
    start = free_start(page)
    answer = guest.book(page, start)
    taken = Booking.objects.get()
    assert answer.status_code == 303 and answer["Location"].startswith(f"/b/{taken.uid}/")
    assert (taken.start, taken.end) == (start, start + HALF_AN_HOUR)
    assert (taken.guest_name, taken.guest_email, taken.guest_note) == ("山田 花子", "hanako@guest.example", "よろしく")
    assert (taken.guest_language, taken.guest_time_zone, taken.location_kind) == ("ja", "Asia/Tokyo", "zoom")
    assert "予約が確定しました" in text_of(guest.get(answer["Location"]))


def test_language_and_zone_of_the_guest_go_into_the_booking(english: Guest, page: BookingPage, free_start: Any) -> None:
    form = english.open_form(page, free_start(page), zone="America/New_York")
    english.send(form)
    taken = Booking.objects.get()
    assert (taken.guest_language, taken.guest_time_zone) == ("en", "America/New_York")


def test_the_form_sets_no_cookie_and_needs_none(guest: Guest, page: BookingPage, free_start: Any) -> None:
    form = guest.open_form(page, free_start(page))
    assert not guest.client.cookies
    elsewhere = Guest()
    elsewhere.client.handler.enforce_csrf_checks = True
    assert elsewhere.send(form).status_code == 303


def test_the_chosen_time_stands_above_the_form_with_its_zone(guest: Guest, english: Guest, page: BookingPage) -> None:
    with time_machine.travel(datetime(2026, 11, 20, tzinfo=UTC), tick=False):
        WeeklySchedule.objects.update(weekly=[[[540, 570]]] * 7)
        start = "2026-12-04T00:00Z"
        japanese = text_of(guest.get("/minato/meet/book", start=start))
        assert "2026年12月4日(金) 9:00 – 9:30" in japanese and "日本標準時 (Asia/Tokyo)" in japanese
        there = text_of(english.get("/minato/meet/book", start=start, zone="America/New_York"))
        assert "Thu, Dec 3, 2026 7:00 PM – 7:30 PM" in there and "Eastern Standard Time" in there


@pytest.mark.parametrize(
    ("entries", "field"),
    [
        ({"name": ""}, "id_name"),
        ({"name": "x" * 101}, "id_name"),
        ({"name": "Eve\r\nBcc: all@guest.example"}, "id_name"),
        ({"name": "Eve\u202e"}, "id_name"),
        ({"name": "\x00"}, "id_name"),
        ({"email": ""}, "id_email"),
        ({"email": "no address"}, "id_email"),
        ({"email": "a@guest.example\nBcc: b@guest.example"}, "id_email"),
        ({"email": f"{'a' * 250}@guest.example"}, "id_email"),
        ({"email": f"a@{'é' * 60}.example"}, "id_email"),
        ({"email": "\u212a@guest.example"}, "id_email"),
        ({"note": "x" * 2001}, "id_note"),
    ],
)
def test_what_cannot_be_taken_is_said_at_the_field_and_in_the_summary(
    guest: Guest, page: BookingPage, free_start: Any, entries: dict[str, str], field: str
) -> None:
    answer = guest.book(page, free_start(page), **entries)
    html = answer.content.decode()
    assert answer.status_code == 422 and not Booking.objects.exists()
    assert f'id="{field}_error"' in html and f'<a href="#{field}">' in html
    kept = form_again(answer)
    assert {kept.values[name] for name in Guest.DETAILS if name not in entries} < set(Guest.DETAILS.values())
    assert guest.send(kept).status_code == 303


@pytest.mark.parametrize("name", ["María-José Ñandú", "Σωκράτης", "محمد", "王小明", "นริศรา", "O'Brien <b>", "👩‍💻 Ada"])
def test_names_of_every_script_are_taken_as_they_are(
    guest: Guest, page: BookingPage, free_start: Any, work: Any, name: str
) -> None:
    answer = guest.book(page, free_start(page), name=name)
    assert Booking.objects.get().guest_name == name
    work()
    assert guest.get(answer["Location"]).status_code == 200


def test_sending_the_same_form_twice_books_once(guest: Guest, page: BookingPage, free_start: Any) -> None:
    form = guest.open_form(page, free_start(page))
    first, second = guest.send(form), guest.send(form)
    assert first.status_code == second.status_code == 303 and first["Location"] == second["Location"]
    assert Booking.objects.count() == 1


def test_a_form_with_a_hundred_thousand_more_fields_is_a_short_answer_and_no_booking(
    guest: Guest, page: BookingPage, free_start: Any
) -> None:
    form = guest.open_form(page, free_start(page))
    answer = guest.client.post(form.action, form.values | {f"x{number}": "" for number in range(100_000)})
    assert answer.status_code == 400 and len(answer.content) < 20_000 and not Booking.objects.exists()
    assert guest.send(form).status_code == 303


def test_a_time_taken_meanwhile_comes_back_with_fresh_times_and_what_was_typed(
    guest: Guest, page: BookingPage, free_start: Any, book: Any
) -> None:
    start = free_start(page)
    form = guest.open_form(page, start)
    book(page, start)
    answer = guest.send(form)
    assert answer.status_code == 409 and GONE in text_of(answer) and Booking.objects.count() == 1
    kept = form_again(answer)
    assert kept.values["name"] == "山田 花子" and "token" not in kept.values
    fresh = answer.content.decode().partition('name="again" value="')[2].partition('"')[0]
    assert datetime.fromisoformat(fresh) == start + HALF_AN_HOUR

    chosen = guest.client.post(kept.action, kept.values | {"again": fresh})
    assert chosen.status_code == 200
    assert guest.client.post(form_again(chosen).action, form_again(chosen).values).status_code == 303
    taken = Booking.objects.latest("pk")
    assert (taken.start, taken.guest_note) == (start + HALF_AN_HOUR, "よろしく")


def test_a_number_typed_for_a_meeting_by_phone_outlives_the_time_it_was_typed_for(
    guest: Guest, page: BookingPage, free_start: Any, book: Any
) -> None:
    page.locations.update(kind=LocationKind.PHONE, detail="03-0000-0000")
    start = free_start(page)
    form = guest.open_form(page, start)
    book(page, start)
    answer = guest.client.post(form.action, form.values | {"phone": "090-0000-0000"})
    assert answer.status_code == 409
    chosen = guest.client.post(form.action, form_again(answer).values | {"again": (start + HALF_AN_HOUR).isoformat()})
    assert form_again(chosen).values["phone"] == "090-0000-0000"


@pytest.mark.parametrize(
    "start",
    ["", "rubbish", "2020-01-06T01:00Z", "2999-01-01T00:00Z", "9999-12-31T23:59-12:00", "0001-01-01T00:00Z", "10:00"],
)
def test_a_start_that_nobody_offers_is_answered_with_fresh_times(guest: Guest, page: BookingPage, start: str) -> None:
    answer = guest.get("/minato/meet/book", start=start)
    assert answer.status_code == 409 and GONE in text_of(answer) and 'name="again"' in answer.content.decode()


@pytest.mark.parametrize("off", [timedelta(minutes=7), timedelta(seconds=1), timedelta(microseconds=1)])
def test_a_start_off_the_grid_is_not_offered(guest: Guest, page: BookingPage, free_start: Any, off: timedelta) -> None:
    answer = guest.get("/minato/meet/book", start=(free_start(page) + off).isoformat())
    assert answer.status_code == 409


def test_a_start_outside_the_hours_is_refused_although_it_was_offered_once(
    guest: Guest, page: BookingPage, free_start: Any, team: Any
) -> None:
    form = guest.open_form(page, free_start(page))
    team[0].schedules.update(weekly=[[]] * 7)
    assert guest.send(form).status_code == 409 and not Booking.objects.exists()


def test_a_form_left_open_until_its_time_is_past_is_refused(guest: Guest, page: BookingPage, free_start: Any) -> None:
    start = free_start(page)
    form = guest.open_form(page, start)
    with time_machine.travel(start + timedelta(minutes=1), tick=False):
        assert guest.send(form).status_code == 409
    assert not Booking.objects.exists()


@pytest.mark.parametrize("token", ["", "rubbish", "other page"])
def test_a_form_that_is_not_ours_is_shown_again_and_works_then(
    guest: Guest, page: BookingPage, free_start: Any, token: str
) -> None:
    start = free_start(page)
    form = guest.open_form(page, start)
    if token == "other page":
        token = signing.dumps([page.pk + 1, int(start.timestamp()), "key"], salt=SALT)
    answer = guest.send(form, token=token)
    assert answer.status_code == 422 and not Booking.objects.exists()
    again = form_again(answer)
    assert again.values["name"] == "山田 花子"
    assert guest.send(again).status_code == 303


def test_a_page_stopped_by_health_takes_nothing_and_keeps_what_was_typed(
    guest: Guest, page: BookingPage, free_start: Any, team: Any, control: Control, connect: Callable[..., Any]
) -> None:
    form = guest.open_form(page, free_start(page))
    control.revoke("google", team[0].user.email)
    answer = guest.send(form)
    # Nobody had noticed before: the live check found it, and stopped the page in the same breath.
    assert answer.status_code == 409 and not Booking.objects.exists()
    stopped = guest.send(form)
    assert stopped.status_code == 409 and STOPPED in text_of(stopped)
    assert "Google" not in text_of(stopped) and "Tanaka" not in text_of(stopped)
    assert STOPPED in text_of(guest.get(form.action))

    google = team[0].connections.get(credential__service="google")
    connect(team[0], Service.GOOGLE, again=google)
    reopened = guest.client.post(form_again(stopped).action, form_again(stopped).values)
    assert reopened.status_code == 200 and form_again(reopened).values["note"] == "よろしく"
    assert guest.client.post(form_again(reopened).action, form_again(reopened).values).status_code == 303


def test_a_page_stopped_by_its_owner_answers_the_same(guest: Guest, page: BookingPage, free_start: Any) -> None:
    form = guest.open_form(page, free_start(page))
    pages.set_accepting(page, False, utcnow(), by=page.owner)
    answer = guest.send(form)
    assert answer.status_code == 409 and STOPPED in text_of(answer) and not Booking.objects.exists()
    assert guest.get(form.action).status_code == 200


def test_the_guest_picks_among_the_usable_places(guest: Guest, page: BookingPage, free_start: Any) -> None:
    visit = Location.objects.create(page=page, kind=LocationKind.IN_PERSON, detail="港区みなと1-2-3", position=1)
    form = guest.open_form(page, free_start(page))
    assert form.values["place"] == str(page.locations.first().pk)  # type: ignore[union-attr]
    guest.send(form, place=str(visit.pk))
    taken = Booking.objects.get()
    assert (taken.location_kind, taken.location_detail) == ("in_person", "港区みなと1-2-3")


def test_a_place_that_is_gone_meanwhile_is_not_swapped_unasked(
    guest: Guest, page: BookingPage, free_start: Any, team: Any
) -> None:
    Location.objects.create(page=page, kind=LocationKind.IN_PERSON, detail="港区", position=1)
    form = guest.open_form(page, free_start(page))
    connections.disconnect(team[0].connections.get(credential__service="zoom"), utcnow())
    answer = guest.send(form)
    assert answer.status_code == 409 and not Booking.objects.exists()
    assert "もう一度お選びください" in text_of(answer)
    guest.client.post(form_again(answer).action, form_again(answer).values)
    assert Booking.objects.get().location_kind == "in_person"


def test_whoever_was_shown_a_place_is_told_before_booking_that_it_follows_now(
    guest: Guest, page: BookingPage, free_start: Any, team: Any
) -> None:
    form = guest.open_form(page, free_start(page))
    connections.disconnect(team[0].connections.get(credential__service="zoom"), utcnow())
    answer = guest.send(form)
    assert answer.status_code == 409 and "場所は主催者よりご連絡します" in text_of(answer)
    done = guest.client.post(form_again(answer).action, form_again(answer).values)
    assert done.status_code == 303 and Booking.objects.get().place_missing
    assert "場所は主催者よりご連絡します" in text_of(guest.get(done["Location"]))


def test_a_meeting_by_phone_needs_a_number(guest: Guest, team: Any, page_of: Any, free_start: Any) -> None:
    page = page_of(team[0], locations=(LocationKind.ZOOM, LocationKind.PHONE))
    Location.objects.filter(kind=LocationKind.PHONE).update(detail="03-0000-0000")
    phone = page.locations.get(kind=LocationKind.PHONE)
    form = guest.open_form(page, free_start(page))
    answer = guest.send(form, place=str(phone.pk))
    assert answer.status_code == 422 and 'id="id_phone_error"' in answer.content.decode()
    assert guest.send(form, place=str(phone.pk), phone="090-1234-5678").status_code == 303
    assert Booking.objects.get().guest_phone == "090-1234-5678"


def test_the_guest_says_where_to_meet_if_asked(guest: Guest, team: Any, page_of: Any, free_start: Any) -> None:
    page = page_of(team[0], locations=(LocationKind.ASK_GUEST,))
    form = guest.open_form(page, free_start(page))
    assert guest.send(form).status_code == 422
    assert guest.send(form, where="横浜駅 中央改札").status_code == 303
    assert Booking.objects.get().location_detail == "横浜駅 中央改札"


@pytest.fixture
def choosing(team: Any, page_of: Callable[..., Any]) -> Any:
    """Guests choose among two members, one by Zoom only, the other by phone too."""
    page = page_of(*team, locations=(LocationKind.ZOOM, LocationKind.PHONE), condition=Condition.ANY)
    BookingPage.objects.update(assignment=Assignment.GUEST)
    Member.objects.filter(pk=team[1].pk).update(phone="03-0000-0002")
    page.refresh_from_db()
    return page


def test_the_guest_chooses_the_person(guest: Guest, choosing: Any, team: Any, free_start: Any) -> None:
    form = guest.open_form(choosing, free_start(choosing), host=str(team[1].pk))
    assert form.values["host"] == str(team[1].pk)
    guest.send(form)
    assert Booking.objects.get().host_times.get().member == team[1]


def test_a_person_who_was_booked_meanwhile_is_not_swapped_unasked(
    guest: Guest, choosing: Any, team: Any, free_start: Any, book: Any
) -> None:
    start = free_start(choosing)
    form = guest.open_form(choosing, start, host=str(team[1].pk))
    book(choosing, start, host_id=team[1].pk)
    answer = guest.send(form)
    assert answer.status_code == 409 and Booking.objects.count() == 1
    assert form_again(answer).values["host"] == str(team[0].pk)
    assert "Tanaka" in text_of(answer)


def test_person_and_place_must_fit_together(guest: Guest, choosing: Any, team: Any, free_start: Any) -> None:
    phone = choosing.locations.get(kind=LocationKind.PHONE)
    form = guest.open_form(choosing, free_start(choosing))
    refused = guest.send(form, host=str(team[0].pk), place=str(phone.pk), phone="090")
    assert refused.status_code == 409 and "お会いできません" in text_of(refused)
    taken = guest.send(form, host=str(team[1].pk), place=str(phone.pk), phone="090")
    assert taken.status_code == 303 and Booking.objects.get().location_detail == "03-0000-0002"


def test_choices_of_another_page_are_refused(
    guest: Guest, page: BookingPage, free_start: Any, page_of: Any, team: Any
) -> None:
    foreign = page_of(team[1], slug="other", locations=(LocationKind.ZOOM,)).locations.get()
    answer = guest.book(page, free_start(page), place=str(foreign.pk))
    assert answer.status_code == 409 and not Booking.objects.exists()


def test_a_client_that_books_without_end_is_slowed_down(guest: Guest, page: BookingPage, free_start: Any) -> None:
    form = guest.open_form(page, free_start(page))
    _use_up(page, "203.0.113.9")
    answer = guest.client.post(form.action, form.values | Guest.DETAILS, REMOTE_ADDR="203.0.113.9")
    assert answer.status_code == 429 and answer["Retry-After"] and not Booking.objects.exists()
    assert form_again(answer).values["note"] == "よろしく"
    spoofed = {"REMOTE_ADDR": "203.0.113.9", "HTTP_X_FORWARDED_FOR": "198.51.100.1"}
    assert guest.client.post(form.action, form.values | Guest.DETAILS, **spoofed).status_code == 429
    assert guest.client.post(form.action, form.values | Guest.DETAILS, REMOTE_ADDR="198.51.100.1").status_code == 303


def test_whoever_has_an_ipv6_network_is_one_client(guest: Guest, page: BookingPage, free_start: Any) -> None:
    form = guest.open_form(page, free_start(page))
    _use_up(page, "2001:db8:1:2::1")
    details = form.values | Guest.DETAILS
    assert guest.client.post(form.action, details, REMOTE_ADDR="2001:db8:1:2:ffff::9").status_code == 429
    assert guest.client.post(form.action, details, REMOTE_ADDR="2001:db8:1:3::1").status_code == 303
    _use_up(page, "198.51.100.9")
    request = RequestFactory().get("/", REMOTE_ADDR="::ffff:198.51.100.9")
    assert limits.exceeded(request, f"book:{page.pk}", BOOKINGS_AN_HOUR)


@override_settings(AWASE_TRUSTED_PROXIES=("10.0.0.0/8",))
def test_behind_a_trusted_proxy_its_word_counts_and_no_more(guest: Guest, page: BookingPage, free_start: Any) -> None:
    form = guest.open_form(page, free_start(page))
    _use_up(page, "203.0.113.9")
    through = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.7, 203.0.113.9, 10.0.0.2"}
    assert guest.client.post(form.action, form.values | Guest.DETAILS, **through).status_code == 429
    through["HTTP_X_FORWARDED_FOR"] = "203.0.113.9, 198.51.100.7"
    assert guest.client.post(form.action, form.values | Guest.DETAILS, **through).status_code == 303


def _use_up(page: BookingPage, address: str) -> None:
    """All that one client may try in an hour."""
    request = RequestFactory().get("/", REMOTE_ADDR=address)
    for _try in range(BOOKINGS_AN_HOUR):
        assert not limits.exceeded(request, f"book:{page.pk}", BOOKINGS_AN_HOUR)
