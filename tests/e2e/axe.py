"""axe-core, which finds what keeps people from using a screen (WCAG 2.2 A and AA, and best practice)."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from playwright.sync_api import Page

REPOSITORY = Path(__file__).parents[2]
SOURCE = REPOSITORY / "tests" / "judges" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => (await axe.run({ resultTypes: ["violations"] })).violations.map(
    (found) => `${found.id} (${found.impact}): ${found.nodes.map((node) => node.target.join(" ")).join(", ")}`)"""


@cache
def _source() -> str:
    subprocess.run(["scripts/judges"], cwd=REPOSITORY, check=True, capture_output=True)
    return SOURCE.read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """What axe finds on the screen that is open: rule, how bad, where."""
    page.evaluate(_source())
    found: list[str] = page.evaluate(RUN)
    return found
