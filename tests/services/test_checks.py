"""Checking accounts: what is read on from a token and what afresh, how far ahead, and what is kept of it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from awase.domain.health import Service, Standing
from awase.domain.intervals import epoch, moment
from awase.models import (
    BookingPage,
    Calendar,
    CalendarBusy,
    CalendarEvent,
    Connection,
    Credential,
    PageGroup,
    Room,
    RoomBusy,
    RoomTime,
)
from awase.services import checks, connections, pages
from awase.services.booking import Refused
from awase.services.health import verdict_of
from awase.services.signals import Cause
from awase.services.slots import offer
from awase.services.tokens import source
from awase.services.use import renew_use
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db

BY_HAND = (Service.GOOGLE, Service.MICROSOFT)


def at(days: int, hour: int = 9, minute: int = 0) -> datetime:
    day = utcnow().replace(hour=hour, minute=minute, second=0, microsecond=0)
    return day + timedelta(days=days)


class Diary:
    """One member's account at a service, and what they do in their calendar by hand."""

    def __init__(self, member: Any, connection: Connection, control: Control) -> None:
        self.member, self.connection, self.control = member, connection, control
        self.base = f"accounts/{connection.credential.service}/{connection.credential.account_email}"

    def add(self, start: datetime, hours: float = 1, **more: Any) -> str:
        times = {"start": start.isoformat(), "end": (start + timedelta(hours=hours)).isoformat()}
        return str(self.control.post(f"{self.base}/calendars/primary/events", **times, **more)["ids"][0])

    def move(self, event_id: str, start: datetime, hours: float = 1) -> None:
        times = {"start": start.isoformat(), "end": (start + timedelta(hours=hours)).isoformat()}
        path = f"/control/api/{self.base}/calendars/primary/events/{event_id}"
        assert self.control.client.patch(path, json=times).status_code == 200

    def delete(self, event_id: str) -> None:
        path = f"/control/api/{self.base}/calendars/primary/events/{event_id}"
        assert self.control.client.delete(path).status_code == 200

    def fault(self, name: str, **more: Any) -> None:
        self.control.post(f"{self.base}/fault", fault=name, **more)

    def check(self, cause: Cause = Cause.CHECK, now: datetime | None = None) -> Any:
        return checks.check(self.connection.credential_id, cause, now or utcnow())

    @property
    def busy(self) -> CalendarBusy:
        return CalendarBusy.objects.get(calendar__connection=self.connection, calendar__checked=True)

    def starts(self) -> list[datetime]:
        busy = self.busy
        known = checks.BusyTimes(bytes(busy.spans), busy.covered_start, busy.covered_end, busy.read_at)
        return [moment(start) for start, _ in known.pairs()]


@pytest.fixture
def diary(owner: Any, connect: Callable[..., Connection], control: Control) -> Callable[..., Diary]:
    def open_one(service: Service = Service.GOOGLE, member: Any = None, **more: Any) -> Diary:
        member = member or owner
        return Diary(member, connect(member, service, **more), control)

    return open_one


@pytest.fixture(params=BY_HAND)
def own(request: pytest.FixtureRequest, diary: Callable[..., Diary]) -> Diary:
    return diary(request.param)


def calls(sandbox: Any) -> list[str]:
    """The operations since last asked."""
    found = [entry["operation"] for entry in sandbox.requests]
    sandbox.requests.clear()
    return found


def test_what_people_do_by_hand_is_read_on_from_the_last_time(own: Diary) -> None:
    kept, moved, gone = own.add(at(2)), own.add(at(3)), own.add(at(4))
    own.check(Cause.CHECK_NOW)
    full_at = own.busy.full_at
    assert own.starts() == [at(2), at(3), at(4)]
    own.add(at(5))
    own.move(moved, at(6))
    own.check()
    assert own.starts() == [at(2), at(4), at(5), at(6)]
    assert own.busy.full_at == full_at
    own.delete(gone)
    own.check()
    assert own.starts() == [at(2), at(5), at(6)]
    assert kept


def test_an_unchanged_calendar_costs_one_short_call(diary: Any, sandbox: Any) -> None:
    for service, call in ((Service.GOOGLE, "events.list"), (Service.MICROSOFT, "calendarView.delta")):
        own = diary(service)
        own.check()
        calls(sandbox)
        own.check()
        assert calls(sandbox) == [call]


def test_a_reading_says_when_it_was_made_and_a_failed_one_leaves_the_age(own: Diary) -> None:
    own.check()
    first = own.busy.read_at
    own.check(now=utcnow() + timedelta(minutes=5))
    assert own.busy.read_at >= first + 300
    own.fault("outage")
    own.check(now=utcnow() + timedelta(minutes=10))
    assert own.busy.read_at < first + 600


def test_the_only_calendar_refused_is_the_calendars_matter_and_no_outage(
    own: Diary, owner: Any, page_of: Any, settings: Any
) -> None:
    page = page_of(owner)
    google = own.connection.credential.service == Service.GOOGLE
    body = {"error": {"errors": [{"reason": "forbidden"}], "code": "ErrorAccessDenied"}}
    for operation in ("events.list",) if google else ("calendarView.list", "calendarView.delta"):
        own.control.post(f"{own.base}/override", status=403, body=body, operation=operation)
    later = utcnow() + settings.AWASE_TOLERANCE * 2
    for now in (utcnow(), later):
        own.check(now=now)
    own.connection.credential.refresh_from_db()
    assert own.connection.credential.standing == Standing.OK
    (stop, *_) = verdict_of(page, later).stops
    assert stop.calendar_missing, "untick it or choose another, instead of waiting for an outage to end"


def test_tokens_that_the_service_forgot_lead_to_a_full_reading(own: Diary) -> None:
    own.check()
    own.add(at(3))
    own.fault("sync_expired")
    later = utcnow() + timedelta(minutes=5)
    own.check(now=later)
    assert own.starts() == [at(3)]
    assert own.busy.full_at == epoch(later)


def test_everything_is_read_once_a_day_whatever_the_tokens_say(own: Diary) -> None:
    own.check()
    first = own.busy.full_at
    for hours, read_afresh in ((23, False), (25, True)):
        own.check(now=utcnow() + timedelta(hours=hours))
        assert (own.busy.full_at > first) is read_afresh


def test_who_asks_to_look_now_gets_everything_read(own: Diary) -> None:
    own.check()
    later = utcnow() + timedelta(minutes=5)
    connections.check_now(own.connection, later)
    assert own.busy.full_at == epoch(later)


def test_times_are_known_as_far_ahead_as_a_page_offers_them(own: Diary, page_of: Any) -> None:
    own.add(at(200))
    own.check()
    assert own.starts() == []
    assert own.busy.covered_end >= epoch(utcnow() + timedelta(days=31))
    page: BookingPage = page_of(own.member, period_days=210)
    later = utcnow() + timedelta(minutes=5)
    own.check(now=later)
    assert own.starts() == [at(200)]
    assert epoch(later + timedelta(days=210)) <= own.busy.covered_end <= epoch(later + timedelta(days=216))
    BookingPage.objects.filter(pk=page.pk).update(period_days=20)
    own.check(Cause.CHECK_NOW)
    assert own.busy.covered_end < epoch(utcnow() + timedelta(days=40))


@pytest.mark.parametrize(("last", "days"), [(100, 100), (900, 365), (None, 365), (-5, 31)])
def test_a_period_by_dates_is_read_to_its_end_and_none_beyond_a_year(
    own: Diary, page_of: Any, last: int | None, days: int
) -> None:
    page = page_of(own.member)
    end = None if last is None else (utcnow() + timedelta(days=last)).date()
    BookingPage.objects.filter(pk=page.pk).update(period_days=None, period_last=end)
    own.check(Cause.CHECK_NOW)
    assert days <= (own.busy.covered_end - epoch(utcnow())) / 86_400 <= days + 5


def test_a_day_beyond_what_was_read_is_unknown_and_not_free(own: Diary, page_of: Any) -> None:
    page = page_of(own.member, period_days=60)
    own.check(Cause.CHECK_NOW)
    BookingPage.objects.filter(pk=page.pk).update(period_days=300)
    page.refresh_from_db()
    assert not len(offer(page, at(200), at(210), utcnow()).slots.starts)


def test_a_page_that_offers_times_further_ahead_has_them_read_at_once(own: Diary, page_of: Any) -> None:
    page = page_of(own.member, period_days=60)
    own.check(Cause.CHECK_NOW)
    credential = own.connection.credential
    for days, due in ((60, False), (300, True)):
        page.period_days = days
        page.save()
        type(credential).objects.update(next_check=utcnow() + timedelta(hours=1))
        checks.reach(page, utcnow())
        credential.refresh_from_db()
        assert (credential.next_check <= utcnow()) is due


def test_our_own_events_never_count_as_busy_however_they_are_read(
    own: Diary, page_of: Any, free_start: Any, book: Any, work: Any
) -> None:
    page = page_of(own.member)
    own.check()
    taken = book(page, free_start(page))
    work()
    own.check()
    assert own.starts() == []
    own.check(Cause.CHECK_NOW)
    assert own.starts() == []
    assert CalendarEvent.objects.get(booking=taken).external_id


def test_of_other_peoples_events_only_times_are_kept(own: Diary) -> None:
    own.add(at(3), title="Secret lunch")
    own.check(Cause.CHECK_NOW)
    assert len(bytes(own.busy.events)) == 40


def test_a_reading_that_was_overtaken_is_not_kept(own: Diary) -> None:
    """Two looks at once start from the same token; the slower one must not put its older news over the other's."""
    own.check()
    event = own.add(at(3))
    credential = own.connection.credential
    slow = checks.read(Service(credential.service), credential, source(credential), utcnow(), anew=False)
    own.move(event, at(4))
    own.check()
    checks.keep(credential, slow)
    assert own.starts() == [at(4)]
    own.check()
    assert own.starts() == [at(4)]


def test_what_is_not_sure_takes_time_unless_the_member_says_otherwise(own: Diary, owner: Any) -> None:
    unsure = (
        {"show": "tentative"} if own.connection.credential.service == Service.MICROSOFT else {"status": "tentative"}
    )
    own.add(at(1), **unsure)
    own.add(at(2))
    own.check()
    assert own.starts() == [at(1), at(2)]
    ticked = set(own.connection.calendars.filter(checked=True).values_list("pk", flat=True))

    def say(free: bool) -> None:
        link = Connection.objects.get()
        connections.set_use(owner, link, checked=ticked, go_on_without=set(), now=utcnow(), tentative_free=free)

    say(True)
    assert own.starts() == [at(2)]
    own.add(at(3), **unsure)
    own.check()
    assert own.starts() == [at(2)], "told by the changes alone"
    say(False)
    assert own.starts() == [at(1), at(2), at(3)]


def test_what_is_not_sure_is_judged_alike_at_booking_time(
    own: Diary, owner: Any, page_of: Any, book: Any, free_start: Any
) -> None:
    page = page_of(owner)
    start = free_start(page)
    unsure = (
        {"show": "tentative"} if own.connection.credential.service == Service.MICROSOFT else {"status": "tentative"}
    )
    own.add(start, **unsure)  # after the last reading
    with pytest.raises(Refused):
        book(page, start)
    Connection.objects.update(tentative_free=True)
    assert book(page, start).start == start


def test_two_members_behind_one_account_know_the_same(diary: Any, owner: Any, teammate: Any, connect: Any) -> None:
    own = diary(Service.GOOGLE)
    own.add(at(3))
    own.check()
    other = Diary(teammate, connect(teammate, Service.GOOGLE, email=owner.user.email), own.control)
    assert other.connection.credential_id == own.connection.credential_id
    own.add(at(4))
    own.check()
    assert own.starts() == other.starts() == [at(3), at(4)]


def test_a_calendar_that_alone_fails_is_read_afresh_when_it_is_back(own: Diary) -> None:
    second = own.control.post(f"{own.base}/calendars", name="Second")["id"]
    connections.check_now(own.connection, utcnow())
    Calendar.objects.filter(connection=own.connection).update(checked=True)
    own.check()
    own.fault("calendar_error", calendar_id=second)
    own.check(now=utcnow() + timedelta(minutes=5))
    broken = Calendar.objects.get(connection=own.connection, external_id=second)
    assert broken.unreadable_since is not None
    own.fault("ok")
    own.check(now=utcnow() + timedelta(minutes=10))
    broken.refresh_from_db()
    assert broken.unreadable_since is None


# Rooms


@pytest.fixture
def room(owner: Any, diary: Any, page_of: Any) -> tuple[Diary, Room, BookingPage]:
    own = diary(Service.MICROSOFT)
    return own, *added_room(own, page_of(owner))


def added_room(own: Diary, page: BookingPage) -> tuple[Room, BookingPage]:
    address = own.control.post(f"{own.base}/calendars", name="Room 1", room=True)["id"]
    room = Room.objects.create(
        workspace=own.member.workspace, connection=own.connection, service="microsoft", address=address, name="Room 1"
    )
    group = PageGroup.objects.create(page=page, of_rooms=True, needed=1)
    group.rooms.add(room)
    return room, page


def room_starts(room: Room) -> list[datetime]:
    busy = RoomBusy.objects.get(room=room)
    known = checks.BusyTimes(bytes(busy.spans), busy.covered_start, busy.covered_end, busy.read_at)
    return [moment(start) for start, _ in known.pairs()]


def occupy(own: Diary, room: Room, start: datetime) -> None:
    times = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}
    own.control.post(f"{own.base}/calendars/{room.address}/events", **times)


def test_the_rooms_of_pages_are_read_by_the_account_through_which_they_were_added(room: Any) -> None:
    own, it, _ = room
    occupy(own, it, at(3))
    own.check()
    assert room_starts(it) == [at(3)]
    assert RoomBusy.objects.get(room=it).covered_end >= epoch(utcnow() + timedelta(days=60))


def test_a_room_of_no_page_is_not_read(room: Any, sandbox: Any) -> None:
    own, it, page = room
    page.groups.all().delete()
    calls(sandbox)
    own.check()
    assert "getSchedule" not in calls(sandbox)
    assert not RoomBusy.objects.filter(room=it).exists()


def test_our_own_bookings_of_a_room_are_not_told_as_others(room: Any, free_start: Any, book: Any) -> None:
    own, it, page = room
    own.check()
    taken = book(page, free_start(page))
    RoomTime.objects.update_or_create(booking=taken, room=it, defaults={"start": taken.start, "end": taken.end})
    occupy(own, it, taken.start)
    own.check()
    assert [start for start in room_starts(it) if start < taken.end] == []


def test_a_room_that_is_gone_is_missing_once_nobody_could_read_it_for_long(room: Any) -> None:
    own, it, _ = room
    own.check()
    own.control.client.delete(f"/control/api/{own.base}/calendars/{it.address}")
    own.check(now=utcnow() + timedelta(minutes=5))
    it.refresh_from_db()
    assert it.missing_since is None
    later = utcnow() + timedelta(minutes=30)
    own.check(now=later)
    it.refresh_from_db()
    assert it.missing_since == later


def test_a_room_that_cannot_be_read_says_nothing_about_the_account(room: Any) -> None:
    own, it, _ = room
    own.fault("outage", operation="getSchedule")
    signal = own.check()
    assert signal == checks.Good(full=True)
    it.refresh_from_db()
    assert it.unreadable_since is not None
    own.fault("ok")
    own.check()
    it.refresh_from_db()
    assert it.unreadable_since is None


def test_another_account_of_the_workspace_stands_in_for_a_broken_one(
    room: Any, teammate: Any, connect: Any, control: Control
) -> None:
    own, it, _ = room
    own.check()
    other = Diary(teammate, connect(teammate, Service.MICROSOFT), control)
    occupy(own, it, at(3))
    control.post(f"{other.base}/calendars", name="Room 1", id=it.address, room=True)
    other_room = {"start": at(4).isoformat(), "end": at(5).isoformat()}
    control.post(f"{other.base}/calendars/{it.address}/events", **other_room)
    other.check()
    assert room_starts(it) == []  # while the room's own account is well it alone reads it
    own.control.revoke("microsoft", own.member.user.email)
    own.check(now=utcnow() + timedelta(hours=2))
    other.check()
    assert room_starts(it) == [at(4)]


def test_whoever_may_have_to_read_a_room_is_checked(room: Any, teammate: Any, connect: Any) -> None:
    link = connect(teammate, Service.MICROSOFT)
    Calendar.objects.filter(connection=link).update(checked=False)
    type(teammate).objects.filter(pk=teammate.pk).update(booking_calendar=None)
    renew_use([teammate.pk], utcnow())
    link.credential.refresh_from_db()
    assert link.credential.check_every is not None
    room[2].groups.all().delete()
    renew_use([teammate.pk], utcnow())
    link.credential.refresh_from_db()
    assert link.credential.check_every is None


def test_a_room_that_a_page_takes_on_is_read_at_once(room: Any) -> None:
    own, _, page = room
    type(own.connection.credential).objects.update(next_check=utcnow() + timedelta(hours=1))
    pages.saved(page, (), utcnow())
    own.connection.credential.refresh_from_db()
    assert own.connection.credential.next_check <= utcnow()


def test_accounts_that_fall_due_together_are_spread_evenly_after_one_turn(new_member: Any) -> None:
    """Whatever brings checks together (a start, a pause of the worker), each goes back to moments of its own."""
    now, every = utcnow(), timedelta(minutes=5)
    Credential.objects.bulk_create(
        Credential(
            service=Service.ZOOM, account_id=str(number), secret={}, since=now, check_every=every, next_check=now
        )
        for number in range(60)
    )
    assert len(checks.claim_due(now, 100)) == 60
    due = sorted(Credential.objects.values_list("next_check", flat=True))
    assert all(0.1 * every <= moment - now <= 1.1 * every for moment in due)
    busiest = max(sum(first <= moment < first + every / 10 for moment in due) for first in due)
    assert busiest <= 8, "of sixty, in a tenth of the interval"

    # From then on each comes again after exactly one interval, even if the worker was a little late.
    late = due[0] + timedelta(seconds=4)
    (first,) = checks.claim_due(late, 1)
    assert Credential.objects.get(pk=first).next_check == due[0] + every
