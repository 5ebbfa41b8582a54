"""Radicale, and the `caldav` library as a second person at the same calendar, judge the CalDAV adapter."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import caldav as caldav_library
import httpx2
import pytest
import stamina

from awase.domain.errors import FailureClass, ProviderError
from awase.providers.caldav import CalDAV
from awase.providers.guard import Guard, GuardedTransport
from awase.providers.http import build_client
from tests.judges.session import KEY, event
from tests.providers.radicale import PASSWORD, USER, RadicaleWorld, running
from tests.providers.worlds import at


class Between(httpx2.BaseTransport):
    """Lets somebody act at the moment when a write of ours is already under way."""

    def __init__(self) -> None:
        self.real = GuardedTransport(Guard(("127.0.0.1",)))
        self.acts: list[Callable[[], object]] = []
        self.written: list[tuple[int, str]] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method != "PUT":
            return self.real.handle_request(request)
        if self.acts:
            self.acts.pop(0)()
        answer = self.real.handle_request(request)
        condition = next((name for name in ("if-match", "if-none-match") if name in request.headers), "")
        self.written.append((answer.status_code, condition))
        return answer

    def close(self) -> None:
        self.real.close()


class Shared:
    """One calendar, ours and theirs."""

    def __init__(self, world: RadicaleWorld, between: Between, client: httpx2.Client) -> None:
        self.world = world
        self.between = between
        self.ours = CalDAV(client).session(world.access)
        self.calendar_id = world.calendar_id
        self.address = f"{world.calendar_id}{KEY}.ics"

    def theirs(self) -> Any:
        client = caldav_library.DAVClient(self.world.address, username=USER, password=PASSWORD)
        return client.calendar(url=self.calendar_id)

    def note(self, text: str) -> None:
        """The other person adds a line to our event."""
        held = self.world.browser.get(self.address)
        changed = held.text.replace("END:VEVENT", f"COMMENT:{text}\r\nEND:VEVENT")
        headers = {"If-Match": held.headers["etag"]}
        assert self.world.browser.put(self.address, content=changed.encode(), headers=headers).status_code == 204

    def starts(self) -> list[datetime]:
        found = self.ours.busy([self.calendar_id], at(1), at(31))[self.calendar_id]
        assert isinstance(found, tuple)
        return [event.start for event in found]


@pytest.fixture(scope="module")
def radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("radicale")) as address:
        yield address


@pytest.fixture
def shared(radicale: str) -> Iterator[Shared]:
    world, between = RadicaleWorld(radicale), Between()
    with build_client(transport=between, trust_env=False) as client, stamina.set_testing(True, attempts=2, cap=True):
        yield Shared(world, between, client)
    world.close()


def test_the_server_refuses_a_write_to_what_it_no_longer_holds(shared: Shared) -> None:
    """The fact on which the conditions of the adapter rest."""
    shared.ours.put_event(shared.calendar_id, event())
    held = shared.world.browser.get(shared.address)
    shared.note("first")
    stale = shared.world.browser.put(shared.address, content=held.content, headers={"If-Match": held.headers["etag"]})
    again = shared.world.browser.put(shared.address, content=held.content, headers={"If-None-Match": "*"})
    assert (stale.status_code, again.status_code) == (412, 412)


def test_a_change_by_somebody_else_in_the_middle_of_our_write_survives_it(shared: Shared) -> None:
    shared.ours.put_event(shared.calendar_id, event())
    shared.between.acts = [lambda: shared.note("bring the plans")]
    shared.ours.put_event(shared.calendar_id, event(day=6))
    assert shared.between.written == [(201, "if-none-match"), (412, "if-match"), (204, "if-match")]
    assert "COMMENT:bring the plans" in shared.world.browser.get(shared.address).text
    assert shared.starts() == [at(6, 1)]


def test_an_event_that_somebody_changes_all_the_time_is_left_alone_for_now(shared: Shared) -> None:
    shared.ours.put_event(shared.calendar_id, event())
    shared.between.acts = [lambda: shared.note("one"), lambda: shared.note("two")]
    with pytest.raises(ProviderError) as caught:
        shared.ours.put_event(shared.calendar_id, event(day=6))
    assert (caught.value.failure.symptom, caught.value.failure.kind) == ("D08", FailureClass.BAD_REQUEST)
    assert shared.starts() == [at(5, 1)]


def test_an_event_that_somebody_deletes_in_the_middle_of_our_write_stands_in_the_end(shared: Shared) -> None:
    shared.ours.put_event(shared.calendar_id, event())
    shared.between.acts = [lambda: shared.world.remove_event(shared.address)]
    shared.ours.put_event(shared.calendar_id, event(day=6))
    assert shared.starts() == [at(6, 1)]


def test_two_first_writes_of_one_booking_at_one_moment_make_one_event(shared: Shared) -> None:
    other = CalDAV(shared.world.client).session(shared.world.access)
    shared.between.acts = [lambda: other.put_event(shared.calendar_id, event())]
    shared.ours.put_event(shared.calendar_id, event(day=6))
    assert shared.between.written == [(412, "if-none-match"), (204, "if-match")]
    assert shared.starts() == [at(6, 1)]


def test_the_library_reads_what_we_write(shared: Shared) -> None:
    shared.ours.put_event(shared.calendar_id, event())
    (found,) = shared.theirs().search(event=True, start=at(1), end=at(31), expand=True)
    seen = found.icalendar_component
    assert (str(seen["summary"]), str(seen["location"]), str(seen["description"])) == ("打ち合わせ", "Room 3", "A note")
    assert (seen["dtstart"].dt.astimezone(UTC), seen["dtend"].dt.astimezone(UTC)) == (at(5, 1), at(5, 2))
    assert "attendee" not in seen


def test_we_read_what_the_library_writes(shared: Shared) -> None:
    theirs = shared.theirs()
    theirs.save_event(dtstart=at(3, 1), dtend=at(3, 2), summary="Weekly", rrule={"FREQ": "WEEKLY", "COUNT": 3})
    assert shared.starts() == [at(3, 1), at(10, 1), at(17, 1)]


def test_a_token_that_the_server_does_not_know_leads_to_a_full_reading(shared: Shared) -> None:
    shared.ours.put_event(shared.calendar_id, event())
    first = shared.ours.changes(shared.calendar_id, "", at(1), at(31))
    assert first.full and [busy.start for busy in first.events] == [at(5, 1)]
    shared.ours.put_event(shared.calendar_id, event(day=6))
    second = shared.ours.changes(shared.calendar_id, first.token, at(1), at(31))
    assert not second.full and [busy.start for busy in second.events] == [at(6, 1)]
    lost = shared.ours.changes(shared.calendar_id, "sync:http://radicale.org/ns/sync/" + "0" * 64, at(1), at(31))
    assert lost.full and [busy.start for busy in lost.events] == [at(6, 1)]
