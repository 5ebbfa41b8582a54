"""Rooms: listed, read by address, and asked for by scopes of their own."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from awase.domain.errors import Failure, FailureClass, FailureScope, ProviderError, Reason
from awase.providers.protocols import Grant, RoomProvider
from tests.providers.scripted import Wire, reply, session
from tests.providers.worlds import VERIFIER, Keeper, SandboxWorld, at

SERVICES = ("google", "microsoft")


@pytest.fixture(params=SERVICES)
def world(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def with_rooms(world: SandboxWorld) -> Any:
    """A session after a consent that also asked for rooms."""
    address = world.adapter.authorize_url(state="s", verifier=VERIFIER, rooms=True)
    grant: Grant = world.connect_at(address)
    return world.adapter.session(Keeper(world.adapter, grant.tokens))


def test_a_session_reads_rooms(world: Any) -> None:
    assert isinstance(world.session, RoomProvider)


def test_rooms_are_listed_with_address_and_name_and_are_no_calendars(world: Any) -> None:
    room = world.add_calendar(name="会議室 3階", room=True)
    it = with_rooms(world)
    (found,) = it.list_rooms()
    assert (found.address, found.name) == (room, "会議室 3階")
    assert found.capacity == (6 if world.name == "microsoft" else None)
    assert room not in {calendar.id for calendar in it.list_calendars()}


def test_a_listed_room_can_be_read(world: Any) -> None:
    room = world.add_calendar(name="Room", room=True)
    world.seed(room, start="2031-03-05T10:00:00Z", end="2031-03-05T11:00:00Z")
    ((event,),) = with_rooms(world).rooms_busy([room], at(1), at(9)).values()
    assert (event.start, event.end, event.event_id, event.own_key) == (at(5, 10), at(5, 11), "", "")


def test_rooms_are_asked_for_only_where_they_are_wanted(world: Any) -> None:
    def scopes(**choice: Any) -> set[str]:
        address = world.adapter.authorize_url(state="s", verifier=VERIFIER, **choice)
        return set(parse_qs(urlsplit(address).query)["scope"][0].split())

    assert scopes(rooms=True) - scopes() == set(world.adapter.room_scopes)


def test_all_rooms_of_an_organisation_are_listed_for_its_administrator(google: SandboxWorld) -> None:
    for number in range(3):
        google.add_calendar(name=f"Room {number}", room=True)
    address = google.adapter.authorize_url(state="s", verifier=VERIFIER, rooms=True, organisation=True)
    it = google.adapter.session(Keeper(google.adapter, google.connect_at(address).tokens))
    assert [(room.name, room.capacity) for room in it.list_rooms(organisation=True)] == [
        (f"Room {number} (6)", 6) for number in range(3)
    ]
    google.fault("no_admin")
    with pytest.raises(ProviderError) as caught:
        it.list_rooms(organisation=True)
    assert caught.value.failure.kind is FailureClass.BAD_REQUEST


def test_what_is_no_room_is_not_listed_and_all_pages_are_read() -> None:
    rooms = [
        {"resourceEmail": f"{number}@resource.calendar.google.com", "resourceName": f"R{number}", **more}
        for number, more in enumerate(({"resourceCategory": "OTHER"}, {"resourceCategory": "CONFERENCE_ROOM"}, {}))
    ]
    wire = Wire(reply(200, {"items": rooms[:2], "nextPageToken": "2"}), reply(200, {"items": rooms[2:]}))
    found = session("google", wire).list_rooms(organisation=True)
    assert [(room.name, room.capacity) for room in found] == [("R1", None), ("R2", None)]
    assert {request.url.host for request in wire.requests} == {"admin.googleapis.com"}


def test_only_whoever_wants_all_rooms_is_asked_for_an_administrators_scope(google: SandboxWorld) -> None:
    def asked(**wishes: bool) -> str:
        return str(google.adapter.authorize_url(state="s", verifier=VERIFIER, **wishes))

    assert "admin.directory" in asked(rooms=True, organisation=True)
    assert "admin.directory" not in asked(rooms=True) + asked()


def test_without_the_scope_a_room_is_unknown_and_the_account_well(google: SandboxWorld) -> None:
    room = google.add_calendar(name="Room", room=True)
    ((address, failure),) = google.session.rooms_busy([room], at(1), at(9)).items()
    assert isinstance(failure, Failure)
    assert (address, failure.scope, failure.reason) == (room, FailureScope.CALENDAR, Reason.SCOPE_MISSING)
    assert failure.calendar_id == room


def test_an_outage_fails_all_rooms_at_once(google: SandboxWorld) -> None:
    google.answer(503, "")
    with pytest.raises(ProviderError):
        google.session.rooms_busy(["room"], at(1), at(9))


def test_without_its_scope_the_list_of_rooms_says_so(microsoft: SandboxWorld) -> None:
    with pytest.raises(ProviderError) as caught:
        microsoft.session.list_rooms()
    assert caught.value.failure.reason is Reason.SCOPE_MISSING
