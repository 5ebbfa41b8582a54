"""P1: the pure computation of slots, from members' stored busy times to slots grouped by day.

`python -m bench.slots [--json] [--tiny]`. The workload has known right answers; a row without the right one
ends the program with an error. Nothing is kept from one round to the next but what the time zone database
says.
"""

import argparse
import hashlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from awase.domain.availability import HostTimes, SlotRules, Slots, slots
from awase.domain.health import Group
from awase.domain.intervals import BusyTimes, epoch, moment
from awase.domain.schedule import Range, Schedule

GUEST_ZONE = "America/New_York"
HOST_ZONE = "Asia/Tokyo"
START = datetime(2026, 12, 1, tzinfo=ZoneInfo(GUEST_ZONE))
END = datetime(2027, 1, 1, tzinfo=ZoneInfo(GUEST_ZONE))
NOW = datetime(2026, 11, 1, tzinfo=UTC)

GOALS_MS = {1: 0.1, 10: 0.5, 50: 2.0, 200: 6.0}
ANSWERS = {
    ("all", 1): (328, "12856554463f"),
    ("all", 10): (20, "e5ffcf736bca"),
    ("all", 50): (19, "cdee3fb6c7e4"),
    ("all", 200): (19, "cdee3fb6c7e4"),
    ("any", 1): (328, "12856554463f"),
    ("any", 10): (710, "06ca6e4e0c53"),
    ("any", 50): (712, "84d64387d7ea"),
    ("any", 200): (712, "84d64387d7ea"),
}


def draws() -> Iterator[int]:
    """The generator of the workload."""
    x = 42
    while True:
        x = (x * 1103515245 + 12345) % 2**31
        yield x >> 16


def busy_members(count: int) -> list[list[tuple[datetime, datetime]]]:
    """The busy times of each member, as a service would tell them."""
    source = draws()
    december = [date(2026, 12, day) for day in range(1, 32)]
    members = []
    for _ in range(count):
        busy = []
        for day in december:
            if day.weekday() >= 5:
                continue
            midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(HOST_ZONE))
            for _ in range(8):
                start = midnight + timedelta(minutes=540 + next(source) % 32 * 15)
                busy.append((start, start + timedelta(minutes=15 * (1 + next(source) % 3))))
        members.append(busy)
    return members


def stored_hosts(count: int) -> list[HostTimes]:
    """The members as the database keeps them: each with a schedule of their own and one calendar."""
    hours = (Range(540, 1020),)
    covered = (START - timedelta(days=30), END + timedelta(days=30))
    return [
        HostTimes(
            member_id,
            Schedule(HOST_ZONE, (hours,) * 5 + ((), ())),
            (BusyTimes.of(busy, covered=covered, read_at=NOW),),
        )
        for member_id, busy in enumerate(busy_members(count))
    ]


def question(mode: str, hosts: list[HostTimes]) -> Callable[[], tuple[Slots, dict[date, list[int]]]]:
    """The work that is timed."""
    rules = SlotRules(duration_minutes=30, step_minutes=15, time_zone=HOST_ZONE)
    groups = [Group(tuple(host.member_id for host in hosts), None if mode == "all" else 1)]
    start, end, now = epoch(START), epoch(END), epoch(NOW)

    def ask() -> tuple[Slots, dict[date, list[int]]]:
        found = slots(rules, groups, hosts, start, end, now)
        return found, found.by_day(GUEST_ZONE)

    return ask


def digest(starts: list[int]) -> str:
    """The first 12 hex digits that name a list of starts."""
    lines = "\n".join(f"{moment(start):%Y-%m-%dT%H:%M:%S}.000Z" for start in starts)
    return hashlib.sha256(lines.encode()).hexdigest()[:12]


def measure(mode: str, members: int, rounds: int) -> dict[str, object]:
    """One row of the table. Raises SystemExit if the answer is wrong."""
    ask = question(mode, stored_hosts(members))
    found, days = ask()
    answer = len(found.starts), digest(found.starts)
    if answer != ANSWERS[mode, members] or [s for day in days.values() for s in day] != found.starts:
        raise SystemExit(f"{mode} {members}: {answer}, not {ANSWERS[mode, members]}")
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    ms = round(statistics.median(times), 4)
    return {
        "mode": mode, "members": members, "slots": answer[0], "sha": answer[1], "days": len(days),
        "ms": ms, "goal_ms": GOALS_MS[members], "rounds": rounds,
    }  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Print the table, or with --json one object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--tiny", action="store_true", help="few members and rounds: does it still work?")
    options = parser.parse_args(argv)
    sizes, rounds = ((1, 10), 3) if options.tiny else ((1, 10, 50, 200), 300)
    rows = [measure(mode, members, rounds) for mode in ("all", "any") for members in sizes]
    if options.json:
        print(json.dumps({"id": "P1", "rows": rows}))
        return 0
    print("P1: N members' stored busy times to slots grouped by day (medians)")
    print(f"{'mode':<5}{'members':>8}{'slots':>7}  {'sha':<13}{'ms':>8}{'goal':>7}")
    for row in rows:
        print(
            f"{row['mode']:<5}{row['members']:>8}{row['slots']:>7}  {row['sha']:<13}"
            f"{row['ms']:>8.3f}{row['goal_ms']:>7}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
