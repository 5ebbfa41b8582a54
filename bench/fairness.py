"""How fair automatic assignment is: 10,000 bookings among people who come, go, are away, and whose accounts break.

`python -m bench.fairness [--json] [--tiny] [--svg FILE]`. Each booking goes to one of those who are there and free,
evenly by weight, as the rules of `docs/assignment.md` have it; and, for comparison, without the credit for what went
past people while they were away. Told of each person: the bookings that they were given, their fair share (of each
booking that came while they were there, their weight among the weights of all who were), how far the two ever were
apart, and the most that anybody was given of the first fifty bookings after coming back, where six or so are fair.
The same run each time: chance is seeded.
"""

import argparse
import random
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from awase.domain.assignment import PERIOD, Assigned, Candidate, Mode, Presence, choose, counts
from bench.report import Row, progress, tell

BOOKINGS = 10_000
PAUSE = 45 * 60  # seconds from one booking to the next, on average
DAY = 86_400
FREE = 0.6  # of the times asked for, somebody who is there is free
RUSH = 50  # bookings after a return
SEED = 20261201

Days = tuple[float, float]


@dataclass(frozen=True)
class Person:
    """Somebody of the page: of it from day to day (`spells`), and meanwhile absent or broken (`away`)."""

    name: str
    weight: int = 1
    spells: tuple[Days, ...] = ((0, 10_000),)
    away: tuple[Days, ...] = ()
    free: float = FREE

    def joined(self, day: float) -> float | None:
        """The day on which they came, if they are of the page now."""
        return next((first for first, last in self.spells if first <= day < last), None)

    def gone(self, day: float) -> bool:
        """Whether they are absent or cannot be booked now."""
        return any(first <= day < last for first, last in self.away)


PEOPLE = (
    Person("always there"),
    Person("always there, weight 2", weight=2),
    Person("joins on day 60", spells=((60, 10_000),)),
    Person("absent for 30 days, and for 7", away=((90, 120), (200, 207))),
    Person("account breaks again and again", away=tuple((30 + 22 * n, 30 + 22 * n + 1 + n % 5) for n in range(12))),
    Person("leaves on day 150, is back on day 230", spells=((0, 150), (230, 10_000))),
    Person("seldom free", free=0.25),
    Person("account broken for 60 days", away=((140, 200),)),
)


@dataclass
class Run:
    """Bookings assigned one after the other. `apart`: of each person how many bookings they had more than their
    share, after each booking."""

    credited: bool
    given: Counter[int] = field(default_factory=Counter)
    share: dict[int, float] = field(default_factory=lambda: dict.fromkeys(range(len(PEOPLE)), 0.0))
    apart: list[list[float]] = field(default_factory=list)
    rushes: Counter[int] = field(default_factory=Counter)

    def play(self, bookings: int) -> "Run":
        """Let so many bookings come."""
        chance = random.Random(SEED)
        history: deque[Assigned] = deque()
        plain = Counter[int]()  # those of the history past which nobody's way went
        back = dict.fromkeys(range(len(PEOPLE)), RUSH)  # bookings since each came back
        here = set(range(len(PEOPLE)))
        lately = dict.fromkeys(range(len(PEOPLE)), 0)
        at = 0.0
        while len(self.apart) < bookings:
            at += chance.expovariate(1 / PAUSE)
            rolls = [chance.random() for _ in PEOPLE]
            day = at / DAY
            while history and history[0].at <= at - PERIOD.total_seconds():
                old = history.popleft()
                plain[old.member_id] -= not old.away
            of_page = {number: came for number, one in enumerate(PEOPLE) if (came := one.joined(day)) is not None}
            away = tuple(number for number in of_page if PEOPLE[number].gone(day))
            there = set(of_page) - set(away)
            free = [number for number in there if rolls[number] < PEOPLE[number].free]
            if not free:
                continue
            chosen = self._choose(of_page, free, history, plain)
            booking = Assigned(int(at), chosen, away if self.credited else ())
            history.append(booking)
            plain[chosen] += not booking.away
            self._count(chosen, there)
            for number in there - here:
                back[number], lately[number] = 0, 0
            here = there
            for number in there:
                if back[number] < RUSH:
                    back[number] += 1
                    lately[number] += number == chosen
                    self.rushes[number] = max(self.rushes[number], lately[number])
        return self

    def _choose(
        self, of_page: dict[int, float], free: Sequence[int], history: Sequence[Assigned], plain: Counter[int]
    ) -> int:
        members = [
            Presence(number, PEOPLE[number].weight, joined_at=int(came * DAY) if self.credited else 0)
            for number, came in of_page.items()
        ]
        newest = max(member.joined_at for member in members)
        special = [booking for booking in history if booking.away or booking.at < newest]
        further = plain - Counter(booking.member_id for booking in special if not booking.away)
        tally = counts(members, special, further)
        return choose(
            Mode.EVEN, [Candidate(number, number, PEOPLE[number].weight, count=tally[number]) for number in free]
        )

    def _count(self, chosen: int, there: set[int]) -> None:
        self.given[chosen] += 1
        total = sum(PEOPLE[number].weight for number in there)
        for number in there:
            self.share[number] += PEOPLE[number].weight / total
        self.apart.append([self.given[number] - self.share[number] for number in range(len(PEOPLE))])


def rows_of(run: Run) -> Iterator[Row]:
    """What is told of each person."""
    for number, person in enumerate(PEOPLE):
        apart = [moment[number] for moment in run.apart]
        yield {
            "rules": "with credit" if run.credited else "without",
            "person": person.name,
            "given": run.given[number],
            "fair": round(run.share[number], 1),
            "at_most_more": round(max(apart), 1),
            "at_most_less": round(-min(apart), 1),
            "after_return": run.rushes[number] if run.rushes[number] else "",
        }


WIDTH, PANEL, LEFT, RIGHT, TOP, GAP = 960, 220, 56, 300, 56, 44
COLOURS = ("#5b6472", "#1f6feb", "#0a8f6c", "#c2410c", "#7c3aed", "#b8860b", "#0e7490", "#be185d")
POINTS = 240


def plot(runs: Sequence[Run]) -> str:
    """Two panels over the bookings: how far each person was from their fair share, with the credit and without."""
    height = TOP + len(runs) * (PANEL + GAP)
    title = f"Bookings above or below the fair share, over {len(runs[0].apart):,} bookings"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
        f"<title>{title}, by person</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="26" font-size="16">{title}</text>',
    ]
    reach = max(abs(value) for run in runs for moment in run.apart for value in moment)
    for index, run in enumerate(runs):
        parts += _panel(run, TOP + index * (PANEL + GAP), reach)
    for number, person in enumerate(PEOPLE):
        y = TOP + 14 + number * 24
        x = WIDTH - RIGHT + 20
        parts.append(f'<path d="M{x} {y - 4}h18" stroke="{COLOURS[number]}" stroke-width="3"/>')
        parts.append(f'<text x="{x + 26}" y="{y}" font-size="12">{person.name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(run: Run, top: int, reach: float) -> Iterator[str]:
    width = WIDTH - LEFT - RIGHT
    step = 10 ** len(str(int(reach))) // 10
    name = "With the credit for time away" if run.credited else "The same bookings without it"
    yield f'<text x="{LEFT}" y="{top - 8}" font-size="13">{name}</text>'
    for value in range(-int(reach // step) * step, int(reach // step) * step + 1, step):
        y, said = top + PANEL / 2 - value / reach * PANEL / 2, f"{value:+d}" if value else "0"
        yield f'<path d="M{LEFT} {y:.1f}h{width}" stroke="{"#888" if value == 0 else "#e5e7eb"}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" font-size="12" fill="#555">{said}</text>'
    moments = range(0, len(run.apart), max(1, len(run.apart) // POINTS))
    for number in range(len(PEOPLE)):
        heights = [PANEL / 2 * (1 - run.apart[at][number] / reach) for at in moments]
        line = " ".join(
            f"{LEFT + at / len(run.apart) * width:.0f},{top + y:.1f}" for at, y in zip(moments, heights, strict=True)
        )
        yield f'<polyline points="{line}" fill="none" stroke="{COLOURS[number]}" stroke-width="1.5"/>'


def main(argv: list[str] | None = None) -> int:
    """Print the table, or with --json one object; with --svg also draw."""
    parser = argparse.ArgumentParser(prog="python -m bench.fairness", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--tiny", action="store_true", help="few bookings: does it still work?")
    parser.add_argument("--svg", type=Path, help="where to draw the plot")
    chosen = parser.parse_args(argv)
    runs = []
    for credited in (True, False):
        progress("bookings are assigned " + ("with the credit" if credited else "without"))
        runs.append(Run(credited).play(200 if chosen.tiny else BOOKINGS))
    if chosen.svg:
        chosen.svg.write_text(plot(runs))
    if not chosen.json:
        print(f"{len(runs[0].apart):,} bookings: given, fair, and how far apart")
    tell("fairness", [row for run in runs for row in rows_of(run)], as_json=chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
