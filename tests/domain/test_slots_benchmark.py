"""The benchmark of the slots keeps working; what it measures is nobody's test."""

import json

import pytest

from bench import slots as bench


def test_the_table_names_the_known_right_answers(capsys):
    assert bench.main(["--tiny"]) == 0
    table = capsys.readouterr().out
    assert "12856554463f" in table
    assert "06ca6e4e0c53" in table


def test_the_json_form_is_one_object(capsys):
    assert bench.main(["--tiny", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["id"] == "P1"
    assert [(row["mode"], row["members"], row["slots"]) for row in found["rows"]] == [
        ("all", 1, 328), ("all", 10, 20), ("any", 1, 328), ("any", 10, 710),
    ]  # fmt: skip
    assert all(row["ms"] > 0 for row in found["rows"])


def test_a_wrong_answer_ends_the_benchmark(monkeypatch):
    monkeypatch.setitem(bench.ANSWERS, ("all", 1), (328, "000000000000"))
    with pytest.raises(SystemExit, match="12856554463f"):
        bench.main(["--tiny"])
