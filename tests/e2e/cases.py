"""The worked cases of section 3 as rows of a running product, in a workspace of their own.

`python -m tests.e2e.cases FOLDER` writes them into the demo that runs there. Each case is a page `case-1` … whose
members are A1, B1 …; accounts are given as in the table: G Google, Z Zoom; `+` ok, `!` error; `g` one of which
nothing is in use, `*` an error under *go on without it*.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.e2e.inside import enter

ADMIN, WORKSPACE = "admin@cases.example", "cases"


@dataclass(frozen=True)
class Case:
    """One row: the members' accounts, the owner first, and the kinds of locations."""

    condition: str
    members: tuple[str, ...]
    locations: tuple[str, ...] = ()
    calendar_required: bool = True


CASES = (
    Case("all", ("G+ Z+", "G+"), ("zoom",)),
    Case("all", ("G+ Z+", "G!"), ("zoom",)),
    Case("all", ("G+ Z!", "G+ Z+"), ("zoom",)),
    Case("all", ("G+ Z!", "G+"), ("zoom", "in_person")),
    Case("all", ("G+ Z!", "G+")),
    Case("all", ("G+", "G+"), ("zoom",)),
    Case("all", ("G+ Z+", "g!"), ("zoom",)),
    Case("all", ("G+ G!",)),
    Case("all", ("G+ G*",)),
    Case("all", ()),
    Case("any", ("G+ Z+", "G! Z+"), ("zoom",)),
    Case("any", ("G! Z+", "G! Z+"), ("zoom",)),
    Case("any", ("G+ Z!", "G+"), ("zoom",)),
    Case("any", ("G+ Z!", "G! Z+"), ("zoom",)),
    Case("any", ("", "")),
    Case("any", ("", ""), calendar_required=False),
    Case("any", ("G! Z!", "G+"), ("zoom", "phone")),
    Case("any", ("G+", "G+"), ("zoom",)),
)
SERVICES = {"G": "google", "Z": "zoom"}


def write(now: datetime) -> None:
    """Every case. The accounts are checked rarely, so that the worker, who could not, leaves them as they are."""
    from awase.demo.people import PASSWORD
    from awase.models import BookingPage, Location, Member, PageMember, Role, User
    from awase.services import accounts, health
    from awase.services.signals import Cause

    def person(name: str, role: Role = Role.MEMBER) -> Member:
        user = User.objects.create_user(f"{name.lower()}@cases.example", PASSWORD, name=name)
        if role is Role.OWNER:
            return accounts.found_workspace(user, "Cases", WORKSPACE)
        return accounts.add_member(admin.workspace, user, role)

    admin = person("Admin", Role.OWNER)
    for number, case in enumerate(CASES, start=1):
        members = [person(f"{'AB'[place]}{number}") for place, _ in enumerate(case.members)]
        for member, tokens in zip(members, case.members, strict=True):
            for place, token in enumerate(tokens.split()):
                connect(member, token, f"{member.name.lower()}-{place}@cases.example", now)
        page = BookingPage.objects.create(
            workspace=admin.workspace,
            owner=members[0] if members else admin,
            slug=f"case-{number}",
            title=f"Case {number}",
            condition=case.condition,
            calendar_required=case.calendar_required,
        )
        PageMember.objects.bulk_create(
            PageMember(page=page, member=member, position=place) for place, member in enumerate(members)
        )
        Location.objects.bulk_create(
            Location(page=page, kind=kind, detail="" if kind == "zoom" else "given", position=place)
            for place, kind in enumerate(case.locations)
        )
        health.renew([page], now, Cause.EDIT)


def connect(member: object, token: str, address: str, now: datetime) -> None:
    """One account: its rows, its calendar read for the weeks to come, and its error through the one entry."""
    from awase.domain.errors import Failure, FailureClass, FailureScope, Reason
    from awase.domain.intervals import BusyTimes
    from awase.models import Calendar, CalendarBusy, Connection, Credential, Member
    from awase.services.signals import Cause, record

    assert isinstance(member, Member)
    account = Credential.objects.create(
        service=SERVICES[token[0].upper()],
        account_id=address,
        account_email=address,
        secret={},
        since=now,
        last_good=now,
        last_checked=now,
        check_every=timedelta(hours=1),
        next_check=now + timedelta(days=1),
    )
    link = Connection.objects.create(member=member, credential=account)
    if token[0] in "Gg":
        calendar = Calendar.objects.create(
            connection=link, external_id=address, name=address, checked=token[0] == "G", go_on_without=token[1] == "*"
        )
        busy = BusyTimes.of((), covered=(now - timedelta(days=1), now + timedelta(days=90)), read_at=now)
        CalendarBusy.objects.create(
            calendar=calendar,
            spans=busy.spans,
            covered_start=busy.covered_start,
            covered_end=busy.covered_end,
            read_at=busy.read_at,
        )
        if calendar.checked and member.booking_calendar_id is None:
            member.booking_calendar = calendar
            member.save()
    if token[1] != "+":
        revoked = Failure(FailureClass.RECONNECT, FailureScope.CONNECTION, "G01", Reason.REVOKED)
        record(account.pk, revoked, Cause.CHECK, now)


if __name__ == "__main__":
    enter(Path(sys.argv[1]))
    write(datetime.now(UTC))
