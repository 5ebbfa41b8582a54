"""P4: bookings of distinct slots by 16 clients over HTTP, side effects queued, the live check off by its setting.

`python -m bench.booking [--json] [--tiny] [--database sqlite|postgresql]`. Three kinds of load: each client
books a host of its own, all book one host, and all book one page that assigns evenly among ten hosts. Any
answer but 201, and afterwards any booking missing or overlapping, ends the benchmark.

The server has a worker process for each core. The API lets each key book 60 times a minute, so every client has
keys of its own in each load and changes them in time.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from urllib.parse import urlencode

from bench import load
from bench.report import Row, options, progress, tell
from bench.slots import END, START
from bench.stage import Stage, stage

CLIENTS = 16
KEYS_A_CLIENT = 4
BOOKINGS_A_KEY = 50
GOALS = {"sqlite": 100, "postgresql": 150}


def free_starts(here: Stage, page: str, key: str) -> list[str]:
    """Starts of the page that do not overlap: on the half-hours of the workload's month."""
    window = urlencode({"from": START.isoformat(), "to": (END - timedelta(hours=1)).isoformat(), "zone": "UTC"})
    answers: list[load.Answer] = []
    wanted = load.request("GET", f"/api/v1/pages/{page}/slots?{window}", {"Authorization": f"Bearer {key}"})
    load.run(here.port, [[wanted]], lambda _, answer: answers.append(answer))
    starts = [slot["start"] for slot in json.loads(answers[0].body)["slots"]]
    return [start for start in starts if start[14:16] in {"00", "30"}]


def wishes(page: str, starts: Sequence[str], keys: Sequence[str]) -> Iterator[bytes]:
    """The requests of one client."""
    for number, start in enumerate(starts):
        guest = {"name": f"Guest {number}", "email": f"guest{number}@bench.example", "language": "en"}
        body = json.dumps({"start": start, "guest": guest}).encode()
        key = keys[number // BOOKINGS_A_KEY]
        yield load.request("POST", f"/api/v1/pages/{page}/bookings", {"Authorization": f"Bearer {key}"}, body)


def book(here: Stage, keys: Sequence[str], pages: Sequence[str], each: int) -> Row:
    """Let the clients book, `each` at most so many; clients of the same page share its starts."""
    shares = [keys[number::CLIENTS] for number in range(CLIENTS)]
    starts = {page: free_starts(here, page, keys[0]) for page in set(pages)}
    at_once = CLIENTS // len(pages)
    scripts = []
    for number, own_keys in enumerate(shares):
        page = pages[number % len(pages)]
        own = starts[page][number // len(pages) :: at_once]
        scripts.append(wishes(page, list(islice(own, each)), own_keys))
    answers: list[load.Answer] = []
    taken = load.run(here.port, scripts, lambda _, answer: answers.append(answer))
    if wrong := next((answer for answer in answers if answer.status != 201), None):
        raise SystemExit(f"a booking was refused: {wrong.status} {wrong.body[:300]!r}")
    times = [answer.ms for answer in answers]
    return {
        "clients": CLIENTS, "bookings": len(answers), "per_second": round(len(answers) / taken, 1),
        "ms": load.median(times), "p99_ms": load.quantile(times, 99),
    }  # fmt: skip


def measure(database: str, *, tiny: bool) -> Iterator[Row]:
    """All rows of one database."""
    each = 2 if tiny else BOOKINGS_A_KEY * KEYS_A_CLIENT
    with stage(database, AWASE_LIVE_CHECK="0") as here:
        progress(f"{database}: storing the hosts")
        keys = CLIENTS * KEYS_A_CLIENT
        many = here.ask("bench.rows", "hosts", "17", str(2 * keys))["keys"]
        few = here.ask("bench.rows", "hosts", "10", str(keys))["keys"]
        here.serve(workers=os.cpu_count() or 1)
        bookings = 0
        for what, own, pages in (
            ("a host each", many[:keys], [f"host-{number}" for number in range(CLIENTS)]),
            ("one host", many[keys:], [f"host-{CLIENTS}"]),
            ("any of ten hosts", few, ["any"]),
        ):
            progress(f"{database}: {CLIENTS} clients book, {what}")
            row = book(here, own, pages, each)
            bookings += row["bookings"]
            found = here.ask("bench.rows", "verify")
            if found["bookings"] != bookings or found["overlaps"] or found["waiting"] < bookings:
                raise SystemExit(f"{bookings} bookings were promised; the database says {found}")
            yield {"hosts": what, **row, "goal_per_second": GOALS[database], "double": found["overlaps"]}


def main(argv: list[str] | None = None) -> int:
    """Print the table, or with --json one object."""
    chosen = options(__doc__, argv)
    rows = [
        {"database": database, **row} for database in chosen.database for row in measure(database, tiny=chosen.tiny)
    ]
    if not chosen.json:
        print("P4: bookings of distinct slots, 16 clients")
    tell("P4", rows, as_json=chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
