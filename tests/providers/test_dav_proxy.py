"""The CalDAV adapter before a real server whose network misbehaves: everything goes over real sockets."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from awase.domain.errors import FailureClass, ProviderError
from awase.providers.caldav import CalDAV
from awase.providers.guard import Guard, GuardedTransport
from awase.providers.http import build_client
from awase.providers.protocols import EventDraft
from sandbox.dav_proxy import DavProxy, Fault
from tests.providers.radicale import PASSWORD, USER, RadicaleWorld
from tests.providers.scripted import failure_of
from tests.providers.worlds import at

KEY = "0123456789abcdef0123456789abcdef"
PATIENCE, IMPATIENCE = 10.0, 0.3  # seconds


@dataclass
class Path:
    """One account, reached through the proxy, and directly by `behind`."""

    proxy: DavProxy
    behind: RadicaleWorld
    client: httpx2.Client
    adapter: CalDAV
    session: Any

    @property
    def calendar_id(self) -> str:
        return self.behind.calendar_id.replace(self.behind.address, self.proxy.address)

    def fault(self, kind: str, **more: Any) -> None:
        """Only where nothing comes is it waited for impatiently, since a busy machine answers slowly too."""
        self.client.timeout = httpx2.Timeout(IMPATIENCE if kind in ("hang", "drip") else PATIENCE)
        self.proxy.faults = [Fault(kind, **more)]

    def repair(self) -> None:
        self.client.timeout = httpx2.Timeout(PATIENCE)
        self.proxy.faults = []

    def put(self, day: int = 5) -> Any:
        draft = EventDraft(KEY, "Talk", at(day, 1), at(day, 2), "Asia/Tokyo")
        return self.session.put_event(self.calendar_id, draft)

    def busy(self) -> Any:
        return self.session.busy([self.calendar_id], at(1), at(31))

    def starts(self) -> list[Any]:
        return [event.start for event in self.busy()[self.calendar_id]]


@pytest.fixture
def path(caldav: RadicaleWorld) -> Iterator[Path]:
    transport = GuardedTransport(Guard(("127.0.0.1",)))
    with (
        DavProxy(caldav.address) as proxy,
        proxy.serving(),
        build_client(transport=transport, timeout=httpx2.Timeout(PATIENCE), trust_env=False) as client,
    ):
        adapter = CalDAV(client)
        _, access = adapter.connect(proxy.address, USER, PASSWORD, time_zone="Asia/Tokyo")
        yield Path(proxy, caldav, client, adapter, adapter.session(access))


OPERATIONS: dict[str, Callable[[Path], object]] = {
    "connect": lambda path: path.adapter.connect(path.proxy.address, USER, PASSWORD),
    "check": lambda path: path.session.check(),
    "list": lambda path: path.session.list_calendars(),
    "busy": lambda path: path.busy(),
    "changes": lambda path: path.session.changes(path.calendar_id, "", at(1), at(31)),
    "times": lambda path: path.session.event_times(path.calendar_id, KEY),
    "put": lambda path: path.put(),
    "delete": lambda path: path.session.delete_event(path.calendar_id, KEY),
}
OUTAGES: dict[str, dict[str, Any]] = {
    "maintenance": {"kind": "answer", "body": b"System in maintenance mode.", "headers": {"Retry-After": "5"}},
    "bad gateway": {"kind": "answer", "status": 502, "body": b"<html>Bad gateway</html>"},
    "reset": {"kind": "reset"},
    "hang": {"kind": "hang", "seconds": 2 * IMPATIENCE},
}
RUBBISH: dict[str, dict[str, Any]] = {
    "html": {"kind": "html"},
    "cut": {"kind": "cut"},
    "empty": {"kind": "answer", "status": 207},
}
READING = ("connect", "check", "list", "busy", "changes")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_outage_is_an_outage_for_every_operation_and_over_at_once(path: Path, operation: str) -> None:
    for outage in OUTAGES.values():
        path.put()
        before = len(path.proxy.calls)
        path.fault(**outage)
        failure = failure_of(lambda: OPERATIONS[operation](path))
        assert failure is not None and failure.kind is FailureClass.RETRY, outage
        assert len(path.proxy.calls) - before <= 4, outage
        path.repair()
        OPERATIONS[operation](path)
        assert path.starts() == ([] if operation == "delete" else [at(5, 1)])


@pytest.mark.parametrize("operation", READING)
def test_what_is_no_answer_is_unknown_and_never_free(path: Path, operation: str) -> None:
    for rubbish in RUBBISH.values():
        path.fault(**rubbish)
        failure = failure_of(lambda: OPERATIONS[operation](path))
        assert failure is not None and failure.kind is FailureClass.RETRY, rubbish


@pytest.mark.parametrize("kind", ["reset", "cut"])
def test_a_read_that_breaks_once_is_simply_read_again(path: Path, kind: str) -> None:
    for operation in READING:
        path.fault(kind, times=1)
        OPERATIONS[operation](path)


@pytest.mark.parametrize("times", [1, 2])
def test_a_write_whose_answer_was_lost_makes_one_event(path: Path, times: int) -> None:
    path.fault("lost", methods=("PUT",), times=times)
    for _ in range(times):
        with pytest.raises(ProviderError):
            path.put()
    path.put()
    assert path.starts() == [at(5, 1)]


def test_a_move_whose_answer_was_lost_ends_at_the_new_time(path: Path) -> None:
    path.put()
    path.fault("lost", methods=("PUT",), times=1)
    with pytest.raises(ProviderError):
        path.put(day=6)
    path.put(day=7)
    assert path.starts() == [at(7, 1)]


def test_a_delete_whose_answer_was_lost_is_done_when_repeated(path: Path) -> None:
    path.put()
    path.fault("lost", methods=("DELETE",), times=1)
    with pytest.raises(ProviderError):
        path.session.delete_event(path.calendar_id, KEY)
    path.session.delete_event(path.calendar_id, KEY)
    assert path.starts() == []


def test_a_slow_answer_within_patience_is_taken(path: Path) -> None:
    path.put()
    path.fault("late", seconds=0.1)
    assert path.starts() == [at(5, 1)]


def test_a_body_that_drips_for_ever_ends_after_a_while(path: Path) -> None:
    path.put()
    path.fault("drip", methods=("REPORT",), seconds=IMPATIENCE / 3)
    began = time.monotonic()
    failure = failure_of(path.busy)
    assert failure is not None and failure.kind is FailureClass.RETRY
    assert time.monotonic() - began < 20 * IMPATIENCE


@pytest.mark.parametrize(
    ("status", "kind"),
    [(423, FailureClass.BAD_REQUEST), (429, FailureClass.RATE_LIMITED), (507, FailureClass.RECONNECT)],
)
def test_a_refused_write_leaves_the_event_as_it_was(path: Path, status: int, kind: FailureClass) -> None:
    path.put()
    path.fault("answer", methods=("PUT",), status=status)
    failure = failure_of(lambda: path.put(day=6))
    assert failure is not None and failure.kind is kind
    path.repair()
    assert path.starts() == [at(5, 1)]


def test_one_refused_password_is_not_yet_believed(path: Path) -> None:
    path.fault("answer", status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})
    failure = failure_of(path.session.check)
    assert failure is not None and (failure.kind, failure.symptom) == (FailureClass.RETRY, "D02a")
    assert failure.retry_at is not None
    path.repair()
    path.session.check()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_a_host_inside_is_refused_before_it_is_called(path: Path, status: int) -> None:
    with socket.create_server(("127.0.0.2", 0)) as inside:
        inside.settimeout(0.05)
        target = f"http://127.0.0.2:{inside.getsockname()[1]}/"
        path.fault("answer", status=status, headers={"Location": target})
        for operation, act in OPERATIONS.items():
            failure = failure_of(lambda act=act: act(path))
            assert failure is not None and failure.symptom == "address_refused", operation
        with pytest.raises(TimeoutError):
            inside.accept()


def test_a_redirect_to_what_is_no_address_for_us_is_a_failure(path: Path) -> None:
    for location in ["ftp://127.0.0.1/", "http://user:pw@127.0.0.1/", "http://[::bad/", "//", "http:///x"]:
        path.fault("answer", status=302, headers={"Location": location})
        assert failure_of(path.session.check) is not None, location


def test_a_redirect_back_and_forth_ends(path: Path) -> None:
    before = len(path.proxy.calls)
    path.fault("answer", status=302, headers={"Location": "/again/"})
    assert failure_of(path.session.check) is not None
    assert len(path.proxy.calls) - before <= 12
