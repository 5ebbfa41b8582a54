"""Looking again, rarely, whether somebody has cured what only a person can cure at the service."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from awase.domain.health import LocationKind, Service
from awase.domain.transition import probe_due
from awase.models import Calendar, Connection, Credential, Member
from awase.services import checks, connections, probing
from awase.services.health import verdict_of
from awase.services.signals import Cause
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


def test_probes_fall_after_one_hour_seven_hours_and_then_every_day() -> None:
    step = timedelta(minutes=10)
    moments = [step * number for number in range(6 * 24 * 4)]
    due = [after for after in moments if probe_due(NOON, now=NOON + after, within=step)]
    hours = [after / timedelta(hours=1) for after in due]
    assert hours == [1, 7, 31, 55, 79]


@pytest.fixture
def clock(time_machine: Any) -> Callable[..., datetime]:
    """clock(hours=…) moves on, and stands still otherwise."""
    now = [utcnow()]
    time_machine.move_to(now[0], tick=False)

    def forward(**parts: float) -> datetime:
        now[0] += timedelta(**parts)
        time_machine.move_to(now[0], tick=False)
        return now[0]

    return forward


@pytest.fixture
def at_google(owner: Member, connect: Callable[..., Connection]) -> Connection:
    link = connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    return link


@pytest.mark.parametrize(("service", "kind"), [(Service.ZOOM, LocationKind.ZOOM), (Service.TEAMS, LocationKind.TEAMS)])
def test_a_licence_that_was_given_back_is_noticed_and_the_page_opens(
    owner: Member,
    at_google: Connection,
    connect: Any,
    page_of: Any,
    free_start: Any,
    book: Any,
    work: Any,
    control: Control,
    clock: Any,
    service: Service,
    kind: LocationKind,
) -> None:
    link = connect(owner, service)
    page = page_of(owner, locations=(kind,))
    at = "microsoft" if service is Service.TEAMS else service.value
    control.fault(at, owner.user.email, "no_licence")
    book(page, free_start(page))
    work()
    assert Credential.objects.get(pk=link.credential_id).lacking == {kind.value: "licence_missing"}
    assert not verdict_of(page, utcnow()).open
    control.repair(at, owner.user.email)

    def fresh(now: datetime) -> None:
        Credential.objects.update(last_good=now, next_check=now + timedelta(hours=1))

    for _ in range(5):
        now = clock(minutes=10)
        fresh(now)
        probing.probe_capabilities(now)
        assert not verdict_of(page, now).open, "asked rarely, so not yet"
    now = clock(minutes=12)
    fresh(now)
    probing.probe_capabilities(now)
    assert verdict_of(page, now).open
    work()
    assert len(control.account(at, owner.user.email)["meetings"]) == 1, "the booking's own; the probe left none"


def test_check_now_tries_what_is_lacking_at_once(
    owner: Member, at_google: Connection, connect: Any, page_of: Any, control: Control, clock: Any
) -> None:
    link = connect(owner, Service.ZOOM)
    page_of(owner, locations=(LocationKind.ZOOM,))
    Credential.objects.filter(pk=link.credential_id).update(lacking={"zoom": "licence_missing"})
    control.fault("zoom", owner.user.email, "no_licence")
    connections.check_now(link, clock(seconds=1))
    assert Credential.objects.get(pk=link.credential_id).lacking == {"zoom": "licence_missing"}
    control.repair("zoom", owner.user.email)
    connections.check_now(link, clock(seconds=1))
    assert Credential.objects.get(pk=link.credential_id).lacking == {}


def test_meet_that_is_allowed_again_is_noticed(
    owner: Member, at_google: Connection, page_of: Any, control: Control, clock: Any
) -> None:
    page = page_of(owner, locations=(LocationKind.MEET,))
    Calendar.objects.update(meet_allowed=False)
    assert not verdict_of(page, utcnow()).open
    control.fault("google", owner.user.email, "no_licence")
    now = clock(minutes=61)
    Credential.objects.update(last_good=now, next_check=now + timedelta(hours=1))
    probing.probe_capabilities(now)
    assert not verdict_of(page, now).open
    control.repair("google", owner.user.email)
    probing.probe_capabilities(now)
    assert verdict_of(page, now).open


def test_a_missing_calendar_is_asked_for_rarely_and_noticed_when_it_is_back(
    owner: Member, at_google: Connection, page_of: Any, control: Control, clock: Any, sandbox: Any
) -> None:
    page = page_of(owner)
    control.fault("google", owner.user.email, "calendar_error", reason="notFound")
    checks.check(at_google.credential_id, Cause.CHECK, clock(seconds=1))
    calendar = Calendar.objects.get(checked=True)
    assert calendar.missing_since and not verdict_of(page, utcnow()).open
    asked = []
    for number in range(1, 9 * 12):
        sandbox.requests.clear()
        checks.check(at_google.credential_id, Cause.CHECK, clock(minutes=5))
        if any("/events" in entry["path"] for entry in sandbox.requests):
            asked.append(number / 12)
    assert {int(hours) for hours in asked} == {1, 7}
    assert len(asked) <= 4

    control.repair("google", owner.user.email)
    checks.check(at_google.credential_id, Cause.CHECK, clock(minutes=5))
    assert Calendar.objects.get(pk=calendar.pk).missing_since, "it waits for its probe"
    checks.check(at_google.credential_id, Cause.CHECK_NOW, clock(seconds=1))
    assert Calendar.objects.get(pk=calendar.pk).missing_since is None
    assert verdict_of(page, clock(seconds=1)).open


def test_an_account_in_error_is_not_probed_for_what_it_lacks_besides(owner: Member, connect: Any) -> None:
    link = connect(owner, Service.ZOOM)
    Credential.objects.update(standing="error", reason="revoked", lacking={"zoom": "licence_missing"})
    before = Credential.objects.get(pk=link.credential_id)
    probing.probe(before, Cause.CHECK, utcnow())
    assert Credential.objects.get(pk=link.credential_id).lacking == {"zoom": "licence_missing"}
