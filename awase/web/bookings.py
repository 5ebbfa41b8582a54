"""予約: the list and the details of one booking."""

import re
from datetime import datetime
from itertools import groupby
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_GET, require_POST

from awase.domain.errors import Reason
from awase.domain.permissions import Act
from awase.models import Booking, BookingState, Effect, EffectKind, EffectState, Member
from awase.services import booking as bookings
from awase.services import dashboard, dates, events, mail, words
from awase.services.hosts import carrier_of, hosts_of
from awase.services.permissions import may
from awase.services.quotas import COUNTED
from awase.web.booking_search import TABS, filtered, search_fields, troubled, views
from awase.web.paging import sheet
from awase.web.shell import Context, MemberRequest, action, for_members, local, post, utcnow

ENDED = {
    BookingState.CANCELLED: gettext_lazy("Cancelled"),
    BookingState.DECLINED: gettext_lazy("Declined"),
    BookingState.EXPIRED: gettext_lazy("Lapsed"),
}


def view_names() -> dict[str, str]:
    """The ways to look at bookings."""
    return {"list": pgettext("view", "List"), "week": pgettext("view", "Week"), "month": pgettext("view", "Month")}


def hosts_text(booking: Booking) -> str:
    """The hosts' names in one line."""
    return pgettext("list of names", ", ").join(row.member.name for row in carrier_of(booking).host_times.all())


def _row(booking: Booking, viewer: Member) -> Context:
    there = ZoneInfo(viewer.user.time_zone)
    starts, ends = booking.start.astimezone(there), booking.end.astimezone(there)
    facts = [booking.title, hosts_text(booking)]
    if booking.location_kind:
        facts.append(words.location_name(booking.location_kind))
    return {
        "url": f"/app/bookings/{booking.uid}",
        "time": f"{dates.clock(starts)}–{dates.clock(ends)}",
        "title": booking.guest_name,
        "facts": [fact for fact in facts if fact],
        "badges": badges(booking, waiting=bool(troubled(booking))),
    }


def badges(booking: Booking, *, waiting: bool) -> list[Context]:
    """The state of a booking in words."""
    shown: list[Context] = []
    if booking.state == BookingState.REQUESTED:
        shown.append({"kind": "warn", "label": _("Waiting for your answer")})
    elif booking.state in ENDED:
        shown.append({"kind": "neutral", "label": ENDED[BookingState(booking.state)]})
    elif booking.place_missing:
        shown.append({"kind": "warn", "label": _("Place missing")})
    if booking.no_show_at:
        shown.append({"kind": "neutral", "label": _("Did not come")})
    if booking.drift:
        shown.append({"kind": "warn", "label": _("Changed in the calendar")})
    if waiting:
        shown.append({"kind": "warn", "label": _("Work is waiting")})
    return shown


def in_days(found: list[Booking], viewer: Member) -> list[Context]:
    """Bookings in their order, under the days of the viewer's zone."""
    there = ZoneInfo(viewer.user.time_zone)
    return [
        {
            "heading": dates.full_day_name(day),
            "bookings": [_row(booking, viewer) for booking in of_day],
        }
        for day, of_day in groupby(found, key=lambda booking: booking.start.astimezone(there).date())
    ]


def zone_label(viewer: Member) -> str:
    """The zone of all times on a screen, by name."""
    return dates.zone_name(viewer.user.time_zone, utcnow())


@require_GET
@for_members
def booking_list(request: MemberRequest) -> HttpResponse:
    """The bookings that the viewer may see, by state, searched by guest."""
    found, kept = filtered(request)
    tab = kept["tab"]
    rows, pager = sheet(request, found, kept)
    labels = {
        "coming": _("Coming"),
        "requests": _("Requests"),
        "past": _("Past"),
        "cancelled": _("Cancelled"),
    }
    context = {
        "section": "bookings",
        "tabs": [
            {"label": labels[name], "url": f"/app/bookings?tab={name}", "current": name == tab, "error": False}
            for name in TABS
        ],
        "views": views(kept, "list", view_names()),
        "search": search_fields(request.member, kept, ("tab",)),
        "file_url": f"/app/bookings.csv?{urlencode(kept)}",
        "days": in_days(rows, request.member),
        "zone_label": zone_label(request.member),
        "pager": pager,
        **_nothing(kept),
    }
    return render(request, "dashboard/bookings.html", context)


def _nothing(kept: dict[str, str]) -> Context:
    """What an empty list says: where bookings come from, unless something was searched."""
    if kept["tab"] != "coming" or any(value for name, value in kept.items() if name != "tab"):
        return {"empty_text": _("There is no booking here."), "empty_action": None}
    return {
        "empty_text": _("No booking is to come. Guests book on your booking pages: send them the address."),
        "empty_action": action(_("To the booking pages"), "/app/pages"),
    }


@require_GET
@for_members
def booking_details(request: MemberRequest, uid: str) -> HttpResponse:
    """One booking: facts, what waits and why, history, cancel."""
    booking = get_object_or_404(dashboard.visible_bookings(request.member), uid=uid)
    now = utcnow()
    own_and_sessions = Effect.objects.filter(booking__in=[pk for pk in (booking.pk, booking.session_id) if pk])
    waiting = own_and_sessions.filter(state__in=[EffectState.PARKED, EffectState.FAILED]).order_by("pk")
    facts = mail.facts(booking, for_host=True)
    facts["facts"] = [*_with_files(booking, facts["facts"]), *_came_by(booking)]
    active = booking.state in COUNTED and booking.end > now
    handles = may(request.member, Act.HANDLE_BOOKING, booking)
    context = {
        "section": "bookings",
        "back_url": "/app/bookings",
        "booking": {**facts, "badges": badges(booking, waiting=bool(waiting))},
        "request_actions": {
            "approve": f"/app/bookings/{uid}/approve",
            "decline": f"/app/bookings/{uid}/decline",
        }
        if handles and booking.state == BookingState.REQUESTED
        else None,
        "reassign": {"url": f"/app/bookings/{uid}/reassign", "members": others, "hosts": hosts}
        if handles and active and (others := _others(booking)) and (hosts := _hosts(booking))
        else None,
        "parked": [*_drifted(booking), *map(waiting_work, waiting)],
        "place": {"url": f"/app/bookings/{uid}/place", "value": booking.location_detail}
        if active and handles and booking.place_missing
        else None,
        "actions": _actions(booking, now) if handles else [],
        "cancel": {"url": f"/app/bookings/{uid}/cancel"} if active and handles else None,
        "guest": _guest(booking, request.member),
        "history": [
            {
                "kind": "neutral",
                "when": local(change.at, request.member),
                "text": change_text(change.what),
                "cause": _in_words(change.detail, request.member),
            }
            for change in booking.changes.order_by("-at", "-id")
        ],
    }
    return render(request, "dashboard/booking.html", context)


def _in_words(detail: str, viewer: Member) -> str:
    """What was noted with a change; moments of a moved event as the viewer reads them."""

    def read(found: re.Match[str]) -> str:
        return local(datetime.fromisoformat(found[0]), viewer)

    return re.sub(r"\b\d{4}-\d\d-\d\d \d\d:\d\dZ", read, detail)


def _drifted(booking: Booking) -> list[Context]:
    """That an event of this booking was changed by hand, and what that means."""
    if not booking.drift:
        return []
    deleted = _("The event of this booking was deleted in a calendar.")
    moved = _("The event of this booking was moved in a calendar.")
    why = _("The booking stands as shown here, and so the guest expects it. To change that, move or cancel it here.")
    return [{"kind": "warn", "what": deleted if booking.drift == "deleted" else moved, "why": why, "cures": []}]


def _guest(booking: Booking, viewer: Member) -> Context:
    """The way to the guest's other bookings, and how many there are."""
    others = dashboard.visible_bookings(viewer).filter(guest_email__iexact=booking.guest_email).exclude(pk=booking.pk)
    return {"url": f"/app/guests/of?{urlencode({'email': booking.guest_email})}", "others": others.count()}


def _with_files(booking: Booking, rows: list[Context]) -> list[Context]:
    """The answers that are files lead to them."""
    files = {(file.question, file.name): file.pk for file in booking.files.defer("content")}
    return [
        row | {"url": f"/app/bookings/{booking.uid}/files/{files[asked]}"}
        if (asked := (row["label"], row["value"])) in files
        else row
        for row in rows
    ]


def _came_by(booking: Booking) -> list[Context]:
    """How the guest came to the page (UTM parameters)."""
    return [{"label": name, "value": value, "url": ""} for name, value in sorted(booking.tracking.items())]


@require_GET
@for_members
def guest_file(request: MemberRequest, uid: str, pk: int) -> HttpResponse:
    """A file that the guest gave as an answer. It is never shown, only saved: nobody has looked at what is in it."""
    booking = get_object_or_404(dashboard.visible_bookings(request.member), uid=uid)
    file = get_object_or_404(booking.files, pk=pk)
    response = HttpResponse(bytes(file.content), content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file.name) or "attachment"
    return response


def _others(booking: Booking) -> list[Context]:
    """The members of the page who do not host the booking."""
    hosts = {host.pk for host in hosts_of(booking)}
    links = booking.page.page_members.select_related("member__user").order_by("position", "id")
    return [{"value": link.member_id, "label": link.member.name} for link in links if link.member_id not in hosts]


def _hosts(booking: Booking) -> list[Context]:
    return [{"value": host.pk, "label": host.name} for host in hosts_of(booking)]


def _actions(booking: Booking, now: datetime) -> list[Context]:
    """What can be done with it besides answering, handing over and cancelling."""
    address = f"/app/bookings/{booking.uid}"
    shown: list[Context] = []
    if booking.state in COUNTED and booking.end > now:
        shown.append(action(_("Move to another time"), f"{address}/times"))
    if booking.state == BookingState.CONFIRMED:
        shown.append(post(_("Send the mail again"), f"{address}/resend"))
        if booking.start <= now:
            label = _("The guest did come") if booking.no_show_at else _("The guest did not come")
            value = "no" if booking.no_show_at else "yes"
            shown.append(post(label, f"{address}/no-show", name="no_show", value=value))
    return shown


def change_text(what: str) -> str:
    """An entry of a booking's history in words."""
    return {
        "requested": _("Requested"),
        "approved": _("Approved"),
        "declined": _("Declined"),
        "expired": _("Lapsed without an answer"),
        "moved_by_guest": _("Moved by the guest"),
        "moved_by_host": _("Moved by the host"),
        "booked_by_host": _("Booked by a host"),
        "reassigned": _("Handed to another host"),
        "handed_over": _("Handed to another host by itself, because an account failed"),
        "no_show": _("The guest did not come"),
        "no_show_taken_back": _("The guest did come"),
        "resent": _("Mail sent again"),
        "booked": _("Booked"),
        "cancelled_by_guest": _("Cancelled by the guest"),
        "cancelled_by_host": _("Cancelled by the host"),
        "place_told": _("Place filled in"),
        "event_deleted": _("The event was deleted in the calendar"),
        "event_moved": _("The event was moved in the calendar"),
        "event_right_again": _("The event in the calendar is right again"),
    }.get(what, what)


def waiting_work(effect: Effect) -> Context:
    """Parked or failed work with its reason, for people."""
    what = {
        EffectKind.MEETING: _("The online meeting could not be brought up to date."),
        EffectKind.EVENT: _("The calendar event could not be brought up to date."),
        EffectKind.MAIL: _("A mail could not be sent."),
    }[EffectKind(effect.kind)]
    if effect.state == EffectState.FAILED:
        return {"kind": "danger", "what": what, "why": _("The service refused it for good."), "cures": []}
    if effect.parked_reason in list(Reason):
        why = words.happened(Reason(effect.parked_reason))
    elif effect.parked_reason == events.CALENDAR_MISSING:
        why = _("The calendar that it belongs into is gone.")
    else:
        why = _("No account is connected for it.")
    follows = _("It follows by itself as soon as the connection is repaired.")
    return {"kind": "warn", "what": what, "why": f"{why} {follows}", "confirm_url": "/app/connections", "cures": []}


@require_POST
@for_members
def cancel(request: MemberRequest, uid: str) -> HttpResponse:
    """Cancel on the host's side; the guest is told by mail, with the reason."""
    booking = get_object_or_404(dashboard.visible_bookings(request.member), uid=uid)
    try:
        bookings.cancel(
            booking,
            utcnow(),
            reason=request.POST.get("reason", "").replace("\x00", "").strip()[:1000],
            by=request.member,
        )
    except bookings.Refused:
        messages.error(request, _("The booking is over or was cancelled already; nothing was changed."))
    else:
        messages.success(request, _("The booking is cancelled. The guest is told by mail."))
    return redirect(f"/app/bookings/{uid}")


@require_POST
@for_members
def fill_in_place(request: MemberRequest, uid: str) -> HttpResponse:
    """The place that guests were promised: written into the events and mailed to the guest."""
    booking = get_object_or_404(dashboard.visible_bookings(request.member), uid=uid)
    place = request.POST.get("place", "").replace("\x00", "").strip()[:500]
    if place:
        try:
            bookings.tell_place(booking, place, utcnow(), by=request.member)
        except bookings.Refused:
            messages.error(request, _("The booking is over or was cancelled already; nothing was changed."))
        else:
            messages.success(request, _("Saved. The guest is told by mail."))
    return redirect(f"/app/bookings/{uid}")
