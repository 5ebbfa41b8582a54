"""The page editor says beside each field what is wrong with it, before each step what it would do, and to whoever comes
later what somebody else has saved meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from awase.domain.health import LocationKind
from awase.domain.questions import Kind, Question, to_json
from awase.models import BookingPage, Condition, Location, Member, PageMember, Room
from awase.services import pages
from tests.services.conftest import utcnow
from tests.web.conftest import text_of


@pytest.fixture
def browser(log_in: Callable[[Any], Client], owner: Member) -> Client:
    return log_in(owner)


@pytest.fixture
def page(page_of: Callable[..., BookingPage], owner: Member) -> BookingPage:
    return page_of(owner, locations=(LocationKind.ZOOM, LocationKind.PHONE))


@pytest.fixture
def section(browser: Client, page: BookingPage) -> Callable[[str], dict[str, Any]]:
    """section(name): what the editor shows of a section."""

    def find(name: str) -> dict[str, Any]:
        shown = browser.get(f"/app/pages/{page.pk}", headers={"Accept-Language": "en"}).context["sections"]
        found: dict[str, Any] = next(one for one in shown if one["id"] == name)
        return found

    return find


def test_each_location_says_what_keeps_it_from_being_offered(section: Callable[[str], Any]) -> None:
    zoom, phone = section("locations")["locations"]
    assert [warning["text"] for warning in zoom["warnings"]] == ["Tanaka has not connected Zoom."]
    assert [warning["text"] for warning in phone["warnings"]] == ["The location “Phone” has no number or address."]
    assert section("locations")["place_missing"]


def test_each_member_says_what_they_lack(section: Callable[[str], Any], page: BookingPage, teammate: Member) -> None:
    PageMember.objects.create(page=page, member=teammate, position=1)
    BookingPage.objects.filter(pk=page.pk).update(condition=Condition.ANY)
    Location.objects.all().delete()
    told = {one["name"]: [warning["text"] for warning in one["warnings"]] for one in section("members")["members"]}
    assert told["Sato"] == ["Sato has not connected a calendar."]


def test_many_members_that_lack_a_location_are_counted(
    section: Callable[[str], Any], page: BookingPage, workspace: Any, new_member: Any
) -> None:
    for number in range(8):
        PageMember.objects.create(page=page, member=new_member(f"M{number}", workspace), position=number + 1)
    BookingPage.objects.filter(pk=page.pk).update(condition=Condition.ANY, calendar_required=False)
    zoom = section("locations")["locations"][0]
    assert len(zoom["warnings"]) == 6 and zoom["warnings"][-1]["text"] == "and 4 more members"


def test_a_room_that_cannot_be_read_says_so(section: Callable[[str], Any], page: BookingPage) -> None:
    room = Room.objects.create(workspace=page.workspace, service="google", address="r@minato.example", name="Room 1")
    group = page.groups.create(of_rooms=True)
    group.rooms.add(room)
    (shown,) = section("rooms")["rooms"]
    assert [warning["text"] for warning in shown["warnings"]] == [
        "No connected account can read the room “Room 1” any more."
    ]


def test_taking_off_a_member_who_hosts_bookings_to_come_asks_first(
    browser: Client, team: Any, page_of: Any, book: Any, free_start: Any
) -> None:
    owner, teammate = team
    page = page_of(owner, teammate, slug="both")
    book(page, free_start(page, 30))
    data = {"condition": "all", "owner": owner.pk, "member": [owner.pk]}
    answer = browser.post(f"/app/pages/{page.pk}/members", data)
    assert answer.status_code == 400 and "Sato still hosts 1 booking to come." in text_of(answer)
    assert page.page_members.count() == 2
    assert browser.post(f"/app/pages/{page.pk}/members", {**data, "confirmed": "yes"}).status_code == 302
    assert page.page_members.count() == 1


def test_whoever_gives_a_page_away_is_told_that_they_can_no_longer_edit_it(
    log_in: Callable[[Any], Client], page_of: Any, owner: Member, teammate: Member
) -> None:
    page = page_of(teammate)
    data = {"condition": "all", "owner": owner.pk, "member": [teammate.pk]}
    answer = log_in(teammate).post(f"/app/pages/{page.pk}/members", data)
    assert "You can no longer edit this page then." in text_of(answer)
    done = log_in(teammate).post(f"/app/pages/{page.pk}/members", {**data, "confirmed": "yes"})
    assert done["Location"] == "/app/pages"
    page.refresh_from_db()
    assert page.owner == owner


def test_another_address_asks_first_because_links_are_out(browser: Client, page: BookingPage) -> None:
    data = {"title": page.title, "slug": "elsewhere"}
    answer = browser.post(f"/app/pages/{page.pk}/basics", data)
    assert answer.status_code == 400 and "/minato/meet leads nowhere then" in text_of(answer)
    assert browser.post(f"/app/pages/{page.pk}/basics", {**data, "confirmed": "yes"}).status_code == 302
    page.refresh_from_db()
    assert page.slug == "elsewhere"


def test_archiving_says_how_many_bookings_stand(
    browser: Client, team: Any, page_of: Any, book: Any, free_start: Any
) -> None:
    page = page_of(team[0], slug="short")
    book(page, free_start(page, 30))
    assert "1 booking to come stands" in text_of(browser.get(f"/app/pages/{page.pk}"))


CONFLICTS = {
    "members": ({"condition": "any", "owner": "{owner}", "member": ["{owner}"]}, ["Condition for a booking"]),
    "locations": ({"place": "{place}", "detail-{phone}": "03-1"}, ["Location 1"]),
    "rooms": ({}, ["Rooms", "How many rooms"]),
    "form": ({"label-0": "Mine", "kind-0": "short"}, ["Question 1"]),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_the_later_of_two_is_told_and_sees_the_difference(
    browser: Client, section: Callable[[str], Any], page: BookingPage, owner: Member, teammate: Member, name: str
) -> None:
    room = Room.objects.create(workspace=page.workspace, service="google", address="r@minato.example", name="Room 1")
    phone = Location.objects.get(kind=LocationKind.PHONE).pk
    values = {"owner": owner.pk, "place": phone, "phone": phone}
    entered, labels = CONFLICTS[name]
    data = {key.format(**values): _filled(value, values) for key, value in entered.items()}
    data |= {"seen": section(name)["seen"], "confirmed": "yes"}
    _save_meanwhile(name, page, owner, teammate, room)
    answer = browser.post(f"/app/pages/{page.pk}/{name}", data)
    shown = next(one for one in answer.context["sections"] if one["id"] == name)
    assert answer.status_code == 400 and "Somebody else changed this section meanwhile." in text_of(answer)
    assert set(labels) <= {entry["label"] for entry in shown["conflict"]}
    assert all(entry["now"] != entry["yours"] for entry in shown["conflict"])
    again = browser.post(f"/app/pages/{page.pk}/{name}", {**data, "seen": shown["seen"]})
    assert again.status_code == 302


def _filled(value: Any, values: dict[str, Any]) -> Any:
    return [one.format(**values) for one in value] if isinstance(value, list) else value.format(**values)


def _save_meanwhile(name: str, page: BookingPage, owner: Member, teammate: Member, room: Room) -> None:
    from awase.domain.health import Group
    from awase.models.page import Assignment

    now = utcnow()
    match name:
        case "members":
            people = pages.People(Condition.ALL, Assignment.EVEN, True, teammate.pk, (owner.pk, teammate.pk))
            pages.set_people(page, people, now, by=page.owner)
        case "locations":
            pages.set_places(page, pages.Places({}, add=LocationKind.MEET, order=()), now, by=page.owner)
            Location.objects.filter(kind=LocationKind.ZOOM).delete()
        case "rooms":
            pages.set_rooms(page, Group((room.pk,), None, rooms=True), now, by=page.owner)
        case "form":
            pages.save_fields(page, {"questions": to_json([Question("q1", Kind.SHORT, "Theirs")])}, now, by=page.owner)


def test_dates_that_cannot_be_read_do_not_hide_that_somebody_else_saved(
    browser: Client, section: Callable[[str], Any], page: BookingPage
) -> None:
    data = {"kind": "fixed", "period_last": "someday", "notice_minutes": "0", "seen": section("period")["seen"]}
    pages.save_fields(page, {"period_days": 5}, utcnow(), by=page.owner)
    answer = browser.post(f"/app/pages/{page.pk}/period", data)
    assert answer.status_code == 400 and "someday" in text_of(answer)


def test_locations_change_places(browser: Client, page: BookingPage) -> None:
    zoom, phone = page.locations.all()
    data = {"place": [zoom.pk, phone.pk], "up": phone.pk}
    assert browser.post(f"/app/pages/{page.pk}/locations", data).status_code == 302
    assert list(page.locations.values_list("kind", flat=True)) == [LocationKind.PHONE, LocationKind.ZOOM]
    browser.post(f"/app/pages/{page.pk}/locations", {"place": [phone.pk, zoom.pk], "up": phone.pk})
    assert list(page.locations.values_list("kind", flat=True)) == [LocationKind.PHONE, LocationKind.ZOOM]
