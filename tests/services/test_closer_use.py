"""An account that comes into closer use is read before: its page neither stops over old times nor offers them."""

from datetime import timedelta
from typing import Any

import pytest

from awase.domain.errors import Reason
from awase.domain.health import LocationKind, Service
from awase.models import CalendarBusy, Condition, Connection, Credential, PageChange, PageHealth, RoomBusy
from awase.models.page import Assignment
from awase.services import connections, pages
from awase.services.health import verdict_of
from awase.services.slots import offer
from tests.services.conftest import Control, utcnow
from tests.services.test_checks import added_room, diary, occupy

__all__ = ["diary"]

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(minutes=50)


def read_long_ago(link: Connection) -> None:
    """The account was read last 50 minutes ago: fresh enough where it is idle, too old where it is in use."""
    moment = utcnow() - LONG_AGO
    Credential.objects.filter(pk=link.credential_id).update(last_good=moment, since=moment, last_checked=moment)


def never_stopped() -> bool:
    return not PageChange.objects.filter(opened=False).exists()


def test_a_page_that_is_switched_on_is_open_at_once(owner: Any, connect: Any, page_of: Any) -> None:
    link = connect(owner, Service.GOOGLE)
    page = page_of(owner)
    pages.set_accepting(page, False, utcnow(), by=page.owner)
    read_long_ago(link)
    pages.set_accepting(page, True, utcnow(), by=page.owner)
    assert verdict_of(page, utcnow()).open and PageHealth.objects.get().open and never_stopped()
    assert not Credential.objects.filter(last_good__lt=utcnow() - timedelta(minutes=1)).exists()


def test_a_member_who_was_idle_joins_a_page_without_stopping_it(
    owner: Any, teammate: Any, connect: Any, page_of: Any
) -> None:
    connect(owner, Service.GOOGLE)
    page = page_of(owner)
    read_long_ago(connect(teammate, Service.GOOGLE))
    both = pages.People(Condition.ALL, Assignment.EVEN, True, owner.pk, (owner.pk, teammate.pk))
    pages.set_people(page, both, utcnow(), by=page.owner)
    assert verdict_of(page, utcnow()).open and never_stopped()


def test_an_account_that_nothing_used_backs_a_location_at_once(owner: Any, connect: Any, page_of: Any) -> None:
    connect(owner, Service.GOOGLE)
    zoom = connect(owner, Service.ZOOM)
    page = page_of(owner)
    read_long_ago(zoom)
    assert Credential.objects.get(pk=zoom.credential_id).check_every is None
    pages.set_places(page, pages.Places({}, add=LocationKind.ZOOM), utcnow(), by=page.owner)
    assert verdict_of(page, utcnow()).offered and never_stopped()


def test_an_account_that_fails_then_stops_the_page_with_its_reason(
    owner: Any, connect: Any, page_of: Any, control: Control
) -> None:
    link = connect(owner, Service.GOOGLE)
    page = page_of(owner)
    pages.set_accepting(page, False, utcnow(), by=page.owner)
    read_long_ago(link)
    control.revoke("google", owner.user.email)
    pages.set_accepting(page, True, utcnow(), by=page.owner)
    (stop,) = verdict_of(page, utcnow()).stops
    assert stop.reason is Reason.REVOKED and not PageHealth.objects.get().open


def test_an_account_that_needs_a_person_is_not_asked_again(
    owner: Any, connect: Any, page_of: Any, sandbox: Any
) -> None:
    link = connect(owner, Service.GOOGLE)
    page = page_of(owner)
    pages.set_accepting(page, False, utcnow(), by=page.owner)
    read_long_ago(link)
    Credential.objects.update(standing="error", reason="revoked")
    checked = Credential.objects.get().last_checked
    pages.set_accepting(page, True, utcnow(), by=page.owner)
    assert Credential.objects.get().last_checked == checked


def test_a_page_that_is_saved_while_off_reads_nothing(owner: Any, connect: Any, page_of: Any) -> None:
    link = connect(owner, Service.GOOGLE)
    page = page_of(owner)
    pages.set_accepting(page, False, utcnow(), by=page.owner)
    read_long_ago(link)
    pages.set_places(
        page, pages.Places({}, add=LocationKind.LINK, add_detail="https://meet.example"), utcnow(), by=page.owner
    )
    assert Credential.objects.filter(last_good__lt=utcnow() - timedelta(minutes=49)).exists()


def use(link: Connection, *, checked: bool, tentative_free: bool | None = None) -> None:
    ids = {calendar.pk for calendar in link.calendars.all()} if checked else set()
    link.refresh_from_db()
    connections.set_use(
        link.member, link, checked=ids, go_on_without=set(), now=utcnow(), tentative_free=tentative_free
    )


def starts(page: Any) -> list[int]:
    now = utcnow()
    return list(offer(page, now, now + timedelta(days=10), now).slots.starts)


def test_a_calendar_ticked_again_is_unknown_until_it_is_read(
    owner: Any, connect: Any, page_of: Any, control: Control
) -> None:
    link = connect(owner, Service.GOOGLE)
    page = page_of(owner)
    connections.set_booking_calendar(owner, None, utcnow())
    page.calendar_required = False
    page.save()
    assert starts(page)
    use(link, checked=False)
    CalendarBusy.objects.update(read_at=(utcnow() - timedelta(days=30)).timestamp())
    control.fault("google", owner.user.email, "outage")
    use(link, checked=True)
    assert verdict_of(page, utcnow()).open and not starts(page), "what was known a month ago says nothing of today"
    control.repair("google", owner.user.email)
    connections.check_now(link, utcnow())
    assert starts(page)


def test_tentative_events_that_take_time_again_are_unknown_until_they_are_read(
    owner: Any, connect: Any, page_of: Any, control: Control
) -> None:
    link = connect(owner, Service.GOOGLE)
    page = page_of(owner)
    use(link, checked=True, tentative_free=True)
    assert starts(page)
    control.fault("google", owner.user.email, "outage")
    use(link, checked=True, tentative_free=False)
    assert not starts(page)


def test_a_room_that_a_page_takes_on_again_is_unknown_until_it_is_read(owner: Any, diary: Any, page_of: Any) -> None:
    own = diary(Service.MICROSOFT)
    room, page = added_room(own, page_of(owner))
    own.check()
    assert starts(page)
    rooms = pages.rooms_of(page)
    pages.set_rooms(page, None, utcnow(), by=owner)
    RoomBusy.objects.update(read_at=(utcnow() - timedelta(days=30)).timestamp())
    Credential.objects.update(next_check=utcnow() + timedelta(minutes=5))
    start = utcnow().replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    occupy(own, room, start)
    pages.set_rooms(page, rooms, utcnow(), by=owner)
    assert not starts(page) and Credential.objects.filter(next_check__lte=utcnow()).exists()
    own.check()
    assert starts(page) and int(start.timestamp()) not in starts(page)
