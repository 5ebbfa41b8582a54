"""Secret links and passwords: what lets somebody see a page or manage a booking. Secrets are derived or kept as
digests, and compared in constant time."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.signing import BadSignature, TimestampSigner
from django.utils.crypto import constant_time_compare, salted_hmac

from awase.domain.permissions import Act
from awase.models import Booking, BookingPage, Member, OneTimeLink
from awase.models.page import Visibility
from awase.services.permissions import require
from awase.services.refusals import Refusal, Refused

ONE_TIME_DAYS = 30
PASS_LASTS = timedelta(hours=12)


def manage_secret(booking: Booking) -> str:
    """The secret of the booking's management link: derived, so that it is stored nowhere."""
    return _derived("awase.manage", booking.uid)


def by_link(uid: str, secret: str) -> Booking | None:
    """The booking that a management link opens, or None."""
    rows = Booking.objects.select_related("page__workspace", "page__owner__user", "workspace", "session")
    booking = rows.filter(uid=uid, is_session=False).first()
    if booking is None or not constant_time_compare(manage_secret(booking), secret):
        return None
    return booking


def page_secret(page: BookingPage) -> str:
    """The secret of the page's secret link."""
    return _derived("awase.page", f"{page.pk}:{page.link_key}")


def page_url(page: BookingPage, **query: str) -> str:
    """The page's address, with a secret as `link` or `once`."""
    address = f"{settings.AWASE_URL}/{page.workspace.slug}/{page.slug}"
    return address + "".join(f"?{name}={value}" for name, value in query.items())


def renew_secret(page: BookingPage, *, by: Member) -> str:
    """Draw a new secret link; the old one leads nowhere from now on. Returns the address. Raises PermissionDenied."""
    require(by, Act.EDIT_PAGE, page)
    page.link_key = secrets.token_hex(16)
    page.save(update_fields=["link_key"])
    return page_url(page, link=page_secret(page))


def admits(page: BookingPage, now: datetime, *, link: str = "", once: str = "") -> bool:
    """Whether somebody may see the page: it is public, or they come by its secret link or an unused one-time link.
    The password is another matter."""
    if page.visibility == Visibility.PUBLIC:
        return True
    by_secret = bool(page.link_key) and constant_time_compare(page_secret(page), link)
    return by_secret or one_time_link(page, once, now) is not None


def make_one_time(
    page: BookingPage, by: Member, now: datetime, *, note: str = "", days: int = ONE_TIME_DAYS
) -> tuple[OneTimeLink, str]:
    """A link that takes one booking, and its address, which cannot be shown again. Raises PermissionDenied."""
    require(by, Act.BOOK_FOR_GUEST, page)
    secret = secrets.token_urlsafe(24)
    made = OneTimeLink.objects.create(
        page=page,
        digest=_digest(secret),
        note=note,
        created_by=by,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    return made, page_url(page, once=secret)


def one_time_link(page: BookingPage, secret: str, now: datetime) -> OneTimeLink | None:
    """The link with this secret, if it can still be used."""
    if not secret:
        return None
    return OneTimeLink.objects.filter(page=page, digest=_digest(secret), used_at=None, expires_at__gt=now).first()


def use_up(page: BookingPage, secret: str, now: datetime) -> OneTimeLink | None:
    """Use a one-time link, in the transaction of the booking; None without a secret. Raises Refused."""
    if not secret:
        return None
    link = one_time_link(page, secret, now)
    if link is None or not OneTimeLink.objects.filter(pk=link.pk, used_at=None).update(used_at=now):
        raise Refused(Refusal.LINK_USED)
    return link


def set_password(page: BookingPage, password: str) -> None:
    """Ask guests for this password; "" asks for none."""
    page.password = make_password(password) if password else ""
    page.save(update_fields=["password"])


def password_fits(page: BookingPage, password: str) -> bool:
    """Whether this is the page's password. Deliberately slow."""
    return not page.password or check_password(password, page.password)


def ticket(page: BookingPage) -> str:
    """What somebody is given who knew the password; worthless once the password has changed."""
    return _derived("awase.password", f"{page.pk}:{page.password}")


def ticket_fits(page: BookingPage, shown: str) -> bool:
    """Whether somebody has known the page's present password, or it asks for none."""
    return not page.password or constant_time_compare(ticket(page), shown)


def embed_pass(page: BookingPage) -> str:
    """What stands for the ticket in the addresses of a page inside another site's, where no cookie is kept: good for
    some hours, and worthless once the password has changed."""
    return _passes(page).sign("1")


def pass_fits(page: BookingPage, shown: str) -> bool:
    """Whether this is such a pass of this page, not too old."""
    try:
        _passes(page).unsign(shown, max_age=PASS_LASTS)
    except BadSignature:
        return False
    return True


def _passes(page: BookingPage) -> TimestampSigner:
    return TimestampSigner(salt=f"awase.pass:{page.pk}:{page.password}")


def _derived(purpose: str, value: str) -> str:
    return salted_hmac(purpose, value, algorithm="sha256").hexdigest()[:40]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
