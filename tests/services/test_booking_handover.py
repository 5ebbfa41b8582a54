"""What follows outside, when an account fails on the way: handing over, parking, looking for what was lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from django.core import mail

from awase import registry
from awase.domain.health import LocationKind, Service
from awase.models import BookingPage, Condition, Effect, EffectState
from awase.services import booking, connections, effects, ics, moving
from awase.services.hosts import hosts_of, name_is_open
from awase.services.mail import facts
from sandbox.app import wsgi
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def team(owner: Any, teammate: Any, connect: Callable[..., Any]) -> tuple[Any, Any]:
    for member in (owner, teammate):
        for service in (Service.GOOGLE, Service.ZOOM, Service.TEAMS):
            connect(member, service)
        member.refresh_from_db()
    return owner, teammate


def other_than(host: Any, team: tuple[Any, Any]) -> Any:
    return next(member for member in team if member != host)


def settled() -> None:
    left = Effect.objects.exclude(state=EffectState.DONE)
    assert not left.exists(), list(left.values_list("key", "state", "last_error"))


@pytest.mark.parametrize("broken", ["zoom", "google"])
def test_a_booking_whose_host_breaks_down_goes_to_another_before_anybody_is_told_a_name(
    broken: str, team: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    page = page_of(*team, condition=Condition.ANY, locations=(LocationKind.ZOOM,))
    taken = book(page, free_start(page))
    (first,) = hosts_of(taken)
    other = other_than(first, team)
    assert name_is_open(taken)
    assert first.name not in str(facts(taken, for_host=False)) and first.name in str(facts(taken, for_host=True))
    assert first.user.email not in ics.invitation(taken, utcnow())[0]
    control.revoke(broken, first.user.email)
    work()
    taken.refresh_from_db()
    assert hosts_of(taken) == [other] and taken.location_member == other
    assert taken.changes.filter(what="handed_over").exists()
    (guest,) = [message for message in mail.outbox if message.to == ["hanako@guest.example"]]
    assert other.name in guest.body and first.name not in guest.body and taken.join_url in guest.body
    (event,) = control.events("google", other.user.email)
    assert event["resource"]["location"] == taken.join_url
    assert len(control.account("zoom", other.user.email)["meetings"]) == 1
    if broken == "google":
        assert control.account("zoom", first.user.email)["meetings"] == [], "made before the calendar failed"
    assert other.user.email in {message.to[0] for message in mail.outbox}
    settled()
    assert not name_is_open(taken)


def test_once_a_name_was_told_the_booking_stands_and_is_parked(
    team: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    page = page_of(*team, condition=Condition.ANY, locations=(LocationKind.ZOOM,))
    taken = book(page, free_start(page))
    (first,) = hosts_of(taken)
    work()
    control.revoke("zoom", first.user.email)
    moving.move(taken, taken.start + HOUR, utcnow(), by=None)
    work()
    assert hosts_of(taken) == [first]
    assert Effect.objects.get(kind="meeting").state == EffectState.PARKED


def test_with_nobody_else_free_the_booking_is_parked_and_told_honestly(
    team: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    page = page_of(*team, condition=Condition.ANY, locations=(LocationKind.ZOOM,))
    start = free_start(page)
    book(page, start, email="ann@guest.example")
    work()
    taken = book(page, start)
    (host,) = hosts_of(taken)
    control.revoke("zoom", host.user.email)
    work()
    assert hosts_of(taken) == [host]
    assert Effect.objects.filter(kind="meeting", state=EffectState.PARKED).count() == 1
    (guest,) = [message for message in mail.outbox if message.to == ["hanako@guest.example"]]
    assert "別のメール" in guest.body


class LosingAnswers(httpx2.BaseTransport):
    """The sandbox, whose answer to the first creation of a meeting or event never arrives."""

    def __init__(self, sandbox: Any, path: str) -> None:
        self.inner = httpx2.WSGITransport(app=wsgi(sandbox))
        self.path, self.lost = path, 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = self.inner.handle_request(request)
        if request.method == "POST" and request.url.path.endswith(self.path) and not self.lost:
            self.lost += 1
            raise KeyboardInterrupt  # the worker is ended while it waits
        return answer


@pytest.mark.parametrize(
    ("kind", "path", "service"),
    [
        (LocationKind.ZOOM, "/users/me/meetings", "zoom"),
        (LocationKind.TEAMS, "/onlineMeetings/createOrGet", "microsoft"),
    ],
)
@pytest.mark.parametrize("then", ["nothing", "moved", "cancelled"])
def test_a_meeting_that_was_made_when_the_worker_died_is_found_again(
    kind: Any, path: str, service: str, then: str, team: Any, sandbox: Any, page_of: Any, free_start: Any, book: Any,
    work: Any, control: Control,
) -> None:  # fmt: skip
    page = page_of(team[0], locations=(kind,))
    taken = book(page, free_start(page))
    losing = LosingAnswers(sandbox, path)
    with registry.use_transport(losing):
        meeting = Effect.objects.get(kind="meeting")
        (claim,) = [claim for claim in effects.claim_due(utcnow(), 20) if claim.effect_id == meeting.pk]
        with pytest.raises(KeyboardInterrupt):
            effects.run(claim, utcnow())
    assert losing.lost == 1 and len(control.account(service, "tanaka@minato.example")["meetings"]) == 1
    if then == "moved":
        taken = moving.move(taken, taken.start + HOUR, utcnow(), by=None)
    elif then == "cancelled":
        booking.cancel(taken, utcnow())
    Effect.objects.filter(state=EffectState.RUNNING).update(lease_until=utcnow())
    work()
    settled()
    meetings = control.account(service, "tanaka@minato.example")["meetings"]
    assert len(meetings) == (0 if then == "cancelled" else 1)
    if then == "moved":
        shown = meetings[0].get("start") or meetings[0]["startDateTime"]
        assert shown.startswith(f"{taken.start:%Y-%m-%dT%H:%M}")


def test_a_meeting_deleted_by_hand_is_made_anew_when_the_booking_moves(
    team: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    page = page_of(team[0], locations=(LocationKind.ZOOM,))
    taken = book(page, free_start(page))
    work()
    (before,) = control.account("zoom", "tanaka@minato.example")["meetings"]
    control.client.delete(f"/control/api/accounts/zoom/tanaka@minato.example/meetings/{before['id']}")
    moving.move(taken, taken.start + HOUR, utcnow(), by=None)
    work()
    (after,) = control.account("zoom", "tanaka@minato.example")["meetings"]
    taken.refresh_from_db()
    assert after["id"] != before["id"] and taken.join_url == after["join_url"]
    (event,) = control.events("google", "tanaka@minato.example")
    assert event["resource"]["location"] == taken.join_url
    settled()


def test_an_event_whose_calendar_was_disconnected_goes_into_the_one_connected_next(
    team: Any, page_of: Any, free_start: Any, book: Any, work: Any, connect: Any, control: Control
) -> None:
    owner = team[0]
    page: BookingPage = page_of(owner)
    taken = book(page, free_start(page))
    work()
    connections.disconnect(owner.connections.get(credential__service="google"), utcnow())
    moving.move(taken, taken.start + HOUR, utcnow(), by=owner)
    work()
    assert Effect.objects.get(kind="event").parked_reason == "not_connected"
    owner.refresh_from_db()
    connect(owner, Service.MICROSOFT)
    work()
    (event,) = control.events("microsoft", "tanaka@minato.example")
    assert event["start"] == (taken.start + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
    settled()
