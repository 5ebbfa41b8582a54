"""What every section of the page editor has in common."""

from awase.models import BookingPage
from awase.web.shell import Context


def common(page: BookingPage, name: str) -> Context:
    """The keys that dashboard/_section.html reads of each section."""
    return {"id": name, "url": f"/app/pages/{page.pk}/{name}", "saved": False, "confirm": None, "conflict": ()}
