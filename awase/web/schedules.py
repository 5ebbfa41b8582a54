"""予約可能枠 and 不在 of the viewer: weekly hours, holidays, other hours on single dates, absences."""

from calendar import Calendar
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from awase.domain.permissions import Act
from awase.models import Absence, WeeklySchedule
from awase.services import dates, schedules
from awase.services.hours import countries
from awase.services.permissions import may
from awase.web.pages import editable
from awase.web.shell import Context, MemberRequest, for_members, utcnow
from awase.web.zone_field import ZoneField

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_NAMED = 5  # pages that use a schedule, in the list
RANGES = 3  # of one date, as many as its form has room for
FIRST_YEAR, LAST_YEAR = 2000, 2100


class DetailsForm(forms.Form):
    """Name, zone, holidays, and whether these hours count where no others are chosen."""

    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    time_zone = ZoneField()
    holidays = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Closed on public holidays of"),
        help_text=gettext_lazy("Single dates can be opened below."),
    )
    default = forms.BooleanField(required=False, label=gettext_lazy("My usual hours"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Locale.parse(get_language() or "en").territories
        field = self.fields["holidays"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("No country")), *((code, names.get(code, code)) for code in countries())]

    @classmethod
    def of(cls, row: WeeklySchedule, *args: Any, **kwargs: Any) -> "DetailsForm":
        """The form for a schedule: the hours of a page alone are nobody's usual ones."""
        form = cls(*args, **kwargs)
        if row.for_page_id is not None:
            del form.fields["default"]
        return form


class OverrideForm(forms.Form):
    """Other hours on one date; without hours it is closed."""

    day = forms.DateField(label=gettext_lazy("Date"), widget=forms.DateInput(attrs={"type": "date"}))


class AbsenceForm(forms.Form):
    """The first and the last day of an absence."""

    first = forms.DateField(label=gettext_lazy("First day"), widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=gettext_lazy("Last day"), widget=forms.DateInput(attrs={"type": "date"}))
    note = forms.CharField(
        max_length=120, required=False, label=gettext_lazy("Note"), help_text=gettext_lazy("Only your team sees it.")
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("first") and cleaned.get("last") and cleaned["last"] < cleaned["first"]:
            self.add_error("last", _("The last date lies before the first one."))
        return cleaned


class NewForm(forms.Form):
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))


def weekday_names() -> list[str]:
    """From Monday."""
    return [_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")]


def _clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


@require_GET
@for_members
def schedule_list(request: MemberRequest) -> HttpResponse:
    """The viewer's schedules, the pages that use them, and the absences to come."""
    return _list(request)


def _list(request: MemberRequest, new: NewForm | None = None, absence: AbsenceForm | None = None) -> HttpResponse:
    rows = list(WeeklySchedule.objects.filter(member=request.member, for_page=None).order_by("pk"))
    used = schedules.used_by(*rows)
    today = utcnow().astimezone(ZoneInfo(request.member.user.time_zone)).date()
    context = {
        "section": "schedules",
        "create_form": new or NewForm(),
        "absence_form": absence or AbsenceForm(),
        "absences": [
            {
                "text": _date_text(row.first) + ("" if row.last == row.first else f" – {_date_text(row.last)}"),
                "note": row.note,
                "url": f"/app/absences/{row.pk}/delete",
            }
            for row in Absence.objects.filter(member=request.member, last__gte=today)
        ],
        "schedules": [
            {
                "name": row.name,
                "url": f"/app/schedules/{row.pk}",
                "badges": [{"kind": "neutral", "label": _("Default")}] if row.is_default else [],
                "zone": row.time_zone,
                "lines": _lines(row.weekly),
                "used_by": _used_text([page.title for page in used[row.pk]]),
            }
            for row in rows
        ],
        "empty_text": _("There is no schedule yet."),
        "empty_action": None,
    }
    wrong = any(form is not None for form in (new, absence))
    return render(request, "dashboard/schedules.html", context, status=400 if wrong else 200)


def _used_text(titles: list[str]) -> list[str]:
    """The pages that use a schedule, the first of them by name."""
    more = len(titles) - MOST_NAMED
    if more <= 0:
        return titles
    return [*titles[:MOST_NAMED], ngettext("%(count)d more", "%(count)d more", more) % {"count": more}]


def _date_text(day: Any) -> str:
    return dates.full_day_name(day)


def _lines(weekly: list[list[list[int]]]) -> list[str]:
    """The hours of the week: days that follow each other with the same hours are one line."""
    lines = []
    days = zip(dates.weekday_names(), weekly, strict=True)
    for ranges, together in groupby(days, key=lambda day: day[1]):
        names = [name for name, _ranges in together]
        label = names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}"
        hours = pgettext("list of hours", ", ").join(f"{_clock(start)}–{_clock(end)}" for start, end in ranges)
        if hours:
            lines.append(f"{label} {hours}")
    return lines


def _own(request: MemberRequest, pk: int) -> WeeklySchedule:
    """A schedule of the viewer's, or that of a page alone which they may edit."""
    row = WeeklySchedule.objects.filter(pk=pk, member__workspace=request.member.workspace_id).first()
    if row is None:
        raise Http404
    theirs = row.member_id == request.member.pk
    if not (may(request.member, Act.EDIT_PAGE, row.for_page) if row.for_page else theirs):
        raise Http404
    return row


@require_POST
@for_members
def of_page(request: MemberRequest, pk: int) -> HttpResponse:
    """Hours for one page alone, and on to them."""
    page = editable(request.member, pk)
    return redirect(f"/app/schedules/{schedules.of_page(page, utcnow(), by=request.member).pk}")


@require_GET
@for_members
def edit(request: MemberRequest, pk: int) -> HttpResponse:
    """One schedule."""
    return _show(request, _own(request, pk))


def _show(request: MemberRequest, row: WeeklySchedule, shown: Context | None = None) -> HttpResponse:
    """The schedule with one section as just answered, the others as stored."""
    start = {"name": row.name, "time_zone": row.time_zone, "holidays": row.holidays, "default": row.is_default}
    fresh = [_week(row), _override(request, row), _details(row, DetailsForm.of(row, initial=start))]
    sections = {section["id"]: section for section in fresh}
    if shown:
        sections[shown["id"]] = shown
    elif request.GET.get("saved") in sections:
        sections[request.GET["saved"]]["saved"] = True
    used = schedules.used_by(row)[row.pk]
    delete = None if row.is_default or used else f"/app/schedules/{row.pk}/delete"
    context = {
        "section": "schedules",
        "back_url": "/app/schedules",
        "heading": row.name,
        "used_by": [{"title": page.title, "url": f"/app/pages/{page.pk}#times"} for page in used],
        "sections": list(sections.values()),
        "delete_url": delete,
    }
    return render(request, "dashboard/schedule_edit.html", context, status=400 if shown else 200)


def _details(row: WeeklySchedule, form: DetailsForm) -> Context:
    return {
        "id": "details",
        "heading": _("Name, zone and holidays"),
        "url": f"/app/schedules/{row.pk}/details",
        "form": form,
        "template": "dashboard/_section_form.html",
    }


def _range_words() -> str:
    return _("Give a beginning and a later end for each range; ranges of one day must not overlap.")


def _week(
    row: WeeklySchedule, typed: list[list[tuple[str, str]]] | None = None, errors: dict[int, str] | None = None
) -> Context:
    if typed is None:
        typed = [[(_clock(start), _clock(end)) for start, end in ranges] for ranges in row.weekly]
    names = zip(DAYS, weekday_names(), typed, strict=True)
    return {
        "id": "week",
        "heading": _("Weekly hours"),
        "help": _("Wall-clock times in %(zone)s. Leave both fields empty to remove a range.") % {"zone": row.time_zone},
        "url": f"/app/schedules/{row.pk}/week",
        "template": "dashboard/_section_week.html",
        "days": [
            {
                "name": name,
                "label": label,
                "ranges": [{"start": start, "end": end} for start, end in [*ranges, ("", "")]],
                "error": (errors or {}).get(number, ""),
            }
            for number, (name, label, ranges) in enumerate(names)
        ],
    }


def _override(
    request: MemberRequest,
    row: WeeklySchedule,
    form: OverrideForm | None = None,
    pairs: list[tuple[str, str]] | None = None,
    error: str = "",
) -> Context:
    """The dates with other hours: a month to choose one from, and the form for it."""
    today = utcnow().astimezone(ZoneInfo(row.time_zone)).date()
    chosen = _date_of(request.GET.get("day", ""))
    shown = (_date_of(f"{request.GET.get('month', '')}-01") or chosen or today).replace(day=1)
    if pairs is None:
        hours = schedules.hours_on(row, chosen)[0] if chosen else []
        pairs = [(start, end) for start, _dash, end in (text.partition("-") for text in hours)]
    return {
        "id": "override",
        "heading": _("Other hours on single dates"),
        "url": f"/app/schedules/{row.pk}/override",
        "template": "dashboard/_section_overrides.html",
        "form": form or OverrideForm(initial={"day": chosen} if chosen else None),
        "ranges": [{"start": start, "end": end} for start, end in [*pairs, *[("", "")] * RANGES][:RANGES]],
        "error": error,
        "open": bool(chosen) or "month" in request.GET,
        "month": _month(row, shown, today, chosen),
        "overrides": [
            {"value": day.isoformat(), "text": _date_text(day), "hours": ranges or [_("Closed")]}
            for day, ranges in schedules.override_texts(row)
        ],
        "button": _("Add or change the date"),
    }


def _month(row: WeeklySchedule, month: date, today: date, chosen: date | None) -> Context:
    """A month of the schedule, each day with its hours; a day leads to the form for it."""
    address = f"/app/schedules/{row.pk}"

    def cell(day: date) -> Context | None:
        if day.month != month.month:
            return None
        hours, why = schedules.hours_on(row, day)
        words = {"changed": _("changed"), "holiday": _("public holiday"), "": ""}[why]
        return {
            "number": day.day,
            "url": f"{address}?day={day}#override",
            "hours": hours,
            "why": words,
            "kind": why if why else "" if hours else "closed",
            "chosen": day == chosen,
            "today": day == today,
            "label": dates.day_name(day),
        }

    before, after = month - timedelta(days=1), month + timedelta(days=31)
    return {
        "label": dates.month_name(month),
        "weekdays": dates.weekday_names(),
        "weeks": [[cell(day) for day in week] for week in Calendar().monthdatescalendar(month.year, month.month)],
        "previous_url": f"{address}?month={before:%Y-%m}#override" if before.year >= FIRST_YEAR else "",
        "next_url": f"{address}?month={after:%Y-%m}#override" if after.year < LAST_YEAR else "",
    }


def _date_of(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year < LAST_YEAR else None


@require_POST
@for_members
def create(request: MemberRequest) -> HttpResponse:
    """One more schedule."""
    form = NewForm(request.POST)
    if not form.is_valid():
        return _list(request, new=form)
    return redirect(f"/app/schedules/{schedules.create(request.member, form.cleaned_data['name']).pk}")


@require_POST
@for_members
def delete(request: MemberRequest, pk: int) -> HttpResponse:
    """Delete a schedule that nothing uses."""
    row = _own(request, pk)
    if not schedules.delete(row):
        messages.error(request, _("It was not deleted: a booking page uses it meanwhile, or it is the default."))
        return redirect(f"/app/schedules/{pk}")
    messages.success(request, _("The schedule “%(name)s” is deleted.") % {"name": row.name})
    return redirect("/app/schedules")


@require_POST
@for_members
def save_details(request: MemberRequest, pk: int) -> HttpResponse:
    """Keep name, zone and holidays."""
    row = _own(request, pk)
    form = DetailsForm.of(row, request.POST)
    if not form.is_valid():
        return _show(request, row, _details(row, form))
    schedules.save_details(row, **form.cleaned_data)
    return redirect(f"/app/schedules/{pk}?saved=details#details")


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
    copied = request.POST.get("copy_from", "")
    for name in request.POST.getlist("copy_to") if copied in DAYS else ():
        if name in DAYS:
            typed[DAYS.index(name)] = typed[DAYS.index(copied)]
    errors = schedules.save_week(row, typed)
    if errors:
        return _show(request, row, _week(row, typed, dict.fromkeys(errors, _range_words())))
    return redirect(f"/app/schedules/{row.pk}?saved=week#week")


@require_POST
@for_members
def save_override(request: MemberRequest, pk: int) -> HttpResponse:
    """Other hours on one date, or its weekly hours again."""
    row = _own(request, pk)
    if day := request.POST.get("remove"):
        schedules.remove_override(row, day)
        return redirect(f"/app/schedules/{pk}?saved=override#override")
    form = OverrideForm(request.POST)
    pairs = [pair for pair in zip(*map(request.POST.getlist, ("start", "end")), strict=False) if any(pair)]
    if not form.is_valid():
        return _show(request, row, _override(request, row, form, pairs))
    try:
        schedules.save_override(row, form.cleaned_data["day"], pairs)
    except ValueError:
        return _show(request, row, _override(request, row, form, pairs, _range_words()))
    return redirect(f"/app/schedules/{pk}?saved=override&month={form.cleaned_data['day']:%Y-%m}#override")


@require_POST
@for_members
def add_absence(request: MemberRequest) -> HttpResponse:
    """不在: the viewer is away."""
    form = AbsenceForm(request.POST)
    if not form.is_valid():
        return _list(request, absence=form)
    absence = schedules.add_absence(request.member, **form.cleaned_data)
    messages.success(request, _("The absence is added: nobody can book you on these days."))
    count = schedules.bookings_during(absence, utcnow()).count()
    if count:
        there = ngettext(
            "%(count)d booking of yours falls into this absence, and stands. Move it, hand it over or cancel it.",
            "%(count)d bookings of yours fall into this absence, and stand. Move them, hand them over or cancel them.",
            count,
        )
        messages.warning(request, there % {"count": count})
    return redirect("/app/schedules#absences")


@require_POST
@for_members
def delete_absence(request: MemberRequest, pk: int) -> HttpResponse:
    """The viewer is there after all."""
    if Absence.objects.filter(pk=pk, member=request.member).delete()[0]:
        messages.success(request, _("The absence is taken back."))
    return redirect("/app/schedules#absences")
