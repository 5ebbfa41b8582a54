"""A guest moves their booking to another time: the month again, then one question before it is done."""

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from awase.domain.intervals import epoch, moment
from awase.models import Booking
from awase.services import dates, moving
from awase.services.placing import eased, standing_wish
from awase.services.reading import LONGEST_HORIZON
from awase.services.refusals import Refusal, Refused
from awase.services.slots import Offer, offer, rules_of
from awase.web import guest
from awase.web.guest import Context
from awase.web.manage import LONGEST_REASON, REFUSED, address, branded, by_secret_link, change_text, see
from awase.web.public import calendar


# The secret in the address is what entitles to move; there is no cookie that another site could make use of.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@by_secret_link
def move(request: HttpRequest, booking: Booking) -> HttpResponse:
    """Choose another time, and say so. Opening the address alone changes nothing."""
    now = timezone.now()
    if barred := change_text(booking, now, booking.page.guests_move, booking.page.move_until_minutes):
        return _refused(request, booking, barred)
    start = guest.start_of(request.POST.get("again") or request.POST.get("start") or request.GET.get("start", ""))
    if start is None:
        return _month(request, booking, now)
    reason = request.POST.get("reason", "").replace("\x00", "").strip()[:LONGEST_REASON]
    if request.method != "POST" or "again" in request.POST:
        return _confirm(request, booking, start, reason=reason)
    try:
        moving.move(booking, start, now, by=None, reason=reason)
    except Refused as refused:
        return _not_moved(request, booking, start, reason, refused.refusal)
    return see(request, booking)


def _not_moved(request: HttpRequest, booking: Booking, start: datetime, reason: str, refusal: Refusal) -> HttpResponse:
    """What is in the way, and what can be done; the reason that was typed is kept."""
    if refusal is Refusal.REASON_MISSING:
        return _confirm(request, booking, start, problem=str(REFUSED[refusal]), status=422)
    if refusal in (Refusal.SLOT_GONE, Refusal.LOCATION_GONE, Refusal.CHANGED):
        answer, _end, starts = _offer(booking, timezone.now())
        if answer.accepting:
            gone = guest.fresh_times(request, booking.guest_time_zone, starts, start)
            gone |= {"kept": bool(reason), "more_url": guest.link(request, address("move", booking))}
            return _confirm(request, booking, start, reason=reason, gone=gone, status=409)
    text = str(REFUSED.get(refusal, REFUSED[Refusal.NOT_ACCEPTING]))
    return _confirm(request, booking, start, reason=reason, refused=text, status=409)


def _refused(request: HttpRequest, booking: Booking, text: str) -> HttpResponse:
    context = {
        **branded(request, booking),
        "text": text,
        "back_url": guest.link(request, address("booking", booking)),
    }
    return guest.show(request, "public/closed.html", context, status=409)


def _offer(booking: Booking, now: datetime) -> tuple[Offer, datetime, list[int]]:
    """What the page offers to this booking, how far, and the starts at which its hosts can go along."""
    page = eased(booking.page, unbound=False)
    end = moment(min(rules_of(page).period_span(epoch(now))[1], epoch(now + LONGEST_HORIZON)))
    minutes = (booking.end - booking.start) // timedelta(minutes=1)
    wish = standing_wish(booking, booking.start, minutes, moving.with_its_session(booking))
    answer = offer(page, now, end, now, minutes=minutes, moving=wish.moving, guest=booking.guest_email)
    starts = answer.slots.starts
    if wish.host_id is not None:
        starts = [start for start in starts if wish.host_id in answer.hosts_at(moment(start))]
    return answer, end, [start for start in starts if start != epoch(booking.start)]


def _month(request: HttpRequest, booking: Booking, now: datetime) -> HttpResponse:
    answer, end, starts = _offer(booking, now)
    if not answer.accepting:
        return _refused(request, booking, str(REFUSED[Refusal.NOT_ACCEPTING]))
    context = {
        **branded(request, booking),
        "page": guest.summary(booking.page, answer, guest.Wish(), _now_at(request, booking)),
        "back_url": guest.link(request, address("booking", booking)),
        "back_label": _("Back to the booking"),
        "choices": [],
        **calendar(request, answer, starts, end, address("move", booking), booking.guest_time_zone),
    }
    return guest.show(request, "public/page.html", context)


def _now_at(request: HttpRequest, booking: Booking) -> Context:
    """When the booking is as yet, in the zone of the times beside it."""
    zone = guest.zone_of(request, booking.guest_time_zone)
    return {
        "icon": "calendar",
        "text": dates.when(booking.start, booking.end, zone),
        "strong": True,
        "detail": _("Booked now – %(zone)s") % {"zone": dates.zone_name(zone, booking.start)},
    }


def _confirm(
    request: HttpRequest,
    booking: Booking,
    start: datetime,
    *,
    reason: str = "",
    problem: str = "",
    refused: str = "",
    gone: Context | None = None,
    status: int = 200,
) -> HttpResponse:
    zone = guest.zone_of(request, booking.guest_time_zone)
    end = start + (booking.end - booking.start)
    context = {
        **branded(request, booking),
        "before": dates.when(booking.start, booking.end, zone),
        "after": dates.when(start, end, zone),
        "zone": dates.zone_name(zone, start),
        "start": guest.start_text(start),
        "gone": gone,
        "reason": reason,
        "reason_required": booking.page.reason_required,
        "longest": LONGEST_REASON,
        "problem": problem,
        "refused": refused,
        "back_url": guest.link(request, address("move", booking)),
    }
    return guest.show(request, "public/move.html", context, status=status)
