"""How often the database is asked does not depend on how much there is: members with accounts, pages, bookings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from awase.domain.errors import Failure, FailureClass, FailureScope, Reason
from awase.domain.health import LocationKind, Service
from awase.models import BookingPage, Condition, Member, PageChange, PageGroup, PageHealth, PageMember
from awase.services import pages
from awase.services.health import renew
from awase.services.signals import Cause, Good, record
from awase.services.slots import offer
from tests.services.conftest import utcnow

pytestmark = pytest.mark.django_db


def queries(act: Callable[[], object]) -> int:
    act()  # what is remembered for a while is not counted
    with CaptureQueriesContext(database) as asked:
        act()
    return len(asked)


@pytest.fixture
def joined(new_member: Any, workspace: Any, connect: Any) -> Callable[..., Member]:
    """joined(page, name): one member more, with accounts of their own."""

    def join(page: BookingPage, name: str) -> Member:
        member: Member = new_member(name, workspace)
        for service in (Service.GOOGLE, Service.ZOOM):
            connect(member, service)
        PageMember.objects.create(page=page, member=member, position=page.page_members.count())
        for group in page.groups.all():
            group.members.add(member)
        pages.saved(page, (), utcnow())
        return member

    return join


@pytest.mark.parametrize("condition", Condition)
def test_slots_bookings_and_the_page_list_take_as_many_queries_in_a_large_workspace(
    condition: Condition, owner: Member, connect: Any, page_of: Any, joined: Any, book: Any, log_in: Any
) -> None:
    connect(owner, Service.GOOGLE)
    connect(owner, Service.ZOOM)
    owner.refresh_from_db()
    page = page_of(owner, locations=(LocationKind.ZOOM,), condition=condition)
    if condition == Condition.LIST:
        PageGroup.objects.create(page=page, needed=1).members.add(owner)
    first = joined(page, "Suzuki")
    dashboard: Client = log_in(owner)
    guest = Client(SERVER_NAME="awase.test")

    def start(nth: int) -> datetime:
        now = utcnow()
        starts = offer(page, now + timedelta(days=1), now + timedelta(days=9), now).slots.starts
        return datetime.fromtimestamp(starts[nth], utcnow().tzinfo)

    def read(client: Client, address: str, **asked: str) -> None:
        assert client.get(address, asked).status_code == 200

    def count() -> dict[str, int]:
        wanted = [start(nth) for nth in (0, -1)]
        return {
            "a month as a guest sees it": queries(lambda: read(guest, f"/minato/{page.slug}")),
            "a month as a program reads it": queries(
                lambda: read(
                    dashboard,
                    f"/api/v1/pages/{page.slug}/slots",
                    **{"from": wanted[0].isoformat(), "to": (wanted[0] + timedelta(days=7)).isoformat()},
                )
            ),
            "a booking": queries(lambda: book(page, wanted.pop())),
            "the page list": queries(lambda: read(dashboard, "/app/pages")),
        }

    small = count()
    assert all(number > 5 for number in small.values())
    for name in ("Kato", "Ito", "Mori", "Abe"):
        joined(page, name)
    for number in range(4):
        page_of(owner, first, locations=(LocationKind.ZOOM,), slug=f"more-{number}")
    for nth in range(6):
        book(page, start(2 * nth), email=f"{nth}@guest.example")
    assert count() == small


def test_an_account_that_breaks_and_works_again_takes_as_many_queries_on_hundreds_of_pages(
    owner: Member, connect: Any
) -> None:
    account = connect(owner, Service.GOOGLE).credential_id
    revoked = Failure(FailureClass.RECONNECT, FailureScope.CONNECTION, "G01", reason=Reason.REVOKED)
    now = utcnow()

    def turn(pages_wanted: int) -> tuple[int, int]:
        nonlocal now
        there = BookingPage.objects.count()
        made = BookingPage.objects.bulk_create(
            BookingPage(workspace=owner.workspace, owner=owner, title="Page", slug=f"page-{number}")
            for number in range(there, pages_wanted)
        )
        PageMember.objects.bulk_create(PageMember(page=page, member=owner, position=0) for page in made)
        renew(made, now, Cause.EDIT)
        counted = []
        for signal in (revoked, Good(full=True)):
            now += timedelta(hours=2)  # so that no notice is damped
            with CaptureQueriesContext(database) as asked:
                record(account, signal, Cause.CHECK, now)
            counted.append(len(asked))
            stopped = PageHealth.objects.filter(open=False).count()
            assert stopped == (pages_wanted if signal is revoked else 0)
            assert PageChange.objects.filter(at=now).count() == pages_wanted
        return counted[0], counted[1]

    turn(2)  # what is remembered for a while is not counted
    assert turn(3) == turn(300)
