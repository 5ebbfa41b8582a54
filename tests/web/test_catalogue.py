"""The Japanese catalogue is complete: every text of the code and the templates, translated and checked."""

import gettext
import json
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from awase.management.commands.compile_messages import compile_catalogues
from scripts import messages


def test_every_text_in_use_stands_in_the_catalogue():
    stored = {messages.key(message) for message in messages.stored_messages()}
    used = {messages.key(message) for message in messages.used_messages() if message.id}
    assert used - stored == set(), "run: make messages"


def test_every_text_in_use_is_translated_with_the_right_placeholders():
    assert list(messages.flaws(messages.current_catalogue())) == []


@pytest.fixture
def one_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with a single template and a catalogue of its own, where the paths of the script point to."""
    template = tmp_path / "awase" / "templates" / "page.html"
    template.parent.mkdir(parents=True)
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    monkeypatch.setattr(messages, "PACKAGE", tmp_path / "awase")
    catalogue = tmp_path / "awase" / "locale" / "ja" / "LC_MESSAGES" / "django.po"
    catalogue.parent.mkdir(parents=True)
    monkeypatch.setattr(messages, "CATALOGUE", catalogue)
    return template


def fill_from(folder: Path, translations: object) -> None:
    (folder / "ja.json").write_text(json.dumps(translations), encoding="utf-8")
    assert messages.main(["fill", str(folder / "ja.json")]) == 0


def test_texts_with_plurals_contexts_and_percent_signs_reach_the_reader(one_template: Path, tmp_path: Path):
    one_template.write_text(
        """{% translate "Save" %} {% translate "May" context "month" %} {% translate "100% free" %}
        {% blocktranslate trimmed count n=days %}
            {{ n }} day
        {% plural %}
            {{ n }} days
        {% endblocktranslate %}"""
    )
    fill_from(
        tmp_path,
        {"Save": "保存", "May": {"month": "5月"}, "%(n)s day": "%(n)s日", "100%% free": "100%%無料"},
    )

    assert list(messages.flaws(messages.current_catalogue())) == []
    compiled = compile_catalogues(tmp_path / "awase" / "locale")
    assert len(compiled) == 1
    assert compile_catalogues(tmp_path / "awase" / "locale") == []
    japanese = gettext.translation("django", tmp_path / "awase" / "locale", ["ja"])
    assert japanese.gettext("Save") == "保存"
    assert japanese.pgettext("month", "May") == "5月"
    assert japanese.ngettext("%(n)s day", "%(n)s days", 2) == "%(n)s日"


def test_a_translation_outlives_the_time_in_which_nothing_uses_it(one_template: Path, tmp_path: Path):
    one_template.write_text("{% translate 'Other' %}")
    fill_from(tmp_path, {"Later": "後で"})
    assert "Later" not in messages.current_catalogue()

    one_template.write_text("{% translate 'Later' %}")
    assert messages.main(["extract"]) == 0
    assert messages.current_catalogue()["Later"].string == "後で"


def test_prune_forgets_what_nothing_uses(one_template: Path, tmp_path: Path):
    one_template.write_text("{% translate 'Other' %}")
    fill_from(tmp_path, {"Later": "後で", "Other": "その他"})
    assert messages.main(["prune"]) == 0
    assert [message.id for message in messages.stored_messages()] == ["Other"]


@pytest.mark.parametrize(
    ("translations", "complaint"),
    [
        ({}, "untranslated"),
        ({"%(n)s places": "残りわずか"}, None),
        ({"%(n)s places": "%(m)s席"}, "placeholder"),
    ],
)
def test_missing_tells_what_is_not_ready(one_template, tmp_path, capsys, translations, complaint):
    one_template.write_text("{% blocktranslate %}{{ n }} places{% endblocktranslate %}")
    fill_from(tmp_path, translations)
    capsys.readouterr()
    assert messages.main(["missing"]) == (1 if complaint else 0)
    assert (complaint or "Every message is translated") in capsys.readouterr().out


def test_a_run_without_changes_leaves_the_catalogue_as_it_is(one_template: Path, tmp_path: Path):
    one_template.write_text("{% translate 'B' %}{% translate 'A' %}")
    fill_from(tmp_path, {"A": "あ"})
    before = messages.CATALOGUE.read_bytes()
    assert messages.main(["extract"]) == 0
    assert messages.CATALOGUE.read_bytes() == before


def test_a_source_that_cannot_be_read_is_named_and_nothing_is_written(one_template: Path, capsys):
    one_template.write_text("{% blocktranslate %}{% if x %}{% endblocktranslate %}")
    assert messages.main(["extract"]) == 2
    assert "page.html" in capsys.readouterr().err
    assert not messages.CATALOGUE.exists()


def test_an_empty_package_has_an_empty_catalogue(one_template: Path):
    assert isinstance(messages.current_catalogue(), Catalog)
    assert messages.stored_messages() == []
