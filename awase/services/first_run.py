"""The first run of a new member: where they stand, the hours of a week at once, and the first page."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.text import slugify

from awase.domain.first_run import Step, left
from awase.domain.health import BACKED_BY, LocationKind
from awase.models import BookingPage, Connection, Member, WeeklySchedule
from awase.services import pages


def begin(member: Member) -> None:
    """Offer the first run to somebody new."""
    _stand(member, Step.PLACE.value)


def pass_on(member: Member, step: Step) -> None:
    """A step is done, or skipped."""
    _stand(member, left(step, member.first_run))


def end(member: Member) -> None:
    """They go on by themselves; nothing asks any more."""
    _stand(member, "")


def _stand(member: Member, at: str) -> None:
    member.first_run = at
    Member.objects.filter(pk=member.pk).update(first_run=at)


def usual_hours(member: Member) -> WeeklySchedule:
    """The hours that count where no others are chosen."""
    return WeeklySchedule.objects.get(member=member, is_default=True, for_page=None)


@dataclass(frozen=True, slots=True)
class Week:
    """The same hours on some days of the week (0 is Monday), in minutes after midnight."""

    days: frozenset[int]
    start: int
    end: int


def week_of(row: WeeklySchedule) -> Week | None:
    """The hours in this short form; None if the days differ, or have several ranges."""
    open_days = {number: ranges for number, ranges in enumerate(row.weekly) if ranges}
    first = next(iter(open_days.values()), [[540, 1080]])
    if any(ranges != first for ranges in open_days.values()) or len(first) != 1:
        return None
    return Week(frozenset(open_days), *first[0])


def save_week(member: Member, week: Week, holidays: str) -> None:
    """Keep these hours as the member's usual ones. `holidays`: the country on whose public holidays they are off."""
    row = usual_hours(member)
    row.weekly = [[[week.start, week.end]] if day in week.days else [] for day in range(7)]
    row.holidays, row.time_zone = holidays, member.user.time_zone
    row.save(update_fields=["weekly", "holidays", "time_zone"])


def places(member: Member) -> list[LocationKind]:
    """How a first meeting can be held with the accounts that are connected, the most likely first."""
    services = set(Connection.objects.filter(member=member).values_list("credential__service", flat=True))
    backed = [kind for kind, (service, _capability) in BACKED_BY.items() if service in services]
    return [*backed, LocationKind.PHONE, LocationKind.IN_PERSON]


def publish(
    member: Member, *, title: str, minutes: int, place: LocationKind | None, detail: str, now: datetime
) -> BookingPage:
    """The first page, taking bookings as far as health allows; it ends the first run. Without a place the guests read
    that the host tells them."""
    taken = BookingPage.objects.filter(workspace=member.workspace).values_list("slug", flat=True)
    with transaction.atomic():
        page = pages.create(
            member,
            title=title,
            slug=free_slug(title, set(taken)),
            now=now,
            duration_minutes=minutes,
            step_minutes=min(minutes, 30),
        )
        if place is not None:
            pages.set_places(page, pages.Places({}, add=place, add_detail=detail), now, by=member)
        end(member)
    return page


def free_slug(title: str, taken: Collection[str]) -> str:
    """An address made of the title that no other page has; Latin letters only."""
    wanted, number = slugify(title)[:70] or "meeting", 1
    slug = wanted
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug
