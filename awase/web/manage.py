"""A guest's own booking, by its secret link: what it is, the meeting link once it is there, a calendar file,
cancelling."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from awase.models import Booking, BookingState, Effect, EffectKind, EffectState
from awase.services import booking as bookings
from awase.services import ics, mail
from awase.services.booking import Refusal, Refused
from awase.services.outbox import LINK_KINDS
from awase.services.waiting import LINK_PATIENCE
from awase.web import guest
from awase.web.guest import Context

FRESH = timedelta(minutes=10)  # so long the page greets the guest with the confirmation
LONGEST_REASON = 500
REFUSED = {
    Refusal.ALREADY_CANCELLED: gettext_lazy("The booking has been cancelled already."),
    Refusal.OVER: gettext_lazy("The booking is over; it can no longer be cancelled."),
}


def by_secret_link(view: Callable[[HttpRequest, Booking], HttpResponse]) -> Callable[..., HttpResponse]:
    """Open the booking that the link names. Nobody who follows a link from here learns the secret, no search engine
    keeps the page."""

    @wraps(view)
    def inside(request: HttpRequest, uid: str, secret: str) -> HttpResponse:
        booking = bookings.by_link(uid, secret)
        if booking is None:
            raise Http404
        response = view(request, booking)
        response["X-Robots-Tag"] = "noindex"
        response["Referrer-Policy"] = "no-referrer"
        return response

    return inside


def address(name: str, booking: Booking) -> str:
    return reverse(name, args=(booking.uid, bookings.manage_secret(booking)))


@require_safe
@by_secret_link
def show(request: HttpRequest, booking: Booking) -> HttpResponse:
    """The booking: the confirmation while it is fresh, later its details, in the end that it was cancelled."""
    return _page(request, booking)


# The secret in the address is what entitles to cancel; there is no cookie that another site could make use of.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@by_secret_link
def cancel(request: HttpRequest, booking: Booking) -> HttpResponse:
    """Cancel the booking. Opening the address alone changes nothing."""
    if request.method == "POST":
        reason = request.POST.get("reason", "").replace("\x00", "").strip()[:LONGEST_REASON]
        try:
            bookings.cancel(booking, timezone.now(), reason=reason)
        except Refused as refused:
            if refused.refusal is not Refusal.ALREADY_CANCELLED:
                return _page(request, booking, problem=str(REFUSED[refused.refusal]), status=409)
    return HttpResponse(status=303, headers={"Location": address("booking", booking)})


@require_safe
@by_secret_link
def calendar_file(request: HttpRequest, booking: Booking) -> HttpResponse:
    """The booking as a calendar file; importing it again updates the entry in place."""
    text, method = ics.invitation(booking, timezone.now())
    return HttpResponse(
        text,
        content_type=f"text/calendar; charset=utf-8; method={method}",
        headers={"Content-Disposition": 'attachment; filename="booking.ics"', "Cache-Control": "private, no-cache"},
    )


@require_safe
@by_secret_link
def live(request: HttpRequest, booking: Booking) -> HttpResponse:
    """The part of the page that waits for the meeting link; 204 as long as it still waits."""
    if _waiting_for_link(booking, timezone.now()):
        return HttpResponse(status=204)
    return guest.show(request, "public/_booking.html", _details(booking, timezone.now()))


def _page(request: HttpRequest, booking: Booking, *, problem: str = "", status: int = 200) -> HttpResponse:
    now = timezone.now()
    page = booking.page
    again = guest.address("booking_page", page)
    if booking.state == BookingState.CANCELLED:
        by_host = booking.changes.filter(what="cancelled_by_host").exists()
        context = {
            "noindex": True,
            "booking": mail.facts(booking, for_host=False),
            "text": _("The host has cancelled the booking.") if by_host else "",
            "reason": booking.cancel_reason if by_host else "",
            "again_url": again,
        }
        return guest.show(request, "public/cancelled.html", context)
    over = booking.end <= now
    fresh = now - booking.created_at < FRESH and not over
    context = {
        "noindex": True,
        "fresh": fresh,
        "heading": _("Your booking is confirmed") if fresh else _("Your booking"),
        "text": _("A confirmation goes to %(email)s.") % {"email": booking.guest_email} if fresh else "",
        "badges": [] if fresh else [_badge(over)],
        "problem": problem,
        "calendars": [] if over else _calendars(booking),
        "cancel": None if over else {"url": address("cancel", booking), "longest": LONGEST_REASON},
        "cancel_text": _("The booking is over.") if over and not problem else "",
        **_details(booking, now),
    }
    return guest.show(request, "public/manage.html", context, status=status)


def _badge(over: bool) -> Context:
    return {"kind": "neutral", "label": _("Over")} if over else {"kind": "ok", "label": _("Confirmed")}


def _details(booking: Booking, now: datetime) -> Context:
    """What may still change by itself: the place and the link."""
    waiting = _waiting_for_link(booking, now)
    late = booking.location_kind in LINK_KINDS and not booking.join_url and not waiting and booking.end > now
    return {
        "booking": mail.facts(booking, for_host=False),
        "notes": mail.place_notes(booking, link_follows=late),
        "waiting_url": address("booking_live", booking) if waiting else "",
    }


def _waiting_for_link(booking: Booking, now: datetime) -> bool:
    """Whether the meeting link may come any moment; not while it waits for somebody to repair an account."""
    if booking.location_kind not in LINK_KINDS or booking.join_url or booking.state == BookingState.CANCELLED:
        return False
    if now - booking.created_at >= LINK_PATIENCE:
        return False
    makers = Effect.objects.filter(booking=booking, kind__in=[EffectKind.MEETING, EffectKind.EVENT])
    return makers.filter(state__in=[EffectState.PENDING, EffectState.RUNNING]).exists()


def _calendars(booking: Booking) -> list[Context]:
    """The booking for the guest's own calendar. The secret link is not handed to those services."""
    start, end = (moment.astimezone(UTC) for moment in (booking.start, booking.end))
    place = booking.join_url or booking.location_detail
    google = {
        "action": "TEMPLATE",
        "text": booking.title,
        "dates": f"{start:%Y%m%dT%H%M%SZ}/{end:%Y%m%dT%H%M%SZ}",
        "location": place,
    }
    outlook = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": booking.title,
        "startdt": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "enddt": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "location": place,
    }
    links = (
        (_("Google Calendar"), f"https://calendar.google.com/calendar/render?{urlencode(google)}", "external", True),
        ("Outlook", f"https://outlook.live.com/calendar/0/deeplink/compose?{urlencode(outlook)}", "external", True),
        (_("Calendar file (.ics)"), address("calendar_file", booking), "download", False),
    )
    return [
        {"label": label, "url": url, "icon": icon, "new_tab": new_tab, "method": "get"}
        for label, url, icon, new_tab in links
    ]
