"""When people can take part at all: their hours with holidays, and their absences, from the rows."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from awase.domain.schedule import Schedule, from_json
from awase.models import Absence, BookingPage, PageMember, WeeklySchedule
from awase.models.prepared import Question, prepared, together

Pages = Collection[tuple[BookingPage, Collection[int]]]  # each with members
Absences = tuple[tuple[date, date], ...]  # first and last date of each
NEVER = Schedule(time_zone="UTC", weekly=((),) * 7)


def hours_and_absences(
    page: BookingPage, member_ids: Collection[int], start: datetime, end: datetime, *more: Question[Any]
) -> tuple[Mapping[int, Schedule], Mapping[int, Absences], list[list[Any]]]:
    """What `hours_of` and `absences_of` tell, and the rows of `more`, which are asked together with them."""
    chosen, absences, *found = together(
        _chosen_for.of([page.pk], member_ids), _asked_for_absences(member_ids, start, end), *more
    )
    hours = _hours([(page, member_ids)], chosen, start, end)[page.pk]
    return hours, _absences_in(absences), found


def hours_of(page: BookingPage, member_ids: Collection[int], start: datetime, end: datetime) -> Mapping[int, Schedule]:
    """Each member's hours on the page: those chosen for them there, else the page's, else their default ones;
    without any they are never open. Holidays are those of the years around [start, end)."""
    return hours_on([(page, member_ids)], start, end)[page.pk]


def hours_on(pages: Pages, start: datetime, end: datetime) -> dict[int, Mapping[int, Schedule]]:
    """The same for many pages, each with its members, in two queries."""
    chosen = _chosen_for([page.pk for page, _ in pages], {member for _, member_ids in pages for member in member_ids})
    return _hours(pages, chosen, start, end)


def _hours(
    pages: Pages, links: Collection[tuple[Any, ...]], start: datetime, end: datetime
) -> dict[int, Mapping[int, Schedule]]:
    everybody = {member for _page, member_ids in pages for member in member_ids}
    chosen: dict[int, dict[int, int]] = {
        page.pk: {} if page.schedule_id is None else dict.fromkeys(member_ids, page.schedule_id)
        for page, member_ids in pages
    }
    for page_id, member_id, schedule_id in links:
        chosen[page_id][member_id] = schedule_id
    years = range((start - timedelta(days=2)).year, (end + timedelta(days=2)).year + 1)
    read: dict[tuple[str, ...], Schedule] = {}  # people often share their hours: each distinct text is read once
    schedules: dict[int, Schedule] = {}
    defaults: dict[int, int] = {}
    for pk, member_id, is_default, *columns in _schedules(
        everybody, {pk for one in chosen.values() for pk in one.values()}
    ):
        stored = tuple(columns)
        schedules[pk] = read.get(stored) or read.setdefault(stored, _schedule(stored, years))
        if is_default:
            defaults[member_id] = pk
    found: dict[int, Mapping[int, Schedule]] = {}
    for page, member_ids in pages:
        of_member = defaults | chosen[page.pk]
        found[page.pk] = {
            member: schedules[of_member[member]] if member in of_member else NEVER for member in member_ids
        }
    return found


@prepared
def _chosen_for(pages: Any, member_ids: Any) -> QuerySet[PageMember, tuple[Any, ...]]:
    links = PageMember.objects.filter(page__among=pages, member__among=member_ids, schedule__isnull=False)
    return links.values_list("page", "member", "schedule")


@prepared
def _schedules(member_ids: Any, chosen: Any) -> QuerySet[WeeklySchedule, tuple[Any, ...]]:
    rows = WeeklySchedule.objects.filter(Q(member__among=member_ids, is_default=True) | Q(pk__among=chosen))
    weekly, overrides = Cast("weekly", TextField()), Cast("overrides", TextField())
    return rows.values_list("pk", "member", "is_default", "time_zone", "holidays", weekly, overrides)


def _schedule(stored: tuple[str, ...], years: range) -> Schedule:
    """The value of a stored schedule, with the holidays of these years."""
    time_zone, country, weekly, overrides = stored
    off = frozenset().union(*(holidays_of(country, year) for year in years)) if country else frozenset()
    return from_json(
        time_zone, json.loads(weekly), json.loads(overrides), holidays=off, closed_on_holidays=bool(country)
    )


@cache
def holidays_of(country: str, year: int) -> frozenset[date]:
    """The public holidays of a country (ISO 3166). Raises NotImplementedError for one that is not known."""
    import holidays  # three megabytes, for those who close on holidays

    return frozenset(holidays.country_holidays(country, years=year))


def countries() -> list[str]:
    """The countries whose holidays are known (ISO 3166), Japan first."""
    import holidays

    return sorted(holidays.list_supported_countries(), key=lambda code: (code != "JP", code))


def absences_of(member_ids: Collection[int], start: datetime, end: datetime) -> Mapping[int, Absences]:
    """The absences that can touch [start, end): first and last date, in the zone of each member's hours."""
    (rows,) = together(_asked_for_absences(member_ids, start, end))
    return _absences_in(rows)


def _asked_for_absences(member_ids: Collection[int], start: datetime, end: datetime) -> Question[Any]:
    return _absences.of(member_ids, (start - timedelta(days=1)).date(), (end + timedelta(days=1)).date())


def _absences_in(rows: Collection[tuple[Any, ...]]) -> Mapping[int, Absences]:
    found: dict[int, Absences] = defaultdict(tuple)
    for member_id, first, last in rows:
        found[member_id] += ((first, last),)
    return found


@prepared
def _absences(member_ids: Any, first: Any, last: Any) -> QuerySet[Absence, tuple[Any, ...]]:
    rows = Absence.objects.filter(member__among=member_ids, first__lte=last, last__gte=first)
    return rows.values_list("member", "first", "last")
