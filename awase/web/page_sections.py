"""What every section of the page editor has in common."""

from collections.abc import Mapping

from awase.domain.health import Lack
from awase.models import BookingPage
from awase.services import words
from awase.web.shell import Context, fingerprint

Facts = Mapping[str, str]  # what a section says, as people read it: label → text


def common(page: BookingPage, name: str) -> Context:
    """The keys that dashboard/_section.html reads of each section."""
    return {
        "id": name,
        "url": f"/app/pages/{page.pk}/{name}",
        "preview_url": f"/app/pages/{page.pk}/preview/{name}",
        "saved": False,
        "confirm": None,
        "conflict": (),
    }


def seen(facts: Facts) -> str:
    """What a section's form carries along, so that it is noticed if somebody else saves the section meanwhile."""
    return fingerprint(dict(facts))


def differences(stored: Facts, typed: Facts) -> list[Context]:
    """Where what is stored now differs from what was typed: label, and both as people read them."""
    labels = dict.fromkeys([*stored, *typed])
    return [
        {"label": label, "now": stored.get(label) or "–", "yours": typed.get(label) or "–"}
        for label in labels
        if stored.get(label, "") != typed.get(label, "")
    ]


def warning(lack: Lack, names: Mapping[int, str]) -> Context:
    """One thing that the gate says is broken or missing, for the field that causes it (dashboard/_warnings.html)."""
    return {"kind": "danger" if lack.error else "warn", "text": words.lack(lack, names), "why": words.why(lack)}
