"""What is stored about a page, its people and rooms, as the times that it offers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from awase.domain.assignment import fill
from awase.domain.health import Service
from awase.domain.intervals import epoch, moment
from awase.models import (
    Absence,
    Booking,
    BookingPage,
    BookingState,
    Condition,
    Credential,
    Hold,
    HostTime,
    Member,
    PageGroup,
    PageMember,
    Room,
    RoomBusy,
    RoomTime,
    WeeklySchedule,
)
from awase.services import fairness
from awase.services.slots import offer

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 12, 1, 0, 0, tzinfo=UTC)  # a Tuesday, 09:00 in Tokyo
MONDAY = date(2026, 12, 7)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), TOKYO)


def clock(page: BookingPage, day: date = MONDAY, **asked: Any) -> list[str]:
    """The times of one day, as a clock in Tokyo shows them."""
    answer = offer(page, at(day, 0), at(day, 0) + timedelta(days=1), NOW, **asked)
    return [moment(start).astimezone(TOKYO).strftime("%H:%M") for start in answer.slots.starts]


@pytest.fixture
def page(page_of: Callable[..., BookingPage], owner: Member) -> BookingPage:
    """An hour each from nine to twelve, Monday to Friday, in Tokyo."""
    WeeklySchedule.objects.filter(member=owner).delete()
    opened(owner)
    return page_of(owner, duration_minutes=60, step_minutes=60)


def opened(member: Member, first: int = 9, last: int = 12, **fields: Any) -> WeeklySchedule:
    weekly = [[[first * 60, last * 60]]] * 5 + [[], []]
    return WeeklySchedule.objects.create(
        member=member, name="hours", time_zone="Asia/Tokyo", **({"weekly": weekly} | fields)
    )


def taken(page: BookingPage, member: Member, start: datetime, hours: int = 1, **fields: Any) -> Booking:
    """A booking that stands already."""
    end = start + timedelta(hours=hours)
    booking = Booking.objects.create(
        workspace=page.workspace, page=page, start=start, end=end, title="x", created_at=NOW, **fields
    )
    if booking.session is None:
        HostTime.objects.create(booking=booking, member=member, start=start, end=end)
    return booking


def test_a_day_without_exceptions_offers_all_hours(page: BookingPage) -> None:
    assert clock(page) == ["09:00", "10:00", "11:00"]


def test_a_holiday_is_closed_and_an_override_opens_it_again(page: BookingPage) -> None:
    new_year = date(2027, 1, 1)
    WeeklySchedule.objects.update(holidays="JP")
    assert clock(page, new_year) == []
    WeeklySchedule.objects.update(overrides={"2027-01-01": [[600, 660]]})
    assert clock(page, new_year) == ["10:00"]


def test_an_absence_takes_the_whole_days_of_the_absent(page: BookingPage, owner: Member) -> None:
    Absence.objects.create(member=owner, first=MONDAY, last=MONDAY)
    assert clock(page) == []
    assert clock(page, MONDAY + timedelta(days=1)) == ["09:00", "10:00", "11:00"]


def test_hours_chosen_for_the_page_beat_the_default_and_those_of_the_member_beat_both(
    page: BookingPage, owner: Member
) -> None:
    page.schedule = opened(owner, 13, 15, is_default=False)
    page.save()
    assert clock(page) == ["13:00", "14:00"]
    PageMember.objects.filter(page=page).update(schedule=opened(owner, 20, 21, is_default=False))
    assert clock(page) == ["20:00"]


def test_a_longer_meeting_chosen_by_the_guest_has_fewer_starts(page: BookingPage) -> None:
    assert clock(page, minutes=120) == ["09:00", "10:00"]


def test_a_limit_a_day_closes_the_rest_of_that_day_only(page: BookingPage, owner: Member) -> None:
    page.limits = {"page": [{"per": "day", "bookings": 1}]}
    taken(page, owner, at(MONDAY, 9))
    assert clock(page) == []
    assert clock(page, MONDAY + timedelta(days=1)) == ["09:00", "10:00", "11:00"]


def test_a_limit_of_minutes_a_week_counts_the_whole_week(page: BookingPage, owner: Member) -> None:
    page.limits = {"page": [{"per": "week", "minutes": 120}]}
    taken(page, owner, at(MONDAY, 9), hours=2)
    assert clock(page, MONDAY + timedelta(days=4)) == []
    assert clock(page, MONDAY + timedelta(days=7)) == ["09:00", "10:00", "11:00"]


def test_a_limit_per_host_counts_that_host_alone(page: BookingPage, owner: Member, teammate: Member) -> None:
    opened_hours = WeeklySchedule.objects.filter(member=teammate)
    opened_hours.delete()
    opened(teammate, 9, 10)
    PageMember.objects.create(page=page, member=teammate, position=1)
    page.condition, page.calendar_required = Condition.ANY, False
    page.limits = {"host": [{"per": "day", "bookings": 1}]}
    page.save()
    taken(page, owner, at(MONDAY, 11))
    assert clock(page) == ["09:00"]


def test_a_guest_who_had_their_share_finds_no_times_and_others_do(page: BookingPage, owner: Member) -> None:
    page.limits = {"guest": [{"per": "total", "bookings": 1}]}
    taken(page, owner, at(MONDAY - timedelta(days=60), 9), guest_email="ann@guest.example")
    assert clock(page, guest="Ann@guest.example") == []
    assert clock(page, guest="ben@guest.example") == clock(page) == ["09:00", "10:00", "11:00"]


def test_a_booking_that_is_moved_neither_blocks_nor_counts(page: BookingPage, owner: Member) -> None:
    page.limits = {"page": [{"per": "day", "bookings": 1}], "host": [{"per": "day", "bookings": 1}]}
    moving = taken(page, owner, at(MONDAY, 9))
    assert clock(page) == []
    assert clock(page, moving=moving) == ["09:00", "10:00", "11:00"]


def test_a_held_slot_is_hidden_from_others_until_it_runs_out(page: BookingPage, owner: Member) -> None:
    hold = Hold.objects.create(
        page=page,
        client="c",
        start=at(MONDAY, 10),
        end=at(MONDAY, 11),
        expires_at=NOW + timedelta(minutes=5),
    )
    HostTime.objects.create(hold=hold, member=owner, start=hold.start, end=hold.end)
    assert clock(page) == ["09:00", "11:00"]
    assert clock(page, hold=hold) == ["09:00", "10:00", "11:00"]
    Hold.objects.update(expires_at=NOW)
    assert clock(page) == ["09:00", "10:00", "11:00"]


def test_a_group_session_is_offered_while_seats_are_left_and_blocks_its_hosts_when_full(
    page: BookingPage, owner: Member
) -> None:
    page.seats = 2
    session = taken(page, owner, at(MONDAY, 10), is_session=True)
    first = taken(page, owner, at(MONDAY, 10), session=session)
    answer = offer(page, at(MONDAY, 0), at(MONDAY, 23), NOW)
    assert answer.session_at(at(MONDAY, 10)) == session.pk
    assert answer.session_at(at(MONDAY, 9)) is None
    taken(page, owner, at(MONDAY, 10), session=session)
    assert clock(page) == ["09:00", "11:00"]
    assert clock(page, moving=first) == ["09:00", "10:00", "11:00"]
    Booking.objects.filter(pk=first.pk).update(state=BookingState.CANCELLED)
    assert clock(page) == ["09:00", "10:00", "11:00"]


@pytest.fixture
def room(page: BookingPage, owner: Member, connect: Callable[..., Any]) -> Room:
    """A required room, read until the end of the day by the owner's account."""
    connection = connect(owner, Service.GOOGLE)
    connection.calendars.update(checked=False)
    Credential.objects.update(last_good=NOW)
    room = Room.objects.create(
        workspace=page.workspace,
        connection=connection,
        service="google",
        address="room@minato.example",
        name="会議室",
    )
    group = PageGroup.objects.create(page=page, of_rooms=True)
    group.rooms.add(room)
    return room


def test_a_room_that_was_never_read_is_never_free(page: BookingPage, room: Room) -> None:
    assert clock(page) == []


def test_a_room_in_use_by_another_page_is_taken(page: BookingPage, owner: Member, room: Room) -> None:
    RoomBusy.objects.create(
        room=room, spans=b"", covered_start=epoch(NOW), covered_end=epoch(NOW + timedelta(days=30)), read_at=epoch(NOW)
    )
    assert clock(page) == ["09:00", "10:00", "11:00"]
    other = taken(page, owner, at(MONDAY + timedelta(days=7), 9))
    RoomTime.objects.create(booking=other, room=room, start=at(MONDAY, 9), end=at(MONDAY, 10))
    assert clock(page) == ["10:00", "11:00"]
    assert offer(page, at(MONDAY, 0), at(MONDAY, 23), NOW).rooms_at(at(MONDAY, 10)) == (room.pk,)


def test_a_required_room_that_is_gone_stops_the_page(page: BookingPage, room: Room) -> None:
    Room.objects.update(missing_since=NOW)
    verdict = offer(page, at(MONDAY, 0), at(MONDAY, 23), NOW).verdict
    assert room.pk in [stop.room_id for stop in verdict.stops]


def test_a_group_of_rooms_without_rooms_stops_the_page_instead_of_vanishing(page: BookingPage, room: Room) -> None:
    room.delete()
    assert not offer(page, at(MONDAY, 0), at(MONDAY, 23), NOW).verdict.open


def test_a_list_offers_the_times_at_which_every_group_can_be_filled(
    page: BookingPage, owner: Member, new_member: Callable[..., Member]
) -> None:
    ben, cal = new_member("Ben", page.workspace), new_member("Cal", page.workspace)
    for member, hours in ((ben, (9, 10)), (cal, (11, 12))):
        WeeklySchedule.objects.filter(member=member).delete()
        opened(member, *hours)
        PageMember.objects.create(page=page, member=member, position=member.pk)
    page.condition, page.calendar_required = Condition.LIST, False
    page.save()
    PageGroup.objects.create(page=page).members.add(owner)
    one_of = PageGroup.objects.create(page=page, needed=1)
    one_of.members.add(ben, cal)
    assert clock(page) == ["09:00", "11:00"]
    answer = offer(page, at(MONDAY, 0), at(MONDAY, 23), NOW)
    turn = fairness.ranked(page, answer.hosts_at(at(MONDAY, 11)), NOW)
    assert set(fill(answer.value.groups, turn)) == {owner.pk, cal.pk}


def test_a_list_without_groups_has_nobody_and_is_stopped(page: BookingPage) -> None:
    page.condition = Condition.LIST
    page.save()
    assert not offer(page, at(MONDAY, 0), at(MONDAY, 23), NOW).verdict.open


def test_an_archived_page_offers_nothing(page: BookingPage) -> None:
    page.archived_at = NOW
    answer = offer(page, at(MONDAY, 0), at(MONDAY, 23), NOW)
    assert not answer.accepting
    assert not answer.slots.starts
