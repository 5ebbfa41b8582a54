"""The worked example of docs/adding-a-provider.md: its pieces, put into a copy of the tree, make a new service.

It touches six places and no more.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/adding-a-provider.md"
PLACES = {
    "1. The adapter": "awase/providers/",
    "2. What the domain calls it": "awase/domain/",
    "3. The registry": "awase/registry.py",
    "4. The stand-in": "sandbox/",
    "5. The contract suite": "tests/providers/",
    "6. Its page": "docs/providers/",
}
STORY = '''
"""A member connects Harbor, a guest books, the account breaks, and is repaired."""

import pytest

from awase.domain.health import LocationKind, Service
from awase.models import Booking
from awase.services import checks, words
from awase.services.health import verdict_of
from awase.services.signals import Cause
from tests.services.conftest import utcnow

pytestmark = pytest.mark.django_db


def test_a_booking_gets_a_link_and_the_page_follows_the_account(
    owner, connect, page_of, free_start, book, work, control, log_in, settings
):
    assert "https://harbor.example" in settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"]
    assert words.service_name("harbor") == words.location_name("harbor") == "Harbor"
    connect(owner, Service.GOOGLE)
    link = connect(owner, Service.HARBOR)
    owner.refresh_from_db()
    page = page_of(owner, locations=(LocationKind.HARBOR,))
    book(page, free_start(page))
    work()
    assert Booking.objects.get().join_url.startswith("https://harbor.example/m/")
    assert "Harbor" in log_in(owner).get("/app/connections").content.decode()
    control.revoke("harbor", owner.user.email)
    checks.check(link.credential.pk, Cause.CHECK, utcnow())
    assert not verdict_of(page, utcnow()).open
    connect(owner, Service.HARBOR, again=link)
    assert verdict_of(page, utcnow()).open
'''


@dataclass(frozen=True)
class Piece:
    """One piece of the guide: a new file, or lines to insert after those that are there."""

    chapter: str
    kind: str
    path: str
    text: str

    def put_into(self, tree: Path) -> None:
        target = tree / self.path
        if self.kind != "diff":
            assert not target.exists()
            target.write_text(self.text, encoding="utf-8")
            return
        lines = self.text.splitlines(keepends=True)
        there = "".join(line[1:] for line in lines if line[0] == " ")
        new = "".join(line[1:] for line in lines if line[0] == "+")
        before = target.read_text(encoding="utf-8")
        assert before.count(there) == 1, f"{self.path} has {there!r} {before.count(there)} times"
        target.write_text(before.replace(there, there + new), encoding="utf-8")


def pieces() -> list[Piece]:
    guide = GUIDE.read_text(encoding="utf-8")
    chapters = re.split(r"^## (.+)$", guide, flags=re.MULTILINE)[1:]
    return [
        Piece(title, kind, path, text)
        for title, body in zip(chapters[::2], chapters[1::2], strict=True)
        for kind, path, text in re.findall(r"^```(\w+) (\S+)\n(.*?)^```$", body, flags=re.MULTILINE | re.DOTALL)
    ]


def test_a_new_service_touches_six_places() -> None:
    found = pieces()
    assert list(dict.fromkeys(piece.chapter for piece in found)) == list(PLACES)
    for piece in found:
        assert piece.path.startswith(PLACES[piece.chapter]), piece.path
    assert len(PLACES) == 6


def test_the_places_are_those_that_contributors_read_of() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    chapter = text.partition("## A new service touches six places")[2].partition("\n## ")[0]
    lines = re.findall(r"^\d\. .*$", chapter, flags=re.MULTILINE)
    assert len(lines) == 6
    for line, place in zip(lines, PLACES.values(), strict=True):
        assert place in line
    assert "docs/adding-a-provider.md" in chapter


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree with Harbor in it."""
    tree = tmp_path_factory.mktemp("tree")
    leave = shutil.ignore_patterns("__pycache__", "node_modules", "e2e", "races", "pictures")
    for folder in ("awase", "sandbox", "tests", "docs"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=leave)
    shutil.copy(ROOT / "pyproject.toml", tree)
    for piece in pieces():
        piece.put_into(tree)
    (tree / "tests/services/test_harbor.py").write_text(STORY, encoding="utf-8")
    return tree


def pytest_in(tree: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    return done.stdout


def test_the_new_service_passes_the_contract_suite(copy: Path) -> None:
    said = pytest_in(copy, "tests/providers/test_contract.py", "-k", "harbor")
    passed = re.search(r"(\d+) passed", said)
    assert passed is not None and int(passed[1]) >= 7


def test_the_product_works_with_the_new_service(copy: Path) -> None:
    assert "1 passed" in pytest_in(copy, "tests/services/test_harbor.py")
