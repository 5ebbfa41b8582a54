"""Rows 8 to 14: what breaks is known at once, what is repaired opens at once, and nobody's share vanishes."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.db import connections as connections_of_django

from awase.domain.errors import Reason
from awase.domain.health import Group, LocationKind, Service, Standing, StopKind
from awase.jobs.worker import work_once
from awase.models import (
    BookingPage,
    Condition,
    ConnectionChange,
    Credential,
    Effect,
    EffectState,
    PageChange,
    PageHealth,
)
from awase.services import booking, checks, connections, pages
from awase.services.connections import ConnectProblem, Trouble
from awase.services.health import verdict_of
from awase.services.hosts import hosts_of
from awase.services.signals import Cause
from tests.campaign.world import World
from tests.known_failures.conftest import (
    check,
    closed_to_guests,
    credential_of,
    mailed,
    override,
    seed,
    starts,
    state,
)
from tests.services.conftest import Control, utcnow


@pytest.mark.django_db
def test_row_08_invalid_grant_met_while_working_is_recorded_at_once_and_stops_the_pages(
    page: BookingPage, owner: Any, free_start: Any, book: Any, control: Control, work: Any
) -> None:
    book(page, free_start(page))
    control.revoke("google", owner.user.email)
    work()  # nobody opens the settings, no check is due: writing the event meets it
    change = ConnectionChange.objects.filter(credential=credential_of(owner)).latest("pk")
    assert (change.standing, change.reason, change.cause) == (Standing.ERROR, Reason.REVOKED, Cause.CALL)
    stopped = PageChange.objects.filter(page=page).latest("pk")
    assert not stopped.opened and stopped.at == change.at
    assert closed_to_guests(page)


@pytest.fixture
def looking_on(world: World) -> Iterator[Callable[[int, int], Any]]:
    """looking_on(account, page): while it lasts, another connection to the database looks at both before each
    statement of ours, and gives the states that it saw, in order."""

    def look(account: int, page: int) -> tuple[str, bool]:
        seen = BookingPage.objects.filter(pk=page, page_members__member__connections__credential=account)
        return seen.values_list("page_members__member__connections__credential__standing", "health__open").get()

    with ThreadPoolExecutor(1) as elsewhere:

        @contextmanager
        def go(account: int, page: int) -> Iterator[list[tuple[str, bool]]]:
            states: list[tuple[str, bool]] = []

            def before(execute: Any, *statement: Any) -> Any:
                now = elsewhere.submit(look, account, page).result()
                if now not in states[-1:]:
                    states.append(now)
                return execute(*statement)

            with connection.execute_wrapper(before):
                yield states
            states += [now for now in [look(account, page)] if now not in states[-1:]]

        yield go
        elsewhere.submit(connections_of_django.close_all).result()


def test_row_08_nobody_ever_sees_the_broken_account_beside_its_open_page(world: World, looking_on: Any) -> None:
    page = BookingPage.objects.get(slug="all")
    account = Credential.objects.get(connections__member=page.owner, service=Service.GOOGLE)
    world.book(page, world.starts(page)[0])
    world.control(f"accounts/google/{account.account_email}/revoke")
    with looking_on(account.pk, page.pk) as seen:
        work_once()
    assert seen == [(Standing.OK, True), (Standing.ERROR, False)], "in the same transaction"


def test_row_10_nobody_ever_sees_the_reconnected_account_beside_its_closed_page(world: World, looking_on: Any) -> None:
    page = BookingPage.objects.get(slug="all")
    link = page.owner.connections.select_related("credential", "member__user").get(credential__service=Service.GOOGLE)
    world.control(f"accounts/google/{link.credential.account_email}/revoke")
    checks.check(link.credential_id, Cause.CHECK, world.now())
    with looking_on(link.credential_id, page.pk) as seen:
        world.connect(link.member, Service.GOOGLE, link.credential.account_email, again=link)
    assert seen == [(Standing.ERROR, False), (Standing.OK, True)], "in the same transaction"


@pytest.mark.django_db
def test_row_10_a_new_grant_opens_nothing_before_every_calendar_in_use_was_read(
    owner: Any, second_calendar: Any, page_of: Any, connect: Any, control: Control, sandbox: Any
) -> None:
    link = second_calendar.connection
    page = page_of(owner)
    control.revoke("google", owner.user.email)
    check(owner)
    Credential.objects.update(last_good=utcnow() - timedelta(hours=1))
    override(control, Service.GOOGLE, owner, "events.list", 503)
    connect(owner, Service.GOOGLE, again=link)
    assert closed_to_guests(page), "the grant is new and good, and says nothing about the calendars"

    control.repair("google", owner.user.email)
    sandbox.requests.clear()
    connect(owner, Service.GOOGLE, again=link)
    read = {call["path"].split("/")[-2] for call in sandbox.requests if call["operation"] == "events.list"}
    assert len(read) == 2 and not closed_to_guests(page)


@pytest.mark.django_db
def test_row_09_a_later_success_clears_the_mark_opens_the_pages_and_takes_the_banner_away(
    page: BookingPage, owner: Any, control: Control, log_in: Any
) -> None:
    control.fault("google", owner.user.email, "disabled")
    check(owner)
    assert closed_to_guests(page)
    browser = log_in(owner)
    banner = "/app/connections"
    before = browser.get("/app/banner").content.decode()
    assert banner in before
    control.repair("google", owner.user.email)
    check(owner)
    assert state(owner) == (Standing.OK, None)
    assert not closed_to_guests(page) and PageHealth.objects.get(page=page).open
    assert banner not in browser.get("/app/banner").content.decode()


@pytest.mark.django_db
def test_row_10_reconnecting_the_same_account_keeps_connection_and_ticks_and_opens_the_pages(
    owner: Any, second_calendar: Any, page_of: Any, connect: Any, control: Control, book: Any
) -> None:
    link = second_calendar.connection
    chosen = {second_calendar.pk}
    connections.set_use(owner, link, checked=chosen, go_on_without=chosen, now=utcnow())
    page = page_of(owner)
    start = starts(page)[0]
    control.revoke("google", owner.user.email)
    check(owner)
    assert not PageHealth.objects.get(page=page).open
    old_token = credential_of(owner).secret["refresh_token"]

    again = connect(owner, Service.GOOGLE, again=link)
    assert again.pk == link.pk
    assert set(again.calendars.filter(checked=True, go_on_without=True).values_list("pk", flat=True)) == chosen
    assert credential_of(owner).secret["refresh_token"] != old_token, "the new token is the one that is kept"
    assert PageHealth.objects.get(page=page).open
    opened = PageChange.objects.filter(page=page).latest("pk")
    cured = ConnectionChange.objects.filter(credential=link.credential).latest("pk")
    assert opened.opened and opened.at == cured.at and opened.cause == Cause.RECONNECTED
    assert book(page, start).start == start


@pytest.mark.django_db
def test_row_11_reconnecting_another_account_by_mistake_is_explained_and_nothing_is_stored(
    page: BookingPage, owner: Any, connect: Any, control: Control
) -> None:
    link = owner.connections.get(credential__service=Service.GOOGLE)
    control.revoke("google", owner.user.email)
    check(owner)
    before = list(Credential.objects.order_by("pk").values())
    with pytest.raises(ConnectProblem) as problem:
        connect(owner, Service.GOOGLE, again=link, email="private@minato.example")
    assert problem.value.trouble is Trouble.OTHER_ACCOUNT
    assert (problem.value.expected, problem.value.got) == (owner.user.email, "private@minato.example")
    assert list(Credential.objects.order_by("pk").values()) == before
    assert closed_to_guests(page)

    other = connect(owner, Service.GOOGLE, email="private@minato.example")  # asked for as an additional account
    assert other.pk != link.pk and owner.connections.filter(credential__service=Service.GOOGLE).count() == 2
    link.credential.refresh_from_db()
    assert link.credential.standing == Standing.ERROR and closed_to_guests(page), "which repairs nothing"


@pytest.mark.django_db
def test_row_12_automatic_assignment_goes_on_with_the_eligible_members(
    team: Any, page_of: Any, control: Control, book: Any
) -> None:
    owner, teammate = team
    page = page_of(owner, teammate, locations=(LocationKind.ZOOM,), condition=Condition.ANY)
    busy = starts(page)[4].replace(minute=0)
    seed(control, teammate, busy)
    for member in team:
        check(member)
    control.revoke("google", owner.user.email)
    check(owner)
    offered = starts(page)
    assert offered and busy not in offered, "the broken member is not assumed to be free"
    assert hosts_of(book(page, offered[0])) == [teammate]


@pytest.mark.django_db
def test_row_13_a_fixed_host_who_breaks_beside_a_pool_stops_the_page(
    team: Any, new_member: Any, workspace: Any, connect: Any, page_of: Any, control: Control, book: Any
) -> None:
    fixed, first = team
    second = new_member("Suzuki", workspace)
    connect(second, Service.GOOGLE)
    page = page_of(fixed, first, second)
    groups = (Group((fixed.pk,)), Group((first.pk, second.pk), needed=1))
    ids = (fixed.pk, first.pk, second.pk)
    pages.set_people(
        page,
        replace(pages.people_of(page), condition=Condition.LIST, groups=groups, member_ids=ids),
        utcnow(),
        by=page.owner,
    )
    offered = starts(page)
    assert offered
    control.revoke("google", fixed.user.email)
    check(fixed)
    verdict = verdict_of(page, utcnow())
    assert verdict.stop_kinds == (StopKind.CALENDAR,)
    assert starts(page) == []
    with pytest.raises(booking.Refused):
        book(page, offered[0])


@pytest.mark.django_db
def test_row_14_a_meeting_service_that_is_broken_stops_the_page_before_anybody_books(
    page: BookingPage, owner: Any, control: Control, book: Any
) -> None:
    start = starts(page)[0]
    control.revoke("zoom", owner.user.email)
    check(owner, Service.ZOOM)
    assert closed_to_guests(page)
    with pytest.raises(booking.Refused) as refused:
        book(page, start)
    assert refused.value.refusal is booking.Refusal.NOT_ACCEPTING


@pytest.mark.django_db
def test_row_14_a_meeting_service_that_breaks_at_the_last_moment_parks_the_link_and_tells_everybody_honestly(
    page: BookingPage, owner: Any, control: Control, connect: Any, free_start: Any, book: Any, work: Any
) -> None:
    taken = book(page, free_start(page))
    control.revoke("zoom", owner.user.email)
    work()
    parked = Effect.objects.get(booking=taken, kind="meeting")
    assert parked.state == EffectState.PARKED and parked.parked_reason
    to_guest = next(message for message in mail.outbox if message.to == ["hanako@guest.example"])
    assert "https://" not in to_guest.body.split("場所")[1].split("\n")[0], "no other service slips in"
    assert "別のメール" in to_guest.body
    assert owner.user.email in mailed()

    connect(owner, Service.ZOOM, again=owner.connections.get(credential__service=Service.ZOOM))
    mail.outbox.clear()
    work()
    taken.refresh_from_db()
    assert taken.join_url.startswith("https://") and len(control.account("zoom", owner.user.email)["meetings"]) == 1
    assert any(taken.join_url in message.body for message in mail.outbox if message.to == ["hanako@guest.example"])
