"""Each benchmark keeps working; what they measure is nobody's test."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench import __main__ as bench
from bench import booking, fairness, health, host, http, memory
from bench.stage import DATABASES


def told(capsys: pytest.CaptureFixture[str], main: Callable[[list[str]], int], *arguments: str) -> dict[str, Any]:
    """What a benchmark tells of a tiny run."""
    assert main(["--tiny", "--json", *arguments]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_whole_requests_are_measured_against_the_real_server(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, http.main, "--database", "sqlite")
    assert found["id"] == "P2"
    rows = found["rows"]
    assert {row["id"] for row in rows} == {"P2", "P3"}
    assert {(row["request"], row["mode"], row["members"]) for row in rows if row["id"] == "P2"} == {
        (request, mode, members) for request in ("api", "page") for mode in ("all", "any") for members in (1, 10)
    }
    assert all(row["ms"] > 0 and row["p99_ms"] >= row["ms"] for row in rows if row["id"] == "P2")
    assert all(row["per_second"] > 0 for row in rows if row["id"] == "P3")


def test_memory_and_start_are_measured_after_work(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, memory.main, "--database", "sqlite")
    assert found["id"] == "P7"
    assert [row["what"] for row in found["rows"]] == [
        "web worker process",
        "background worker",
        "start to first answer",
    ]
    assert all(row.get("mb", row.get("seconds")) > 0 for row in found["rows"])


def test_all_of_them_are_kept_and_shown_as_tables(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bench, "KEPT", tmp_path / "bench.json")
    assert bench.main(["--tiny", "--only", "slots"]) == 0
    first = capsys.readouterr().out
    assert "### P1" in first
    assert "| all | 1 | 328 | 12856554463f |" in first
    assert bench.main(["--show"]) == 0
    assert capsys.readouterr().out == first


def test_bookings_are_measured_and_looked_through_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, booking.main, "--database", "sqlite")
    assert found["id"] == "P4"
    assert [row["hosts"] for row in found["rows"]] == ["a host each", "one host", "any of ten hosts"]
    assert all(row["bookings"] == 32 and row["per_second"] > 0 and row["double"] == 0 for row in found["rows"])


@pytest.mark.parametrize("database", DATABASES)
def test_an_outage_and_a_day_of_checks_are_measured(capsys: pytest.CaptureFixture[str], database: str) -> None:
    found = told(capsys, health.main, "--database", database)
    assert found["id"] == "P5"
    outages = {(row["what"], row["pages"]): row["queries"] for row in found["rows"] if "pages" in row}
    for what in ("account breaks", "account is repaired"):
        assert outages[what, 50] == outages[what, 5] > 0
    assert any(row["what"] == "a simulated day" and row["picked"] > 1000 for row in found["rows"])


def test_the_screens_of_a_dashboard_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, host.main, "--database", "sqlite")
    assert found["id"] == "P8"
    assert {"home", "booking pages", "team", "insights"} < {row["screen"] for row in found["rows"]}
    assert all(row["queries"] > 5 and row["cpu_ms"] > 0 and row["kb"] > 3 for row in found["rows"])


def test_ten_thousand_bookings_are_assigned_fairly_and_drawn(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = told(capsys, fairness.main, "--svg", str(tmp_path / "plot.svg"))
    apart = {rules: [] for rules in ("with credit", "without")}  # type: dict[str, list[float]]
    for row in found["rows"]:
        apart[row["rules"]].append(max(row["at_most_more"], row["at_most_less"]))
    assert len(apart["with credit"]) == len(fairness.PEOPLE) and max(apart["with credit"]) < 12
    assert (tmp_path / "plot.svg").read_text().count("<polyline") == 2 * len(fairness.PEOPLE)
