"""Mails about bookings: reminders and follow-ups, copies, calendar parts, what was overtaken, sending again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.exceptions import PermissionDenied
from icalendar import Calendar

from awase.domain.health import LocationKind, Service
from awase.jobs.worker import work_once
from awase.models import Booking, BookingPage, BookingState, Effect, EffectState
from awase.services import booking, effects, ics, moving, outbox
from awase.services.booking import Refusal
from tests.services.conftest import Control, utcnow
from tests.services.test_booking_moving import invitations
from tests.services.test_booking_taking import refusal

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def page(owner: Any, page_of: Callable[..., BookingPage]) -> BookingPage:
    """The owner's page with a reminder a day ahead to guests, an hour ahead to hosts, and thanks an hour after."""
    return page_of(owner, reminders={"guest": [24 * 60, 60 * 24 * 365], "host": [60]}, follow_up_minutes=60)


@pytest.fixture
def taken(page: BookingPage, free_start: Any, book: Any) -> Booking:
    """A booking two days ahead or more."""
    start = next(start for start in (free_start(page, number) for number in range(200)) if start > utcnow() + 2 * DAY)
    made: Booking = book(page, start)
    return made


def sent_at(moment: Any) -> list[tuple[str, str]]:
    """What goes out when the worker runs at that moment: to whom, and the first word of its subject."""
    mail.outbox.clear()
    with time_machine.travel(moment, tick=False):
        work_once()
    return sorted((message.to[0].partition("@")[0], message.subject.partition(":")[0]) for message in mail.outbox)


def planned() -> list[tuple[str, Any]]:
    rows = Effect.objects.filter(payload__template__in=outbox.REMINDERS, state=EffectState.PENDING)
    return sorted((row.payload["template"], row.next_at) for row in rows)


def test_reminders_and_thanks_go_out_at_their_time(taken: Booking) -> None:
    assert planned() == [
        ("follow_up", taken.end + HOUR),
        ("reminder", taken.start - DAY),
        ("reminder", taken.start - HOUR),
    ], "a reminder a year ahead would be late already"
    sent_at(utcnow())
    assert sent_at(taken.start - DAY - timedelta(seconds=1)) == []
    assert [name for name, _ in sent_at(taken.start - DAY)] == ["hanako"]
    assert [name for name, _ in sent_at(taken.start - HOUR)] == ["tanaka"]
    assert [name for name, _ in sent_at(taken.end + HOUR)] == ["hanako"]
    assert sent_at(taken.end + DAY) == []


def test_reminders_move_with_the_booking_and_end_with_it(taken: Booking) -> None:
    later = taken.start + HOUR
    moved = moving.move(taken, later, utcnow(), by=None)
    assert [at for _name, at in planned()] == [moved.end + HOUR, later - DAY, later - HOUR]
    booking.cancel(moved, utcnow())
    assert planned() == []


def test_a_reminder_that_was_taken_a_moment_ago_is_not_sent_for_the_time_before(taken: Booking) -> None:
    sent_at(utcnow())
    with time_machine.travel(taken.start - DAY, tick=False):
        (claimed,) = effects.claim_due(utcnow(), 5)
        moving.move(taken, taken.start + HOUR, utcnow(), by=None)
        mail.outbox.clear()
        effects.run(claimed, utcnow())
    assert mail.outbox == []


def test_nobody_is_reminded_of_what_has_begun_or_thanked_who_did_not_come(taken: Booking, owner: Any) -> None:
    sent_at(utcnow())
    with time_machine.travel(taken.start + HOUR, tick=False):
        booking.mark_no_show(taken, utcnow(), by=owner)
    assert sent_at(taken.end + DAY) == []
    assert not Effect.objects.exclude(state=EffectState.DONE).exists()


def test_a_change_before_the_confirmation_has_gone_is_told_in_it(page: BookingPage, taken: Booking) -> None:
    moved = moving.move(taken, taken.start + HOUR, utcnow(), by=None)
    work_once()
    ((method, event),) = invitations("hanako@guest.example")
    assert (method, event["SEQUENCE"], event.decoded("DTSTART")) == ("REQUEST", 1, moved.start)


def test_what_was_cancelled_before_anything_was_sent_is_not_confirmed(taken: Booking) -> None:
    booking.cancel(taken, utcnow())
    work_once()
    ((method, event),) = invitations("hanako@guest.example")
    assert (method, event["STATUS"], event["SEQUENCE"]) == ("CANCEL", "CANCELLED", 1)


def test_who_comes_along_reads_everything_and_can_change_nothing(
    page: BookingPage, free_start: Any, book: Any, work: Any
) -> None:
    taken = book(page, free_start(page), about={"further": ("taro@guest.example", "jiro@guest.example")})
    work()
    link = f"/b/{taken.uid}/"
    by_address = {message.to[0]: message for message in mail.outbox}
    assert link in by_address["hanako@guest.example"].body
    for address in ("taro@guest.example", "jiro@guest.example"):
        message = by_address[address]
        assert message.to == [address] and not message.cc
        assert link not in str(message.message())
        ((_method, event),) = invitations(address)
        assert {str(person).removeprefix("MAILTO:") for person in event["ATTENDEE"]} == {
            "hanako@guest.example",
            "taro@guest.example",
            "jiro@guest.example",
        }
    assert "taro@guest.example" in by_address["tanaka@minato.example"].body
    booking.cancel(taken, utcnow())
    mail.outbox.clear()
    work()
    assert len(mail.outbox) == 4
    assert [method for method, _ in invitations("jiro@guest.example")] == ["CANCEL"]


def test_the_calendar_part_has_what_rfc_5546_asks_for(taken: Booking, owner: Any) -> None:
    text, method = ics.invitation(taken, utcnow())
    calendar = Calendar.from_ical(text)
    (event,) = calendar.walk("VEVENT")
    assert method == calendar["METHOD"] == "REQUEST" and calendar["VERSION"] == "2.0" and calendar["PRODID"]
    assert all(event.get(name) is not None for name in ("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "ORGANIZER"))
    assert event["ORGANIZER"] == "MAILTO:tanaka@minato.example" and event["ATTENDEE"] == "MAILTO:hanako@guest.example"
    assert event.errors == [] and text.endswith("\r\n") and max(map(len, text.encode().split(b"\r\n"))) <= 75
    assert event["DTSTART"].to_ical() == taken.start.strftime("%Y%m%dT%H%M%SZ").encode()


@pytest.mark.parametrize(
    "name",
    ["Ann\r\nBcc: eve@evil.example", "غصن‎ الزيتون", '👩‍👩‍👧 家族; CN="x":MAILTO:eve@evil.example', "O'Neil, \\n"],
)
def test_a_name_stays_a_name_in_mails_and_calendars(
    name: str, page: BookingPage, free_start: Any, book: Any, work: Any
) -> None:
    taken = book(page, free_start(page), about={"name": name, "note": "BEGIN:VEVENT\r\nEND:VCALENDAR"})
    work()
    assert {tuple(message.to) for message in mail.outbox} == {("hanako@guest.example",), ("tanaka@minato.example",)}
    for message in mail.outbox:
        parsed = message.message()
        assert "Bcc" not in parsed and parsed["To"] in ("hanako@guest.example", "tanaka@minato.example")
    (event,) = Calendar.from_ical(ics.invitation(taken, utcnow())[0]).walk("VEVENT")
    assert event["ATTENDEE"] == "MAILTO:hanako@guest.example"


def test_a_mail_is_sent_again_on_demand_but_not_twice_a_minute(taken: Booking, owner: Any, teammate: Any) -> None:
    sent_at(utcnow())
    with pytest.raises(PermissionDenied):
        booking.resend(taken, utcnow(), by=teammate)
    now = utcnow()
    for _again in range(2):
        booking.resend(taken, now, by=owner)
    assert [name for name, _ in sent_at(utcnow())] == ["hanako"]
    booking.resend(taken, now + timedelta(minutes=1), by=owner)
    assert [name for name, _ in sent_at(now + timedelta(minutes=1))] == ["hanako"]
    booking.cancel(taken, utcnow())
    sent_at(utcnow())
    booking.resend(Booking.objects.get(), utcnow(), by=owner)
    sent_at(utcnow())
    assert [method for method, _ in invitations("hanako@guest.example")] == ["CANCEL"]
    Booking.objects.update(state=BookingState.DECLINED)
    assert refusal(lambda: booking.resend(Booking.objects.get(), utcnow(), by=owner)) is Refusal.ALREADY_CANCELLED


def test_a_guest_who_was_told_that_the_link_follows_gets_it_also_after_a_move(
    owner: Any, connect: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    connect(owner, Service.GOOGLE)
    zoom = connect(owner, Service.ZOOM)
    owner.refresh_from_db()
    page = page_of(owner, locations=(LocationKind.ZOOM,))
    taken = book(page, free_start(page))
    control.revoke("zoom", "tanaka@minato.example")
    work()
    assert Effect.objects.get(kind="meeting").state == EffectState.PARKED
    connect(owner, Service.ZOOM, again=zoom)
    moving.move(taken, taken.start + HOUR, utcnow(), by=owner)
    mail.outbox.clear()
    work()
    taken.refresh_from_db()
    assert any(taken.join_url in message.body for message in mail.outbox if "hanako" in message.to[0])
    assert len(control.account("zoom", "tanaka@minato.example")["meetings"]) == 1


def test_a_mail_that_is_sent_twice_after_a_crash_is_known_again_by_its_id(
    page: BookingPage, free_start: Any, book: Any, work: Any
) -> None:
    book(page, free_start(page))
    work()
    first = {message.message()["Message-ID"] for message in mail.outbox}
    assert len(first) == len(mail.outbox) == 2 and all(found.endswith("@awase.test>") for found in first)
    mail.outbox.clear()
    Effect.objects.filter(kind="mail").update(state=EffectState.PENDING)  # what a worker left that died after sending
    work()
    assert {message.message()["Message-ID"] for message in mail.outbox} == first
