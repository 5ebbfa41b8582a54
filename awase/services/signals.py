"""The one function through which a connection changes state, whatever the signal: a call that the product
made anyway, the periodic check, a push, the live check at booking time, the user."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from awase.domain.errors import Capability, Failure, FailureClass, FailureScope, Reason
from awase.domain.health import Recorded, Service, Standing
from awase.domain.intervals import epoch
from awase.domain.transition import PROBES, after_failure, after_good, after_partial, needs_person, outdated
from awase.domain.transition import Cause as Cause
from awase.models import (
    Calendar,
    Connection,
    ConnectionChange,
    Credential,
    Effect,
    EffectKind,
    EffectState,
    Member,
    ServiceAlarm,
)
from awase.providers.history import seen_again
from awase.services import alarms, notices
from awase.services.health import Renewal, pages_of_members, recorded_state, renew, standing_of, tolerance_of

APPLE = ".icloud.com/"  # in the address by which a CalDAV account is known
# What means something else once several tenants meet it: a tenant's own decision, then a fault of ours.
TENANTS_OWN, OURS_AFTER_ALL = "M10c", "M10b"
STATE_FIELDS = (
    *("standing", "reason", "our_fault", "since", "last_good", "last_checked", "last_symptom", "symptom_since"),
    *("lacking", "probes", "next_check", "quiet_until"),
)


@dataclass(frozen=True, slots=True)
class Good:
    """A success. `full`: the busy times of all calendars that count were read, or there are none (for Zoom,
    Teams and Meet alone any good call). `capability`: what the call proved besides the credential."""

    full: bool = False
    capability: Capability | None = None


def record(
    credential_id: int,
    signal: Good | Failure,
    cause: Cause,
    now: datetime,
    *,
    calendars_changed: bool = False,
) -> Renewal:
    """Take a signal in: new state, history, the pages that depend on it, parked work, notices – one transaction.

    `now` is when the call began: compare-and-set by the locked row, what is older than the state on record
    changes nothing. `calendars_changed`: a calendar went missing, stayed unreadable or came back, so the pages
    are evaluated even if the account itself did not change. Faults of ours raise the operators' alarm and mark
    nobody.
    """
    with transaction.atomic():
        credential = Credential.objects.select_for_update(no_key=True).get(pk=credential_id)
        before, lacking_before = recorded_state(credential), dict(credential.lacking)
        felt, felt_since = standing_of(credential, now), _felt_since(credential, now)
        learnt = _take_in(credential, before, signal, cause, now)
        if not learnt and not calendars_changed:
            return Renewal([], [])
        shown = standing_of(credential, now) if learnt else (before.standing, before.reason)
        if learnt:
            if shown != (credential.standing, Reason(credential.reason) if credential.reason else None):
                since = felt_since if shown == felt else now
                _write(credential, Recorded(*shown, credential.last_good, since, credential.our_fault), now)
            credential.save(update_fields=STATE_FIELDS)
            unwritten = felt != (before.standing, before.reason)
            turned = shown != felt or credential.lacking != lacking_before
            symptom = credential.last_symptom if isinstance(signal, Failure) else ""
            if unwritten:
                _remember(credential, felt, felt_since, symptom, cause)
            if turned:
                _remember(credential, shown, now, symptom, cause)
            if not (unwritten or turned or calendars_changed):
                return Renewal([], [])
        pages = pages_of_members(linked_members(credential))
        renewal = renew(pages, now, cause, credential)
        if shown[0] is not Standing.ERROR:
            resume_parked(credential, now)
        notices.state_changed(credential, before.standing, shown, pages, renewal, cause, now)
        return renewal


def record_missing(
    credential_id: int, calendar_ids: Collection[str], signal: Good | Failure, cause: Cause, now: datetime
) -> Renewal:
    """Take in that the service does not know these calendars (by its ids) any more, for everybody who is linked to
    the account. `now` is when the call began: a calendar that was read since is not missing."""
    with transaction.atomic():
        known = Calendar.objects.filter(connection__credential=credential_id, external_id__in=calendar_ids)
        read_since = Q(busy__read_at__gt=epoch(now))
        gone = known.filter(missing_since=None).exclude(read_since).update(missing_since=now)
        return record(credential_id, signal, cause, now, calendars_changed=bool(gone))


def _take_in(credential: Credential, before: Recorded, signal: Good | Failure, cause: Cause, now: datetime) -> bool:
    """Bring the row in memory to the state after the signal; False where it has nothing to say."""
    good = isinstance(signal, Good)
    connected = cause in (Cause.CONNECTED, Cause.RECONNECTED)
    if not connected and outdated(before, good=good, began=now):
        return False
    if isinstance(signal, Failure):
        signal = _with_memory(credential, signal, now)
        # A fresh grant proves the credential, even where its first reading failed for another reason.
        freed = connected or (signal.symptom == OURS_AFTER_ALL and before.reason is Reason.ADMIN_BLOCKED)
        after = after_failure(after_partial(before, now=now) if freed else before, signal, now=now)
        _take_failure(credential, signal, now)
    else:
        if not signal.full and not _calendars_count(credential):
            signal = replace(signal, full=True)
        if not signal.full and before.standing is Standing.OK and not credential.lacking:
            return False  # nothing to learn from yet another call that worked
        after = after_good(before, now=now) if signal.full else after_partial(before, now=now)
        _take_good(credential, signal)
    _write(credential, after, now)
    _plan_next_check(credential, before, signal, cause, now)
    _keep_quiet(credential, signal)
    return True


def _felt_since(credential: Credential, now: datetime) -> datetime:
    """Since when the state counts that nobody wrote down yet: since the tolerance ran out."""
    ran_out = (credential.last_good or credential.since) + tolerance_of(credential)
    return max(credential.since, ran_out) if ran_out <= now else now


def _remember(
    credential: Credential, state: tuple[Standing, Reason | None], at: datetime, symptom: str, cause: Cause
) -> None:
    ConnectionChange.objects.create(
        credential=credential, at=at, standing=state[0], reason=state[1] or "", symptom=symptom, cause=cause
    )


def _calendars_count(credential: Credential) -> bool:
    """Whether the account has calendars whose reading is its good check."""
    if not Service(credential.service).calendars:
        return False
    calendars = Calendar.objects.filter(connection__credential=credential)
    counting = Q(checked=True, go_on_without=False) | Q(receiving_members__isnull=False)
    return calendars.filter(counting).exists()


def linked_members(credential: Credential) -> list[int]:
    """The members behind whom this account stands."""
    return list(Connection.objects.filter(credential=credential).values_list("member", flat=True))


def _take_good(credential: Credential, good: Good) -> None:
    if good.full:
        if credential.last_symptom:
            symptoms = {credential.last_symptom}
            if credential.last_symptom == TENANTS_OWN:
                symptoms.add(OURS_AFTER_ALL)
            ServiceAlarm.objects.filter(service=credential.service, symptom__in=symptoms).delete()
        credential.last_symptom, credential.symptom_since = "", None
    if good.capability:
        credential.lacking.pop(good.capability.value, None)


def _with_memory(credential: Credential, failure: Failure, now: datetime) -> Failure:
    """The failure as it counts with what is on record: the same before, and other tenants with it."""
    if credential.last_symptom != failure.symptom or credential.symptom_since is None:
        credential.last_symptom, credential.symptom_since = failure.symptom, now
    tenants = {credential.account_id.split(":")[0]}
    if failure.symptom == TENANTS_OWN:
        alike = Credential.objects.filter(last_symptom=failure.symptom, last_checked__gt=now - timedelta(hours=1))
        tenants |= {account.split(":")[0] for account in alike.values_list("account_id", flat=True)}
    return seen_again(
        failure,
        first_seen=credential.symptom_since,
        now=now,
        tenants=len(tenants),
        refused_at_apple=_refused_at_apple(credential, now) if failure.symptom == "D02a" else 0,
    )


def _refused_at_apple(credential: Credential, now: datetime) -> int:
    """How many iCloud accounts were refused within an hour, this one included; 0 for an account elsewhere."""
    if APPLE not in credential.account_id:
        return 0
    alike = Credential.objects.filter(account_id__contains=APPLE, last_symptom="D02a")
    return alike.filter(last_checked__gt=now - timedelta(hours=1)).exclude(pk=credential.pk).count() + 1


def _take_failure(credential: Credential, failure: Failure, now: datetime) -> None:
    if failure.scope is FailureScope.CAPABILITY and failure.capability:
        credential.lacking[failure.capability.value] = (failure.reason or Reason.LICENCE_MISSING).value
    if failure.symptom == OURS_AFTER_ALL:
        _look_again_at_the_blocked(now)
    if failure.kind is FailureClass.APP_CONFIG or failure.alert:
        raise_alarm(credential.service, failure, now)


def _look_again_at_the_blocked(now: datetime) -> None:
    """Who was told of an administrator's block before it turned out to be ours is checked at once, and so freed."""
    blocked = Credential.objects.filter(last_symptom=TENANTS_OWN, reason=Reason.ADMIN_BLOCKED)
    # One that is being checked sees to itself.
    free = blocked.filter(check_every__isnull=False).select_for_update(skip_locked=True, no_key=True)
    Credential.objects.filter(pk__in=free.values("pk")).update(next_check=now)


def raise_alarm(service: str, failure: Failure, now: datetime) -> None:
    """Tell the operators about a fault that is ours; one open alarm a service, one mail a day for each fault."""
    detail = failure.detail[:300]
    known = ServiceAlarm.objects.filter(service=service)
    if not known.update(symptom=failure.symptom, detail=detail, last_at=now, count=F("count") + 1):
        ServiceAlarm.objects.create(service=service, symptom=failure.symptom, detail=detail, since=now, last_at=now)
    alarms.alarm(service, failure.symptom, now)


def _write(credential: Credential, state: Recorded, now: datetime) -> None:
    credential.standing = state.standing
    credential.reason = state.reason.value if state.reason else ""
    credential.our_fault = state.our_fault
    credential.since = state.since
    credential.last_good = state.last_good
    credential.last_checked = now


def _plan_next_check(
    credential: Credential, before: Recorded, signal: Good | Failure, cause: Cause, now: datetime
) -> None:
    if credential.check_every is None:
        return
    if needs_person(recorded_state(credential)):
        if not needs_person(before):
            credential.probes = 0
        elif cause is not Cause.CHECK:
            return  # a call that failed again moves no probe
        credential.next_check = now + PROBES[min(credential.probes, len(PROBES) - 1)]
        credential.probes += 1
    elif isinstance(signal, Failure) and signal.retry_at and signal.scope is FailureScope.CONNECTION:
        credential.next_check = max(signal.retry_at, now)
    elif isinstance(signal, Good) and not signal.full and credential.standing == Standing.DEGRADED:
        credential.next_check = now  # the credential works again; whether the calendars do is read at once
    elif credential.next_check is None or credential.next_check > now + 1.1 * credential.check_every:
        credential.next_check = now + credential.check_every  # back from rare probing or a long wait


def _keep_quiet(credential: Credential, signal: Good | Failure) -> None:
    """Note until when nothing at all is sent for the account. A refused password, for which servers slow down our whole
    address, is tried again by the rare probes alone."""
    if isinstance(signal, Good):
        credential.quiet_until = None
    elif credential.reason == Reason.APP_PASSWORD_INVALID:
        credential.quiet_until = credential.next_check
    elif signal.scope is FailureScope.CONNECTION and signal.retry_at:
        credential.quiet_until = signal.retry_at


def resume_unconnected(member: Member, now: datetime) -> None:
    """A member connected an account: work that waited for any goes on."""
    _resume(Q(member=member) | Q(booking__location_member=member), [member.pk], now, parked_for=None)


def resume_events(member: Member, now: datetime) -> None:
    """A member has another calendar for bookings: events that waited for one go on."""
    _resume(Q(member=member, kind=EffectKind.EVENT), [member.pk], now)


def resume_parked(credential: Credential, now: datetime) -> None:
    """Let the work that waited for this account go on."""
    _resume(Q(), linked_members(credential), now, parked_for=credential)


def resume_of(connection: Connection, now: datetime) -> None:
    """A member's link to an account is about to be taken away: what waited for it looks for another one."""
    _resume(Q(member=connection.member_id), [connection.member_id], now, parked_for=connection.credential_id)


def _resume(waits: Q, members: Collection[int], now: datetime, **parked: object) -> None:
    """Parked work goes on. Work under way at these members' accounts may be about to be parked for what has just
    ended: it is told by `next_at`; first, so that nothing is parked unseen in between."""
    outside = Effect.objects.filter(kind__in=[EffectKind.EVENT, EffectKind.MEETING])
    outside.filter(state=EffectState.RUNNING, member__in=members).update(next_at=now)
    Effect.objects.filter(waits, state=EffectState.PARKED, **parked).update(
        state=EffectState.PENDING, next_at=now, parked_for=None, parked_reason="", attempts=0
    )
