"""A campaign that finds nothing proves something only if it finds what is there: each planted fault is caught."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from awase.domain import gate
from awase.domain.gate import evaluate
from awase.domain.health import PageValue, Verdict
from awase.domain.intervals import BusyTimes
from awase.models import BookingPage, Condition, ConnectionChange
from awase.models.booking import new_uid
from awase.services import drafts, events, health, meetings, outbox, pages, placing, signals, slots, tokens
from awase.services.health import Renewal, renew
from awase.services.signals import Cause
from tests.campaign import world as campaign
from tests.campaign.machine import Campaign
from tests.campaign.run import run
from tests.campaign.wire import Kind, Mishap
from tests.campaign.world import Broken, World

Patch = pytest.MonkeyPatch


@pytest.fixture
def world(django_db_blocker: Any, tmp_path: Path) -> Iterator[World]:
    """Always on SQLite: what is tried here are the campaign's eyes, and they are the same on both."""
    with django_db_blocker.unblock(), campaign.world(f"sqlite:///{tmp_path / 'own.sqlite3'}") as found:
        found.restore()
        yield found


MOST_RUNS, STEPS = 150, 30

# Found by chance: faults that show themselves wherever one goes


def the_gate_knows_no_clock(patch: Patch) -> None:
    patch.setattr(health, "effective", lambda recorded, **_: (recorded.standing, recorded.reason))


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


BY_CHANCE: dict[Callable[[Patch], None], set[int]] = {
    the_gate_knows_no_clock: {1, 2},
    the_gate_takes_every_location_for_usable: {1, 2},
    the_gate_lets_anybody_host: {1, 2},
    the_gate_never_goes_on_without_somebody: {2},
}


@pytest.mark.parametrize("plant", BY_CHANCE, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found_by_chance(world: World, monkeypatch: Patch, plant: Callable[[Patch], None]) -> None:
    plant(monkeypatch)
    with pytest.raises(Broken) as caught:
        run(world, runs=MOST_RUNS, steps=STEPS, number=1)
    assert caught.value.invariant in BY_CHANCE[plant], str(caught.value)


# Found on the way that leads there: each goes through the campaign's own events. Accounts, pages and members are
# named by their place: 0 and 1 are Tanaka's Google and Zoom, 2 Sato's Google; page 0 is "all" by Zoom, 3 "free".


def the_gate_overlooks_missing_calendars(patch: Patch) -> None:
    seen = gate.broken_calendars
    patch.setattr(
        gate, "broken_calendars", lambda member, **how: [one for one in seen(member, **how) if one[1] is None]
    )


def a_second_calendar_vanishes(run: Campaign) -> None:
    run.tick(which=0, checked=3, go_on=0, happens=None)
    run.calendar_vanishes(who=0)
    run.check(which=0, happens=None, now=False)


def unread_busy_times_are_free(patch: Patch) -> None:
    ever = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC))
    free = BusyTimes.of((), covered=ever, read_at=ever[0])
    patch.setattr(BusyTimes, "unread", staticmethod(lambda: free))


def a_calendar_is_ticked_during_an_outage(run: Campaign) -> None:
    run.break_account(which=0, fault="outage", brief=False)
    run.tick(which=0, checked=3, go_on=0, happens=None)
    run.book(which=0, nth=0, place=0, held=False, happens=None)


def a_reconnection_forgets_the_pages(patch: Patch) -> None:
    def forgetful(found: Any, now: datetime, cause: Cause, credential: Any = None) -> Renewal:
        return Renewal([], []) if cause is Cause.RECONNECTED else renew(found, now, cause, credential)

    patch.setattr(signals, "renew", forgetful)


def an_account_is_revoked_and_reconnected(run: Campaign) -> None:
    an_account_is_revoked(run)
    run.reconnect(which=0, happens=None)


def an_edit_forgets_the_stored_answer(patch: Patch) -> None:
    patch.setattr(pages, "renew", lambda *_: Renewal([], []))


def everybody_leaves_a_page(run: Campaign) -> None:
    run.edit_people(
        which=0, people=0, split=0, needed=None, owner=0, condition=Condition.ALL, required=True, happens=None
    )


def health_moves_the_owners_switch(patch: Patch) -> None:
    def meddling(found: Any, now: datetime, cause: Cause, credential: Any = None) -> Renewal:
        done = renew(found, now, cause, credential)
        BookingPage.objects.filter(pk__in=[page.pk for page in done.stopped]).update(accepting=False)
        return done

    patch.setattr(signals, "renew", meddling)


def the_history_is_not_written(patch: Patch) -> None:
    patch.setattr(ConnectionChange.objects, "create", lambda **_: None)


def an_account_is_revoked(run: Campaign) -> None:
    run.break_account(which=0, fault="revoked", brief=False)
    run.check(which=0, happens=None, now=False)


def a_cancellation_forgets_the_outside(patch: Patch) -> None:
    patch.setattr(outbox, "cancelled", lambda *_, **__: None)


def a_booking_is_cancelled(run: Campaign) -> None:
    run.book_where_nothing_is_wrong(which=0, nth=30)
    run.work(happens=None)
    run.cancel(which=0, guest=False, happens=None)


def each_attempt_makes_a_new_event(patch: Patch) -> None:
    draft = drafts.event_draft
    patch.setattr(events, "event_draft", lambda *given, **how: replace(draft(*given, **how), key=new_uid()))


def an_attempt_whose_answer_was_lost_is_forgotten(patch: Patch) -> None:
    patch.setattr(meetings, "_lost", lambda *_: None)


def the_worker_dies_after_each_call(run: Campaign) -> None:
    run.book_where_nothing_is_wrong(which=0, nth=30)
    for _ in range(5):
        run.work(happens=Mishap(Kind.DIES_AFTER_CALL, 1))
        run.all_hold()
        run.wait(pause=timedelta(minutes=4))


def a_mended_member_is_flooded(patch: Patch) -> None:
    patch.setattr(placing, "away_at", lambda *_: ())


def a_member_is_mended_after_six_bookings(run: Campaign) -> None:
    run.break_account(which=2, fault="revoked", brief=False)
    run.check(which=2, happens=None, now=False)
    for nth in range(12):
        run.wait(pause=timedelta(minutes=1))
        if nth == 6:
            run.reconnect(which=2, happens=None)
        run.book(which=3, nth=30 + 4 * nth, place=0, held=False, happens=None)


def a_token_is_logged(patch: Patch) -> None:
    keep = tokens.sealed

    def chatty(fresh: Any) -> dict[str, str]:
        logging.getLogger("awase").warning("keeping %s", fresh.access_token)
        return keep(fresh)

    patch.setattr(tokens, "sealed", chatty)


def an_hour_passes(run: Campaign) -> None:
    run.wait(pause=timedelta(minutes=61))
    run.check(which=0, happens=None, now=False)


ON_THE_WAY = [
    (the_gate_overlooks_missing_calendars, a_second_calendar_vanishes, 1),
    (unread_busy_times_are_free, a_calendar_is_ticked_during_an_outage, 1),
    (a_reconnection_forgets_the_pages, an_account_is_revoked_and_reconnected, 2),
    (an_edit_forgets_the_stored_answer, everybody_leaves_a_page, 2),
    (health_moves_the_owners_switch, an_account_is_revoked, 6),
    (the_history_is_not_written, an_account_is_revoked, 7),
    (a_cancellation_forgets_the_outside, a_booking_is_cancelled, 5),
    (each_attempt_makes_a_new_event, the_worker_dies_after_each_call, 4),
    (an_attempt_whose_answer_was_lost_is_forgotten, the_worker_dies_after_each_call, 4),
    (a_mended_member_is_flooded, a_member_is_mended_after_six_bookings, 8),
    (a_token_is_logged, an_hour_passes, 9),
]


def go(world: World, way: Callable[[Campaign], None]) -> None:
    """Along the way, with every invariant at its end, and everything repaired afterwards."""
    machine = type("CampaignRun", (Campaign,), {"world": world})()
    try:
        way(machine)
        machine.all_hold()
    except Broken:
        machine.witness.close()
        raise
    machine.teardown()


@pytest.mark.parametrize(("plant", "way", "invariant"), ON_THE_WAY, ids=lambda one: getattr(one, "__name__", ""))
def test_a_planted_fault_is_found_on_the_way_there(
    world: World, monkeypatch: Patch, plant: Callable[[Patch], None], way: Callable[[Campaign], None], invariant: int
) -> None:
    plant(monkeypatch)
    with pytest.raises(Broken) as caught:
        go(world, way)
    assert caught.value.invariant == invariant, str(caught.value)


@pytest.mark.parametrize("way", sorted({way for _, way, _ in ON_THE_WAY}, key=str))
def test_the_same_ways_hold_nothing_against_the_product(world: World, way: Callable[[Campaign], None]) -> None:
    go(world, way)
