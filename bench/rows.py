"""The rows of a benchmark, written by the product's own functions; runs in a process of its own.

`python -m bench.rows team MEMBERS KEYS` or `python -m bench.rows hosts MEMBERS KEYS`; the last line printed is
one JSON object with the workspace's address and API keys.
"""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import django

django.setup()

from django.db import transaction  # noqa: E402

from awase.domain.health import Service, Standing  # noqa: E402
from awase.models import (  # noqa: E402
    BookingPage,
    Calendar,
    Condition,
    Connection,
    Credential,
    Member,
    PageMember,
    User,
    WeeklySchedule,
    Workspace,
)
from awase.providers.protocols import BusyEvent  # noqa: E402
from awase.services import accounts, checks, keys, pages  # noqa: E402
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
    reading = checks.Reading(
        Good(full=True), now - timedelta(days=1), END + timedelta(days=30), now, {calendar.external_id: events}
    )
    checks.keep(credential, reading)


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


def main(arguments: Sequence[str]) -> None:
    """Write the rows and tell of them."""
    kind, members, keys_wanted = arguments[0], int(arguments[1]), int(arguments[2])
    slug, now = f"{kind}-{members}", datetime.now(UTC)
    with transaction.atomic():
        if kind == "team":
            team = workspace(slug, busy_members(members), now)
            for condition in (Condition.ALL, Condition.ANY):
                add_page(condition.value, team, condition, now)
        else:
            team = workspace(slug, [()] * members, now)
            for number, member in enumerate(team):
                add_page(f"host-{number}", [member], Condition.ALL, now)
            add_page("any", team, Condition.ANY, now)
        made = [keys.create(team[0], list(keys.Scope), now) for _ in range(keys_wanted)]
    print(json.dumps({"workspace": Workspace.objects.get(slug=slug).slug, "keys": made}))


if __name__ == "__main__":
    main(sys.argv[1:])
