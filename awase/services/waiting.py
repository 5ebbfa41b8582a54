"""What a mail or an event may still wait for: the meeting link, and the host who is not settled yet."""

from datetime import datetime, timedelta

from awase.models import Booking, Effect, EffectKind, EffectState
from awase.services.hosts import carrier_of
from awase.services.outbox import LINK_KINDS, MEETING_KINDS, OUTSIDE

LINK_PATIENCE = timedelta(minutes=2)  # how long a confirmation waits for the meeting link
UNDER_WAY = (EffectState.PENDING, EffectState.RUNNING)


def link_pending(booking: Booking, since: datetime, now: datetime) -> bool:
    """Whether the meeting link is still worth waiting for, by somebody who has waited for it since then."""
    carrier = carrier_of(booking)
    if carrier.location_kind not in LINK_KINDS or carrier.join_url or now - since >= LINK_PATIENCE:
        return False
    kind = EffectKind.MEETING if carrier.location_kind in MEETING_KINDS else EffectKind.EVENT
    makers = Effect.objects.filter(booking=carrier, kind=kind, member=carrier.location_member_id)
    return makers.filter(state__in=UNDER_WAY).exists()


def host_unsettled(booking: Booking, since: datetime, now: datetime) -> bool:
    """Whether an assigned host may turn out unable to hold the meeting: nothing was done at their accounts yet."""
    first = Effect.objects.filter(booking=carrier_of(booking), kind__in=OUTSIDE, done=0)
    return now - since < LINK_PATIENCE and first.filter(state__in=UNDER_WAY).exists()
