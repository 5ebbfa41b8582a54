"""What a host does with a booking: answer a request, move it, hand it to somebody else, mark a no-show, send the
mail again, book for a guest; and the list as a file. Each says what came of it; nothing happens twice."""

import csv
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from awase.domain.intervals import moment
from awase.domain.permissions import Act
from awase.models import Booking, BookingPage, Member
from awase.services import booking as bookings
from awase.services import dashboard, dates, moving, requests, words
from awase.services.hosts import carrier_of
from awase.services.permissions import may
from awase.services.placing import eased, standing_wish
from awase.services.refusals import Refusal, Refused
from awase.services.slots import offer
from awase.web.booking_form import Line, MailField
from awase.web.booking_search import filtered
from awase.web.moments import LocalTimeField
from awase.web.numbers import whole_number
from awase.web.shell import Context, MemberRequest, for_members, utcnow

LONGEST_REASON = 1000
DAYS_AHEAD = 14
MOST_TIMES = 60
RUN = frozenset("=+-@\t\r\n＝＋－＠")
REFUSED = {
    Refusal.SLOT_GONE: gettext_lazy("This time is not free (any more). Choose another one."),
    Refusal.LOCATION_GONE: gettext_lazy("The meeting cannot be held this way then. Choose another time."),
    Refusal.NOT_ACCEPTING: gettext_lazy("Health stops the page at the moment: see the connections."),
    Refusal.ALREADY_CANCELLED: gettext_lazy("The booking does not stand any more; nothing was changed."),
    Refusal.OVER: gettext_lazy("The booking is over; nothing was changed."),
    Refusal.NOT_WAITING: gettext_lazy("The request was answered already, or has lapsed."),
    Refusal.HOST_UNFIT: gettext_lazy("This member is not free then, or cannot take the place."),
    Refusal.NOT_STARTED: gettext_lazy("The booking has not begun yet."),
    Refusal.CHANGED: gettext_lazy("Somebody changed the booking at the same moment. Look again."),
}
Doing = Callable[[MemberRequest, Booking, datetime], str]


def refusal_text(refusal: Refusal) -> str:
    """Why something about a booking was not done."""
    return str(REFUSED.get(refusal, _("This cannot be done; nothing was changed.")))


def _acts(act: Doing) -> Callable[..., HttpResponse]:
    """A button on the details of a booking: does it, says so, and shows the details again."""

    @require_POST
    @for_members
    def view(request: MemberRequest, uid: str) -> HttpResponse:
        booking = get_object_or_404(dashboard.visible_bookings(request.member), uid=uid)
        try:
            messages.success(request, act(request, booking, utcnow()))
        except Refused as refused:
            messages.error(request, refusal_text(refused.refusal))
        return redirect(f"/app/bookings/{uid}")

    return view


def _approve(request: MemberRequest, booking: Booking, now: datetime) -> str:
    requests.approve(booking, now, by=request.member)
    return _("The booking stands. The guest is told by mail.")


def _decline(request: MemberRequest, booking: Booking, now: datetime) -> str:
    requests.decline(booking, now, by=request.member, reason=_reason(request))
    return _("The request is declined. The guest is told by mail.")


def _no_show(request: MemberRequest, booking: Booking, now: datetime) -> str:
    came = request.POST.get("no_show") == "no"
    bookings.mark_no_show(booking, now, by=request.member, no_show=not came)
    return _("The mark is taken back.") if came else _("Marked: the guest did not come.")


def _resend(request: MemberRequest, booking: Booking, now: datetime) -> str:
    bookings.resend(booking, now, by=request.member)
    return _("The mail is sent once more.")


def _reassign(request: MemberRequest, booking: Booking, now: datetime) -> str:
    moving.reassign(
        booking,
        whole_number(request.POST.get("member")) or 0,
        now,
        by=request.member,
        instead_of=whole_number(request.POST.get("instead_of")),
    )
    return _("Handed over. Everybody is told by mail.")


def _move(request: MemberRequest, booking: Booking, now: datetime) -> str:
    try:
        start = datetime.fromisoformat(request.POST.get("start", ""))
    except ValueError:
        raise Refused(Refusal.SLOT_GONE) from None
    if start.tzinfo is None:
        start = start.replace(tzinfo=ZoneInfo(request.member.user.time_zone))
    moving.move(booking, start, now, by=request.member, reason=_reason(request))
    return _("Moved. The guest is told by mail.")


def _reason(request: MemberRequest) -> str:
    return request.POST.get("reason", "").replace("\x00", "").strip()[:LONGEST_REASON]


approve, decline, no_show, resend, reassign, move = map(
    _acts, (_approve, _decline, _no_show, _resend, _reassign, _move)
)


@require_GET
@for_members
def times(request: MemberRequest, uid: str) -> HttpResponse:
    """The times to which this booking could be moved in the next two weeks, as choices of a form."""
    booking = get_object_or_404(dashboard.visible_bookings(request.member), uid=uid)
    if not may(request.member, Act.HANDLE_BOOKING, booking):
        return HttpResponse(status=404)
    now = utcnow()
    minutes = (booking.end - booking.start) // timedelta(minutes=1)
    wish = standing_wish(booking, booking.start, minutes, moving.with_its_session(booking))
    page = eased(booking.page, unbound=True)
    answer = offer(page, now, now + timedelta(days=DAYS_AHEAD), now, minutes=minutes, moving=wish.moving)
    there = ZoneInfo(request.member.user.time_zone)
    starts = [moment(start).astimezone(there) for start in answer.slots.starts]
    starts = [start for start in starts if wish.host_id is None or wish.host_id in answer.hosts_at(start)]
    context = {
        "section": "bookings",
        "back_url": f"/app/bookings/{uid}",
        "move_url": f"/app/bookings/{uid}/move",
        "now_at": dates.when(booking.start, booking.end, there.key),
        "days": _by_day([start for start in starts if start != booking.start][:MOST_TIMES]),
        "zone": dates.zone_name(there.key, now),
        "title": booking.guest_name or booking.title,
    }
    return render(request, "dashboard/booking_times.html", context)


def _by_day(starts: list[datetime]) -> list[Context]:
    days: dict[str, list[Context]] = {}
    for start in starts:
        day = days.setdefault(dates.day_name(start.date()), [])
        day.append({"time": dates.clock(start), "value": start.isoformat()})
    return [{"heading": heading, "slots": slots} for heading, slots in days.items()]


class ForGuestForm(forms.Form):
    """A booking that a host takes down for a guest, on the phone for instance."""

    start = LocalTimeField(
        label=gettext_lazy("Beginning"),
        help_text=gettext_lazy("In your own time zone. Notice and period of the page do not bind you."),
    )
    name = Line(max_length=100, label=gettext_lazy("Guest's name"))
    email = MailField(max_length=254, label=gettext_lazy("Guest's mail address"))
    language = forms.ChoiceField(label=gettext_lazy("Guest's language"), choices=[("ja", "日本語"), ("en", "English")])
    note = forms.CharField(
        required=False, max_length=2000, label=gettext_lazy("Note"), widget=forms.Textarea(attrs={"rows": 3})
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def for_guest(request: MemberRequest, pk: int) -> HttpResponse:
    """Book on a guest's behalf."""
    page = get_object_or_404(dashboard.visible_pages(request.member), pk=pk)
    member: Member = request.member
    if not may(member, Act.BOOK_FOR_GUEST, page):
        raise Http404
    form = ForGuestForm(request.POST or None, initial={"language": member.workspace.language})
    if request.method == "POST" and form.is_valid():
        try:
            taken = bookings.book(page, _request(form.cleaned_data, page, member), utcnow())
        except Refused as refused:
            form.add_error("start", refusal_text(refused.refusal))
        else:
            messages.success(request, _("Booked. The guest is told by mail."))
            return redirect(f"/app/bookings/{taken.uid}")
    section = {
        "id": "book",
        "heading": page.title,
        "url": f"/app/pages/{pk}/book",
        "form": form,
        "template": "dashboard/_section_form.html",
        "button": _("Book"),
    }
    context = {
        "section": "pages",
        "heading": _("Book for a guest"),
        "sections": [section],
        "back_url": f"/app/pages/{pk}",
        "back": page.title,
    }
    return render(request, "dashboard/one_form.html", context, status=400 if form.errors else 200)


def _request(entered: dict[str, Any], page: BookingPage, member: Member) -> bookings.Request:
    zone = ZoneInfo(member.user.time_zone)
    return bookings.Request(
        start=entered["start"].replace(tzinfo=zone),
        guest=bookings.Guest(
            name=entered["name"],
            email=entered["email"],
            language=entered["language"],
            time_zone=page.time_zone,
            note=entered["note"],
        ),
        by=member,
        unbound=True,
    )


@require_GET
@for_members
def as_file(request: MemberRequest) -> HttpResponse:
    """The bookings of the list as CSV, in UTF-8 with a mark at its head, so that spreadsheets read Japanese."""
    found, _kept = filtered(request)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="bookings.csv"'
    response.write("\ufeff")
    sheet = csv.writer(response)
    sheet.writerow(
        [_("Beginning"), _("End"), _("State"), _("Page"), _("Hosts"), _("Guest"), _("Email"), _("Place"), _("Note")]
    )
    there = ZoneInfo(request.member.user.time_zone)
    for booking in found.iterator(chunk_size=500):
        hosts = [row.member.name for row in carrier_of(booking).host_times.all()]
        row = [
            booking.start.astimezone(there).isoformat(timespec="minutes"),
            booking.end.astimezone(there).isoformat(timespec="minutes"),
            booking.state,
            booking.title,
            ", ".join(hosts),
            booking.guest_name,
            booking.guest_email,
            words.location_name(booking.location_kind) if booking.location_kind else "",
            booking.guest_note,
        ]
        sheet.writerow([_harmless(str(value)) for value in row])
    return response


def _harmless(text: str) -> str:
    """A cell that begins like a formula would be run by a spreadsheet: a quote before it keeps it text."""
    return f"'{text}" if text[:1] in RUN else text
