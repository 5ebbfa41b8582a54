"""What automatic assignment needs to know of the past: who was given what, and past whom it went.

Who is away – absent at that time, or with a broken account – is written down with each booking when it is assigned.
So nobody is flooded after a repair, and what happens later, or to an account that the page does not need, changes
nothing in the past.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from django.db.models import Count, Q, QuerySet

from awase.domain.assignment import PERIOD, Assigned, Candidate, Mode, Presence, counts, rank
from awase.domain.health import LocationValue
from awase.domain.intervals import epoch
from awase.domain.schedule import local_date
from awase.models import BookingPage, HostTime, PageMember
from awase.models.page import Assignment
from awase.models.prepared import prepared
from awase.services.hours import absences_of, hours_of
from awase.services.slots import Offer


def ranked(page: BookingPage, able: Collection[int], now: datetime) -> list[int]:
    """These members of the page, whose turn it is first, by the page's assignment (guest's choice: list order)."""
    links = _links(page.pk)
    if not links:
        return []
    if page.assignment == Assignment.GUEST:
        return [link.member_id for link in links if link.member_id in able]
    mode = Mode(page.assignment)
    positions = {link.member_id: position for position, link in enumerate(links)}
    tally, last = dict[int, Fraction](), None
    if mode is Mode.SEQUENTIAL:
        last = next((member_id for (member_id,) in _last_given(page.pk, list(positions))), None)
    else:
        tally = _tally(page, links, mode, now)
    candidates = [
        Candidate(
            member_id=link.member_id,
            position=positions[link.member_id],
            weight=link.weight,
            level=link.level,
            count=tally.get(link.member_id, 0),
        )
        for link in links
        if link.member_id in able
    ]
    return rank(mode, candidates, None if last is None else positions[last])


def _tally(page: BookingPage, links: Sequence[PageMember], mode: Mode, now: datetime) -> dict[int, Fraction]:
    """Each member's count of the period with the credit for what went past them. Bookings past which nobody's way
    went are only counted, in the database."""
    asked = page.pk, [link.member_id for link in links], now - PERIOD, max(link.joined_at for link in links)
    return counted(_went_past(*asked), links, mode, dict(_given_to_each(*asked)))


@prepared
def _links(page: Any) -> QuerySet[PageMember]:
    return PageMember.objects.filter(page=page).order_by("position", "id")


def _given(page: Any, members: Any) -> QuerySet[HostTime]:
    return HostTime.objects.filter(booking__page=page, active=True, member__among=members)


@prepared
def _last_given(page: Any, members: Any) -> QuerySet[HostTime, tuple[Any, ...]]:
    newest_first = _given(page, members).order_by("-booking__created_at", "-booking", "-pk")
    return newest_first.values_list("member")[:1]


def _past_somebody(newest: Any) -> Q:
    """Bookings that went past somebody who was away, or who came later."""
    return ~Q(booking__away=[]) | Q(booking__created_at__lt=newest)


@prepared
def _went_past(page: Any, members: Any, since: Any, newest: Any) -> QuerySet[HostTime, tuple[Any, ...]]:
    rows = _given(page, members).filter(_past_somebody(newest), booking__created_at__gt=since)
    return rows.values_list("member", "booking__created_at", "booking__away")


@prepared
def _given_to_each(page: Any, members: Any, since: Any, newest: Any) -> QuerySet[HostTime, tuple[Any, ...]]:
    rows = _given(page, members).filter(~_past_somebody(newest), booking__created_at__gt=since)
    return rows.order_by().values_list("member").annotate(Count("pk"))


def counted(
    given: Iterable[tuple[int, datetime, Sequence[int]]],
    links: Sequence[PageMember],
    mode: Mode,
    further: Mapping[int, int] = MappingProxyType({}),
) -> dict[int, Fraction]:
    """The same of bookings as (member, made at, those who were away then); `further` as in the rule."""
    members = [
        Presence(
            member_id=link.member_id,
            weight=link.weight,
            level=link.level if mode is Mode.PRIORITY else 0,
            joined_at=epoch(link.joined_at),
        )
        for link in links
    ]
    history = [Assigned(epoch(made), member_id, tuple(away)) for member_id, made, away in given]
    return counts(members, history, further)


def away_at(answer: Offer, start: datetime, end: datetime, location: LocationValue | None) -> tuple[int, ...]:
    """The members of the page who cannot be given a booking of [start, end) now: because of a broken account, also
    one that only this location needs, or because they are absent then."""
    verdict = answer.verdict
    broken = {lack.member_id for lack in verdict.left_out if lack.error}
    if location is not None and not verdict.locations_by_owner:
        broken |= {lack.member_id for lack in verdict.warnings if lack.error and lack.location_id == location.id}
    people = {id for _index, group in answer.value.people for id in group.ids}
    return tuple(sorted(people & (broken | _absent(answer.page, people, start, end))))


def _absent(page: BookingPage, member_ids: Collection[int], start: datetime, end: datetime) -> set[int]:
    found = absences_of(member_ids, start, end)
    if not found:
        return set()
    hours = hours_of(page, list(found), start, end)
    last_second = epoch(end - timedelta(seconds=1))
    return {
        member_id
        for member_id, absences in found.items()
        for first, last in absences
        if first <= local_date(hours[member_id].time_zone, last_second)
        and local_date(hours[member_id].time_zone, epoch(start)) <= last
    }
