"""Work that fails comes again: spread, for days, and not before the service allows it."""

from __future__ import annotations

import smtplib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.mail.backends.locmem import EmailBackend

from awase.domain.health import LocationKind, Service, Standing
from awase.models import Credential, Effect, EffectKind, EffectState
from awase.services import booking as bookings
from awase.services import checks, effects
from awase.services.health import standing_of, verdict_of
from awase.services.signals import Cause
from tests.services.conftest import Control

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)  # 9:00 in Tokyo
MIDNIGHT = MONDAY + timedelta(days=1)


class Refusing(EmailBackend):
    """A mail server that takes nothing."""

    def send_messages(self, messages: Any) -> int:
        raise smtplib.SMTPServerDisconnected


def now() -> datetime:
    return datetime.now(UTC)


def run_due() -> None:
    for effect_id in effects.claim_due(now(), 50):
        effects.run(effect_id, now())


def live_until(clock: Any, end: datetime) -> None:
    """Run each effect as it falls due."""
    while (due := Effect.objects.filter(state=EffectState.PENDING).order_by("next_at").first()) and due.next_at < end:
        clock.move_to(max(now(), due.next_at) + timedelta(milliseconds=1), tick=False)
        run_due()


@pytest.fixture
def booked(owner: Any, connect: Any, page_of: Any, free_start: Any, book: Any, time_machine: Any) -> Any:
    time_machine.move_to(MONDAY, tick=False)
    connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    page = page_of(owner)
    made = [book(page, free_start(page), email=f"guest{number}@guest.example") for number in range(4)]
    Effect.objects.exclude(kind=EffectKind.EVENT).delete()
    return made


def test_work_that_failed_together_comes_again_one_by_one(booked: Any, owner: Any, control: Control) -> None:
    control.fault("google", owner.user.email, "outage")
    run_due()
    again = sorted(Effect.objects.values_list("next_at", flat=True))
    assert len(set(again)) == 4
    assert timedelta(seconds=2) <= again[0] - now() <= again[-1] - now() <= timedelta(seconds=2.5)


def test_an_event_outlives_an_outage_of_days_and_is_given_up_three_days_after_the_booking(
    booked: Any, owner: Any, control: Control, time_machine: Any
) -> None:
    Effect.objects.exclude(booking=booked[0]).delete()
    control.fault("google", owner.user.email, "outage")
    effect = Effect.objects.get()
    for day in range(3):
        time_machine.move_to(MONDAY + timedelta(days=day), tick=False)
        for _ in range(30):
            Effect.objects.update(next_at=now())
            run_due()
    effect.refresh_from_db()
    assert effect.state == EffectState.PENDING
    assert effect.next_at - now() <= effects.LONGEST_PAUSE * 1.25
    time_machine.move_to(booked[0].end + timedelta(days=3), tick=False)
    Effect.objects.update(next_at=now())
    run_due()
    effect.refresh_from_db()
    assert effect.state == EffectState.FAILED


def test_after_an_outage_of_days_the_event_is_written(
    booked: Any, owner: Any, control: Control, time_machine: Any
) -> None:
    Effect.objects.exclude(booking=booked[0]).delete()
    control.fault("google", owner.user.email, "outage")
    for _ in range(70):
        Effect.objects.update(next_at=now())
        run_due()
    control.repair("google", owner.user.email)
    time_machine.move_to(MONDAY + timedelta(days=2), tick=False)
    run_due()
    assert Effect.objects.get(kind=EffectKind.EVENT).state == EffectState.DONE
    assert len(control.events("google", owner.user.email)) == 1


def test_what_is_asked_for_late_is_tried_for_a_while_all_the_same(
    booked: Any, owner: Any, control: Control, time_machine: Any
) -> None:
    control.fault("google", owner.user.email, "outage")
    time_machine.move_to(MONDAY + timedelta(days=30), tick=False)
    run_due()
    assert set(Effect.objects.values_list("state", flat=True)) == {EffectState.PENDING}


def test_work_that_ends_its_worker_each_time_is_given_up_although_its_time_is_not_over(
    booked: Any, settings: Any, time_machine: Any, caplog: Any, monkeypatch: pytest.MonkeyPatch, sandbox: Any
) -> None:
    class Killed(BaseException):
        pass

    def die(*anything: Any, **more: Any) -> Any:
        raise Killed

    monkeypatch.setattr(sandbox, "now", die)
    Effect.objects.exclude(booking=booked[0]).delete()
    tries = 0
    while Effect.objects.get().state != EffectState.FAILED:
        time_machine.shift(settings.AWASE_LEASE)
        for effect_id in effects.claim_due(now(), 1):
            tries += 1
            try:
                effects.run(effect_id, now())
            except Killed:
                continue
        assert tries <= effects.MOST_ATTEMPTS + 1
    assert "it ends its worker each time" in caplog.text


def test_a_mail_is_tried_for_three_days_since_it_first_failed(booked: Any, settings: Any, time_machine: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    Effect.objects.all().delete()
    later = MONDAY + timedelta(days=5)
    payload = {"template": "confirmed"}
    Effect.objects.create(kind=EffectKind.MAIL, key="mail", payload=payload, booking=booked[0], next_at=later)
    live_until(time_machine, later + timedelta(hours=12))
    last = later + timedelta(days=3)
    for due, state in ((last - timedelta(minutes=1), EffectState.PENDING), (last, EffectState.FAILED)):
        Effect.objects.update(next_at=due)
        time_machine.move_to(due + timedelta(seconds=1), tick=False)
        run_due()
        assert Effect.objects.get().state == state


def test_after_zooms_daily_limit_nothing_is_made_for_that_user_until_midnight_and_others_go_on(
    owner: Any, teammate: Any, connect: Any, page_of: Any, book: Any, free_start: Any, control: Control,
    sandbox: Any, time_machine: Any,
) -> None:  # fmt: skip
    time_machine.move_to(MONDAY, tick=False)
    pages = {}
    for person in (owner, teammate):
        connect(person, Service.GOOGLE)
        connect(person, Service.ZOOM)
        person.refresh_from_db()
        pages[person] = page_of(person, locations=(LocationKind.ZOOM,), slug=f"page-{person.pk}")
    zoom = Credential.objects.get(service=Service.ZOOM, connections__member=owner)
    control.fault("zoom", owner.user.email, "rate_limited", operation="meetings.create", daily=True)
    meetings = Effect.objects.filter(kind=EffectKind.MEETING)

    def asked() -> int:
        calls = [call for call in sandbox.requests if call["service"] == "zoom" and call["method"] == "POST"]
        return sum(call["account"] == owner.user.email and "meetings" in call["path"] for call in calls)

    book(pages[owner], free_start(pages[owner], 60))
    run_due()
    assert asked() == 1
    second = book(pages[owner], free_start(pages[owner], 70), email="jiro@guest.example")
    book(pages[teammate], free_start(pages[teammate]), email="saburo@guest.example")
    run_due()
    assert asked() == 1, "the second is not even tried"
    assert meetings.get(member=teammate).state == EffectState.DONE
    waiting = meetings.filter(member=owner).values_list("state", "next_at")
    assert all(state == EffectState.PENDING and at >= MIDNIGHT for state, at in waiting)

    time_machine.move_to(MONDAY + timedelta(hours=1), tick=False)
    zoom.refresh_from_db()
    assert zoom.next_check is not None and zoom.next_check < MIDNIGHT, "looking is not limited"
    for credential in Credential.objects.all():
        checks.check(credential.pk, Cause.CHECK, now())
    zoom.refresh_from_db()
    assert standing_of(zoom, now())[0] is Standing.OK
    assert verdict_of(pages[owner], now()).open
    bookings.cancel(second, now())
    run_due()
    assert meetings.get(booking=second).state == EffectState.DONE, "deleting is not limited"

    control.repair("zoom", owner.user.email)
    time_machine.move_to(MIDNIGHT + timedelta(minutes=5), tick=False)
    run_due()
    assert not meetings.exclude(state=EffectState.DONE).exists()
    assert asked() == 2
