"""What a booking writes, read by clients and kept by servers that were written elsewhere."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import caldav
import pytest
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.request_information import RequestInformation
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from awase import registry
from awase.domain.health import LocationKind, Service
from awase.models import CalendarEvent, Credential
from awase.services import booking, checks, connections
from awase.services.connections import ConnectProblem, Trouble
from awase.services.health import verdict_of
from awase.services.signals import Cause
from sandbox.__main__ import Handler, Server
from sandbox.app import wsgi
from tests.providers.radicale import PASSWORD, USER, RadicaleWorld, running
from tests.services.conftest import utcnow

pytestmark = pytest.mark.django_db


@pytest.fixture
def port_of_sandbox(sandbox: Any) -> Iterator[str]:
    """The very sandbox that the product talks to, on a port for everybody else."""
    with Server(("127.0.0.1", 0), Handler) as server:
        server.set_app(wsgi(sandbox))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def access_token(service: str) -> str:
    token: str = Credential.objects.get(service=service).secret["access_token"]
    return token


def test_googles_own_client_reads_the_event_that_a_booking_wrote(
    owner: Any, connect: Any, page_of: Any, free_start: Any, book: Any, work: Any, port_of_sandbox: str
) -> None:
    connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    page = page_of(owner, locations=(LocationKind.MEET,))
    taken = book(page, free_start(page))
    work()
    taken.refresh_from_db()
    client = build(
        "calendar",
        "v3",
        credentials=Credentials(access_token("google")),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": f"{port_of_sandbox}/google/calendar/v3/"},
        static_discovery=True,
        cache_discovery=False,
    )
    event = client.events().get(calendarId=owner.user.email, eventId=CalendarEvent.objects.get().key).execute()
    client.close()
    assert "山田 花子" in event["summary"]
    assert datetime.fromisoformat(event["start"]["dateTime"]) == taken.start
    assert event["hangoutLink"] == taken.join_url
    assert not event.get("attendees"), "guests are invited by our mails alone"


class Bearer(AuthenticationProvider):
    def __init__(self, token: str) -> None:
        self.token = token

    async def authenticate_request(
        self, request: RequestInformation, additional_authentication_context: dict[str, Any] | None = None
    ) -> None:
        request.headers.add("Authorization", f"Bearer {self.token}")


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_microsofts_own_client_reads_the_event_that_a_booking_wrote(
    owner: Any, connect: Any, page_of: Any, free_start: Any, book: Any, work: Any, port_of_sandbox: str
) -> None:
    connect(owner, Service.MICROSOFT)
    connect(owner, Service.TEAMS)
    owner.refresh_from_db()
    page = page_of(owner, locations=(LocationKind.TEAMS,))
    taken = book(page, free_start(page))
    work()
    taken.refresh_from_db()

    token, event_id = access_token("microsoft"), CalendarEvent.objects.get().external_id

    async def read() -> Any:
        adapter = GraphRequestAdapter(Bearer(token))
        adapter.base_url = f"{port_of_sandbox}/microsoft/v1.0"
        return await GraphServiceClient(request_adapter=adapter).me.events.by_event_id(event_id).get()

    event = asyncio.run(read())
    assert "山田 花子" in event.subject
    assert event.location.display_name == taken.join_url and taken.join_url.startswith("https://teams.")


@pytest.fixture
def radicale(tmp_path: Path, settings: Any) -> Iterator[str]:
    settings.AWASE_CALDAV_ALLOWED = ("127.0.0.1",)
    registry._guarded.cache_clear()
    with running(tmp_path) as address:
        RadicaleWorld(address)
        yield address
    registry._guarded.cache_clear()


def test_a_booking_is_kept_by_a_caldav_server_and_the_guard_bars_inner_addresses(
    owner: Any, page_of: Any, free_start: Any, book: Any, work: Any, radicale: str, settings: Any
) -> None:
    link = connections.connect_caldav(owner, None, radicale, USER, PASSWORD, utcnow())
    owner.refresh_from_db()
    page = page_of(owner)
    taken = book(page, free_start(page))
    work()
    with caldav.DAVClient(radicale, username=USER, password=PASSWORD) as client:
        found = client.calendar(url=link.member.booking_calendar.external_id).events()
        texts = [event.data for event in found]
    assert len(texts) == 1 and "山田 花子" in texts[0]
    booking.cancel(taken, utcnow())
    work()
    assert not CalendarEvent.objects.exclude(booking=taken).exists()
    checks.check(link.credential_id, Cause.CHECK, utcnow())
    assert verdict_of(page, utcnow()).open

    with pytest.raises(ConnectProblem) as wrong:
        connections.connect_caldav(owner, None, radicale, USER, "wrong", utcnow())
    assert wrong.value.trouble is Trouble.REFUSED
    settings.AWASE_CALDAV_ALLOWED = ()
    registry._guarded.cache_clear()
    with pytest.raises(ConnectProblem) as inward:
        connections.connect_caldav(owner, None, radicale, USER, PASSWORD, utcnow())
    assert inward.value.trouble is Trouble.ADDRESS
