"""Our events, moved or deleted by hand in a calendar: noticed, shown, put right or followed; and never imagined."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from awase.domain.health import Service
from awase.models import Booking, BookingPage, BookingState, CalendarEvent
from awase.services import booking as bookings
from awase.services.slots import offer
from tests.services.conftest import Control, utcnow
from tests.services.test_checks import Diary

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(params=(Service.GOOGLE, Service.MICROSOFT))
def own(request: pytest.FixtureRequest, owner: Any, connect: Callable[..., Any], control: Control) -> Diary:
    return Diary(owner, connect(owner, request.param), control)


@pytest.fixture
def page(own: Diary, page_of: Callable[..., BookingPage]) -> BookingPage:
    own.member.refresh_from_db()
    made = page_of(own.member)
    own.check()
    return made


@pytest.fixture
def taken(own: Diary, page: BookingPage, free_start: Any, book: Any, work: Any) -> Booking:
    """A booking whose event has been written and seen."""
    made: Booking = book(page, free_start(page, 4))
    work()
    own.check()
    return made


def event_id(booking: Booking) -> str:
    return CalendarEvent.objects.get(booking=booking).external_id


def told(booking: Booking) -> list[str]:
    booking.refresh_from_db()
    return [change.what for change in booking.changes.all() if change.what.startswith("event_")]


def in_calendar(own: Diary, booking: Booking) -> list[datetime]:
    events = own.control.events(own.connection.credential.service, own.member.user.email)
    return [datetime.fromisoformat(event["start"]) for event in events if event["id"] == event_id(booking)]


def follow(page: BookingPage) -> None:
    BookingPage.objects.filter(pk=page.pk).update(drift="follow")


def test_an_event_as_we_wrote_it_is_no_news(own: Diary, taken: Booking) -> None:
    own.check()
    assert told(taken) == []
    assert taken.drift == ""


def test_a_moved_event_is_noticed_shown_and_moved_back(own: Diary, taken: Booking, work: Any) -> None:
    own.move(event_id(taken), taken.start + 3 * HOUR, hours=0.5)
    own.check()
    assert told(taken) == ["event_moved"]
    assert taken.drift == "moved"
    assert f"{taken.start + 3 * HOUR:%H:%M}Z" in taken.changes.get(what="event_moved").detail
    work()
    assert in_calendar(own, taken) == [taken.start]
    own.check()
    assert told(taken) == ["event_moved", "event_right_again"]
    assert taken.drift == ""


def test_a_deleted_event_is_noticed_shown_and_written_again(own: Diary, taken: Booking, work: Any) -> None:
    own.delete(event_id(taken))
    own.check()
    assert (told(taken), taken.drift) == (["event_deleted"], "deleted")
    assert taken.state == BookingState.CONFIRMED
    work()
    assert in_calendar(own, taken) == [taken.start]
    own.check()
    assert (told(taken), taken.drift) == (["event_deleted", "event_right_again"], "")


@pytest.mark.parametrize("fault", ["outage", "rate_limited", "html_body", "truncated_json", "timeout"])
def test_an_event_that_cannot_be_read_is_not_taken_for_deleted(own: Diary, taken: Booking, fault: str) -> None:
    own.delete(event_id(taken))
    own.fault(fault, operation="events.get")
    own.check()
    assert (told(taken), taken.drift) == ([], "")
    own.fault("ok")
    own.check()
    assert told(taken) == ["event_deleted"]


def test_an_outage_deletes_nothing(own: Diary, taken: Booking) -> None:
    own.fault("outage")
    own.check()
    assert told(taken) == []


def test_a_calendar_that_is_gone_is_no_deleted_event(own: Diary, page: BookingPage, taken: Booking) -> None:
    follow(page)
    own.fault("calendar_error", reason="notFound")
    own.check()
    assert (told(taken), taken.state) == ([], BookingState.CONFIRMED)


def test_an_event_made_free_by_its_host_still_stands(own: Diary, taken: Booking, sandbox: Any) -> None:
    account = sandbox.account(own.connection.credential.service, own.member.user.email)
    event = account.primary.events[event_id(taken)]
    event |= {"transparency": "transparent", "showAs": "free", "_seq": sandbox.tick()}
    own.check()
    assert told(taken) == []


def test_a_booking_on_its_way_to_another_time_has_not_drifted(own: Diary, taken: Booking) -> None:
    """Its event is still to be written: where it stands now is our own doing."""
    Booking.objects.filter(pk=taken.pk).update(sequence=1, start=taken.start + HOUR, end=taken.end + HOUR)
    own.check()
    assert told(taken) == []


def test_a_cancelled_booking_misses_no_event(own: Diary, taken: Booking, work: Any) -> None:
    bookings.cancel(taken, utcnow(), by=own.member)
    work()
    own.check()
    assert told(taken) == []


def test_whoever_keeps_moving_an_event_wins_in_the_end_and_it_is_shown(own: Diary, taken: Booking, work: Any) -> None:
    for times in range(5):
        own.move(event_id(taken), taken.start + (times + 2) * HOUR, hours=0.5)
        own.check()
        work()
        own.check()
    assert told(taken).count("event_moved") == 3
    assert taken.drift == "moved"
    assert in_calendar(own, taken) == [taken.start + 6 * HOUR]


def test_a_drift_is_told_once(own: Diary, page: BookingPage, taken: Booking) -> None:
    follow(page)
    own.move(event_id(taken), taken.start + timedelta(minutes=7), hours=0.5)
    for _ in range(3):
        own.check()
    assert (told(taken), taken.drift) == (["event_moved"], "moved")


def test_where_the_page_says_so_the_booking_goes_with_its_deleted_event(
    own: Diary, page: BookingPage, taken: Booking, work: Any
) -> None:
    follow(page)
    own.delete(event_id(taken))
    own.check()
    taken.refresh_from_db()
    assert taken.state == BookingState.CANCELLED
    assert [change.what for change in taken.changes.all()][-2:] == ["event_deleted", "cancelled_by_host"]
    work()
    assert in_calendar(own, taken) == []


def test_where_the_page_says_so_the_booking_moves_with_its_event(
    own: Diary, page: BookingPage, taken: Booking, work: Any
) -> None:
    follow(page)
    now = utcnow()
    starts = offer(page, now, now + timedelta(days=10), now).slots.starts
    target = datetime.fromtimestamp(starts[8], now.tzinfo)
    own.move(event_id(taken), target, hours=0.5)
    own.check()
    taken.refresh_from_db()
    assert (taken.start, taken.drift) == (target, "")
    work()
    own.check()
    assert in_calendar(own, taken) == [target]
    assert told(taken) == ["event_moved"]


def test_a_time_that_the_page_does_not_offer_is_not_followed_but_shown(
    own: Diary, page: BookingPage, taken: Booking
) -> None:
    follow(page)
    start = taken.start
    own.move(event_id(taken), start.replace(hour=18), hours=0.5)
    own.check()
    taken.refresh_from_db()
    assert (taken.start, taken.drift) == (start, "moved")
    own.move(event_id(taken), start, hours=0.5)
    own.check()
    assert (told(taken)[-1], taken.drift) == ("event_right_again", "")


def test_of_two_hosts_each_ones_event_is_watched(
    own: Diary, teammate: Any, connect: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    other = Diary(teammate, connect(teammate, Service(own.connection.credential.service)), control)
    for member in (own.member, teammate):
        member.refresh_from_db()
    page = page_of(own.member, teammate)
    own.check()
    other.check()
    both: Booking = book(page, free_start(page, 4))
    work()
    other.delete(CalendarEvent.objects.get(booking=both, member=teammate).external_id)
    own.check()
    assert told(both) == []
    other.check()
    assert both.changes.filter(what="event_deleted", detail=teammate.name).exists()
    work()
    own.check()
    both.refresh_from_db()
    assert both.drift == "deleted"  # only the calendar concerned can say that it is over
    other.check()
    both.refresh_from_db()
    assert both.drift == ""
