"""P7: resident memory of a web worker process and of a background worker, and the time to the first answer.

`python -m bench.memory [--json] [--tiny] [--database sqlite|postgresql]`. Told after work, not before it: the web
worker process has shown a month of up to 200 members in both languages and listed it to a program, the background
worker has checked accounts (of services that do not answer) and looked after its effects. Linux only.
"""

import sys
import time
from collections.abc import Iterator
from itertools import chain, repeat
from urllib.parse import quote

from bench import load
from bench.http import ask, month
from bench.report import Row, options, progress, tell
from bench.slots import GUEST_ZONE, START
from bench.stage import Stage, stage

CLIENTS = 4  # as many as the server has threads


def visit(here: Stage, team: dict[str, str], rounds: int) -> None:
    """Let every thread of the server show what it can show of this team."""
    path = f"/{team['workspace']}/any?month={START:%Y-%m}&zone={quote(GUEST_ZONE)}"
    pages = [load.request("GET", f"{path}&lang={language}", {}) for language in ("en", "ja")]
    for client in range(CLIENTS):
        pages.append(month("api", team, "any", team["keys"][client]))
    ask(here, [chain.from_iterable(repeat(pages, rounds)) for _ in range(CLIENTS)])


def measure(database: str, *, tiny: bool) -> Iterator[Row]:
    """All rows of one database."""
    sizes, rounds = ((2,), 1) if tiny else ((1, 50, 200), 10)
    with stage(database) as here:
        progress(f"{database}: storing the busy times of {sum(sizes)} members")
        teams = [here.ask("bench.rows", "team", str(size), str(CLIENTS)) for size in sizes]
        progress(f"{database}: start to first answer")
        first_answer = here.serve()
        progress(f"{database}: memory after work")
        for team in teams:
            visit(here, team, rounds)
        yield {"what": "web worker process", "mb": here.memory("web"), "goal_mb": 130}
        here.children.start("worker", "awase", "worker")
        time.sleep(1 if tiny else 10)
        here.children.check()
        yield {"what": "background worker", "mb": here.memory("worker"), "goal_mb": 110}
        yield {"what": "start to first answer", "seconds": first_answer, "goal_seconds": 3}


def main(argv: list[str] | None = None) -> int:
    """Print the table, or with --json one object."""
    chosen = options(__doc__, argv)
    rows = [
        {"database": database, **row} for database in chosen.database for row in measure(database, tiny=chosen.tiny)
    ]
    if not chosen.json:
        print("P7: resident memory, and the start")
    tell("P7", rows, as_json=chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
