"""What is done on the integration screens: previews, cures at one touch, rooms, and who may do what."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from awase.domain.errors import Failure, FailureClass, FailureScope, Reason
from awase.domain.health import LocationKind, Service
from awase.models import BookingPage, Calendar, Condition, Connection, Credential, PageGroup, PageMember, Role, Room
from awase.services import connections, previews
from awase.services.signals import Cause, record
from awase.services.troubles import troubles
from tests.services.conftest import Control
from tests.web.test_health_history import text

pytestmark = pytest.mark.django_db

REVOKED = Failure(FailureClass.RECONNECT, FailureScope.CONNECTION, "G01", Reason.REVOKED)


def utcnow() -> datetime:
    return datetime.now(UTC)


def break_(link: Connection) -> None:
    record(link.credential_id, REVOKED, Cause.CHECK, utcnow())


@pytest.fixture
def page(owner: Any, connect: Callable[..., Any], page_of: Callable[..., Any]) -> BookingPage:
    connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    made: BookingPage = page_of(owner, condition=Condition.ANY)
    return made


@pytest.fixture
def browser(owner: Any, log_in: Callable[[Any], Client]) -> Client:
    return log_in(owner)


def test_a_disconnect_tells_beforehand_which_pages_would_stop_or_open(
    browser: Client, page: BookingPage, owner: Any, connect: Any, page_of: Any
) -> None:
    assert f"“{page.title}” would stop" in text(browser.get("/app/connections/google"))
    second = connect(owner, Service.GOOGLE, email="second@minato.example")
    page_of(owner, slug="alone")
    break_(second)
    assert "“Alone” would open" in text(browser.get("/app/connections/google"))


def test_leaving_tells_what_would_stop_and_what_must_be_handed_over(
    page: BookingPage, owner: Any, teammate: Any, connect: Any, page_of: Any
) -> None:
    connect(teammate, Service.GOOGLE)
    theirs = page_of(teammate, slug="theirs")
    PageMember.objects.create(page=page, member=teammate, position=1)
    leaving = previews.of_leaving(owner, utcnow())
    assert leaving.owned == [page] and leaving.turns == []
    leaving = previews.of_leaving(teammate, utcnow())
    assert leaving.owned == [theirs]
    assert [(turn.page, turn.preview.stops) for turn in leaving.turns] == [(theirs, True)]


@pytest.mark.parametrize(("act", "kept"), [("untick", False), ("go-on", True)])
def test_a_vanished_calendar_is_cured_at_one_touch(
    browser: Client, page: BookingPage, owner: Any, connect: Any, log_in: Any, teammate: Any, act: str, kept: bool
) -> None:
    second = connect(owner, Service.GOOGLE, email="second@minato.example")
    BookingPage.objects.update(condition=Condition.ALL)
    lost = second.calendars.get()
    Calendar.objects.filter(pk=lost.pk).update(missing_since=utcnow(), external_id="gone@group.example")
    shown = text(browser.get("/app/pages"))
    assert "cannot be found" in shown and "Untick the calendar" in shown and "Go on without the calendar" in shown
    listed = text(browser.get("/app/connections?tab=connected"))
    assert "Connection error" in listed and "cannot be found" in listed
    details = text(browser.get("/app/connections/google"))
    assert "Calendar not found" in details and "Untick the calendar" in details
    assert log_in(teammate).post(f"/app/calendars/{lost.pk}/{act}").status_code == 404
    browser.post(f"/app/calendars/{lost.pk}/{act}")
    lost.refresh_from_db()
    assert (lost.checked, lost.go_on_without) == (kept, kept)
    assert "Taking bookings" in text(browser.get("/app/pages?show=open"))


def test_a_vanished_calendar_that_bookings_are_added_to_is_let_go_of(
    browser: Client, page: BookingPage, owner: Any
) -> None:
    owner.refresh_from_db()
    browser.post(f"/app/calendars/{owner.booking_calendar_id}/untick")
    owner.refresh_from_db()
    assert owner.booking_calendar is None
    assert not Calendar.objects.filter(checked=True).exists()


def test_whether_tentative_events_take_time_is_said_for_each_account(
    browser: Client, page: BookingPage, owner: Any, log_in: Any, teammate: Any
) -> None:
    link = Connection.objects.get()
    ticked = [calendar.pk for calendar in link.calendars.filter(checked=True)]
    box = '<input type="checkbox" name="tentative_busy" value="1"'
    assert f"{box} checked>" in browser.get("/app/connections/google").content.decode()
    assert log_in(teammate).post(f"/app/connections/{link.pk}/calendars", {"checked": ticked}).status_code == 404
    browser.post(f"/app/connections/{link.pk}/calendars", {"checked": ticked})
    assert Connection.objects.get().tentative_free
    assert f"{box}>" in browser.get("/app/connections/google").content.decode()
    browser.post(f"/app/connections/{link.pk}/calendars", {"checked": ticked, "tentative_busy": "1"})
    assert not Connection.objects.get().tentative_free


def test_one_of_several_accounts_is_chosen_for_meet(
    browser: Client, owner: Any, connect: Any, page_of: Any, log_in: Any, teammate: Any
) -> None:
    first, second = connect(owner, Service.GOOGLE), connect(owner, Service.GOOGLE, email="second@minato.example")
    browser.post("/app/connections/receiving", {"calendar": ""})
    page_of(owner, locations=(LocationKind.MEET,))
    assert f"Use {second.credential.account_email} for Google Meet" in text(browser.get("/app/pages"))
    assert text(browser.get("/app/connections/google")).count("Use for Google Meet") == 2
    assert log_in(teammate).post(f"/app/connections/{second.pk}/meet").status_code == 404
    browser.post(f"/app/connections/{second.pk}/meet")
    owner.refresh_from_db()
    assert owner.meet_connection == second
    shown = text(browser.get("/app/connections/google"))
    assert shown.count("Use for Google Meet") == 1 and "For Google Meet" in shown
    zoom = connect(owner, Service.ZOOM)
    assert browser.post(f"/app/connections/{zoom.pk}/meet").status_code == 404
    assert first != second


def test_a_page_member_reads_whose_account_it_is_and_only_the_owner_may_ask(
    page: BookingPage, owner: Any, teammate: Any, new_member: Any, workspace: Any, connect: Any, log_in: Any
) -> None:
    third = new_member("Suzuki", workspace)
    for position, member in enumerate((teammate, third), start=1):
        connect(member, Service.GOOGLE)
        PageMember.objects.create(page=page, member=member, position=position)
    BookingPage.objects.update(condition=Condition.ALL, owner=teammate)
    broken = Connection.objects.get(member=third)
    connect(third, Service.ZOOM)
    break_(broken)
    by_owner = text(log_in(teammate).get("/app/connections"))
    assert "Connection errors of members" in by_owner and "Ask to reconnect" in by_owner
    assert len(troubles(teammate, utcnow()).concerning) == 1
    owner.role = Role.MEMBER
    owner.save()
    as_member = text(log_in(owner).get("/app/connections"))
    assert "Connection errors of members" in as_member and "Ask to reconnect" not in as_member
    assert troubles(owner, utcnow()).concerning == ()
    assert "There is a connection error" not in as_member
    assert log_in(owner).post(f"/app/connections/{broken.pk}/ask").status_code == 404


def test_an_account_that_no_page_needs_concerns_nobody_but_its_member_and_admins(
    page: BookingPage, owner: Any, teammate: Any, connect: Any
) -> None:
    link = connect(teammate, Service.GOOGLE)
    break_(link)
    assert [trouble.link for trouble in troubles(teammate, utcnow()).own] == [link]
    assert [trouble.link for trouble in troubles(owner, utcnow()).others] == [link]
    owner.role = Role.MEMBER
    owner.save()
    PageMember.objects.filter(member=teammate).delete()
    assert troubles(owner, utcnow()).others == ()


def test_the_members_errors_that_stop_pages_come_first_and_name_them(
    page: BookingPage, owner: Any, teammate: Any, connect: Any, page_of: Any, log_in: Callable[[Any], Client]
) -> None:
    idle, needed = connect(teammate, Service.ZOOM), connect(teammate, Service.GOOGLE)
    for number in range(4):
        page_of(owner, teammate, slug=f"page-{number}")
    page_of(owner, teammate, slug="by-hand", accepting=False)
    for link in (idle, needed):
        break_(link)
    assert [trouble.link for trouble in troubles(owner, utcnow()).others] == [needed, idle]
    shown = text(log_in(owner).get("/app/connections"))
    (listed,) = re.findall(r"Stopped booking pages: (.+?), and 1 more", shown)
    assert listed == "Page-0, Page-1, Page-2" and "By-Hand" not in listed


def test_a_calendar_that_may_carry_no_meet_links_is_told_where_a_page_needs_them(
    browser: Client, owner: Any, connect: Any, page_of: Any, control: Control
) -> None:
    link = connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    control.fault("google", owner.user.email, "no_licence")
    connections.check_now(link, utcnow())
    told = "Google Meet cannot be created"
    assert troubles(owner, utcnow()).own == ()
    assert told not in text(browser.get("/app/connections/google"))
    page_of(owner, locations=(LocationKind.MEET,))
    assert [trouble.link for trouble in troubles(owner, utcnow()).own] == [link]
    assert "Connection error" in text(browser.get("/app/connections?tab=connected"))
    assert told in text(browser.get("/app/connections/google"))


def test_the_tab_tells_of_an_error_also_where_only_other_services_are_listed(
    browser: Client, page: BookingPage, owner: Any
) -> None:
    before = browser.get("/app/connections?tab=not_connected").content.decode()
    poll = before.partition('id="connections" hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    assert browser.get(poll).status_code == 204
    break_(Connection.objects.get())
    assert "Connection error" in text(browser.get(poll))


def test_the_number_beside_connections_is_live_with_the_banner(browser: Client, page: BookingPage) -> None:
    assert browser.get("/app/banner?seen=").status_code == 204
    break_(Connection.objects.get())
    answer = browser.get("/app/banner?seen=").content.decode()
    assert 'hx-swap-oob="innerHTML:.error-count"' in answer and "1</span>" in answer
    seen = answer.partition("seen=")[2].partition('"')[0]
    assert browser.get(f"/app/banner?seen={seen}").status_code == 204


def test_what_ends_soon_stands_at_the_account(browser: Client, page: BookingPage) -> None:
    Credential.objects.update(ends_at=utcnow() + timedelta(days=3))
    assert "The permission ends on" in text(browser.get("/app/connections/google"))


def test_admins_add_the_rooms_that_an_account_sees_and_remove_them(
    browser: Client, page: BookingPage, owner: Any, connect: Any, control: Control, log_in: Any, teammate: Any
) -> None:
    link = Connection.objects.get()
    assert "Allow tanaka@minato.example to read rooms" in text(browser.get("/app/connections/google"))
    control.post("accounts/google/tanaka@minato.example/calendars", name="Room A", room=True)
    Credential.objects.update(scopes=" ".join([*Credential.objects.get().scopes.split(), *room_scopes()]))
    assert "Add rooms of tanaka@minato.example" in text(browser.get("/app/connections/google"))
    form = browser.get(f"/app/connections/{link.pk}/rooms").content.decode()
    address = form.partition('name="room" value="')[2].partition('"')[0]
    assert "Room A" in form
    browser.post(f"/app/connections/{link.pk}/rooms", {"room": [address, "elsewhere@minato.example"]})
    room = Room.objects.get()
    assert (room.name, room.address, room.connection) == ("Room A", address, link)

    PageGroup.objects.create(page=page, of_rooms=True, needed=1).rooms.add(room)
    assert f"“{page.title}” would stop" in text(browser.get("/app/connections/google"))
    assert log_in(teammate).post(f"/app/rooms/{room.pk}/remove").status_code == 404
    assert "Rooms" not in text(log_in(teammate).get("/app/connections/google"))
    browser.post(f"/app/rooms/{room.pk}/remove")
    assert not Room.objects.exists()
    assert "A group of members or rooms cannot be filled" in text(browser.get("/app/pages"))


def test_an_administrator_is_asked_for_the_scope_of_all_rooms_only_when_choosing_so(
    browser: Client, page: BookingPage, owner: Any, control: Control, consent: Any
) -> None:
    link = Connection.objects.get()
    control.post("accounts/google/tanaka@minato.example/calendars", name="Hall", room=True)

    def allow(query: str) -> None:
        address = browser.get(f"/app/connections/google/connect?connection={link.pk}{query}")["Location"]
        assert ("admin.directory" in address) is ("organisation" in query)
        browser.get(consent(address, "tanaka@minato.example").removeprefix("https://awase.test"))

    allow("&rooms=1")
    path = f"/app/connections/{link.pk}/rooms"
    before = browser.get(path).content.decode()
    assert "List all rooms of the organisation" in before and "Hall (6)" not in before
    allow("&rooms=1&organisation=1")
    after = browser.get(path).content.decode()
    assert "Hall (6)" in after and "List all rooms of the organisation" not in after
    control.fault("google", "tanaka@minato.example", "no_admin")
    assert "Hall" in browser.get(path).content.decode(), "then those of the list of calendars"


def test_the_last_required_room_takes_its_group_along(browser: Client, page: BookingPage) -> None:
    link = Connection.objects.get()
    room = Room.objects.create(
        workspace=page.workspace, connection=link, service="google", address="a@rooms.example", name="A"
    )
    PageGroup.objects.create(page=page, of_rooms=True).rooms.add(room)
    browser.post(f"/app/rooms/{room.pk}/remove")
    assert not page.groups.exists()


def test_rooms_that_cannot_be_read_are_explained(
    browser: Client, page: BookingPage, control: Control, sandbox_client: httpx2.Client
) -> None:
    control.revoke("google", "tanaka@minato.example")
    shown = text(browser.get(f"/app/connections/{Connection.objects.get().pk}/rooms", follow=True))
    assert "The rooms of tanaka@minato.example cannot be read." in shown


def room_scopes() -> frozenset[str]:
    from awase import registry

    return registry.room_scopes(Service.GOOGLE)


def test_neither_banner_nor_list_takes_more_queries_for_many_broken_accounts(
    browser: Client, page: BookingPage, owner: Any, new_member: Any, workspace: Any, connect: Any, page_of: Any
) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as counted:
            assert browser.get(path).status_code == 200
        return len(counted)

    def one_more(name: str) -> None:
        member = new_member(name, workspace)
        break_(connect(member, Service.GOOGLE))
        page_of(member, slug=name.lower())

    paths = ("/app/banner", "/app/connections", "/app/pages")
    for name in ("First", "Second"):
        one_more(name)
    few = [queries(path) for path in paths]
    for name in ("Third", "Fourth"):
        one_more(name)
    assert [queries(path) for path in paths] == few
