"""Each benchmark keeps working; what they measure is nobody's test."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bench import http


def told(capsys: pytest.CaptureFixture[str], main: Callable[[list[str]], int], *arguments: str) -> dict[str, Any]:
    """What a benchmark tells of a tiny run."""
    assert main(["--tiny", "--json", *arguments]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_whole_requests_are_measured_against_the_real_server(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, http.main, "--database", "sqlite")
    assert found["id"] == "P2"
    rows = found["rows"]
    assert {(row["request"], row["mode"], row["members"]) for row in rows if row["id"] == "P2"} == {
        (request, mode, members) for request in ("api", "page") for mode in ("all", "any") for members in (1, 10)
    }
    assert all(row["ms"] > 0 and row["p99_ms"] >= row["ms"] for row in rows if row["id"] == "P2")
    assert all(row["per_second"] > 0 for row in rows if row["id"] == "P3")
    assert [row["what"] for row in rows if row["id"] == "P7"] == [
        "web worker process",
        "background worker",
        "start to first answer",
    ]
