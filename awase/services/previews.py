"""What a step would stop or open, found by the gate before the step is taken."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Count, QuerySet

from awase.domain.changes import Preview, in_place_of, preview, without_connection, without_member
from awase.domain.health import PageValue
from awase.models import Booking, BookingPage, Condition, Connection, HostTime, Member, PageMember
from awase.services.health import member_values, page_values, pages_of_members
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


def of_leaving(member: Member, now: datetime, heir: Member | None = None) -> Leaving:
    """The pages that would stop or open without this member and their accounts, and those to hand over; to `heir`,
    once chosen."""
    links = list(member.connections.values_list("pk", flat=True))
    heirs = member_values([heir.pk], now) if heir is not None else {}

    def without(value: PageValue) -> PageValue:
        if value.owner_id == member.pk:
            for one in heirs.values():
                value = in_place_of(value, member.pk, one)
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


class Taker(StrEnum):
    """Who takes over a booking, as far as can be told without asking any calendar."""

    HEIR = "heir"
    OTHERS = "others"  # those on the page: whose turn it is, or who are left
    NOBODY = "nobody"


def of_hand_over(member: Member, heir: Member, coming: Iterable[Booking]) -> list[tuple[Booking, Taker]]:
    """Who would take over each of these bookings of the member's; in a constant number of queries."""
    bookings = list(coming)
    heirs_pages = set(member.owned_pages.values_list("pk", flat=True))
    others_on = set()
    on_pages = PageMember.objects.filter(page__in={booking.page_id for booking in bookings})
    for page_id, member_id in on_pages.values_list("page", "member"):
        if member_id == heir.pk:
            heirs_pages.add(page_id)
        elif member_id != member.pk:
            others_on.add(page_id)
    hosts: dict[int, set[int]] = defaultdict(set)
    for booking_id, host in HostTime.objects.filter(booking__in=bookings).values_list("booking", "member"):
        hosts[booking_id].add(host)
    busy = list(HostTime.objects.filter(member__user=heir.user_id, active=True).values_list("start", "end", "booking"))

    def taker(booking: Booking) -> Taker:
        taken = any(start < booking.end and booking.start < end for start, end, of in busy if of != booking.pk)
        if booking.page_id in heirs_pages and heir.pk not in hosts[booking.pk] and not taken:
            return Taker.HEIR
        if hosts[booking.pk] - {member.pk} or (
            booking.page_id in others_on and booking.page.condition != Condition.ALL
        ):
            return Taker.OTHERS
        return Taker.NOBODY

    return [(booking, taker(booking)) for booking in bookings]
