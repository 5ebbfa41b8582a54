"""What the campaigns do inside the instance. `python -m tests.races.scene COMMAND` prints one line of JSON.

`hosts`: two people with a Google account each, and pages of one and of both of them. `unguard`: take the
database's own guard away. `overlaps`: how many pairs of active host times overlap.
"""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import django

django.setup()

import httpx2  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Exists, OuterRef  # noqa: E402

from awase.demo.consent import answer_consent  # noqa: E402
from awase.domain.health import Service  # noqa: E402
from awase.models import BookingPage, Condition, HostTime, Member, PageMember, User, WeeklySchedule  # noqa: E402
from awase.models.guards import GUARDED  # noqa: E402
from awase.services import accounts, connections, pages  # noqa: E402

ALWAYS = [[[0, 1440]]] * 7


def sandbox() -> httpx2.Client:
    base = urlsplit(settings.AWASE_SERVICES["google"]["base"])
    return httpx2.Client(base_url=f"{base.scheme}://{base.netloc}", timeout=30, trust_env=False)


def connect(member: Member, service: Service) -> None:
    """Link the member's account at the service, through its consent screen."""
    email = member.user.email
    calendars = [] if service is Service.ZOOM else [{"primary": True}]
    with sandbox() as browser:
        account = {"service": service.value, "email": email, "calendars": calendars}
        browser.post("/control/api/accounts", json=account).raise_for_status()
        address, pending = connections.start(member, service, None, datetime.now(UTC))
        back = dict(parse_qsl(urlsplit(answer_consent(browser, address, email)).query))
    connections.finish(member, service, pending, back, datetime.now(UTC))


def people(*names: str) -> list[Member]:
    """Members of one workspace who work at any hour; the first owns it."""
    members: list[Member] = []
    for name in names:
        user = User.objects.create_user(f"{name}@minato.example", "password", name=name, time_zone="UTC")
        if members:
            members.append(accounts.add_member(members[0].workspace, user))
        else:
            members.append(accounts.found_workspace(user, slug="minato"))
    WeeklySchedule.objects.update(weekly=ALWAYS, time_zone="UTC")
    return members


def page(slug: str, condition: Condition, *members: Member) -> BookingPage:
    """A page of half-hours, one starting every quarter of an hour."""
    made = pages.create(
        members[0],
        title=slug,
        slug=slug,
        now=datetime.now(UTC),
        duration_minutes=30,
        step_minutes=15,
        notice_minutes=0,
        period_days=120,
        condition=condition,
    )
    for position, member in enumerate(members[1:], start=1):
        PageMember.objects.create(page=made, member=member, position=position)
    pages.saved(made, (), datetime.now(UTC))
    return made


def hosts() -> None:
    first, second = people("first", "second")
    page("solo", Condition.ALL, first)
    page("other", Condition.ALL, first)
    page("both", Condition.ALL, first, second)
    page("either", Condition.ANY, first, second)
    for member in (first, second):
        connect(member, Service.GOOGLE)


def unguard() -> None:
    with connection.cursor() as cursor:
        for table, _ in GUARDED:
            if connection.vendor == "postgresql":
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_no_overlap")
                continue
            for event in ("INSERT", "UPDATE"):
                cursor.execute(f"DROP TRIGGER {table}_no_overlap_{event}")


def overlaps() -> int:
    other = HostTime.objects.filter(
        member=OuterRef("member"),
        active=True,
        pk__gt=OuterRef("pk"),
        start__lt=OuterRef("end"),
        end__gt=OuterRef("start"),
    )
    return HostTime.objects.filter(Exists(other), active=True).count()


COMMANDS: dict[str, Callable[..., Any]] = {"hosts": hosts, "unguard": unguard, "overlaps": overlaps}

if __name__ == "__main__":
    print(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])))
