"""What a step would stop or open, found by the gate before the step is taken."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from awase.domain.changes import Preview, preview, without_connection, without_member
from awase.domain.health import PageValue
from awase.models import BookingPage, Connection, Member
from awase.services.health import page_values, pages_of_members


@dataclass(frozen=True, slots=True)
class Turn:
    """A page that would stop or open, and the gate's answers before and after."""

    page: BookingPage
    preview: Preview


def of_disconnect(connection: Connection, now: datetime) -> list[Turn]:
    """The pages that would stop or open if this connection were taken away."""
    return turned(pages_of_members([connection.member_id]), lambda value: without_connection(value, connection.pk), now)


@dataclass(frozen=True, slots=True)
class Leaving:
    """What happens if a member leaves the workspace: the pages that they own must be handed over first."""

    owned: list[BookingPage]
    turns: list[Turn]


def of_leaving(member: Member, now: datetime) -> Leaving:
    """The pages that would stop or open without this member and their accounts, and those to hand over."""
    links = list(member.connections.values_list("pk", flat=True))

    def without(value: PageValue) -> PageValue:
        for link in links:
            value = without_connection(value, link)
        return without_member(value, member.pk)

    return Leaving(
        list(member.owned_pages.order_by("title", "pk")), turned(pages_of_members([member.pk]), without, now)
    )


def turned(pages: Iterable[BookingPage], change: Callable[[PageValue], PageValue], now: datetime) -> list[Turn]:
    """Which of these pages a change to their values would stop or open; those that stop come first."""
    known = {page.pk: page for page in pages}
    found = [Turn(known[pk], preview(value, change(value))) for pk, value in page_values(known.values(), now).items()]
    bent = [turn for turn in found if turn.preview.stops or turn.preview.opens]
    return sorted(bent, key=lambda turn: (turn.preview.opens, turn.page.title, turn.page.pk))
