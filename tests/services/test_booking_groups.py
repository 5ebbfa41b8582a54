"""Group sessions with seats, and rooms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from awase.domain.health import LocationKind, Service
from awase.domain.intervals import epoch
from awase.models import (
    Booking,
    BookingPage,
    BookingState,
    Effect,
    EffectState,
    HostTime,
    PageGroup,
    Room,
    RoomBusy,
    RoomTime,
)
from awase.models.page import Approval
from awase.services import booking, moving, requests
from awase.services.booking import Refusal
from awase.services.hosts import hosts_of
from awase.services.slots import offer
from tests.services.conftest import Control, utcnow
from tests.services.test_booking_taking import refusal

pytestmark = pytest.mark.django_db
AN_HOUR = timedelta(hours=1)


@pytest.fixture
def page(owner: Any, connect: Callable[..., Any], page_of: Callable[..., BookingPage]) -> BookingPage:
    """The owner's sessions by Zoom, two seats each."""
    connect(owner, Service.GOOGLE)
    connect(owner, Service.ZOOM)
    owner.refresh_from_db()
    return page_of(owner, locations=(LocationKind.ZOOM,), seats=2)


def outside(control: Control) -> tuple[list[str], list[str]]:
    """The owner's event descriptions, and the starts of the meetings."""
    events = control.events("google", "tanaka@minato.example")
    meetings = control.account("zoom", "tanaka@minato.example")["meetings"]
    return [event["resource"]["description"] for event in events], [meeting["start"] for meeting in meetings]


def test_guests_share_one_session_one_event_and_one_meeting_until_the_seats_are_gone(
    page: BookingPage, owner: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    start = free_start(page)
    ann = book(page, start, email="ann@guest.example")
    work()
    ben = book(page, start, email="ben@guest.example")
    assert ann.session == ben.session and not ann.host_times.exists() and hosts_of(ben) == [owner]
    ann.refresh_from_db()
    assert ben.join_url == ann.join_url, "who comes later has the link at once"
    work()
    ((description,), meetings) = outside(control)
    assert "ann@guest.example" in description and "ben@guest.example" in description and len(meetings) == 1
    assert HostTime.objects.filter(active=True).count() == 1
    assert refusal(lambda: book(page, start, email="cat@guest.example")) is Refusal.SLOT_GONE
    guests = [message for message in mail.outbox if message.to == ["ben@guest.example"]]
    assert ann.join_url in guests[0].body and "ann@guest.example" not in guests[0].body


def test_a_seat_that_is_given_back_can_be_had_again_and_the_last_one_ends_the_session(
    page: BookingPage, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    start = free_start(page)
    ann, ben = (book(page, start, email=f"{name}@guest.example") for name in ("ann", "ben"))
    work()
    booking.cancel(ann, utcnow())
    work()
    ((description,), _meetings) = outside(control)
    assert "ann@guest.example" not in description and "ben@guest.example" in description
    cat = book(page, start, email="cat@guest.example")
    assert cat.session == ben.session
    for seat in (ben, cat):
        booking.cancel(seat, utcnow())
    work()
    assert outside(control) == ([], [])
    assert Booking.objects.get(is_session=True).state == BookingState.CANCELLED
    assert not HostTime.objects.filter(active=True).exists()
    assert book(page, start, email="dan@guest.example").session != ben.session
    assert not Effect.objects.filter(state=EffectState.FAILED).exists()


def test_a_guest_moves_to_another_session_and_the_only_guest_takes_it_along(
    page: BookingPage, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    start = free_start(page)
    ann, ben = (book(page, start, email=f"{name}@guest.example") for name in ("ann", "ben"))
    work()
    first = ann.session
    moved = moving.move(ann, start + AN_HOUR, utcnow(), by=None)
    assert moved.session != first and moved.start == moved.session.start
    work()
    assert len(outside(control)[0]) == 2 and len(outside(control)[1]) == 2
    alone = moving.move(ben, start + 2 * AN_HOUR, utcnow(), by=None)
    assert alone.session == first and alone.session.start == alone.start == start + 2 * AN_HOUR
    together = moving.move(alone, start + AN_HOUR, utcnow(), by=None)
    assert together.session == moved.session
    work()
    descriptions, meetings = outside(control)
    assert len(descriptions) == len(meetings) == 1 and "ann@" in descriptions[0] and "ben@" in descriptions[0]
    moved.refresh_from_db()
    together.refresh_from_db()
    assert moved.join_url == together.join_url != ""
    assert Booking.objects.get(pk=first.pk).state == BookingState.CANCELLED


def test_a_host_moves_or_cancels_a_session_with_all_its_guests(
    page: BookingPage, owner: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    start = free_start(page)
    for name in ("ann", "ben"):
        book(page, start, email=f"{name}@guest.example")
    other = book(page, start + AN_HOUR, email="cat@guest.example").session
    work()
    mail.outbox.clear()
    session = Booking.objects.exclude(pk=other.pk).get(is_session=True)
    assert refusal(lambda: moving.move(session, other.start, utcnow(), by=owner)) is Refusal.SLOT_GONE
    moving.move(session, start + 2 * AN_HOUR, utcnow(), by=owner)
    work()
    assert set(session.seats.values_list("start", flat=True)) == {start + 2 * AN_HOUR}
    assert sorted(message.to[0] for message in mail.outbox) == [
        "ann@guest.example",
        "ben@guest.example",
        "tanaka@minato.example",
    ]
    mail.outbox.clear()
    booking.cancel(Booking.objects.get(pk=session.pk), utcnow(), by=owner, reason="病気のため")
    work()
    assert len(outside(control)[0]) == 1
    assert {seat.state for seat in session.seats.all()} == {BookingState.CANCELLED}
    assert len(mail.outbox) == 3 and all("病気のため" in message.body for message in mail.outbox)


def test_the_guests_of_a_session_do_not_count_against_its_own_move(
    page: BookingPage, owner: Any, free_start: Any, book: Any
) -> None:
    BookingPage.objects.update(
        limits={"page": [{"per": "day", "bookings": 2}], "guest": [{"per": "day", "bookings": 1}]}
    )
    page.refresh_from_db()
    start = free_start(page)
    session = [book(page, start, email=f"{name}@guest.example").session for name in ("ann", "ben")].pop()
    assert moving.move(session, start + AN_HOUR, utcnow(), by=owner).start == start + AN_HOUR


def test_a_seat_that_is_asked_for_holds_it_and_makes_event_and_meeting_only_once_approved(
    page: BookingPage, owner: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    BookingPage.objects.update(approval=Approval.HELD)
    page.refresh_from_db()
    start = free_start(page)
    ann, ben = (book(page, start, email=f"{name}@guest.example") for name in ("ann", "ben"))
    assert refusal(lambda: book(page, start, email="cat@guest.example")) is Refusal.SLOT_GONE
    work()
    assert outside(control) == ([], [])
    requests.approve(ann, utcnow(), by=owner)
    work()
    ((description,), meetings) = outside(control)
    assert "ben@guest.example" not in description and len(meetings) == 1
    booking.cancel(Booking.objects.get(pk=ann.pk), utcnow())
    work()
    assert outside(control) == ([], []), "nobody who comes for sure is left"
    requests.approve(Booking.objects.get(pk=ben.pk), utcnow(), by=owner)
    work()
    assert len(outside(control)[0]) == len(outside(control)[1]) == 1
    requests_left = book(page, start, email="dan@guest.example")
    booking.cancel(Booking.objects.get(pk=ben.pk), utcnow())
    requests.decline(requests_left, utcnow(), by=owner)
    assert Booking.objects.get(is_session=True).state == BookingState.CANCELLED


def test_a_seat_that_is_not_held_is_taken_when_it_is_approved_if_it_is_still_there(
    page: BookingPage, owner: Any, free_start: Any, book: Any
) -> None:
    BookingPage.objects.update(approval=Approval.UNHELD)
    page.refresh_from_db()
    start = free_start(page)
    asked = [book(page, start, email=f"{number}@guest.example") for number in range(3)]
    assert not Booking.objects.filter(is_session=True).exists()
    first, second = (requests.approve(one, utcnow(), by=owner) for one in asked[:2])
    assert first.session == second.session is not None
    assert refusal(lambda: requests.approve(asked[2], utcnow(), by=owner)) is Refusal.SLOT_GONE


@pytest.fixture
def rooms(page: BookingPage, owner: Any) -> list[Room]:
    """Two rooms of the owner's Google account, one of which each meeting takes."""
    BookingPage.objects.update(seats=1)
    page.refresh_from_db()
    connection = owner.connections.get(credential__service="google")
    group = PageGroup.objects.create(page=page, of_rooms=True, needed=1)
    made = []
    for name in ("あおい", "みどり"):
        address = f"{name.encode().hex()}@minato.example"
        room = Room.objects.create(
            workspace=page.workspace, connection=connection, service="google", address=address, name=name
        )
        now = utcnow()
        RoomBusy.objects.create(
            room=room,
            spans=b"",
            covered_start=epoch(now - AN_HOUR),
            covered_end=epoch(now + timedelta(days=30)),
            read_at=epoch(now),
        )
        group.rooms.add(room)
        made.append(room)
    return made


def test_a_room_is_taken_and_invited_and_follows_the_booking(
    page: BookingPage, rooms: list[Room], free_start: Any, book: Any, work: Any, control: Control
) -> None:
    taken = book(page, free_start(page))
    time = RoomTime.objects.get()
    assert time.room in rooms and (time.start, time.end) == (taken.start, taken.end)
    work()
    (event,) = control.events("google", "tanaka@minato.example")
    assert [guest["email"] for guest in event["resource"]["attendees"]] == [time.room.address]
    moving.move(taken, taken.start + AN_HOUR, utcnow(), by=None)
    assert RoomTime.objects.get().start == taken.start + AN_HOUR
    booking.cancel(Booking.objects.get(), utcnow())
    assert not RoomTime.objects.filter(active=True).exists()


def test_where_no_room_is_left_nothing_can_be_booked(
    owner: Any, teammate: Any, page_of: Any, page: BookingPage, rooms: list[Room], free_start: Any, book: Any
) -> None:
    elsewhere = page_of(teammate, slug="elsewhere")
    PageGroup.objects.create(page=elsewhere, of_rooms=True).rooms.set(rooms)
    start = free_start(page)
    assert set(book(elsewhere, start).room_times.values_list("room", flat=True)) == {room.pk for room in rooms}
    assert refusal(lambda: book(page, start)) is Refusal.SLOT_GONE


def test_a_booking_from_before_there_were_seats_joins_no_session_when_it_moves(
    page: BookingPage, owner: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    BookingPage.objects.update(seats=1)
    page.refresh_from_db()
    start = free_start(page)
    alone = book(page, start, email="ann@guest.example")
    BookingPage.objects.update(seats=2)
    page.refresh_from_db()
    session = book(page, start + AN_HOUR, email="ben@guest.example").session
    assert refusal(lambda: moving.move(alone, session.start, utcnow(), by=None)) is Refusal.SLOT_GONE
    now = utcnow()
    offered = offer(page, now, now + timedelta(days=7), now, moving=alone).slots
    assert epoch(start) in offered and epoch(session.start) not in offered, "what is refused is not shown either"
    moving.move(alone, start + 2 * AN_HOUR, utcnow(), by=None)
    work()
    assert len(outside(control)[0]) == len(outside(control)[1]) == 2
    assert set(HostTime.objects.filter(active=True).values_list("start", flat=True)) == {
        start + AN_HOUR,
        start + 2 * AN_HOUR,
    }


def test_a_seat_that_is_not_held_is_held_nowhere_after_a_move(
    page: BookingPage, owner: Any, free_start: Any, book: Any
) -> None:
    BookingPage.objects.update(approval=Approval.UNHELD)
    page.refresh_from_db()
    start = free_start(page)
    standing = requests.approve(book(page, start, email="ann@guest.example"), utcnow(), by=owner)
    asked = book(page, start + AN_HOUR, email="ben@guest.example")
    moved = moving.move(asked, start, utcnow(), by=None)
    assert moved.session is None and standing.session.seats.count() == 1
    assert requests.approve(moved, utcnow(), by=owner).session == standing.session


def test_a_seat_counts_once_towards_its_hosts_limit_whether_or_not_it_was_asked_for(
    page: BookingPage, owner: Any, free_start: Any, book: Any
) -> None:
    BookingPage.objects.update(approval=Approval.UNHELD, limits={"host": [{"per": "day", "bookings": 2}]})
    page.refresh_from_db()
    start = free_start(page)
    for name in ("ann", "ben"):
        requests.approve(book(page, start, email=f"{name}@guest.example"), utcnow(), by=owner)
    assert free_start(page, nth=0).date() == start.date(), "one session of two is left for that day"
