"""What a network does wrong, over real sockets: an outage (X01) or something unreadable (X02), whatever was asked."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from awase.domain.errors import FailureClass
from awase.providers.caldav import CalDAV
from awase.providers.google import Google
from awase.providers.guard import build_guarded_client
from awase.providers.http import build_client
from tests.providers.scripted import APP, DAV, TwoTokens, failure_of
from tests.providers.symptoms import DRAFT
from tests.providers.worlds import at

Answer = Callable[[socket.socket], None]


def certificate(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS with a certificate that nobody has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "both.pem").write_bytes(pem + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context


def half(wire: socket.socket) -> None:
    wire.recv(65_536)
    wire.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"items": [')


def broken_chunk(wire: socket.socket) -> None:
    wire.recv(65_536)
    wire.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")


def not_http(wire: socket.socket) -> None:
    wire.recv(65_536)
    wire.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def hang_up(wire: socket.socket) -> None:
    wire.recv(65_536)


def huge(wire: socket.socket) -> None:
    wire.recv(65_536)
    wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n")
    try:
        while True:
            wire.sendall(b" " * 65_536)
    except OSError:
        return  # whoever reads has had enough


def silent(wire: socket.socket) -> None:
    wire.recv(65_536)
    wire.settimeout(5)
    wire.recv(1)


@pytest.fixture
def serving() -> Iterator[Callable[..., int]]:
    """serving(answer, tls=None): a port whose every connection is answered so."""
    held: list[tuple[socket.socket, threading.Thread]] = []

    def serve(answer: Answer, tls: ssl.SSLContext | None = None) -> int:
        listener = socket.create_server(("127.0.0.1", 0))

        def accept() -> None:
            while True:
                try:
                    wire, _ = listener.accept()
                except OSError:
                    return
                try:
                    with tls.wrap_socket(wire, server_side=True) if tls else wire as spoken:
                        answer(spoken)
                except OSError:
                    continue

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        held.append((listener, thread))
        return int(listener.getsockname()[1])

    yield serve
    for listener, _ in held:
        listener.close()


IMPATIENT = httpx2.Timeout(2.0)
OPERATIONS: dict[str, Callable[[Any, str], object]] = {
    "read": lambda it, calendar: it.busy([calendar], at(1), at(9)),
    "write": lambda it, calendar: it.put_event(calendar, DRAFT),
    "check": lambda it, calendar: it.check(),
}


def at_google(address: str) -> Any:
    client = build_client(timeout=IMPATIENT, trust_env=False)
    return Google(client, APP, api_base=address).session(TwoTokens())


def at_a_dav_server(address: str) -> Any:
    client = build_guarded_client(allowed=["127.0.0.1", "localhost"], timeout=IMPATIENT)
    return CalDAV(client).session(type(DAV)("hanako", "pw", f"{address}/home/"))


SESSIONS = {"google": at_google, "caldav": at_a_dav_server}


def fail(service: str, operation: str, address: str) -> Any:
    session = SESSIONS[service](address)
    calendar = "c1" if service == "google" else f"{address}/home/c1/"
    failure = failure_of(lambda: OPERATIONS[operation](session, calendar))
    assert failure is not None
    assert failure.kind is FailureClass.RETRY
    return failure


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("service", SESSIONS)
@pytest.mark.parametrize("answer", [half, broken_chunk, not_http, hang_up, silent], ids=lambda answer: answer.__name__)
def test_a_connection_that_breaks_is_an_outage(serving: Any, answer: Answer, service: str, operation: str) -> None:
    assert fail(service, operation, f"http://127.0.0.1:{serving(answer)}").symptom == "X01"


@pytest.mark.parametrize("service", SESSIONS)
def test_a_body_without_end_is_given_up(serving: Any, service: str) -> None:
    assert fail(service, "read", f"http://127.0.0.1:{serving(huge)}").symptom == "X02"


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("service", SESSIONS)
def test_a_certificate_that_nobody_vouches_for_is_an_outage_and_nothing_is_said(
    serving: Any, tmp_path: Path, service: str, operation: str
) -> None:
    heard: list[bytes] = []
    port = serving(lambda wire: heard.append(wire.recv(65_536)), certificate(tmp_path))
    failure = fail(service, operation, f"https://localhost:{port}")
    assert (failure.symptom, failure.detail) == ("X01", "ConnectError")
    assert b"".join(heard) == b"", "neither token nor password went out"


@pytest.mark.parametrize("service", SESSIONS)
def test_a_server_that_speaks_no_tls_is_an_outage(serving: Any, service: str) -> None:
    assert fail(service, "check", f"https://localhost:{serving(hang_up)}").symptom == "X01"


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("service", SESSIONS)
def test_a_name_that_does_not_exist_is_an_outage(service: str, operation: str) -> None:
    assert fail(service, operation, "https://nobody.invalid").symptom == "X01"


@pytest.mark.parametrize("service", SESSIONS)
def test_a_port_where_nobody_listens_is_an_outage(service: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert fail(service, "check", f"http://127.0.0.1:{port}").symptom == "X01"
