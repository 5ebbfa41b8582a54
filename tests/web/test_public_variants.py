"""The guest's side of what a page can ask for: lengths, questions, requests, links, passwords, holds, moving."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection

from awase.domain.questions import Kind, Question, to_json
from awase.models import Booking, BookingPage, BookingState, Hold, OneTimeLink
from awase.services import dates, links, requests
from awase.services.links import manage_secret
from awase.web.booking_form import sign
from tests.services.conftest import utcnow
from tests.web.conftest import Fields, Guest, text_of


def change(page: BookingPage, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(page, name, value)
    page.save()


def address(booking: Booking, rest: str = "") -> str:
    return f"/b/{booking.uid}/{manage_secret(booking)}{rest}"


def start_text(start: datetime) -> str:
    return f"{start:%Y-%m-%dT%H:%MZ}"


def test_a_guest_chooses_among_the_lengths_and_books_that_one(
    english: Guest, page: BookingPage, free_start: Any
) -> None:
    change(page, duration_minutes=30, durations=[60])
    shown = english.get("/minato/meet").content.decode()
    assert 'href="/minato/meet?minutes=60"' in shown
    form = english.open_form(page, free_start(page), minutes="60")
    assert english.send(form).status_code == 303
    taken = Booking.objects.get()
    assert taken.end - taken.start == timedelta(minutes=60)


def test_a_length_that_the_page_does_not_offer_is_not_taken(english: Guest, page: BookingPage, free_start: Any) -> None:
    english.send(english.open_form(page, free_start(page), minutes="45"))
    taken = Booking.objects.get()
    assert taken.end - taken.start == timedelta(minutes=page.duration_minutes)


QUESTIONS = [
    Question("size", Kind.ONE, "How many?", required=True, options=("1–5", "6 and more")),
    Question("days", Kind.SEVERAL, "Which days?", options=("Mon", "Tue", "Wed")),
    Question("from", Kind.SHORT, "Campaign", hidden=True),
]


def test_questions_are_asked_filled_in_by_the_link_and_kept(english: Guest, page: BookingPage, free_start: Any) -> None:
    change(page, questions=to_json(QUESTIONS))
    form = english.open_form(page, free_start(page), q_from="autumn", name="Ann Example", utm_source="letter")
    assert form.values["q_from"] == "autumn"
    assert form.values["name"] == "Ann Example"
    form.values.pop("q_days", None)
    entries = {**form.values, **english.DETAILS, "q_size": "6 and more", "q_days": ["Wed", "Mon"]}
    assert english.client.post(form.action, entries).status_code == 303
    taken = Booking.objects.get()
    assert taken.answers == [["How many?", "6 and more"], ["Which days?", "Mon\nWed"], ["Campaign", "autumn"]]
    assert taken.tracking == {"utm_source": "letter"}


@pytest.mark.parametrize("answer", ["", "7"])
def test_a_question_without_a_proper_answer_comes_back_with_everything_typed(
    english: Guest, page: BookingPage, free_start: Any, answer: str
) -> None:
    change(page, questions=to_json(QUESTIONS))
    sent = english.send(english.open_form(page, free_start(page)), q_size=answer)
    assert sent.status_code == 422
    assert "How many?" in text_of(sent) and "山田 花子" in sent.content.decode()
    assert not Booking.objects.exists()


def test_further_guests_are_kept_and_bad_addresses_named(english: Guest, page: BookingPage, free_start: Any) -> None:
    form = english.open_form(page, free_start(page))
    assert "not-an-address is not a mail address." in text_of(english.send(form, further="a@x.example, not-an-address"))
    english.send(form, further="a@x.example、b@x.example, a@x.example")
    assert Booking.objects.get().further_guests == ["a@x.example", "b@x.example"]


def test_a_request_says_so_and_can_be_withdrawn(english: Guest, page: BookingPage, free_start: Any) -> None:
    change(page, approval="held")
    form = english.open_form(page, free_start(page))
    assert "Send the request" in text_of(english.get(form.action))
    shown = text_of(english.get(english.send(form)["Location"]))
    assert "Your request has been sent" in shown and "confirmed" not in shown
    asked = Booking.objects.get()
    english.client.post(address(asked, "/cancel"), {"reason": ""})
    asked.refresh_from_db()
    assert asked.state == BookingState.CANCELLED


def test_a_declined_request_says_why(english: Guest, page: BookingPage, free_start: Any, owner: Any) -> None:
    change(page, approval="held")
    english.book(page, free_start(page))
    asked = Booking.objects.get()
    requests.decline(asked, utcnow(), by=owner, reason="We are on holiday.")
    shown = text_of(english.get(address(asked)))
    assert "The request has been declined" in shown and "We are on holiday." in shown


def test_a_secret_page_is_found_by_its_link_alone(english: Guest, page: BookingPage, free_start: Any) -> None:
    change(page, visibility="secret")
    link = links.renew_secret(page, by=page.owner).partition("?link=")[2]
    assert english.get("/minato/meet").status_code == 404
    assert english.get("/minato/meet", link="wrong").status_code == 404
    assert "Meet" not in text_of(english.get("/minato"))
    shown = english.get("/minato/meet", link=link)
    assert shown.status_code == 200 and '<meta name="robots" content="noindex">' in shown.content.decode()
    assert english.send(english.open_form(page, free_start(page), link=link)).status_code == 303


def test_a_one_time_link_takes_one_booking_and_then_says_that_it_is_used(
    english: Guest, page: BookingPage, free_start: Any, owner: Any
) -> None:
    change(page, visibility="secret")
    _made, url = links.make_one_time(page, owner, utcnow())
    once = url.partition("?once=")[2]
    form = english.open_form(page, free_start(page), once=once)
    assert english.send(form).status_code == 303
    assert Booking.objects.get().one_time_link == OneTimeLink.objects.get()
    again = english.get("/minato/meet", once=once)
    assert again.status_code == 410 and "This link has been used already" in text_of(again)


def test_whoever_sends_the_form_of_a_one_time_link_twice_sees_their_booking(
    english: Guest, page: BookingPage, free_start: Any, owner: Any
) -> None:
    change(page, visibility="secret")
    _made, url = links.make_one_time(page, owner, utcnow())
    form = english.open_form(page, free_start(page), once=url.partition("?once=")[2])
    first, second = english.send(form), english.send(form)
    assert second.status_code == 303 and second["Location"] == first["Location"]


def test_a_used_one_time_link_of_a_public_page_bars_nobody(
    english: Guest, page: BookingPage, free_start: Any, owner: Any
) -> None:
    _made, url = links.make_one_time(page, owner, utcnow())
    once = url.partition("?once=")[2]
    assert english.send(english.open_form(page, free_start(page), once=once)).status_code == 303
    assert OneTimeLink.objects.get().used_at is not None
    assert english.send(english.open_form(page, free_start(page), once=once)).status_code == 303


def test_a_link_that_is_used_up_while_the_form_is_sent_is_called_used(
    english: Guest, page: BookingPage, free_start: Any, owner: Any
) -> None:
    change(page, visibility="secret", link_key="key")
    _made, url = links.make_one_time(page, owner, utcnow())
    both = {"once": url.partition("?once=")[2], "link": links.page_secret(page)}
    form = english.open_form(page, free_start(page), **both)
    OneTimeLink.objects.update(used_at=utcnow())
    late = english.send(form)
    assert late.status_code == 410 and "This link has been used already" in text_of(late)


def test_a_guest_who_has_reached_their_limit_is_told_so(english: Guest, page: BookingPage, free_start: Any) -> None:
    change(page, limits={"guest": [{"per": "total", "bookings": 1}]})
    assert english.book(page, free_start(page)).status_code == 303
    refused = english.book(page, free_start(page))
    assert refused.status_code == 409 and "with this mail address" in text_of(refused)
    assert "no longer available" not in text_of(refused)
    again = Fields(refused.content.decode())
    assert english.send(again, email="other@guest.example").status_code == 303


def test_a_password_is_asked_once_and_not_by_guessing(english: Guest, page: BookingPage) -> None:
    links.set_password(page, "sesame")
    asked = english.get("/minato/meet")
    assert asked.status_code == 403 and "Password" in text_of(asked)
    wrong = english.client.post("/minato/meet", {"page_password": "guess"})
    assert "This is not the password of this page." in text_of(wrong)
    assert english.client.post("/minato/meet", {"page_password": "sesame"}).status_code == 302
    assert english.get("/minato/meet").status_code == 200
    links.set_password(page, "changed")
    assert english.get("/minato/meet").status_code == 403
    cache.clear()
    tries = [english.client.post("/minato/meet", {"page_password": "guess"}).status_code for _ in range(21)]
    assert tries == [403] * 20 + [429]


def test_inside_another_site_the_password_needs_no_cookie(english: Guest, page: BookingPage) -> None:
    links.set_password(page, "sesame")
    embedded = "/minato/meet?embed=1&day=2026-12-03"
    assert english.client.post(embedded, {"page_password": "wrong"}).status_code == 403
    inside = english.client.post(embedded, {"page_password": "sesame"})
    assert inside.status_code == 302 and not inside.cookies and "day=2026-12-03" in inside["Location"]
    shown = english.client.get(inside["Location"])
    assert shown.status_code == 200 and "&amp;pass=" in shown.content.decode().replace("?pass=", "&amp;pass=")
    assert english.client.get(inside["Location"].replace("embed=1", "e=1")).status_code == 403
    with time_machine.travel(utcnow() + timedelta(hours=13), tick=False):
        assert english.client.get(inside["Location"]).status_code == 403
    links.set_password(page, "sesame two")
    assert english.client.get(inside["Location"]).status_code == 403


def test_an_archived_page_is_closed_for_good(english: Guest, page: BookingPage) -> None:
    change(page, archived_at=utcnow())
    assert english.get("/minato/meet").status_code == 410


def test_the_form_holds_its_time_against_others_and_books_it(
    english: Guest, page: BookingPage, free_start: Any
) -> None:
    start = free_start(page)
    form = english.open_form(page, start)
    held = english.client.post("/minato/meet/hold", {"token": form.values["token"]})
    assert "This time is held for you" in text_of(held)
    other = Guest("en-US").get("/minato/meet/book", start=start_text(start))
    assert other.status_code == 409
    token = Hold.objects.get().token
    assert english.send(form, hold=token).status_code == 303
    assert Booking.objects.get().start == start and not Hold.objects.exists()


def test_a_lost_answer_does_not_bar_ones_own_time(english: Guest, page: BookingPage, free_start: Any) -> None:
    form = english.open_form(page, free_start(page))
    english.client.post("/minato/meet/hold", {"token": form.values["token"]})
    english.client.cookies.clear()  # neither the answer nor its cookie has arrived
    assert "hold" not in form.values
    assert english.send(form).status_code == 303
    assert not Hold.objects.exists()


def test_a_form_sent_while_its_time_is_being_held_books_it(english: Guest, page: BookingPage, free_start: Any) -> None:
    """Script has asked for the hold, which is written just after the sent form has looked for it."""
    form = english.open_form(page, free_start(page))
    answers: list[int] = []

    def hold_meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
        found = execute(sql, *rest)
        if "awase_hold" in sql and not answers:
            answers.append(0)
            answers.append(english.client.post("/minato/meet/hold", {"token": form.values["token"]}).status_code)
        return found

    with connection.execute_wrapper(hold_meanwhile):
        assert english.send(form).status_code == 303
    assert answers == [0, 200] and Booking.objects.count() == 1


def test_a_form_whose_hold_ran_out_may_ask_again_from_another_network(
    english: Guest, page: BookingPage, free_start: Any
) -> None:
    form = english.open_form(page, free_start(page))
    english.client.post("/minato/meet/hold", {"token": form.values["token"]})
    Hold.objects.update(expires_at=utcnow() - timedelta(seconds=1), client="another")
    again = english.client.post("/minato/meet/hold", {"token": form.values["token"]})
    assert again.status_code == 200 and Hold.objects.get().expires_at > utcnow()


def test_whoever_comes_back_to_the_form_of_what_they_booked_sees_the_booking(
    english: Guest, page: BookingPage, free_start: Any
) -> None:
    start = free_start(page)
    form = english.open_form(page, start)
    english.client.post("/minato/meet/hold", {"token": form.values["token"]})
    reloaded = english.open_form(page, start)
    booked = english.send(form)
    assert english.get("/minato/meet/book", start=start_text(start))["Location"] == booked["Location"]
    assert english.send(reloaded)["Location"] == booked["Location"]
    assert Guest("en-US").get("/minato/meet/book", start=start_text(start)).status_code == 409
    assert Booking.objects.count() == 1


def test_a_form_left_open_overnight_books_a_time_that_is_still_free(
    english: Guest, page: BookingPage, free_start: Any
) -> None:
    start = free_start(page)
    form = english.open_form(page, start)
    with time_machine.travel(utcnow() - timedelta(days=2), tick=False):
        form.values["token"] = sign(page, start, "0" * 32)
    assert english.send(form).status_code == 303


def test_a_hold_that_is_not_ours_does_not_help(english: Guest, page: BookingPage, free_start: Any) -> None:
    start, other = free_start(page), Guest("en-US")
    form, theirs = english.open_form(page, start), other.open_form(page, start)
    assert english.client.post("/minato/meet/hold", {"token": "forged"}).status_code == 204
    english.client.post("/minato/meet/hold", {"token": form.values["token"]})
    assert other.send(theirs, hold="0" * 32).status_code == 409


@pytest.fixture
def taken(page: BookingPage, free_start: Any, book: Any) -> Booking:
    booking: Booking = book(page, free_start(page, 40))
    return booking


def test_a_guest_moves_a_booking_after_one_question(english: Guest, taken: Booking, free_start: Any) -> None:
    new = free_start(taken.page, 44)
    month = english.get(address(taken, "/move"), day=f"{new:%Y-%m-%d}", month=f"{new:%Y-%m}", zone="UTC")
    assert f"{address(taken, '/move')}?start=" in month.content.decode().replace("&amp;", "&").replace("zone=UTC&", "")
    asked = english.get(address(taken, "/move"), start=start_text(new))
    assert "Move the booking to this time?" in text_of(asked)
    taken.refresh_from_db()
    before = taken.start
    assert taken.start != new
    english.client.post(address(taken, "/move"), {"start": start_text(new), "reason": "Train"})
    taken.refresh_from_db()
    assert (taken.start, taken.sequence) == (new, 1) and before != new


def test_a_time_taken_meanwhile_comes_back_with_fresh_ones_and_the_reason_typed(
    english: Guest, taken: Booking, free_start: Any, book: Any
) -> None:
    new = free_start(taken.page, 44)
    book(taken.page, new)
    answer = english.client.post(address(taken, "/move"), {"start": start_text(new), "reason": "Train"})
    assert answer.status_code == 409 and "This time is no longer available." in text_of(answer)
    kept = Fields(answer.content.decode().replace("<form", '<form action=""', 1))
    assert kept.values == {"reason": "Train"}
    fresh = answer.content.decode().partition('name="again" value="')[2].partition('"')[0]
    asked = english.client.post(address(taken, "/move"), kept.values | {"again": fresh})
    assert asked.status_code == 200 and ">Train</textarea>" in asked.content.decode()
    assert english.client.post(address(taken, "/move"), {"start": fresh, "reason": "Train"}).status_code == 303
    taken.refresh_from_db()
    assert start_text(taken.start) == fresh


def test_a_page_that_stopped_meanwhile_keeps_the_reason_for_another_try(
    english: Guest, taken: Booking, free_start: Any, team: Any, control: Any
) -> None:
    new = start_text(free_start(taken.page, 44))
    control.revoke("google", team[0].user.email)
    answer = english.client.post(address(taken, "/move"), {"start": new, "reason": "Train"})
    assert answer.status_code == 409 and "It stands as it is." in text_of(answer)
    assert ">Train</textarea>" in answer.content.decode()


def test_the_booking_stands_there_in_the_zone_of_the_times_beside_it(english: Guest, taken: Booking) -> None:
    shown = text_of(english.get(address(taken, "/move"), zone="America/New_York"))
    assert " ".join(dates.when(taken.start, taken.end, "America/New_York").split()) in shown
    assert "Booked now – Eastern" in shown


def test_pages_about_a_booking_wear_the_looks_of_page_and_workspace(english: Guest, taken: Booking) -> None:
    change(taken.page, accent="plum")
    for path in ("", "/move", f"/move?start={start_text(taken.start)}"):
        shown = english.get(address(taken, path)).content.decode()
        assert "theme-plum" in shown and taken.workspace.name in shown and "noindex" in shown
    english.client.post(address(taken, "/cancel"))
    assert "theme-plum" in english.get(address(taken)).content.decode()


@pytest.mark.parametrize(
    ("rule", "words"),
    [({"guests_move": False}, "Please write to your host."), ({"move_until_minutes": 60 * 24 * 40}, "It is too late")],
)
def test_what_the_page_does_not_allow_is_not_offered_and_refused(
    english: Guest, taken: Booking, free_start: Any, rule: dict[str, Any], words: str
) -> None:
    change(taken.page, **rule)
    assert address(taken, "/move") not in english.get(address(taken)).content.decode()
    new = start_text(free_start(taken.page, 44))
    answer = english.client.post(address(taken, "/move"), {"start": new})
    assert answer.status_code == 409 and words in text_of(answer)
    before = taken.start
    taken.refresh_from_db()
    assert taken.start == before


def test_a_reason_that_is_required_is_asked_for(english: Guest, taken: Booking, free_start: Any) -> None:
    change(taken.page, reason_required=True)
    new = free_start(taken.page, 44)
    answer = english.client.post(address(taken, "/move"), {"start": start_text(new), "reason": " "})
    assert answer.status_code == 422 and "Please give a reason." in text_of(answer)
    cancelled = english.client.post(address(taken, "/cancel"), {"reason": ""})
    assert cancelled.status_code == 422 and text_of(cancelled).count("Please give a reason.") == 2
    assert 'id="reason-error"' in cancelled.content.decode()


def test_the_guest_is_led_on_to_the_owners_address_while_the_booking_is_fresh(english: Guest, taken: Booking) -> None:
    change(taken.page, thanks_url="https://minato.example/thanks")
    assert "https://minato.example/thanks" in english.get(address(taken)).content.decode()
    with time_machine.travel(taken.created_at + timedelta(minutes=11), tick=False):
        assert "https://minato.example/thanks" not in english.get(address(taken)).content.decode()


def test_a_page_has_its_language_and_colour_unless_the_guest_chose(english: Guest, page: BookingPage) -> None:
    change(page, language="ja", accent="pine", indexed=False)
    shown = english.get("/minato/meet").content.decode()
    assert '<html lang="ja">' in shown and "theme-pine" in shown and "noindex" in shown
    assert '<html lang="en">' in english.get("/minato/meet", lang="en").content.decode()


def test_reloading_the_form_or_going_back_does_not_bar_ones_own_time(
    english: Guest, page: BookingPage, free_start: Any
) -> None:
    start = free_start(page)
    form = english.open_form(page, start)
    english.client.post("/minato/meet/hold", {"token": form.values["token"]})
    again = english.open_form(page, start)
    assert again.values["hold"] == Hold.objects.get().token
    english.client.post("/minato/meet/hold", {"token": again.values["token"]})
    assert Hold.objects.count() == 1
    month = english.get("/minato/meet", day=f"{start:%Y-%m-%d}", month=f"{start:%Y-%m}", zone="UTC")
    assert start_text(start).replace(":", "%3A") in month.content.decode()
    assert english.send(again).status_code == 303


def test_whoever_was_refused_because_the_page_stopped_goes_on_with_the_time_held(
    english: Guest, page: BookingPage, free_start: Any
) -> None:
    form = english.open_form(page, free_start(page))
    english.client.post("/minato/meet/hold", {"token": form.values["token"]})
    change(page, accepting=False)
    refused = english.send(form)
    assert refused.status_code == 409
    change(page, accepting=True)
    retry = Fields(refused.content.decode())
    assert english.client.post(retry.action, retry.values).status_code == 200
