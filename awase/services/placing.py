"""Where a booking goes: the page's offer for one start, first looked at, then decided upon under locks.

Locks are taken in one order everywhere: the page's health (shared), page, hosts, rooms (by id), then bookings,
sessions before seats. They are `no_key` locks: whoever writes a row that merely names a locked member or page does
not wait for it, which could close a circle.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from awase.domain.assignment import fill
from awase.domain.health import LocationKind, LocationValue
from awase.models import Booking, BookingPage, Condition, Hold, HostTime, Member, PageHealth, Room, RoomTime
from awase.models.bulk import insert_all
from awase.models.guards import OVERLAP
from awase.models.page import Assignment
from awase.models.prepared import prepared, together
from awase.services import live
from awase.services.fairness import away_at, ranked
from awase.services.hosts import assigned, carrier_of
from awase.services.quotas import COUNTED
from awase.services.refusals import Refusal, Refused
from awase.services.slots import Offer, offer


@dataclass(frozen=True, slots=True)
class Wish:
    """A start wanted of a page. `location_id`, `host_id`: what was chosen, if there was a choice; `kind`: any
    location of this kind. `hosts`, `rooms`: who and what is kept if free. `moving` and `hold` as in `offer`."""

    start: datetime
    minutes: int
    guest: str = ""  # mail address
    location_id: int | None = None
    host_id: int | None = None
    kind: str = ""
    hosts: tuple[int, ...] = ()
    rooms: tuple[int, ...] = ()
    moving: Booking | None = None
    hold: Hold | None = None

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class Placement:
    """What was decided. `holder`: whose account or details make the location. `session_id`: the booking that
    carries the group session which is joined; everything else is then the session's. `away`: who could not be given
    it, where the system chooses."""

    hosts: tuple[int, ...]
    rooms: tuple[int, ...] = ()
    location: LocationValue | None = None
    holder: int | None = None
    place_missing: bool = False
    session_id: int | None = None
    away: tuple[int, ...] = ()


def length_of(page: BookingPage, minutes: int | None) -> int:
    """The chosen length, if the page offers it, else its own. Raises Refused."""
    if minutes is None:
        return page.duration_minutes
    if minutes not in {page.duration_minutes, *page.durations}:
        raise Refused(Refusal.LENGTH_UNKNOWN)
    return minutes


def standing_wish(booking: Booking, start: datetime, minutes: int, moving: Booking) -> Wish:
    """The wish that a booking which stands already, or is asked for, be at this start: with its hosts, rooms and
    kind of location if they can be had; with another host only where the system chose the first."""
    carrier, page = carrier_of(booking), booking.page
    hosts = tuple(carrier.host_times.order_by("id").values_list("member", flat=True))
    chosen = page.condition == Condition.ANY and not assigned(booking)
    return Wish(
        start,
        minutes,
        guest=booking.guest_email,
        host_id=hosts[0] if chosen and hosts else None,
        kind=booking.location_kind,
        hosts=hosts,
        rooms=tuple(carrier.room_times.order_by("id").values_list("room", flat=True)),
        moving=moving,
    )


def eased(page: BookingPage, *, unbound: bool) -> BookingPage:
    """The page as it counts for bookings that stand already: neither manual switch nor archive bars them.
    `unbound`: nor do notice and period, which bind guests, not hosts. Never to be saved."""
    page = copy(page)
    page.accepting, page.archived_at = True, None
    if unbound:
        page.notice_minutes, page.notice_from_midnight = 0, False
        page.period_days = page.period_first = page.period_last = None
    return page


def look(page: BookingPage, wish: Wish, now: datetime, *, without: Collection[int] = ()) -> Offer:
    """The page's offer for this single start, by the function that lists a month. Raises Refused."""
    answer = offer(
        page,
        wish.start,
        wish.start + timedelta(seconds=1),
        now,
        minutes=wish.minutes,
        without=without,
        moving=wish.moving,
        hold=wish.hold,
        guest=wish.guest,
    )
    if not answer.accepting:
        raise Refused(Refusal.NOT_ACCEPTING, answer.verdict.stop_kinds)
    if wish.start.microsecond or not candidates(answer, wish):  # no slot starts within a second
        raise Refused(Refusal.SLOT_GONE)
    return answer


def candidates(answer: Offer, wish: Wish) -> tuple[int, ...]:
    """The members who could be the host(s) at this start."""
    free = answer.hosts_at(wish.start)
    if wish.host_id is not None and answer.page.condition == Condition.ANY:
        return tuple(host for host in free if host == wish.host_id)
    return free


@dataclass(frozen=True, slots=True)
class Scouted:
    """Who could be hosts, the rooms that may be needed, and whom the live check rules out. `joining`: nobody was
    asked, because there is a session to join, which is agreed with its hosts already."""

    known: frozenset[int]
    rooms: tuple[int, ...] = ()
    unfit: frozenset[int] = frozenset()
    joining: bool = False


def scout(page: BookingPage, wish: Wish, now: datetime, *, without: Collection[int] = ()) -> Scouted:
    """Before the transaction: look, and ask the calendars live. Raises Refused."""
    answer = look(page, wish, now, without=without)
    free = candidates(answer, wish)
    if answer.session_at(wish.start):
        return Scouted(frozenset(free), joining=True)
    unfit = live.unfit_hosts(page, free, wish.start, wish.end, now)
    return Scouted(frozenset(free), answer.rooms_at(wish.start), frozenset(unfit))


@contextmanager
def locked(page: BookingPage, scouted: Scouted, *, whole: bool = False) -> Iterator[BookingPage]:
    """A transaction in which nobody else decides about the time of the hosts and rooms that were scouted, or about
    the page's limits and seats (`whole`: about anything of the page). Gives the page as it is now. An overlap that
    slips through is refused by the database."""
    try:
        with transaction.atomic():
            PageHealth.hold(page.pk)
            alone = whole or _is_shared(page)
            # Told in this order, page before members, they are locked in it.
            found, _ = together((_lock_page if alone else _page_now).of(page.pk), _lock_members.of(scouted.known))
            if not found:
                raise BookingPage.DoesNotExist
            page = found[0]
            if not alone and _is_shared(page):
                raise Refused(Refusal.CHANGED)  # it has limits or seats since a moment ago
            if scouted.rooms:
                rooms = Room.objects.filter(pk__in=scouted.rooms).order_by("pk")
                list(rooms.select_for_update(no_key=True).values_list("pk"))
            yield page
    except IntegrityError as error:
        if OVERLAP in str(error):
            raise Refused(Refusal.SLOT_GONE) from None
        raise


@prepared
def _page_now(pk: Any) -> QuerySet[BookingPage]:
    return BookingPage.objects.select_related("workspace").filter(pk=pk)


@prepared
def _lock_page(pk: Any) -> QuerySet[BookingPage]:
    pages = BookingPage.objects.select_related("workspace").filter(pk=pk)
    return pages.select_for_update(of=("self",), no_key=True)


@prepared
def _lock_members(ids: Any) -> QuerySet[Member, tuple[Any, ...]]:
    """With what else the same people are, in other workspaces."""
    people = Member.objects.filter(pk__among=ids).values("user")
    members = Member.objects.filter(user__in=people).order_by("pk")
    return members.select_for_update(no_key=True).values_list("pk")


def _is_shared(page: BookingPage) -> bool:
    """Whether bookings of the page bear on each other although they have no host in common."""
    return bool(page.limits) or page.seats > 1


def bookings_locked(booking: Booking) -> Booking:
    """The booking as it is now, locked, after the session that carries it or before its seats. Raises Refused if
    it changed its session at this very moment."""
    ids = [pk for pk in (booking.session_id, booking.pk) if pk]
    rows = Booking.objects.filter(Q(pk__in=ids) | Q(session=booking.pk)).order_by("-is_session", "pk")
    found = {row.pk: row for row in rows.select_for_update(no_key=True)}
    now = found[booking.pk]
    if now.session_id != booking.session_id:
        raise Refused(Refusal.CHANGED)
    now.session = found.get(now.session_id) if now.session_id else None
    now.page, now.workspace = booking.page, booking.workspace
    return now


def decide(page: BookingPage, wish: Wish, now: datetime, scouted: Scouted) -> Placement:
    """Under the locks: the same offer again, and who takes the places. Nobody and no room is chosen that was not
    scouted, and so is not locked. Raises Refused."""
    answer = look(page, wish, now, without=scouted.unfit)
    if session_id := answer.session_at(wish.start):
        return _seat(answer, session_id, wish)
    if scouted.joining:
        raise Refused(Refusal.SLOT_GONE)
    free = [host for host in candidates(answer, wish) if host in scouted.known]
    location = _location(answer, wish, free)
    turn, away = free, tuple[int, ...]()
    if page.condition != Condition.ALL:
        turn = ranked(page, _able(answer, wish, free, location), now)
        turn = [*(host for host in wish.hosts if host in turn), *turn]
        if page.assignment != Assignment.GUEST:
            away = away_at(answer, wish.start, wish.end, location)
    hosts = fill([group for _, group in answer.value.people], turn)
    rooms: tuple[int, ...] = ()
    if places := [group for group in answer.value.groups if group.rooms]:
        free_rooms = [room for room in answer.rooms_at(wish.start) if room in scouted.rooms]
        rooms = fill(places, [*(room for room in wish.rooms if room in free_rooms), *free_rooms])
    if not hosts or (places and not rooms):
        raise Refused(Refusal.SLOT_GONE)
    if location is None:
        return Placement(hosts, rooms, place_missing=bool(answer.value.locations), away=away)
    holder = page.owner_id if answer.verdict.locations_by_owner else hosts[0]
    return Placement(hosts, rooms, location, holder, away=away)


def _seat(answer: Offer, session_id: int, wish: Wish) -> Placement:
    """A seat in the session, which is locked from here on."""
    session = Booking.objects.select_for_update(no_key=True).get(pk=session_id)
    taken = session.seats.filter(state__in=COUNTED)
    if wish.moving is not None:
        taken = taken.exclude(pk=wish.moving.pk)
    if session.state not in COUNTED or taken.count() >= answer.page.seats:
        raise Refused(Refusal.SLOT_GONE)
    return Placement(answer.hosts_at(wish.start), session_id=session_id)


def _location(answer: Offer, wish: Wish, free: Collection[int]) -> LocationValue | None:
    """The location chosen, or the first that can be held; None if none can be offered (the guest was told)."""
    by_owner = answer.verdict.locations_by_owner
    held = {place for host in answer.verdict.hosts if host.member_id in free for place in host.location_ids}
    usable = [
        place
        for place in answer.value.locations
        if place.id in answer.verdict.offered and (by_owner or place.id in held) and wish.kind in ("", place.kind)
    ]
    if wish.location_id is not None:
        usable = [place for place in usable if place.id == wish.location_id]
        if not usable:
            raise Refused(Refusal.LOCATION_GONE)
    return usable[0] if usable else None


def _able(answer: Offer, wish: Wish, free: Collection[int], location: LocationValue | None) -> set[int]:
    """The free ones who can hold the location; a booking that stands stays with its host, whatever its place."""
    if answer.verdict.locations_by_owner or (location is None and not wish.kind):
        return set(free)
    able = {
        host.member_id for host in answer.verdict.hosts if location is not None and location.id in host.location_ids
    }
    return (able | set(wish.hosts if wish.kind else ())) & set(free)


def occupy(
    owner: Booking | Hold,
    page: BookingPage,
    wish: Wish,
    placement: Placement,
    now: datetime,
    *,
    active: bool = True,
    fresh: bool = False,
) -> None:
    """Write the time of hosts and rooms, buffers included; what earlier rows of the `owner` took (none, if it is
    `fresh`) is given up, and holds that have run out are cleared away."""
    whose: dict[str, Any] = {"booking" if isinstance(owner, Booking) else "hold": owner}
    if not fresh:
        HostTime.objects.filter(**whose).delete()
        RoomTime.objects.filter(**whose).delete()
    over_too = _holds_over_of_rooms(placement.rooms, now) if placement.rooms else []
    if holds := {hold for (hold,) in [*_holds_over_of_hosts(placement.hosts, now), *over_too]}:
        Hold.objects.filter(pk__in=holds).delete()
    start = wish.start - timedelta(minutes=page.buffer_before_minutes)
    end = wish.end + timedelta(minutes=page.buffer_after_minutes)
    insert_all(HostTime(member_id=host, start=start, end=end, active=active, **whose) for host in placement.hosts)
    insert_all(RoomTime(room_id=room, start=start, end=end, active=active, **whose) for room in placement.rooms)


@prepared
def _holds_over_of_hosts(hosts: Any, now: Any) -> QuerySet[HostTime, tuple[Any, ...]]:
    return HostTime.objects.filter(member__among=hosts, hold__expires_at__lte=now).values_list("hold")


@prepared
def _holds_over_of_rooms(rooms: Any, now: Any) -> QuerySet[RoomTime, tuple[Any, ...]]:
    return RoomTime.objects.filter(room__among=rooms, hold__expires_at__lte=now).values_list("hold")


def location_fields(placement: Placement, *, guests_place: str = "") -> dict[str, object]:
    """The location as a booking keeps it: the page's own number, address or link, else the one that the holder,
    or for their choice the guest, gave."""
    place = placement.location
    if place is None:
        return {"place_missing": placement.place_missing}
    holder = Member.objects.get(pk=placement.holder or 0)
    own = {
        LocationKind.PHONE: holder.phone,
        LocationKind.IN_PERSON: holder.address,
        LocationKind.ASK_GUEST: guests_place[:500],
    }
    return {
        "location_kind": place.kind,
        "location_detail": place.detail or own.get(place.kind, ""),
        "location_member_id": placement.holder,
        "place_missing": False,
    }
