"""Half-open stretches of time [start, end) as whole epoch seconds (UTC), and the compact form of busy times.

Moments are aware datetimes at the edges of the product only; all computing is done on integers.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

Span = tuple[int, int]


def epoch(moment: datetime) -> int:
    """Whole epoch seconds of an aware datetime, rounded down. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return int(moment.timestamp() // 1)


def moment(seconds: int) -> datetime:
    """The aware UTC datetime of epoch seconds."""
    return datetime.fromtimestamp(seconds, UTC)


def _epoch_up(moment: datetime) -> int:
    return epoch(moment) + bool(moment.microsecond)


def span(start: datetime, end: datetime) -> Span:
    """[start, end) in epoch seconds, rounded outwards: a part of a second that is busy makes it busy.

    Raises ValueError for naive datetimes.
    """
    return epoch(start), _epoch_up(end)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time as sorted spans that neither overlap nor touch; empty and reversed ones are dropped."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if result and start <= result[-1][1]:
            if end > result[-1][1]:
                result[-1] = (result[-1][0], end)
        else:
            result.append((start, end))
    return result


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What of the spans lies outside `taken`, merged."""
    cuts = merged(taken)
    result = []
    for start, end in merged(spans):
        for cut_start, cut_end in cuts:
            if cut_end <= start:
                continue
            if cut_start >= end:
                break
            if cut_start > start:
                result.append((start, cut_start))
            start = cut_end
        if start < end:
            result.append((start, end))
    return result


@dataclass(frozen=True, slots=True)
class BusyTimes:
    """The busy times of one calendar in the form in which they are stored.

    `spans` holds start, end, start, end … as little-endian int64 epoch seconds, merged and sorted (16 bytes
    a span). They are complete within [covered_start, covered_end); outside it nothing is known, and unknown
    is never free. `read_at` is when the service was asked. All are epoch seconds, UTC.
    """

    spans: bytes
    covered_start: int
    covered_end: int
    read_at: int

    @classmethod
    def of(
        cls,
        intervals: Iterable[tuple[datetime, datetime]],
        *,
        covered: tuple[datetime, datetime],
        read_at: datetime,
    ) -> "BusyTimes":
        """Merge and pack intervals in any order, overlapping or not; all moments are aware datetimes.

        Raises ValueError for naive ones.
        """
        flat = [second for pair in merged(span(*interval) for interval in intervals) for second in pair]
        packed = struct.pack(f"<{len(flat)}q", *flat)
        return cls(packed, _epoch_up(covered[0]), epoch(covered[1]), epoch(read_at))

    @classmethod
    def unread(cls) -> "BusyTimes":
        """A calendar that counts but was never read: nothing is offered against it."""
        return cls(b"", 0, 0, 0)

    def pairs(self) -> list[Span]:
        """The spans as pairs of epoch seconds, sorted. Raises struct.error if `spans` is damaged."""
        return list(struct.iter_unpack("<qq", self.spans))
