"""Variables in the owner's own words for mails."""

from __future__ import annotations

import pytest

from awase.domain.mail_texts import VARIABLES, filled, unknown


def test_every_variable_takes_its_value_and_what_is_not_there_leaves_nothing() -> None:
    text = " ".join(f"{{{name}}}" for name in VARIABLES)
    assert filled(text, {name: name.upper() for name in VARIABLES}) == " ".join(VARIABLES).upper()
    assert filled("[{link}]", {}) == "[]"


def test_a_value_brings_in_no_variables_of_its_own() -> None:
    assert filled("{guest}", {"guest": "{link}", "link": "https://secret"}) == "{link}"


@pytest.mark.parametrize(
    ("text", "names"),
    [("{guest}様", []), ("{Guest} {nobody} {nobody}", ["Guest", "nobody"]), ("{}", [""]), ("a { b } {\n}", [])],
)
def test_variables_that_do_not_exist_are_named_once(text: str, names: list[str]) -> None:
    assert unknown(text) == names
