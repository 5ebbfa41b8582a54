"""From rows to the gate's values, the gate's answer, and its stored copy.

The gate itself is `domain.gate.evaluate`. Slots and bookings ask `verdict_of` in their own transaction; lists
ask `verdicts` for many pages at once, with a constant number of queries.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from awase.domain.errors import Capability, Reason
from awase.domain.gate import evaluate
from awase.domain.health import (
    CalendarValue,
    ConnectionValue,
    Group,
    Lack,
    LocationKind,
    LocationValue,
    MemberValue,
    PageValue,
    Recorded,
    RoomValue,
    Service,
    Standing,
    Verdict,
    effective,
    overdue,
    tolerance,
)
from awase.domain.transition import Cause
from awase.models import (
    BookingPage,
    Condition,
    Connection,
    Credential,
    Location,
    Member,
    PageChange,
    PageGroup,
    PageHealth,
    PageMember,
    Room,
)
from awase.models.bulk import write_all
from awase.models.prepared import prepared, together
from awase.services import awaited, webhooks


def recorded_state(credential: Credential) -> Recorded:
    """The state of an account as written down."""
    return Recorded(
        standing=Standing(credential.standing),
        reason=Reason(credential.reason) if credential.reason else None,
        last_good=credential.last_good,
        since=credential.since,
        our_fault=credential.our_fault,
    )


def tolerance_of(credential: Credential) -> timedelta:
    """How long an account may go without a good check before it counts as unreachable."""
    return _patience(credential.check_every)


def _patience(check_every: timedelta | None) -> timedelta:
    return tolerance(settings.AWASE_TOLERANCE, check_every or timedelta())


def standing_of(credential: Credential, now: datetime) -> tuple[Standing, Reason | None]:
    """The state that counts at `now`. An account that nothing uses is never checked, so has no clock."""
    return _standing(recorded_state(credential), credential.check_every, credential.next_check, now)


def _standing(
    recorded: Recorded, check_every: timedelta | None, next_check: datetime | None, now: datetime
) -> tuple[Standing, Reason | None]:
    if check_every is None:
        return recorded.standing, recorded.reason
    if recorded.standing is Standing.OK and next_check is not None and next_check <= now:
        recorded = replace(recorded, our_fault=True)  # due, and nobody looks: no worker is running
    return effective(recorded, now=now, tolerance=_patience(check_every))


def member_values(member_ids: Collection[int], now: datetime) -> dict[int, MemberValue]:
    """The gate's values of these members, in two queries."""
    linked: dict[int, dict[int, list[_Link]]] = defaultdict(dict)
    members, links = together(_members.of(member_ids), _links_of.of(member_ids))
    for link in map(_Link._make, links):
        linked[link.member_id].setdefault(link.connection_id, []).append(link)
    return {
        pk: MemberValue(
            id=pk,
            name=name or email,
            connections=tuple(_connection_value(rows, now) for rows in linked[pk].values()),
            meet_connection_id=meet_connection_id,
            phone=phone,
            address=address,
        )
        for pk, name, email, meet_connection_id, phone, address in members
    }


@prepared
def _members(ids: Any) -> QuerySet[Member, tuple[Any, ...]]:
    return Member.objects.filter(pk__among=ids).values_list(
        "pk", "user__name", "user__email", "meet_connection", "phone", "address"
    )


class _Link(NamedTuple):
    """One calendar of a connection, or a connection without any (`calendar_id` None), with its account."""

    connection_id: int
    member_id: int
    receiving_id: int | None
    credential_id: int
    service: str
    account: str
    standing: str
    reason: str
    our_fault: bool
    since: datetime
    last_good: datetime | None
    check_every: timedelta | None
    next_check: datetime | None
    lacking: dict[str, str]
    calendar_id: int | None = None
    name: str = ""
    checked: bool = False
    go_on_without: bool = False
    meet_allowed: bool = False
    missing_since: datetime | None = None
    unreadable_since: datetime | None = None


_ACCOUNT = (
    *("pk", "member", "member__booking_calendar", "credential"),
    *(f"credential__{name}" for name in ("service", "account_email", "standing", "reason", "our_fault", "since")),
    *(f"credential__{name}" for name in ("last_good", "check_every", "next_check", "lacking")),
)
_CALENDAR = tuple(f"calendars__{name}" for name in ("pk", *_Link._fields[_Link._fields.index("name") :]))


@prepared
def _links_of(member_ids: Any) -> QuerySet[Connection, tuple[Any, ...]]:
    return (
        Connection.objects.filter(member__among=member_ids)
        .order_by("pk", "calendars")
        .values_list(*_ACCOUNT, *_CALENDAR)
    )


def _connection_value(rows: Sequence[_Link], now: datetime) -> ConnectionValue:
    """The value of one connection from its rows, one for each calendar."""
    link = rows[0]
    patience = _patience(link.check_every)
    recorded = Recorded(
        Standing(link.standing),
        Reason(link.reason) if link.reason else None,
        link.last_good,
        link.since,
        link.our_fault,
    )
    lacking = {Capability(capability): Reason(why) for capability, why in link.lacking.items()}
    service = Service(link.service)
    if service is Service.GOOGLE and any(row.calendar_id == link.receiving_id and not row.meet_allowed for row in rows):
        lacking[Capability.MEET] = Reason.LICENCE_MISSING
    standing, reason = _standing(recorded, link.check_every, link.next_check, now)
    return ConnectionValue(
        id=link.connection_id,
        service=service,
        account=link.account,
        standing=standing,
        reason=reason,
        calendars=tuple(
            CalendarValue(
                id=row.calendar_id,
                name=row.name,
                checked=row.checked,
                receives=row.calendar_id == row.receiving_id,
                go_on_without=row.go_on_without,
                missing=row.missing_since is not None
                or (row.unreadable_since is not None and overdue(row.unreadable_since, now=now, tolerance=patience)),
            )
            for row in rows
            if row.calendar_id is not None and (row.checked or row.calendar_id == row.receiving_id)
        ),
        lacking=tuple(sorted(lacking.items())),
        credential_id=link.credential_id,
    )


def page_values(pages: Iterable[BookingPage], now: datetime) -> dict[int, PageValue]:
    """The gate's values of many pages in a constant number of queries."""
    pages = list(pages)
    ids = [page.pk for page in pages]
    listed, joined, held = together(_groups_on.of(ids), _people_on.of(ids), _places_of.of(ids))
    groups = _groups(listed)
    people: dict[int, list[int]] = defaultdict(list)
    for page_id, member_id in joined:
        people[page_id].append(member_id)
    places: dict[int, list[LocationValue]] = defaultdict(list)
    for page_id, pk, kind, detail in held:
        places[page_id].append(LocationValue(id=pk, kind=LocationKind(kind), detail=detail))
    everybody = {
        page.pk: dict.fromkeys(
            [page.owner_id, *people[page.pk], *(pk for group in groups[page.pk] if not group.rooms for pk in group.ids)]
        )
        for page in pages
    }
    members = member_values({member_id for ids in everybody.values() for member_id in ids}, now)
    rooms = room_values(
        {pk for of_page in groups.values() for group in of_page if group.rooms for pk in group.ids}, now
    )
    return {
        page.pk: PageValue(
            id=page.pk,
            owner_id=page.owner_id,
            members=tuple(members[pk] for pk in everybody[page.pk]),
            groups=(*condition_groups(Condition(page.condition), people[page.pk]), *groups[page.pk]),
            rooms=tuple(
                rooms[pk] for pk in dict.fromkeys(pk for group in groups[page.pk] if group.rooms for pk in group.ids)
            ),
            locations=tuple(places[page.pk]),
            calendar_required=page.calendar_required,
        )
        for page in pages
    }


@prepared
def _people_on(pages: Any) -> QuerySet[PageMember, tuple[Any, ...]]:
    return PageMember.objects.filter(page__among=pages).values_list("page", "member")


@prepared
def _places_of(pages: Any) -> QuerySet[Location, tuple[Any, ...]]:
    return Location.objects.filter(page__among=pages).values_list("page", "pk", "kind", "detail")


def condition_groups(condition: Condition, member_ids: Collection[int]) -> tuple[Group, ...]:
    """The group of people that the conditions `all` and `any` mean; an assignment list has its own."""
    if condition == Condition.LIST:
        return ()
    return (Group(ids=tuple(member_ids), needed=None if condition == Condition.ALL else 1),)


def _groups(rows: list[Any]) -> Mapping[int, list[Group]]:
    """Each page's groups with those in them, of the rows of `_groups_on`."""
    found: dict[int, list[Group]] = defaultdict(list)
    if not rows:
        return found
    pks = [pk for pk, *_ in rows]
    people, rooms = together(_people_in.of(pks), _rooms_in.of(pks))
    ids: dict[int, list[int]] = defaultdict(list)
    for group_id, one in people + rooms:
        ids[group_id].append(one)
    for pk, page_id, needed, of_rooms in rows:
        found[page_id].append(Group(tuple(ids[pk]), needed, rooms=of_rooms))
    return found


@prepared
def _groups_on(pages: Any) -> QuerySet[PageGroup, tuple[Any, ...]]:
    """The stored groups that count: of rooms, and of people on pages with an assignment list."""
    count = Q(of_rooms=True) | Q(page__condition=Condition.LIST)
    return PageGroup.objects.filter(count, page__among=pages).values_list("pk", "page", "needed", "of_rooms")


@prepared
def _people_in(groups: Any) -> QuerySet[Any, tuple[Any, ...]]:
    links = PageGroup.members.through.objects.filter(pagegroup__among=groups, pagegroup__of_rooms=False)
    return links.order_by("pk").values_list("pagegroup", "member")


@prepared
def _rooms_in(groups: Any) -> QuerySet[Any, tuple[Any, ...]]:
    links = PageGroup.rooms.through.objects.filter(pagegroup__among=groups, pagegroup__of_rooms=True)
    return links.order_by("room__name", "room").values_list("pagegroup", "room")


def room_values(room_ids: Collection[int], now: datetime) -> dict[int, RoomValue]:
    """The gate's values of these rooms. The readers are the connection through which a room was added, then the
    other accounts of the workspace at the same service."""
    if not room_ids:
        return {}
    rooms = list(Room.objects.filter(pk__in=room_ids))
    links = [
        (workspace_id, name or email, _Link(*account))
        for workspace_id, name, email, *account in _readers_in({room.workspace_id for room in rooms})
    ]
    found = {}
    for room in rooms:
        able = [
            (link, name)
            for workspace_id, name, link in links
            if workspace_id == room.workspace_id and link.service == room.service
        ]
        able.sort(key=lambda reader: (reader[0].connection_id != room.connection_id, reader[0].connection_id))
        first, name = able[0] if able else (None, "")
        patience = _patience(first.check_every if first else None)
        found[room.pk] = RoomValue(
            id=room.pk,
            name=room.name,
            readers=tuple(_connection_value([link], now) for link, _ in able),
            missing=room.missing_since is not None
            or (room.unreadable_since is not None and overdue(room.unreadable_since, now=now, tolerance=patience)),
            member_id=first.member_id if first else None,
            member_name=name,
        )
    return found


@prepared
def _readers_in(workspaces: Any) -> QuerySet[Connection, tuple[Any, ...]]:
    links = Connection.objects.filter(member__workspace__among=workspaces)
    return links.values_list("member__workspace", "member__user__name", "member__user__email", *_ACCOUNT)


def verdicts(pages: Iterable[BookingPage], now: datetime) -> dict[int, Verdict]:
    """The gate's answer for many pages, evaluated afresh."""
    return {page_id: evaluate(value) for page_id, value in page_values(pages, now).items()}


def verdict_of(page: BookingPage, now: datetime) -> Verdict:
    """The gate's answer for one page, against the connections as they are in this transaction."""
    return verdicts([page], now)[page.pk]


def pages_of_members(member_ids: Collection[int]) -> list[BookingPage]:
    """The pages on whose answer these members bear: as member, as owner, or through rooms that their accounts
    may read. What is long to read and no concern of the answer comes when it is asked for."""
    as_member = PageMember.objects.filter(member__in=member_ids).values("page")
    in_list = PageGroup.objects.filter(members__in=member_ids).values("page")
    readable = Room.objects.filter(workspace__members__in=member_ids)
    with_room = PageGroup.objects.filter(of_rooms=True, rooms__in=readable).values("page")
    return list(
        BookingPage.objects.filter(
            Q(pk__in=as_member) | Q(pk__in=in_list) | Q(pk__in=with_room) | Q(owner__in=member_ids), archived_at=None
        ).defer("description", "internal_note", "questions", "texts", "durations", "limits", "reminders")
    )


def renew(pages: Iterable[BookingPage], now: datetime, cause: Cause, credential: Credential | None = None) -> "Renewal":
    """Evaluate these pages again and keep what changed, in the transaction of the cause.

    Writes the stored copies, a history row for each page that stopped or opened and what the workspace's
    endpoints are told; returns both lists and all answers.
    """
    pages = list(pages)
    stopped: list[BookingPage] = []
    opened: list[BookingPage] = []
    with transaction.atomic():
        # Locked before the accounts are read, so that of two that change at once the later one sees the earlier.
        before = {page_id: (is_open, since) for page_id, is_open, since in _stored([page.pk for page in pages])}
        answers = verdicts(pages, now)
        kept, history = [], []
        for page in pages:
            answer, (was_open, since) = answers[page.pk], before.get(page.pk, (True, now))
            turned, stops = answer.open != was_open, answer.stop_kinds
            since = now if turned else since
            kept.append((page.pk, answer.open, answer.in_error, since, stops, _left_out(answer.left_out), now))
            if turned:
                (opened if answer.open else stopped).append(page)
                history.append((page.pk, now, answer.open, stops, cause, credential.pk if credential else None))
        write_all(PageHealth, KEPT, kept, replace="page_id")
        write_all(PageChange, TURNED, history)
        webhooks.pages_turned(stopped, opened, now, at_once=cause.by_hand)
        awaited.tell([page for page in pages if page.accepting and answers[page.pk].open], now)
    return Renewal(stopped, opened, answers)


KEPT = ("page_id", "open", "in_error", "since", "stops", "left_out", "evaluated_at")
TURNED = ("page_id", "at", "opened", "stops", "cause", "credential_id")


@prepared
def _stored(pages: Any) -> QuerySet[PageHealth, tuple[Any, ...]]:
    rows = PageHealth.objects.filter(page__among=pages).order_by("page")
    return rows.select_for_update(no_key=True).values_list("page", "open", "since")


def _left_out(lacks: Iterable[Lack]) -> tuple[int, ...]:
    return tuple(sorted({lack.member_id for lack in lacks if lack.member_id is not None}))


class Renewal:
    """The pages that a change stopped, those that it opened, and the gate's answers for all that were evaluated."""

    def __init__(
        self, stopped: list[BookingPage], opened: list[BookingPage], answers: Mapping[int, Verdict] | None = None
    ) -> None:
        self.stopped = stopped
        self.opened = opened
        self.answers = answers or {}
