"""The calendar part of a mail (RFC 5545, RFC 5546): one UID per booking for ever, SEQUENCE grows with each change,
so that the guest's calendar updates in place."""

from __future__ import annotations

from datetime import datetime
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from icalendar import Calendar, Event, vCalAddress, vText

from awase.models import Booking, BookingState
from awase.services.hosts import hosts_of, name_is_open
from awase.services.quotas import COUNTED


def host() -> str:
    """The name by which this instance's identifiers are unique in the world."""
    return str(urlsplit(settings.AWASE_URL).hostname)


def invitation(booking: Booking, now: datetime) -> tuple[str, str]:
    """The ICS text for guests and its METHOD: REQUEST, or CANCEL once the booking does not stand any more. It is
    tentative while it waits for an answer. As long as the host may still be another, the workspace invites."""
    off = booking.state not in COUNTED
    tentative = booking.state == BookingState.REQUESTED
    method = "CANCEL" if off else "REQUEST"
    calendar = Calendar()
    calendar.add("prodid", "-//Awase//Scheduling//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    event = Event()
    event.add("uid", f"{booking.uid}@{host()}")
    event.add("sequence", booking.sequence)
    event.add("dtstamp", now)
    event.add("dtstart", booking.start)
    event.add("dtend", booking.end)
    event.add("summary", booking.title)
    event.add("status", "CANCELLED" if off else "TENTATIVE" if tentative else "CONFIRMED")
    if place := booking.join_url or booking.location_detail:
        event.add("location", place)
    hosts = [] if name_is_open(booking) else hosts_of(booking)
    people = [_person(host.user.email, host.name) for host in hosts]
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    event["organizer"], *others = people or [_person(sender, booking.workspace.name)]
    guests = [_person(booking.guest_email, booking.guest_name), *map(_person, booking.further_guests)]
    for attendee in guests:
        attendee.params["PARTSTAT"] = vText("ACCEPTED")
    for attendee in [*others, *guests]:
        event.add("attendee", attendee, encode=False)
    calendar.add_component(event)
    return calendar.to_ical().decode(), method


def _person(address: str, name: str = "") -> vCalAddress:
    person = vCalAddress(f"MAILTO:{address}")
    if name:
        person.params["CN"] = vText(name)
    return person
