"""The official client libraries of Google and Microsoft read and write the sandbox over a real port."""

import asyncio
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import googleapiclient
import httpx2
import pytest
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
from msgraph.generated.models.event import Event
from msgraph.generated.models.free_busy_status import FreeBusyStatus
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from sandbox.__main__ import Handler, Server
from sandbox.app import wsgi
from tests.sandbox.driver import GOOGLE, Linked, World

EMAIL = "sato@example.com"


@pytest.fixture
def base(world: World) -> Iterator[str]:
    """The address of the world's sandbox on a port of its own."""
    world.sandbox.clock = lambda: datetime.now(UTC)
    with Server(("127.0.0.1", 0), Handler) as server:
        server.set_app(wsgi(world.sandbox))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def google(base: str, linked: Linked) -> Any:
    """The official client; its own token is stale, so that it must refresh first."""
    credentials = Credentials(  # type: ignore[no-untyped-call]
        "stale",
        refresh_token=linked.tokens["refresh_token"],
        token_uri=f"{base}/google/token",
        client_id="awase-google",
        client_secret="sandbox-secret",
    )
    endpoint = {"api_endpoint": f"{base}/google/calendar/v3/"}
    return build(
        "calendar", "v3", credentials=credentials, client_options=endpoint, static_discovery=True, cache_discovery=False
    )


def test_googles_own_client_writes_and_reads_events_and_busy_times(world: World, base: str) -> None:
    calendar = google(base, world.connect("google", EMAIL))
    body = {
        "id": "judge12345",
        "summary": "合わせ",
        "start": {"dateTime": "2026-12-02T10:00:00", "timeZone": "Asia/Tokyo"},
        "end": {"dateTime": "2026-12-02T11:00:00", "timeZone": "Asia/Tokyo"},
        "attendees": [{"email": "guest@example.net"}],
        "conferenceData": {"createRequest": {"requestId": "b1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}},
    }
    made = calendar.events().insert(calendarId=EMAIL, body=body, conferenceDataVersion=1, sendUpdates="none").execute()
    assert made["id"] == "judge12345" and made["attendees"][0]["responseStatus"] == "needsAction"
    listed = (
        calendar.events()
        .list(calendarId="primary", singleEvents=True, orderBy="startTime", timeMin="2026-12-01T00:00:00Z")
        .execute()
    )
    assert [event["summary"] for event in listed["items"]] == ["合わせ"]
    assert listed["items"][0]["hangoutLink"].startswith("https://meet.google.com/")
    question = {
        "timeMin": "2026-12-02T00:00:00Z",
        "timeMax": "2026-12-03T00:00:00Z",
        "items": [{"id": EMAIL}],
    }
    busy = calendar.freebusy().query(body=question).execute()["calendars"][EMAIL]["busy"]
    assert busy == [{"start": "2026-12-02T01:00:00Z", "end": "2026-12-02T02:00:00Z"}]
    calendars = calendar.calendarList().list().execute()["items"]
    assert [item["id"] for item in calendars] == [EMAIL]
    calendar.events().patch(calendarId=EMAIL, eventId="judge12345", body={"summary": "Moved"}).execute()
    assert calendar.events().get(calendarId=EMAIL, eventId="judge12345").execute()["summary"] == "Moved"
    calendar.events().delete(calendarId=EMAIL, eventId="judge12345").execute()
    calendar.close()


def test_googles_own_client_understands_the_errors(world: World, base: str) -> None:
    linked = world.connect("google", EMAIL)
    calendar = google(base, linked)
    with pytest.raises(HttpError) as missing:
        calendar.events().get(calendarId=EMAIL, eventId="nothing").execute()
    assert missing.value.status_code == 404 and missing.value.reason == "Not Found"
    linked.fault("scope_missing")
    with pytest.raises(HttpError) as denied:
        calendar.calendarList().list().execute()
    assert denied.value.error_details[0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    calendar.close()


def test_every_key_of_googles_answers_is_in_the_discovery_document(world: World) -> None:
    """The schemas of the official client's own copy of the contract."""
    folder = Path(googleapiclient.__file__).parent / "discovery_cache/documents"
    schemas = json.loads((folder / "calendar.v3.json").read_text())["schemas"]
    linked = world.connect("google", EMAIL, scope=f"openid {GOOGLE}calendar")
    meet = {"createRequest": {"requestId": "b1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    body = {
        "start": {"dateTime": "2026-12-02T10:00:00Z", "timeZone": "UTC"},
        "end": {"dateTime": "2026-12-02T11:00:00Z"},
        "attendees": [{"email": EMAIL}],
        "recurrence": ["RRULE:FREQ=DAILY;COUNT=2"],
        "conferenceData": meet,
    }
    events = "/calendar/v3/calendars/primary/events"
    made = linked.call("POST", events, json=body, params={"conferenceDataVersion": "1"}).json()
    busy = {"timeMin": "2026-12-02T00:00:00Z", "timeMax": "2026-12-03T00:00:00Z", "items": [{"id": EMAIL}, {"id": "x"}]}
    answers = {
        "Event": linked.call("GET", f"{events}/{made['id']}").json(),
        "Events": linked.call("GET", events, params={"singleEvents": "true"}).json(),
        "CalendarList": linked.call("GET", "/calendar/v3/users/me/calendarList").json(),
        "Calendar": linked.call("GET", "/calendar/v3/calendars/primary").json(),
        "FreeBusyResponse": linked.call("POST", "/calendar/v3/freeBusy", json=busy).json(),
    }
    for name, answer in answers.items():
        fits(answer, {"$ref": name}, schemas, name)


def fits(value: Any, schema: dict[str, Any], schemas: dict[str, Any], where: str) -> None:
    schema = schemas[schema["$ref"]] if "$ref" in schema else schema
    kind = {"string": str, "boolean": bool, "integer": int, "array": list, "object": dict}[schema["type"]]
    assert isinstance(value, kind), where
    if isinstance(value, list):
        for item in value:
            fits(item, schema["items"], schemas, f"{where}[]")
    elif isinstance(value, dict):
        for name, item in value.items():
            inner = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            assert inner is not None, f"{where}.{name} is not in the discovery document"
            fits(item, inner, schemas, f"{where}.{name}")


class Bearer(AuthenticationProvider):
    """Puts one token on every request."""

    def __init__(self, token: str) -> None:
        self.token = token

    async def authenticate_request(
        self, request: RequestInformation, additional_authentication_context: Any = None
    ) -> None:
        request.headers.add("Authorization", f"Bearer {self.token}")


def graph(base: str, linked: Linked) -> GraphServiceClient:
    adapter = GraphRequestAdapter(Bearer(linked.tokens["access_token"]))
    adapter.base_url = f"{base}/microsoft/v1.0"
    return GraphServiceClient(request_adapter=adapter)


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_microsofts_own_sdk_writes_and_reads_events(world: World, base: str) -> None:
    linked = world.connect("microsoft", EMAIL)

    async def use() -> None:
        client = graph(base, linked)
        draft = Event(
            subject="合わせ",
            start=DateTimeTimeZone(date_time="2026-12-02T10:00:00", time_zone="Tokyo Standard Time"),
            end=DateTimeTimeZone(date_time="2026-12-02T11:00:00", time_zone="Tokyo Standard Time"),
            is_online_meeting=True,
            transaction_id="b1",
        )
        made = await client.me.events.post(draft)
        assert made is not None and made.id is not None
        seen = await client.me.events.by_event_id(made.id).get()
        assert seen is not None and seen.subject == "合わせ" and seen.transaction_id == "b1"
        assert seen.start is not None and seen.start.date_time == "2026-12-02T01:00:00.0000000"
        assert seen.online_meeting is not None and seen.online_meeting.join_url
        assert seen.show_as is FreeBusyStatus.Busy
        listed = await client.me.calendars.get()
        assert listed is not None and [calendar.is_default_calendar for calendar in listed.value or []] == [True]
        await client.me.events.by_event_id(made.id).delete()
        with pytest.raises(ODataError) as gone:
            await client.me.events.by_event_id(made.id).get()
        assert gone.value.error is not None and gone.value.error.code == "ErrorItemNotFound"

    asyncio.run(use())


def test_the_server_answers_many_at_once_and_closes_each_connection(world: World, base: str) -> None:
    linked = world.connect("zoom", EMAIL)
    headers = {"Authorization": f"Bearer {linked.tokens['access_token']}"}
    body = {"topic": "x", "start_time": "2026-12-02T10:00:00Z"}
    statuses: list[int] = []

    def book() -> None:
        with httpx2.Client(base_url=base, headers=headers) as client:
            statuses.extend(client.post("/zoom/v2/users/me/meetings", json=body).status_code for _ in range(5))

    threads = [threading.Thread(target=book) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [201] * 50
    assert len(world.control("GET", f"accounts/zoom/{EMAIL}")["meetings"]) == 50


def test_the_command_keeps_its_state_over_a_stop(tmp_path: Path) -> None:
    accounts: list[int] = []
    for round_ in range(2):
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--state", str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
            assert process.stdout is not None
            port = re.search(r":(\d+)/", process.stdout.readline())
            assert port is not None
            connection = http.client.HTTPConnection("localhost", int(port[1]), timeout=10)
            if round_ == 0:
                connection.request("POST", "/control/api/accounts", json.dumps({"service": "google", "email": EMAIL}))
                connection.getresponse().read()
            connection.request("GET", "/control/api/state")
            accounts.append(len(json.loads(connection.getresponse().read())["accounts"]))
            connection.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
    assert accounts == [1, 1]
