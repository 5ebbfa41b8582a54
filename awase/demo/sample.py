"""The sample data: what stands in the services' calendars, the people, their pages and a few bookings.

Everything may be repeated: what is there already is left as it is.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import httpx2
from django.conf import settings

from awase.demo.browser import Browser
from awase.demo.people import BOOKINGS, PAGES, PASSWORD, PEOPLE, WORKSPACE, WORKSPACE_SLUG, Person
from awase.domain.intervals import moment
from awase.models import BookingPage, Connection, Location, Member, PageMember, Role, User, Workspace
from awase.services import accounts, booking
from awase.services.slots import offer

TOKYO = ZoneInfo("Asia/Tokyo")
BUSY_DAYS = 21


def fill_calendars(sandbox_url: str, now: datetime, transport: httpx2.BaseTransport | None) -> None:
    """Accounts at the services, with three weeks of appointments from now on."""
    with httpx2.Client(base_url=sandbox_url, timeout=30, trust_env=False, transport=transport) as control:
        for person in PEOPLE:
            for service in dict.fromkeys({"teams": "microsoft"}.get(name, name) for name in person.connects):
                calendars = [] if service == "zoom" else [{"primary": True, "events": appointments(person, now)}]
                control.post(
                    "/control/api/accounts",
                    json={"service": service, "email": person.email, "name": person.name, "calendars": calendars},
                ).raise_for_status()


def appointments(person: Person, now: datetime) -> list[dict[str, str]]:
    """A person's appointments, each with an id of its own, so that a repetition adds none."""
    today = now.astimezone(TOKYO).date()
    days = [today + timedelta(days=number) for number in range(BUSY_DAYS)]
    return [
        {
            "id": f"demo{person.local.encode().hex()}{day:%Y%m%d}{begin[:2]}",
            "title": title,
            "start": datetime.combine(day, time.fromisoformat(begin), TOKYO).isoformat(),
            "end": datetime.combine(day, time.fromisoformat(end), TOKYO).isoformat(),
        }
        for day in days
        for weekday, begin, end, title in person.busy
        if day.weekday() == weekday
    ]


def add_people() -> dict[str, Member]:
    """The workspace and its members, by the first part of their address."""
    for person in PEOPLE:
        if User.objects.filter(email=person.email).exists():
            continue
        user = User.objects.create_user(person.email, PASSWORD, name=person.name, language="")
        if person.role == Role.OWNER:
            member = accounts.found_workspace(user, WORKSPACE, WORKSPACE_SLUG)
        else:
            member = accounts.add_member(Workspace.objects.get(slug=WORKSPACE_SLUG), user, Role(person.role))
        Member.objects.filter(pk=member.pk).update(phone=person.phone)
    members = Member.objects.filter(workspace__slug=WORKSPACE_SLUG).select_related("user")
    return {member.user.email.partition("@")[0]: member for member in members}


def add_pages(members: dict[str, Member]) -> None:
    """The booking pages. They open by themselves once the accounts behind them are connected."""
    for page in PAGES:
        made, new = BookingPage.objects.get_or_create(
            workspace=members[PEOPLE[0].local].workspace,
            slug=page.slug,
            defaults={
                "owner": members[page.members[0].local],
                "title": page.title,
                "description": page.description,
                "condition": page.condition,
                **page.settings,
            },
        )
        if new:
            PageMember.objects.bulk_create(
                PageMember(page=made, member=members[person.local], position=position)
                for position, person in enumerate(page.members)
            )
            Location.objects.bulk_create(
                Location(page=made, kind=kind, detail=detail, position=position)
                for position, (kind, detail) in enumerate(page.locations)
            )


def connect_accounts(transport: httpx2.BaseTransport | None) -> None:
    """Every account is linked by its own member, through the consent screens of the running servers."""
    for person in PEOPLE:
        linked = Connection.objects.filter(member__user__email=person.email)
        missing = set(person.connects) - set(linked.values_list("credential__service", flat=True))
        if missing:
            with Browser(settings.AWASE_URL, person, transport) as browser:
                for service in sorted(missing):
                    browser.connect(service)


def add_bookings(now: datetime) -> None:
    """A few bookings in the days to come, taken as guests' are."""
    for number, (slug, skipped, name, email, note) in enumerate(BOOKINGS, start=1):
        page = BookingPage.objects.get(workspace__slug=WORKSPACE_SLUG, slug=slug)
        starts = offer(page, now, now + timedelta(days=14), now).slots.starts
        wish = booking.Request(
            start=moment(starts[skipped]),
            guest=booking.Guest(name=name, email=email, note=note, language="ja", time_zone="Asia/Tokyo"),
            idempotency_key=f"sample-{number}",
        )
        booking.book(page, wish, now)


def fill(sandbox_url: str, transport: httpx2.BaseTransport | None = None) -> None:
    """Bring in everything. Product and sandbox must answer: over the network, or over `transport`."""
    fill_calendars(sandbox_url, datetime.now(UTC), transport)
    add_pages(add_people())
    connect_accounts(transport)
    add_bookings(datetime.now(UTC))
