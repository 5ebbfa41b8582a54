"""予約 as a calendar: a week by hours or a month by days, rendered here, every step a link."""

from calendar import Calendar
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from awase.models import Booking, BookingState
from awase.services import dates
from awase.services.quotas import COUNTED
from awase.web.booking_search import day_of, midnight, search_fields, searched, views
from awase.web.bookings import hosts_text, view_names, zone_label
from awase.web.shell import Context, MemberRequest, for_members, utcnow

MOST_IN_A_DAY = 4
DAY_BEGINS, DAY_ENDS = 8, 19  # hours that a week shows at least
FIRST_YEAR, LAST_YEAR = 2000, 3000


@require_GET
@for_members
def calendar(request: MemberRequest) -> HttpResponse:
    """The bookings that stand, requests among them, in one week or month."""
    found, kept = searched(request)
    there = ZoneInfo(request.member.user.time_zone)
    today = utcnow().astimezone(there).date()
    asked = day_of(request.GET.get("on", ""))
    on = asked if asked and FIRST_YEAR <= asked.year < LAST_YEAR else today
    view = "week" if request.GET.get("view") == "week" else "month"
    days = _week(on) if view == "week" else list(Calendar().itermonthdates(on.year, on.month))
    begin, end = midnight(days[0], there.key), midnight(days[-1] + timedelta(days=1), there.key)
    rows = found.filter(state__in=COUNTED, start__lt=end, end__gt=begin).order_by("start", "pk")
    of_day: dict[date, list[int]] = defaultdict(list)
    for pk, start in rows.values_list("pk", "start"):
        of_day[max(start.astimezone(there).date(), days[0])].append(pk)
    most = MOST_IN_A_DAY if view == "month" else None
    shown = {row.pk: row for row in found.filter(pk__in=[pk for ids in of_day.values() for pk in ids[:most]])}
    by_day = {day: [shown[pk] for pk in ids if pk in shown] for day, ids in of_day.items()}
    context = {
        "section": "bookings",
        "views": views(kept, view, view_names()),
        "search": search_fields(request.member, kept | {"view": view, "on": on.isoformat()}, ("view", "on")),
        "zone_label": zone_label(request.member),
        "count": sum(map(len, of_day.values())),
        **_steps(kept, view, on, today),
    }
    if view == "week":
        context |= {"label": f"{dates.full_day_name(days[0])} – {dates.day_name(days[-1])}"}
        context |= _hours(days, by_day, today, there)
    else:
        weeks = [days[at : at + 7] for at in range(0, len(days), 7)]
        context |= {
            "label": dates.month_name(on),
            "weekdays": dates.weekday_names(),
            "weeks": [
                [_day(day, len(of_day[day]), by_day.get(day, ()), on, today, there, kept) for day in week]
                for week in weeks
            ],
        }
    return render(request, "dashboard/booking_calendar.html", context)


def _week(on: date) -> list[date]:
    monday = on - timedelta(days=on.weekday())
    return [monday + timedelta(days=number) for number in range(7)]


def _steps(kept: Mapping[str, str], view: str, on: date, today: date) -> Context:
    """The ways to the stretch before, to today and to the stretch after."""

    def to(day: date) -> str:
        asked = {name: value for name, value in kept.items() if value}
        return f"/app/bookings/calendar?{urlencode({'view': view, 'on': day.isoformat(), **asked})}"

    if view == "week":
        before, after = on - timedelta(days=7), on + timedelta(days=7)
    else:
        before, after = on.replace(day=1) - timedelta(days=1), on.replace(day=28) + timedelta(days=4)
    return {"previous_url": to(before), "today_url": to(today), "next_url": to(after)}


def _entry(booking: Booking, there: ZoneInfo) -> Context:
    begins = dates.clock(booking.start.astimezone(there))
    return {
        "url": f"/app/bookings/{booking.uid}",
        "time": begins,
        "title": booking.guest_name,
        "detail": booking.title,
        "hosts": hosts_text(booking),
        "asked": booking.state == BookingState.REQUESTED,
    }


def _day(
    day: date, count: int, found: Iterable[Booking], on: date, today: date, there: ZoneInfo, kept: Mapping[str, str]
) -> Context:
    entries = [_entry(booking, there) for booking in found]
    more = count - len(entries)
    asked = {name: value for name, value in kept.items() if value}
    return {
        "number": day.day,
        "label": dates.day_name(day),
        "outside": day.month != on.month,
        "today": day == today,
        "url": f"/app/bookings/calendar?{urlencode({'view': 'week', 'on': day.isoformat(), **asked})}",
        "count": count,
        "entries": entries,
        "more": ngettext("%(count)d more", "%(count)d more", more) % {"count": more} if more > 0 else "",
    }


def _hours(days: list[date], by_day: Mapping[date, list[Booking]], today: date, there: ZoneInfo) -> Context:
    """A row for each hour in which something may begin, a cell for each day."""
    cells: dict[tuple[int, date], list[Context]] = defaultdict(list)
    for day, found in by_day.items():
        for booking in found:
            starts = booking.start.astimezone(there)
            cells[starts.hour if starts.date() == day else 0, day].append(_entry(booking, there))
    hours = [hour for hour, _day in cells]
    shown = range(min([DAY_BEGINS, *hours]), max([DAY_ENDS, *(hour + 1 for hour in hours)]))
    return {
        "heads": [{"label": dates.day_name(day), "today": day == today} for day in days],
        "hours": [
            {
                "label": dates.clock(datetime(2000, 1, 1, hour, tzinfo=there)),
                "cells": [cells.get((hour, day), []) for day in days],
            }
            for hour in shown
        ],
    }
