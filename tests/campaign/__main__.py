"""`python -m tests.campaign MINUTES`: random sequences of everything that can happen, for so long.

Prints what it did and what it found; the exit code is 1 if an invariant was broken. `--seed` repeats a round,
`--shrink` looks for the shortest sequence that breaks the same.
"""

import argparse
import logging
import os
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

RUNS, STEPS = 30, 60  # each series begins with a trivial run
clock = time.perf_counter  # the one that a campaign does not move


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the first round's; each adds one")
    parser.add_argument("--shrink", action="store_true")
    wanted = parser.parse_args()

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.test.utils import setup_test_environment
    from stamina.instrumentation import set_on_retry_hooks

    django.setup()
    setup_test_environment()
    set_on_retry_hooks(())  # each lost answer would be a line
    logging.getLogger().addHandler(logging.NullHandler())
    from tests.campaign.world import Broken, world
    from tests.settings import new_database

    began, found, seed = clock(), Counter[int](), wanted.seed
    with TemporaryDirectory(prefix="awase-campaign-") as folder, world(new_database(Path(folder))) as here:
        from tests.campaign.run import run

        while clock() - began < wanted.minutes * 60:
            try:
                run(here, runs=RUNS, steps=STEPS, number=seed, shrink=wanted.shrink)
            except Broken as broken:
                found[broken.invariant] += 1
                print(f"seed {seed}: {broken}", *getattr(broken, "__notes__", ()), sep="\n", flush=True)
            seed += 1
        done = here.ledger
    minutes = (clock() - began) / 60
    print(f"{done.steps} steps in {done.runs} runs, {minutes:.1f} minutes: {done.steps / minutes:.0f} a minute")
    print(f"seeds {wanted.seed} to {seed - 1}")
    for title, counts in (("events", done.events), ("refusals", done.refusals)):
        print(f"{title}:")
        for name, number in counts.most_common():
            print(f"  {number:7} {name}")
    print("violations:", ", ".join(f"invariant {name}: {number}" for name, number in sorted(found.items())) or "none")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
