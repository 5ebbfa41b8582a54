"""A thousand steps of everything that can happen, with crashes and races, half of them on each kind of database: every
invariant holds after each."""

import pytest
from django.db import connection

from tests.campaign.run import run
from tests.campaign.world import World

RUNS, STEPS = 14, 46
ACTS = ("(booked)", "(process died)", "book at once", "heal everything", "disconnect", "reconnect", "cancel", "work")


@pytest.mark.races
def test_whatever_happens_in_five_hundred_steps_every_invariant_holds(world: World) -> None:
    run(world, runs=RUNS, steps=STEPS, number=1 if connection.vendor == "sqlite" else 1 + RUNS)
    assert world.ledger.steps >= 500
    missed = [act for act in ACTS if not world.ledger.events[act]]
    assert not missed, f"never happened: {missed}"
