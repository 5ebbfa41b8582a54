"""The Japanese message catalogue, kept without gettext programs. English is the language of the source.

    python -m scripts.messages extract            bring the catalogue up to date with the code
    python -m scripts.messages fill FILE.json …   the same, then take the translations of the files
    python -m scripts.messages missing            list what is untranslated, doubtful or malformed
    python -m scripts.messages prune              drop translations that nothing uses any more

A file of translations maps each English text to its Japanese one; a text with contexts to one per context ("" for
none): {"Save": "保存", "%(n)s day": "%(n)s日", "May": {"month": "5月"}}. A text with a plural goes by its singular.
Translations that nothing uses yet are kept in the catalogue until `prune`, so the order of work is free.
"""

import argparse
import fcntl
import json
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "awase"
CATALOGUE = PACKAGE / "locale" / "ja" / "LC_MESSAGES" / "django.po"
PLAIN = ("gettext", "ngettext", "pgettext", "npgettext")
KEYWORDS = DEFAULT_KEYWORDS | {f"{name}_lazy": DEFAULT_KEYWORDS[name] for name in PLAIN} | {"gettext_noop": None}
# Dates and names in the header would change with every run and make every merge a conflict.
CHANGING = (
    "Report-Msgid-Bugs-To",
    "POT-Creation-Date",
    "PO-Revision-Date",
    "Last-Translator",
    "Language-Team",
    "Generated-By",
)
HEADER = "# Japanese messages of Awase. Written by scripts/messages.py."


class UnreadableSource(Exception):
    """A source file from which no messages can be taken; says which and why."""


def used_messages() -> Catalog:
    """Every message in the code and the templates, with the files that use it."""
    catalog = Catalog(locale="ja", charset="utf-8", header_comment=HEADER, project="Awase", version="1", fuzzy=False)
    for path in sorted([*PACKAGE.rglob("*.py"), *(PACKAGE / "templates").rglob("*.*")]):
        name = path.relative_to(ROOT).as_posix()
        try:
            for _, message, _, context in extract(
                "python", BytesIO(as_python(path).encode()), keywords=KEYWORDS, options={"encoding": "utf-8"}
            ):
                catalog.add(message, locations=[(name, 1)], context=context)
        except SyntaxError as error:
            raise UnreadableSource(f"{name}: {error.msg}") from error
    return catalog


def as_python(path: Path) -> str:
    """A source as Python: a template's translation tags become calls. They stand in parentheses, because
    indentation means nothing in a template. Raises SyntaxError."""
    source = path.read_text(encoding="utf-8")
    return source if path.suffix == ".py" else f"({templatize(source)}\n)"


def stored_messages() -> list[Message]:
    """Every translation in the catalogue's file, in use or not."""
    if not CATALOGUE.exists():
        return []
    with CATALOGUE.open("rb") as readable:
        catalog = read_po(readable, locale="ja")
    return [message for message in [*catalog, *catalog.obsolete.values()] if message.id]


def current_catalogue() -> Catalog:
    """The messages in use with the translations stored for them; the other translations as obsolete."""
    catalog = used_messages()
    for stored in stored_messages():
        if message := catalog.get(stored.id, stored.context):
            translate(message, strings(stored)[0])
            message.flags |= stored.flags & {"fuzzy"}
        elif any(strings(stored)):
            catalog.obsolete[key(stored)] = stored
    return catalog


def write_catalogue(catalog: Catalog, keep_unused: bool = True) -> None:
    written = BytesIO()
    write_po(written, catalog, width=100, sort_output=True, include_lineno=False, ignore_obsolete=not keep_unused)
    lines = written.getvalue().decode().splitlines(keepends=True)
    fresh = CATALOGUE.with_suffix(".new")
    fresh.write_text("".join(line for line in lines if not line.startswith(tuple(f'"{name}:' for name in CHANGING))))
    fresh.replace(CATALOGUE)


def fill(catalog: Catalog, translations: dict[str, str | dict[str, str]]) -> None:
    """Put the translations into the catalogue; those of texts that nothing uses are set aside."""
    for text, value in translations.items():
        for context, translation in (value if isinstance(value, dict) else {"": value}).items():
            new = Message(text, context=context or None)
            message = catalog.get(text, new.context) or catalog.obsolete.setdefault(key(new), new)
            translate(message, translation)
            message.flags.discard("fuzzy")


def translate(message: Message, translation: str) -> None:
    """Japanese has one form for every number."""
    message.string = (translation,) if message.pluralizable else translation


def flaws(catalog: Catalog) -> Iterator[str]:
    """One line for each message in use that is untranslated, doubtful or has the wrong placeholders."""
    for message in catalog:
        if not message.id:
            continue
        mistakes = [str(error) for error in message.check(catalog)]
        if not all(strings(message)):
            mistakes = ["untranslated"]
        elif message.fuzzy:
            mistakes.append("doubtful")
        name = repr(text_of(message)) + (f" in context {message.context!r}" if message.context else "")
        yield from (f"{name}: {mistake}" for mistake in mistakes)


def strings(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def text_of(message: Message) -> str:
    """What a message goes by: its text, or its singular."""
    return message.id if isinstance(message.id, str) else message.id[0]


def key(message: Message) -> tuple[str, str]:
    return text_of(message), message.context or ""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("extract", "missing", "prune"):
        verbs.add_parser(verb)
    verbs.add_parser("fill").add_argument("files", nargs="+", type=Path)
    chosen = parser.parse_args(arguments)

    # One writer at a time: this very file is the lock, so that none is left lying about.
    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            catalog = current_catalogue()
        except UnreadableSource as error:
            print(error, file=sys.stderr)
            return 2
        for path in getattr(chosen, "files", []):
            fill(catalog, json.loads(path.read_text(encoding="utf-8")))
        if chosen.verb != "missing":
            write_catalogue(catalog, keep_unused=chosen.verb != "prune")
    found = list(flaws(catalog))
    if chosen.verb == "missing":
        print("\n".join(found) or "Every message is translated.")
        return 1 if found else 0
    print(f"{len(catalog)} messages in use, {len(found)} not ready, {len(catalog.obsolete)} unused kept.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
