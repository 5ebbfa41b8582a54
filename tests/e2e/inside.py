"""For programs that write rows into the demo that runs in a folder: browser tests cannot, since Playwright has an event
loop in their thread."""

from __future__ import annotations

import json
import os
from pathlib import Path


def enter(folder: Path) -> None:
    """Take on the settings and the database of the demo in this folder."""
    import django

    from awase.demo.place import Place

    kept = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    os.environ |= Place(folder=folder, **kept).environment()
    django.setup()
