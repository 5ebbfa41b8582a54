"""What must happen outside after a booking changed, written as effect rows in its transaction.

Meetings and events belong to the booking that carries them (a group session, else the booking itself), one
effect for each account concerned; mails belong to each guest's own booking, one effect for each recipient.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet

from awase.domain.health import BACKED_BY, LocationKind, Service
from awase.models import (
    Booking,
    BookingChange,
    BookingState,
    Calendar,
    CalendarEvent,
    Effect,
    EffectKind,
    EffectState,
    HostTime,
    Member,
)
from awase.models.bulk import insert_all
from awase.models.prepared import prepared, together
from awase.services import webhooks
from awase.services.hosts import NAMING, carrier_of, stands
from awase.services.webhooks import Event

MEETING_KINDS = {kind for kind, (service, _) in BACKED_BY.items() if not service.calendars}
LINK_KINDS = set(BACKED_BY)
OUTSIDE = (EffectKind.MEETING, EffectKind.EVENT)
REMINDERS = ("reminder", "follow_up")
TOLD = {
    "requested": Event.BOOKING_REQUESTED,
    "booked": Event.BOOKING_CONFIRMED,
    "booked_by_host": Event.BOOKING_CONFIRMED,
    "approved": Event.BOOKING_CONFIRMED,
    "moved_by_guest": Event.BOOKING_RESCHEDULED,
    "moved_by_host": Event.BOOKING_RESCHEDULED,
    "cancelled_by_guest": Event.BOOKING_CANCELLED,
    "cancelled_by_host": Event.BOOKING_CANCELLED,
    "declined": Event.BOOKING_CANCELLED,
    "expired": Event.BOOKING_CANCELLED,
    "reassigned": Event.BOOKING_REASSIGNED,
    "handed_over": Event.BOOKING_REASSIGNED,
    "no_show": Event.BOOKING_NO_SHOW,
}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a mail: a member, or a guest (`more` of the payload tells which). `name` tells mails apart."""

    name: str
    member_id: int | None = None
    more: Mapping[str, int] = field(default_factory=dict)


def note(booking: Booking, what: str, now: datetime, *, by: Member | None = None, detail: str = "") -> None:
    """An entry in the booking's history: what happened, and which member did it. Endpoints are told of it too."""
    detail = ": ".join(part for part in (by.name if by else "", detail) if part)
    insert_all([BookingChange(booking=booking, at=now, what=what, detail=detail[:300])])
    if event := TOLD.get(what):
        webhooks.tell(booking.workspace_id, event, _told_of(booking, event), now)


def _told_of(booking: Booking, event: Event) -> list[int]:
    """The guests' own bookings that an entry is about: a session has entries of its own, and so have its seats,
    except where it moves."""
    if not booking.is_session:
        return [booking.pk]
    live = booking.seats.filter(state__in=[BookingState.CONFIRMED, BookingState.REQUESTED])
    return list(live.order_by("pk").values_list("pk", flat=True)) if event is Event.BOOKING_RESCHEDULED else []


def booked(booking: Booking, now: datetime, *, template: str = "confirmed") -> None:
    """A booking that stands: meeting, an event in each host's calendar, mails to guests and hosts, reminders."""
    bring(booking, now)
    tell_guests(booking, template, now)
    if template == "confirmed":
        tell_hosts(booking, "host_booked", now)
    plan_reminders(booking, now)


def requested(booking: Booking, now: datetime) -> None:
    """A request that waits for a host's answer: mails only."""
    tell_guests(booking, "requested", now, copies=False)
    tell_hosts(booking, "host_requested", now)


def answered(booking: Booking, now: datetime) -> None:
    """A request that was declined, or lapsed."""
    tell_guests(booking, "declined", now, copies=False)
    if booking.state == BookingState.EXPIRED:
        tell_hosts(booking, "host_expired", now)


def cancelled(booking: Booking, now: datetime, *, hosts: bool = True) -> None:
    """A cancelled booking ends with no event and no meeting, and everybody knows."""
    bring(booking, now)
    tell_guests(booking, "cancelled", now)
    if hosts:
        tell_hosts(booking, "host_cancelled", now)
    plan_reminders(booking, now)


def changed(booking: Booking, now: datetime, *, hosts: bool = True) -> None:
    """Something about the booking changed: meeting and events follow, reminders move, guests and hosts are told."""
    bring(booking, now)
    tell_guests(booking, "changed", now)
    if hosts:
        tell_hosts(booking, "host_changed", now)
    plan_reminders(booking, now)


def link_arrived(carrier: Booking, now: datetime) -> None:
    """The meeting link is known: put it into the events, and send it to guests who were told that it follows."""
    bring(carrier, now, [EffectKind.EVENT])
    guests = carrier.seats.filter(state=BookingState.CONFIRMED) if carrier.is_session else [carrier]
    for booking in guests:
        told_without = Effect.objects.filter(booking=booking, kind=EffectKind.MAIL, payload__link_follows=True)
        if told_without.exists():
            tell_guests(booking, "link_follows", now)


def bring(booking: Booking, now: datetime, kinds: Collection[EffectKind] = OUTSIDE) -> None:
    """Ask for the present state outside, wherever something of the booking is or should be; asking again while
    it is under way makes it run once more."""
    carrier = carrier_of(booking)
    outside, with_event, hosts = together(
        _outside.of(carrier.pk), _with_event.of(carrier.pk), _active_hosts.of(carrier.pk)
    )
    there = set(outside)
    if again := {kind for kind, _member in there} & {str(kind) for kind in kinds}:
        due_again = Effect.objects.filter(booking=carrier, kind__in=again)
        due_again.update(wanted=F("wanted") + 1)
        due_again.exclude(state=EffectState.RUNNING).update(
            state=EffectState.PENDING, next_at=now, attempts=0, parked_for=None, parked_reason=""
        )
    if not stands(carrier):
        return
    due = set()
    if EffectKind.EVENT in kinds:
        known = {member_id for (member_id,) in with_event}
        due = {
            (EffectKind.EVENT, member_id)
            for member_id in known | _new_events(carrier, _holders(carrier, hosts) - known)
        }
    if carrier.location_kind in MEETING_KINDS and carrier.location_member_id and EffectKind.MEETING in kinds:
        due.add((EffectKind.MEETING, carrier.location_member_id))
    insert_all(
        Effect(kind=kind, key=f"{kind}:{carrier.uid}:{member_id}", booking=carrier, member_id=member_id, next_at=now)
        for kind, member_id in sorted(due - there, reverse=True)  # meetings first: events show their link
    )


def holders(carrier: Booking) -> set[int]:
    """The members in whose calendars an event of this booking stands: its hosts, and whoever makes its Meet link."""
    return _holders(carrier, _active_hosts(carrier.pk))


def _holders(carrier: Booking, active_hosts: Iterable[tuple[int]]) -> set[int]:
    hosts = {member_id for (member_id,) in active_hosts}
    if carrier.location_kind == LocationKind.MEET and carrier.location_member_id:
        hosts.add(carrier.location_member_id)
    return hosts


def _new_events(carrier: Booking, member_ids: Collection[int]) -> set[int]:
    """Those of these members who get an event of this booking now."""
    fresh = []
    for member in _members(member_ids):
        calendar_id = calendar_for(carrier, member)
        if calendar_id is not None:
            fresh.append(CalendarEvent(booking=carrier, member=member, calendar_id=calendar_id))
    insert_all(fresh)
    return {event.member_id for event in fresh}


@prepared
def _outside(booking: Any) -> QuerySet[Effect, tuple[Any, ...]]:
    return Effect.objects.filter(booking=booking, kind__in=OUTSIDE).values_list("kind", "member")


@prepared
def _with_event(booking: Any) -> QuerySet[CalendarEvent, tuple[Any, ...]]:
    return CalendarEvent.objects.filter(booking=booking).values_list("member")


@prepared
def _active_hosts(booking: Any) -> QuerySet[HostTime, tuple[Any, ...]]:
    return HostTime.objects.filter(booking=booking, active=True).order_by("pk").values_list("member")


@prepared
def _hosts(booking: Any) -> QuerySet[HostTime, tuple[Any, ...]]:
    return HostTime.objects.filter(booking=booking).order_by("pk").values_list("member")


@prepared
def _members(ids: Any) -> QuerySet[Member]:
    return Member.objects.filter(pk__among=ids).order_by("pk")


def calendar_for(carrier: Booking, member: Member) -> int | None:
    """The calendar that this member's event of the booking goes into."""
    if carrier.location_kind == LocationKind.MEET and member.pk == carrier.location_member_id:
        return meet_calendar(member) or member.booking_calendar_id
    return member.booking_calendar_id


def tell_guests(booking: Booking, template: str, now: datetime, *, copies: bool = True) -> None:
    """A mail to the guest, and one to each further guest. A change is not told apart to somebody to whom a mail
    about the booking as it stands has yet to go. (A session's guests have bookings of their own.)"""
    if booking.is_session:
        return
    recipients = [Recipient("guest")]
    if copies:
        recipients += [Recipient(f"copy{index}", more={"copy": index}) for index in range(len(booking.further_guests))]
    if template == "changed":
        waiting = Effect.objects.filter(
            booking=booking,
            kind=EffectKind.MAIL,
            member=None,
            state=EffectState.PENDING,
            payload__template__in=[*NAMING, "changed"],
        )
        # Locked, so that none of them is taken to be sent before this change is there to be read.
        told = {effect.payload.get("copy") for effect in waiting.select_for_update()}
        recipients = [one for one in recipients if one.more.get("copy") not in told]
    mail(booking, template, now, recipients)


def tell_hosts(booking: Booking, template: str, now: datetime, member_ids: Iterable[int] | None = None) -> None:
    """A mail to each host (or these members)."""
    if member_ids is None:
        member_ids = [member_id for (member_id,) in _hosts(carrier_of(booking).pk)]
    mail(booking, template, now, [Recipient(str(member_id), member_id) for member_id in member_ids])


def plan_reminders(booking: Booking, now: datetime) -> None:
    """Reminders and follow-up as the page wants them, in place of those planned before. Those for hosts belong to
    the session, where there is one."""
    carrier, page = carrier_of(booking), booking.page
    _take_back(booking)
    if booking.state == BookingState.CONFIRMED and not booking.is_session:
        for minutes in page.reminders.get("guest", []):
            _remind(booking, "reminder", booking.start - timedelta(minutes=minutes), minutes, now, [None])
        if page.follow_up_minutes is not None:
            after = booking.end + timedelta(minutes=page.follow_up_minutes)
            _remind(booking, "follow_up", after, page.follow_up_minutes, now, [None])
    if stands(carrier):
        hosts = [member_id for (member_id,) in _active_hosts(carrier.pk)] if page.reminders.get("host") else []
        for minutes in page.reminders.get("host", []):
            _remind(carrier, "reminder", carrier.start - timedelta(minutes=minutes), minutes, now, hosts)
    else:
        _take_back(carrier)


def _take_back(booking: Booking) -> None:
    if planned := [pk for pk, payload in _waiting_mails(booking.pk) if payload.get("template") in REMINDERS]:
        Effect.objects.filter(pk__in=planned, state=EffectState.PENDING).delete()


@prepared
def _waiting_mails(booking: Any) -> QuerySet[Effect, tuple[Any, ...]]:
    rows = Effect.objects.filter(booking=booking, kind=EffectKind.MAIL, state=EffectState.PENDING)
    return rows.values_list("pk", "payload")


def _remind(
    booking: Booking, template: str, at: datetime, minutes: int, now: datetime, member_ids: Iterable[int | None]
) -> None:
    """A mail at a later moment, which is valid for the booking as it is now only."""
    if at > now:
        more = {"sequence": booking.sequence}
        recipients = [Recipient(f"{member_id or 'guest'}:{minutes}", member_id, more) for member_id in member_ids]
        mail(booking, template, at, recipients)


def mail(booking: Booking, template: str, at: datetime, recipients: Iterable[Recipient]) -> None:
    """One mail about the booking in its present state to each recipient; the same mail is never asked for twice."""
    insert_all(
        (
            Effect(
                kind=EffectKind.MAIL,
                key=f"mail:{template}:{booking.uid}:{one.name}:{booking.sequence}",
                booking=booking,
                member_id=one.member_id,
                payload={"template": template, **one.more},
                next_at=at,
            )
            for one in recipients
        ),
        ignore=True,
    )


def meet_calendar(member: Member) -> int | None:
    """The Google calendar that carries the member's Meet links: the one their bookings are added to, else the
    main one of the account chosen for Meet (an only Google account is chosen by itself)."""
    google = Calendar.objects.filter(connection__member=member, connection__credential__service=Service.GOOGLE)
    if member.booking_calendar_id and google.filter(pk=member.booking_calendar_id).exists():
        return member.booking_calendar_id
    if member.meet_connection_id:
        google = google.filter(connection=member.meet_connection_id)
    elif google.values("connection").distinct().count() != 1:
        return None
    return google.filter(writable=True).order_by("-primary", "pk").values_list("pk", flat=True).first()
