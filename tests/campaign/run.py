"""Letting the machine run: so many runs of so many steps, from one seed."""

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from tests.campaign.machine import Campaign
from tests.campaign.world import Broken, World


def run(world: World, *, runs: int, steps: int, number: int, shrink: bool = False) -> None:
    """Raise Broken, with the sequence that led there in its notes, if an invariant does not hold."""
    machine = type("CampaignRun", (Campaign,), {"world": world})
    chosen = settings(
        max_examples=runs,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    Broken.seen.clear()
    try:
        run_state_machine_as_test(seed(number)(machine), settings=chosen)
    except Flaky as flaky:
        raise (Broken.seen[0] if Broken.seen else flaky) from flaky
