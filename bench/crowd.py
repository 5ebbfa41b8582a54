"""A workspace as large as they come: people, pages and bookings by the hundred, some names as long as names can be.

Rows are written straight, since no rule is under test here; the overlap guards of the database still hold. Whoever
imports this has set Django up.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from django.db import transaction

from awase.domain.errors import Reason
from awase.domain.health import Service, Standing
from awase.models import (
    Absence,
    Booking,
    BookingChange,
    BookingPage,
    BookingState,
    Calendar,
    Condition,
    Connection,
    Credential,
    Effect,
    EffectKind,
    EffectState,
    HostTime,
    Location,
    Member,
    PageMember,
    Room,
    User,
    WeeklySchedule,
)
from awase.services.health import renew
from awase.services.signals import Cause

OFFICE_HOURS = [[[540, 1080]]] * 5 + [[], []]
NAMES = ("佐藤 美咲", "鈴木 健一", "Olivia Brown", "高橋 直樹", "Priya Natarajan", "伊藤 さくら", "渡辺 大輔")
LONG_NAMES = (
    "寿限無寿限無五劫の擦り切れ海砂利水魚の水行末雲来末風来末食う寝る処に住む処",
    "Wolfeschlegelsteinhausenbergerdorffwelche" * 2,
)
TITLES = ("オンライン相談", "製品デモ", "Interview", "採用面談", "Support call", "契約の打ち合わせ")
LONG_TITLES = (
    "次世代基幹業務統合管理基盤導入検討合同説明会兼個別相談会" * 4,
    "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerk" * 2,
)
EVERY, BROKEN = 23, 4  # of that many one has a long name, and one a broken account
SPAN = 60  # days back and ahead over which bookings are spread


def fill(owner: Member, members: int, pages: int, bookings: int, now: datetime) -> None:
    """Add this many members, pages and bookings to the owner's workspace; the first page has all of the members."""
    with transaction.atomic():
        added = _people(owner, members, now)
        people = [owner, *added]
        _rest(owner, people, now)
        made = _pages(people, pages, now)
        _bookings(made, added, bookings, now)


def _names(number: int, usual: Sequence[str], long: Sequence[str]) -> str:
    name = long[number // EVERY % len(long)] if number % EVERY == 1 else usual[number % len(usual)]
    return name if number < len(usual) or number % EVERY == 1 else f"{name} {number}"


def _people(owner: Member, count: int, now: datetime) -> list[Member]:
    slug, there = owner.workspace.slug, Member.objects.count()
    users = User.objects.bulk_create(
        User(
            email=f"{slug}-{there + number}@crowd.example",
            name=_names(number, NAMES, LONG_NAMES),
            time_zone=owner.user.time_zone,
        )
        for number in range(count)
    )
    found = Member.objects.bulk_create(Member(workspace=owner.workspace, user=user) for user in users)
    WeeklySchedule.objects.bulk_create(
        WeeklySchedule(member=member, name="平日", time_zone=owner.user.time_zone, weekly=OFFICE_HOURS)
        for member in found
    )
    accounts = Credential.objects.bulk_create(
        Credential(
            service=Service.GOOGLE,
            account_id=user.email,
            account_email=user.email,
            secret={},
            standing=Standing.ERROR if number % EVERY == BROKEN else Standing.OK,
            reason=Reason.REVOKED if number % EVERY == BROKEN else "",
            since=now - timedelta(days=3),
            last_good=now,
            last_checked=now,
        )
        for number, user in enumerate(users)
    )
    links = Connection.objects.bulk_create(
        Connection(member=member, credential=account) for member, account in zip(found, accounts, strict=True)
    )
    Calendar.objects.bulk_create(
        Calendar(connection=link, external_id="primary", name="Calendar", checked=True) for link in links
    )
    return found


def _rest(owner: Member, people: Sequence[Member], now: datetime) -> None:
    """A room, a template and an absence for every tenth of the people."""
    WeeklySchedule.objects.bulk_create(
        WeeklySchedule(
            member=owner,
            name=_names(number, TITLES, LONG_TITLES)[:80],
            time_zone=owner.user.time_zone,
            weekly=OFFICE_HOURS,
            is_default=False,
        )
        for number in range(len(people) // 10)
    )
    Room.objects.bulk_create(
        Room(
            workspace=owner.workspace,
            service=Service.GOOGLE,
            address=f"room-{number}-{len(people)}@crowd.example",
            name=_names(number, ("会議室", "Room"), LONG_TITLES),
        )
        for number in range(len(people) // 10)
    )
    Absence.objects.bulk_create(
        Absence(member=member, first=now.date(), last=now.date() + timedelta(days=3), note="夏季休暇")
        for member in people[::10]
    )


def _pages(people: Sequence[Member], count: int, now: datetime) -> list[BookingPage]:
    there = BookingPage.objects.count()
    made = BookingPage.objects.bulk_create(
        BookingPage(
            workspace=people[0].workspace,
            owner=people[number % len(people)],
            title=_names(number, TITLES, LONG_TITLES)[:120],
            slug=f"crowd-{there + number}",
            condition=Condition.ALL if number % 2 else Condition.ANY,
            time_zone=people[0].user.time_zone,
        )
        for number in range(count)
    )
    PageMember.objects.bulk_create(
        PageMember(page=page, member=people[(number + place) % len(people)], position=place)
        for number, page in enumerate(made)
        for place in range(3 if number else len(people))
    )
    Location.objects.bulk_create(
        Location(page=page, kind="zoom" if number % EVERY == 2 else "in_person", detail="東京都港区みなと1-2-3")
        for number, page in enumerate(made)
    )
    renew(made, now, Cause.EDIT)
    return made


def _bookings(pages: Sequence[BookingPage], hosts: Sequence[Member], count: int, now: datetime) -> None:
    """Each with one host; of each few dozen one was cancelled, one is a request, and one waits for a repair."""
    today = datetime.combine(now.date(), time(1), tzinfo=UTC)
    made = []
    for number in range(count):
        turn, host = divmod(number, len(hosts))
        round_, day = divmod(turn, SPAN // 2)  # every few days, again and again at another hour
        begins = today + timedelta(days=4 * day - SPAN + host % 4, hours=round_ + host % 5)
        ahead = begins > now
        part = number % EVERY
        state = BookingState.CANCELLED if part == 1 else BookingState.CONFIRMED
        page = pages[number % len(pages)]
        made.append(
            Booking(
                workspace=page.workspace,
                page=page,
                state=BookingState.REQUESTED if part == 2 and ahead else state,
                start=begins,
                end=begins + timedelta(minutes=30),
                title=page.title,
                guest_name=_names(number, NAMES, LONG_NAMES),
                guest_email=f"guest-{number % (count // 2 + 1)}@guest.example",
                location_kind="in_person",
                answer_by=begins if part == 2 else None,
                no_show_at=None if ahead or part != 3 else begins,
                created_at=begins - timedelta(days=number % 40, hours=2),
            )
        )
    Booking.objects.bulk_create(made)
    HostTime.objects.bulk_create(
        HostTime(
            booking=booking,
            member=hosts[number % len(hosts)],
            start=booking.start,
            end=booking.end,
            active=booking.state != BookingState.CANCELLED,
        )
        for number, booking in enumerate(made)
    )
    BookingChange.objects.bulk_create(
        BookingChange(booking=booking, at=booking.created_at, what="booked") for booking in made
    )
    Effect.objects.bulk_create(
        Effect(
            kind=EffectKind.EVENT,
            key=f"crowd:{booking.uid}",
            booking=booking,
            state=EffectState.PARKED,
            parked_reason=Reason.REVOKED,
            next_at=now,
        )
        for booking in made[::EVERY]
    )
