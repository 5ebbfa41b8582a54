"""What the campaigns do inside the instance. `python -m tests.races.scene COMMAND` prints one line of JSON.

For races – `hosts`: two people with a Google account each, pages of one and of both of them, one
that the first lends to the second, and one of the first in another workspace. `unguard`: take
the database's own guard away. `overlaps`: how many pairs of active host times overlap.

For sharing – `zoom_user`: somebody with a Zoom account; gives the token. `zoom_works`: whether it can still be used.
`rush`: a dozen bookings at once.
`mails`: how many were sent. `accounts_of_both`: the ids of the two hosts' accounts.

For killing – `targets`: two people, three pages, one for each service that makes meetings; gives API keys.
`verdict`: what should stand outside, and what is wrong inside.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import django

django.setup()

import httpx2  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Exists, OuterRef, Q  # noqa: E402

from awase import registry  # noqa: E402
from awase.demo.consent import answer_consent  # noqa: E402
from awase.domain.health import LocationKind, Service, Standing  # noqa: E402
from awase.models import (  # noqa: E402
    Booking,
    BookingPage,
    BookingState,
    Condition,
    Credential,
    Effect,
    EffectKind,
    EffectState,
    HostTime,
    Location,
    Member,
    PageMember,
    SentMail,
    User,
    WeeklySchedule,
)
from awase.models.guards import GUARDED  # noqa: E402
from awase.services import accounts, booking, connections, keys, pages  # noqa: E402
from awase.services.tokens import StoredTokens, source  # noqa: E402

ALWAYS = [[[0, 1440]]] * 7


def sandbox() -> httpx2.Client:
    base = urlsplit(settings.AWASE_SERVICES["google"]["base"])
    return httpx2.Client(base_url=f"{base.scheme}://{base.netloc}", timeout=30, trust_env=False)


def connect(member: Member, service: Service) -> None:
    """Link the member's account at the service, through its consent screen."""
    email = member.user.email
    at = "microsoft" if service is Service.TEAMS else service.value
    calendars = [] if service is Service.ZOOM else [{"primary": True}]
    with sandbox() as browser:
        account = {"service": at, "email": email, "calendars": calendars}
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


def page(slug: str, condition: Condition, *members: Member, location: LocationKind | None = None) -> BookingPage:
    """A page of half-hours, one starting every quarter of an hour. The first of the members owns it."""
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
    if location:
        Location.objects.create(page=made, kind=location, detail="" if location.account_backed else "Minato 1-2-3")
    pages.saved(made, (), datetime.now(UTC))
    return made


def hosts() -> None:
    first, second = people("first", "second")
    page("solo", Condition.ALL, first)
    page("other", Condition.ALL, first)
    page("both", Condition.ALL, first, second)
    page("either", Condition.ANY, first, second)
    lent = page("lent", Condition.ALL, first, second, location=LocationKind.IN_PERSON)
    lent.page_members.filter(member=first).delete()
    elsewhere = accounts.found_workspace(first.user, slug="elsewhere")
    WeeklySchedule.objects.update(weekly=ALWAYS, time_zone="UTC")
    page("elsewhere", Condition.ALL, elsewhere)
    for member in (first, second, elsewhere):
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
        member__user=OuterRef("member__user"),
        active=True,
        pk__gt=OuterRef("pk"),
        start__lt=OuterRef("end"),
        end__gt=OuterRef("start"),
    )
    return HostTime.objects.filter(Exists(other), active=True).count()


def zoom_user() -> str:
    connect(people("first")[0], Service.ZOOM)
    return StoredTokens(Credential.objects.get().pk).token()


def zoom_works() -> bool:
    credential = Credential.objects.get()
    registry.conferences(Service.ZOOM, source(credential)).check()
    return credential.standing == Standing.OK


def rush() -> None:
    solo = BookingPage.objects.get(slug="solo")
    guest = booking.Guest(name="Guest", email="guest@guest.example", language="en", time_zone="UTC")
    tomorrow = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    for hour in range(12):
        booking.book(solo, booking.Request(tomorrow + timedelta(hours=hour), guest), datetime.now(UTC))


def mails() -> list[int]:
    """How many different mails were sent, and how many in all."""
    sent = SentMail.objects.values_list("recipients", "subject", "text")
    return [len(set(sent)), len(sent)]


def accounts_of_both() -> list[int]:
    return list(Credential.objects.order_by("pk").values_list("pk", flat=True))


def sixty_due() -> list[int]:
    """Accounts whose check is due now."""
    now, every = datetime.now(UTC), timedelta(minutes=5)
    for number in range(60):
        account = Credential(service=Service.ZOOM, account_id=str(number), secret={}, since=now)
        account.check_every, account.next_check = every, now
        account.save()
    return accounts_of_both()


def targets() -> list[str]:
    first, second = people("first", "second")
    page("zoom", Condition.ALL, first, second, location=LocationKind.ZOOM)
    page("teams", Condition.ALL, second, location=LocationKind.TEAMS)
    page("meet", Condition.ALL, first, location=LocationKind.MEET)
    for member, services in {first: (Service.GOOGLE, Service.ZOOM), second: (Service.MICROSOFT, Service.TEAMS)}.items():
        for service in services:
            connect(member, service)
    return [keys.create(first, list(keys.Scope), datetime.now(UTC), f"key {number}") for number in range(12)]


EVENTS = {"first": "google first@minato.example events", "second": "microsoft second@minato.example events"}
MEETINGS = {"zoom": "zoom first@minato.example meetings", "teams": "microsoft second@minato.example meetings"}


def verdict() -> dict[str, Any]:
    wanted: dict[str, list[str]] = {place: [] for place in (*EVENTS.values(), *MEETINGS.values())}
    bookings = list(Booking.objects.select_related("page").order_by("pk"))
    for one in bookings:
        if one.state != BookingState.CONFIRMED:
            continue
        places = [EVENTS[row.member.user.name] for row in one.host_times.select_related("member__user")]
        for place in [*places, *filter(None, [MEETINGS.get(one.page.slug)])]:
            wanted[place].append(f"{one.start:%Y-%m-%dT%H:%MZ}")
    return {
        "wanted": wanted,
        "states": Counter(one.state for one in bookings),
        "mails": mails(),
        "wrong": [*_unfinished(), *(wrong for one in bookings for wrong in _half_written(one))],
    }


def _unfinished() -> Iterator[str]:
    settled = Q(state=EffectState.DONE) | Q(state=EffectState.PENDING, next_at__gt=datetime.now(UTC))
    for effect in Effect.objects.exclude(settled):
        yield f"{effect.key} is {effect.state}: {effect.last_error or effect.parked_reason}"


def _half_written(one: Booking) -> Iterator[str]:
    standing = one.state == BookingState.CONFIRMED
    hosts = {"zoom": 2, "teams": 1, "meet": 1}[one.page.slug]
    rows = list(one.host_times.all())
    if len(rows) != hosts or any(row.active is not standing for row in rows):
        yield f"{one.uid} is {one.state} with {rows}"
    if any((row.start, row.end) != (one.start, one.end) for row in rows):
        yield f"{one.uid} takes its hosts' time elsewhere"
    if standing and not one.join_url:
        yield f"{one.uid} has no link"
    if not Effect.objects.filter(booking=one, kind=EffectKind.MAIL, payload__template="confirmed").exists():
        yield f"{one.uid} was never confirmed"


TO_RACE = (hosts, unguard, overlaps)
TO_SHARE = (zoom_user, zoom_works, rush, mails, accounts_of_both, sixty_due)
TO_KILL = (targets, verdict)
COMMANDS: dict[str, Callable[[], Any]] = {command.__name__: command for command in (*TO_RACE, *TO_SHARE, *TO_KILL)}

if __name__ == "__main__":
    print(json.dumps(COMMANDS[sys.argv[1]]()))
