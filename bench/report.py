"""What every benchmark tells: progress on standard error, then a table for people or one JSON object."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from bench.stage import DATABASES

Row = dict[str, Any]


def options(about: str | None, argv: list[str] | None) -> argparse.Namespace:
    """The options that all benchmarks share."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--tiny", action="store_true", help="few rows and rounds: does it still work?")
    parser.add_argument("--database", choices=DATABASES, action="append", help="only this one (default: both)")
    chosen = parser.parse_args(argv)
    chosen.database = chosen.database or list(DATABASES)
    return chosen


def progress(text: str) -> None:
    """What is being done now."""
    print(f"  … {text}", file=sys.stderr, flush=True)


def tell(id: str, rows: Sequence[Row], *, as_json: bool) -> None:
    """Print the rows; a table has a line for each, and a column for everything that any of them names."""
    if as_json:
        print(json.dumps({"id": id, "rows": list(rows)}))
        return
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [columns, *([_text(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def markdown(rows: Sequence[Row]) -> str:
    """The rows of one figure as a table of a document."""
    columns = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "id"]
    lines = [columns, ["---"] * len(columns), *([_text(row.get(column)) for column in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
