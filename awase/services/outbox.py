"""What must happen outside after a booking changed, written as effect rows in its transaction."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F

from awase.domain.health import LocationKind, Service
from awase.models import Booking, Calendar, CalendarEvent, Effect, EffectKind, EffectState, Member

MEETING_KINDS = {LocationKind.ZOOM, LocationKind.TEAMS}
LINK_KINDS = MEETING_KINDS | {LocationKind.MEET}


def booked(booking: Booking, host_ids: Iterable[int], now: datetime) -> None:
    """A new booking: its meeting, an event in each host's calendar, mails to guest and hosts."""
    host_ids = list(host_ids)
    if booking.location_kind in MEETING_KINDS:
        want(booking, EffectKind.MEETING, None, now)
    holders = list(host_ids)
    if booking.location_kind == LocationKind.MEET and booking.location_member_id not in holders:
        assert booking.location_member_id is not None
        holders.append(booking.location_member_id)
    for member in Member.objects.filter(pk__in=holders).order_by("pk"):
        calendar_id = member.booking_calendar_id
        if booking.location_kind == LocationKind.MEET and member.pk == booking.location_member_id:
            calendar_id = meet_calendar(member) or calendar_id
        if calendar_id is None:
            continue
        CalendarEvent.objects.create(booking=booking, member=member, calendar_id=calendar_id)
        want(booking, EffectKind.EVENT, member.pk, now)
    mail(booking, "confirmed", None, now)
    for host_id in host_ids:
        mail(booking, "host_booked", host_id, now)


def cancelled(booking: Booking, now: datetime) -> None:
    """A cancelled booking ends with no event and no meeting, and everybody knows."""
    for effect in Effect.objects.filter(booking=booking, kind__in=[EffectKind.MEETING, EffectKind.EVENT]):
        want(booking, EffectKind(effect.kind), effect.member_id, now)
    mail(booking, "cancelled", None, now)
    for host_time in booking.host_times.all():
        mail(booking, "host_cancelled", host_time.member_id, now)


def changed(booking: Booking, now: datetime) -> None:
    """Something about the booking changed: meeting and events follow, the guest is mailed."""
    for effect in Effect.objects.filter(booking=booking, kind__in=[EffectKind.MEETING, EffectKind.EVENT]):
        want(booking, EffectKind(effect.kind), effect.member_id, now)
    mail(booking, "changed", None, now)


def link_arrived(booking: Booking, now: datetime) -> None:
    """The meeting link is known: put it into the events, and send it to a guest who was told that it follows."""
    for effect in Effect.objects.filter(booking=booking, kind=EffectKind.EVENT):
        want(booking, EffectKind.EVENT, effect.member_id, now)
    told_without = Effect.objects.filter(key=_mail_key(booking, "confirmed", None), payload__link_follows=True)
    if told_without.exists():
        mail(booking, "link_follows", None, now)


def want(booking: Booking, kind: EffectKind, member_id: int | None, now: datetime) -> None:
    """Ask for the booking's present state outside; asking again while it is under way makes it run once more."""
    key = f"{kind}:{booking.uid}:{member_id or ''}"
    again = Effect.objects.filter(key=key)
    if again.update(wanted=F("wanted") + 1):
        again.exclude(state=EffectState.RUNNING).update(
            state=EffectState.PENDING, next_at=now, attempts=0, parked_for=None, parked_reason=""
        )
    else:
        Effect.objects.create(kind=kind, key=key, booking=booking, member_id=member_id, next_at=now)


def mail(booking: Booking, template: str, member_id: int | None, now: datetime) -> None:
    """One mail about the booking in its present state: to the guest, or to a member."""
    Effect.objects.get_or_create(
        key=_mail_key(booking, template, member_id),
        defaults={
            "kind": EffectKind.MAIL,
            "booking": booking,
            "member_id": member_id,
            "payload": {"template": template},
            "next_at": now,
        },
    )


def _mail_key(booking: Booking, template: str, member_id: int | None) -> str:
    return f"mail:{template}:{booking.uid}:{member_id or 'guest'}:{booking.sequence}"


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
