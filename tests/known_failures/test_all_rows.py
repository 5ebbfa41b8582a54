"""The thirty known failures, and a test named after each."""

import re
from pathlib import Path

ROWS = 30


def test_every_row_has_a_test_named_after_it() -> None:
    texts = [file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_rows_*.py")]
    found = {int(number) for text in texts for number in re.findall(r"^def test_row_(\d\d)_", text, re.MULTILINE)}
    assert found == set(range(1, ROWS + 1))
