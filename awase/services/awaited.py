"""Guests who wait for a stopped page: one mail each, asked for in the transaction that opens the page."""

from collections.abc import Collection
from datetime import datetime, timedelta

from awase.models import BookingPage, Effect, EffectKind, OpeningWish
from awase.models.bulk import insert_all

TEMPLATE = "page_open"
KEPT = timedelta(days=60)


def tell(open_pages: Collection[BookingPage], now: datetime) -> None:
    """Let everybody know who waits for one of these pages, which take bookings from this moment on."""
    if not open_pages or not OpeningWish.objects.filter(told_at=None).exists():
        return
    waiting = OpeningWish.objects.filter(page__in=open_pages, told_at=None).select_for_update(no_key=True)
    ids = list(waiting.values_list("pk", flat=True))
    OpeningWish.objects.filter(pk__in=ids).update(told_at=now)
    insert_all(
        Effect(
            kind=EffectKind.MAIL,
            key=f"mail:{TEMPLATE}:{pk}:{now.timestamp()}",
            payload={"template": TEMPLATE, "wish": pk},
            next_at=now,
        )
        for pk in ids
    )


def forget(pk: int) -> None:
    """The mail has been sent: nothing is kept of whom it went to."""
    OpeningWish.objects.filter(pk=pk).delete()


def sweep(now: datetime) -> int:
    """Forget those who have waited too long; returns how many."""
    return OpeningWish.objects.filter(created_at__lte=now - KEPT).delete()[0]
