"""What a step would stop or open, found by the gate before the step is taken."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet

from awase.domain.changes import Preview, preview, without_connection, without_member
from awase.domain.health import PageValue
from awase.models import Booking, BookingPage, Connection, HostTime, Member
from awase.services.health import page_values, pages_of_members
from awase.services.quotas import COUNTED


@dataclass(frozen=True, slots=True)
class Turn:
    """A page that would stop or open, and the gate's answers before and after."""

    page: BookingPage
    preview: Preview


def of_disconnect(connection: Connection, now: datetime) -> list[Turn]:
    """The pages that would stop or open if this connection were taken away."""
    return turned(pages_of_members([connection.member_id]), lambda value: without_connection(value, connection.pk), now)


def coming(page: BookingPage, now: datetime) -> QuerySet[Booking]:
    """The guests' bookings and requests of a page that are still to come: whatever is done to the page, they stand."""
    return Booking.objects.filter(page=page, is_session=False, state__in=COUNTED, end__gt=now)


def hosting(page: BookingPage, member_ids: Collection[int], now: datetime) -> dict[int, int]:
    """How many bookings of the page that are still to come each of these members hosts; who hosts none is left out."""
    rows = HostTime.objects.filter(booking__page=page, active=True, member__in=member_ids, booking__end__gt=now)
    return dict(rows.values_list("member").annotate(number=Count("booking")))


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
