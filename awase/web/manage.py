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
from awase.services import ics, links, mail
from awase.services.booking import Refusal, Refused
from awase.services.outbox import LINK_KINDS
from awase.services.quotas import COUNTED
from awase.services.waiting import LINK_PATIENCE
from awase.web import guest
from awase.web.guest import Context

FRESH = timedelta(minutes=10)  # so long the page greets the guest with the confirmation
LONGEST_REASON = 500
REFUSED = {
    Refusal.ALREADY_CANCELLED: gettext_lazy("The booking has been cancelled already."),
    Refusal.OVER: gettext_lazy("The booking is over; it can no longer be changed."),
    Refusal.NOT_ALLOWED: gettext_lazy("This booking cannot be changed here. Please write to your host."),
    Refusal.TOO_LATE: gettext_lazy("It is too late to change this booking here. Please write to your host."),
    Refusal.REASON_MISSING: gettext_lazy("Please give a reason."),
    Refusal.NOT_ACCEPTING: gettext_lazy("The booking cannot be moved at the moment. It stands as it is."),
}


def by_secret_link(view: Callable[[HttpRequest, Booking], HttpResponse]) -> Callable[..., HttpResponse]:
    """Open the booking that the link names. Nobody who follows a link from here learns the secret, no search engine
    keeps the page."""

    @wraps(view)
    def inside(request: HttpRequest, uid: str, secret: str) -> HttpResponse:
        booking = links.by_link(uid, secret)
        if booking is None:
            raise Http404
        response = view(request, booking)
        response["X-Robots-Tag"] = "noindex"
        response["Referrer-Policy"] = "no-referrer"
        return response

    return inside


def address(name: str, booking: Booking) -> str:
    return reverse(name, args=(booking.uid, links.manage_secret(booking)))


def branded(request: HttpRequest, booking: Booking) -> Context:
    """What every page about a booking shows of the page and the workspace it was made with."""
    return {**guest.manner(request, booking.page), "page": guest.title(booking.page), "noindex": True}


def see(request: HttpRequest, booking: Booking) -> HttpResponse:
    """On to the booking's own page, which can be reloaded without sending a form again."""
    kept = {name: request.GET[name] for name in ("embed", "lang") if name in request.GET}
    query = f"?{urlencode(kept)}" if kept else ""
    return HttpResponse(status=303, headers={"Location": address("booking", booking) + query})


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
                missing = refused.refusal is Refusal.REASON_MISSING
                text = str(REFUSED[refused.refusal])
                return _page(
                    request,
                    booking,
                    problem=text,
                    reason=reason,
                    reason_missing=missing,
                    status=422 if missing else 409,
                )
    return see(request, booking)


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


def change_text(booking: Booking, now: datetime, allowed: bool, until: int) -> str:
    """Why the guest can no longer do something; empty if they can. `until`: minutes before the start."""
    if booking.state not in COUNTED:
        return str(REFUSED[Refusal.ALREADY_CANCELLED])
    if booking.end <= now:
        return str(REFUSED[Refusal.OVER])
    if not allowed:
        return str(REFUSED[Refusal.NOT_ALLOWED])
    if until and booking.start - timedelta(minutes=until) < now:
        return str(REFUSED[Refusal.TOO_LATE])
    return ""


def _page(
    request: HttpRequest,
    booking: Booking,
    *,
    problem: str = "",
    reason: str = "",
    reason_missing: bool = False,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    page = booking.page
    again = guest.link(request, guest.address("booking_page", page))
    if booking.state not in COUNTED:
        by_guest = booking.changes.filter(what="cancelled_by_guest").exists()
        context = {
            **branded(request, booking),
            "booking": mail.facts(booking, for_host=False),
            "heading": BY_GUEST if by_guest else ENDED[BookingState(booking.state)],
            "icon": "check" if by_guest else "calendar",
            "text": "" if by_guest else ENDED_BECAUSE[BookingState(booking.state)],
            "reason": "" if by_guest else booking.cancel_reason,
            "again_url": "" if booking.page.archived_at else again,
        }
        return guest.show(request, "public/cancelled.html", context)
    asked = booking.state == BookingState.REQUESTED
    over = booking.end <= now
    cancel_text = change_text(booking, now, booking.page.guests_cancel or asked, 0 if asked else _cancel_until(booking))
    booked = now - booking.created_at < FRESH
    moved = booking.changes.filter(what="moved_by_guest", at__gt=now - FRESH).exists()
    fresh = (booked or moved) and not over
    context = {
        **branded(request, booking),
        "fresh": fresh,
        "booked": fresh and not moved,
        "heading": _heading(asked, fresh, moved),
        "asked": asked,
        "text": _fresh_text(booking, moved) if fresh else "",
        "thanks_url": booking.page.thanks_url if fresh and not moved else "",
        "badges": [] if fresh else [_badge(over, asked)],
        "problem": problem,
        "calendars": [] if over or asked else _calendars(booking),
        "move_url": "" if _move_text(booking, now) else guest.link(request, address("move", booking)),
        "cancel": None
        if cancel_text
        else {
            "url": guest.link(request, address("cancel", booking)),
            "longest": LONGEST_REASON,
            "required": booking.page.reason_required and not asked,
            "reason": reason,
            "error": problem if reason_missing else "",
        },
        "cancel_text": "" if problem else _("The booking is over.") if over else cancel_text,
        **_details(booking, now),
    }
    return guest.show(request, "public/manage.html", context, status=status)


BY_GUEST = gettext_lazy("The booking has been cancelled")
ENDED = {
    BookingState.CANCELLED: gettext_lazy("Your booking has been cancelled"),
    BookingState.DECLINED: gettext_lazy("The request has been declined"),
    BookingState.EXPIRED: gettext_lazy("The request was not answered in time"),
}
ENDED_BECAUSE = {
    BookingState.CANCELLED: gettext_lazy("The host has cancelled the booking."),
    BookingState.DECLINED: gettext_lazy("The host cannot meet you at this time."),
    BookingState.EXPIRED: gettext_lazy("We are sorry. The time is given back; please choose another one."),
}


def _cancel_until(booking: Booking) -> int:
    return booking.page.cancel_until_minutes


def _move_text(booking: Booking, now: datetime) -> str:
    return change_text(booking, now, booking.page.guests_move, booking.page.move_until_minutes)


def _heading(asked: bool, fresh: bool, moved: bool) -> str:
    if fresh and moved:
        return _("The time has been changed")
    if asked:
        return _("Your request has been sent") if fresh else _("Your request")
    return _("Your booking is confirmed") if fresh else _("Your booking")


def _fresh_text(booking: Booking, moved: bool) -> str:
    if moved:
        return _("The new details go to %(email)s.") % {"email": booking.guest_email}
    if booking.state == BookingState.REQUESTED:
        return _("Your host answers by mail to %(email)s.") % {"email": booking.guest_email}
    return _("A confirmation goes to %(email)s.") % {"email": booking.guest_email}


def _badge(over: bool, asked: bool) -> Context:
    if over:
        return {"kind": "neutral", "label": _("Over")}
    return {"kind": "warn", "label": _("Waiting for an answer")} if asked else {"kind": "ok", "label": _("Confirmed")}


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
    if booking.location_kind not in LINK_KINDS or booking.join_url or booking.state != BookingState.CONFIRMED:
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
    return [{"label": label, "url": url, "icon": icon, "new_tab": new_tab} for label, url, icon, new_tab in links]
