"""「なぜこの時間は表示されないのか」: for a page and a moment, everything that stands against it, for each person."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from awase.domain.obstacles import Obstacle
from awase.models import BookingPage
from awase.services import dates, words
from awase.services.dashboard import visible_pages
from awase.services.why import Person, Why, why
from awase.web.moments import LocalTimeField
from awase.web.shell import Context, MemberRequest, for_members, utcnow

WORDS = {
    Obstacle.NOTICE: gettext_lazy("The notice of the page has begun already."),
    Obstacle.PERIOD: gettext_lazy("It lies outside the period in which the page can be booked."),
    Obstacle.PAGE_LIMIT: gettext_lazy("The page has reached its limit for this time."),
    Obstacle.GUEST_LIMIT: gettext_lazy("This guest has reached their limit."),
    Obstacle.GRID: gettext_lazy("People are free, but no start falls on this minute: starts are counted from opening."),
    Obstacle.HOURS: gettext_lazy("outside the hours"),
    Obstacle.ABSENCE: gettext_lazy("absent"),
    Obstacle.UNKNOWN: gettext_lazy("the calendar is not read for this time yet"),
    Obstacle.BUSY: gettext_lazy("busy in the calendar"),
    Obstacle.BOOKING: gettext_lazy("another booking"),
    Obstacle.BUFFER: gettext_lazy("too close to something else: the time before or after is not free"),
    Obstacle.HOST_LIMIT: gettext_lazy("has reached the limit for hosts"),
}


class AskForm(forms.Form):
    at = LocalTimeField(label=gettext_lazy("Date and time"), help_text=gettext_lazy("In your own time zone."))
    guest = forms.EmailField(
        required=False, label=gettext_lazy("Guest's mail address"), help_text=gettext_lazy("For limits per guest.")
    )


@require_GET
@for_members
def ask(request: MemberRequest, pk: int) -> HttpResponse:
    """The question, and its answer."""
    page = get_object_or_404(visible_pages(request.member), pk=pk)
    form = AskForm(request.GET if "at" in request.GET else None)
    context: Context = {"section": "pages", "back_url": f"/app/pages/{pk}", "title": page.title, "form": form}
    if form.is_valid():
        zone = ZoneInfo(request.member.user.time_zone)
        context |= _answer(page, form.cleaned_data["at"].replace(tzinfo=zone), form.cleaned_data["guest"])
    return render(request, "dashboard/page_why.html", context, status=400 if form.errors else 200)


def _answer(page: BookingPage, start: datetime, guest: str) -> Context:
    found = why(page, start, utcnow(), guest=guest)
    names = {person.id: person.name for person in found.people if not person.room}
    return {
        "when": dates.when(start, start, str(start.tzinfo)).partition(" – ")[0],
        "offered": found.offered,
        "reasons": _reasons(found, names),
        "people": [_person(person, names) for person in found.people],
    }


def _reasons(found: Why, names: dict[int, str]) -> list[str]:
    """What stands against it for everybody."""
    reasons = [str(WORDS[obstacle]) for obstacle in found.page]
    if found.archived:
        reasons.insert(0, _("The page is archived."))
    elif not found.accepting:
        reasons.insert(0, _("The page is switched off."))
    return [*(words.lack(lack, names) for lack in found.stops), *reasons]


def _person(person: Person, names: dict[int, str]) -> Context:
    free = person.eligible and not person.obstacles
    told = [str(WORDS[obstacle]) for obstacle in person.obstacles]
    if not person.eligible:
        told = [words.lack(lack, names) for lack in person.lacks] + told or [_("cannot take part at the moment")]
    return {
        "name": person.name,
        "badge": {"kind": "ok", "label": _("Free")} if free else {"kind": "neutral", "label": _("Not free")},
        "reasons": told,
    }
