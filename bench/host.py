"""P8: the dashboard of a large workspace: 200 members, 500 booking pages, 5,000 bookings.

`python -m bench.host [--json] [--tiny] [--database sqlite|postgresql]`. One process, without the server around it:
time of the processor and by the clock, the least of some requests, and the number of queries, in a small workspace too,
where it must be the same.
"""

import sys
from collections.abc import Iterator

from bench.report import Row, options, progress, tell
from bench.stage import stage

SMALL, LARGE = (10, 10, 60), (200, 500, 5000)  # members, pages, bookings


def measure(database: str, *, tiny: bool) -> Iterator[Row]:
    """All rows of one database."""
    for size in (SMALL,) if tiny else (SMALL, LARGE):
        with stage(database) as here:
            progress(f"{database}: {size[0]} members, {size[1]} pages, {size[2]:,} bookings")
            yield from here.ask("bench.screens", *map(str, size))


def main(argv: list[str] | None = None) -> int:
    """Print the table, or with --json one object."""
    chosen = options(__doc__, argv)
    rows = [
        {"database": database, **row} for database in chosen.database for row in measure(database, tiny=chosen.tiny)
    ]
    if not chosen.json:
        print("P8: the dashboard of a large workspace")
    tell("P8", rows, as_json=chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
