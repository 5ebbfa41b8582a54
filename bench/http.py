"""P2 and P3: whole requests over loopback, answered by the real server in its own process.

`python -m bench.http [--json] [--tiny] [--database sqlite|postgresql]`. P2: one client asks for a month of
slots as a guest's browser does (`page`), and as a program does (`api`). P3: 16 clients ask for one member's
month; the server has a worker process for each core then. The workload is that of P1, stored as the sync
stores it; a program's answer other than the known right one ends the benchmark.

The API lets each key ask 600 times a minute, so every client has keys of its own and takes turns with them.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Any
from urllib.parse import urlencode

from bench import load
from bench.report import Row, options, progress, tell
from bench.slots import ANSWERS, END, GUEST_ZONE, START, digest
from bench.stage import Stage, stage

GOALS_MS = {1: 6.0, 10: 8.0, 50: 15.0, 200: 40.0}
CLIENTS = 16
KEYS_A_CLIENT = 4
WARM_UP = 20


def month(request: str, team: Any, mode: str, key: str = "") -> bytes:
    """The request for the workload's month, as a program or as a browser makes it."""
    if request == "page":
        return load.request("GET", f"/{team['workspace']}/{mode}?month={START:%Y-%m}&zone={GUEST_ZONE}", {})
    # The workload's slots lie inside its window; the API asks for those that start in it.
    last = END - timedelta(minutes=29)
    window = urlencode({"from": START.isoformat(), "to": last.isoformat(), "zone": GUEST_ZONE})
    return load.request("GET", f"/api/v1/pages/{mode}/slots?{window}", {"Authorization": f"Bearer {key}"})


def right(answer: load.Answer, mode: str, members: int) -> None:
    """Raises SystemExit unless the API's answer is the known right one."""
    starts = [int(datetime.fromisoformat(slot["start"]).timestamp()) for slot in json.loads(answer.body)["slots"]]
    found = len(starts), digest(starts)
    if found != ANSWERS[mode, members]:
        raise SystemExit(f"{mode} {members}: {found}, not {ANSWERS[mode, members]}")


def ask(here: Stage, scripts: Sequence[Iterator[bytes]], seconds: float = 600.0) -> tuple[list[load.Answer], float]:
    """All answers, and the seconds that they took. Raises SystemExit if any is an error."""
    answers: list[load.Answer] = []
    taken = load.run(here.port, scripts, lambda _, answer: answers.append(answer), seconds)
    if wrong := next((answer for answer in answers if answer.status != 200), None):
        raise SystemExit(f"an error was answered: {wrong.status} {wrong.body[:300]!r}")
    return answers, taken


def one_after_the_other(here: Stage, team: Any, members: int, mode: str, request: str, rounds: int) -> Row:
    """A row of P2."""
    asked = (month(request, team, mode, key) for key in cycle(team["keys"]))
    answers, _ = ask(here, [islice(asked, WARM_UP + rounds)])
    if request == "api":
        right(answers[-1], mode, members)
    times = [answer.ms for answer in answers[WARM_UP:]]
    p50 = load.median(times)
    return {
        "request": request, "mode": mode, "members": members, "rounds": rounds, "kb": len(answers[-1].body) // 1000,
        "ms": p50, "goal_ms": GOALS_MS[members], "p99_ms": load.quantile(times, 99), "goal_p99_ms": round(3 * p50, 2),
    }  # fmt: skip


def all_at_once(here: Stage, team: Any, request: str, seconds: float) -> Row:
    """A row of P3."""
    shares = [team["keys"][number::CLIENTS] for number in range(CLIENTS)]
    scripts = [(month(request, team, "all", key) for key in cycle(share)) for share in shares]
    answers, taken = ask(here, scripts, seconds)
    times = [answer.ms for answer in answers]
    return {
        "request": request, "mode": "all", "members": 1, "clients": CLIENTS,
        "per_second": round(len(answers) / taken, 1), "goal_per_second": 500,
        "ms": load.median(times), "p99_ms": load.quantile(times, 99),
    }  # fmt: skip


def measure(database: str, *, tiny: bool) -> Iterator[Row]:
    """All rows of one database."""
    sizes, rounds, seconds = ((1, 10), 5, 0.3) if tiny else ((1, 10, 50, 200), 300, 8.0)
    with stage(database) as here:
        progress(f"{database}: storing the busy times of {sum(sizes)} members")
        teams = {size: here.ask("bench.rows", "team", str(size), str(CLIENTS * KEYS_A_CLIENT)) for size in sizes}
        here.serve()
        for request in ("page", "api"):
            for mode in ("all", "any"):
                for size in sizes:
                    progress(f"{database}: a month of {size} members, {mode}, {request}")
                    yield {"id": "P2", **one_after_the_other(here, teams[size], size, mode, request, rounds)}
        here.children.stop()
        here.serve(workers=os.cpu_count() or 1)
        for request in ("page", "api"):
            progress(f"{database}: {CLIENTS} clients, {request}")
            all_at_once(here, teams[1], request, seconds / 8)  # until every process and thread has answered
            yield {"id": "P3", **all_at_once(here, teams[1], request, seconds)}


def main(argv: list[str] | None = None) -> int:
    """Print the tables, or with --json one object whose rows carry the id of their figure."""
    chosen = options(__doc__, argv)
    rows = [
        {"id": row.pop("id"), "database": database, **row}
        for database in chosen.database
        for row in measure(database, tiny=chosen.tiny)
    ]
    if chosen.json:
        tell("P2", rows, as_json=True)
        return 0
    for id, what in (("P2", "a month of slots, one client"), ("P3", "the same, 16 clients")):
        print(f"\n{id}: {what}")
        tell(id, [row for row in rows if row["id"] == id], as_json=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
