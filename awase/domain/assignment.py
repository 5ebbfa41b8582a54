"""Who of the free hosts gets a booking: evenly, by priority, or in turn.

The same history gives the same choice. Fairness counts bookings, those that a member has and those that
they are credited with: for every booking of the period that they could not be given because they were away
(absent, not yet a member of the page, or with broken accounts) the share that a present member of their
weight got of it on average. So nobody is flooded who comes back, is new, or repairs an account.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from awase.domain.intervals import Span, merged


class Mode(StrEnum):
    """How the host is chosen."""

    EVEN = "even"  # fewest bookings in the period, by weight
    PRIORITY = "priority"  # the highest level that has somebody free; even within a level
    SEQUENTIAL = "sequential"  # the one after the last assigned, in list order


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member of the page with what the choice needs. `position` is the place in the list; `level` matters
    for PRIORITY only, a larger one goes first. `count` is the number of bookings in the period plus the
    credit (see `counts`). Raises ValueError for a weight that is not positive."""

    member_id: int
    position: int
    weight: int = 1
    level: int = 0
    count: Fraction | int = 0

    def __post_init__(self) -> None:
        if self.weight < 1:
            raise ValueError("a weight must be positive")


def choose(mode: Mode, candidates: Sequence[Candidate], last_position: int | None = None) -> int:
    """The member id of the host. `candidates` are those who are free, eligible and within their limits, in
    any order; ties go by list order. `last_position` is the place in the list of the one assigned last (None:
    nobody yet, or no longer in the list), whether free now or not; it matters for SEQUENTIAL only.

    Raises ValueError if there is no candidate.
    """
    if mode is Mode.SEQUENTIAL:
        last = -1 if last_position is None else last_position
        return min(candidates, key=lambda one: (one.position <= last, one.position)).member_id
    if mode is Mode.PRIORITY:
        highest = max(one.level for one in candidates)
        candidates = [one for one in candidates if one.level == highest]
    return min(candidates, key=lambda one: (Fraction(one.count) / one.weight, one.position)).member_id


@dataclass(frozen=True, slots=True)
class Assigned:
    """A booking of the period that was assigned automatically: when (`at`), for when (`start`), to whom.
    Epoch seconds."""

    at: int
    start: int
    member_id: int


@dataclass(frozen=True, slots=True)
class Presence:
    """When a member could be given bookings; epoch seconds, half-open.

    `joined_at`: bookings assigned earlier went past them. `broken`: time in which their accounts were broken,
    so that nothing could be assigned. `absent`: time for which they could not be booked.
    """

    member_id: int
    weight: int = 1
    joined_at: int = 0
    broken: tuple[Span, ...] = ()
    absent: tuple[Span, ...] = ()


def counts(members: Sequence[Presence], history: Sequence[Assigned]) -> dict[int, Fraction]:
    """For each member the bookings of the period, plus the credit for those that went past them while they
    were away. `members` are all members of the page, free or not; what people got who have left it is left
    out."""
    ids = {member.member_id for member in members}
    history = [booking for booking in history if booking.member_id in ids]
    broken = [merged(member.broken) for member in members]
    absent = [merged(member.absent) for member in members]
    own = Counter(booking.member_id for booking in history)
    passed = [Counter[int]() for _ in members]  # bookings missed, by the total weight of those present
    for booking in history:
        away = [
            booking.member_id != member.member_id
            and (
                booking.at < member.joined_at or _within(booking.at, broken[row]) or _within(booking.start, absent[row])
            )
            for row, member in enumerate(members)
        ]
        present = sum(member.weight for member, gone in zip(members, away, strict=True) if not gone)
        for row, gone in enumerate(away):
            if gone:
                passed[row][present] += 1
    return {
        member.member_id: own[member.member_id]
        + member.weight * sum((Fraction(n, weight) for weight, n in passed[row].items()), Fraction())
        for row, member in enumerate(members)
    }


def _within(second: int, spans: Sequence[Span]) -> bool:
    at = bisect_right(spans, second, key=lambda span: span[0])
    return at > 0 and second < spans[at - 1][1]
