"""What of a booking is written into calendars and meetings."""

from django.utils import translation
from django.utils.translation import gettext as _

from awase.models import Booking, CalendarEvent
from awase.providers.protocols import EventDraft, MeetingDraft


def event_draft(booking: Booking, event: CalendarEvent, *, meet: bool) -> EventDraft:
    """The event of one host: the guest stands in title and text, never as an attendee – we alone invite."""
    with translation.override(booking.workspace.language):
        lines = [
            f"{_('Guest')}: {booking.guest_name} <{booking.guest_email}>",
            f"{_('Phone')}: {booking.guest_phone}" if booking.guest_phone else "",
            booking.guest_note,
            booking.join_url,
        ]
        return EventDraft(
            key=event.key,
            title=f"{booking.title} – {booking.guest_name}",
            start=booking.start,
            end=booking.end,
            time_zone=booking.page.time_zone,
            description="\n".join(line for line in lines if line),
            location=booking.join_url or booking.location_detail,
            meet=meet,
        )


def meeting_draft(booking: Booking) -> MeetingDraft:
    """The online meeting of a booking."""
    return MeetingDraft(
        key=booking.uid,
        title=f"{booking.title} – {booking.guest_name}"[:200],
        start=booking.start,
        end=booking.end,
        time_zone=booking.page.time_zone,
    )
