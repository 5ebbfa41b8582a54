"""Reading accounts and their state, and checking one at once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from awase.domain.health import Service
from awase.models import BookingPage, Calendar, Connection, ConnectionChange, Credential, Member, Role
from awase.services import checks
from awase.services.signals import Cause
from tests.api.conftest import Program


def test_an_account_is_told_with_its_state_and_calendars(
    page: BookingPage, owner: Member, calendar: Connection, program: Callable[..., Program]
):
    (account,) = program(owner).get("connections").body["items"]
    assert (account["service"], account["account"], account["in_use"]) == ("google", "tanaka@google.example", True)
    assert (account["standing"], account["reason"], account["what"], account["why"]) == ("ok", None, "", "")
    (only,) = account["calendars"]
    assert (only["checked"], only["receives_bookings"], only["missing_since"]) == (True, True, None)


def test_a_broken_account_says_what_happened_and_since_when(
    page: BookingPage,
    owner: Member,
    calendar: Connection,
    break_account: Callable[..., None],
    clock: Any,
    program: Callable[..., Program],
):
    clock.shift(300)
    break_account(calendar)
    checks.check(calendar.credential_id, Cause.CHECK, datetime.now(UTC))
    (account,) = program(owner).get("connections").body["items"]
    assert (account["standing"], account["reason"], account["since"]) == ("error", "revoked", "2026-11-30T00:05:00Z")
    assert account["what"] == "Cannot connect to Google Calendar (tanaka@google.example)."
    assert account["why"] == "Access was withdrawn at the service. Please reconnect the account."


def test_an_account_that_nobody_read_in_time_counts_as_in_error_by_our_fault_since_its_tolerance_ran_out(
    page: BookingPage, owner: Member, clock: Any, program: Callable[..., Program]
):
    clock.shift(3600)
    (account,) = program(owner).get("connections").body["items"]
    assert (account["standing"], account["reason"]) == ("error", "operator")
    assert account["since"] == "2026-11-30T00:15:00Z"


def test_a_missing_capability_is_told_beside_a_good_state(
    page: BookingPage, owner: Member, program: Callable[..., Program]
):
    Credential.objects.update(lacking={"meet": "licence_missing"})
    (account,) = program(owner).get("connections").body["items"]
    assert account["standing"] == "ok"
    (lacking,) = account["lacking"]
    assert (lacking["capability"], lacking["reason"]) == ("meet", "licence_missing")
    assert lacking["sentence"].endswith("Have a licence given to the account, then check now, or use another location.")


def test_meet_that_is_refused_in_the_receiving_calendar_is_told_where_a_page_needs_it(
    page: BookingPage, owner: Member, program: Callable[..., Program]
):
    Calendar.objects.update(meet_allowed=False)

    def lacking() -> list[tuple[str, str]]:
        (account,) = program(owner).get("connections").body["items"]
        assert account["standing"] == "ok"
        return [(one["capability"], one["reason"]) for one in account["lacking"]]

    page.locations.all().delete()
    assert lacking() == []
    page.locations.create(kind="meet", position=0)
    assert lacking() == [("meet", "licence_missing")]


def test_checking_notices_that_an_account_broke_and_that_it_works_again(
    page: BookingPage,
    owner: Member,
    calendar: Connection,
    sandbox: Any,
    clock: Any,
    program: Callable[..., Program],
):
    from sandbox import faults

    account = sandbox.account("google", calendar.credential.account_email)
    caller = program(owner)
    faults.set_fault(sandbox, account, "admin_blocked")
    clock.shift(7200)
    assert caller.post(f"connections/{calendar.pk}/check").body["reason"] == "admin_blocked"
    assert caller.get("pages/consult").body["open"] is False
    faults.set_fault(sandbox, account, "ok")
    checked = caller.post(f"connections/{calendar.pk}/check")
    assert (checked.status, checked.body["standing"]) == (200, "ok")
    assert caller.get("pages/consult").body["open"] is True


def test_members_see_their_own_accounts_and_admins_all(
    owner: Member,
    teammate: Member,
    new_member: Callable[..., Member],
    connect: Callable[..., Connection],
    program: Callable[..., Program],
):
    admin = new_member("Kato", owner.workspace, Role.ADMIN)
    links = [connect(owner), connect(teammate), connect(teammate, Service.ZOOM)]

    def seen(member: Member) -> list[int]:
        return [account["id"] for account in program(member).get("connections").body["items"]]

    assert seen(teammate) == [links[1].pk, links[2].pk]
    assert seen(admin) == seen(owner) == [link.pk for link in links]


def test_admins_read_of_others_only_the_calendars_that_are_in_use(
    owner: Member, teammate: Member, connect: Callable[..., Connection], program: Callable[..., Program]
):
    link = connect(teammate)
    Calendar.objects.create(connection=link, external_id="private", name="Private matters")

    def names(member: Member) -> list[str]:
        (account,) = program(member).get("connections").body["items"]
        return [calendar["name"] for calendar in account["calendars"]]

    assert "Private matters" in names(teammate)
    assert "Private matters" not in names(owner)
    assert len(names(owner)) == 1


def test_the_number_of_queries_does_not_grow_with_the_accounts(
    owner: Member,
    calendar: Connection,
    new_member: Callable[..., Member],
    connect: Callable[..., Connection],
    program: Callable[..., Program],
    queries: Callable[..., int],
):
    caller = program(owner)
    caller.get("connections")
    before = queries(lambda: caller.get("connections"))
    for name in ("Ito", "Mori", "Abe"):
        connect(new_member(name, owner.workspace))
    assert queries(lambda: caller.get("connections")) == before


def test_the_history_tells_each_change_with_its_reason_and_the_hours_of_each_day(
    page: BookingPage,
    owner: Member,
    calendar: Connection,
    break_account: Callable[..., None],
    program: Callable[..., Program],
):
    break_account(calendar)
    checks.check(calendar.credential_id, Cause.CHECK, datetime.now(UTC))
    ConnectionChange.objects.filter(standing="error").update(at=datetime.now(UTC) - timedelta(days=1))
    told = program(owner).get(f"connections/{calendar.pk}/history").body
    (broke,) = [change for change in told["changes"] if change["standing"] == "error"]
    assert (broke["reason"], broke["cause"]) == ("revoked", "check")
    assert broke["what"] == "Access was withdrawn at the service."
    assert len(told["days"]) == 90 and told["days"][-2]["error"] > 0
    stranger = program(owner).get(f"connections/{calendar.pk + 1}/history")
    assert stranger.status == 404
