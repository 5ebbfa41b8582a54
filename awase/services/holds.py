"""A slot held for a guest while the form is filled in: five minutes, at most three for each client and page.

The hosts' time is taken as a booking takes it, under the same locks and the database's guard. How somebody is
bounded who only wants to bar a page: a client's fourth hold gives up the oldest, and whatever the number of
clients, the page grants no hold unless, within the week around it, more starts are still to be had by everybody
than are held. So half of what a page offers can always be booked, and the last free time of a week goes to whoever
books it first. Who is refused a hold can book all the same.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac

from awase.models import BookingPage, Hold
from awase.models.booking import new_uid
from awase.services.placing import Scouted, Wish, candidates, decide, length_of, locked, look, occupy
from awase.services.refusals import Refusal, Refused
from awase.services.slots import offer

LASTS = timedelta(minutes=5)
MOST = 3  # for each client and page
AROUND = timedelta(days=3, hours=12)


def hold(
    page: BookingPage,
    start: datetime,
    now: datetime,
    *,
    client: str,
    minutes: int | None = None,
    location_id: int | None = None,
    host_id: int | None = None,
    token: str = "",
) -> Hold:
    """Hold a slot for this client (anything that tells guests apart; only its digest is kept). In a page with
    several seats it takes no time out, since others may share it. A caller whose answer may get lost gives the
    `token` itself, 32 characters that nobody can guess. Raises Refused."""
    wish = Wish(start, length_of(page, minutes), location_id=location_id, host_id=host_id)
    answer = look(page, wish, now)
    scouted = Scouted(frozenset(candidates(answer, wish)), answer.rooms_at(start))
    with locked(page, scouted, whole=True) as page:
        token = token or new_uid()
        mine = Hold.objects.filter(Q(client=_digest(client)) | Q(token=token), page=page)
        mine = mine.order_by("-expires_at", "-pk")
        for over in [*mine.filter(expires_at__lte=now), *mine.filter(expires_at__gt=now)[MOST - 1 :]]:
            over.delete()
        placement = decide(page, wish, now, scouted)
        made = Hold.objects.create(
            page=page, client=_digest(client), start=start, end=wish.end, expires_at=now + LASTS, token=token
        )
        if page.seats == 1:
            occupy(made, page, wish, placement, now, fresh=True)
            _leave_enough(page, wish, now)
    return made


def _leave_enough(page: BookingPage, wish: Wish, now: datetime) -> None:
    """Undo everything unless, in the week around, at least as many starts are left to others as are held."""
    first, last = wish.start - AROUND, wish.start + AROUND
    held = Hold.objects.filter(page=page, expires_at__gt=now, start__gte=first, start__lt=last).count()
    if len(offer(page, first, last, now, minutes=wish.minutes).slots.starts) < held:
        raise Refused(Refusal.NOT_HELD)


def live(page: BookingPage, token: str, start: datetime, now: datetime) -> Hold | None:
    """The hold with this token, if it stands and is for this start."""
    if not token:
        return None
    return Hold.objects.filter(page=page, token=token, start=start, expires_at__gt=now).first()


def live_token(page: BookingPage, token: str, now: datetime) -> Hold | None:
    """The hold with this token, if it stands."""
    return Hold.objects.filter(page=page, token=token, expires_at__gt=now).first() if token else None


def renew(page: BookingPage, token: str, now: datetime) -> Hold:
    """Five minutes more, counted from now, as long as the hold has not run out. Raises Refused."""
    standing = Hold.objects.filter(page=page, token=token, expires_at__gt=now)
    if not standing.update(expires_at=now + LASTS):
        raise Refused(Refusal.SLOT_GONE)
    return Hold.objects.get(token=token)


def release(page: BookingPage, token: str) -> None:
    """Give a hold back; one that is not there any more is nothing to do."""
    Hold.objects.filter(page=page, token=token).delete()


def sweep(now: datetime, most: int = 100) -> int:
    """Clear away holds that have run out; returns how many."""
    over = list(Hold.objects.filter(expires_at__lte=now).order_by("pk")[:most])
    for one in over:
        with transaction.atomic():
            one.delete()
    return len(over)


def _digest(client: str) -> str:
    return salted_hmac("awase.hold", client, algorithm="sha256").hexdigest()
