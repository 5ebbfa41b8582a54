"""The official client libraries of Google and Microsoft use the sandbox over a real port, with every call that our
adapters use; what passes is judged by the descriptions too. (Zoom has no official client.)"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.models.attendee import Attendee
from msgraph.generated.models.attendee_type import AttendeeType
from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.event import Event
from msgraph.generated.models.free_busy_status import FreeBusyStatus
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.online_meeting import OnlineMeeting
from msgraph.generated.models.single_value_legacy_extended_property import SingleValueLegacyExtendedProperty
from msgraph.generated.models.subscription import Subscription
from msgraph.generated.users.item.calendar.get_schedule.get_schedule_post_request_body import GetSchedulePostRequestBody
from msgraph.generated.users.item.online_meetings.create_or_get.create_or_get_post_request_body import (
    CreateOrGetPostRequestBody,
)
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from sandbox.__main__ import Handler, Server
from sandbox.app import wsgi
from tests.judges import contract
from tests.judges.contract import Contract
from tests.judges.recorder import Recorder
from tests.judges.test_contracts import described, excused
from tests.sandbox.driver import GOOGLE, SCOPES, Linked, World

EMAIL = "sato@example.com"
ROOM = "room-1@example.com"
HOOK = "https://awase.example/hook"
WINDOW = {"timeMin": "2026-12-01T00:00:00Z", "timeMax": "2026-12-31T00:00:00Z"}


def shake_hands(address: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    """The product's end of a push channel, which repeats the token that it is asked with."""
    token = parse_qs(urlsplit(address).query).get("validationToken", [""])[0]
    return 200, token.encode()


@dataclass
class Port:
    """A sandbox on a port of its own, listened to."""

    world: World = field(default_factory=World)
    recorder: Recorder = field(default_factory=Recorder)
    base: str = ""

    def problems(self, name: str, judge: Contract) -> list[str]:
        """What the judge says of all that passed."""
        return [
            problem
            for exchange in self.recorder.exchanges
            for part in exchange.parts()
            if part.path.startswith(judge.base)
            for problem in (*judge.request_problems(part), *judge.answer_problems(part))
            if not excused(name, problem)
        ]

    def operations(self, judge: Contract) -> set[str]:
        """The operations that were called."""
        parts = [part for exchange in self.recorder.exchanges for part in exchange.parts()]
        return {judge.operation(part).name for part in parts if part.path.startswith(judge.base)}


@pytest.fixture
def port() -> Iterator[Port]:
    there = Port()
    there.world.sandbox.clock = lambda: datetime.now(UTC)
    there.world.sandbox.post = shake_hands
    with Server(("127.0.0.1", 0), Handler) as server:
        server.set_app(there.recorder.around(wsgi(there.world.sandbox)))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        there.base = f"http://127.0.0.1:{server.server_port}"
        yield there
        server.shutdown()
        thread.join()


# Google


def google(port: Port, linked: Linked, name: str = "calendar", version: str = "v3") -> Any:
    """The official client; its own token is stale, so that it must refresh first."""
    credentials = Credentials(  # type: ignore[no-untyped-call]
        "stale",
        refresh_token=linked.tokens["refresh_token"],
        token_uri=f"{port.base}/google/token",
        client_id="awase-google",
        client_secret="sandbox-secret",
    )
    endpoint = {"api_endpoint": f"{port.base}/google/{'calendar/v3/' if name == 'calendar' else ''}"}
    return build(
        name, version, credentials=credentials, client_options=endpoint, static_discovery=True, cache_discovery=False
    )


def google_event(**more: Any) -> dict[str, Any]:
    return {
        "id": "judge12345",
        "summary": "合わせ",
        "start": {"dateTime": "2026-12-02T10:00:00+09:00", "timeZone": "Asia/Tokyo"},
        "end": {"dateTime": "2026-12-02T11:00:00+09:00", "timeZone": "Asia/Tokyo"},
        **more,
    }


def test_googles_own_client_can_use_all_that_the_adapter_uses(port: Port) -> None:
    scope = f"{SCOPES['google']} {GOOGLE}calendar.calendars.readonly"
    calendar = google(port, port.world.connect("google", EMAIL, scope=scope))
    events = calendar.events()
    meet = {"createRequest": {"requestId": "b1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    body = google_event(attendees=[{"email": "guest@example.net"}], conferenceData=meet)
    made = events.insert(calendarId=EMAIL, body=body, conferenceDataVersion=1, sendUpdates="none").execute()
    assert made["id"] == "judge12345" and made["attendees"][0]["responseStatus"] == "needsAction"
    with pytest.raises(HttpError, match="already exists"):
        events.insert(calendarId=EMAIL, body=body).execute()
    types = ["default", "focusTime", "outOfOffice"]
    asked = events.list(
        calendarId="primary",
        singleEvents=True,
        orderBy="startTime",
        eventTypes=types,
        maxAttendees=1,
        fields="timeZone,nextSyncToken,items(id,summary,hangoutLink,start,end)",
        **WINDOW,
    )
    listed = asked.execute()
    assert [event["summary"] for event in listed["items"]] == ["合わせ"]
    assert listed["items"][0]["hangoutLink"].startswith("https://meet.google.com/")
    assert events.list_next(asked, listed) is None
    question = WINDOW | {"items": [{"id": EMAIL}, {"id": "nobody@example.com"}]}
    answer = calendar.freebusy().query(body=question).execute()["calendars"]
    assert answer[EMAIL]["busy"] == [{"start": "2026-12-02T01:00:00Z", "end": "2026-12-02T02:00:00Z"}]
    assert answer["nobody@example.com"]["errors"][0]["reason"] == "notFound"
    assert [item["id"] for item in calendar.calendarList().list().execute()["items"]] == [EMAIL]
    assert calendar.calendars().get(calendarId="primary").execute()["timeZone"] == "Asia/Tokyo"
    events.patch(calendarId=EMAIL, eventId="judge12345", body={"summary": "Moved"}, sendUpdates="none").execute()
    assert events.get(calendarId=EMAIL, eventId="judge12345").execute()["summary"] == "Moved"
    events.update(calendarId=EMAIL, eventId="judge12345", body=google_event(summary="Again")).execute()
    series = google_event(id="series12345", recurrence=["RRULE:FREQ=DAILY;COUNT=3"])
    events.insert(calendarId=EMAIL, body=series).execute()
    assert len(events.list(calendarId=EMAIL, singleEvents=True, **WINDOW).execute()["items"]) == 4
    events.delete(calendarId=EMAIL, eventId="judge12345", sendUpdates="none").execute()
    with pytest.raises(HttpError) as gone:
        events.delete(calendarId=EMAIL, eventId="judge12345").execute()
    assert gone.value.status_code == 410
    calendar.close()
    judge = contract.google()
    assert port.problems("google", judge) == []
    calendars = [exchange for exchange in described("google") if exchange.path.startswith(judge.base)]
    used = {judge.operation(exchange).name for exchange in calendars}  # rooms of an organisation: a test of their own
    assert used - port.operations(judge) == {"calendar.events.watch", "calendar.channels.stop"}  # the next test


def test_googles_own_client_follows_changes_by_token_and_by_channel(port: Port) -> None:
    calendar = google(port, port.world.connect("google", EMAIL))
    events = calendar.events()
    token = events.list(calendarId=EMAIL, singleEvents=True).execute()["nextSyncToken"]
    events.insert(calendarId=EMAIL, body=google_event()).execute()
    followed = events.list(calendarId=EMAIL, singleEvents=True, syncToken=token).execute()
    assert [event["id"] for event in followed["items"]] == ["judge12345"]
    events.delete(calendarId=EMAIL, eventId="judge12345").execute()
    followed = events.list(calendarId=EMAIL, singleEvents=True, syncToken=followed["nextSyncToken"]).execute()
    assert [event["status"] for event in followed["items"]] == ["cancelled"]
    with pytest.raises(HttpError) as old:
        events.list(calendarId=EMAIL, syncToken="forgotten").execute()
    assert old.value.status_code == 410 and old.value.error_details[0]["reason"] == "fullSyncRequired"
    wanted = {"id": "channel-1", "type": "web_hook", "address": HOOK, "token": "secret", "params": {"ttl": "3600"}}
    channel = events.watch(calendarId=EMAIL, body=wanted).execute()
    assert int(channel["expiration"]) > datetime.now(UTC).timestamp() * 1000
    calendar.channels().stop(body={"id": channel["id"], "resourceId": channel["resourceId"]}).execute()
    calendar.close()
    assert port.problems("google", contract.google()) == []


def test_googles_own_client_lists_the_rooms_of_an_organisation(port: Port) -> None:
    scope = f"openid {GOOGLE}admin.directory.resource.calendar.readonly"
    port.world.add("google", EMAIL, calendars=[{"id": ROOM, "name": "Room", "room": True}])
    directory = google(port, port.world.connect("google", EMAIL, scope=scope), "admin", "directory_v1")
    rooms = directory.resources().calendars().list(customer="my_customer").execute()["items"]
    assert [room["resourceEmail"] for room in rooms] == [ROOM]
    directory.close()
    judge = contract.google_rooms()
    listed = [exchange for exchange in port.recorder.exchanges if exchange.path.startswith("/admin/")]
    assert [
        problem for each in listed for problem in (*judge.request_problems(each), *judge.answer_problems(each))
    ] == []
    assert [exchange.status for exchange in listed] == [401, 200]


def test_googles_own_client_understands_the_errors(port: Port) -> None:
    linked = port.world.connect("google", EMAIL)
    calendar = google(port, linked)
    with pytest.raises(HttpError) as missing:
        calendar.events().get(calendarId=EMAIL, eventId="nothing").execute()
    assert missing.value.status_code == 404 and missing.value.reason == "Not Found"
    linked.fault("scope_missing")
    with pytest.raises(HttpError) as denied:
        calendar.calendarList().list().execute()
    assert denied.value.error_details[0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    calendar.close()


# Microsoft


class Bearer(AuthenticationProvider):
    """Puts one token on every request."""

    def __init__(self, token: str) -> None:
        self.token = token

    async def authenticate_request(
        self, request: RequestInformation, additional_authentication_context: Any = None
    ) -> None:
        request.headers.add("Authorization", f"Bearer {self.token}")


def adapter_of(port: Port, linked: Linked) -> GraphRequestAdapter:
    adapter = GraphRequestAdapter(Bearer(linked.tokens["access_token"]))
    adapter.base_url = f"{port.base}/microsoft/v1.0"
    return adapter


def edge(hour: int) -> DateTimeTimeZone:
    return DateTimeTimeZone(date_time=f"2026-12-02T{hour:02}:00:00", time_zone="Tokyo Standard Time")


def graph_event(**more: Any) -> Event:
    return Event(subject="合わせ", start=edge(10), end=edge(11), transaction_id="b1", **more)


async def outlook_used(client: GraphServiceClient) -> None:
    # Importing these warns of their own old names, which only a test may ignore.
    from msgraph.generated.users.item.calendars.item.calendar_view.calendar_view_request_builder import (
        CalendarViewRequestBuilder as View,
    )
    from msgraph.generated.users.item.calendars.item.events.events_request_builder import EventsRequestBuilder

    calendars = await client.me.calendars.get()
    assert calendars is not None and calendars.value and calendars.value[0].is_default_calendar
    assert (await client.me.calendar.get()) is not None
    calendar = client.me.calendars.by_calendar_id(str(calendars.value[0].id))
    room = Attendee(email_address=EmailAddress(address=ROOM), type=AttendeeType.Resource)
    key = SingleValueLegacyExtendedProperty(id="String {b3f7a1e2-6f0c-4d1b-9c55-2f7f4a0d8e61} Name Key", value="b1")
    draft = graph_event(attendees=[room], single_value_extended_properties=[key], is_online_meeting=True)
    made = await calendar.events.post(draft)
    again = await calendar.events.post(draft)
    assert made is not None and made.id is not None and again is not None and again.id == made.id
    event = calendar.events.by_event_id(made.id)
    seen = await event.get()
    assert seen is not None and seen.subject == "合わせ" and seen.transaction_id == "b1"
    assert seen.start is not None and seen.start.date_time == "2026-12-02T01:00:00.0000000"
    assert seen.online_meeting is not None and seen.online_meeting.join_url
    assert seen.show_as is FreeBusyStatus.Busy
    wanted = f"singleValueExtendedProperties/Any(ep: ep/id eq '{key.id}' and ep/value eq 'b1')"
    query = EventsRequestBuilder.EventsRequestBuilderGetQueryParameters(filter=wanted, select=["id"])
    found = await calendar.events.get(RequestConfiguration(query_parameters=query))
    assert found is not None and [item.id for item in found.value or []] == [made.id]
    await event.patch(Event(subject="Moved", start=edge(12), end=edge(13)))
    days = {"start_date_time": WINDOW["timeMin"], "end_date_time": WINDOW["timeMax"]}
    view = View.CalendarViewRequestBuilderGetQueryParameters(**days, select=["id", "showAs", "start"], top=500)
    config = RequestConfiguration(query_parameters=view)
    config.headers.add("Prefer", 'outlook.timezone="UTC", IdType="ImmutableId"')
    shown = await calendar.calendar_view.get(config)
    assert shown is not None and [item.id for item in shown.value or []] == [made.id]
    window = f"startDateTime={days['start_date_time']}&endDateTime={days['end_date_time']}"
    base = calendar.calendar_view.delta.with_url(
        f"{calendar.request_adapter.base_url}{PATH}".format(calendar=calendars.value[0].id, window=window)
    )
    first = await base.get()
    assert first is not None and first.odata_delta_link and [item.id for item in first.value or []] == [made.id]
    await event.delete()
    rest = await calendar.calendar_view.delta.with_url(first.odata_delta_link).get()
    assert rest is not None and [item.id for item in rest.value or []] == [made.id]
    with pytest.raises(ODataError) as gone:
        await event.get()
    assert gone.value.error is not None and gone.value.error.code == "ErrorItemNotFound"


PATH = "/me/calendars/{calendar}/calendarView/delta?{window}"


async def schedules_and_rooms_used(client: GraphServiceClient) -> None:
    body = GetSchedulePostRequestBody(
        schedules=[EMAIL, "nobody@elsewhere.example"],
        start_time=edge(9),
        end_time=edge(18),
        availability_view_interval=60,
    )
    answer = await client.me.calendar.get_schedule.post(body)
    assert answer is not None and answer.value is not None
    own, unknown = answer.value
    assert own.availability_view == "0" * 9
    assert unknown.error is not None and unknown.error.response_code == "5009"
    rooms = await client.places.graph_room.get()
    assert rooms is not None and [room.email_address for room in rooms.value or []] == [ROOM]


async def subscription_used(client: GraphServiceClient) -> None:
    wanted = Subscription(
        change_type="created,updated,deleted",
        notification_url=HOOK,
        lifecycle_notification_url=HOOK,
        resource="/me/events",
        expiration_date_time=datetime.now(UTC) + timedelta(days=2),
        client_state="secret",
    )
    made = await client.subscriptions.post(wanted)
    assert made is not None and made.id is not None
    subscription = client.subscriptions.by_subscription_id(made.id)
    later = datetime.now(UTC) + timedelta(days=4)
    moved = await subscription.patch(Subscription(expiration_date_time=later))
    assert moved is not None and moved.expiration_date_time is not None
    assert abs(moved.expiration_date_time - later) < timedelta(seconds=2)
    await subscription.reauthorize.post()
    assert (await subscription.get()) is not None
    await subscription.delete()


async def teams_used(client: GraphServiceClient) -> None:
    assert (await client.me.get()) is not None
    start = datetime(2026, 12, 2, 1, tzinfo=UTC)
    body = CreateOrGetPostRequestBody(
        external_id="b1", subject="合わせ", start_date_time=start, end_date_time=start + timedelta(hours=1)
    )
    made = await client.me.online_meetings.create_or_get.post(body)
    again = await client.me.online_meetings.create_or_get.post(body)
    assert made is not None and made.id is not None and again is not None and again.id == made.id
    assert made.join_web_url
    meeting = client.me.online_meetings.by_online_meeting_id(made.id)
    await meeting.patch(OnlineMeeting(subject="Moved", start_date_time=start + timedelta(days=1)))
    seen = await meeting.get()
    assert seen is not None and seen.subject == "Moved"
    await meeting.delete()


SESSIONS: dict[str, Callable[[GraphServiceClient], Awaitable[None]]] = {
    "outlook": outlook_used,
    "schedules and rooms": schedules_and_rooms_used,
    "subscriptions": subscription_used,
    "teams": teams_used,
}


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_microsofts_own_sdk_can_use_all_that_the_adapters_use(port: Port) -> None:
    room = {"id": ROOM, "name": "Room 1", "room": True}
    port.world.add("microsoft", EMAIL, calendars=[{"primary": True}, room])
    linked = port.world.connect("microsoft", EMAIL, scope=f"{SCOPES['microsoft']} Place.Read.All")

    async def use() -> None:
        adapter = adapter_of(port, linked)
        for session in SESSIONS.values():
            await session(GraphServiceClient(request_adapter=adapter))

    asyncio.run(use())
    judge = contract.graph()
    assert port.problems("microsoft", judge) == []
    used = {judge.operation(exchange).name for name in ("microsoft", "teams") for exchange in described(name)}
    assert used - port.operations(judge) == set()
