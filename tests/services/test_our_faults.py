"""Faults of ours raise the operators' alarm; nobody is marked in person, mailed or asked to reconnect."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from awase.domain.errors import Reason
from awase.domain.health import Service, Standing
from awase.models import ConnectionChange, Credential, Effect, EffectState, ServiceAlarm
from awase.services import checks, effects
from awase.services.health import standing_of, verdict_of
from awase.services.signals import Cause
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db


def check(credential: Credential) -> None:
    checks.check(credential.pk, Cause.CHECK, utcnow())
    credential.refresh_from_db()


def test_an_expired_client_secret_alarms_the_operators_and_marks_nobody(
    owner: Any, connect: Any, page_of: Any, control: Control, work: Any, settings: Any
) -> None:
    credential = connect(owner, Service.GOOGLE).credential
    owner.refresh_from_db()
    page = page_of(owner)
    control.fault("google", owner.user.email, "app_secret_expired")
    Credential.objects.update(expires_at=utcnow() - timedelta(hours=1))
    check(credential)
    assert ServiceAlarm.objects.get().service == "google"
    assert standing_of(credential, utcnow())[0] is Standing.OK
    assert verdict_of(page, utcnow()).open
    work()
    assert mail.outbox == []
    assert not ConnectionChange.objects.exclude(standing=Standing.OK).exists()
    later = utcnow() + settings.AWASE_TOLERANCE + timedelta(minutes=1)
    assert standing_of(credential, later) == (Standing.ERROR, Reason.OPERATOR)


def test_a_registration_taken_away_is_our_fault_wherever_it_is_met(
    owner: Any, connect: Any, page_of: Any, free_start: Any, book: Any, settings: Any
) -> None:
    credential = connect(owner, Service.GOOGLE).credential
    owner.refresh_from_db()
    page = page_of(owner)
    start = free_start(page)
    settings.AWASE_SERVICES = {**settings.AWASE_SERVICES, "google": {"client_id": "", "client_secret": "", "base": ""}}
    check(credential)
    assert ServiceAlarm.objects.get().symptom == "unregistered"
    assert standing_of(credential, utcnow())[0] is Standing.OK
    assert book(page, start).start == start, "the busy times read a moment ago decide"


def test_work_that_ends_its_worker_each_time_is_given_up_in_the_end(
    owner: Any, connect: Any, page_of: Any, free_start: Any, book: Any
) -> None:
    connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    page = page_of(owner)
    book(page, free_start(page))
    Effect.objects.filter(kind="event").update(attempts=effects.MOST_ATTEMPTS)
    for effect_id in effects.claim_due(utcnow(), 10):
        effects.run(effect_id, utcnow())
    assert Effect.objects.get(kind="event").state == EffectState.FAILED
