"""Moving bookings, by guests within the page's rules and by hosts; handing them to other hosts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from icalendar import Calendar

from awase.domain.health import LocationKind, Service
from awase.models import Booking, BookingPage, BookingState, Condition, Effect, EffectState, HostTime, PageGroup
from awase.models.page import Assignment
from awase.services import moving, pages
from awase.services.booking import Refusal, cancel
from awase.services.hosts import hosts_of
from tests.services.conftest import Control, utcnow
from tests.services.test_booking_taking import refusal

pytestmark = pytest.mark.django_db
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def team(owner: Any, teammate: Any, connect: Callable[..., Any]) -> tuple[Any, Any]:
    for member in (owner, teammate):
        connect(member, Service.GOOGLE)
        connect(member, Service.ZOOM)
        member.refresh_from_db()
    return owner, teammate


@pytest.fixture
def page(owner: Any, page_of: Callable[..., BookingPage]) -> BookingPage:
    """The owner's page, without calendars: half an hour each."""
    return page_of(owner)


def invitations(recipient: str) -> list[Any]:
    """The calendar parts that somebody got, in order."""
    parts = [
        part
        for message in mail.outbox
        if message.to == [recipient]
        for part in message.message().walk()
        if part.get_content_type() == "text/calendar"
    ]
    found = []
    for part in parts:
        calendar = Calendar.from_ical(part.get_payload(decode=True))
        assert calendar["METHOD"] == part.get_param("method")
        found.append((calendar["METHOD"], calendar.walk("VEVENT")[0]))
    return found


def test_a_moved_booking_takes_its_event_and_meeting_along_and_the_guests_calendar_updates_in_place(
    team: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    page = page_of(team[0], locations=(LocationKind.ZOOM,))
    taken = book(page, free_start(page), about={"further": ("taro@guest.example",)})
    work()
    before = control.events("google", "tanaka@minato.example")
    taken.refresh_from_db()
    later = taken.start + timedelta(hours=2)
    moved = moving.move(taken, later, utcnow(), by=None, reason="都合により")
    assert (moved.start, moved.end, moved.sequence) == (later, later + HALF_AN_HOUR, 1)
    work()
    after = control.events("google", "tanaka@minato.example")
    assert [event["id"] for event in after] == [event["id"] for event in before]
    assert [event["start"] for event in after] == [later.strftime("%Y-%m-%dT%H:%M:%SZ")]
    (meeting,) = control.account("zoom", "tanaka@minato.example")["meetings"]
    assert meeting["start"] == later.strftime("%Y-%m-%dT%H:%M:%SZ")
    moved.refresh_from_db()
    assert moved.join_url == taken.join_url
    for recipient in ("hanako@guest.example", "taro@guest.example"):
        (first, made), (second, updated) = invitations(recipient)
        assert (first, second) == ("REQUEST", "REQUEST")
        assert made["UID"] == updated["UID"] and (made["SEQUENCE"], updated["SEQUENCE"]) == (0, 1)
        assert (made.decoded("DTSTART"), updated.decoded("DTSTART")) == (taken.start, later)
    assert any("tanaka" in message.to[0] and "変更" in message.subject for message in mail.outbox)
    assert free_start(page) == taken.start, "the hour before is free again"


def test_a_booking_does_not_stand_in_its_own_way(page: BookingPage, free_start: Any, book: Any) -> None:
    BookingPage.objects.update(duration_minutes=60, step_minutes=30, buffer_before_minutes=15)
    page.refresh_from_db()
    taken = book(page, free_start(page, 2))
    moved = moving.move(taken, taken.start + HALF_AN_HOUR, utcnow(), by=None)
    times = HostTime.objects.get()
    assert times.start == moved.start - timedelta(minutes=15) and times.end == moved.end


def test_asking_twice_for_the_same_move_moves_once(page: BookingPage, free_start: Any, book: Any) -> None:
    taken = book(page, free_start(page))
    later = taken.start + HALF_AN_HOUR
    for _again in range(2):  # the second request still holds the booking as it was
        assert moving.move(taken, later, utcnow(), by=None).sequence == 1
    assert moving.move(taken, taken.start, utcnow(), by=None).sequence == 2, "and so does the third"
    assert Booking.objects.get().start == taken.start


def test_the_time_before_is_free_at_once_although_the_event_still_stands_there(
    team: Any, page_of: Any, free_start: Any, book: Any, work: Any
) -> None:
    page = page_of(team[0])
    taken = book(page, free_start(page))
    work()
    moving.move(taken, taken.start + timedelta(hours=1), utcnow(), by=None)
    assert book(page, taken.start, email="other@guest.example").start == taken.start


@pytest.mark.parametrize("by_host", [False, True])
@pytest.mark.parametrize("shift", [timedelta(minutes=7), timedelta(microseconds=1), -timedelta(days=30)])
def test_a_booking_is_not_moved_off_the_grid_or_into_the_past(
    page: BookingPage, owner: Any, free_start: Any, book: Any, shift: timedelta, by_host: bool
) -> None:
    taken = book(page, free_start(page))
    by = owner if by_host else None
    assert refusal(lambda: moving.move(taken, taken.start + shift, utcnow(), by=by)) is Refusal.SLOT_GONE
    taken.refresh_from_db()
    assert taken.sequence == 0


def test_a_time_that_somebody_else_has_is_refused(page: BookingPage, owner: Any, free_start: Any, book: Any) -> None:
    first, second = book(page, free_start(page)), book(page, free_start(page))
    assert refusal(lambda: moving.move(second, first.start, utcnow(), by=owner)) is Refusal.SLOT_GONE


def test_guests_move_within_the_rules_and_hosts_without_notice(
    page: BookingPage, owner: Any, teammate: Any, free_start: Any, book: Any
) -> None:
    taken = book(page, free_start(page))
    later = taken.start + HALF_AN_HOUR
    BookingPage.objects.update(move_until_minutes=60, notice_minutes=60 * 24 * 20)

    def go(by: Any, at: Any, reason: str = "") -> Booking:
        return moving.move(Booking.objects.get(), later, at, by=by, reason=reason)

    assert refusal(lambda: go(None, taken.start - timedelta(minutes=59))) is Refusal.TOO_LATE
    assert refusal(lambda: go(None, taken.start - timedelta(minutes=60))) is Refusal.SLOT_GONE, "notice binds guests"
    with pytest.raises(PermissionDenied):
        go(teammate, utcnow())
    BookingPage.objects.update(guests_move=False)
    assert refusal(lambda: go(None, utcnow())) is Refusal.NOT_ALLOWED
    assert go(owner, utcnow(), "会議のため").start == later
    change = taken.changes.last()
    assert change.what == "moved_by_host" and "Tanaka" in change.detail and "会議のため" in change.detail
    assert refusal(lambda: go(owner, later + timedelta(days=1))) is Refusal.OVER


def test_another_length_may_be_asked_for_if_the_page_has_it(page: BookingPage, free_start: Any, book: Any) -> None:
    taken = book(page, free_start(page))
    assert refusal(lambda: moving.move(taken, taken.start, utcnow(), by=None, minutes=45)) is Refusal.LENGTH_UNKNOWN
    BookingPage.objects.update(durations=[60])
    taken = Booking.objects.get()
    assert moving.move(taken, taken.start, utcnow(), by=None, minutes=60).end == taken.start + timedelta(hours=1)
    BookingPage.objects.update(durations=[])
    taken = Booking.objects.get()
    later = moving.move(taken, taken.start + timedelta(hours=1), utcnow(), by=None)
    assert later.end - later.start == timedelta(hours=1), "a length that stands is kept"


def test_the_manual_switch_does_not_bar_a_move_and_health_does(
    team: Any, page_of: Any, free_start: Any, book: Any, control: Control
) -> None:
    page = page_of(team[0])
    taken = book(page, free_start(page))
    pages.set_accepting(page, False, utcnow(), by=page.owner)
    moved = moving.move(Booking.objects.get(), taken.start + HALF_AN_HOUR, utcnow(), by=None)
    control.revoke("google", "tanaka@minato.example")
    assert refusal(lambda: moving.move(moved, taken.start, utcnow(), by=None)) is Refusal.NOT_ACCEPTING


def test_under_automatic_assignment_another_host_takes_over_if_the_own_one_is_not_free_then(
    team: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    page = page_of(*team, condition=Condition.ANY, locations=(LocationKind.ZOOM,))
    first = book(page, free_start(page))
    (own,) = hosts_of(first)
    other = team[1] if own == team[0] else team[0]
    later = first.start + timedelta(hours=1)
    blocking = page_of(own, slug="private")
    book(blocking, later)
    work()
    mail.outbox.clear()
    first.refresh_from_db()
    moved = moving.move(first, later, utcnow(), by=None)
    assert hosts_of(moved) == [other]
    work()
    moved.refresh_from_db()
    assert moved.location_member == other and moved.join_url and moved.join_url != first.join_url
    assert len(control.events("google", own.user.email)) == 1, "that of the private booking"
    assert len(control.events("google", other.user.email)) == 1
    assert control.account("zoom", own.user.email)["meetings"] == []
    assert len(control.account("zoom", other.user.email)["meetings"]) == 1
    told = {message.to[0] for message in mail.outbox}
    assert told == {own.user.email, other.user.email, "hanako@guest.example"}
    assert any(moved.join_url in message.body for message in mail.outbox if message.to == ["hanako@guest.example"])
    assert not Effect.objects.exclude(state=EffectState.DONE).exists()


def test_a_host_whom_the_guest_chose_is_not_exchanged(
    owner: Any, teammate: Any, page_of: Any, free_start: Any, book: Any
) -> None:
    page = page_of(owner, teammate, condition=Condition.ANY, calendar_required=False)
    BookingPage.objects.update(assignment=Assignment.GUEST)
    page.refresh_from_db()
    start = free_start(page)
    taken = book(page, start, host_id=teammate.pk)
    book(page, start + HALF_AN_HOUR, host_id=teammate.pk)
    assert refusal(lambda: moving.move(taken, start + HALF_AN_HOUR, utcnow(), by=None)) is Refusal.SLOT_GONE
    assert hosts_of(moving.move(taken, start + timedelta(hours=1), utcnow(), by=None)) == [teammate]


def test_a_booking_is_handed_to_another_host_with_its_event_and_a_meeting_made_anew(
    team: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    page = page_of(*team, condition=Condition.ANY, locations=(LocationKind.ZOOM,))
    taken = book(page, free_start(page))
    work()
    mail.outbox.clear()
    taken.refresh_from_db()
    (own,) = hosts_of(taken)
    other = team[1] if own == team[0] else team[0]
    moving.reassign(taken, other.pk, utcnow(), by=own)
    assert hosts_of(taken) == [other] and taken.start == Booking.objects.get().start
    work()
    taken.refresh_from_db()
    assert control.events("google", own.user.email) == []
    (event,) = control.events("google", other.user.email)
    assert event["resource"]["location"] == taken.join_url
    assert control.account("zoom", own.user.email)["meetings"] == []
    assert [meeting["join_url"] for meeting in control.account("zoom", other.user.email)["meetings"]] == [
        taken.join_url
    ]
    guest = next(message for message in mail.outbox if message.to == ["hanako@guest.example"])
    assert taken.join_url in guest.body and other.name in guest.body
    moving.reassign(taken, own.pk, utcnow(), by=other)
    work()
    assert control.events("google", other.user.email) == []
    assert len(control.events("google", own.user.email)) == 1
    assert len(control.account("zoom", own.user.email)["meetings"]) == 1
    assert control.account("zoom", other.user.email)["meetings"] == []


def test_a_booking_is_handed_only_to_somebody_who_is_free_and_of_the_page(
    owner: Any, teammate: Any, new_member: Any, stranger: Any, page_of: Any, free_start: Any, book: Any
) -> None:
    page = page_of(owner, teammate, condition=Condition.ANY, calendar_required=False)
    outside = new_member("Outside", owner.workspace)
    start = free_start(page)
    taken, beside = book(page, start), book(page, start)
    (own,), (other,) = hosts_of(taken), hosts_of(beside)
    assert refusal(lambda: moving.reassign(taken, other.pk, utcnow(), by=owner)) is Refusal.HOST_UNFIT
    assert refusal(lambda: moving.reassign(taken, outside.pk, utcnow(), by=owner)) is Refusal.HOST_UNFIT
    cancel(beside, utcnow(), by=owner)
    for nobody in (stranger, outside):
        with pytest.raises(PermissionDenied):
            moving.reassign(taken, other.pk, utcnow(), by=nobody)
    assert moving.reassign(taken, own.pk, utcnow(), by=owner).sequence == 0, "nothing to do"
    assert hosts_of(moving.reassign(taken, other.pk, utcnow(), by=owner)) == [other]
    assert refusal(lambda: moving.reassign(taken, own.pk, taken.end, by=owner)) is Refusal.OVER


def test_in_a_list_a_place_is_handed_on_and_the_others_stay(
    owner: Any, new_member: Any, page_of: Any, free_start: Any, book: Any
) -> None:
    ben, cal = new_member("Ben", owner.workspace), new_member("Cal", owner.workspace)
    page = page_of(owner, ben, cal, condition=Condition.LIST, calendar_required=False)
    PageGroup.objects.create(page=page).members.add(owner)
    PageGroup.objects.create(page=page, needed=1).members.add(ben, cal)
    taken = book(page, free_start(page))
    assert set(hosts_of(taken)) == {owner, ben}
    moving.reassign(taken, cal.pk, utcnow(), by=owner)
    assert set(hosts_of(taken)) == {owner, cal}
    assert HostTime.objects.filter(active=True).count() == 2


def test_where_all_take_part_nobody_can_be_exchanged(
    owner: Any, teammate: Any, page_of: Any, free_start: Any, book: Any
) -> None:
    page = page_of(owner)
    taken = book(page, free_start(page))
    assert refusal(lambda: moving.reassign(taken, teammate.pk, utcnow(), by=owner)) is Refusal.HOST_UNFIT


def test_what_does_not_stand_any_more_is_not_moved(page: BookingPage, owner: Any, free_start: Any, book: Any) -> None:
    taken = cancel(book(page, free_start(page)), utcnow(), by=owner)
    assert taken.state == BookingState.CANCELLED
    later = taken.start + HALF_AN_HOUR
    assert refusal(lambda: moving.move(taken, later, utcnow(), by=owner)) is Refusal.ALREADY_CANCELLED


def test_the_reason_for_a_move_or_a_cancellation_is_read_by_whom_it_concerns(
    owner: Any, page_of: Any, free_start: Any, book: Any, work: Any
) -> None:
    page = page_of(owner, slug="reasons")
    taken = book(page, free_start(page))
    work()
    mail.outbox.clear()
    moved = moving.move(taken, taken.start + timedelta(hours=2), utcnow(), by=None, reason="電車が遅れています")
    work()
    assert len(mail.outbox) == 2 and all("理由: 電車が遅れています" in message.body for message in mail.outbox)
    mail.outbox.clear()
    cancel(moved, utcnow(), reason="都合が悪くなりました")
    work()
    told = {message.to[0]: message.body for message in mail.outbox}
    assert all("都合が悪くなりました" in body for body in told.values())
    assert "ご依頼のとおり" in told["hanako@guest.example"] and "ゲストが" in told[owner.user.email]
