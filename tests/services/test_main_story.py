"""Book, break, stop, repair, open – through every layer below the screens."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from awase.domain.errors import Reason
from awase.domain.health import LocationKind, Service, Standing, StopKind
from awase.models import Booking, ConnectionChange, Credential, Effect, EffectState, PageChange, PageHealth
from awase.models.page import Condition
from awase.services import booking, checks
from awase.services.health import standing_of, verdict_of
from awase.services.hosts import hosts_of
from awase.services.signals import Cause
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(owner: Any, teammate: Any, connect: Callable[..., Any]) -> tuple[Any, Any]:
    for member in (owner, teammate):
        connect(member, Service.GOOGLE)
        connect(member, Service.ZOOM)
        member.refresh_from_db()
    return owner, teammate


def check(service: str, email: str) -> None:
    credential = Credential.objects.get(service=service, account_email=email)
    checks.check(credential.pk, Cause.CHECK, utcnow())


def test_a_booking_makes_one_event_per_host_one_meeting_and_the_mails(
    team: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    page = page_of(*team, locations=(LocationKind.ZOOM,))
    taken = book(page, free_start(page))
    work()
    taken.refresh_from_db()
    meetings = control.account("zoom", "tanaka@minato.example")["meetings"]
    assert len(meetings) == 1 and taken.join_url.startswith("https://")
    for member in team:
        events = control.events("google", member.user.email)
        assert [event["start"] for event in events] == [taken.start.strftime("%Y-%m-%dT%H:%M:%SZ")]
        assert events[0]["resource"]["location"] == taken.join_url
    assert {message.to[0] for message in mail.outbox} == {
        "hanako@guest.example",
        "tanaka@minato.example",
        "sato@minato.example",
    }
    guest = next(message for message in mail.outbox if message.to == ["hanako@guest.example"])
    assert taken.join_url in guest.body and f"/b/{taken.uid}/" in guest.body
    assert not Effect.objects.exclude(state=EffectState.DONE).exists()


def test_a_revoked_calendar_stops_the_page_and_reconnecting_opens_it_in_the_same_transaction(
    team: Any, page_of: Any, free_start: Any, book: Any, work: Any, connect: Any, control: Control
) -> None:
    page = page_of(*team, locations=(LocationKind.ZOOM,))
    start = free_start(page)
    control.revoke("google", "sato@minato.example")
    check("google", "sato@minato.example")

    verdict = verdict_of(page, utcnow())
    assert not verdict.open and verdict.stop_kinds == (StopKind.CALENDAR,)
    assert verdict.stops[0].reason is Reason.REVOKED
    assert not PageHealth.objects.get(page=page).open
    assert PageChange.objects.filter(page=page, opened=False, cause=Cause.CHECK).exists()
    with pytest.raises(booking.Refused) as refused:
        book(page, start)
    assert refused.value.refusal is booking.Refusal.NOT_ACCEPTING
    work()
    told = {message.to[0] for message in mail.outbox}
    assert told == {"sato@minato.example", "tanaka@minato.example"}
    mail.outbox.clear()

    before = team[1].connections.get(credential__service=Service.GOOGLE)
    again = connect(team[1], Service.GOOGLE, again=before)
    assert again.pk == before.pk
    assert PageHealth.objects.get(page=page).open
    assert PageChange.objects.filter(page=page, opened=True, cause=Cause.RECONNECTED).exists()
    assert book(page, start).start == start
    work()
    assert any(message.to == ["sato@minato.example"] and "Meet" in message.body for message in mail.outbox)


def test_a_page_with_automatic_assignment_goes_on_with_the_healthy_member(
    team: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    page = page_of(*team, locations=(LocationKind.ZOOM,), condition=Condition.ANY)
    control.revoke("google", "tanaka@minato.example")
    check("google", "tanaka@minato.example")
    verdict = verdict_of(page, utcnow())
    assert verdict.open and [host.member_id for host in verdict.hosts] == [team[1].pk]
    taken = book(page, free_start(page))
    assert hosts_of(taken) == [team[1]]


def test_an_outage_is_borne_with_the_last_busy_times_then_counts_as_unreachable_and_ends_by_itself(
    team: Any, page_of: Any, control: Control, settings: Any, time_machine: Any
) -> None:
    page = page_of(team[0])
    control.fault("google", "tanaka@minato.example", "outage")
    check("google", "tanaka@minato.example")
    credential = Credential.objects.get(service="google", account_email="tanaka@minato.example")
    now = utcnow()
    assert standing_of(credential, now)[0] is Standing.DEGRADED
    assert verdict_of(page, now).open
    later = now + settings.AWASE_TOLERANCE + timedelta(minutes=1)
    assert standing_of(credential, later) == (Standing.ERROR, Reason.UNREACHABLE)
    assert not verdict_of(page, later).open, "nobody wrote it down, and it counts all the same"
    control.repair("google", "tanaka@minato.example")
    checks.check(credential.pk, Cause.CHECK, later)
    assert verdict_of(page, later).open


def test_a_call_made_anyway_that_meets_a_revoked_token_stops_the_page_at_once(
    team: Any, page_of: Any, free_start: Any, book: Any, control: Control
) -> None:
    page = page_of(team[0])
    start = free_start(page)
    control.revoke("google", "tanaka@minato.example")
    with pytest.raises(booking.Refused):
        book(page, start)
    assert not PageHealth.objects.get(page=page).open
    assert ConnectionChange.objects.filter(cause=Cause.LIVE_CHECK, reason=Reason.REVOKED).exists()


def test_a_meeting_that_needs_a_person_is_parked_told_honestly_and_resumed_by_the_repair(
    team: Any, page_of: Any, free_start: Any, book: Any, work: Any, connect: Any, control: Control
) -> None:
    page = page_of(team[0], locations=(LocationKind.ZOOM,))
    taken = book(page, free_start(page))
    control.revoke("zoom", "tanaka@minato.example")
    work()
    parked = Effect.objects.get(kind="meeting")
    assert parked.state == EffectState.PARKED and parked.parked_reason
    guest = next(message for message in mail.outbox if message.to == ["hanako@guest.example"])
    assert "別のメール" in guest.body, guest.body
    assert not PageHealth.objects.get(page=page).open

    connect(team[0], Service.ZOOM, again=team[0].connections.get(credential__service=Service.ZOOM))
    mail.outbox.clear()
    work()
    taken.refresh_from_db()
    assert taken.join_url
    assert any(taken.join_url in message.body and message.to == ["hanako@guest.example"] for message in mail.outbox)
    events = control.events("google", "tanaka@minato.example")
    assert len(events) == 1 and events[0]["resource"]["location"] == taken.join_url


def test_a_cancelled_booking_ends_with_no_event_and_no_meeting_and_its_hour_is_free(
    team: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    page = page_of(*team, locations=(LocationKind.ZOOM,))
    taken = book(page, free_start(page))
    work()
    start: datetime = taken.start
    booking.cancel(taken, utcnow(), reason="予定変更")
    assert free_start(page) == start
    work()
    assert control.account("zoom", "tanaka@minato.example")["meetings"] == []
    assert control.events("google", "tanaka@minato.example") == []
    assert control.events("google", "sato@minato.example") == []


def test_our_own_event_read_back_from_the_calendar_does_not_block_twice(
    team: Any, page_of: Any, free_start: Any, book: Any, work: Any
) -> None:
    page = page_of(team[0])
    taken = book(page, free_start(page))
    work()
    check("google", "tanaka@minato.example")
    booking.cancel(taken, utcnow())
    assert free_start(page) == taken.start, "the event still stands at the service, and it is ours"


def test_the_same_request_twice_is_one_booking(team: Any, page_of: Any, free_start: Any, book: Any) -> None:
    page = page_of(team[0])
    start = free_start(page)
    first = book(page, start, idempotency_key="form-1")
    second = book(page, start, idempotency_key="form-1")
    assert first.pk == second.pk and Booking.objects.count() == 1


@pytest.mark.parametrize("shift", [timedelta(minutes=7), -timedelta(days=30), timedelta(days=4000)])
def test_a_start_off_the_grid_past_or_years_ahead_is_refused(
    team: Any, page_of: Any, free_start: Any, book: Any, shift: timedelta
) -> None:
    page = page_of(team[0])
    with pytest.raises(booking.Refused) as refused:
        book(page, free_start(page) + shift)
    assert refused.value.refusal is booking.Refusal.SLOT_GONE
    assert not Booking.objects.exists()


def test_a_repaired_account_is_watched_as_often_as_before_it_broke(
    team: Any, page_of: Any, connect: Any, control: Control
) -> None:
    page_of(team[0])
    control.revoke("google", "tanaka@minato.example")
    check("google", "tanaka@minato.example")
    broken = Credential.objects.get(service="google", account_email="tanaka@minato.example")
    assert broken.next_check > utcnow() + timedelta(minutes=50), "probed rarely while it needs a person"
    connect(team[0], Service.GOOGLE, again=team[0].connections.get(credential=broken))
    broken.refresh_from_db()
    assert broken.next_check <= utcnow() + broken.check_every
