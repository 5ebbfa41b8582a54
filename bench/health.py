"""P5: one account in error on 10,000 pages, and 100,000 accounts checked through a simulated day.

`python -m bench.health [--json] [--tiny] [--database sqlite|postgresql]`. Of the outage everything counts that
follows in its transaction: state, the gate for every page, stored answers, history, notices. The number of
queries is told for two numbers of pages and must be the same.
"""

import sys
from collections.abc import Iterator

from bench.report import Row, options, progress, tell
from bench.stage import stage


def measure(database: str, *, tiny: bool) -> Iterator[Row]:
    """All rows of one database."""
    pages, accounts = (50, 1000) if tiny else (10_000, 100_000)
    with stage(database) as here:
        progress(f"{database}: an account breaks on {pages:,} pages")
        yield from here.ask("bench.outage", "pages", str(pages))
    with stage(database) as here:
        progress(f"{database}: {accounts:,} accounts through a simulated day")
        yield from here.ask("bench.outage", "accounts", str(accounts))


def main(argv: list[str] | None = None) -> int:
    """Print the table, or with --json one object."""
    chosen = options(__doc__, argv)
    rows = [
        {"database": database, **row} for database in chosen.database for row in measure(database, tiny=chosen.tiny)
    ]
    if not chosen.json:
        print("P5: one account in error on many pages, and many accounts through a day")
    tell("P5", rows, as_json=chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
