"""When people can take part at all: their hours with holidays, and their absences, from the rows."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from functools import cache

import holidays
from django.db.models import Q

from awase.domain.schedule import Schedule, from_json
from awase.models import Absence, BookingPage, PageMember, WeeklySchedule

NEVER = Schedule(time_zone="UTC", weekly=((),) * 7)


def hours_of(page: BookingPage, member_ids: Collection[int], start: datetime, end: datetime) -> Mapping[int, Schedule]:
    """Each member's hours on the page: those chosen for them there, else the page's, else their default ones;
    without any they are never open. Holidays are those of the years around [start, end)."""
    chosen = dict(
        PageMember.objects.filter(page=page, member__in=member_ids, schedule__isnull=False).values_list(
            "member", "schedule"
        )
    )
    if page.schedule_id is not None:
        chosen = dict.fromkeys(member_ids, page.schedule_id) | chosen
    defaults = Q(member__in=[pk for pk in member_ids if pk not in chosen], is_default=True)
    rows = {row.pk: row for row in WeeklySchedule.objects.filter(defaults | Q(pk__in=set(chosen.values())))}
    of_member = {row.member_id: row.pk for row in rows.values() if row.is_default} | chosen
    years = range((start - timedelta(days=2)).year, (end + timedelta(days=2)).year + 1)
    schedules = {pk: schedule_of(row, years) for pk, row in rows.items() if pk in of_member.values()}
    return {member: schedules[of_member[member]] if member in of_member else NEVER for member in member_ids}


def schedule_of(row: WeeklySchedule, years: range) -> Schedule:
    """The value of a stored schedule, with the holidays of these years."""
    off = frozenset().union(*(holidays_of(row.holidays, year) for year in years)) if row.holidays else frozenset()
    return from_json(row.time_zone, row.weekly, row.overrides, holidays=off, closed_on_holidays=bool(row.holidays))


@cache
def holidays_of(country: str, year: int) -> frozenset[date]:
    """The public holidays of a country (ISO 3166). Raises NotImplementedError for one that is not known."""
    return frozenset(holidays.country_holidays(country, years=year))


def countries() -> list[str]:
    """The countries whose holidays are known (ISO 3166), Japan first."""
    return sorted(holidays.list_supported_countries(), key=lambda code: (code != "JP", code))


def absences_of(
    member_ids: Collection[int], start: datetime, end: datetime
) -> Mapping[int, tuple[tuple[date, date], ...]]:
    """The absences that can touch [start, end): first and last date, in the zone of each member's hours."""
    found: dict[int, tuple[tuple[date, date], ...]] = defaultdict(tuple)
    rows = Absence.objects.filter(
        member__in=member_ids,
        first__lte=(end + timedelta(days=1)).date(),
        last__gte=(start - timedelta(days=1)).date(),
    )
    for member_id, first, last in rows.values_list("member", "first", "last"):
        found[member_id] += ((first, last),)
    return found
