"""What automatic assignment needs to know of the past: who was given what, and who could not be given anything.

Time in which a member's accounts were broken counts as absence, so nobody is flooded after a repair.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from awase.domain.assignment import Assigned, Candidate, Mode, Presence, counts, rank
from awase.domain.health import Standing
from awase.domain.intervals import Span, epoch
from awase.domain.schedule import day_after, midnight
from awase.models import Absence, BookingPage, Connection, ConnectionChange, HostTime, PageMember
from awase.models.page import Assignment

PERIOD = timedelta(days=30)


def ranked(page: BookingPage, able: Collection[int], now: datetime) -> list[int]:
    """These members of the page, whose turn it is first, by the page's assignment (guest's choice: list order)."""
    members = list(PageMember.objects.filter(page=page).order_by("position", "id"))
    if page.assignment == Assignment.GUEST:
        return [link.member_id for link in members if link.member_id in able]
    counts, last = standing_of_hosts(page, members, now)
    positions = {link.member_id: position for position, link in enumerate(members)}
    candidates = [
        Candidate(
            member_id=link.member_id,
            position=positions[link.member_id],
            weight=link.weight,
            level=link.level,
            count=counts[link.member_id],
        )
        for link in members
        if link.member_id in able
    ]
    return rank(Mode(page.assignment), candidates, positions.get(last) if last is not None else None)


def standing_of_hosts(
    page: BookingPage, links: Sequence[PageMember], now: datetime
) -> tuple[Mapping[int, Fraction], int | None]:
    """Each member's count of the period with the credit for absence, and who was given the last booking."""
    rows = HostTime.objects.filter(booking__page=page, active=True, booking__created_at__gt=now - PERIOD)
    history = [
        Assigned(at=epoch(created), start=epoch(start), member_id=member_id)
        for member_id, created, start in rows.order_by("booking__created_at", "booking").values_list(
            "member", "booking__created_at", "booking__start"
        )
    ]
    outages = _outages([link.member_id for link in links], now)
    absences = _absences(page, [link.member_id for link in links], now)
    members = [
        Presence(
            member_id=link.member_id,
            weight=link.weight,
            joined_at=epoch(link.joined_at),
            broken=tuple(outages[link.member_id]),
            absent=tuple(absences[link.member_id]),
        )
        for link in links
    ]
    return counts(members, history), history[-1].member_id if history else None


def _absences(page: BookingPage, member_ids: Sequence[int], now: datetime) -> dict[int, list[Span]]:
    """The absences that the period's bookings can lie in, by member; in the page's zone."""
    found: dict[int, list[Span]] = defaultdict(list)
    rows = Absence.objects.filter(member__in=member_ids, last__gte=(now - PERIOD).date())
    for member_id, first, last in rows.values_list("member", "first", "last"):
        found[member_id].append((midnight(page.time_zone, first), midnight(page.time_zone, day_after(last))))
    return found


def _outages(member_ids: Sequence[int], now: datetime) -> dict[int, list[Span]]:
    """The stretches of the period in which an account of a member was in error, by member."""
    people: dict[int, list[int]] = defaultdict(list)
    for member_id, credential_id in Connection.objects.filter(member__in=member_ids).values_list(
        "member", "credential"
    ):
        people[credential_id].append(member_id)
    changes: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for credential_id, at, standing in (
        ConnectionChange.objects.filter(credential__in=people)
        .order_by("at", "id")
        .values_list("credential", "at", "standing")
    ):
        changes[credential_id].append((at, standing))
    found: dict[int, list[Span]] = defaultdict(list)
    for credential_id, states in changes.items():
        ends = [at for at, _standing in states[1:]] + [now]
        for (at, standing), end in zip(states, ends, strict=True):
            if standing == Standing.ERROR and end > now - PERIOD:
                for member_id in people[credential_id]:
                    found[member_id].append((epoch(at), epoch(end)))
    return found
