"""What of a booking is written into calendars and meetings."""

from django.utils import translation
from django.utils.translation import gettext as _

from awase.models import Booking, BookingState, CalendarEvent
from awase.providers.protocols import EventDraft, MeetingDraft


def event_draft(booking: Booking, event: CalendarEvent, *, meet: bool) -> EventDraft:
    """The event of one host: guests stand in title and text, never as attendees – we alone invite. The rooms that
    the booking takes are invited, so that they are booked at the service too."""
    with translation.override(booking.workspace.language):
        guests = seated(booking)
        lines = [line for guest in guests for line in _about(guest)]
        return EventDraft(
            key=event.key,
            title=_title(booking),
            start=booking.start,
            end=booking.end,
            time_zone=booking.page.time_zone,
            description="\n".join([*lines, *([booking.join_url] if booking.join_url else [])]),
            location=booking.join_url or booking.location_detail,
            room_addresses=_rooms(booking, event),
            meet=meet,
        )


def seated(booking: Booking) -> list[Booking]:
    """The guests' bookings: the live seats of a session, else the booking itself."""
    if not booking.is_session:
        return [booking]
    return list(booking.seats.filter(state=BookingState.CONFIRMED).order_by("pk"))


def _rooms(booking: Booking, event: CalendarEvent) -> tuple[str, ...]:
    """The rooms that this event invites: those of its service, in the first such event only, for a room that is
    asked twice declines."""
    assert event.calendar is not None
    service = event.calendar.connection.credential.service
    rooms = booking.room_times.filter(active=True, room__service=service).order_by("room")
    hosts = booking.host_times.filter(active=True).values("member")
    alike = booking.calendar_events.filter(member__in=hosts, calendar__connection__credential__service=service)
    if alike.order_by("pk").first() != event:
        return ()
    return tuple(rooms.values_list("room__address", flat=True))


def _about(booking: Booking) -> list[str]:
    further = ", ".join(booking.further_guests)
    known = [
        f"{_('Guest')}: {booking.guest_name} <{booking.guest_email}>",
        f"{_('Company')}: {booking.guest_company}" if booking.guest_company else "",
        f"{_('Phone')}: {booking.guest_phone}" if booking.guest_phone else "",
        f"{_('Further guests')}: {further}" if further else "",
        booking.guest_note,
        *(f"{question}: {answer}" for question, answer in booking.answers),
    ]
    return [line for line in known if line]


def _title(booking: Booking) -> str:
    return booking.title if booking.is_session else f"{booking.title} – {booking.guest_name}"


def meeting_draft(booking: Booking) -> MeetingDraft:
    """The online meeting of a booking."""
    return MeetingDraft(
        key=booking.uid,
        title=_title(booking)[:200],
        start=booking.start,
        end=booking.end,
        time_zone=booking.page.time_zone,
    )
