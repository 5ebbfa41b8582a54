"""Taking, moving and cancelling bookings: never one that the gate forbids, never the same hour twice.

1. Before the transaction the candidate hosts' calendars are read live at the chosen time.
2. In the transaction: host rows locked in id order, the gate and the slot evaluated again by the function
   that listed them, the host chosen, everything written including the outbox. The database's own guard
   (`models/guards.py`) stands behind it.
3. Meeting, events and mails follow from the outbox.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from awase.domain.assignment import Candidate, Mode, choose
from awase.domain.health import LocationKind, LocationValue
from awase.models import Booking, BookingChange, BookingPage, BookingState, Condition, HostTime, Member
from awase.models.guards import OVERLAP
from awase.models.page import Assignment, PageMember
from awase.services import fairness, live, outbox
from awase.services.slots import Offer, offer


class Refusal(StrEnum):
    """Why a booking is not taken; each has words for the guest."""

    NOT_ACCEPTING = "not_accepting"  # stopped by health or by hand; never which account
    SLOT_GONE = "slot_gone"  # past, off the grid, outside hours, taken meanwhile: all look the same to a guest
    LOCATION_GONE = "location_gone"
    ALREADY_CANCELLED = "already_cancelled"
    OVER = "over"


class Refused(Exception):
    """The booking was not taken; nothing was written."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Guest:
    """What the guest typed, already validated for form."""

    name: str
    email: str
    language: str
    time_zone: str
    note: str = ""
    phone: str = ""
    place: str = ""  # where to meet, for the location "place of your choice"


@dataclass(frozen=True, slots=True)
class Request:
    """A wish for one start. `location_id`/`host_id`: the guest's choice where there is one.
    `idempotency_key`: a repeat with the same key yields the same booking."""

    start: datetime
    guest: Guest
    location_id: int | None = None
    host_id: int | None = None
    idempotency_key: str = ""


def book(page: BookingPage, request: Request, now: datetime) -> Booking:
    """Take a booking or raise Refused."""
    if earlier := _earlier(page, request):
        return earlier
    if request.start.microsecond:
        raise Refused(Refusal.SLOT_GONE)  # no slot starts within a second
    end = request.start + timedelta(minutes=page.duration_minutes)
    wanted = _offer_at(page, request.start, now)
    free = _hosts_for(wanted, request)
    unfit = live.unfit_hosts(page, free, request.start, end, now)
    try:
        with transaction.atomic():
            _lock(free)
            if earlier := _earlier(page, request):
                return earlier
            return _write(page, request, end, unfit, now)
    except IntegrityError as error:
        if OVERLAP in str(error):
            raise Refused(Refusal.SLOT_GONE) from None
        if earlier := _earlier(page, request):  # the same form, sent twice at the same moment
            return earlier
        raise


def _earlier(page: BookingPage, request: Request) -> Booking | None:
    if not request.idempotency_key:
        return None
    return Booking.objects.filter(page=page, idempotency_key=request.idempotency_key).first()


def _offer_at(page: BookingPage, start: datetime, now: datetime, *, without: Collection[int] = ()) -> Offer:
    """The page's offer for this single start, by the same function that lists a month."""
    return offer(page, start, start + timedelta(seconds=1), now, without=without)


def _hosts_for(answer: Offer, request: Request) -> tuple[int, ...]:
    """The members who could be the host(s) at this start, or Refused."""
    if not answer.accepting:
        raise Refused(Refusal.NOT_ACCEPTING)
    free = answer.hosts_at(request.start)
    if request.host_id is not None and answer.page.condition == Condition.ANY:
        free = tuple(host for host in free if host == request.host_id)
    if not free:
        raise Refused(Refusal.SLOT_GONE)
    return free


def _lock(member_ids: Collection[int]) -> None:
    """Lock the hosts' rows in id order, so that nobody else decides about their time meanwhile."""
    list(Member.objects.select_for_update().filter(pk__in=member_ids).order_by("pk").values_list("pk"))


def _write(page: BookingPage, request: Request, end: datetime, unfit: Collection[int], now: datetime) -> Booking:
    page = BookingPage.objects.select_related("workspace").get(pk=page.pk)
    answer = _offer_at(page, request.start, now, without=unfit)
    free = _hosts_for(answer, request)
    location_id = _location(answer, request)
    hosts = list(free) if page.condition == Condition.ALL else [_assign(answer, free, location_id, now)]
    place = next((place for place in answer.value.locations if place.id == location_id), None)
    holder = page.owner_id if answer.verdict.locations_by_owner else hosts[0]
    booking = Booking.objects.create(
        workspace=page.workspace,
        page=page,
        start=request.start,
        end=end,
        title=page.title,
        guest_name=request.guest.name,
        guest_email=request.guest.email,
        guest_note=request.guest.note,
        guest_phone=request.guest.phone,
        guest_language=request.guest.language,
        guest_time_zone=request.guest.time_zone,
        location_kind=place.kind if place else "",
        location_detail=_place_detail(answer, place, holder, request.guest) if place else "",
        location_member_id=holder if place else None,
        place_missing=place is None and bool(answer.value.locations),
        idempotency_key=request.idempotency_key or None,
        created_at=now,
    )
    HostTime.objects.bulk_create(
        HostTime(
            booking=booking,
            member_id=host,
            start=request.start - timedelta(minutes=page.buffer_before_minutes),
            end=end + timedelta(minutes=page.buffer_after_minutes),
        )
        for host in hosts
    )
    BookingChange.objects.create(booking=booking, at=now, what="booked")
    outbox.booked(booking, hosts, now)
    return booking


def _location(answer: Offer, request: Request) -> int | None:
    """The location chosen, or the only one; None if none can be offered (the guest was told)."""
    usable = answer.locations_at(request.start)
    if request.location_id is None:
        return usable[0] if usable else None
    if request.location_id not in usable:
        raise Refused(Refusal.LOCATION_GONE)
    return request.location_id


def _place_detail(answer: Offer, place: LocationValue, holder: int, guest: Guest) -> str:
    """The page's own number, address or link, else the one that the holder, or for their choice the guest, gave."""
    member = answer.value.member(holder)
    own = {
        LocationKind.PHONE: member.phone,
        LocationKind.IN_PERSON: member.address,
        LocationKind.ASK_GUEST: guest.place[:500],
    }
    return place.detail or own.get(place.kind, "")


def _assign(answer: Offer, free: Collection[int], location_id: int | None, now: datetime) -> int:
    """Who becomes the host: among the free ones who can hold the chosen location."""
    able = {
        host.member_id
        for host in answer.verdict.hosts
        if host.member_id in free and (location_id is None or location_id in host.location_ids)
    }
    if not able:
        raise Refused(Refusal.SLOT_GONE)
    page = answer.page
    members = list(PageMember.objects.filter(page=page).order_by("position", "id"))
    if page.assignment == Assignment.GUEST:
        return next(link.member_id for link in members if link.member_id in able)
    counts, last = fairness.standing_of_hosts(page, members, now)
    positions = {link.member_id: position for position, link in enumerate(members)}
    return choose(
        Mode(page.assignment),
        [
            Candidate(
                member_id=link.member_id,
                position=positions[link.member_id],
                weight=link.weight,
                level=link.level,
                count=counts[link.member_id],
            )
            for link in members
            if link.member_id in able
        ],
        last_position=positions.get(last) if last is not None else None,
    )


def manage_secret(booking: Booking) -> str:
    """The secret of the booking's management link: derived, so that it is stored nowhere."""
    return salted_hmac("awase.manage", booking.uid, algorithm="sha256").hexdigest()[:40]


def by_link(uid: str, secret: str) -> Booking | None:
    """The booking that a management link opens, or None; compared in constant time."""
    booking = Booking.objects.select_related("page__workspace", "page__owner__user").filter(uid=uid).first()
    if booking is None or not constant_time_compare(manage_secret(booking), secret):
        return None
    return booking


def cancel(booking: Booking, now: datetime, *, reason: str = "", by: str = "guest") -> Booking:
    """Cancel: the hosts' time is free at once; event, meeting and mails follow. Raises Refused."""
    with transaction.atomic():
        booking = Booking.objects.select_for_update().get(pk=booking.pk)
        if booking.state == BookingState.CANCELLED:
            raise Refused(Refusal.ALREADY_CANCELLED)
        if booking.end <= now:
            raise Refused(Refusal.OVER)
        booking.state = BookingState.CANCELLED
        booking.cancelled_at = now
        booking.cancel_reason = reason
        booking.sequence += 1
        booking.save(update_fields=["state", "cancelled_at", "cancel_reason", "sequence"])
        HostTime.objects.filter(booking=booking).update(active=False)
        BookingChange.objects.create(booking=booking, at=now, what=f"cancelled_by_{by}", detail=reason[:300])
        outbox.cancelled(booking, now)
    return booking


def hosts_of(booking: Booking) -> list[Member]:
    """The members who host this booking, also after it was cancelled."""
    return [row.member for row in booking.host_times.select_related("member__user").order_by("id")]


def tell_place(booking: Booking, place: str, now: datetime) -> None:
    """Fill in the place that the guest was promised; events are brought up to date and the guest is mailed."""
    with transaction.atomic():
        booking = Booking.objects.select_for_update().get(pk=booking.pk)
        booking.location_detail, booking.place_missing = place, False
        booking.sequence += 1
        booking.save(update_fields=["location_detail", "place_missing", "sequence"])
        BookingChange.objects.create(booking=booking, at=now, what="place_told", detail=place[:300])
        outbox.changed(booking, now)
