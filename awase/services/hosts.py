"""Who hosts a booking. A guest's seat in a group session has no hosts of its own: the session carries them."""

from django.db.models import Q

from awase.models import Booking, BookingState, Condition, Effect, EffectKind, EffectState, Member
from awase.models.page import Assignment

NAMING = ("confirmed", "approved")
"""The mails that first tell a guest who the host is; `named` in their payload says that they have begun to."""


def carrier_of(booking: Booking) -> Booking:
    """The booking that carries time, events and meeting: the session of a seat, else itself."""
    return booking.session or booking


def hosts_of(booking: Booking) -> list[Member]:
    """The members who host this booking, also after it was cancelled, or would if a request is approved."""
    rows = carrier_of(booking).host_times.select_related("member__user").order_by("id")
    return [row.member for row in rows]


def assigned(booking: Booking) -> bool:
    """Whether the system chose the host."""
    return booking.page.condition == Condition.ANY and booking.page.assignment != Assignment.GUEST


def stands(carrier: Booking) -> bool:
    """Whether events and a meeting are due outside: it is confirmed, a session for at least one guest."""
    if carrier.is_session and not carrier.seats.filter(state=BookingState.CONFIRMED).exists():
        return False
    return carrier.state == BookingState.CONFIRMED


def may_change_silently(carrier: Booking, *, lock: bool = False) -> bool:
    """Whether no guest has been told the name of an assigned host yet, so that another may take over. With `lock`
    none is told before the transaction ends."""
    if not assigned(carrier):
        return False
    mails = Effect.objects.filter(Q(booking=carrier) | Q(booking__session=carrier), kind=EffectKind.MAIL, member=None)
    mails = mails.filter(payload__template__in=NAMING)
    found = list(mails.select_for_update(of=("self",)) if lock else mails)
    return bool(found) and not any(mail.payload.get("named") or mail.state == EffectState.DONE for mail in found)


def name_is_open(booking: Booking) -> bool:
    """Whether the guest is not to be told the host's name yet: it may still be another."""
    if booking.state == BookingState.REQUESTED:
        return assigned(booking)
    return may_change_silently(carrier_of(booking))
