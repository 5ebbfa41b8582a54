"""チーム: invitations, roles and leaving; neither workspace nor pages are left without an owner."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.test import Client

from awase.domain.health import Service
from awase.jobs.periodic import TABLE
from awase.models import BookingPage, Condition, Connection, Credential, Effect, Invitation, Member, Role, User
from awase.services import team
from awase.services.team import Objected, Objection
from tests.services.conftest import utcnow
from tests.web.conftest import text_of


@pytest.fixture
def browser(log_in: Callable[[Any], Client], owner: Member) -> Client:
    return log_in(owner)


def invited(browser: Client, work: Callable[[], None], email: str = "new@minato.example", role: str = "member") -> str:
    assert browser.post("/app/team/invite", {"email": email, "role": role}).status_code == 302
    work()
    found = re.search(r"/app/invitations/\d+/\w+", str(mail.outbox[-1].body))
    assert found and mail.outbox[-1].to == [email]
    return found[0]


def test_somebody_is_invited_by_mail_and_joins(browser: Client, workspace: Any, work: Any) -> None:
    link = invited(browser, work)
    assert "new@minato.example" in text_of(browser.get("/app/team"))
    guest = Client(SERVER_NAME="awase.test")
    assert "new@minato.example" in text_of(guest.get(link))
    assert guest.post(link, {"name": "Nishi", "password": "short"}).status_code == 400
    assert guest.post(link, {"name": "Nishi", "password": "correct-horse-7"})["Location"] == "/app/start"
    member = Member.objects.get(user__email="new@minato.example")
    assert (member.workspace, member.role, member.name) == (workspace, Role.MEMBER, "Nishi")
    assert guest.get("/app/").status_code == 200
    assert Client(SERVER_NAME="awase.test").get(link).status_code == 410


def test_no_secret_of_an_invitation_is_stored(browser: Client, work: Any) -> None:
    link = invited(browser, work)
    secret = link.rpartition("/")[2]
    assert secret not in str(list(Invitation.objects.values())) + str(list(Effect.objects.values()))


def test_whoever_has_an_account_logs_in_to_join(
    browser: Client, stranger: Member, log_in: Callable[[Any], Client], workspace: Any, work: Any
) -> None:
    link = invited(browser, work, email=stranger.user.email)
    outside = Client(SERVER_NAME="awase.test")
    assert "Log in with it to join." in text_of(outside.get(link, headers={"Accept-Language": "en"}))
    assert outside.post(link, {"name": "x", "password": "correct-horse-7"}).status_code == 400
    assert not Member.objects.filter(workspace=workspace, user=stranger.user).exists()
    assert log_in(stranger).post(link).status_code == 302
    assert Member.objects.filter(workspace=workspace, user=stranger.user).exists()


def test_an_invitation_runs_out_is_taken_back_and_replaced(browser: Client, work: Any) -> None:
    first = invited(browser, work)
    second = invited(browser, work)
    outside = Client(SERVER_NAME="awase.test")
    assert outside.get(first).status_code == 410
    with time_machine.travel(utcnow() + timedelta(days=15), tick=False):
        assert outside.get(second).status_code == 410
    browser.post(f"/app/team/invitations/{Invitation.objects.get().pk}/withdraw")
    assert outside.get(second).status_code == 410


def test_roles_are_given_by_those_who_may(
    browser: Client, log_in: Callable[[Any], Client], owner: Member, teammate: Member
) -> None:
    browser.post(f"/app/team/{teammate.pk}/role", {"role": "admin"})
    teammate.refresh_from_db()
    assert teammate.role == Role.ADMIN
    admin = log_in(teammate)
    assert "Only a workspace owner" in text_of(
        admin.post(f"/app/team/{owner.pk}/role", {"role": "member"}, follow=True)
    )
    assert "your own role" in text_of(admin.post(f"/app/team/{teammate.pk}/role", {"role": "member"}, follow=True))
    owner.refresh_from_db()
    assert owner.role == Role.OWNER


def test_plain_members_and_strangers_change_nothing(
    log_in: Callable[[Any], Client], owner: Member, teammate: Member, stranger: Member
) -> None:
    for other, expected in ((teammate, 403), (stranger, 404)):
        browser = log_in(other)
        assert browser.post(f"/app/team/{owner.pk}/role", {"role": "member"}).status_code == expected
        assert browser.post(f"/app/team/{owner.pk}/leave", {}).status_code == 404
    assert log_in(teammate).post("/app/team/invite", {"email": "x@x.example", "role": "member"}).status_code == 403
    assert not Invitation.objects.exists()


def test_the_last_owner_stays(browser: Client, owner: Member, teammate: Member) -> None:
    answer = browser.post(f"/app/team/{owner.pk}/leave", {"heir": teammate.pk})
    assert answer.status_code == 409 and "A workspace always has an owner." in text_of(answer)


def test_taking_somebody_out_is_not_offered_where_it_would_be_refused(
    log_in: Callable[[Any], Client], browser: Client, owner: Member, teammate: Member
) -> None:
    Member.objects.filter(pk=teammate.pk).update(role=Role.ADMIN)
    away = f"/app/team/{owner.pk}/leave"
    for viewer, why in (
        (browser, "Make somebody else an owner first."),
        (log_in(teammate), "Only a workspace owner can do this."),
    ):
        page = viewer.get("/app/team")
        assert away not in page.content.decode() and why in text_of(page)
        asked = viewer.get(away)
        assert why in text_of(asked) and "Leave now" not in text_of(asked) and 'name="heir"' not in str(asked.content)
    assert f"/app/team/{teammate.pk}/leave" in browser.get("/app/team").content.decode()
    Member.objects.filter(pk=teammate.pk).update(role=Role.OWNER)
    assert away in browser.get("/app/team").content.decode(), "there is another owner now"


def test_two_owners_who_take_each_others_role_at_once_leave_one(owner: Member, teammate: Member) -> None:
    Member.objects.filter(pk=teammate.pk).update(role=Role.OWNER)
    first, second = Member.objects.get(pk=owner.pk), Member.objects.get(pk=teammate.pk)
    team.set_role(first, Member.objects.get(pk=second.pk), Role.MEMBER)
    with pytest.raises(PermissionDenied):
        team.set_role(second, Member.objects.get(pk=first.pk), Role.MEMBER)
    assert list(Member.objects.filter(role=Role.OWNER)) == [owner]
    with pytest.raises(Objected) as found:
        team.set_role(owner, owner, Role.MEMBER)
    assert found.value.objection is Objection.OWN_ROLE


def test_leaving_hands_pages_and_bookings_over_in_one_step_disconnects_accounts_and_frees_what_was_stopped(
    browser: Client, owner: Member, teammate: Member, connect: Any, page_of: Any, free_start: Any, book: Any, work: Any
) -> None:
    for member in (owner, teammate):
        connect(member, Service.GOOGLE)
        member.refresh_from_db()
    shared: BookingPage = page_of(owner, teammate, slug="shared", condition=Condition.ANY)
    theirs: BookingPage = page_of(teammate, slug="theirs")
    alone = book(theirs, free_start(theirs))
    by_turn = [book(shared, free_start(shared, nth), email=f"{nth}@guest.example") for nth in (40, 80)]
    address = f"/app/team/{teammate.pk}/leave"
    asked = text_of(browser.get(address))
    assert "Theirs" in asked and "2 bookings are still to come." in asked and "Remove now" not in asked
    assert "Choose who takes them over" in text_of(browser.post(address, {}))
    shown = text_of(browser.get(address, {"heir": owner.pk}))
    assert "Tanaka becomes the owner" in shown and shown.count("goes to Tanaka") == 2
    assert browser.post(address, {"heir": owner.pk}).status_code == 302
    theirs.refresh_from_db()
    assert theirs.owner == owner
    assert [[link.member for link in page.page_members.all()] for page in (shared, theirs)] == [[owner]] * 2
    assert {row.member for one in (alone, *by_turn) for row in one.host_times.all()} == {owner}
    assert not Connection.objects.filter(member=teammate).exists()
    assert "Sato has left the workspace." in text_of(browser.get("/app/team"))
    assert teammate.name not in text_of(browser.get("/app/team"))
    work()
    told = [message for message in mail.outbox if message.to == ["hanako@guest.example"]]
    assert "Tanaka" in str(told[-1].body)


def test_what_nobody_can_take_over_stays_with_the_member_until_it_is_moved(
    browser: Client, owner: Member, teammate: Member, connect: Any, page_of: Any, free_start: Any, book: Any
) -> None:
    for member in (owner, teammate):
        connect(member, Service.GOOGLE)
        member.refresh_from_db()
    mine, theirs = page_of(owner, slug="mine"), page_of(teammate, slug="theirs")
    start = free_start(theirs)
    book(mine, start, email="mine@guest.example")
    stuck = book(theirs, start)
    address = f"/app/team/{teammate.pk}/leave"
    assert "nobody can take it" in text_of(browser.get(address, {"heir": owner.pk}))
    answer = browser.post(address, {"heir": owner.pk})
    assert answer.status_code == 409 and "1 booking could not be handed over." in text_of(answer)
    assert f'href="/app/bookings/{stuck.uid}"' in answer.content.decode()
    assert [row.member for row in stuck.host_times.all()] == [teammate]
    theirs.refresh_from_db()
    assert theirs.owner == owner and Member.objects.get(pk=teammate.pk).left_at is None
    browser.post(f"/app/bookings/{stuck.uid}/cancel")
    assert browser.post(address, {}).status_code == 302


def test_nobody_hands_over_for_others_or_to_another_workspace(
    owner: Member, teammate: Member, stranger: Member, page_of: Any
) -> None:
    page = page_of(owner, slug="mine")
    for by, heir in ((teammate, teammate), (owner, stranger)):
        with pytest.raises(PermissionDenied):
            team.hand_over(by, owner, heir, utcnow())
    with pytest.raises(Objected):
        team.hand_over(owner, owner, teammate, utcnow())  # the last owner
    page.refresh_from_db()
    assert page.owner == owner


def test_a_large_team_comes_in_sheets_and_is_searched_by_name_and_mail_address(browser: Client, workspace: Any) -> None:
    users = User.objects.bulk_create(
        User(email=f"{number}@crowd.example", name=f"Person {number}") for number in range(60)
    )
    Member.objects.bulk_create(Member(workspace=workspace, user=user) for user in users)
    first = browser.get("/app/team")
    second = browser.get(first.context["pager"]["next_url"])
    assert (len(first.context["people"]), len(second.context["people"])) == (50, 11)
    for query in ("Person 59", "59@crowd"):
        found = browser.get("/app/team", {"q": query})
        assert [person["name"] for person in found.context["people"]] == ["Person 59"]
    assert "There is nobody of this name" in text_of(browser.get("/app/team", {"q": "x y z"}))


def test_whoever_has_left_does_not_get_in_and_can_be_invited_again(
    browser: Client, log_in: Callable[[Any], Client], owner: Member, teammate: Member, work: Any
) -> None:
    theirs = log_in(teammate)
    browser.post(f"/app/team/{teammate.pk}/leave", {})
    assert theirs.get("/app/").status_code == 403
    link = invited(browser, work, email=teammate.user.email)
    assert theirs.post(link).status_code == 302
    assert theirs.get("/app/").status_code == 200


def test_whoever_belongs_to_several_workspaces_goes_from_one_to_the_other(
    browser: Client, owner: Member, stranger: Member, teammate: Member, log_in: Callable[[Any], Client], work: Any
) -> None:
    link = invited(browser, work, email=stranger.user.email)
    theirs = log_in(stranger)
    assert "app/workspace" not in theirs.get("/app/").content.decode()
    theirs.post(link)
    joined = Member.objects.get(workspace=owner.workspace, user=stranger.user)
    assert theirs.get("/app/team").context["people"][0]["name"] == owner.name  # where they were invited to just now
    assert "Stranger &amp; Co." in theirs.get("/app/").content.decode()
    assert theirs.post("/app/workspace", {"member": stranger.pk}).status_code == 302
    assert [person["name"] for person in theirs.get("/app/team").context["people"]] == ["Stranger"]
    for foreign in (teammate.pk, ""):
        assert theirs.post("/app/workspace", {"member": foreign}).status_code == 404
    theirs.post("/app/workspace", {"member": joined.pk})
    assert theirs.get("/api/v1/pages").status_code == 200
    browser.post(f"/app/team/{joined.pk}/leave", {})
    assert [person["name"] for person in theirs.get("/app/team").context["people"]] == ["Stranger"]


def test_the_accounts_of_somebody_who_left_go_even_if_the_process_died_over_it(
    owner: Member, teammate: Member, connect: Any
) -> None:
    link = connect(teammate, Service.GOOGLE)
    Member.objects.filter(pk=teammate.pk).update(left_at=utcnow())  # all that was written before it died
    kept = connect(owner, Service.GOOGLE)
    for task in TABLE:
        task.run(utcnow())
    assert list(Connection.objects.all()) == [kept]
    assert not Credential.objects.filter(pk=link.credential_id).exists()
