"""All benchmarks one after the other: `python -m bench [--tiny] [--only slots …]`, or `make bench`.

What is measured goes to `.artifacts/bench.json` with the circumstances of the measurement, and is printed as
tables; `--show` prints the tables of the last run again, as they stand in docs/performance.md.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

from bench.report import markdown, progress
from bench.stage import ROOT

KEPT = ROOT / ".artifacts" / "bench.json"
PROGRAMS = ("slots", "http", "booking", "health", "memory", "host")


def circumstances() -> dict[str, Any]:
    """What bears on the figures."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "cores": os.cpu_count(),
        "load": [round(value, 1) for value in os.getloadavg()],  # before; a quiet machine has less than 0.5
        "python": platform.python_version(),
    }


def measured(program: str, *, tiny: bool) -> list[dict[str, Any]]:
    """The rows of one program, which tells its progress on standard error. Raises SystemExit if it fails."""
    command = [sys.executable, "-m", f"bench.{program}", "--json", *(["--tiny"] if tiny else [])]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench.{program} failed; what stands above says why")
    found = json.loads(done.stdout.splitlines()[-1])
    return [{"id": found["id"], **row} for row in found["rows"]]


def show(found: dict[str, Any]) -> None:
    """All tables."""
    print(", ".join(f"{name} {value}" for name, value in found["circumstances"].items()))
    for id in sorted({row["id"] for row in found["rows"]}):
        rows = [
            {name: value for name, value in row.items() if name != "id"} for row in found["rows"] if row["id"] == id
        ]
        print(f"\n### {id}\n\n{markdown(rows)}")


def main(argv: list[str] | None = None) -> int:
    """Measure and show, or only show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="few rows and rounds: does it still work?")
    parser.add_argument("--only", choices=PROGRAMS, nargs="+", default=PROGRAMS, help="not all of them")
    parser.add_argument("--show", action="store_true", help="measure nothing, print the last run's tables")
    chosen = parser.parse_args(argv)
    if not chosen.show:
        found: dict[str, Any] = {"circumstances": circumstances(), "rows": []}
        began = time.monotonic()
        for number, program in enumerate(chosen.only, 1):
            progress(f"[{number}/{len(chosen.only)}, {time.monotonic() - began:.0f} s] bench.{program}")
            found["rows"] += measured(program, tiny=chosen.tiny)
            KEPT.parent.mkdir(exist_ok=True)
            KEPT.write_text(json.dumps(found, indent=1), encoding="utf-8")
    show(json.loads(KEPT.read_text(encoding="utf-8")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
