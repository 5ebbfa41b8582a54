"""What the form asks for besides name and mail address: company, phone, further guests, files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from awase.domain.questions import Kind, Question, to_json
from awase.models import Booking, BookingPage, GuestFile, Member
from awase.services import guest_files
from tests.services.conftest import utcnow
from tests.web.conftest import Fields, Guest, text_of

CV = b"%PDF-1.7 my life"


@pytest.fixture
def browser(log_in: Callable[[Any], Client], team: Any) -> Client:
    return log_in(team[0])


@pytest.fixture
def asking(page: BookingPage) -> BookingPage:
    page.questions = to_json([Question("cv", Kind.FILE, "Your CV", required=True)])
    page.save()
    return page


def cv(content: bytes = CV) -> SimpleUploadedFile:
    return SimpleUploadedFile("履歴書.pdf", content)


def test_company_and_phone_are_asked_as_the_page_says(
    browser: Client, english: Guest, page: BookingPage, free_start: Any
) -> None:
    start = free_start(page, 30)
    assert not {"company", "phone"} & english.open_form(page, start).values.keys()
    data = {"ask_company": "optional", "ask_phone": "required", "label-0": "", "thanks_url": ""}
    assert browser.post(f"/app/pages/{page.pk}/form", data).status_code == 302
    form = english.open_form(page, start)
    assert {"company", "phone"} <= form.values.keys() and "further" not in form.values
    refused = english.send(form, company="Minato", phone="")
    assert refused.status_code == 422 and 'value="Minato"' in refused.content.decode()
    assert english.send(form, company="Minato", phone="03-1").status_code == 303
    taken = Booking.objects.get()
    assert (taken.guest_company, taken.guest_phone) == ("Minato", "03-1")


def test_a_file_is_kept_with_the_booking_and_only_saved_by_its_hosts(
    browser: Client, log_in: Any, stranger: Member, guest: Guest, asking: BookingPage, free_start: Any
) -> None:
    form = guest.open_form(asking, free_start(asking, 30))
    assert guest.send(form, q_cv=cv()).status_code == 303
    taken = Booking.objects.get()
    file = GuestFile.objects.get()
    assert file.booking == taken and taken.answers == [["Your CV", "履歴書.pdf"]]
    address = f"/app/bookings/{taken.uid}/files/{file.pk}"
    assert address in browser.get(f"/app/bookings/{taken.uid}").content.decode()
    saved = browser.get(address)
    assert saved.content == CV and saved["Content-Type"] == "application/octet-stream"
    assert saved["Content-Disposition"].startswith("attachment")
    assert log_in(stranger).get(address).status_code == 404


def test_a_file_need_not_be_chosen_again_when_the_form_comes_back(
    guest: Guest, asking: BookingPage, free_start: Any
) -> None:
    form = guest.open_form(asking, free_start(asking, 30))
    again = guest.send(form, q_cv=cv(), email="not an address")
    assert again.status_code == 422 and "履歴書.pdf" in text_of(again)
    token = GuestFile.objects.get().token
    assert f'value="{token}"' in again.content.decode()
    assert guest.send(form, q_cv=token).status_code == 303
    assert GuestFile.objects.get().booking == Booking.objects.get()


def test_several_choices_and_a_file_outlive_a_refusal_and_a_lost_time(
    guest: Guest, page: BookingPage, free_start: Any, book: Any
) -> None:
    tools = Question("tools", Kind.SEVERAL, "Tools", options=("Google", "Zoom", "Teams"))
    page.questions = to_json([tools, Question("cv", Kind.FILE, "Your CV")])
    page.save()
    start = free_start(page, 30)
    form = guest.open_form(page, start)
    answers = {"q_tools": ["Google", "Teams"], "q_cv": cv()}
    refused = guest.client.post(form.action, form.values | guest.DETAILS | answers | {"email": "none"})
    assert refused.status_code == 422 and refused.content.decode().count(" checked") == 2

    token = GuestFile.objects.get().token
    book(page, start)
    again = form.values | guest.DETAILS | answers | {"q_cv": token}
    lost = guest.client.post(form.action, again)
    assert lost.status_code == 409 and lost.content.decode().count(" checked") == 2
    assert f'value="{token}"' in lost.content.decode()
    fresh = guest.client.post(form.action, again | {"again": f"{free_start(page, 31):%Y-%m-%dT%H:%MZ}"})
    assert fresh.status_code == 200 and fresh.content.decode().count(" checked") == 2
    sent = Fields(fresh.content.decode())
    assert sent.values["q_cv"] == token
    # As browsers send it: the token, and an empty entry for the file that was not chosen anew.
    whole = sent.values | {"q_tools": ["Google", "Teams"], "q_cv": [token, ""]}
    assert guest.client.post(sent.action, whole).status_code == 303
    taken = Booking.objects.latest("pk")
    assert taken.answers == [["Tools", "Google\nTeams"], ["Your CV", "履歴書.pdf"]]


def test_a_required_file_is_asked_for_and_a_large_one_refused(
    guest: Guest, asking: BookingPage, free_start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = guest.open_form(asking, free_start(asking, 30))
    assert guest.send(form).status_code == 422
    monkeypatch.setattr(guest_files, "LARGEST", 5)
    refused = guest.send(form, q_cv=cv())
    assert refused.status_code == 422 and "10MB" in text_of(refused)
    assert not GuestFile.objects.exists() and not Booking.objects.exists()


def test_files_of_other_pages_and_other_bookings_cannot_be_claimed(
    guest: Guest, asking: BookingPage, free_start: Any, page_of: Any, team: Any, book: Any
) -> None:
    other = page_of(team[0], slug="other")
    theirs = guest_files.keep(other, "x", "x", b"x", utcnow())
    claimed = guest_files.keep(asking, "x", "x", b"x", utcnow())
    guest_files.claim(book(asking, free_start(asking, 60)), [claimed.token])
    form = guest.open_form(asking, free_start(asking, 30))
    for token in (theirs.token, claimed.token):
        assert guest.send(form, q_cv=token).status_code == 422


def test_nothing_is_kept_for_forms_that_are_not_ours(guest: Guest, asking: BookingPage, free_start: Any) -> None:
    form = guest.open_form(asking, free_start(asking, 30))
    form.values["token"] = "forged"
    guest.send(form, q_cv=cv())
    assert not GuestFile.objects.exists()


def test_a_form_beyond_all_measure_is_not_even_read(guest: Guest, asking: BookingPage, free_start: Any) -> None:
    form = guest.open_form(asking, free_start(asking, 30))
    answer = guest.client.post(form.action, b"x", "multipart/form-data; boundary=x", CONTENT_LENGTH=str(10**9))
    assert answer.status_code == 413


def test_files_that_no_booking_claims_are_swept_away(asking: BookingPage, free_start: Any, book: Any) -> None:
    now = utcnow()
    old = now - timedelta(days=5)
    kept = [guest_files.keep(asking, "x", "x", b"x", at) for at in (old, old, now)]
    guest_files.claim(book(asking, free_start(asking, 60)), [kept[0].token])
    assert guest_files.sweep(now) == 1
    assert set(GuestFile.objects.all()) == {kept[0], kept[2]}


def test_hosts_see_how_the_guest_came(browser: Client, guest: Guest, page: BookingPage, free_start: Any) -> None:
    form = guest.open_form(page, free_start(page, 30), utm_source="newsletter")
    assert guest.send(form).status_code == 303
    assert "newsletter" in text_of(browser.get(f"/app/bookings/{Booking.objects.get().uid}"))
