"""One page's month with its free times.

Everything goes by plain links, so that it works without script.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from awase.domain.health import LocationKind
from awase.domain.intervals import epoch, moment
from awase.domain.schedule import group_by_day, local_date, midnight
from awase.models import BookingPage, PageCover
from awase.services import dates, words
from awase.services.slots import Offer
from awase.web import guest, zones
from awase.web.access import of_page
from awase.web.guest import Context, Wish, link
from awase.web.lengths import length
from awase.web.month import cells_of, items_of


@require_safe
def cover(request: HttpRequest, digest: str) -> HttpResponse:
    """The picture of a page. Its name says what it is, so that it never changes, and nobody guesses it."""
    picture = PageCover.objects.filter(digest=digest).first()
    if picture is None:
        raise Http404
    response = HttpResponse(bytes(picture.content), content_type=picture.kind)
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


# A POST gives the password of a page that asks for one; it comes no further than `of_page`.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@of_page
def booking_page(request: HttpRequest, page: BookingPage) -> HttpResponse:
    """One month of a page's free times, and the times of one day."""
    now = timezone.now()
    answer, end = guest.whole_offer(page, now, guest.asked_minutes(request, page), guest.held(request, page, now))
    return month_page(request, answer, end, guest.address("book", page))


def month_page(request: HttpRequest, answer: Offer, end: datetime, form: str, **more: Any) -> HttpResponse:
    """The page with what it offers. `end`: how far the offer goes; `form`: where a time leads; `more`: what else the
    template is told."""
    page = answer.page
    if not answer.accepting:
        return guest.stopped(request, page, **more)
    wish = Wish.of(request, answer)
    context = {
        "page": guest.summary(page, answer, wish),
        "notice": guest.notice(answer),
        "choices": _choices(request, answer, wish),
        **calendar(request, answer, wish.starts(answer), end, form),
        **guest.manner(request, page),
        **more,
    }
    return guest.show(request, "public/page.html", context)


def calendar(
    request: HttpRequest, answer: Offer, starts: list[int], end: datetime, form: str, home: str = ""
) -> Context:
    """The month and the times of one day. `end`: how far the offer goes; `form`: where a time leads; `home`: the
    guest's own zone, where it is known."""
    now, zone = timezone.now(), guest.zone_of(request, home or answer.page.time_zone)
    days = group_by_day(starts, zone)
    first, last = local_date(zone, epoch(now)), local_date(zone, epoch(end) - 1)
    month = _month(request.GET.get("month", ""), first, last) or min(days, default=first).replace(day=1)
    free = {day: starts for day, starts in days.items() if _same_month(day, month)}
    chosen = _day(request.GET.get("day", ""))
    if chosen not in free:
        chosen = min(free, default=None)
    reading = _still_reading(answer, min(end, moment(midnight(zone, _next(month)))) if days else end)
    return {
        "month": _month_table(request, month, free, chosen, (first, last)),
        "times": _times(request, form, zone, chosen, free[chosen]) if chosen else None,
        "empty_text": _empty(month, free, days, reading),
        "unread": answer.read_until is not None and answer.read_until <= now,
        "reading_text": reading if free else "",
        "next_free": None if free or not days else _next_free(request, month, days),
        "zone": zones.choice(request, zone, max(now, moment(midnight(zone, chosen or month)))),
        # Times at a place are read there; all else in the zone of the guest, which only the browser knows.
        "zone_unasked": not home and not guest.zones_asked(request) and not _at_a_place(answer),
    }


def _at_a_place(answer: Offer) -> bool:
    kinds = {place.kind for place in answer.value.locations if place.id in answer.verdict.offered}
    return kinds == {LocationKind.IN_PERSON}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _month(text: str, first: date, last: date) -> date | None:
    """The first day of the month asked for, if the page's period touches it."""
    asked = _day(f"{text}-01")
    return asked if asked and first.replace(day=1) <= asked <= last else None


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _previous(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def _same_month(day: date, month: date) -> bool:
    return (day.year, day.month) == (month.year, month.month)


def _still_reading(answer: Offer, end: datetime) -> str:
    """A sentence if busy times are not known up to `end`; what is unknown is never called taken."""
    known = answer.read_until
    if known is None or known >= end:
        return ""
    if known <= timezone.now():
        return _("The free times are still being read. Please look again in a few minutes.")
    after = dates.day_name(known.astimezone(ZoneInfo(answer.page.time_zone)).date())
    return _("Times after %(day)s are still being read. Please look again in a few minutes.") % {"day": after}


def _empty(month: date, free: Mapping[date, object], days: Mapping[date, object], reading: str) -> str:
    if free:
        return ""
    if reading:
        return reading
    if days:
        return _("There is no free time in %(month)s.") % {"month": dates.month_name(month)}
    return _("There is no free time at present. Please look again later.")


def _next_free(request: HttpRequest, month: date, days: Mapping[date, object]) -> Context:
    """The nearest month with times: a later one, else the last before."""
    later = [day for day in days if day > month]
    day = later[0] if later else max(days)
    return {
        "label": _("To %(day)s") % {"day": dates.day_name(day)},
        "url": link(request, request.path, month=f"{day:%Y-%m}", day=day.isoformat()),
    }


def _month_table(
    request: HttpRequest,
    month: date,
    free: Mapping[date, object],
    chosen: date | None,
    period: tuple[date, date],
) -> Context:
    first, last = period
    address = guest.opened(link(request, request.path))

    def turn(to: date) -> str:
        return f"{address}month={to:%Y-%m}"

    cells = cells_of(month, dict(zip(free, dates.day_names(free), strict=True)), f"{turn(month)}&day=", chosen, first)
    return {
        "label": dates.month_name(month),
        "previous_url": turn(_previous(month)) if month > first else None,
        "next_url": turn(_next(month)) if _next(month) <= last else None,
        "weekdays": dates.weekday_names(),
        "weeks": cells,
    }


def _times(request: HttpRequest, form: str, zone: str, day: date, starts: list[int]) -> Context:
    there = ZoneInfo(zone)
    clocks = dates.clocks(datetime.fromtimestamp(start, there) for start in starts)
    return {
        "heading": dates.day_name(day),
        "slots": items_of(dict(zip(starts, clocks, strict=True)), f"{guest.opened(link(request, form))}start="),
    }


def _choices(request: HttpRequest, answer: Offer, wish: Wish) -> list[Context]:
    names = {member.id: words.person(member.name) for member in answer.value.members}
    kinds = {place.id: guest.place_name(place.kind) for place in answer.value.locations}
    shown = {"month": request.GET.get("month")}
    offered = guest.lengths(answer.page)
    current = wish.minutes or answer.page.duration_minutes
    length_choice = {
        "heading": _("Length"),
        "options": [
            {
                "label": length(minutes),
                "url": link(request, request.path, **shown, minutes=str(minutes)),
                "current": minutes == current,
            }
            for minutes in offered
        ],
    }
    choices = (
        ("host", pgettext("guest", "Host"), _("Anybody"), guest.person_choices(answer), names, wish.host_id),
        ("place", _("Place"), _("Any place"), guest.place_choices(answer), kinds, wish.place_id),
    )
    return ([length_choice] if len(offered) > 1 else []) + [
        {
            "heading": heading,
            "options": [
                {
                    "label": labels[pk] if pk else any_label,
                    "url": link(request, request.path, **shown, **{name: str(pk) if pk else None}),
                    "current": pk == current,
                }
                for pk in (None, *ids)
            ],
        }
        for name, heading, any_label, ids, labels, current in choices
        if ids
    ]
