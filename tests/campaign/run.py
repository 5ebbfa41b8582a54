"""Letting the machine run: so many runs of so many steps, from one seed."""

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.errors import Flaky
from hypothesis.reporting import with_reporter
from hypothesis.stateful import run_state_machine_as_test

from tests.campaign.machine import Campaign
from tests.campaign.world import Broken, World


class Path:
    """Notes each step, so that what broke an invariant is known even if its replay does not break it again."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.over = False

    def __call__(self, told: object) -> None:
        line = str(told)
        if self.over or not line.startswith("state") or line.endswith(".all_hold()"):
            return
        if line.startswith("state = "):
            self.steps = []
        self.steps.append(line)
        self.over = bool(Broken.seen)  # a step is told after it was made


def run(world: World, *, runs: int, steps: int, number: int, shrink: bool = False) -> None:
    """Raise Broken, with the path that led there, if an invariant does not hold."""
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
        verbosity=Verbosity.debug,
        print_blob=False,
    )
    Broken.seen.clear()
    path = Path()
    try:
        with with_reporter(path):
            run_state_machine_as_test(seed(number)(machine), settings=chosen)
    except (Broken, Flaky) as found:
        if not Broken.seen or (shrink and isinstance(found, Broken)):
            raise
        Broken.seen[0].__notes__ = path.steps
        raise Broken.seen[0] from None
