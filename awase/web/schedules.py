"""予約可能枠: weekly hours of the viewer."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_POST

from awase.models import WeeklySchedule
from awase.services import schedules
from awase.web.shell import Context, MemberRequest, for_members

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def weekday_names() -> list[str]:
    """From Monday."""
    return [_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")]


def _clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


@require_GET
@for_members
def schedule_list(request: MemberRequest) -> HttpResponse:
    """The viewer's schedules and the pages that use them."""
    rows = WeeklySchedule.objects.filter(member=request.member).order_by("pk")
    context = {
        "section": "schedules",
        "create": None,
        "schedules": [
            {
                "name": row.name,
                "url": f"/app/schedules/{row.pk}",
                "badges": [{"kind": "neutral", "label": _("Default")}] if row.is_default else [],
                "zone": row.time_zone,
                "lines": _lines(row.weekly),
                "used_by": [page.title for page in schedules.used_by(row)],
            }
            for row in rows
        ],
        "empty_text": _("There is no schedule yet."),
        "empty_action": None,
    }
    return render(request, "dashboard/schedules.html", context)


def _lines(weekly: list[list[list[int]]]) -> list[str]:
    return [
        f"{name} {pgettext('list of hours', ', ').join(f'{_clock(start)}–{_clock(end)}' for start, end in ranges)}"
        for name, ranges in zip(weekday_names(), weekly, strict=True)
        if ranges
    ]


def _own(request: MemberRequest, pk: int) -> WeeklySchedule:
    row = WeeklySchedule.objects.filter(pk=pk, member=request.member).first()
    if row is None:
        raise Http404
    return row


@require_GET
@for_members
def edit(request: MemberRequest, pk: int) -> HttpResponse:
    """One schedule."""
    row = _own(request, pk)
    typed = [[(_clock(start), _clock(end)) for start, end in ranges] for ranges in row.weekly]
    return _show(request, row, typed, {}, saved="saved" in request.GET)


def _show(
    request: MemberRequest,
    row: WeeklySchedule,
    typed: list[list[tuple[str, str]]],
    errors: dict[int, str],
    *,
    saved: bool = False,
) -> HttpResponse:
    days: list[Context] = [
        {
            "name": name,
            "label": label,
            "ranges": [{"start": start, "end": end} for start, end in [*ranges, ("", "")]],
            "error": errors.get(number, ""),
        }
        for number, (name, label, ranges) in enumerate(zip(DAYS, weekday_names(), typed, strict=True))
    ]
    section = {
        "id": "week",
        "heading": _("Weekly hours"),
        "help": _("Wall-clock times in %(zone)s. Leave both fields empty to remove a range.") % {"zone": row.time_zone},
        "url": f"/app/schedules/{row.pk}/week",
        "template": "dashboard/_section_week.html",
        "days": days,
        "saved": saved,
    }
    context = {"section": "schedules", "back_url": "/app/schedules", "heading": row.name, "sections": [section]}
    return render(request, "dashboard/schedule_edit.html", context, status=400 if errors else 200)


@require_POST
@for_members
def save_week(request: MemberRequest, pk: int) -> HttpResponse:
    """Keep the weekly hours; what was typed comes back with the day that cannot be read."""
    row = _own(request, pk)
    typed = [
        [
            pair
            for pair in zip(request.POST.getlist(f"{name}-start"), request.POST.getlist(f"{name}-end"), strict=False)
            if any(pair)
        ]
        for name in DAYS
    ]
    errors = schedules.save_week(row, typed)
    if errors:
        words = _("Give a beginning and a later end for each range; ranges of one day must not overlap.")
        return _show(request, row, typed, dict.fromkeys(errors, words))
    return redirect(f"/app/schedules/{row.pk}?saved=1")
