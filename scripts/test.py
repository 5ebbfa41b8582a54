"""Everything: style, types, layers and all tests, in groups side by side, one more at once than there are cores,
because browsers, races and servers wait for each other a third of the time.

`python -m scripts.test [GROUP …]`. What a group says goes to `.artifacts/tests`, and is shown if it fails. Whatever
touches the database (marker `database`) runs on both kinds, but for the screens, which only translate and run on
SQLite alone. The browser tests and those on PostgreSQL need programs of the system: they are installed if that is
possible, else left out, which with CI set is a failure.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from coverage import Coverage

REPOSITORY = Path(__file__).parents[1]
LOGS = REPOSITORY / ".artifacts" / "tests"
COUNTED = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)\b")
# Lines and branches in per cent; of every other package OTHERS.
LEAST_COVERED, OTHERS = {"awase/domain": 100, "awase/providers": 95}, 90


@dataclass(frozen=True)
class Group:
    """One process. Without `tests` it is a script; `needs` is one that brings what the group needs."""

    name: str
    tests: tuple[str, ...] = ()
    database: str = "sqlite"
    covers: bool = False
    needs: str = ""

    @property
    def log(self) -> Path:
        return LOGS / f"{self.name}.log"

    @property
    def coverage(self) -> Path:
        return LOGS / f"{self.name}.coverage"

    def run(self) -> bool:
        """Whether all of it passed."""
        say(f"… {self.name}")
        began = time.monotonic()
        command = [f"scripts/{self.name}"]
        if self.tests:
            command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *self.tests]
        if self.covers:
            command += ["--cov", "--cov-report="]
        settings = {
            "AWASE_TEST_DATABASE": self.database,
            "COVERAGE_FILE": str(self.coverage),
            "PYTHONUNBUFFERED": "1",
            # Tests start hundreds of processes, each of which would compile everything anew.
            "PYTHONDONTWRITEBYTECODE": "",
        }
        with self.log.open("wb") as log:
            done = subprocess.run(
                command, check=False, cwd=REPOSITORY, env=os.environ | settings, stdout=log, stderr=subprocess.STDOUT
            )
        verdict = "FAILED" if done.returncode else "passed"
        say(f"  {self.name} {verdict} in {time.monotonic() - began:.0f} s  {described(self.counts())}")
        return done.returncode == 0

    def counts(self) -> Counter[str]:
        """What pytest has counted, if it came to its end."""
        lines = self.log.read_text(errors="replace").splitlines() if self.tests else []
        summary = next((line for line in reversed(lines) if COUNTED.search(line)), "")
        return Counter({what: int(number) for number, what in COUNTED.findall(summary)})


WITHOUT_SCREENS = ("--ignore=tests/web",)
# What is written for PostgreSQL alone counts where these tests run on it.
OWN_TO_POSTGRES = tuple(f"tests/services/test_{name}.py" for name in ("prepared", "rows_at_once", "lost_server"))
# All that there is to pass, the longest first.
EVERYTHING = (
    Group("browser", ("tests/e2e",), needs="scripts/browser"),
    Group("sqlite", ("-m", "database", *WITHOUT_SCREENS), covers=True),
    Group(
        "postgres",
        ("-m", "database", *WITHOUT_SCREENS, *(f"--ignore={path}" for path in OWN_TO_POSTGRES)),
        database="postgres",
        needs="scripts/postgres",
    ),
    Group("screens", ("tests/web", "-m", "database"), covers=True),
    Group("rest", ("-m", "not database and not e2e"), covers=True),
    Group("libpq", OWN_TO_POSTGRES, database="postgres", covers=True, needs="scripts/postgres"),
    Group("lint"),
)
# What is tried again and again while something is made.
INNER = Group("inner", ("tests/domain", "tests/services"))


def say(text: str) -> None:
    print(text, flush=True)


def described(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {what}" for what, number in counts.items())


def too_little_covered(groups: list[Group]) -> Iterator[str]:
    """A report on each package of which the tests leave out too much."""
    coverage = Coverage(data_file=str(LOGS / "all.coverage"), config_file=str(REPOSITORY / "pyproject.toml"))
    coverage.combine([str(group.coverage) for group in groups], keep=True)
    packages = [str(folder.parent.relative_to(REPOSITORY)) for folder in REPOSITORY.glob("awase/*/__init__.py")]
    for package in sorted({"awase", "sandbox", *packages} - {"awase/migrations"}):
        least = LEAST_COVERED.get(package, OTHERS)
        files = f"{package}/*.py" if package == "awase" else f"{package}/**"
        covered = coverage.report(include=[files], file=(report := StringIO()))
        say(f"  {package}: {covered:.1f} % covered")
        if covered < least:
            yield f"{package}: less than {least} % are covered.\n{report.getvalue()}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.test", description="Runs all tests.")
    known = {group.name: group for group in (*EVERYTHING, INNER)}
    said = f"{', '.join(known)}; without any, all but {INNER.name}"
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=said)
    wanted = parser.parse_args(arguments).groups
    if unknown := set(wanted) - set(known):
        parser.error(f"no such group: {', '.join(unknown)}")
    began = time.monotonic()
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)

    groups: list[Group] = []
    left_out: list[Group] = []
    for group in [known[name] for name in wanted] or EVERYTHING:
        missing = group.needs and subprocess.run([group.needs], check=False, cwd=REPOSITORY).returncode
        (left_out if missing else groups).append(group)
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        passed = list(pool.map(Group.run, groups))
    complaints = [
        f"{group.name} failed:\n{group.log.read_text(errors='replace')}"
        for group, good in zip(groups, passed, strict=True)
        if not good
    ]
    if not (complaints or wanted or left_out):
        complaints += too_little_covered([group for group in groups if group.covers])
    if left_out and os.environ.get("CI"):
        complaints += [f"With CI set nothing may be left out: {group.name}" for group in left_out]
    say("\n".join(complaints))
    total = sum((group.counts() for group in groups), Counter[str]())
    say(f" {described(total) or 'no tests'} in {time.monotonic() - began:.2f}s ".center(80, "="))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
