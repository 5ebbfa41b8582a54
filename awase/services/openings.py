"""“Tell me when it opens”: a guest leaves an address on a stopped page, and gets one mail when it takes bookings again.

The address is kept for that one mail and deleted with it. Nobody can be flooded by it: a page asks each address
once, an address waits for few pages at a time, and the mail leads nowhere but to the page.
"""

from datetime import datetime

from django.db import transaction

from awase.models import BookingPage, OpeningWish, PageHealth
from awase.models.page import Visibility
from awase.services.health import verdict_of

MOST_OF_AN_ADDRESS = 5  # pages for which one address waits at a time, over the whole instance
MOST_OF_A_PAGE = 1000


def takes_bookings(page: BookingPage, now: datetime) -> bool:
    """Whether guests can book: the owner's switch and the gate both say so."""
    return page.accepting and page.archived_at is None and verdict_of(page, now).open


def offered(page: BookingPage) -> bool:
    """Whether guests of this page may ask. A page that is not for everybody has no address to send them to."""
    return page.tell_when_open and page.archived_at is None and page.visibility == Visibility.PUBLIC


def ask(page: BookingPage, email: str, language: str, now: datetime) -> bool:
    """Remember to tell this address; False if the page takes bookings now, or does not offer it. What is in the way
    otherwise is not said, so that nobody learns for what an address waits."""
    if not offered(page):
        return False
    email = email.lower()
    with transaction.atomic():
        # As the opening locks it, so that one of both sees the other.
        list(PageHealth.objects.select_for_update(no_key=True).filter(page=page))
        page.refresh_from_db(fields=["accepting", "archived_at"])
        if takes_bookings(page, now):
            return False
        waiting = OpeningWish.objects.filter(email=email).count()
        if waiting < MOST_OF_AN_ADDRESS and OpeningWish.objects.filter(page=page).count() < MOST_OF_A_PAGE:
            OpeningWish.objects.get_or_create(
                page=page, email=email, defaults={"language": language, "created_at": now}
            )
    return True


def due(pk: int, now: datetime) -> OpeningWish | None:
    """The guest to be told now. One whose page has stopped again meanwhile goes on waiting."""
    wish = OpeningWish.objects.filter(pk=pk).select_related("page__workspace", "page__owner__user").first()
    if wish is None or takes_bookings(wish.page, now):
        return wish
    OpeningWish.objects.filter(pk=pk).update(told_at=None)
    return None
