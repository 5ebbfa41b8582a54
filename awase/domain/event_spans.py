"""What a calendar's busy times are made of, in the form in which it is kept: for each event a mark of its opaque
id, its start and end, and our own key where it is ours. No title and no person; not even the id itself.

It is what changes told by a service refer to, so that only they need to be read.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

_ROW = struct.Struct("<8sqq16s")
_NOT_OURS = bytes(16)


@dataclass(frozen=True, slots=True)
class EventSpan:
    """One stretch of busy time [start, end) in epoch seconds. `mark` is that of the event (a series may have many
    stretches under one); `key` is the booking key in 32 hex digits, or "" for everybody else's events."""

    mark: bytes
    start: int
    end: int
    key: str = ""


def mark(event_id: str) -> bytes:
    """Eight bytes that stand for an event's id within its calendar."""
    return blake2b(event_id.encode(), digest_size=8).digest()


def packed(spans: Iterable[EventSpan]) -> bytes:
    """The spans as bytes, 40 each. Raises ValueError for a key that is none."""
    return b"".join(_ROW.pack(each.mark, each.start, each.end, bytes.fromhex(each.key or "00" * 16)) for each in spans)


def unpacked(data: bytes) -> list[EventSpan]:
    """The spans that `packed` made bytes of. Raises struct.error if they are damaged."""
    return [
        EventSpan(mark, start, end, "" if key == _NOT_OURS else key.hex())
        for mark, start, end, key in _ROW.iter_unpack(data)
    ]


def replaced(held: Iterable[EventSpan], told: Iterable[EventSpan], gone: Iterable[bytes]) -> list[EventSpan]:
    """What is known after a service told these spans of changed events, and the marks of those that are gone."""
    told = list(told)
    over = {each.mark for each in told}.union(gone)
    return [each for each in held if each.mark not in over] + told
