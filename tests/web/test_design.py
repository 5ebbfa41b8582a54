"""The design keeps what its style sheet promises: words are read, lines of controls are seen, every icon is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from awase.domain.colour import contrast
from awase.templatetags.icons import SET, drawings
from awase.web.gallery import ICONS, TOKENS

AWASE = Path(__file__).parents[2] / "awase"
SHEET = (AWASE / "static/awase/theme.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part))
    for part in re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)[:2]
)
WORDS, LINES = 5.8, 3.1
ON_GROUNDS = ("ink", "muted", "accent", "danger", "warn", "ok")


@pytest.mark.parametrize("tokens", [LIGHT, LIGHT | DARK], ids=["light", "dark"])
def test_words_and_lines_stand_out_from_their_grounds(tokens: dict[str, str]) -> None:
    pairs = [(word, ground) for word in ON_GROUNDS for ground in ("paper", "card")]
    pairs += [(word, f"{word}-soft") for word in ("danger", "warn", "ok")] + [("accent", "soft"), ("ink", "soft")]
    pairs += [("ink", "neutral-soft"), ("on-accent", "accent"), ("on-danger", "danger")]
    weak = {pair: round(ratio, 2) for pair in pairs if (ratio := contrast(tokens[pair[0]], tokens[pair[1]])) < WORDS}
    assert weak == {}
    for ground in ("paper", "card"):
        assert contrast(tokens["control"], tokens[ground]) >= LINES


def test_every_theme_colour_reads_on_cards_and_on_its_own_soft_ground() -> None:
    themes = re.findall(r"(?:^|\n)( *)\.theme-(\w+), .*?\{ --accent: (#\w{6}); --soft: (#\w{6}); \}", SHEET)
    assert len(themes) == 8
    for indent, name, accent, soft in themes:
        card = (DARK if indent else LIGHT)["card"]
        assert min(contrast(accent, card), contrast(accent, soft)) >= WORDS, name


def test_icons_that_screens_ask_for_are_in_the_one_set_and_in_the_gallery() -> None:
    drawn = set(drawings())
    assert len(drawn) == SET.read_text(encoding="utf-8").count("<symbol")
    asked = {
        name
        for template in (AWASE / "templates").rglob("*.html")
        for name in re.findall(r'components/icon.html" with name="([\w-]+)"', template.read_text(encoding="utf-8"))
    }
    assert asked <= drawn == set(ICONS.split())
    assert set(TOKENS.split()) <= LIGHT.keys()


def test_nothing_is_loaded_from_elsewhere_and_no_japanese_stands_in_italics() -> None:
    assert not re.search(r"url\(|@import|italic", SHEET)
