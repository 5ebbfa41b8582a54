"""分析: what was booked, and what connection errors cost, for the pages that the viewer sees."""

from collections.abc import Sequence
from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from awase.domain.history import Mark
from awase.models import BookingPage, Member
from awase.services import dates, words
from awase.services.dashboard import visible_pages
from awase.services.insights_health import HealthMeasures, measure
from awase.web.insights_bookings import bookings_part
from awase.web.shell import Context, MemberRequest, for_members, utcnow

MOST_PAGES = 20
WORTH_TELLING = timedelta(minutes=1)


@require_GET
@for_members
def insights(request: MemberRequest) -> HttpResponse:
    """The screen: bookings, and what connection errors cost."""
    # Plain rows: nothing is told of owners.
    pages = list(visible_pages(request.member).filter(archived_at=None).select_related(None))
    context = {
        "section": "insights",
        "bookings": bookings_part(request.member, pages),
        "health": health_part(request.member, pages),
    }
    return render(request, "dashboard/insights.html", context)


def health_part(member: Member, pages: Sequence[BookingPage]) -> Context:
    """The part on connection health (templates/dashboard/_insights_health.html)."""
    now = utcnow()
    found = measure(pages, now, member.user.time_zone)
    losses = [loss for loss in found.pages if loss.stopped >= WORTH_TELLING or loss.refused]
    return {
        "tiles": [
            {"label": _("Reception lost to connection errors"), "value": _hours(found.lost)},
            {"label": _("Bookings refused while stopped"), "value": str(found.refused)},
            {"label": _("Connection errors"), "value": str(found.errors)},
            {"label": _("From the first sign to the error"), "value": _median(found.detected_after)},
            {"label": _("From the error to the repair"), "value": _median(found.repaired_after)},
            {"label": _("From the repair to the open page"), "value": _median(found.opened_after)},
        ],
        "columns": _columns(found),
        "causes": _causes(found),
        "pages": [
            {
                "title": loss.page.title,
                "url": f"/app/pages/{loss.page.pk}/history",
                "values": [_hours(loss.stopped), _hours(loss.lost), str(loss.refused)],
            }
            for loss in losses[:MOST_PAGES]
        ],
    }


def _hours(length: timedelta) -> str:
    return _("%(hours)s h") % {"hours": f"{length.total_seconds() / 3600:.1f}"}


def _median(length: timedelta | None) -> str:
    """A length of time in its fitting unit."""
    if length is None:
        return "–"
    seconds = round(length.total_seconds())
    if seconds < 60:
        return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    if seconds < 5400:
        minutes = round(seconds / 60)
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    return _hours(length)


def _columns(found: HealthMeasures) -> Context:
    """Lost hours by day as columns: heights in tenths of the tallest, and the days with losses as a table."""
    hours = [day.hours(Mark.DANGER) for day in found.lost_by_day]
    most = max(hours, default=0.0)
    days = found.lost_by_day
    return {
        "most": _("%(hours)s h") % {"hours": f"{most:g}"} if most else "",
        "first": dates.date_name(days[0].day),
        "bars": [
            {
                "x": place,
                "y": round(20 - 20 * value / most, 2),
                "height": round(20 * value / most, 2),
                "title": f"{dates.date_name(day.day)}: {_('%(hours)s h') % {'hours': f'{value:g}'}}",
            }
            for place, (day, value) in enumerate(zip(days, hours, strict=True))
            if value
        ],
        "rows": [
            {"day": dates.day_name(day.day), "hours": f"{value:g}"}
            for day, value in zip(reversed(days), reversed(hours), strict=True)
            if value
        ],
    }


def _causes(found: HealthMeasures) -> list[Context]:
    """Time stopped by cause, each with its part of the longest."""
    longest = max(found.by_cause.values(), default=timedelta())
    return [
        {
            "label": words.stopped_by(cause) or _("Another reason"),
            "value": _hours(length),
            "width": round(100 * length / longest, 1),
        }
        for cause, length in found.by_cause.items()
        if length >= WORTH_TELLING
    ]
