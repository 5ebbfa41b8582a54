"""Why a time is not offered: for any page and moment what stands against it, for the page and for each person
and room, from the rows that slots and bookings read."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from awase.domain.gate import evaluate
from awase.domain.health import Lack
from awase.domain.intervals import epoch
from awase.domain.obstacles import Obstacle, why_not
from awase.models import BookingPage
from awase.services.health import page_values
from awase.services.slots import NOTHING, Asked, Offer, people_times, room_times, rules_of, sessions_of


@dataclass(frozen=True, slots=True)
class Person:
    """What stands against one member (or room) at the moment asked. `eligible`: health lets them take part."""

    id: int
    name: str
    room: bool
    eligible: bool
    obstacles: tuple[Obstacle, ...]
    lacks: tuple[Lack, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """`offered` is the answer that a guest gets. Otherwise: switched off or archived, `stops` of health,
    obstacles of the page, and of each person and room."""

    offered: bool
    accepting: bool
    archived: bool
    stops: tuple[Lack, ...]
    page: tuple[Obstacle, ...]
    people: tuple[Person, ...]


def why(page: BookingPage, start: datetime, now: datetime, *, minutes: int | None = None, guest: str = "") -> Why:
    """All that stands against this start, whether it is offered or not; the same rules, rows and functions
    that offer it."""
    asked = Asked(start, start + timedelta(seconds=1), minutes, guest=guest)
    value = page_values([page], now)[page.pk]
    verdict = evaluate(value)
    eligible = {host.member_id for host in verdict.hosts}
    everybody = [value.member(pk) for pk in value.everybody]
    rooms = tuple(dict.fromkeys(pk for group in value.groups if group.rooms for pk in group.ids))
    times = people_times(page, everybody, asked, now) + room_times(rooms, asked, now)
    rules = rules_of(page, asked, tuple(sessions_of(page, asked).values()) if page.seats > 1 else ())
    able = [one for one in times if (one.member_id in verdict.rooms if one.room else one.member_id in eligible)]
    found = why_not(rules, value.groups, times, epoch(start), epoch(now))
    answer = Offer(page, value, verdict, NOTHING, None, {})
    names = {(False, member.id): member.name for member in everybody} | {
        (True, room.id): room.name for room in value.rooms
    }
    lacks = (*verdict.stops, *verdict.left_out, *verdict.warnings)
    return Why(
        offered=answer.accepting and why_not(rules, value.groups, able, epoch(start), epoch(now)).offered,
        accepting=page.accepting,
        archived=page.archived_at is not None,
        stops=verdict.stops,
        page=found.page,
        people=tuple(
            Person(
                id=one.member_id,
                name=names[one.room, one.member_id],
                room=one.room,
                eligible=one in able,
                obstacles=obstacles,
                lacks=tuple(lack for lack in lacks if (lack.room_id if one.room else lack.member_id) == one.member_id),
            )
            for one, obstacles in found.hosts
        ),
    )
