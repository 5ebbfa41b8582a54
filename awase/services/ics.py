"""The calendar part of a mail (RFC 5545, RFC 5546): one UID per booking for ever, SEQUENCE grows with each change,
so that the guest's calendar updates in place."""

from datetime import datetime

from django.conf import settings
from icalendar import Calendar, Event, vCalAddress, vText

from awase.models import Booking, BookingState
from awase.services.booking import hosts_of


def invitation(booking: Booking, now: datetime) -> tuple[str, str]:
    """The ICS text for the guest and its METHOD: REQUEST, or CANCEL once the booking is cancelled."""
    cancelled = booking.state == BookingState.CANCELLED
    method = "CANCEL" if cancelled else "REQUEST"
    calendar = Calendar()
    calendar.add("prodid", "-//Awase//Scheduling//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    event = Event()
    event.add("uid", f"{booking.uid}@{settings.AWASE_URL.split('//', 1)[1].split(':')[0]}")
    event.add("sequence", booking.sequence)
    event.add("dtstamp", now)
    event.add("dtstart", booking.start)
    event.add("dtend", booking.end)
    event.add("summary", booking.title)
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    if place := booking.join_url or booking.location_detail:
        event.add("location", place)
    for position, host in enumerate(hosts_of(booking)):
        address = vCalAddress(f"MAILTO:{host.user.email}")
        address.params["CN"] = vText(host.name)
        if position == 0:
            event["organizer"] = address
        else:
            event.add("attendee", address, encode=False)
    guest = vCalAddress(f"MAILTO:{booking.guest_email}")
    guest.params["CN"] = vText(booking.guest_name)
    guest.params["PARTSTAT"] = vText("ACCEPTED")
    event.add("attendee", guest, encode=False)
    calendar.add_component(event)
    return calendar.to_ical().decode(), method
