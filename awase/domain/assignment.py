"""Who of the free hosts gets a booking: evenly, by priority, or in turn. The rules for people: `docs/assignment.md`.

The same history gives the same choice. Fairness counts bookings, those that a member has and those that
they are credited with: for every booking of the period that they could not be given because they were away
(absent, not yet a member of the page, or with broken accounts) the share that a present member of their
weight got of it on average. So nobody is flooded who comes back, is new, or repairs an account.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from awase.domain.health import Group

PERIOD = timedelta(days=30)
"""How far back bookings count towards evenness, by the moment at which they were assigned."""


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
    """A booking of the period that was assigned automatically: when (epoch seconds), to whom, and who was `away`:
    the members who could not be given it because they were absent at its time, or an account of theirs was broken.
    Of a booking with several hosts there is one for each of them."""

    at: int
    member_id: int
    away: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Presence:
    """A member of the page. `joined_at` (epoch seconds): bookings assigned earlier went past them. `level` as far as
    it matters for the choice: only those of one level vie for a booking."""

    member_id: int
    weight: int = 1
    level: int = 0
    joined_at: int = 0


def counts(
    members: Sequence[Presence], history: Iterable[Assigned], further: Mapping[int, int] = MappingProxyType({})
) -> dict[int, Fraction]:
    """For each member the bookings of the period, plus the credit for those that went past them while they were
    away or not yet there. `members` are all members of the page, free or not; what people got who have left it is
    left out. `further`: how many bookings each got besides, past which nobody's way went."""
    known = {member.member_id: member for member in members}
    weights = Counter[int]()
    for member in members:
        weights[member.level] += member.weight
    own = Counter({id: further.get(id, 0) for id in known})
    passed: dict[int, Counter[int]] = {id: Counter() for id in known}  # bookings missed, by the weight of who was there
    newest = max((member.joined_at for member in members), default=0)
    for booking in history:
        taker = known.get(booking.member_id)
        if taker is None:
            continue
        own[taker.member_id] += 1
        gone = {known[id] for id in booking.away if id in known}
        if booking.at < newest:
            gone |= {member for member in members if booking.at < member.joined_at}
        missing = {member for member in gone if member.level == taker.level} - {taker}
        present = weights[taker.level] - sum(member.weight for member in missing)
        for member in missing:
            passed[member.member_id][present] += 1
    return {
        id: own[id] + member.weight * sum((Fraction(n, weight) for weight, n in passed[id].items()), Fraction())
        for id, member in known.items()
    }
