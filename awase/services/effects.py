"""Carrying out the outbox: claim by compare-and-set under a lease, call the service, write down what came of it.

A meeting or event effect brings the outside to the booking's present state, so running it twice, or after a
crash at any point, does no harm. What waits for a person is parked with its reason and resumed by the signal
that says the account works again.
"""

import logging
import uuid
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from awase.domain.errors import Failure, FailureClass, ProviderError
from awase.domain.health import BACKED_BY, Service, Standing
from awase.models import Booking, BookingState, CalendarEvent, Credential, Effect, EffectKind, EffectState
from awase.services import deliveries, events, hosts, mail, meetings, outbox
from awase.services.calls import LeaseLost, Parked, Postponed
from awase.services.health import standing_of
from awase.services.moving import hand_over
from awase.services.waiting import host_unsettled, link_pending

logger = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(minutes=15)
GIVEN_UP_AFTER = timedelta(days=3)  # since the booking's end; for a mail, since it failed first
FEWEST_TRIES = 12  # failures count up to here, where the pause is at its longest; even what comes late gets so many
MOST_ATTEMPTS = 20  # beyond the former only those count that ended their worker
MOST_WEBHOOKS = 2  # under way at once

LANES: tuple[Service | EffectKind, ...] = (*Service, *EffectKind)
"""Who is slow together: what calls a service goes in its lane, all else in that of its kind."""

_HOLDER = CalendarEvent.objects.filter(booking=OuterRef("booking"), member=OuterRef("member"))
_LANE = Case(
    When(
        kind=EffectKind.EVENT,
        then=Coalesce(Subquery(_HOLDER.values("calendar__connection__credential__service")[:1]), F("kind")),
    ),
    *(
        When(kind=EffectKind.MEETING, booking__location_kind=kind, then=Value(service.value))
        for kind, (service, _) in BACKED_BY.items()
    ),
    default=F("kind"),
)


class Claim(NamedTuple):
    """An effect to be run now, and the lease under which it was claimed for that."""

    effect_id: int
    lease: str


def any_due(now: datetime) -> bool:
    """Whether any effect waits to be claimed."""
    return _due(now).exists()


def claim_due(now: datetime, most: int, lane: Service | EffectKind | None = None) -> list[Claim]:
    """Effects to run now, of one lane or of all, each leased to the caller. Those whose lease ran out are
    claimed again.

    Webhooks come last and few at a time, over all workers: a slow receiver must not keep others waiting.
    """
    due = _due(now)
    if lane is not None:
        due = due.annotate(lane=_LANE).filter(lane=lane.value)
    claimed = _claim(due.exclude(kind=EffectKind.WEBHOOK), now, most) if lane is not EffectKind.WEBHOOK else []
    if lane not in (None, EffectKind.WEBHOOK):
        return claimed
    under_way = Effect.objects.filter(state=EffectState.RUNNING, kind=EffectKind.WEBHOOK, lease_until__gt=now)
    room = min(most - len(claimed), MOST_WEBHOOKS - under_way.count())
    return claimed + _claim(due.filter(kind=EffectKind.WEBHOOK), now, room) if room > 0 else claimed


def _due(now: datetime) -> QuerySet[Effect]:
    return Effect.objects.filter(
        Q(state=EffectState.PENDING, next_at__lte=now) | Q(state=EffectState.RUNNING, lease_until__lte=now)
    )


def _claim(due: QuerySet[Effect], now: datetime, most: int) -> list[Claim]:
    rows = due.order_by("next_at", "pk").values_list("pk", "state", "lease_token")[:most]
    claims = [(Claim(pk, uuid.uuid4().hex), state, lease) for pk, state, lease in rows]
    return [
        claim
        for claim, state, lease in claims
        if Effect.objects.filter(pk=claim.effect_id, state=state, lease_token=lease).update(
            state=EffectState.RUNNING, lease_until=now + settings.AWASE_LEASE, lease_token=claim.lease
        )
    ]


def run(claim: Claim, now: datetime) -> None:
    """Carry out one claimed effect, unless the claim ran out before and somebody else took it over."""
    effect = _with_booking().filter(pk=claim.effect_id, state=EffectState.RUNNING, lease_token=claim.lease).first()
    if effect is None:
        return
    effect.attempts += 1
    Effect.objects.filter(pk=effect.pk).update(attempts=effect.attempts)
    if effect.attempts > MOST_ATTEMPTS:
        _give_up(effect, "it ends its worker each time", now)
        return
    try:
        match effect.kind:
            case EffectKind.MEETING | EffectKind.EVENT:
                _outside(effect, now)
            case EffectKind.MAIL:
                _mail(effect, now)
            case EffectKind.WEBHOOK:
                deliveries.deliver(effect, now)
    except LeaseLost:
        logger.warning("effect %s took longer than its lease; somebody else took it over", effect.key)
    except (Postponed, deliveries.Later) as wait:
        spread = 0.1 * _jitter(effect) * min(wait.pause, LONGEST_PAUSE)
        _again(effect, now + wait.pause + spread, "", attempts=effect.attempts - 1)
    except Parked as parked:
        _park(effect, parked, now)
    except mail.NotSent as error:
        if "failing_since" not in effect.payload:
            _mark(effect, "failing_since", now.isoformat())
        since = datetime.fromisoformat(effect.payload["failing_since"])
        _try_again(effect, str(error), now, until=since + GIVEN_UP_AFTER)
    except deliveries.NotTaken as error:
        if error.pause is None:
            _rest(effect, now, state=EffectState.FAILED, last_error=str(error)[:300])
        else:
            _again(effect, now + error.pause, str(error))
    except ProviderError as error:
        _take_failure(effect, error.failure, now)
    else:
        _finish(effect, now)


def _with_booking() -> QuerySet[Effect]:
    return Effect.objects.select_related(
        "booking__page__workspace", "booking__session", "booking__workspace", "member__user"
    )


def _finish(effect: Effect, now: datetime) -> None:
    _rest(effect, now, state=EffectState.DONE, done=effect.wanted, last_error="", attempts=0)


def _rest(effect: Effect, now: datetime, **fields: object) -> None:
    """Leave it at that, done, parked or given up; unless the booking changed meanwhile, or what it would be parked for
    has come already (`signals` moves `next_at` then): then once more."""
    freed = {"lease_until": None, "lease_token": ""}
    again = {"state": EffectState.PENDING, "next_at": now, "attempts": 0, "last_error": ""}
    mine = Effect.objects.filter(pk=effect.pk, lease_token=effect.lease_token)
    asleep = {"next_at": effect.next_at} if fields["state"] is EffectState.PARKED else {}
    if mine.filter(wanted=effect.wanted, **asleep).update(**freed, **fields) or mine.update(**freed, **again):
        return
    if effect.kind in outbox.OUTSIDE:
        # Taken over because the lease had run out: it may be our outdated work that stands outside last.
        taken_over = Effect.objects.filter(pk=effect.pk)
        taken_over.update(wanted=F("wanted") + 1)
        taken_over.exclude(state=EffectState.RUNNING).update(**again)


def _settle(effect: Effect, **fields: object) -> None:
    Effect.objects.filter(pk=effect.pk, lease_token=effect.lease_token).update(
        lease_until=None, lease_token="", **fields
    )


def _park(effect: Effect, parked: Parked, now: datetime) -> None:
    """Let it wait for a person; or try again where the repair came before it could begin to wait. The account is
    locked, as it is when it is repaired, so that the one sees the other."""
    with transaction.atomic():
        accounts = Credential.objects.select_for_update(no_key=True)
        credential = accounts.filter(pk=parked.credential.pk).first() if parked.credential else None
        if credential is not None and not _is_broken(credential, effect, parked, now):
            _try_again(effect, parked.reason, now, until=_booking(effect).end + GIVEN_UP_AFTER)
            return
        _rest(
            effect,
            now,
            state=EffectState.PARKED,
            parked_for=credential,
            parked_reason=parked.reason,
            last_error=parked.reason,
        )


def _is_broken(credential: Credential, effect: Effect, parked: Parked, now: datetime) -> bool:
    """Whether what this effect waits for is still the matter with the account."""
    if parked.reason == events.CALENDAR_MISSING:
        assert effect.member_id is not None
        wanted = events.wanted_calendar(_booking(effect), effect.member_id)
        return wanted is None or wanted.missing_since is not None
    lacks = parked.capability is not None and parked.capability.value in credential.lacking
    return lacks or standing_of(credential, now)[0] is Standing.ERROR


def _again(effect: Effect, at: datetime, error: str, attempts: int | None = None) -> None:
    _settle(
        effect,
        state=EffectState.PENDING,
        next_at=at,
        last_error=error[:300],
        attempts=min(effect.attempts if attempts is None else attempts, FEWEST_TRIES),
    )


def _try_again(
    effect: Effect, error: str, now: datetime, *, until: datetime, not_before: datetime | None = None
) -> None:
    """After a pause that grows, and is another for each effect; given up once `until` is over."""
    if now >= until and effect.attempts >= FEWEST_TRIES:
        _give_up(effect, error, now)
        return
    pause = min(timedelta(seconds=2**effect.attempts), LONGEST_PAUSE)
    _again(effect, max(not_before or now, now + pause) + 0.25 * _jitter(effect) * pause, error)


def _jitter(effect: Effect) -> float:
    """Below 1, and another for each effect, so that what failed together comes again one by one."""
    return (effect.pk * 0.6180339887) % 1


def _give_up(effect: Effect, error: str, now: datetime) -> None:
    logger.error("effect %s given up: %s", effect.key, error)
    _rest(effect, now, state=EffectState.FAILED, last_error=error[:300])


def _take_failure(effect: Effect, failure: Failure, now: datetime) -> None:
    """The signal has been recorded where the call was made; here only the effect's own fate is decided."""
    error = f"{failure.symptom} {failure.detail}"
    waits = failure.kind in (FailureClass.RETRY, FailureClass.RATE_LIMITED, FailureClass.APP_CONFIG) or failure.alert
    if waits:
        until = _booking(effect).end + GIVEN_UP_AFTER
        _try_again(effect, error, now, until=until, not_before=failure.retry_at)
    else:
        _give_up(effect, error, now)


def _outside(effect: Effect, now: datetime) -> None:
    """Bring meeting or event up to date. If that needs a person while nobody was told a name yet, the booking is
    handed over to somebody else whose accounts work."""
    bring = meetings.bring if effect.kind == EffectKind.MEETING else events.bring
    try:
        bring(effect, now)
    except Parked:
        booking = _booking(effect)
        if effect.member_id is None or not hand_over(booking, effect.member_id, now):
            raise
        raise Postponed(timedelta()) from None  # once more: nothing is due here any longer


def _booking(effect: Effect) -> Booking:
    assert effect.booking is not None
    return effect.booking


def _mail(effect: Effect, now: datetime) -> None:
    booking = effect.booking
    if booking is None:
        mail.send(effect)
        return
    template = effect.payload["template"]
    if not _still_true(effect, booking, template, now):
        return
    names = template in hosts.NAMING and effect.member_id is None and hosts.assigned(booking)
    if names and host_unsettled(booking, effect.created_at, now):
        raise Postponed(timedelta(seconds=2))
    if template in TELL_THE_LINK and booking.location_kind in outbox.LINK_KINDS and not booking.join_url:
        if link_pending(booking, effect.created_at, now):
            raise Postponed(timedelta(seconds=2))
        _mark(effect, "link_follows")
    if names:
        _mark(effect, "named")
        effect.booking = _with_booking().get(pk=effect.pk).booking  # handed over a moment ago, it names another
    mail.send(effect)


def _mark(effect: Effect, what: str, value: bool | str = True) -> None:
    with transaction.atomic():
        effect.payload = {**Effect.objects.select_for_update().get(pk=effect.pk).payload, what: value}
        Effect.objects.filter(pk=effect.pk).update(payload=effect.payload)


TELL_THE_LINK = {*hosts.NAMING, "changed", "host_booked"}
ABOUT_WHAT_STANDS = {*TELL_THE_LINK, "host_changed", "link_follows", *outbox.REMINDERS}
ABOUT_REQUESTS = {"requested", "host_requested"}


def _still_true(effect: Effect, booking: Booking, template: str, now: datetime) -> bool:
    """Whether the mail was not overtaken: what came instead has mails of its own."""
    if template in ABOUT_WHAT_STANDS and booking.state != BookingState.CONFIRMED:
        return False
    if template in ABOUT_REQUESTS and booking.state != BookingState.REQUESTED:
        return False
    if template in outbox.REMINDERS and effect.payload["sequence"] != booking.sequence:
        return False
    if template == "reminder":
        return now < booking.start
    return template != "follow_up" or booking.no_show_at is None
