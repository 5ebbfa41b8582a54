"""Letting the machine run: so many runs of so many steps, from one seed."""

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.campaign.machine import Campaign
from tests.campaign.world import World


def run(world: World, *, runs: int, steps: int, number: int, shrink: bool = False) -> None:
    """Raise Broken, with the sequence that led there, if an invariant does not hold."""
    machine = type("CampaignRun", (Campaign,), {"world": world})
    chosen = settings(
        max_examples=runs,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.normal,
        print_blob=False,
    )
    run_state_machine_as_test(seed(number)(machine), settings=chosen)
