"""Any accent colour reads well: on every ground, in light and dark."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from awase.domain.colour import DARK_GROUNDS, ENOUGH, LIGHT_GROUNDS, contrast, is_colour, palette

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(COLOURS)
@example("#ffffff")
@example("#000000")
@example("#ffe100")
@example("#0000ff")
@example("#808080")
def test_every_colour_yields_words_that_can_be_read(colour: str) -> None:
    found = palette(colour)
    for shades, grounds in ((found.light, LIGHT_GROUNDS), (found.dark, DARK_GROUNDS)):
        for ground in (*grounds, shades.soft):
            assert contrast(shades.accent, ground) >= ENOUGH
        assert contrast(shades.fill, shades.on_fill) >= ENOUGH
        assert shades.fill == colour


def test_a_colour_that_reads_already_is_left_as_it_is() -> None:
    assert palette("#27508f").light.accent == "#27508f"
    assert palette("#9dbcf5").dark.accent == "#9dbcf5"


def test_contrast_is_that_of_the_recommendation() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("text", ["", "red", "#fff", "#27508F", "#27508f;", "27508f"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    assert not is_colour(text)
    with pytest.raises(ValueError, match="not a colour"):
        palette(text)
