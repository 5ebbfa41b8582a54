"""Looking again, rarely, whether a person has cured what only a person can cure at the service: a capability that is
missing. (Accounts in error are probed by their checks at the same moments, missing calendars by `checks`.)

A meeting is made and deleted again where nothing else proves that meetings can be made.
"""

import hashlib
from datetime import datetime, timedelta

from django.db.models import Max, Q, QuerySet

from awase import registry
from awase.domain.errors import Capability, ProviderError
from awase.domain.health import Service, Standing
from awase.domain.transition import Cause, probe_due
from awase.models import Calendar, Credential
from awase.providers.protocols import MeetingDraft
from awase.services.signals import Good, record, resume_parked
from awase.services.tokens import asked_to_wait, source

EVERY = timedelta(minutes=10)  # how often `probe_capabilities` is called
FAR_AHEAD = timedelta(days=180)


def probe_capabilities(now: datetime) -> None:
    """Try what accounts lack 1 h, 6 h and then every day after their state last changed. Periodic."""
    without_meet = Q(
        service=Service.GOOGLE,
        connections__calendars__receiving_members__isnull=False,
        connections__calendars__meet_allowed=False,
    )
    lacking = Credential.objects.filter(~Q(lacking={}) | without_meet, check_every__isnull=False).distinct()
    for credential in lacking.annotate(changed=Max("changes__at")):
        # Looked at a little more often than called, so that a late call misses none.
        if probe_due(credential.changed or credential.since, now=now, within=EVERY * 1.2):
            probe(credential, Cause.CHECK, now)


def probe(credential: Credential, cause: Cause, now: datetime) -> None:
    """Try at once what the account lacks, and record what comes of it."""
    if credential.standing == Standing.ERROR or asked_to_wait(credential, now):
        return
    wanted = {Capability(name) for name in credential.lacking}
    if _denied(credential).filter(receiving_members__isnull=False).exists():
        wanted.add(Capability.MEET)
    for capability in sorted(wanted):
        try:
            proven = _try(capability, credential, now)
        except ProviderError as error:
            record(credential.pk, error.failure, cause, now)
        else:
            if proven:
                record(credential.pk, Good(capability=capability), cause, now, calendars_changed=True)


def _try(capability: Capability, credential: Credential, now: datetime) -> bool:
    """Whether the account has it now. Raises ProviderError."""
    service = Service(credential.service)
    if not service.calendars:
        provider = registry.conferences(service, source(credential))
        provider.delete_meeting(provider.create_meeting(_draft(credential, now)).id)
        return True
    if capability is Capability.MEET:
        listed = registry.calendars(service, source(credential)).list_calendars()
        allowed = [remote.id for remote in listed if Capability.MEET in remote.conferences]
        turned = _denied(credential).filter(external_id__in=allowed).update(meet_allowed=True)
        return bool(turned or (allowed and capability in credential.lacking))
    resume_parked(credential, now)  # only a write shows whether there is room again: the one that waits for it
    return False


def _denied(credential: Credential) -> QuerySet[Calendar]:
    """The account's Google calendars whose events may carry no Meet link."""
    return Calendar.objects.filter(
        connection__credential=credential, connection__credential__service=Service.GOOGLE, meet_allowed=False
    )


def _draft(credential: Credential, now: datetime) -> MeetingDraft:
    """A short meeting far ahead, always with the same key: a repeat never makes a second one."""
    start = (now + FAR_AHEAD).replace(minute=0, second=0, microsecond=0)
    key = hashlib.sha256(f"awase.probe:{credential.pk}".encode()).hexdigest()[:32]
    return MeetingDraft(key=key, title="Awase", start=start, end=start + timedelta(minutes=15), time_zone="UTC")
