"""From rows to the gate's values, the gate's answer, and its stored copy.

The gate itself is `domain.gate.evaluate`. Slots and bookings ask `verdict_of` in their own transaction; lists
ask `verdicts` for many pages at once, with a constant number of queries.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

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
    Service,
    Standing,
    Verdict,
    effective,
    overdue,
    tolerance,
)
from awase.models import (
    BookingPage,
    Calendar,
    Condition,
    Connection,
    Credential,
    Location,
    Member,
    PageChange,
    PageHealth,
    PageMember,
)


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
    people: dict[int, list[int]] = defaultdict(list)
    for page_id, member_id in (
        PageMember.objects.filter(page__in=pages).order_by("position", "id").values_list("page_id", "member_id")
    ):
        people[page_id].append(member_id)
    places: dict[int, list[Location]] = defaultdict(list)
    for location in Location.objects.filter(page__in=pages):
        places[location.page_id].append(location)
    wanted = {member_id for ids in people.values() for member_id in ids} | {page.owner_id for page in pages}
    members = member_values(Member.objects.filter(pk__in=wanted).select_related("user"), now)
    return {
        page.pk: PageValue(
            id=page.pk,
            owner_id=page.owner_id,
            members=tuple(members[pk] for pk in dict.fromkeys([page.owner_id, *people[page.pk]])),
            groups=(Group(ids=tuple(people[page.pk]), needed=None if page.condition == Condition.ALL else 1),),
            locations=tuple(
                LocationValue(id=place.pk, kind=LocationKind(place.kind), detail=place.detail)
                for place in places[page.pk]
            ),
            calendar_required=page.calendar_required,
        )
        for page in pages
    }


def verdicts(pages: Iterable[BookingPage], now: datetime) -> dict[int, Verdict]:
    """The gate's answer for many pages, evaluated afresh."""
    return {page_id: evaluate(value) for page_id, value in page_values(pages, now).items()}


def verdict_of(page: BookingPage, now: datetime) -> Verdict:
    """The gate's answer for one page, against the connections as they are in this transaction."""
    return verdicts([page], now)[page.pk]


def pages_of_members(member_ids: Collection[int]) -> list[BookingPage]:
    """The pages on whose answer these members bear: as member or as owner."""
    as_member = PageMember.objects.filter(member__in=member_ids).values("page")
    return list(
        (BookingPage.objects.filter(pk__in=as_member) | BookingPage.objects.filter(owner__in=member_ids)).distinct()
    )


def renew(pages: Iterable[BookingPage], now: datetime, cause: str, credential: Credential | None = None) -> "Renewal":
    """Evaluate these pages again and keep what changed, in the transaction of the cause.

    Writes the stored copies, a history row for each page that stopped or opened, and returns both lists.
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
    return Renewal(stopped, opened)


def _left_out(lacks: Iterable[Lack]) -> list[int]:
    return sorted({lack.member_id for lack in lacks if lack.member_id is not None})


class Renewal:
    """The pages that a change stopped, and those that it opened."""

    def __init__(self, stopped: list[BookingPage], opened: list[BookingPage]) -> None:
        self.stopped = stopped
        self.opened = opened
