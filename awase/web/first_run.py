"""はじめての設定: from sign-up to a live page in four short steps, each skippable, gone on with later."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from awase.domain.first_run import ORDER, Step
from awase.domain.health import LocationKind, Service
from awase.models import BookingPage, Member
from awase.services import connections, first_run, mailserver, profile, words
from awase.services.first_run import Week
from awase.services.profile import Person
from awase.web.cards import PageCards
from awase.web.lengths import LengthField, offer_lengths
from awase.web.schedules import weekday_names
from awase.web.shell import LETTERS, Context, MemberRequest, for_members, utcnow
from awase.web.zone_field import ZoneField

HEADINGS = {
    Step.PLACE: gettext_lazy("Language and time zone"),
    Step.CALENDAR: gettext_lazy("Connect your calendar"),
    Step.HOURS: gettext_lazy("When can you be booked?"),
    Step.PAGE: gettext_lazy("Your first booking page"),
}
OFFERED = (Service.GOOGLE, Service.MICROSOFT, Service.CALDAV)
LATER = "later"


class PlaceForm(forms.Form):
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)
    time_zone = ZoneField()


class ClockField(forms.TimeField):
    def __init__(self, **more: Any) -> None:
        super().__init__(widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), **more)


class HoursForm(forms.Form):
    days = forms.TypedMultipleChoiceField(
        coerce=int, label=gettext_lazy("Days"), widget=forms.CheckboxSelectMultiple, choices=[]
    )
    start = forms.TimeField(
        label=gettext_lazy("Opens at"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    end = forms.TimeField(
        label=gettext_lazy("Closes at"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    holidays = forms.BooleanField(required=False, label=gettext_lazy("Closed on Japanese public holidays"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        days = self.fields["days"]
        assert isinstance(days, forms.TypedMultipleChoiceField)
        days.choices = list(enumerate(weekday_names()))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("start") and cleaned.get("end") and cleaned["end"] <= cleaned["start"]:
            self.add_error("end", _("Choose an end after the beginning; hours past midnight are set later."))
        return cleaned

    def week(self) -> Week:
        entered = self.cleaned_data
        minutes = [entered[name].hour * 60 + entered[name].minute for name in ("start", "end")]
        return Week(frozenset(entered["days"]), *minutes)


class PageForm(forms.Form):
    title = forms.CharField(max_length=120, label=gettext_lazy("Title"), help_text=gettext_lazy("Guests read it."))
    minutes = LengthField((15, 30, 45, 60, 90), label=gettext_lazy("Length"))
    place = forms.ChoiceField(label=gettext_lazy("How do you meet?"), widget=forms.RadioSelect)
    detail = forms.CharField(
        required=False,
        max_length=500,
        label=gettext_lazy("Number or address"),
        help_text=gettext_lazy("For a meeting by phone or in person."),
    )

    def __init__(self, data: Any, member: Member) -> None:
        kinds = first_run.places(member)
        account_backed = [kind.value for kind in kinds if kind.account_backed]
        initial = {
            "title": _("30-minute meeting"),
            "minutes": 30,
            "place": (account_backed or [LATER])[0],
            "detail": member.phone,
        }
        super().__init__(data, initial=initial)
        place = self.fields["place"]
        assert isinstance(place, forms.ChoiceField)
        place.choices = [
            *((kind.value, words.location_name(kind)) for kind in kinds),
            (LATER, _("I tell guests later")),
        ]
        offer_lengths(self)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("place") in {LocationKind.PHONE, LocationKind.IN_PERSON} and not cleaned.get("detail"):
            self.add_error("detail", _("Enter the number or the address."))
        return cleaned


@require_GET
@for_members
def start(request: MemberRequest) -> HttpResponse:
    """To where they stand."""
    at = request.member.first_run
    return redirect(f"/app/start/{at}" if at else "/app/")


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def step(request: MemberRequest, name: str) -> HttpResponse:
    """One step: shown, done, or skipped."""
    here = Step(name)
    if request.method == "POST" and "leave" in request.POST:
        first_run.end(request.member)
        return redirect("/app/")
    if request.method == "POST" and "skip" in request.POST:
        first_run.pass_on(request.member, here)
        return redirect("/app/start")
    return SHOWN[here](request)


def _show(request: MemberRequest, here: Step, **more: Any) -> HttpResponse:
    form = more.get("form")
    number = ORDER.index(here)
    context = {
        "heading": HEADINGS[here],
        "number": number + 1,
        "of": len(ORDER),
        "back_url": f"/app/start/{ORDER[number - 1]}" if number else "",
        "steps": [{"label": HEADINGS[one], "done": ORDER.index(one) < number, "current": one is here} for one in ORDER],
        "last": here is ORDER[-1],
        **more,
    }
    return render(request, f"start/{here}.html", context, status=400 if form is not None and form.errors else 200)


def _on(request: MemberRequest, here: Step) -> HttpResponse:
    first_run.pass_on(request.member, here)
    return redirect(f"/app/start/{ORDER[ORDER.index(here) + 1]}")


def _place(request: MemberRequest) -> HttpResponse:
    user = request.member.user
    initial = {"language": user.language or request.LANGUAGE_CODE, "time_zone": user.time_zone}
    form = PlaceForm(request.POST if request.method == "POST" else None, initial=initial)
    if not form.is_valid():
        return _show(request, Step.PLACE, form=form)
    entered = form.cleaned_data
    profile.save_person(user, Person(user.name, entered["language"], entered["time_zone"], user.clock))
    response = _on(request, Step.PLACE)
    response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")
    return response


def _calendar(request: MemberRequest) -> HttpResponse:
    if request.method == "POST":
        return _on(request, Step.CALENDAR)
    linked = connections.of_member(request.member)
    return _show(
        request,
        Step.CALENDAR,
        services=[
            {
                "letter": LETTERS[service],
                "name": words.service_name(service),
                "url": f"/app/connections/{service}/connect",
            }
            for service in OFFERED
            if connections.can_connect(service)
        ],
        accounts=[f"{words.service_name(one.credential.service)} ({one.credential.account_email})" for one in linked],
    )


def _hours(request: MemberRequest) -> HttpResponse:
    row = first_run.usual_hours(request.member)
    week = first_run.week_of(row)
    if week is None and request.method != "POST":
        return _show(request, Step.HOURS, form=None)
    shown = week or Week(frozenset(range(5)), 540, 1080)
    initial = {
        "days": sorted(shown.days),
        "start": f"{shown.start // 60:02}:{shown.start % 60:02}",
        "end": f"{shown.end // 60 % 24:02}:{shown.end % 60:02}",
        "holidays": row.holidays == "JP" or request.member.user.time_zone == "Asia/Tokyo",
    }
    form = HoursForm(request.POST if request.method == "POST" else None, initial=initial)
    if not form.is_valid():
        return _show(request, Step.HOURS, form=form)
    first_run.save_week(request.member, form.week(), "JP" if form.cleaned_data["holidays"] else "")
    return _on(request, Step.HOURS)


def _page(request: MemberRequest) -> HttpResponse:
    form = PageForm(request.POST if request.method == "POST" else None, request.member)
    if not form.is_valid():
        return _show(request, Step.PAGE, form=form)
    entered = form.cleaned_data
    page = first_run.publish(
        request.member,
        title=entered["title"],
        minutes=entered["minutes"],
        place=None if entered["place"] == LATER else LocationKind(entered["place"]),
        detail=entered["detail"] if entered["place"] in {LocationKind.PHONE, LocationKind.IN_PERSON} else "",
        now=utcnow(),
    )
    return redirect(f"/app/start/done/{page.pk}")


SHOWN = {Step.PLACE: _place, Step.CALENDAR: _calendar, Step.HOURS: _hours, Step.PAGE: _page}


@require_GET
@for_members
def done(request: MemberRequest, pk: int) -> HttpResponse:
    """The page is live: its address, and what one may do next."""
    cards = PageCards(BookingPage.objects.filter(pk=pk, owner=request.member), request.member, utcnow())
    if not cards.pages:
        return redirect("/app/")
    page = cards.pages[0]
    card: Context = cards.card(page)
    context = {
        "page": card,
        "public_url": f"{settings.AWASE_URL}/{page.workspace.slug}/{page.slug}",
        "edit_url": f"/app/pages/{pk}",
        "mail_test": mailserver.to_be_tested(request.member.user),
    }
    return render(request, "start/done.html", context)
