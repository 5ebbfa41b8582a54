"""Roles: the table of docs/roles.md is the one in the code, and every act is tried as everybody."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from awase.domain.errors import Reason
from awase.domain.health import LocationKind, Service, Standing
from awase.domain.permissions import ALLOWED, Act, Part
from awase.models import (
    Booking,
    BookingPage,
    Connection,
    Credential,
    HostTime,
    Member,
    PageShare,
    Role,
    Room,
    User,
    WebhookEndpoint,
    Workspace,
)
from awase.models.page import Condition
from awase.models.webhook import EndpointKind
from awase.services import accounts, booking, dashboard, links, pages, permissions, rooms, team, webhooks
from awase.services.team import Objected
from awase.services.troubles import troubles
from awase.services.visible import visible_connections
from tests.services.conftest import utcnow

DOCS = Path(__file__).parents[2] / "docs"
EVERY_HOUR = [[[0, 1440]]] * 7
STRANGERS = ("stranger", "left")  # a workspace owner elsewhere; an admin who has left
ACTORS = (*Part, *STRANGERS)


@pytest.mark.parametrize("name", ["roles.md", "roles.ja.md"])
def test_the_page_for_people_shows_the_table_of_the_code(name: str) -> None:
    rows = re.findall(r"^\| (.+) \|$", (DOCS / name).read_text(encoding="utf-8"), re.MULTILINE)
    shown = {}
    for row in rows[1:]:
        _words, *cells, act = (cell.strip() for cell in row.split("|"))
        shown[act.strip("`")] = frozenset(part for part, cell in zip(Part, cells, strict=True) if cell)
    assert shown == {act.value: parts for act, parts in ALLOWED.items()}


@dataclass
class World:
    """A workspace with somebody in each part, and one of each thing."""

    workspace: Workspace
    people: dict[str, Member]
    page: BookingPage
    booking: Booking
    room: Room
    endpoint: WebhookEndpoint
    broken: Connection

    @property
    def other(self) -> Member:
        return self.people["other"]


class _TakenBack(Exception):
    pass


def _fresh(world: World) -> World:
    """The things as they are stored: attempts change them in memory too."""
    again = {
        name: type(thing).objects.get(pk=thing.pk)
        for name, thing in vars(world).items()
        if name in {"page", "booking", "room", "endpoint"}
    }
    return replace(world, **again)


@contextmanager
def _taken_back() -> Any:
    """What happens inside leaves nothing."""
    try:
        with transaction.atomic():
            yield
            raise _TakenBack
    except _TakenBack:
        pass


@pytest.fixture
def world(db: None) -> World:
    now = utcnow()

    def user(name: str) -> User:
        return User.objects.create_user(f"{name}@minato.example", None, name=name)

    owner = accounts.found_workspace(user("workspace_owner"), "Minato", "minato")
    people = {Part.WORKSPACE_OWNER.value: owner}
    for name in (
        "admin",
        "member",
        "page_owner",
        "page_editor",
        "page_viewer",
        "takes_part",
        "host",
        "broken",
        "other",
    ):
        role = Role.ADMIN if name == "admin" else Role.MEMBER
        people[name] = accounts.add_member(owner.workspace, user(name), role)
    people["left"] = accounts.add_member(owner.workspace, user("left"), Role.ADMIN)
    Member.objects.filter(pk=people["left"].pk).update(left_at=now)
    people["stranger"] = accounts.found_workspace(user("stranger"), "Elsewhere", "elsewhere")
    people = {name: Member.objects.select_related("user", "workspace").get(pk=one.pk) for name, one in people.items()}
    for member in people.values():
        member.schedules.update(weekly=EVERY_HOUR)

    page = pages.create(people["page_owner"], title="Meet", slug="meet", now=now, notice_minutes=0)
    wanted = replace(
        pages.people_of(page),
        condition=Condition.ANY,
        calendar_required=False,
        member_ids=(people["takes_part"].pk, people["broken"].pk),
    )
    pages.set_people(page, wanted, now, by=people["page_owner"])
    PageShare.objects.create(page=page, member=people["page_editor"], editor=True)
    PageShare.objects.create(page=page, member=people["page_viewer"])
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(days=3)
    taken = Booking.objects.create(
        uid="role-test",
        workspace=page.workspace,
        page=page,
        title="Meet",
        start=start,
        end=start + timedelta(minutes=30),
        guest_name="Hanako",
        guest_email="hanako@guest.example",
        guest_language="ja",
        guest_time_zone="Asia/Tokyo",
        created_at=now,
    )
    HostTime.objects.create(booking=taken, member=people["host"], start=taken.start, end=taken.end, active=True)
    credential = Credential.objects.create(
        service=Service.GOOGLE,
        account_id="broken",
        account_email="broken@minato.example",
        secret={},
        standing=Standing.ERROR,
        reason=Reason.REVOKED,
        since=now,
        last_good=now,
    )
    broken = Connection.objects.create(member=people["broken"], credential=credential)
    broken.calendars.create(external_id="main", name="Main", checked=True)
    return World(
        workspace=owner.workspace,
        people=people,
        page=BookingPage.objects.get(pk=page.pk),
        booking=taken,
        room=Room.objects.create(workspace=owner.workspace, service=Service.GOOGLE, address="room@x", name="Room"),
        endpoint=WebhookEndpoint.objects.create(
            workspace=owner.workspace, kind=EndpointKind.CHAT, host="chat.example", secret={}, created_at=now
        ),
        broken=broken,
    )


def _gives(world: World, by: Member, now: datetime) -> None:
    wanted = replace(pages.people_of(world.page), owner_id=world.other.pk)
    pages.set_people(world.page, wanted, now, by=by)


def _book(world: World, by: Member, now: datetime) -> None:
    guest = booking.Guest(name="G", email="g@guest.example", language="ja", time_zone="Asia/Tokyo")
    start = world.booking.start + timedelta(days=1)
    booking.book(world.page, booking.Request(start=start, guest=guest, by=by), now)


def _sees(rows: Any, thing: Any) -> None:
    if not rows.filter(pk=thing.pk).exists():
        raise PermissionDenied


def _hears_of_it(world: World, by: Member, now: datetime) -> None:
    if not any(trouble.link == world.broken and trouble.concerns for trouble in troubles(by, now).others):
        raise PermissionDenied


Attempt = Callable[[World, Member, datetime], object]
ATTEMPTS: dict[Act, tuple[Attempt, ...]] = {
    Act.SEE_TEAM: (lambda w, by, now: permissions.require(by, Act.SEE_TEAM, w.workspace),),
    Act.CREATE_PAGES: (lambda w, by, now: permissions.require(by, Act.CREATE_PAGES, w.workspace),),
    Act.INVITE: (
        lambda w, by, now: permissions.require(by, Act.INVITE, w.workspace),
        lambda w, by, now: team.withdraw(by, team.invite(w.people["admin"], "new@minato.example", Role.MEMBER, now)),
    ),
    Act.SET_ROLES: (lambda w, by, now: team.set_role(by, w.other, Role.ADMIN),),
    Act.SET_OWNERS: (lambda w, by, now: team.set_role(by, w.other, Role.OWNER),),
    Act.REMOVE_MEMBERS: (lambda w, by, now: team.remove(by, w.other, now, heir=None),),
    Act.CHANGE_WORKSPACE: (lambda w, by, now: permissions.require(by, Act.CHANGE_WORKSPACE, w.workspace),),
    Act.CHANGE_ROOMS: (lambda w, by, now: rooms.remove(w.room, now, by=by),),
    Act.CHANGE_WEBHOOKS: (
        lambda w, by, now: webhooks.set_active(w.endpoint, False, by=by),
        lambda w, by, now: webhooks.delete(w.endpoint, by=by),
    ),
    Act.SEE_CONNECTIONS: (lambda w, by, now: _sees(visible_connections(by), w.broken),),
    Act.SEE_PAGE: (
        lambda w, by, now: _sees(dashboard.visible_pages(by), w.page),
        lambda w, by, now: permissions.require(by, Act.SEE_PAGE, w.page),
    ),
    Act.BOOK_FOR_GUEST: (_book, lambda w, by, now: links.make_one_time(w.page, by, now)),
    Act.EDIT_PAGE: (
        lambda w, by, now: pages.set_accepting(w.page, False, now, by=by),
        lambda w, by, now: pages.save_fields(w.page, {"title": "Other"}, now, by=by),
        lambda w, by, now: pages.set_places(w.page, pages.Places({}, add=LocationKind.PHONE), now, by=by),
        lambda w, by, now: pages.set_people(w.page, pages.people_of(w.page), now, by=by),
        lambda w, by, now: pages.set_rooms(w.page, None, now, by=by),
        lambda w, by, now: pages.set_archived(w.page, True, now, by=by),
        lambda w, by, now: pages.duplicate(w.page, by, "Copy", "copy", now),
        lambda w, by, now: links.renew_secret(w.page, by=by),
    ),
    Act.GIVE_PAGE: (_gives, lambda w, by, now: pages.set_shares(w.page, {w.other.pk: True}, by=by)),
    Act.ASK_RECONNECT: (_hears_of_it, lambda w, by, now: permissions.require(by, Act.ASK_RECONNECT, w.page)),
    Act.SEE_BOOKING: (
        lambda w, by, now: _sees(dashboard.visible_bookings(by), w.booking),
        lambda w, by, now: permissions.require(by, Act.SEE_BOOKING, w.booking),
    ),
    Act.HANDLE_BOOKING: (
        lambda w, by, now: booking.cancel(w.booking, now, by=by),
        lambda w, by, now: booking.resend(w.booking, now, by=by),
        lambda w, by, now: booking.tell_place(w.booking, "Room 5", now, by=by),
    ),
}


@pytest.mark.parametrize("act", Act)
def test_an_act_is_done_by_those_whom_the_table_names_and_by_nobody_else(act: Act, world: World) -> None:
    expected = {actor for actor in ACTORS if actor in ALLOWED[act]}
    expected |= {  # they are members of the workspace too
        actor for actor in Part if Part.MEMBER in ALLOWED[act] and actor not in STRANGERS
    }
    now = utcnow()
    for attempt in ATTEMPTS[act]:
        done = set()
        for actor in ACTORS:
            member = Member.objects.select_related("user", "workspace").get(pk=world.people[actor].pk)
            with _taken_back():
                try:
                    attempt(_fresh(world), member, now)
                except (PermissionDenied, Objected):
                    continue
                done.add(actor)
        assert done == expected, attempt


def test_asking_for_many_pages_at_once_says_the_same(world: World) -> None:
    for act in (Act.SEE_PAGE, Act.EDIT_PAGE, Act.GIVE_PAGE, Act.BOOK_FOR_GUEST):
        for member in world.people.values():
            found = permissions.among(member, act, [world.page])
            assert (world.page.pk in found) == permissions.may(member, act, world.page), (act, member)
