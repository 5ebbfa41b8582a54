"""The rules of section 3 a second time, straight from the text, in another style and sharing no code with
the gate: letters instead of values, and every way of filling the groups tried in turn.

A member is letters: the state of their calendar, Zoom and Teams, each `+` ok, `!` error, `-` none; where a page
has them, also Google Meet, phone and in person.
"""

from dataclasses import dataclass
from itertools import permutations

PLACE = {"zoom": 1, "teams": 2, "meet": 3, "phone": 4, "in_person": 5}


@dataclass(frozen=True)
class Answer:
    """Reasons in sentence order, offered locations, and who may host at which locations."""

    reasons: tuple[str, ...]
    offered: frozenset[str]
    hosts: dict[int, frozenset[str]]


def held(member: str, location: str) -> str:
    """`location(M, L)`: the letter of the account behind it; what needs no account always works."""
    at = PLACE.get(location)
    return "+" if at is None or at >= len(member) else member[at]


def answer(condition: str, members: list[str], locations: list[str], *, required: bool) -> Answer:
    """What the page does, its first member being the owner."""
    return (of_all if condition == "all" else of_any)(members, locations, required=required)


def of_all(members: list[str], locations: list[str], *, required: bool) -> Answer:
    owner = [held(members[0], location) for location in locations]
    reasons = ["calendar"] * any(member[0] == "!" for member in members)
    reasons += ["location"] * ("!" in owner and "+" not in owner)
    offered = frozenset(location for location, letter in zip(locations, owner, strict=True) if letter == "+")
    if reasons:
        return Answer(tuple(reasons), frozenset(), {})
    return Answer((), offered, dict.fromkeys(range(len(members)), offered))


def of_any(members: list[str], locations: list[str], *, required: bool) -> Answer:
    letters = "+" if required else "+-"
    has_calendar = {i for i, member in enumerate(members) if member[0] in letters}
    holds = {
        i: frozenset(location for location in locations if held(member, location) == "+")
        for i, member in enumerate(members)
    }
    has_location = {i for i in holds if holds[i] or not locations}
    eligible = has_calendar & has_location
    if eligible:
        return Answer((), frozenset().union(*(holds[i] for i in eligible)), {i: holds[i] for i in eligible})
    reasons = ["calendar"] * (not has_calendar) + ["location"] * (not has_location)
    return Answer(tuple(reasons) or ("host",), frozenset(), {})


def lists_filled(groups: list[tuple[str, int | None]], calendars: dict[str, str], *, required: bool) -> bool:
    """True if all groups can be filled at once. A group is its members' letters and how many it takes (None:
    all of them). Tries every order in which people could take the places, one after the other."""
    if any(not people for people, _ in groups):
        return False
    places: list[set[str]] = []
    for people, needed in groups:
        if needed is None:
            places += [{name} for name in people if calendars[name] != "!"]
            if any(calendars[name] == "!" for name in people):
                return False
        else:
            letters = "+" if required else "+-"
            places += [{name for name in people if calendars[name] in letters}] * needed
    return any(
        all(name in place for name, place in zip(order, places, strict=True))
        for order in permutations(sorted(calendars), len(places))
    )
