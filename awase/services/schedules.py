"""Schedules (予約可能枠): which pages use them, saving what was typed; and absences (不在)."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, Q, QuerySet

from awase.domain.permissions import Act
from awase.domain.schedule import Range, Schedule, parse_range, range_text, to_json
from awase.models import Absence, Booking, BookingPage, Member, WeeklySchedule
from awase.services.hours import holidays_of
from awase.services.pages import save_fields
from awase.services.permissions import require
from awase.services.quotas import COUNTED

Typed = list[list[tuple[str, str]]]


def used_by(*rows: WeeklySchedule) -> dict[int, list[BookingPage]]:
    """Of each schedule the pages on which its hours count, by title; one query."""
    usual = {row.member_id: row.pk for row in rows if row.is_default}
    chosen = Q(page_members__schedule__in=rows) | Q(schedule__in=rows)
    chosen |= Q(page_members__member__in=usual, page_members__schedule=None, schedule=None)
    used: dict[int, dict[int, BookingPage]] = {row.pk: {} for row in rows}
    linked = BookingPage.objects.filter(chosen).annotate(
        whose=F("page_members__member"), of=F("page_members__schedule")
    )
    for page in linked.order_by("title", "pk"):
        hours = {page.of, page.schedule_id} if page.of or page.schedule_id else {usual.get(page.whose)}
        for pk in used.keys() & hours:
            used[pk][page.pk] = page
    return {pk: list(pages.values()) for pk, pages in used.items()}


def save_week(row: WeeklySchedule, typed: Typed) -> list[int]:
    """Keep seven days of (start, end) texts like ("09:00", "17:00"); returns the numbers of the days that cannot
    be read (0 is Monday), and then keeps nothing."""
    weekly, wrong = [], []
    for number, pairs in enumerate(typed):
        try:
            ranges = tuple(sorted(parse_range(f"{start}-{end}") for start, end in pairs))
            Schedule(row.time_zone, tuple(ranges if day == number else () for day in range(7)))
        except ValueError:
            wrong.append(number)
        else:
            weekly.append(ranges)
    if not wrong:
        row.weekly, _overrides = to_json(Schedule(row.time_zone, tuple(weekly)))
        row.save(update_fields=["weekly"])
    return wrong


def create(member: Member, name: str) -> WeeklySchedule:
    """One more schedule, Monday to Friday from nine to five; the first one is the default."""
    office = [[9 * 60, 17 * 60]]
    return WeeklySchedule.objects.create(
        member=member,
        name=name,
        time_zone=member.user.time_zone,
        weekly=[office] * 5 + [[], []],
        is_default=not WeeklySchedule.objects.filter(member=member, is_default=True).exists(),
    )


def of_page(page: BookingPage, now: datetime, *, by: Member) -> WeeklySchedule:
    """Hours for this page alone: those that it has already, else a copy of the ones that count on it now."""
    require(by, Act.EDIT_PAGE, page)
    with transaction.atomic():
        row = WeeklySchedule.objects.filter(for_page=page).first()
        if row is None:
            usual = WeeklySchedule.objects.filter(member=page.owner_id, is_default=True).first()
            row = page.schedule or usual or create(page.owner, page.title[:80])
            row.pk, row._state.adding = None, True
            row.name, row.member, row.for_page, row.is_default = page.title[:80], page.owner, page, False
            row.save()
        save_fields(page, {"schedule": row}, now, by=by)
    return row


def save_details(row: WeeklySchedule, *, name: str, time_zone: str, holidays: str, default: bool = False) -> None:
    """Keep what stands above the hours. A member has one default, which is no page's alone; it passes on, but is not
    given up."""
    with transaction.atomic():
        if default and not row.is_default and row.for_page_id is None:
            WeeklySchedule.objects.filter(member=row.member_id).update(is_default=False)
            row.is_default = True
        row.name, row.time_zone, row.holidays = name, time_zone, holidays
        row.save(update_fields=["name", "time_zone", "holidays", "is_default"])


def delete(row: WeeklySchedule) -> bool:
    """Delete a schedule that no page uses; False if one does, or if it is the default."""
    if row.is_default or used_by(row)[row.pk]:
        return False
    row.delete()
    return True


def save_override(row: WeeklySchedule, day: date, pairs: list[tuple[str, str]]) -> None:
    """Other hours on one date, as texts like ("09:00", "17:00"); none: closed. Raises ValueError for what cannot be
    read, and for hours that overlap or end before they begin."""
    ranges = tuple(sorted(parse_range(f"{start}-{end}") for start, end in pairs))
    _weekly, stored = to_json(Schedule(row.time_zone, ((),) * 7, {day: ranges}))
    row.overrides = {**row.overrides, **stored}
    row.save(update_fields=["overrides"])


def remove_override(row: WeeklySchedule, day: str) -> None:
    """The date has its weekly hours again."""
    row.overrides = {key: ranges for key, ranges in row.overrides.items() if key != day}
    row.save(update_fields=["overrides"])


def hours_on(row: WeeklySchedule, day: date) -> tuple[list[str], str]:
    """The hours of one date as text, and why they are not those of the week: "changed", "holiday" or ""."""
    if (changed := row.overrides.get(day.isoformat())) is not None:
        return [range_text(Range(*hours)) for hours in changed], "changed"
    if row.holidays and day in holidays_of(row.holidays, day.year):
        return [], "holiday"
    return [range_text(Range(*hours)) for hours in row.weekly[day.weekday()]], ""


def override_texts(row: WeeklySchedule) -> list[tuple[date, list[str]]]:
    """The dates with other hours, in order, each with its ranges as text."""
    return [
        (date.fromisoformat(day), [range_text(Range(*hours)) for hours in ranges])
        for day, ranges in sorted(row.overrides.items())
    ]


def add_absence(member: Member, first: date, last: date, note: str) -> Absence:
    """The member is away on these dates, both included."""
    return Absence.objects.create(member=member, first=first, last=last, note=note)


def bookings_during(absence: Absence, now: datetime) -> QuerySet[Booking]:
    """The bookings and requests to come that the member hosts on dates on which they are away, in their own zone."""
    there = ZoneInfo(absence.member.user.time_zone)
    begins, ends = (
        datetime.combine(day, time(), tzinfo=there) for day in (absence.first, absence.last + timedelta(days=1))
    )
    hosted = Booking.objects.filter(host_times__member=absence.member, state__in=COUNTED)
    return hosted.filter(start__lt=ends, end__gt=max(begins, now)).distinct()
