"""Bringing the event of a booking in one member's calendar to the booking's present state."""

from datetime import datetime, timedelta

from django.db import transaction

from awase import registry
from awase.domain.errors import Capability, FailureClass, FailureScope, ProviderError, Reason
from awase.domain.health import BACKED_BY, LocationKind, Service
from awase.models import Booking, Calendar, CalendarEvent, Effect, Member
from awase.models.booking import new_uid
from awase.providers.protocols import CalendarProvider, WrittenEvent
from awase.services import outbox
from awase.services.calls import Call, Parked, Postponed, remember
from awase.services.drafts import event_draft
from awase.services.hosts import stands
from awase.services.signals import Cause, Good, record, record_missing
from awase.services.tokens import source
from awase.services.waiting import link_pending

CALENDAR_MISSING = "calendar_missing"  # why an event waits: there is no other calendar that it could go into


def bring(effect: Effect, now: datetime) -> None:
    """Write or delete the event of this effect's booking in its member's calendar. Raises what `calls` has, and
    ProviderError."""
    booking = effect.booking
    assert booking is not None
    event = CalendarEvent.objects.select_related("calendar__connection__credential").get(
        booking=booking, member=effect.member_id
    )
    due = stands(booking) and effect.member_id in outbox.holders(booking)
    untouched = not effect.payload.get("asked")
    if not due and untouched and event.written_sequence < 0:
        return  # nothing was ever asked for
    if due and (event.calendar is None or event.calendar.missing_since):
        event = _elsewhere(booking, event)
    if event.calendar is None:
        return  # with the account went whatever was written there
    if due and booking.location_kind in outbox.MEETING_KINDS and link_pending(booking, booking.created_at, now):
        raise Postponed(timedelta(seconds=2))
    holds_meet = booking.location_kind == LocationKind.MEET and booking.location_member_id == effect.member_id
    awaits_link = holds_meet and not booking.join_url
    if due and awaits_link:
        event = _where_meet_is(booking, event, now)
    assert event.calendar is not None
    credential = event.calendar.connection.credential
    provider = _provider(event.calendar)
    try:
        with Call(credential, Capability.CALENDAR if due else None, now):
            if not due:
                provider.delete_event(event.calendar.external_id, event.key, event.external_id)
                return
            remember(effect, {"asked": True})
            draft = event_draft(booking, event, meet=holds_meet)
            written = provider.put_event(event.calendar.external_id, draft, event.external_id)
    except Parked:
        if untouched:
            remember(effect, {})  # the only call ever made was refused
        raise
    except ProviderError as error:
        if not due or error.failure.kind is not FailureClass.NOT_FOUND:
            raise
        if error.failure.scope is FailureScope.EVENT:
            # Deleted behind our back; the service keeps its id reserved, so a new one is drawn.
            CalendarEvent.objects.filter(pk=event.pk).update(key=new_uid(), external_id="")
        else:
            record_missing(credential.pk, [event.calendar.external_id], error.failure, Cause.CALL, now)
        raise Postponed(timedelta(seconds=1)) from error
    CalendarEvent.objects.filter(pk=event.pk).update(external_id=written.id, written_sequence=booking.sequence)
    if awaits_link:
        if not _makes_meet(event.calendar):
            raise Parked(None, "not_connected")
        if written.meet_failure:
            record(credential.pk, written.meet_failure, Cause.CALL, now)
            raise Parked(credential, (written.meet_failure.reason or Reason.LICENCE_MISSING).value, Capability.MEET)
        _keep_link(effect, booking, written, now)
        record(credential.pk, Good(capability=Capability.MEET), Cause.CALL, now)


def _elsewhere(booking: Booking, event: CalendarEvent) -> CalendarEvent:
    """The event's calendar was disconnected or has vanished: it goes into the one that the member has now. Raises
    Parked if there is none."""
    wanted = wanted_calendar(booking, event.member_id)
    if wanted is not None and wanted.missing_since is None:
        return _into(wanted, event)
    awaited = wanted or event.calendar
    if awaited is None:
        raise Parked(None, "not_connected")
    raise Parked(awaited.connection.credential, CALENDAR_MISSING)


def _where_meet_is(booking: Booking, event: CalendarEvent, now: datetime) -> CalendarEvent:
    """The event of a booking that awaits its Meet link, out of a calendar that has none into one that makes it, where
    there is such a one now."""
    assert event.calendar is not None
    wanted = wanted_calendar(booking, event.member_id)
    if _makes_meet(event.calendar) or wanted is None or wanted.missing_since or not _makes_meet(wanted):
        return event
    with Call(event.calendar.connection.credential, None, now):
        _provider(event.calendar).delete_event(event.calendar.external_id, event.key, event.external_id)
    return _into(wanted, event)


def _makes_meet(calendar: Calendar) -> bool:
    service, _ = BACKED_BY[LocationKind.MEET]
    return calendar.connection.credential.service == service


def _into(calendar: Calendar, event: CalendarEvent) -> CalendarEvent:
    event.calendar, event.key, event.external_id = calendar, new_uid(), ""
    event.save(update_fields=["calendar", "key", "external_id"])
    return event


def _provider(calendar: Calendar) -> CalendarProvider:
    credential = calendar.connection.credential
    return registry.calendars(Service(credential.service), source(credential))


def wanted_calendar(booking: Booking, member_id: int) -> Calendar | None:
    """The calendar that this member's event of the booking goes into, as things stand; None if there is none."""
    member = Member.objects.get(pk=member_id)
    found = Calendar.objects.select_related("connection__credential")
    return found.filter(pk=outbox.calendar_for(booking, member) or 0).first()


def _keep_link(effect: Effect, booking: Booking, written: WrittenEvent, now: datetime) -> None:
    """Write down the Meet link, unless the booking has been handed over meanwhile."""
    if not written.join_url:
        raise Postponed(timedelta(seconds=3))
    with transaction.atomic():
        shown = Booking.objects.filter(pk=booking.pk, location_member=effect.member_id)
        if shown.update(join_url=written.join_url):
            booking.seats.update(join_url=written.join_url)
            outbox.link_arrived(booking, now)
