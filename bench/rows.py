"""The rows of a benchmark, written by the product's own functions; runs in a process of its own.

`python -m bench.rows team MEMBERS KEYS` writes a team with the workload's busy times, and a page for each
condition; `hosts MEMBERS KEYS` people without busy times, each with a page, and one page for any of them. The
last line printed is one JSON object with the workspace's address and API keys. `verify` counts what bookings
have left behind.
"""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import django

django.setup()

from django.db import transaction  # noqa: E402

from awase.domain.health import Service, Standing  # noqa: E402
from awase.models import (  # noqa: E402
    Booking,
    BookingPage,
    BookingState,
    Calendar,
    Condition,
    Connection,
    Credential,
    Effect,
    EffectState,
    HostTime,
    Member,
    PageMember,
    User,
    WeeklySchedule,
)
from awase.providers.protocols import BusyEvent, Changes  # noqa: E402
from awase.services import accounts, checks, keys, pages  # noqa: E402
from awase.services.reading import Begun, CalendarReading, Reading  # noqa: E402
from awase.services.signals import Good  # noqa: E402
from bench.slots import END, HOST_ZONE, busy_members  # noqa: E402

OFFICE_HOURS = [[[540, 1020]]] * 5 + [[], []]
Busy = Sequence[tuple[datetime, datetime]]


def workspace(slug: str, busy: Sequence[Busy], now: datetime) -> list[Member]:
    """A workspace with a member for each list of busy times, which stand in a calendar of theirs; the first is
    its owner."""
    members: list[Member] = []
    for number, times in enumerate(busy):
        user = User.objects.create_user(f"{slug}-{number}@bench.example", name=f"Member {number}", time_zone=HOST_ZONE)
        if members:
            members.append(accounts.add_member(members[0].workspace, user))
        else:
            members.append(accounts.found_workspace(user, slug=slug))
        connect(members[-1], times, now)
    WeeklySchedule.objects.filter(member__in=members).update(weekly=OFFICE_HOURS)
    return members


def connect(member: Member, busy: Busy, now: datetime) -> None:
    """A working account with one calendar, read just now."""
    credential = Credential.objects.create(
        service=Service.GOOGLE,
        account_id=member.user.email,
        account_email=member.user.email,
        secret={"access_token": "a" * 40, "refresh_token": "r" * 40},
        standing=Standing.OK,
        since=now,
        last_good=now,
        last_checked=now,
    )
    connection = Connection.objects.create(member=member, credential=credential)
    calendar = Calendar.objects.create(connection=connection, external_id="primary", name="Calendar", checked=True)
    Member.objects.filter(pk=member.pk).update(booking_calendar=calendar)
    events = tuple(BusyEvent(f"event{number}", start, end) for number, (start, end) in enumerate(busy))
    begun = Begun("", now - timedelta(days=1), END + timedelta(days=30))
    found = CalendarReading(Changes(events, frozenset(), "", full=True), begun)
    checks.keep(credential, Reading(Good(full=True), now, begun.start, begun.end, {calendar.external_id: found}))


def add_page(slug: str, members: Sequence[Member], condition: Condition, now: datetime) -> BookingPage:
    """A page of these members that offers everything up to the end of the workload's month."""
    page = pages.create(
        members[0],
        title=slug,
        slug=slug,
        now=now,
        duration_minutes=30,
        step_minutes=15,
        notice_minutes=0,
        period_days=(END - now).days + 1,
        condition=condition,
    )
    PageMember.objects.bulk_create(
        PageMember(page=page, member=member, position=position) for position, member in enumerate(members[1:], 1)
    )
    pages.saved(page, (), now)
    return page


def write(kind: str, members: int, keys_wanted: int, now: datetime) -> dict[str, object]:
    """A workspace of this kind; what a benchmark needs to know of it."""
    slug = f"{kind}-{members}"
    with transaction.atomic():
        if kind == "team":
            people = workspace(slug, busy_members(members), now)
            for condition in (Condition.ALL, Condition.ANY):
                add_page(condition.value, people, condition, now)
        else:
            people = workspace(slug, [()] * members, now)
            for number, member in enumerate(people):
                add_page(f"host-{number}", [member], Condition.ALL, now)
            add_page("any", people, Condition.ANY, now)
        return {"workspace": slug, "keys": [keys.create(people[0], list(keys.Scope), now) for _ in range(keys_wanted)]}


def verify() -> dict[str, int]:
    """The bookings that stand, pairs of them that take the same host's time, and effects that wait."""
    times = HostTime.objects.filter(active=True).order_by("member", "start").values_list("member", "start", "end")
    overlaps = sum(one[0] == other[0] and other[1] < one[2] for one, other in pairwise(times))
    return {
        "bookings": Booking.objects.filter(state=BookingState.CONFIRMED, host_times__active=True).distinct().count(),
        "overlaps": overlaps,
        "waiting": Effect.objects.filter(state=EffectState.PENDING).count(),
    }


def main(arguments: Sequence[str]) -> None:
    """Do what is asked and tell of it."""
    if arguments == ["verify"]:
        told: object = verify()
    else:
        told = write(arguments[0], int(arguments[1]), int(arguments[2]), datetime.now(UTC))
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
