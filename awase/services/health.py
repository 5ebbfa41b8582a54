"""From rows to the gate's values, the gate's answer, and its stored copy.

The gate itself is `domain.gate.evaluate`. Slots and bookings ask `verdict_of` in their own transaction; lists
ask `verdicts` for many pages at once, with a constant number of queries.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

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
    Calendar,
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
from awase.services import webhooks


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
    return tolerance(settings.AWASE_TOLERANCE, credential.check_every or timedelta())


def standing_of(credential: Credential, now: datetime) -> tuple[Standing, Reason | None]:
    """The state that counts at `now`. An account that nothing uses is never checked, so has no clock."""
    recorded = recorded_state(credential)
    if credential.check_every is None:
        return recorded.standing, recorded.reason
    if recorded.standing is Standing.OK and credential.next_check is not None and credential.next_check <= now:
        recorded = replace(recorded, our_fault=True)  # due, and nobody looks: no worker is running
    return effective(recorded, now=now, tolerance=tolerance_of(credential))


def member_values(members: Iterable[Member], now: datetime) -> dict[int, MemberValue]:
    """The gate's values of these members (with `user` loaded), in two queries."""
    members = list(members)
    linked: dict[int, list[Connection]] = defaultdict(list)
    for connection in Connection.objects.filter(member__in=members).select_related("credential").order_by("id"):
        linked[connection.member_id].append(connection)
    calendars: dict[int, list[Calendar]] = defaultdict(list)
    for calendar in Calendar.objects.filter(connection__member__in=members).order_by("id"):
        calendars[calendar.connection_id].append(calendar)
    return {
        member.pk: MemberValue(
            id=member.pk,
            name=member.name,
            connections=tuple(
                _connection_value(member, connection, calendars[connection.pk], now) for connection in linked[member.pk]
            ),
            meet_connection_id=member.meet_connection_id,
            phone=member.phone,
            address=member.address,
        )
        for member in members
    }


def _connection_value(
    member: Member, connection: Connection, calendars: list[Calendar], now: datetime
) -> ConnectionValue:
    credential = connection.credential
    standing, reason = standing_of(credential, now)
    patience = tolerance_of(credential)
    lacking = {Capability(capability): Reason(why) for capability, why in credential.lacking.items()}
    target = next((calendar for calendar in calendars if calendar.pk == member.booking_calendar_id), None)
    if target and credential.service == Service.GOOGLE and not target.meet_allowed:
        lacking[Capability.MEET] = Reason.LICENCE_MISSING
    return ConnectionValue(
        id=connection.pk,
        service=Service(credential.service),
        account=credential.account_email,
        standing=standing,
        reason=reason,
        calendars=tuple(
            CalendarValue(
                id=calendar.pk,
                name=calendar.name,
                checked=calendar.checked,
                receives=calendar.pk == member.booking_calendar_id,
                go_on_without=calendar.go_on_without,
                missing=calendar.missing_since is not None
                or (
                    calendar.unreadable_since is not None
                    and overdue(calendar.unreadable_since, now=now, tolerance=patience)
                ),
            )
            for calendar in calendars
            if calendar.checked or calendar.pk == member.booking_calendar_id
        ),
        lacking=tuple(sorted(lacking.items())),
        credential_id=credential.pk,
    )


def page_values(pages: Iterable[BookingPage], now: datetime) -> dict[int, PageValue]:
    """The gate's values of many pages in a constant number of queries."""
    pages = list(pages)
    groups = _listed_groups(pages)
    people: dict[int, list[int]] = defaultdict(list)
    for page_id, member_id in (
        PageMember.objects.filter(page__in=pages).order_by("position", "id").values_list("page_id", "member_id")
    ):
        people[page_id].append(member_id)
    places: dict[int, list[Location]] = defaultdict(list)
    for location in Location.objects.filter(page__in=pages):
        places[location.page_id].append(location)
    everybody = {
        page.pk: dict.fromkeys(
            [page.owner_id, *people[page.pk], *(pk for group in groups[page.pk] if not group.rooms for pk in group.ids)]
        )
        for page in pages
    }
    wanted = {member_id for ids in everybody.values() for member_id in ids}
    members = member_values(Member.objects.filter(pk__in=wanted).select_related("user"), now)
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
            locations=tuple(
                LocationValue(id=place.pk, kind=LocationKind(place.kind), detail=place.detail)
                for place in places[page.pk]
            ),
            calendar_required=page.calendar_required,
        )
        for page in pages
    }


def condition_groups(condition: Condition, member_ids: Collection[int]) -> tuple[Group, ...]:
    """The group of people that the conditions `all` and `any` mean; an assignment list has its own."""
    if condition == Condition.LIST:
        return ()
    return (Group(ids=tuple(member_ids), needed=None if condition == Condition.ALL else 1),)


def _listed_groups(pages: Collection[BookingPage]) -> Mapping[int, list[Group]]:
    """The stored groups that count on each page: of rooms, and of people on pages with an assignment list."""
    lists = {page.pk for page in pages if page.condition == Condition.LIST}
    found: dict[int, list[Group]] = defaultdict(list)
    rows = PageGroup.objects.filter(page__in=pages).filter(Q(of_rooms=True) | Q(page__in=lists))
    for row in rows.prefetch_related("members", "rooms"):
        ids = tuple(one.pk for one in (row.rooms if row.of_rooms else row.members).all())
        found[row.page_id].append(Group(ids, row.needed, rooms=row.of_rooms))
    return found


def room_values(room_ids: Collection[int], now: datetime) -> dict[int, RoomValue]:
    """The gate's values of these rooms. The readers are the connection through which a room was added, then the
    other accounts of the workspace at the same service."""
    if not room_ids:
        return {}
    rooms = list(Room.objects.filter(pk__in=room_ids))
    links = Connection.objects.filter(
        member__workspace__in={room.workspace_id for room in rooms},
        credential__service__in={room.service for room in rooms},
    ).select_related("credential", "member__user")
    found = {}
    for room in rooms:
        able = [
            link
            for link in links
            if link.member.workspace_id == room.workspace_id and link.credential.service == room.service
        ]
        able.sort(key=lambda link: (link.pk != room.connection_id, link.pk))
        first = able[0] if able else None
        patience = tolerance_of(first.credential) if first else timedelta()
        found[room.pk] = RoomValue(
            id=room.pk,
            name=room.name,
            readers=tuple(_connection_value(link.member, link, [], now) for link in able),
            missing=room.missing_since is not None
            or (room.unreadable_since is not None and overdue(room.unreadable_since, now=now, tolerance=patience)),
            member_id=first.member_id if first else None,
            member_name=first.member.name if first else "",
        )
    return found


def verdicts(pages: Iterable[BookingPage], now: datetime) -> dict[int, Verdict]:
    """The gate's answer for many pages, evaluated afresh."""
    return {page_id: evaluate(value) for page_id, value in page_values(pages, now).items()}


def verdict_of(page: BookingPage, now: datetime) -> Verdict:
    """The gate's answer for one page, against the connections as they are in this transaction."""
    return verdicts([page], now)[page.pk]


def pages_of_members(member_ids: Collection[int]) -> list[BookingPage]:
    """The pages on whose answer these members bear: as member, as owner, or through rooms that their accounts
    may read."""
    as_member = PageMember.objects.filter(member__in=member_ids).values("page")
    in_list = PageGroup.objects.filter(members__in=member_ids).values("page")
    readable = Room.objects.filter(workspace__members__in=member_ids)
    with_room = PageGroup.objects.filter(of_rooms=True, rooms__in=readable).values("page")
    return list(
        BookingPage.objects.filter(
            Q(pk__in=as_member) | Q(pk__in=in_list) | Q(pk__in=with_room) | Q(owner__in=member_ids), archived_at=None
        )
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
        before = {health.page_id: health for health in PageHealth.objects.filter(page__in=pages)}
        answers = verdicts(pages, now)
        kept, history = [], []
        for page in pages:
            answer, old = answers[page.pk], before.get(page.pk)
            turned = old.open != answer.open if old else not answer.open
            kept.append(
                PageHealth(
                    page=page,
                    open=answer.open,
                    in_error=answer.in_error,
                    since=now if turned or old is None else old.since,
                    stops=list(answer.stop_kinds),
                    left_out=_left_out(answer.left_out),
                    evaluated_at=now,
                )
            )
            if turned:
                (opened if answer.open else stopped).append(page)
                history.append(
                    PageChange(
                        page=page,
                        at=now,
                        opened=answer.open,
                        stops=list(answer.stop_kinds),
                        cause=cause,
                        credential=credential,
                    )
                )
        PageHealth.objects.bulk_create(
            kept,
            update_conflicts=True,
            unique_fields=["page"],
            update_fields=["open", "in_error", "since", "stops", "left_out", "evaluated_at"],
        )
        PageChange.objects.bulk_create(history)
        webhooks.pages_turned(stopped, opened, now, at_once=cause.by_hand)
    return Renewal(stopped, opened, answers)


def _left_out(lacks: Iterable[Lack]) -> list[int]:
    return sorted({lack.member_id for lack in lacks if lack.member_id is not None})


class Renewal:
    """The pages that a change stopped, those that it opened, and the gate's answers for all that were evaluated."""

    def __init__(
        self, stopped: list[BookingPage], opened: list[BookingPage], answers: Mapping[int, Verdict] | None = None
    ) -> None:
        self.stopped = stopped
        self.opened = opened
        self.answers = answers or {}
