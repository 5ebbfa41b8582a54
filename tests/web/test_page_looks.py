"""How a page looks to guests: description, colour, picture; and who may read the picture's address."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from awase.models import BookingPage, PageCover
from tests.web.conftest import Guest, text_of

BASICS = {"title": "Meet", "slug": "meet", "language": ""}


def png(width: int = 16, height: int = 6) -> bytes:
    """A picture of one colour."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\x00" + b"\x27\x50\x8f" * width) * height
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


@pytest.fixture
def browser(log_in: Callable[[Any], Client], team: Any) -> Client:
    return log_in(team[0])


@pytest.fixture
def send(browser: Client, page: BookingPage) -> Callable[..., Any]:
    def go(section: str, **data: Any) -> Any:
        answer = browser.post(f"/app/pages/{page.pk}/{section}", data)
        page.refresh_from_db()
        return answer

    return go


def test_a_description_with_form_reaches_guests_and_nothing_that_runs(
    send: Callable[..., Any], guest: Guest, browser: Client, page: BookingPage
) -> None:
    typed = '<p>Bring <b>papers</b></p><ul><li>One</li></ul><img src=x onerror="alert(1)"><script>alert(2)</script>'
    assert send("basics", **BASICS, description=typed).status_code == 302
    shown = guest.get("/minato/meet").content.decode()
    assert "<p>Bring <b>papers</b></p><ul><li>One</li></ul>" in shown
    assert "alert(" not in shown
    assert "&lt;b&gt;papers" in browser.get(f"/app/pages/{page.pk}").content.decode()


def test_a_picture_is_shown_at_the_head_of_the_page_until_it_is_taken_away(
    send: Callable[..., Any], guest: Guest, page: BookingPage
) -> None:
    assert send("design", accent="plum", picture=SimpleUploadedFile("x.png", png())).status_code == 302
    shown = guest.get("/minato/meet").content.decode()
    address = f"/media/covers/{page.cover}"
    assert "theme-plum" in shown and f'src="{address}"' in shown
    picture = guest.get(address)
    assert picture.content == png() and picture["Content-Type"] == "image/png"
    assert "immutable" in picture["Cache-Control"]
    assert send("design", accent="plum", no_picture="on").status_code == 302
    assert "cover" not in guest.get("/minato/meet").content.decode().partition("<main")[2]
    assert guest.get(address).status_code == 404 and not PageCover.objects.exists()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"<svg onload=alert(1)>", "This is not a picture that can be shown."),
        (b"\xff\xd8\xff" + b"0" * 1024 * 1024, "This picture is larger than one megabyte."),
    ],
)
def test_what_is_no_picture_is_refused(send: Callable[..., Any], page: BookingPage, content: bytes, error: str) -> None:
    answer = send("design", accent="", picture=SimpleUploadedFile("x.png", content))
    assert answer.status_code == 400 and error in text_of(answer)
    assert page.cover == "" and not PageCover.objects.exists()


def test_a_copy_has_the_picture_too_and_keeps_it(send: Callable[..., Any], browser: Client, page: BookingPage) -> None:
    send("design", accent="", picture=SimpleUploadedFile("x.png", png()))
    browser.post(f"/app/pages/{page.pk}/duplicate")
    send("design", accent="", no_picture="on")
    copy = BookingPage.objects.exclude(pk=page.pk).get()
    assert browser.get(f"/media/covers/{copy.cover}").status_code == 200
