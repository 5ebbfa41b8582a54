"""A campaign that finds nothing proves something only if it finds what is there: each planted fault is caught."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from awase.domain import gate
from awase.domain.gate import evaluate
from awase.domain.health import PageValue, Verdict
from awase.domain.intervals import BusyTimes
from awase.models import BookingPage, ConnectionChange
from awase.models.booking import new_uid
from awase.services import drafts, events, fairness, health, meetings, outbox, pages, signals, slots, tokens
from awase.services.health import Renewal, renew
from awase.services.signals import Cause
from tests.campaign.run import run
from tests.campaign.world import Broken, World

Patch = pytest.MonkeyPatch
MOST_RUNS, STEPS = 150, 40


def the_gate_knows_no_clock(patch: Patch) -> None:
    patch.setattr(health, "effective", lambda recorded, **_: (recorded.standing, recorded.reason))


def the_gate_overlooks_missing_calendars(patch: Patch) -> None:
    seen = gate.broken_calendars
    patch.setattr(
        gate, "broken_calendars", lambda member, **how: [one for one in seen(member, **how) if one[1] is None]
    )


def the_gate_takes_every_location_for_usable(patch: Patch) -> None:
    patch.setattr(gate, "location_lack", lambda member, location, **_: None)


def the_gate_lets_anybody_host(patch: Patch) -> None:
    patch.setattr(gate, "calendar_usable", lambda page, member: True)


def the_gate_never_goes_on_without_somebody(patch: Patch) -> None:
    def stricter(page: PageValue) -> Verdict:
        found = evaluate(page)
        return replace(found, open=False, hosts=(), offered=()) if found.left_out else found

    patch.setattr(health, "evaluate", stricter)
    patch.setattr(slots, "evaluate", stricter)


def a_reconnection_forgets_the_pages(patch: Patch) -> None:
    def forgetful(found: Any, now: datetime, cause: Cause, credential: Any = None) -> Renewal:
        return Renewal([], []) if cause is Cause.RECONNECTED else renew(found, now, cause, credential)

    patch.setattr(signals, "renew", forgetful)


def an_edit_forgets_the_stored_answer(patch: Patch) -> None:
    patch.setattr(pages, "renew", lambda *_: Renewal([], []))


def unread_busy_times_are_free(patch: Patch) -> None:
    ever = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC))
    free = BusyTimes.of((), covered=ever, read_at=ever[0])
    patch.setattr(BusyTimes, "unread", staticmethod(lambda: free))


def health_moves_the_owners_switch(patch: Patch) -> None:
    def meddling(found: Any, now: datetime, cause: Cause, credential: Any = None) -> Renewal:
        done = renew(found, now, cause, credential)
        BookingPage.objects.filter(pk__in=[page.pk for page in done.stopped]).update(accepting=False)
        return done

    patch.setattr(signals, "renew", meddling)


def the_history_is_not_written(patch: Patch) -> None:
    patch.setattr(ConnectionChange.objects, "create", lambda **_: None)


def a_cancellation_forgets_the_outside(patch: Patch) -> None:
    patch.setattr(outbox, "cancelled", lambda *_, **__: None)


def each_attempt_makes_a_new_event(patch: Patch) -> None:
    draft = drafts.event_draft
    patch.setattr(events, "event_draft", lambda *given, **how: replace(draft(*given, **how), key=new_uid()))


def an_attempt_whose_answer_was_lost_is_forgotten(patch: Patch) -> None:
    patch.setattr(meetings, "_as_asked", lambda *_: None)


def a_mended_member_is_flooded(patch: Patch) -> None:
    patch.setattr(fairness, "_outages", lambda ids, now: {pk: [] for pk in ids})


def a_token_is_logged(patch: Patch) -> None:
    keep = tokens.sealed

    def chatty(fresh: Any) -> dict[str, str]:
        logging.getLogger("awase").warning("keeping %s", fresh.access_token)
        return keep(fresh)

    patch.setattr(tokens, "sealed", chatty)


FAULTS: dict[Callable[[Patch], None], set[int]] = {
    the_gate_knows_no_clock: {1, 2},
    the_gate_overlooks_missing_calendars: {1, 2},
    the_gate_takes_every_location_for_usable: {1, 2},
    the_gate_lets_anybody_host: {1, 2},
    the_gate_never_goes_on_without_somebody: {2},
    a_reconnection_forgets_the_pages: {2, 7},
    an_edit_forgets_the_stored_answer: {2, 7},
    unread_busy_times_are_free: {1},
    health_moves_the_owners_switch: {6},
    the_history_is_not_written: {7},
    a_cancellation_forgets_the_outside: {5},
    each_attempt_makes_a_new_event: {4, 5},
    an_attempt_whose_answer_was_lost_is_forgotten: {4, 5},
    a_mended_member_is_flooded: {8},
    a_token_is_logged: {9},
}


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_caught(world: World, monkeypatch: Patch, plant: Callable[[Patch], None]) -> None:
    plant(monkeypatch)
    with pytest.raises(Broken) as caught:
        run(world, runs=MOST_RUNS, steps=STEPS, number=1)
    assert caught.value.invariant in FAULTS[plant], str(caught.value)
