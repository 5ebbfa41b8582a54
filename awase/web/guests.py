"""Guests: everybody who has booked what the viewer may see, and all bookings of one of them."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import Lower
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from awase.models import Booking, BookingState
from awase.services import dashboard, dates
from awase.services.quotas import COUNTED
from awase.web.booking_search import with_hosts
from awase.web.bookings import in_days, zone_label
from awase.web.paging import sheet
from awase.web.shell import Context, MemberRequest, for_members, in_zone_of, utcnow

MOST_SHOWN = 200


@require_GET
@for_members
def guest_list(request: MemberRequest) -> HttpResponse:
    """The guests, who came last first; told apart by mail address."""
    query = request.GET.get("q", "").strip()[:100]
    found = dashboard.visible_bookings(request.member)
    if query:
        found = found.filter(Q(guest_name__icontains=query) | Q(guest_email__icontains=query))
    rows, pager = sheet(request, _counted(found).order_by("-last", "email"), {"q": query})
    context = {
        "section": "bookings",
        "q": query,
        "guests": [
            {
                "name": row["name"],
                "email": row["email"],
                "url": f"/app/guests/of?{urlencode({'email': row['email']})}",
                "facts": _facts(request, row),
            }
            for row in rows
        ],
        "pager": pager,
        "empty_text": _("Nobody has booked yet.") if not query else _("There is no such guest."),
    }
    return render(request, "dashboard/guests.html", context)


def _counted(found: QuerySet[Booking]) -> Any:
    """A row for each guest, with what came of their bookings."""
    return (
        found.order_by()
        .annotate(email=Lower("guest_email"))
        .values("email")
        .annotate(
            name=Max("guest_name"),
            bookings=Count("pk", filter=Q(state=BookingState.CONFIRMED)),
            cancelled=Count("pk", filter=Q(state=BookingState.CANCELLED)),
            missed=Count("no_show_at"),
            last=Max("start"),
        )
    )


def _facts(request: MemberRequest, row: dict[str, Any]) -> list[str]:
    facts = [
        ngettext("%(count)d booking", "%(count)d bookings", row["bookings"]) % {"count": row["bookings"]},
        _("last %(when)s") % {"when": dates.full_day_name(in_zone_of(request.member, row["last"]).date())},
    ]
    if row["cancelled"]:
        facts.append(_("%(count)d cancelled") % {"count": row["cancelled"]})
    if row["missed"]:
        facts.append(_("did not come: %(count)d") % {"count": row["missed"]})
    return facts


@require_GET
@for_members
def of(request: MemberRequest) -> HttpResponse:
    """One guest: what is to come, what was, what came to nothing."""
    email = request.GET.get("email", "").strip().lower()
    found = dashboard.visible_bookings(request.member).filter(guest_email__iexact=email)
    row = next(iter(_counted(found)), None)
    if not email or row is None:
        raise Http404
    now = utcnow()
    shown = with_hosts(found)
    coming = shown.filter(state__in=COUNTED, end__gt=now).order_by("start", "pk")
    past = shown.filter(state=BookingState.CONFIRMED, end__lte=now).order_by("-start", "-pk")
    ended = shown.exclude(state__in=COUNTED).order_by("-start", "-pk")
    groups: list[Context] = [
        {"heading": heading, "days": in_days(list(rows[:MOST_SHOWN]), request.member)}
        for heading, rows in ((_("Coming"), coming), (_("Past"), past), (_("Cancelled"), ended))
    ]
    context = {
        "section": "bookings",
        "name": row["name"],
        "email": email,
        "facts": _facts(request, row),
        "groups": [group for group in groups if group["days"]],
        "zone_label": zone_label(request.member),
    }
    return render(request, "dashboard/guest.html", context)
