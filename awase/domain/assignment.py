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

from awase.domain.health import Group
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


def rank(mode: Mode, candidates: Sequence[Candidate], last_position: int | None = None) -> list[int]:
    """The member ids, whose turn it is first. `candidates` are those who are free, eligible and within their
    limits, in any order; ties go by list order. `last_position` is the place in the list of the one assigned
    last (None: nobody yet, or no longer in the list), whether free now or not; for SEQUENTIAL only.
    """

    def turn(one: Candidate) -> tuple[Fraction | int, ...]:
        if mode is Mode.SEQUENTIAL:
            return (last_position is not None and one.position <= last_position, one.position)
        level = -one.level if mode is Mode.PRIORITY else 0
        return (level, Fraction(one.count) / one.weight, one.position)

    return [one.member_id for one in sorted(candidates, key=turn)]


def choose(mode: Mode, candidates: Sequence[Candidate], last_position: int | None = None) -> int:
    """The member id of the host: the first by `rank`. Raises IndexError if there is no candidate."""
    return rank(mode, candidates, last_position)[0]


def fill(groups: Sequence[Group], free: Sequence[int]) -> tuple[int, ...]:
    """Who takes the places of all groups (of people, or of rooms), in the order of `free`; () if they cannot
    all be filled. `free` are those who can take part, whose turn it is first: everybody earlier is taken as
    far as the groups allow, whatever it means for those later. Nobody fills two places.
    """
    places = [(index, set(group.ids)) for index, group in enumerate(groups) for _ in range(_size(group))]
    holder: dict[int, int] = {}  # place → who

    def seat(who: int, asked: set[int]) -> bool:
        for place, (_, ids) in enumerate(places):
            if who in ids and place not in asked:
                asked.add(place)
                if place not in holder or seat(holder[place], asked):
                    holder[place] = who
                    return True
        return False

    taken = tuple(who for who in dict.fromkeys(free) if seat(who, set()))
    return taken if places and len(taken) == len(places) else ()


def _size(group: Group) -> int:
    """The places of a group; an empty one has one that nobody can fill."""
    return max(1, len(set(group.ids)) if group.needed is None else group.needed)


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
