"""A small company on a real database, its accounts in the sandbox, and everything that can happen to them.

The world is built once – people, real consent screens, pages – and put back from a copy for each run.
"""

import copy
import logging
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, NoReturn
from urllib.parse import parse_qsl, urlsplit

import httpx2
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client, override_settings

from awase import registry
from awase.demo.consent import answer_consent
from awase.domain.health import Group, LocationKind, Service
from awase.environment import database
from awase.models import (
    Booking,
    BookingPage,
    Calendar,
    Condition,
    Connection,
    Credential,
    Location,
    Member,
    PageMember,
    Room,
    User,
)
from awase.models.booking import HostTime
from awase.models.page import Assignment
from awase.services import accounts, booking, checks, pages
from awase.services import connections as linking
from awase.services.signals import Cause
from awase.services.slots import offer
from sandbox.app import Sandbox, wsgi
from sandbox.state import Account, State
from tests.campaign.clock import Clock, running
from tests.campaign.wire import Killed, Mishap, Wire

GUEST = "zashiki"
"""Part of whatever a guest types, so that it is found wherever it does not belong."""

HOOK_SECRET = "the secret of Zoom's messages"

PEOPLE = {
    "tanaka": (Service.GOOGLE, Service.ZOOM),
    "sato": (Service.GOOGLE, Service.ZOOM),
    "suzuki": (Service.MICROSOFT, Service.TEAMS),
    "stranger": (Service.GOOGLE,),
}
ROOMS = ("room-1@minato.example", "room-2@minato.example")  # seen by Suzuki's account
SERVICES = (Service.GOOGLE, Service.MICROSOFT, Service.ZOOM, Service.TEAMS)
TOKENS = re.compile(rb"ya29\.a0|1//0e|4/0A|EwB4A8l6|1\.AXkA|M\.C512_|zm-[arc]\.|sandbox-secret")


class Broken(AssertionError):
    """An invariant does not hold. `invariant` is its number in connection-health.md section 10.

    `seen` keeps those of a run: a race that is lost once may not be lost again when it is replayed."""

    seen: ClassVar[list["Broken"]] = []

    def __init__(self, invariant: int, text: str) -> None:
        super().__init__(f"invariant {invariant}: {text}")
        self.invariant = invariant
        self.seen.append(self)


class Died:
    """What a piece of work is when its process died."""


DIED = Died()


@dataclass
class Ledger:
    """What happened, over all runs."""

    events: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    runs: int = 0
    refusals: Counter[str] = field(default_factory=Counter)


class Rows:
    """The database as it is now, to be put back: a copy in memory on SQLite, a template on PostgreSQL."""

    def __init__(self) -> None:
        if connection.vendor == "sqlite":
            self._copy = sqlite3.connect(":memory:", check_same_thread=False)
            connection.connection.backup(self._copy)
        else:
            self._template = f"{connection.settings_dict['NAME']}_built"
            self._make(self._template, connection.settings_dict["NAME"])

    def put_back(self) -> None:
        if connection.vendor == "sqlite":
            connection.ensure_connection()
            self._copy.backup(connection.connection)
        else:
            self._make(connection.settings_dict["NAME"], self._template)

    def _make(self, name: str, template: str) -> None:
        connection.close()
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


@dataclass
class Copy:
    """The world as it was built."""

    rows: Rows
    state: State


class LogWatch(logging.Handler):
    """Notes every line that the product logs and that holds a secret or a guest's detail."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.leaks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if GUEST in text.lower() or TOKENS.search(text.encode()):
            self.leaks.append(text[:500])


class World:
    """Everything that a run acts upon. Methods are events; they raise what the product raises."""

    copies: ClassVar[dict[str, Copy]] = {}  # built once a process, by kind of database

    def __init__(self, clock: Clock, wire: Wire, logs: LogWatch) -> None:
        self.clock, self.wire, self.logs = clock, wire, logs
        self.ledger = Ledger()
        self.guests = 0
        self.sandbox = self._new_sandbox()

    def _new_sandbox(self) -> Sandbox:
        def hold(seconds: float) -> NoReturn:
            raise httpx2.ReadTimeout("no answer from the sandbox")

        sandbox = Sandbox(sleep=lambda seconds: None, hold=hold, post=self._hook)
        self.app = httpx2.WSGITransport(app=wsgi(sandbox))
        self.wire.app = self.app
        self.browser = httpx2.Client(transport=self.app, base_url="http://localhost")
        return sandbox

    def _hook(self, address: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """A message that a service sends to one of our addresses."""
        path = address.removeprefix(settings.AWASE_URL)
        kind = headers.get("Content-Type", "application/octet-stream")
        answer = Client(SERVER_NAME="awase.test").post(path, body, content_type=kind, secure=True, headers=headers)
        return answer.status_code, answer.content

    # Building and putting back

    def restore(self) -> None:
        """Everything as it was built, at START."""
        self.clock.restart()
        cache.clear()
        mail.outbox = []
        self.guests = 0
        self.sandbox = self._new_sandbox()
        if kept := World.copies.get(connection.vendor):
            self.sandbox.state = copy.deepcopy(kept.state)
            kept.rows.put_back()
        else:
            call_command("migrate", verbosity=0)
            self._build()
            World.copies[connection.vendor] = Copy(Rows(), copy.deepcopy(self.sandbox.state))

    def _build(self) -> None:
        members = {}
        for name, services in PEOPLE.items():
            user = User.objects.create_user(f"{name}@minato.example", None, name=name.title())
            if name in ("tanaka", "stranger"):
                members[name] = accounts.found_workspace(user, name=name.title(), slug=name)
            else:
                members[name] = accounts.add_member(members["tanaka"].workspace, user)
            for service in services:
                self.control("accounts", service=self.at(service), email=user.email, name=user.name)
            for service in services:
                if service is Service.MICROSOFT:
                    self.rooms_back(user.email)
                if service in linking.CALENDAR_SERVICES:
                    path = f"accounts/{self.at(service)}/{user.email}/calendars"
                    self.control(path, id=f"second-{name}", name="Second")
                self.connect(members[name], service, user.email)
        self.control("clients", id="awase-zoom", webhook=f"{settings.AWASE_URL}/hooks/zoom", webhook_secret=HOOK_SECRET)
        tanaka, sato, suzuki = members["tanaka"], members["sato"], members["suzuki"]
        seen_by = suzuki.connections.get(credential__service=Service.MICROSOFT)
        Room.objects.bulk_create(
            Room(workspace=suzuki.workspace, connection=seen_by, service="microsoft", address=address, name=address)
            for address in ROOMS
        )
        self._page("all", tanaka, [tanaka, sato], Condition.ALL, LocationKind.ZOOM)
        self._page("any", tanaka, [tanaka, sato, suzuki], Condition.ANY, LocationKind.ZOOM, LocationKind.TEAMS)
        self._page("outside", tanaka, [suzuki], Condition.ALL, LocationKind.MEET, LocationKind.IN_PERSON)
        self._in_rooms("outside")
        self._page("free", sato, [sato, suzuki], Condition.ANY)
        self._page("strange", members["stranger"], [members["stranger"]], Condition.ALL, LocationKind.MEET)

    def _page(
        self, slug: str, owner: Member, members: list[Member], condition: Condition, *kinds: LocationKind
    ) -> None:
        page = pages.create(owner, title=slug.title(), slug=slug, now=self.now(), notice_minutes=0, period_days=14)
        Location.objects.bulk_create(Location(page=page, kind=kind, position=i) for i, kind in enumerate(kinds))
        BookingPage.objects.filter(pk=page.pk).update(assignment=Assignment.EVEN)
        PageMember.objects.filter(page=page).delete()
        page.refresh_from_db()
        ids = tuple(member.pk for member in members)
        pages.set_people(page, pages.People(condition, Assignment.EVEN, True, owner.pk, ids), self.now(), by=page.owner)

    def _in_rooms(self, slug: str) -> None:
        """The page needs one of the rooms."""
        page = BookingPage.objects.get(slug=slug)
        rooms = tuple(Room.objects.filter(workspace=page.workspace).values_list("pk", flat=True))
        pages.set_rooms(page, Group(rooms, 1, rooms=True), self.now(), by=page.owner)
        checks.check(Credential.objects.get(connections__rooms=rooms[0]).pk, Cause.EDIT, self.now())

    def state(self) -> object:
        """Something that is another one after every change of the database, and whenever time has passed."""
        connection.ensure_connection()
        own = connection.connection
        if connection.vendor == "postgresql":
            with connection.cursor() as asked:
                asked.execute("SELECT pg_current_wal_insert_lsn()::text")
                return asked.fetchone(), self.now()
        return own, own.total_changes, own.execute("PRAGMA data_version").fetchone()[0], self.now()

    # Acting

    def now(self) -> datetime:
        return self.clock.now()

    def act(self, mishap: Mishap | None, work: Callable[[], Any]) -> Any:
        """Let the product do `work`; DIED if its process died on the way."""
        try:
            with self.wire.mishaps(mishap):
                return work()
        except Killed:
            self.ledger.events["(process died)"] += 1
            return DIED

    def control(self, path: str, **body: Any) -> Any:
        """The sandbox's control interface."""
        answer = self.browser.post(f"/control/api/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    @staticmethod
    def at(service: Service | str) -> str:
        """The service in the sandbox: Teams is Microsoft's."""
        return "microsoft" if service == Service.TEAMS else str(service)

    def account(self, credential: Credential) -> Account:
        """What stands behind a credential at the service."""
        account = self.sandbox.account(self.at(credential.service), credential.account_email)
        assert account is not None
        return account

    def connect(
        self,
        member: Member,
        service: Service,
        email: str,
        *,
        again: Connection | None = None,
        allow: bool = True,
        without: Collection[str] = (),
    ) -> Connection:
        """Through the consent screen, as `member` does it in a browser."""
        address, pending = linking.start(member, service, again, self.now())
        back = answer_consent(self.browser, address, email, allow=allow, without=without)
        answer = dict(parse_qsl(urlsplit(back).query))
        return linking.finish(member, service, pending, answer, self.now())

    def bring_back(self, name: str) -> None:
        """Restore the second calendar of somebody's accounts, where it has vanished."""
        for account in list(self.sandbox.state.accounts.values()):
            known = Calendar.objects.filter(connection__credential__account_email=account.email)
            mine = account.email.startswith(f"{name}@") and known.filter(external_id=f"second-{name}").exists()
            if account.service != "zoom" and mine and f"second-{name}" not in account.calendars:
                path = f"accounts/{account.service}/{account.email}/calendars"
                self.control(path, id=f"second-{name}", name="Second")

    def rooms_back(self, email: str) -> None:
        """Restore the rooms that an account at Microsoft sees."""
        known = self.sandbox.account("microsoft", email)
        for address in ROOMS:
            if known is not None and address not in known.calendars:
                self.control(f"accounts/microsoft/{email}/calendars", id=address, name=address, room=True)

    def starts(self, page: BookingPage, days: int = 7) -> tuple[datetime, ...]:
        """The starts that the page offers within `days`."""
        found = offer(page, self.now(), self.now() + timedelta(days=days), self.now()).slots.starts
        return tuple(datetime.fromtimestamp(start, self.now().tzinfo) for start in found)

    def guest(self) -> booking.Guest:
        """Somebody new, of whom nothing may appear where it does not belong."""
        self.guests += 1
        name = f"{GUEST.title()} {self.guests:03d}"
        return booking.Guest(
            name=name,
            email=f"{GUEST}{self.guests:03d}@guest.example",
            language="en",
            time_zone="Asia/Tokyo",
            note=f"{GUEST} note",
            phone="",
        )

    def book(self, page: BookingPage, start: datetime, **more: Any) -> Booking:
        wish = booking.Request(start=start, guest=self.guest(), **more)
        return booking.book(page, wish, self.now())


def hold(true: bool, invariant: int, text: str) -> None:
    """Raise Broken unless it is true."""
    if not true:
        raise Broken(invariant, text)


def hosts(taken: Booking) -> set[int]:
    """The members who host a booking, or the session in which it is a seat."""
    return set(HostTime.objects.filter(booking=taken.session or taken).values_list("member", flat=True))


@contextmanager
def world(address: str) -> Iterator[World]:
    """A world on the empty database at `address` (`DATABASE_URL`), in the place of the default one."""
    with ExitStack() as stack:
        stack.enter_context(_own_database(address))
        wire = Wire()
        stack.enter_context(registry.use_transport(wire))
        logs = LogWatch()
        root = logging.getLogger()
        level = root.level
        root.setLevel(logging.INFO)
        stack.callback(root.setLevel, level)
        root.addHandler(logs)
        stack.callback(root.removeHandler, logs)
        zoom = {**settings.AWASE_SERVICES["zoom"], "webhook_secret": HOOK_SECRET}
        services = {**settings.AWASE_SERVICES, "zoom": zoom}
        stack.enter_context(override_settings(AWASE_PUSH=True, AWASE_SERVICES=services))
        clock = stack.enter_context(running())
        yield World(clock, wire, logs)


@contextmanager
def _own_database(address: str) -> Iterator[None]:
    usual, kept = settings.DATABASES["default"], connections["default"]
    own = database("AWASE_CAMPAIGN_DATABASE", address)
    if hasty := own["OPTIONS"].get("init_command"):
        # Whether the disk keeps it is not what is tested, and takes most of the time.
        own["OPTIONS"] = own["OPTIONS"] | {"init_command": hasty.replace("synchronous=NORMAL", "synchronous=OFF")}
    ours = {**usual, **own, "CONN_HEALTH_CHECKS": False}
    settings.DATABASES["default"] = ours
    connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        settings.DATABASES["default"] = usual
        connections["default"] = kept
