"""Several processes on one database file want the same slot: exactly one gets it."""

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROCESSES, ROUNDS = 4, 40
PREPARE = """
import django; django.setup()
from datetime import UTC, datetime, timedelta
from django.core.management import call_command
from django.db import connection
call_command("migrate", verbosity=0)
from awase.models import User
from awase.services import accounts, pages
from awase.services.slots import offer
user = User.objects.create_user("host@example.org", "password", name="Host")
page = pages.create(accounts.found_workspace(user), title="Race", slug="race", now=datetime.now(UTC), notice_minutes=0)
now = datetime.now(UTC)
print(*offer(page, now + timedelta(days=1), now + timedelta(days=15), now).slots.starts[:{rounds}])
if {bare}:
    with connection.cursor() as cursor:
        for event in ("INSERT", "UPDATE"):
            cursor.execute(f"DROP TRIGGER awase_hosttime_no_overlap_{{event}}")
"""
COUNT = """
import django; django.setup()
from awase.models import HostTime
print(*HostTime.objects.filter(active=True).values_list("start", flat=True), sep="\\n")
"""


def run(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWASE_")},
        "RACE_STATE": str(folder),
        "DJANGO_SETTINGS_MODULE": "tests.races.settings",
    }
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors[-2000:]
    return output


def race(folder: Path, way: str) -> tuple[int, Counter[str]]:
    """How many bookings the contestants were given, and how often each start was taken."""
    starts = finish(run(folder, "-c", PREPARE.format(bare=way == "bare", rounds=ROUNDS))).split()
    assert len(starts) == ROUNDS
    begin = time.time() + 4
    contestants = [run(folder, "-m", "tests.races.contestant", str(begin), way, *starts) for _ in range(PROCESSES)]
    taken = sum(int(finish(process)) for process in contestants)
    return taken, Counter(finish(run(folder, "-c", COUNT)).split("\n")[:-1])


@pytest.mark.races
def test_one_slot_wanted_by_several_processes_is_given_once(tmp_path: Path) -> None:
    taken, starts = race(tmp_path, "guarded")
    assert taken == ROUNDS
    assert len(starts) == ROUNDS and set(starts.values()) == {1}


@pytest.mark.races
def test_without_lock_and_guard_the_same_race_sells_slots_twice(tmp_path: Path) -> None:
    taken, starts = race(tmp_path, "bare")
    assert taken > ROUNDS
    assert max(starts.values()) > 1
