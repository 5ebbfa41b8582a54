"""Every page of up to three members: the gate against a second formulation of the rules.

Calendar, Zoom and Teams each ok, in error or not connected; no location, Zoom, Teams or both, with and
without one that needs no account; both conditions; calendar required or not: 654,048 pages. The test run
takes every 97th; `python -m tests.domain.test_gate_exhaustive` takes them all, and tells how many.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice, product
from typing import Any

import pytest

from awase.domain import gate
from awase.domain.cures import Cure, cures
from awase.domain.gate import evaluate
from awase.domain.health import CalendarStanding, Lack, LocationValue, MemberValue, PageValue, Verdict
from awase.domain.parts import Part, apply_parts
from tests.domain import oracle
from tests.domain.cast import page_of, person, place

STATES = ["".join(letters) for letters in product("+!-", repeat=3)]
PEOPLE: dict[tuple[int, str], MemberValue] = {
    (position, state): person(
        "ABC"[position], " ".join(service + sign for service, sign in zip("GZT", state, strict=True))
    )
    for position, state in product(range(3), STATES)
}
LOCATIONS = [[*backed, *free] for backed in ([], ["zoom"], ["teams"], ["zoom", "teams"]) for free in ([], ["link"])]
PLACES: dict[tuple[str, ...], tuple[LocationValue, ...]] = {tuple(kinds): place(*kinds) for kinds in LOCATIONS}
Case = tuple[str, tuple[str, ...], list[str], bool]


def cases() -> Iterator[Case]:
    for size in (1, 2, 3):
        yield from product(("all", "any"), product(STATES, repeat=size), LOCATIONS, (True, False))


def page_for(case: Case) -> PageValue:
    condition, states, locations, required = case
    members = [PEOPLE[position, state] for position, state in enumerate(states)]
    return page_of(condition, members, PLACES[tuple(locations)], calendar_required=required)


def disagreement(case: Case, verdict: Verdict) -> str:
    """What the gate says otherwise than the rules do; "" if nothing."""
    condition, states, locations, required = case
    expected = oracle.answer(condition, list(states), locations, required=required)
    kinds = dict(enumerate(locations, 1))
    reasons = tuple(kind.value for kind in verdict.stop_kinds)
    offered = frozenset(kinds[id] for id in verdict.offered)
    hosts = {host.member_id - 1: frozenset(kinds[id] for id in host.location_ids) for host in verdict.hosts}
    got = oracle.Answer(reasons, offered, hosts)
    place_missing = not expected.reasons and bool(locations) and not expected.offered
    if got != expected:
        return f"{case}: expected {expected}, got {got}"
    if verdict.open is bool(expected.reasons) or verdict.place_missing is not place_missing:
        return f"{case}: open {verdict.open}, place missing {verdict.place_missing}"
    return ""


def open_for(case: Case, parts: tuple[Part, ...]) -> bool:
    return evaluate(apply_parts(page_for(case), parts)).open


def wrong_cures(case: Case, listed: tuple[Cure, ...]) -> str:
    """What is wrong with the cures of a stopped page; "" if nothing."""
    if not listed:
        return f"{case}: no cure"
    if list(listed) != sorted(listed, key=lambda cure: cure.order):
        return f"{case}: not the smallest first"
    for cure in listed:
        if not open_for(case, cure.parts):
            return f"{case}: {cure} does not work"
        if any(open_for(case, cure.parts[:i] + cure.parts[i + 1 :]) for i in range(len(cure.parts))):
            return f"{case}: {cure} has a part too many"
    return ""


def test_the_gate_agrees_with_the_rules_on_every_97th_page() -> None:
    chosen = list(islice(cases(), 0, None, 97))
    assert len(chosen) > 6000
    assert [found for case in chosen if (found := disagreement(case, evaluate(page_for(case))))] == []


def test_every_cure_of_every_997th_page_works_and_every_stopped_page_has_one() -> None:
    stopped = 0
    for case in islice(cases(), 0, None, 997):
        page = page_for(case)
        verdict = evaluate(page)
        if not verdict.open:
            stopped += 1
            assert wrong_cures(case, cures(page, verdict)) == ""
    assert stopped > 300


def no_calendar_is_an_error(member: MemberValue) -> CalendarStanding:
    return CalendarStanding.OK if member.connections else CalendarStanding.ERROR


def broken_links_are_merely_not_connected(lack: Lack | None) -> Lack | None:
    return lack and replace(lack, error=False)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("broken_calendars", lambda right: lambda member, counting=True: []),
        ("calendar_standing", lambda right: no_calendar_is_an_error),
        ("calendar_usable", lambda right: lambda page, member: True),
        ("location_lack", lambda right: lambda *args, **how: None),
        (
            "location_lack",
            lambda right: lambda *args, **how: broken_links_are_merely_not_connected(right(*args, **how)),
        ),
        ("_owner_location", lambda right: lambda page, members, found: None),
    ],
    ids=[
        "a calendar in error is overlooked",
        "no calendar is taken for an error",
        "a host without a calendar is taken",
        "every location is usable",
        "a broken link is taken for one not connected",
        "the owner's location is forgotten",
    ],
)
def test_a_fault_planted_in_the_gate_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, fault: Callable[[Any], Any]
) -> None:
    monkeypatch.setattr(gate, name, fault(getattr(gate, name)))
    assert any(disagreement(case, evaluate(page_for(case))) for case in islice(cases(), 0, None, 97))


def main() -> int:
    """All pages against the rules; the cures of those of up to two members, and of every 29th of three."""
    stopped = cured = 0
    for number, case in enumerate(cases()):
        page = page_for(case)
        verdict = evaluate(page)
        wrong = disagreement(case, verdict)
        stopped += not verdict.open
        if not wrong and not verdict.open and (len(case[1]) < 3 or number % 29 == 0):
            cured += 1
            wrong = wrong_cures(case, cures(page, verdict))
        if wrong:
            print(wrong)
            return 1
    print(f"{number + 1} pages, {stopped} stopped; the cures of {cured} tried: all as the rules say.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
