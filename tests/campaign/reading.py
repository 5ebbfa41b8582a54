"""What each page should answer, read a second time: from bare rows, with the rules of tests/domain/oracle.py.

Shares no code with `awase.services.health`, `awase.domain.health` or the gate.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from awase.models import BookingPage, Calendar, Connection, Credential, Location, Member, PageGroup, PageMember, Room
from tests.domain import oracle

TOLERANCE = timedelta(minutes=15)
NO_PERSON = {"unreachable", "operator"}
ORDER = ("no_members", "calendar", "location", "host", "group", "room")  # of the reasons

Row = Mapping[str, Any]
Group = tuple[list[int], int | None]


@dataclass(frozen=True, slots=True)
class Should:
    """`hosts`: who may be booked, each with the ids of the locations they can hold; `rooms`: the usable ones of the
    page, of which a booking takes `rooms_needed`."""

    open: bool
    reasons: tuple[str, ...]
    hosts: Mapping[int, frozenset[int]]
    offered: frozenset[int]
    rooms: frozenset[int] = frozenset()
    rooms_needed: int = 0


def broken(credential: Row, now: datetime) -> bool:
    """Whether the account cannot be relied on at `now`: somebody must act, or nothing good was heard for too long."""
    if credential["standing"] == "error" and credential["reason"] not in NO_PERSON:
        return True
    every = credential["check_every"]
    if every is None:
        return bool(credential["standing"] == "error")
    return bool(now - (credential["last_good"] or credential["since"]) >= _patience(every))


def _patience(every: timedelta | None) -> timedelta:
    return max(TOLERANCE, 3 * (every or timedelta()))


class Rows:
    """The rows that bear on pages, read at once."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.credentials = {row["id"]: row for row in Credential.objects.values()}
        self.connections = {row["id"]: row for row in Connection.objects.values()}
        self.calendars = list(Calendar.objects.values())
        self.members = {row["id"]: row for row in Member.objects.values()}
        self.links: dict[int, list[Row]] = defaultdict(list)
        for link in self.connections.values():
            self.links[link["member_id"]].append(link)
        self.rooms = {row["id"]: row for row in Room.objects.values()}

    def broken(self, connection: Row) -> bool:
        return broken(self.credentials[connection["credential_id"]], self.now)

    def gone(self, calendar: Row) -> bool:
        """The calendar has vanished, or alone stayed unreadable for too long."""
        if calendar["missing_since"]:
            return True
        every = self.credentials[self.connections[calendar["connection_id"]]["credential_id"]]["check_every"]
        since = calendar["unreadable_since"]
        return since is not None and self.now - since >= _patience(every)

    def readable(self, room: int) -> bool:
        """An account of the workspace at the room's service works, and the room is there."""
        row = self.rooms[room]
        readers = [
            link
            for link in self.connections.values()
            if self.members[link["member_id"]]["workspace_id"] == row["workspace_id"]
            and self.credentials[link["credential_id"]]["service"] == row["service"]
        ]
        readers.sort(key=lambda link: (link["id"] != row["connection_id"], link["id"]))
        if row["missing_since"] or not readers:
            return False
        every = self.credentials[readers[0]["credential_id"]]["check_every"]
        if row["unreadable_since"] and self.now - row["unreadable_since"] >= _patience(every):
            return False
        return not all(self.broken(link) for link in readers)

    def in_use(self, member: int) -> list[Row]:
        """The member's calendars that are checked or receive bookings."""
        own = {link["id"] for link in self.links[member]}
        return [row for row in self.calendars if row["connection_id"] in own and (row["checked"] or self.gets(row))]

    def gets(self, calendar: Row) -> bool:
        member = self.connections[calendar["connection_id"]]["member_id"]
        return bool(self.members[member]["booking_calendar_id"] == calendar["id"])

    def unreadable(self, calendar: Row) -> bool:
        return self.gone(calendar) or self.broken(self.connections[calendar["connection_id"]])

    def letters(self, member: int, *, hosts_all: bool) -> str:
        """Calendar, Zoom, Teams, Meet; `hosts_all`: the member takes part in each booking."""
        used = self.in_use(member)
        counting = [row for row in used if self.gets(row) or not row["go_on_without"]]
        calendar = "!" if any(self.unreadable(row) for row in counting) else "+" if used else "-"
        return calendar + self._account(member, "zoom") + self._account(member, "teams") + self._meet(member, hosts_all)

    def _of(self, member: int, service: str) -> list[Row]:
        links = self.links[member]
        return [link for link in links if self.credentials[link["credential_id"]]["service"] == service]

    def _works(self, link: Row, capability: str) -> bool:
        return not self.broken(link) and capability not in self.credentials[link["credential_id"]]["lacking"]

    def _account(self, member: int, service: str) -> str:
        links = self._of(member, service)
        return "+" if any(self._works(link, service) for link in links) else "!" if links else "-"

    def _meet(self, member: int, hosts_all: bool) -> str:
        google = self._of(member, "google")
        target = next((row for row in self.calendars if row["id"] == self.members[member]["booking_calendar_id"]), None)
        links = [link for link in google if target and link["id"] == target["connection_id"]]
        links = links or [link for link in google if link["id"] == self.members[member]["meet_connection_id"]] or google
        if len(links) != 1:
            return "-"
        if not self._works(links[0], "meet"):
            return "!"
        if target and target["connection_id"] == links[0]["id"] and not target["meet_allowed"]:
            return "!"
        if not hosts_all and (target is None or self.gone(target)):
            return "!"
        return "+"


def read(now: datetime) -> dict[int, Should]:
    """What every page should answer at `now`. A page has at most one location of each kind."""
    rows = Rows(now)
    people: dict[int, list[int]] = defaultdict(list)
    for row in PageMember.objects.order_by("position", "id").values("page_id", "member_id"):
        people[row["page_id"]].append(row["member_id"])
    places: dict[int, list[Row]] = defaultdict(list)
    for place in Location.objects.order_by("position", "id").values():
        places[place["page_id"]].append(place)
    groups: dict[int, list[Group]] = defaultdict(list)
    for group in PageGroup.objects.filter(of_rooms=False).order_by("position", "id"):
        groups[group.page_id].append((list(group.members.values_list("pk", flat=True)), group.needed))
    rooms: dict[int, Group] = {}
    for group in PageGroup.objects.filter(of_rooms=True):
        rooms[group.page_id] = (list(group.rooms.values_list("pk", flat=True)), group.needed)
    found = {}
    for page in BookingPage.objects.values("id", "owner_id", "condition", "calendar_required"):
        listed = groups[page["id"]] if page["condition"] == "list" else _of(page["condition"], people[page["id"]])
        answer = Reader(rows, page, listed, places[page["id"]]).answer()
        found[page["id"]] = _in_rooms(rows, answer, *rooms[page["id"]]) if page["id"] in rooms else answer
    return found


def _in_rooms(rows: Rows, answer: Should, ids: list[int], needed: int | None) -> Should:
    """The answer of a page that needs all of these rooms, or so many of them."""
    usable = frozenset(room for room in ids if rows.readable(room))
    wanted = len(ids) if needed is None else needed
    if ids and len(usable) >= wanted:
        return replace(answer, rooms=usable, rooms_needed=wanted)
    reason = "room" if len(usable) < len(ids) else "group"
    reasons = sorted({*answer.reasons, reason}, key=ORDER.index)
    return Should(False, tuple(reasons), {}, frozenset())


def _of(condition: str, people: list[int]) -> list[Group]:
    return [(people, None if condition == "all" else 1)]


class Reader:
    """One page: owner, groups of people, locations."""

    def __init__(self, rows: Rows, page: Row, groups: list[Group], places: list[Row]) -> None:
        self.rows, self.owner, self.required = rows, page["owner_id"], page["calendar_required"]
        self.groups, self.kinds = groups, [place["kind"] for place in places]
        self.ids = {place["kind"]: place["id"] for place in places}
        self.details = {place["kind"]: place["detail"] for place in places}
        self.always = {member for people, needed in groups if needed is None for member in people}
        self.people = list(dict.fromkeys(member for people, _ in groups for member in people))

    def answer(self) -> Should:
        if [needed for _, needed in self.groups] == [1]:
            return self._told("any", self.people) if self.people else self._nobody([])
        by_owner = oracle.answer("all", ["-" + self._text(self.owner)[1:]], self.kinds, required=False)
        reasons = list(by_owner.reasons)
        if not self.people:
            return self._nobody(reasons)
        calendars = {str(member): self._text(member)[0] for member in self.people}
        if any(calendars[str(member)] == "!" for member in self.always):
            reasons.insert(0, "calendar")
        seated = {**calendars, **{str(member): "+" for member in self.always}}
        groups = [("".join(map(str, people)), needed) for people, needed in self.groups]  # ids are single digits
        if not oracle.lists_filled(groups, seated, required=self.required):
            reasons.append("group")
        offered = frozenset(self.ids[kind] for kind in by_owner.offered)
        letters = "+" if self.required else "+-"
        hosts = [member for member in self.people if member in self.always or calendars[str(member)] in letters]
        if reasons:
            return Should(False, tuple(reasons), {}, frozenset())
        return Should(True, (), dict.fromkeys(hosts, offered), offered)

    def _told(self, condition: str, people: list[int]) -> Should:
        found = oracle.answer(condition, [self._text(member) for member in people], self.kinds, required=self.required)
        hosts = {people[row]: frozenset(self.ids[kind] for kind in kinds) for row, kinds in found.hosts.items()}
        return Should(not found.reasons, found.reasons, hosts, frozenset(self.ids[kind] for kind in found.offered))

    def _nobody(self, reasons: list[str]) -> Should:
        return Should(False, ("no_members", *reasons), {}, frozenset())

    def _text(self, member: int) -> str:
        """The member's letters, as far as this page's own details matter too."""
        own = self.rows.members[member]
        phone = "+" if self.details.get("phone") or own["phone"] else "-"
        in_person = "+" if self.details.get("in_person") or own["address"] else "-"
        one_of = [needed for _, needed in self.groups] == [1]
        return self.rows.letters(member, hosts_all=one_of or member in self.always) + phone + in_person
