"""Files that guests give as answers: kept from the moment they are sent, claimed by the booking, else swept away."""

from collections.abc import Collection
from datetime import datetime, timedelta

from awase.models import Booking, BookingPage, GuestFile

LARGEST = 10 * 1024 * 1024
MOST_UNCLAIMED = 100  # of one page; beyond it the oldest are dropped, so that nobody fills the disk
UNCLAIMED_FOR = timedelta(days=4)  # a form may stand open over a weekend
LONGEST_NAME = 200


def keep(page: BookingPage, question: str, name: str, content: bytes, now: datetime) -> GuestFile:
    """Keep what a guest has just sent. Raises ValueError if it is too large."""
    if len(content) > LARGEST:
        raise ValueError("the file is too large")
    kept = GuestFile.objects.create(
        page=page, question=question, name=name[-LONGEST_NAME:], content=content, created_at=now
    )
    waiting = GuestFile.objects.filter(page=page, booking=None).order_by("-pk").values_list("pk", flat=True)
    GuestFile.objects.filter(pk__in=list(waiting[MOST_UNCLAIMED:])).delete()
    return kept


def unclaimed(page: BookingPage, token: str) -> GuestFile | None:
    """A file that was sent for this page and that no booking has claimed yet; without its content."""
    return GuestFile.objects.filter(page=page, token=token, booking=None).defer("content").first() if token else None


def claim(booking: Booking, tokens: Collection[str]) -> None:
    """The files belong to this booking from now on; in the transaction that takes it."""
    if tokens:
        GuestFile.objects.filter(page=booking.page, token__in=tokens, booking=None).update(booking=booking)


def sweep(now: datetime) -> int:
    """Drop what no booking has claimed in time. Returns how many files."""
    return GuestFile.objects.filter(booking=None, created_at__lt=now - UNCLAIMED_FOR).delete()[0]
