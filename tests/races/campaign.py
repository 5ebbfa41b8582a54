"""R1: several processes want the same time at the same moment, and exactly as many get it as there are hosts.

`python -m tests.races.campaign [--races 1000] [--database sqlite|postgres]`. In each race two to ten guests, a
process each, ask for the same hour of the same hosts; the services hold their answers to the live check until
all guests have asked, so that everybody has been told "free" before anybody books. It is run with both bars up,
with each of them alone, and with neither: that one must oversell, or the race would prove nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import postgres
from tests.races.stage import Puppet, Stage, Watch, puppets, stage

MOST_GUESTS = 10
HOUR = 3600
SETTINGS = {
    "AWASE_LIVE_CHECK_SECONDS": "90",
    "AWASE_TOLERANCE_SECONDS": "86400",  # no worker checks the accounts meanwhile
}


@dataclass(frozen=True)
class Race:
    """What the guests of one race want, in turn: (page, seconds after the hour); how many of them may have it."""

    name: str
    wishes: tuple[tuple[str, int], ...]
    places: int


RACES = (
    Race("one page", (("solo", 0),), 1),
    Race("two pages of one host", (("solo", 0), ("other", 0)), 1),
    Race("times that overlap", (("solo", 0), ("other", 900)), 1),
    Race("both hosts, or one of them", (("both", 0), ("solo", 0)), 1),
    Race("any of two hosts", (("either", 0),), 2),
    Race("a page whose owner is no host", (("lent", 0), ("both", 0)), 1),
)
# Barred by the lock alone: the database's guard knows members, not people.
OF_ONE_PERSON = (Race("two workspaces of one host", (("solo", 0), ("elsewhere", 0)), 1),)
ACCOUNTS = {"elsewhere": 1, "solo": 1, "other": 1, "both": 2, "either": 2, "lent": 1}


@dataclass(frozen=True)
class Way:
    """Which of the two bars are up."""

    name: str
    lock: bool
    guard: bool


WAYS = (
    Way("lock and guard", True, True),
    Way("guard alone", False, True),
    Way("lock alone", True, False),
    Way("neither", False, False),
)

PEOPLE = Way("lock, one person", True, True)


class Gate(Watch):
    """Holds the answers of the services until as many have been asked for as a race needs."""

    PATIENCE = 60.0

    def __init__(self) -> None:
        self.all_there = threading.Condition()
        self.missing = 0
        self.forced = True

    def expect(self, calls: int) -> None:
        with self.all_there:
            self.missing, self.forced = calls, False

    def before(self, path: str) -> None:
        with self.all_there:
            self.missing -= 1
            self.all_there.notify_all()
            if self.all_there.wait_for(lambda: self.missing <= 0, self.PATIENCE):
                self.forced = True


@dataclass
class Tally:
    """What came of the races run one way."""

    way: Way
    races: int = 0
    guests: int = 0
    forced: int = 0
    oversold: int = 0
    undersold: int = 0
    overlaps: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


class Track:
    """The instance, the gate before its services, and the contestants."""

    def __init__(self, here: Stage, gate: Gate, contestants: list[Puppet]) -> None:
        self.here, self.gate, self.contestants = here, gate, contestants
        self.hour = int(time.time()) // HOUR + 24  # each race has an hour of its own
        self.guarded = True

    def run(self, way: Way, races: int, kinds: Sequence[Race] = RACES) -> Iterator[Tally]:
        """Run so many races one way; yields the tally after each, and at the end with the overlaps counted."""
        if self.guarded and not way.guard:
            self.here.ask("unguard")
            self.guarded = False
        tally, began, before = Tally(way), time.monotonic(), self.here.ask("overlaps")
        for number in range(races):
            self._race(kinds[number % len(kinds)], 2 + number % (len(self.contestants) - 1), tally)
            tally.seconds = time.monotonic() - began
            yield tally
        tally.overlaps = self.here.ask("overlaps") - before
        yield tally

    def _race(self, race: Race, guests: int, tally: Tally) -> None:
        self.hour += 1
        runners = self.contestants[:guests]
        wishes = [race.wishes[number % len(race.wishes)] for number in range(guests)]
        self.gate.expect(sum(ACCOUNTS[page] for page, _ in wishes))
        for runner, (page, offset) in zip(runners, wishes, strict=True):
            runner.tell("book", slug=page, start=self.hour * HOUR + offset, locked=tally.way.lock)
        answers = [runner.hear() for runner in runners]
        taken = answers.count("taken")
        tally.answers.update(answers)
        tally.races += 1
        tally.guests += guests
        tally.forced += self.gate.forced
        tally.oversold += taken > race.places
        tally.undersold += taken < min(guests, race.places)


@contextmanager
def track(folder: Path, address: str, guests: int = MOST_GUESTS) -> Iterator[Track]:
    """The contestants at the starting line, until the end of the block."""
    gate = Gate()
    with ExitStack() as until_the_end:
        here = until_the_end.enter_context(stage(folder, address, gate, **SETTINGS))
        here.ask("hosts")
        contestants = until_the_end.enter_context(puppets(here, guests))
        yield Track(here, gate, contestants)


def table(rows: list[tuple[str, Tally]]) -> str:
    """The result, for people."""
    head = f"{'database':<10}{'bars':<16}{'races':>6}{'guests':>8}{'forced':>8}{'oversold':>10}{'undersold':>11}"
    lines = [head + f"{'overlaps':>10}{'seconds':>9}  answers"]
    for database, tally in rows:
        answers = ", ".join(f"{name} {count}" for name, count in tally.answers.most_common())
        lines.append(
            f"{database:<10}{tally.way.name:<16}{tally.races:>6}{tally.guests:>8}{tally.forced:>8}{tally.oversold:>10}"
            f"{tally.undersold:>11}{tally.overlaps:>10}{tally.seconds:>9.0f}  {answers}"
        )
    return "\n".join(lines)


def clean(tally: Tally) -> bool:
    """Whether the races show what they must: nothing sold twice behind a bar, and the opposite without any."""
    if tally.way.lock and tally.undersold:
        return False
    if tally.way.lock or tally.way.guard:
        return tally.forced == tally.races and not tally.oversold and not tally.overlaps
    return bool(tally.oversold and tally.overlaps)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.races.campaign", description=__doc__)
    parser.add_argument("--races", type=int, default=1000, help="with both bars up; a tenth of it the other ways")
    parser.add_argument("--database", choices=["sqlite", "postgres"], help="only this one")
    chosen = parser.parse_args()
    rows: list[tuple[str, Tally]] = []
    for database in [chosen.database] if chosen.database else ["sqlite", "postgres"]:
        with ExitStack() as until_the_end:
            folder = Path(until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="awase-races-")))
            address = f"sqlite:///{folder / 'races.sqlite3'}"
            if database == "postgres":
                address = until_the_end.enter_context(postgres.running()).new_database()
            course = until_the_end.enter_context(track(folder, address))
            *_, of_one_person = course.run(PEOPLE, max(1, chosen.races // 10), OF_ONE_PERSON)
            rows.append((database, of_one_person))
            for way in WAYS:
                for tally in course.run(way, chosen.races if way.lock and way.guard else max(1, chosen.races // 10)):
                    sys.stderr.write(f"\r{database}, {way.name}: {tally.races} races, {tally.oversold} oversold   ")
                rows.append((database, tally))
        sys.stderr.write("\n")
    print(table(rows))
    return 0 if all(clean(tally) for _, tally in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
