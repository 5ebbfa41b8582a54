"""Each part of a cure as its doer sees it, and as others do."""

from __future__ import annotations

from typing import Any

import pytest

from awase.domain import parts
from awase.domain.cures import Cure
from awase.domain.errors import Reason
from awase.domain.health import (
    ConnectionValue,
    Group,
    Lack,
    LocationKind,
    MemberValue,
    PageValue,
    RoomValue,
    Service,
    Standing,
    StopKind,
)
from awase.models import BookingPage, Member, Role, User, Workspace
from awase.services import words
from awase.web.cures import Cures

pytestmark = pytest.mark.django_db

MINE, THEIRS, ROOMS = 11, 12, 13
EACH = [
    (parts.Reconnect(1, MINE), "Reconnect", "/app/connections/google/connect?connection=11"),
    (parts.CheckNow(1, MINE), "Check now", "/app/connections/11/check"),
    (parts.Connect(1, None), "Connect a calendar", "/app/connections?tab=not_connected"),
    (parts.Connect(1, Service.ZOOM), "Connect Zoom", "/app/connections/zoom/connect"),
    (parts.ChooseCalendar(1, MINE, None), "Choose another calendar", "/app/connections/google#account-11"),
    (parts.UntickCalendar(1, 5), "Untick the calendar", "/app/calendars/5/untick"),
    (parts.GoOnWithout(1, 5), "Go on without the calendar", "/app/calendars/5/go-on"),
    (parts.ChooseMeetAccount(1, MINE), "Use me@x.example for Google Meet", "/app/connections/11/meet"),
    (
        parts.EnterOwnDetail(1, LocationKind.PHONE),
        "Enter a phone number in the profile",
        "/app/settings/profile#for_guests",
    ),
    (
        parts.EnterOwnDetail(1, LocationKind.IN_PERSON),
        "Enter an address in the profile",
        "/app/settings/profile#for_guests",
    ),
    (parts.Disconnect(1, MINE), "Disconnect me@x.example", "/app/connections/google#disconnect-11"),
    (parts.AddLocation(None), "Add a location that works", "#locations"),
    (parts.AddLocation(LocationKind.MEET), "Add Google Meet as a location", "#locations"),
    (parts.EnterDetail(7), "Enter the number or address", "#detail-7"),
    (parts.RemoveAllLocations(), "Remove all locations", "#locations"),
    (parts.ChangeOwner(2), "Make Sato the owner", "#owner"),
    (parts.StopRequiringCalendar(), "Stop requiring a connected calendar", "#members"),
    (parts.TakeOff(2), "Take Sato off the page", "#members"),
    (parts.AddMember(0, 2), "Add Sato to the members", "#members"),
    (parts.AddMember(0), "Add a member with a calendar that works", "#members"),
    (parts.ReduceGroup(0, 1), "Ask for fewer of the group", "#members"),
    (parts.RemoveGroup(0), "Remove the group", "#members"),
    (parts.AddRoom(1), "Add another room", "#rooms"),
    (parts.RemoveRoom(3), "Remove the room “Blue”", "#rooms"),
    (parts.RemoveGroup(1), "Ask for no room", "#rooms"),
]


def account(pk: int, address: str, reason: Reason = Reason.REVOKED) -> ConnectionValue:
    return ConnectionValue(pk, Service.GOOGLE, address, Standing.ERROR, reason)


@pytest.fixture
def owner() -> Member:
    return Member(pk=1, user=User(name="Tanaka"), workspace=Workspace(pk=1), role=Role.OWNER)


@pytest.fixture
def teammate(owner: Member) -> Member:
    return Member(pk=2, user=User(name="Sato"), workspace=owner.workspace)


@pytest.fixture
def page(owner: Member) -> BookingPage:
    return BookingPage(pk=1, owner=owner, workspace=owner.workspace)


@pytest.fixture
def value() -> PageValue:
    room = RoomValue(3, "Blue", (account(ROOMS, "rooms@x.example"),), member_name="Suzuki", member_id=9)
    return PageValue(
        id=1,
        owner_id=1,
        members=(
            MemberValue(1, "Tanaka", (account(MINE, "me@x.example"),)),
            MemberValue(2, "Sato", (account(THEIRS, "sato@x.example", Reason.UNREACHABLE),)),
        ),
        groups=(Group((1, 2)), Group((3,), rooms=True)),
        rooms=(room,),
    )


def step(page: BookingPage, value: PageValue, viewer: Any, part: parts.Part) -> Any:
    (only,) = Cures(page, value, viewer, editor=viewer.pk == page.owner_id).steps(Cure((part,)))
    return only


def test_every_part_has_its_words_and_its_place() -> None:
    known = {kind for kind in vars(parts).values() if isinstance(kind, type) and issubclass(kind, parts.Part)}
    shown = {type(part) for part, _label, _place in EACH}
    assert known - shown == {parts.Part, parts.OwnAccount, parts.Wait}


@pytest.mark.parametrize(("part", "label", "place"), EACH, ids=[label for _part, label, _place in EACH])
def test_the_doer_gets_a_button_and_others_a_sentence_with_the_name(
    page: BookingPage, value: PageValue, owner: Any, teammate: Any, part: parts.Part, label: str, place: str
) -> None:
    mine = step(page, value, owner, part)
    assert mine["label"] == label
    assert mine["url"] == (f"/app/pages/{page.pk}{place}" if place.startswith("#") else place)
    told = step(page, value, teammate, part)
    assert (told["url"], told["note"]) == ("", f"Tanaka: {label}")


def test_owners_and_admins_ask_for_a_reconnection(page: BookingPage, value: PageValue, owner: Any) -> None:
    asked = step(page, value, owner, parts.Reconnect(2, THEIRS))
    assert (asked["label"], asked["url"]) == ("Ask Sato to reconnect", "/app/connections/12/ask")
    of_room = step(page, value, owner, parts.Reconnect(9, ROOMS))
    assert (of_room["label"], of_room["url"]) == ("Ask Suzuki to reconnect", "/app/connections/13/ask")


def test_what_ends_by_itself_is_said_with_who_repairs_it(page: BookingPage, value: PageValue, owner: Any) -> None:
    assert "as soon as the service answers" in step(page, value, owner, parts.Wait(2, THEIRS))["note"]
    ours = PageValue(1, 1, (MemberValue(1, "Tanaka", (account(MINE, "me@x.example", Reason.OPERATOR),)),), ())
    assert "the operator" in step(page, ours, owner, parts.Wait(1, MINE))["note"]


def test_waiting_folds_the_rest_away(page: BookingPage, value: PageValue, owner: Any) -> None:
    found = (Cure((parts.Wait(2, THEIRS),)), Cure((parts.TakeOff(2),)), Cure((parts.Disconnect(2, THEIRS),)))
    shown = Cures(page, value, owner, editor=True).shown(found)
    assert shown["waits"] == ["This ends by itself as soon as the service answers."]
    assert shown["cures"] == [] and [[one["label"] for one in cure] for cure in shown["more"]] == [
        ["Take Sato off the page"]
    ]
    assert shown["told"] == ["Sato: Disconnect sato@x.example"]


def test_what_is_done_together_stays_together(page: BookingPage, value: PageValue, owner: Any) -> None:
    both = Cure((parts.Reconnect(1, MINE), parts.Reconnect(2, THEIRS)))
    ((first, second),) = Cures(page, value, owner, editor=True).shown((both,))["cures"]
    assert (first["label"], first["style"]) == ("Reconnect", "outlined")
    assert (second["label"], second["style"]) == ("Ask Sato to reconnect", "outlined")


ZOOM = {"member_id": 1, "service": Service.ZOOM, "account": "z@x.example", "location_kind": LocationKind.ZOOM}
GOOGLE = {"member_id": 1, "service": Service.GOOGLE, "account": "g@x.example"}
ROOM = {"room_id": 3, "calendar_name": "Blue"}


@pytest.mark.parametrize(
    ("lack", "sentence"),
    [
        (Lack(StopKind.NO_MEMBERS, error=False), "The page has no members."),
        (Lack(StopKind.GROUP, error=False), "A group of members or rooms cannot be filled."),
        (Lack(StopKind.CALENDAR, member_id=1, error=False), "Tanaka has not connected a calendar."),
        (
            Lack(StopKind.CALENDAR, **GOOGLE, calendar_name="Work", calendar_missing=True),
            "The calendar “Work” of Tanaka (g@x.example) cannot be found.",
        ),
        (
            Lack(StopKind.GROUP, **GOOGLE, reason=Reason.REVOKED),
            "Cannot connect to Google Calendar of Tanaka (g@x.example).",
        ),
        (
            Lack(StopKind.CALENDAR, **GOOGLE, reason=Reason.STORAGE_FULL),
            "Bookings cannot be added to the calendar of Tanaka (g@x.example).",
        ),
        (
            Lack(StopKind.LOCATION, **ZOOM, reason=Reason.LICENCE_MISSING),
            "Zoom of Tanaka (z@x.example) cannot be used for meetings.",
        ),
        (
            Lack(StopKind.LOCATION, **GOOGLE, location_kind=LocationKind.MEET, calendar_missing=True),
            "Tanaka has no calendar that bookings are added to, which Google Meet needs.",
        ),
        (
            Lack(StopKind.LOCATION, member_id=1, location_kind=LocationKind.ZOOM, error=False),
            "Tanaka has not connected Zoom.",
        ),
        (
            Lack(StopKind.LOCATION, member_id=1, location_kind=LocationKind.PHONE, error=False),
            "The location “Phone” has no number or address.",
        ),
        (Lack(StopKind.ROOM, **ROOM, calendar_missing=True), "The room “Blue” cannot be found."),
        (Lack(StopKind.ROOM, **ROOM), "No connected account can read the room “Blue” any more."),
        (
            Lack(StopKind.ROOM, **ROOM, **GOOGLE, reason=Reason.REVOKED),
            "The room “Blue” cannot be read. Cannot connect to Google Calendar of Tanaka (g@x.example).",
        ),
    ],
)
def test_each_lack_is_one_sentence_with_person_and_account(lack: Lack, sentence: str) -> None:
    assert words.lack(lack, {1: "Tanaka"}) == sentence


def test_each_kind_of_stop_and_each_reason_has_its_words_in_a_history() -> None:
    for cause in (*StopKind, *Reason):
        assert words.stopped_by(cause).endswith(".")
    assert words.stopped_by("") == ""
