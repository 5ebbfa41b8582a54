"""Every mail about a booking as it would look, for owners who write their own words and for the gallery."""

from datetime import UTC, datetime, timedelta

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from awase.models import BookingPage
from awase.services import dates, mail, mail_texts, words
from awase.services.mail import Rendered

TO_HOSTS = ("host_booked", "host_requested", "host_changed", "host_cancelled", "host_released", "host_expired")
ALL = (*mail_texts.EDITABLE, "link_follows", "expired", *TO_HOSTS)
FILES = mail.FILES | {"expired": "declined"}
WITH_LINK = ("confirmed", "approved", "changed", "reminder", "link_follows", "host_booked", "host_changed")
LINK = "https://meet.example/abc-defg-hij"
NOWHERE = "#"


def sample(
    page: BookingPage, template: str, language: str, now: datetime, *, subject: str = "", text: str = ""
) -> Rendered:
    """The mail with made-up details, in this language; `subject` and `text` are the owner's words."""
    with translation.override(language):
        context = _context(page, template, now)
        context |= mail_texts.put_in(context, {"subject": subject, "text": text})
        return mail.rendered(FILES.get(template, template), language, context, page.workspace)


def _context(page: BookingPage, template: str, now: datetime) -> dict[str, object]:
    start = (now + timedelta(days=3)).astimezone(UTC).replace(hour=1, minute=0, second=0, microsecond=0)
    end = start + timedelta(minutes=page.duration_minutes)
    guest, host = _("Hanako Yamada"), words.person(page.owner.name)
    to_host = template in TO_HOSTS
    location = page.locations.first()
    place = words.location_name(location.kind, to_guest=not to_host) if location else ""
    rows = [(_("Host") if to_host else pgettext("guest", "Host"), host, "")]
    if to_host:
        rows.append((_("Guest"), f"{guest} <hanako@guest.example>", ""))
    rows += [(_("Place"), place, "")] if place else []
    if template in WITH_LINK:
        rows.append((_("Link"), LINK, NOWHERE))
    return {
        "booking": {
            "title": page.title,
            "when": dates.when(start, end, page.time_zone),
            "zone": dates.zone_name(page.time_zone, start),
            "host": host,
            "place": place,
            "link": LINK,
            "facts": [{"label": label, "value": value, "url": url} for label, value, url in rows],
        },
        "notes": [],
        "recipient": page.owner.name if to_host else guest,
        "guest": guest,
        "for_host": to_host,
        "manage_url": NOWHERE,
        "booking_url": NOWHERE,
        "again_url": "" if to_host else NOWHERE,
        "link": NOWHERE,
        "requested": template in ("requested", "host_requested"),
        "approved": template == "approved",
        "expired": template in ("expired", "host_expired"),
        "reason": "",
        "by": _("The guest has cancelled the booking.") if to_host else _("The host has cancelled the booking."),
    }
