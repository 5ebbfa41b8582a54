"""Work that is parked for a person goes on whatever the repair looks like, and whenever it comes."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from awase import registry
from awase.domain.health import LocationKind, Service
from awase.models import Effect, EffectKind, EffectState
from awase.services import booking, checks, connections
from awase.services.signals import Cause
from sandbox.app import wsgi
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db


class Meanwhile(httpx2.WSGITransport):
    """After the service acted on the first call to `path`, and before its answer arrives, something happens."""

    def __init__(self, sandbox: Any, path: str, happens: Callable[[], object]) -> None:
        super().__init__(app=wsgi(sandbox))
        self.path, self.happens, self.done = path, happens, False

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = super().handle_request(request)
        if not self.done and request.method == "POST" and request.url.path.endswith(self.path):
            self.done = True
            self.happens()
        return answer


def of_kind(kind: EffectKind) -> Effect:
    return Effect.objects.get(kind=kind)


def vanish(control: Control, service: Service, email: str) -> None:
    assert control.client.delete(f"/control/api/accounts/{service.value}/{email}/calendars/projects").status_code == 200


@pytest.fixture
def into_projects(owner: Any, connect: Any, control: Control) -> Any:
    """into_projects(service): an account whose second calendar, `projects`, receives the bookings."""

    def go(service: Service) -> Any:
        control.post("accounts", service=service.value, email=owner.user.email, name=owner.name)
        control.post(f"accounts/{service.value}/{owner.user.email}/calendars", id="projects", name="Projects")
        link = connect(owner, service)
        connections.set_booking_calendar(owner, link.calendars.get(external_id="projects").pk, utcnow())
        owner.refresh_from_db()
        return link

    return go


def test_an_event_that_waits_for_a_calendar_goes_into_that_of_the_account_connected_next(
    owner: Any, into_projects: Any, connect: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    into_projects(Service.GOOGLE)
    page = page_of(owner)
    book(page, free_start(page))
    vanish(control, Service.GOOGLE, owner.user.email)
    connections.set_booking_calendar(owner, None, utcnow())
    work()
    assert of_kind(EffectKind.EVENT).parked_reason == "calendar_missing"
    connect(owner, Service.MICROSOFT)
    work()
    assert of_kind(EffectKind.EVENT).state == EffectState.DONE
    assert len(control.events("microsoft", owner.user.email)) == 1


def test_an_event_waits_for_the_calendar_that_it_would_go_into_not_for_the_one_that_it_was_meant_for(
    owner: Any, into_projects: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    into_projects(Service.GOOGLE)
    page = page_of(owner)
    book(page, free_start(page))
    vanish(control, Service.GOOGLE, owner.user.email)
    work()
    second = into_projects(Service.MICROSOFT)
    vanish(control, Service.MICROSOFT, owner.user.email)
    checks.check(second.credential_id, Cause.CHECK_NOW, utcnow())
    work()
    assert of_kind(EffectKind.EVENT).parked_reason == "calendar_missing"
    control.post(f"accounts/microsoft/{owner.user.email}/calendars", id="projects", name="Projects")
    checks.check(second.credential_id, Cause.CHECK_NOW, utcnow())
    work()
    assert of_kind(EffectKind.EVENT).state == EffectState.DONE
    assert len(control.events("microsoft", owner.user.email)) == 1


@pytest.fixture
def zoom_without_licence(owner: Any, connect: Any, page_of: Any, free_start: Any, book: Any, control: Control) -> Any:
    """A booking by Zoom, whose licence is gone before the meeting is made: (booking, connection)."""
    connect(owner, Service.GOOGLE)
    link = connect(owner, Service.ZOOM)
    owner.refresh_from_db()
    page = page_of(owner, locations=(LocationKind.ZOOM,))
    taken = book(page, free_start(page))
    control.fault("zoom", owner.user.email, "no_licence")
    return taken, link


def test_work_that_was_refused_while_the_account_was_repaired_is_tried_again(
    zoom_without_licence: Any, owner: Any, work: Any, control: Control, sandbox: Any
) -> None:
    taken, link = zoom_without_licence

    def repaired() -> None:
        control.repair("zoom", owner.user.email)
        connections.check_now(link, utcnow())

    with registry.use_transport(Meanwhile(sandbox, "/users/me/meetings", repaired)):
        work()
    assert of_kind(EffectKind.MEETING).state == EffectState.DONE
    taken.refresh_from_db()
    assert taken.join_url


def test_work_parked_at_the_very_moment_of_the_repair_is_resumed(
    zoom_without_licence: Any, owner: Any, work: Any, control: Control, sandbox: Any
) -> None:
    """The refusal was known before; the repair comes between the answer and the parking."""
    taken, link = zoom_without_licence
    work()
    assert of_kind(EffectKind.MEETING).state == EffectState.PARKED

    def repaired() -> None:
        control.repair("zoom", owner.user.email)
        connections.check_now(link, utcnow())

    Effect.objects.filter(kind=EffectKind.MEETING).update(state=EffectState.PENDING, next_at=utcnow())
    with registry.use_transport(Meanwhile(sandbox, "/users/me/meetings", repaired)):
        work()
    assert of_kind(EffectKind.MEETING).state == EffectState.DONE
    taken.refresh_from_db()
    assert taken.join_url


def test_work_of_a_booking_that_is_cancelled_while_it_is_refused_is_not_parked(
    zoom_without_licence: Any, work: Any, sandbox: Any
) -> None:
    taken, _link = zoom_without_licence
    with registry.use_transport(Meanwhile(sandbox, "/users/me/meetings", lambda: booking.cancel(taken, utcnow()))):
        work()
    assert not Effect.objects.filter(kind__in=["meeting", "event"]).exclude(state=EffectState.DONE).exists()


def test_work_that_waits_for_an_account_goes_to_another_one_when_that_is_disconnected(
    owner: Any, into_projects: Any, connect: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    first = into_projects(Service.GOOGLE)
    page = page_of(owner)
    book(page, free_start(page))
    control.revoke("google", owner.user.email)
    work()
    assert of_kind(EffectKind.EVENT).parked_for_id == first.credential_id
    second = connect(owner, Service.MICROSOFT)
    connections.disconnect(first, utcnow())
    work()
    assert of_kind(EffectKind.EVENT).parked_reason == "not_connected", "nothing is told of an account that is gone"
    connections.set_booking_calendar(owner, second.calendars.get().pk, utcnow())
    work()
    assert len(control.events("microsoft", owner.user.email)) == 1


def test_a_meet_link_is_waited_for_where_none_can_come_and_made_by_the_google_account_connected_next(
    owner: Any, connect: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control
) -> None:
    google = connect(owner, Service.GOOGLE)
    page = page_of(owner, locations=(LocationKind.MEET,))
    taken = book(page, free_start(page))
    connections.disconnect(google, utcnow())
    connect(owner, Service.MICROSOFT)
    work()
    event = of_kind(EffectKind.EVENT)
    assert (event.state, event.parked_reason) == (EffectState.PARKED, "not_connected")
    assert len(control.events("microsoft", owner.user.email)) == 1, "the host's calendar shows it all the same"
    connect(owner, Service.GOOGLE)
    work()
    taken.refresh_from_db()
    assert taken.join_url and of_kind(EffectKind.EVENT).state == EffectState.DONE
    assert len(control.events("google", owner.user.email)) == 1
    assert not control.events("microsoft", owner.user.email)
