"""Rendering and sending one mail: text, HTML, and the calendar part where the booking has one for the guest."""

import smtplib
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from awase.domain.colour import is_colour, palette
from awase.domain.health import BACKED_BY
from awase.models import Booking, BookingChange, BookingState, Effect, Workspace
from awase.services import awaited, dates, ics, letters, mail_texts, words
from awase.services.hosts import NAMING, hosts_of, name_is_open
from awase.services.letters import Letter
from awase.services.links import manage_secret
from awase.services.quotas import COUNTED


class NotSent(Exception):
    """The mail server did not take it; it will be tried again."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail as it is read."""

    subject: str
    text: str
    html: str


def rendered(template: str, language: str, context: dict[str, Any], brand: Workspace | None = None) -> Rendered:
    """The mail of this template in the language. What is callable in the context is called in that language; with
    `own_subject` and `own_text` the page's owner has worded it. `brand`: the workspace whose colour, logo and name it
    bears."""
    with translation.override(language):
        context = {"sender_line": _("This mail was sent by Awase."), **_resolved(context)}
        if brand is not None:
            logo = f"{settings.AWASE_URL}/media/logos/{brand.logo}" if brand.logo else ""
            context["brand"] = {"name": brand.name, "logo_url": logo}
            if is_colour(brand.accent):
                context["palette"] = palette(brand.accent)
        if own := context.get("own"):
            context |= mail_texts.put_in(context, own)
        name = f"mail/{template}"
        subject = context.get("own_subject") or render_to_string(f"{name}.subject.txt", context)
        return Rendered(
            " ".join(subject.split()),
            render_to_string(f"{name}.txt", context),
            render_to_string(f"{name}.html", context),
        )


def send(effect: Effect) -> None:
    """Send the mail of this effect. Raises NotSent."""
    letter = _booking_letter(effect) if effect.booking else letters.notice(effect, timezone.now())
    if letter is None:
        return
    with dates.clock_of(letter.clock):
        content = rendered(letter.template, letter.language, letter.context, letter.brand)
    message = EmailMultiAlternatives(
        subject=content.subject,
        body=content.text,
        to=[letter.to],
        reply_to=[letter.reply_to] if letter.reply_to else None,
        # Always the same for one mail: should it be sent twice after a crash, mailboxes know it again.
        headers={"Message-ID": f"<{sha256(effect.key.encode()).hexdigest()[:40]}@{ics.host()}>"},
    )
    message.attach_alternative(content.html, "text/html")
    with translation.override(letter.language):
        if letter.invitation:
            text, method = ics.invitation(letter.invitation, datetime.now(UTC))
            message.attach_alternative(text, f"text/calendar; charset=utf-8; method={method}")
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(type(error).__name__) from error
    if effect.payload.get("template") == awaited.TEMPLATE:
        awaited.forget(effect.payload["wish"])


def _resolved(context: dict[str, Any]) -> dict[str, Any]:
    """Call what must be worded in the recipient's language only once that language is in force."""
    return {key: value() if callable(value) else value for key, value in context.items()}


def facts(booking: Booking, *, for_host: bool) -> dict[str, Any]:
    """What the booking is, as rows for people, in the language in force. A guest reads no host's name as long as
    it may still be another."""
    zone = booking.page.time_zone if for_host else booking.guest_time_zone
    rows, names = [], ""
    if for_host or not name_is_open(booking):
        names = pgettext("list of names", ", ").join(words.person(host.name) for host in hosts_of(booking))
        rows.append(_row(_("Host") if for_host else pgettext("guest", "Host"), names))
    if for_host:
        guests = booking.seats.filter(state__in=COUNTED) if booking.is_session else [booking]
        rows += [row for guest in guests for row in _about_guest(guest)]
    kind = words.location_name(booking.location_kind, to_guest=not for_host) if booking.location_kind else ""
    place = ": ".join(filter(None, [kind, booking.location_detail]))
    if place:
        rows.append(_row(_("Place"), place))
    link = booking.join_url if booking.state == BookingState.CONFIRMED else ""
    if link:
        rows.append(_row(_("Link"), link, link))
    return {
        "title": booking.title,
        "when": dates.when(booking.start, booking.end, zone),
        "zone": dates.zone_name(zone, booking.start),
        "host": names,
        "place": place,
        "link": link,
        "facts": rows,
    }


def _row(label: str, value: str, url: str = "") -> dict[str, str]:
    return {"label": label, "value": value, "url": url}


def _about_guest(booking: Booking) -> list[dict[str, str]]:
    """What a host is told of a guest."""
    known = [
        (_("Guest"), f"{booking.guest_name} <{booking.guest_email}>"),
        (_("Company"), booking.guest_company),
        (_("Phone"), booking.guest_phone),
        (_("Further guests"), pgettext("list of names", ", ").join(booking.further_guests)),
        (_("Note"), booking.guest_note),
        *((str(question), str(answer)) for question, answer in booking.answers),
    ]
    return [_row(label, value) for label, value in known if value]


def manage_url(booking: Booking) -> str:
    """The guest's secret link to manage the booking."""
    return f"{settings.AWASE_URL}/b/{booking.uid}/{manage_secret(booking)}"


def place_notes(booking: Booking, *, link_follows: bool) -> list[str]:
    """What must be said honestly about the place."""
    notes = []
    if booking.place_missing:
        notes.append(_("Your host will tell you the place."))
    if link_follows and booking.location_kind in BACKED_BY:
        notes.append(_("The link for the online meeting follows in a separate mail."))
    return notes


FILES = {
    "confirmed": "confirmation",
    "approved": "confirmation",
    "requested": "confirmation",
    "host_booked": "host_notice",
    "host_requested": "host_notice",
    "host_cancelled": "cancelled",
    "host_changed": "changed",
    "host_released": "released",
    "host_expired": "declined",
}
"""The templates of mails that are worded like others; the rest have one of their own name."""
WITH_INVITATION = {"confirmed", "approved", "changed", "cancelled", "link_follows"}


def _booking_letter(effect: Effect) -> Letter:
    booking = effect.booking
    assert booking is not None
    template = effect.payload["template"]
    for_host = effect.member is not None
    copy = effect.payload.get("copy")
    link_follows = bool(effect.payload.get("link_follows"))
    recipient = booking.guest_name if copy is None else booking.further_guests[copy]
    context: dict[str, Any] = {
        "booking": lambda: facts(booking, for_host=for_host),
        "notes": lambda: [*place_notes(booking, link_follows=link_follows), *_why_moved(booking, template)],
        "recipient": recipient,
        "guest": booking.guest_name if for_host else recipient,
        "for_host": for_host,
        # Who was brought along may read everything, and change nothing.
        "manage_url": manage_url(booking) if copy is None else "",
        "booking_url": f"{settings.AWASE_URL}/app/bookings/{booking.uid}",
        "link": booking.join_url,
        "requested": booking.state == BookingState.REQUESTED,
        "approved": template == "approved",
        "expired": booking.state == BookingState.EXPIRED,
        "reason": booking.cancel_reason,
        "by": lambda: _cancelled_by(booking, to_guest=not for_host and copy is None),
        "again_url": "" if for_host else f"{settings.AWASE_URL}/{booking.workspace.slug}/{booking.page.slug}",
    }
    if effect.member:
        user = effect.member.user
        context["recipient"] = user.name
        return Letter(
            to=user.email,
            clock=user.clock,
            language=user.language or booking.workspace.language,
            template=FILES.get(template, template),
            context=context,
            reply_to=booking.guest_email,
            brand=booking.workspace,
        )
    hosts = [] if name_is_open(booking) else hosts_of(booking)
    lapsed = booking.state == BookingState.EXPIRED
    context["own"] = {} if lapsed else mail_texts.own(booking.page, template, booking.guest_language)
    return Letter(
        to=booking.guest_email if copy is None else recipient,
        language=booking.guest_language,
        template=FILES.get(template, template),
        context=context,
        reply_to=(hosts[0] if hosts else booking.page.owner).user.email,
        invitation=booking if template in WITH_INVITATION and _invited(booking) else None,
        brand=booking.workspace,
    )


def _invited(booking: Booking) -> bool:
    """Whether the guest was ever to have it in their calendar; a request that was withdrawn is nothing to cancel."""
    return Effect.objects.filter(booking=booking, member=None, payload__template__in=NAMING).exists()


def _why_moved(booking: Booking, template: str) -> list[str]:
    """The reason that was given for the change which this mail tells of, if it was a move."""
    if template not in {"changed", "host_changed"}:
        return []
    last = BookingChange.objects.filter(booking__in=[booking.pk, booking.session_id or booking.pk]).last()
    reason = last.detail.partition("Z – ")[2] if last and last.what.startswith("moved_by_") else ""
    return [_("Reason: %(reason)s") % {"reason": reason}] if reason else []


def _cancelled_by(booking: Booking, *, to_guest: bool) -> str:
    last = booking.changes.filter(what__startswith="cancelled_by_").last()
    if last and last.what == "cancelled_by_host":
        return _("The host has cancelled the booking.")
    if to_guest:
        return _("Your booking is cancelled, as you asked.")
    return _("The guest has cancelled the booking.")
