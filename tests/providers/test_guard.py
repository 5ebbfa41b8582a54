"""Addresses that users type: what is refused before anything is sent, and what is not."""

import socket
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import gaierror

import httpx2
import pytest

from awase.domain.errors import FailureClass
from awase.providers.caldav import CalDAV
from awase.providers.guard import AddressRefused, build_guarded_client
from tests.providers.scripted import failure_of


class Names:
    """A resolver with fixed answers that notes what it was asked; the last answer of a name stays."""

    def __init__(self, **answers: Sequence[str]) -> None:
        self.answers = {name.replace("_", "."): list(found) for name, found in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.answers:
            try:
                socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
            except OSError as error:
                raise gaierror(-2, "Name or service not known") from error
            return [host]
        found = self.answers[host]
        return [found.pop(0)] if len(found) > 1 else found


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A plain HTTP server on loopback: its port, and the paths and hosts it was asked for."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(f"{self.headers['Host'].partition(':')[0]}{self.path}")
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_PROPFIND = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Keeps quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield str(running.server_port), seen
        running.shutdown()
        thread.join()


def refused(url: str, *, allowed: Sequence[str] = (), names: Names | None = None) -> str:
    """Why the address is refused."""
    with (
        build_guarded_client(allowed=allowed, resolver=names or Names()) as client,
        pytest.raises(AddressRefused) as caught,
    ):
        client.get(url)
    return caught.value.failure.detail


PRIVATE = (
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "4000::1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:53aa:64c:0:0:80ff:fffe",
    "2001:db8::1",
    "64:ff9b:1::a00:1",
    "fec0::1",
    "3fff::1",
)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    assert refused("https://calendar.example/", names=Names(calendar_example=[address])) == "private"


def test_one_inner_address_among_public_ones_is_enough() -> None:
    class Mixed(Names):
        def __call__(self, host: str, port: int) -> Sequence[str]:
            return ["93.184.215.14", "10.0.0.1"]

    assert refused("https://calendar.example/", names=Mixed()) == "private"


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest/"])
def test_a_bare_inner_address_is_refused(url: str) -> None:
    assert refused(url) == "private"


@pytest.mark.parametrize("url", ["https://2130706433/", "https://0x7f000001/", "https://127.1/", "https://localhost/"])
def test_other_spellings_of_loopback_are_refused(url: str) -> None:
    with build_guarded_client() as client, pytest.raises(AddressRefused):
        client.get(url)


def test_plain_http_is_refused_also_to_public_addresses() -> None:
    assert refused("http://calendar.example/", names=Names(calendar_example=["93.184.215.14"])) == "scheme"


@pytest.mark.parametrize("url", ["ftp://calendar.example/", "file:///etc/passwd", "gopher://127.0.0.1:70/_x"])
def test_other_schemes_are_refused(url: str) -> None:
    names = Names()
    with build_guarded_client(resolver=names) as client, pytest.raises((AddressRefused, httpx2.UnsupportedProtocol)):
        client.get(url)
    assert names.asked == []


def test_a_name_and_password_in_the_address_are_refused() -> None:
    names = Names(calendar_example=["93.184.215.14"])
    assert refused("https://somebody:secret@calendar.example/", names=names) == "credentials"
    assert names.asked == []


@pytest.mark.parametrize("opened", ["127.0.0.1", "127.0.0.0/8", "calendar.example"])
def test_what_the_operator_opens_is_called_also_without_tls(opened: str, server: tuple[str, list[str]]) -> None:
    port, seen = server
    names = Names(calendar_example=["127.0.0.1"])
    with build_guarded_client(allowed=(opened,), resolver=names) as client:
        assert client.get(f"http://calendar.example:{port}/x").status_code == 200
    assert seen == ["calendar.example/x"]


def test_opening_one_host_opens_no_other(server: tuple[str, list[str]]) -> None:
    port, seen = server
    names = Names(other_example=["127.0.0.1"])
    assert refused(f"http://other.example:{port}/", allowed=("calendar.example",), names=names) == "private"
    assert seen == []


def test_a_name_is_resolved_once_for_a_connection_so_that_what_was_checked_is_called(
    server: tuple[str, list[str]],
) -> None:
    port, _ = server
    names = Names(calendar_example=["127.0.0.1", "10.0.0.1"])
    with (
        build_guarded_client(allowed=("127.0.0.1",), resolver=names) as client,
        pytest.raises(httpx2.ConnectError, match="SSL"),
    ):
        client.get(f"https://calendar.example:{port}/")
    assert names.asked == ["calendar.example"]


def test_a_name_that_changes_its_mind_after_the_check_gains_nothing(server: tuple[str, list[str]]) -> None:
    port, seen = server
    names = Names(calendar_example=["127.0.0.1", "10.0.0.1"])  # plain http is looked at twice
    assert refused(f"http://calendar.example:{port}/", allowed=("127.0.0.1",), names=names) == "private"
    assert seen == []


def test_a_name_that_nobody_knows_is_a_failure_of_the_network() -> None:
    client = build_guarded_client(resolver=Names())
    failure = failure_of(lambda: CalDAV(client).connect("https://nowhere.example/", "hanako", "x"))
    assert failure is not None
    assert (failure.kind, failure.symptom) == (FailureClass.RETRY, "X01")


def test_connecting_says_that_the_address_is_refused() -> None:
    client = build_guarded_client(resolver=Names(intranet_example=["10.0.0.5"]))
    failure = failure_of(lambda: CalDAV(client).connect("intranet.example", "hanako", "x"))
    assert failure is not None
    assert (failure.symptom, failure.detail) == ("address_refused", "private")


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch, server: tuple[str, list[str]]) -> None:
    port, seen = server
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{port}")
    assert refused("https://calendar.example/", names=Names(calendar_example=["10.0.0.5"])) == "private"
    assert seen == []
