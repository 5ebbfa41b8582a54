"""What no browser sends by itself: signs that databases refuse, numbers and years without end. Answers stay plain."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.test.client import FakePayload

from awase.models import Booking, BookingPage, GuestFile, Member
from awase.services import booking, guest_files
from awase.web.bounds import MOST_BYTES
from awase.web.kept_form import KEPT_AN_HOUR
from tests.services.conftest import utcnow
from tests.web.conftest import Guest, text_of

NUL = "a\x00b"
LONG = "1" * 5000
KINDS = ("short", "long", "one", "several", "checkbox", "number", "date", "file")


def test_numbers_without_end_choose_nothing(guest: Guest, page: BookingPage, free_start: Any) -> None:
    start = f"{free_start(page):%Y-%m-%dT%H:%MZ}"
    for name in ("host", "place", "minutes", "send"):
        assert guest.get("/minato/meet", **{name: LONG}).status_code == 200
        assert guest.get("/minato/meet/book", start=start, **{name: LONG}).status_code == 200


def test_a_nul_in_an_address_or_a_cookie_is_refused(guest: Guest, page: BookingPage, free_start: Any) -> None:
    form = guest.open_form(page, free_start(page))
    sent = guest.client.post(f"{form.action}&{urlencode({'utm_source': NUL})}", form.values | Guest.DETAILS)
    assert sent.status_code == 400 and not Booking.objects.exists()
    for path in ("/b/%00/x", "/media/covers/%00", "/media/logos/%00", "/minato/meet?day=%00"):
        assert guest.client.get(path).status_code in (400, 404), path
    client = Client(SERVER_NAME="awase.test", headers={"Cookie": r'hold="a\000b"'})
    assert client.get("/minato/meet").status_code == 400


def test_a_body_larger_than_any_form_is_refused_unread(guest: Guest, page: BookingPage) -> None:
    unread = FakePayload(b"")
    for path in ("/minato/meet/hold", "/accounts/login/", "/api/v1/pages"):
        for length in (str(MOST_BYTES + 1), "9" * 30):
            head = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "multipart/form-data; boundary=x"}
            answer = guest.client.generic("POST", path, **{**head, "CONTENT_LENGTH": length, "wsgi.input": unread})
            assert answer.status_code == 413, path


def test_a_nul_in_a_form_breaks_nothing(guest: Guest, page: BookingPage, free_start: Any) -> None:
    options = {"one": ["a"], "several": ["a"]}
    page.questions = [
        {"key": kind, "kind": kind, "label": kind, "required": False, "options": options.get(kind, []), "hidden": False}
        for kind in KINDS
    ]
    page.save()
    start = free_start(page)
    for name in (*(f"q_{kind}" for kind in KINDS), "hold", "token", "again", "further", "note", "place", "host"):
        form = guest.open_form(page, start)
        assert guest.client.post("/minato/meet/hold", form.values | {name: NUL}).status_code in (200, 204), name
        form = guest.open_form(page, start)
        answer = guest.client.post(form.action, form.values | Guest.DETAILS | {name: NUL})
        assert answer.status_code in (200, 303, 409, 422), name
        start = free_start(page)
    assert ["short", "ab"] in [answer for taken in Booking.objects.all() for answer in taken.answers]


def test_hosts_who_ask_for_days_and_ids_without_end_get_an_answer(
    log_in: Any, owner: Member, page: BookingPage
) -> None:
    browser = log_in(owner)
    for query in ("to=9999-12-31", "from=0001-01-01", f"of={'9' * 30}", f"by={'9' * 30}"):
        assert browser.get(f"/app/bookings?{query}").status_code == 200, query
        assert browser.get(f"/app/bookings.csv?{query}").status_code == 200, query
    for at in ("9999-12-31T23:59", "0001-01-01T00:00"):
        assert browser.get(f"/app/pages/{page.pk}/why", {"at": at}).status_code == 400
        typed = {"start": at, "name": "Ann", "email": "ann@guest.example", "language": "en"}
        assert browser.post(f"/app/pages/{page.pk}/book", typed).status_code == 400
    typed = {"start": "2026-12-02T10:00", "name": "Ann\nBcc: x", "email": "ann@guest.example", "language": "en"}
    assert browser.post(f"/app/pages/{page.pk}/book", typed).status_code == 400


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("members", ("owner", "member", "weight-{pk}", "level-{pk}", "group-{pk}", "needed-1")),
        ("locations", ("place", "up")),
        ("form", ("up", "label-0", "options-0")),
        ("rooms", ("room",)),
    ],
)
def test_hosts_forms_with_numbers_without_end_or_a_nul_get_an_answer(
    log_in: Any, owner: Member, page: BookingPage, part: str, names: tuple[str, ...]
) -> None:
    browser = log_in(owner)
    for name in names:
        for sign in (LONG, NUL):
            typed = {"member": str(owner.pk), "kind-0": "one", "label-0": "Size", "options-0": "S", "confirmed": "1"}
            answer = browser.post(f"/app/pages/{page.pk}/{part}", typed | {name.format(pk=owner.pk): sign})
            assert answer.status_code in (302, 400), name
    for path, name in (("receiving", "calendar"), (f"{owner.connections.first().pk}/calendars", "checked")):
        assert browser.post(f"/app/connections/{path}", {name: LONG}).status_code == 302


def test_a_place_for_a_booking_that_was_cancelled_meanwhile_is_explained(
    log_in: Any, owner: Member, page: BookingPage, free_start: Any, book: Any
) -> None:
    taken = book(page, free_start(page))
    booking.cancel(taken, utcnow(), by=owner)
    browser = log_in(owner)
    answer = browser.post(f"/app/bookings/{taken.uid}/place", {"place": "3F"}, follow=True)
    assert answer.status_code == 200 and "nothing was changed" in text_of(answer)


def test_files_that_nobody_claims_do_not_fill_the_disk(page: BookingPage, stranger: Member, page_of: Any) -> None:
    elsewhere = guest_files.keep(page_of(stranger, slug="other"), "CV", "theirs", b"x", utcnow())
    first, second = (guest_files.keep(page, "CV", name, b"x", utcnow()) for name in ("first", "second"))
    more = (GuestFile(page=page, question="CV", name=str(n), content=b"x", created_at=utcnow()) for n in range(98))
    GuestFile.objects.bulk_create(more)
    assert guest_files.MOST_UNCLAIMED == 100 and guest_files.unclaimed(page, first.token)
    guest_files.keep(page, "CV", "last", b"x", utcnow())
    assert not guest_files.unclaimed(page, first.token) and guest_files.unclaimed(page, second.token)
    assert guest_files.unclaimed(elsewhere.page, elsewhere.token)


def test_forms_of_those_who_are_not_logged_in_do_not_fill_the_sessions(db: None) -> None:
    browser = Client(SERVER_NAME="awase.test")
    kept = 0
    for _ in range(KEPT_AN_HOUR + 5):
        browser.cookies.clear()
        browser.post("/app/absences", {"note": "x" * 100})
        kept += "kept_form" in browser.session
    assert kept == KEPT_AN_HOUR
