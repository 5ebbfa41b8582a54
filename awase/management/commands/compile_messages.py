"""Compiles the message catalogues with Babel, so that no gettext program is needed."""

import os
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.core.management.base import BaseCommand

LOCALE = Path(__file__).resolve().parents[2] / "locale"


def compile_catalogues(folder: Path = LOCALE) -> list[Path]:
    """Compile each catalogue in `folder` that is newer than its compiled form; returns those written."""
    return [
        compile_one(source)
        for source in sorted(folder.glob("*/LC_MESSAGES/*.po"))
        if not (target := source.with_suffix(".mo")).exists() or target.stat().st_mtime_ns <= source.stat().st_mtime_ns
    ]


def compile_one(source: Path) -> Path:
    """Write the .mo beside `source`, in one step, for a server may be reading it."""
    compiled = BytesIO()
    with source.open("rb") as readable:
        write_mo(compiled, read_po(readable, locale=source.parts[-3]))
    target = source.with_suffix(".mo")
    fresh = target.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(compiled.getvalue())
    return fresh.replace(target)


class Command(BaseCommand):
    help = "Compiles the message catalogues that have changed."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        for path in compile_catalogues():
            self.stdout.write(f"Compiled {path}")
