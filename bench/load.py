"""Clients over loopback: each keeps one connection and sends its requests one after the other."""

import selectors
import socket
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    ms: float


@dataclass(slots=True)
class Client:
    """One client: what it still has to ask, and what it is being told."""

    requests: Iterator[bytes]
    wire: socket.socket
    received: bytearray = field(default_factory=bytearray)
    whole: int = 0  # length of the answer under way, once known
    sent_at: float = 0.0

    def ask(self) -> bool:
        """Send the next request; False if there is none."""
        request = next(self.requests, None)
        if request is None:
            return False
        self.received.clear()
        self.whole = 0
        self.sent_at = time.perf_counter()
        self.wire.sendall(request)
        return True

    def hear(self) -> Answer | None:
        """Take in what has come; the answer once it is whole. Raises ConnectionError if the server hung up."""
        part = self.wire.recv(1 << 18)
        if not part:
            raise ConnectionError(f"the server hung up after {bytes(self.received[:200])!r}")
        self.received += part
        if not self.whole:
            head_end = self.received.find(END_OF_HEAD)
            if head_end < 0:
                return None
            head = bytes(self.received[:head_end]).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            self.whole = head_end + len(END_OF_HEAD) + length
        if len(self.received) < self.whole:
            return None
        ms = (time.perf_counter() - self.sent_at) * 1000
        body = bytes(self.received[self.received.find(END_OF_HEAD) + len(END_OF_HEAD) :])
        return Answer(int(self.received[9:12]), body, ms)


def run(
    port: int, scripts: Sequence[Iterable[bytes]], hear: Callable[[int, Answer], None], seconds: float = 600.0
) -> float:
    """Play the scripts, a client each, until all have ended or time is up; returns the seconds taken.
    `hear` is told the number of the client and each answer."""
    with selectors.DefaultSelector() as selector:
        waiting = 0
        began = time.perf_counter()
        for number, script in enumerate(scripts):
            client = Client(iter(script), socket.create_connection(("127.0.0.1", port)))
            client.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(client.wire, selectors.EVENT_READ, (number, client))
            waiting += client.ask()
        while waiting:
            for key, _ in selector.select():
                number, client = key.data
                answer = client.hear()
                if answer is None:
                    continue
                hear(number, answer)
                if time.perf_counter() - began > seconds or not client.ask():
                    waiting -= 1
        taken = time.perf_counter() - began
        for key in list(selector.get_map().values()):
            key.data[1].wire.close()
    return taken


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def quantile(times: Sequence[float], per_cent: int) -> float:
    """The smallest time that so many per cent of all do not exceed."""
    return round(sorted(times)[max(0, -(-len(times) * per_cent // 100) - 1)], 2)


def median(times: Sequence[float]) -> float:
    return round(statistics.median(times), 2)
