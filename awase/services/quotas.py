"""The limits of a page, of its hosts and of a guest, with the bookings that count towards them.

A guest's booking counts towards the limits of page and guest, in a group session each guest's; towards a
host's it counts once a meeting. Requests that wait for an answer count like bookings.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from awase.domain.intervals import Span, span
from awase.domain.limits import NO_LIMITS, Limit, Per, Quota, from_json
from awase.models import Booking, BookingPage, BookingState, HostTime

COUNTED = (BookingState.CONFIRMED, BookingState.REQUESTED)
WHOLE_MONTHS = timedelta(days=33)


def page_quota(page: BookingPage, start: datetime, end: datetime, moving: Booking | None) -> Quota:
    """The page's own limits."""
    return _quota(page, "page", Booking.objects.all(), start, end, moving)


def guest_quota(page: BookingPage, guest: str, start: datetime, end: datetime, moving: Booking | None) -> Quota:
    """The limits of one guest, told by their mail address."""
    if not guest:
        return NO_LIMITS
    return _quota(page, "guest", Booking.objects.filter(guest_email__iexact=guest), start, end, moving)


def host_quotas(
    page: BookingPage, member_ids: Collection[int], start: datetime, end: datetime, moving: Booking | None
) -> Mapping[int, Quota]:
    """The limits of each host on this page."""
    limits = limits_of(page, "host")
    taken: dict[int, list[Span]] = defaultdict(list)
    if limits:
        rows = HostTime.objects.filter(member__in=member_ids, booking__page=page, booking__state__in=COUNTED)
        if not _in_total(limits):
            rows = rows.filter(booking__start__gt=start - WHOLE_MONTHS, booking__start__lt=end + WHOLE_MONTHS)
        if moving is not None:
            rows = rows.exclude(booking=moving)
        for member_id, begins, ends in rows.values_list("member", "booking__start", "booking__end"):
            taken[member_id].append(span(begins, ends))
    return {member_id: Quota(limits, tuple(taken[member_id])) if limits else NO_LIMITS for member_id in member_ids}


def limits_of(page: BookingPage, whose: str) -> tuple[Limit, ...]:
    """The stored limits of "page", "host" or "guest"."""
    return from_json(page.limits.get(whose, []))


def _quota(
    page: BookingPage, whose: str, rows: QuerySet[Booking], start: datetime, end: datetime, moving: Booking | None
) -> Quota:
    limits = limits_of(page, whose)
    if not limits:
        return NO_LIMITS
    rows = rows.filter(page=page, state__in=COUNTED, is_session=False)
    if not _in_total(limits):
        rows = rows.filter(start__gt=start - WHOLE_MONTHS, start__lt=end + WHOLE_MONTHS)
    if moving is not None:
        rows = rows.exclude(Q(pk=moving.pk) | Q(session=moving.pk))
    return Quota(limits, tuple(span(begins, ends) for begins, ends in rows.values_list("start", "end")))


def _in_total(limits: tuple[Limit, ...]) -> bool:
    return any(limit.per is Per.TOTAL for limit in limits)
