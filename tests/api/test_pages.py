"""Reading pages and their slots, with the gate's answer."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from awase.api.pages import CureKind, kind_of
from awase.domain import parts
from awase.models import BookingPage, Connection, Location, Member
from awase.services import checks, pages
from awase.services.signals import Cause
from tests.api.conftest import Program

DAY = {"from": "2026-12-01T00:00:00+09:00", "to": "2026-12-02T00:00:00+09:00"}


@pytest.fixture
def stopped(page: BookingPage, calendar: Connection, break_account: Callable[..., None]) -> BookingPage:
    """The page after its owner's account broke and the periodic check noticed."""
    break_account(calendar)
    checks.check(calendar.credential_id, Cause.CHECK, datetime.now(UTC))
    return page


def test_an_open_page_tells_that_it_takes_bookings(page: BookingPage, owner: Member, program: Callable[..., Program]):
    body = program(owner).get("pages/consult").body
    assert (body["accepting"], body["accepting_manually"], body["open"]) == (True, True, True)
    assert (body["stopped"], body["cures"]) == ([], [])
    assert body["since"] == "2026-11-30T00:00:00Z"
    assert body["url"] == "https://awase.test/minato/consult"
    assert body["members"] == [{"id": owner.pk, "name": "Tanaka"}]


def test_a_stopped_page_says_why_and_what_cures_it(
    stopped: BookingPage, owner: Member, calendar: Connection, program: Callable[..., Program]
):
    body = program(owner).get("pages/consult").body
    assert (body["accepting"], body["accepting_manually"], body["open"]) == (False, True, False)
    assert (body["stopped"], body["in_error"], body["since"]) == (["calendar"], True, "2026-11-30T00:00:00Z")
    (stop,) = body["stops"]
    assert (stop["kind"], stop["reason"], stop["connection_id"]) == ("calendar", "revoked", calendar.pk)
    assert stop["what"] == "Cannot connect to Google Calendar of Tanaka (tanaka@google.example)."
    assert stop["why"] == "Access was withdrawn at the service. Please reconnect the account."
    first = body["cures"][0]
    assert first["parts"][0]["kind"] == "reconnect"
    assert first["parts"][0]["only"] == {"id": owner.pk, "name": "Tanaka"}
    assert first["sentence"] == "Reconnect"
    assert first["url"].startswith("https://awase.test/app/connections/google/connect?")


def test_the_sentences_are_in_the_language_asked_for(
    stopped: BookingPage, owner: Member, program: Callable[..., Program]
):
    japanese = program(owner).get("pages/consult", lang="ja")
    assert "再接続" in japanese.body["stops"][0]["why"]
    assert japanese.response.headers["Content-Language"] == "ja"


def test_a_program_without_a_language_of_its_own_hears_the_members(
    stopped: BookingPage, owner: Member, program: Callable[..., Program]
):
    owner.user.language = "ja"
    owner.user.save()
    assert "再接続" in program(owner).get("pages/consult").body["stops"][0]["why"]
    english = program(owner, **{"Accept-Language": "en"}).get("pages/consult")
    assert "reconnect" in english.body["stops"][0]["why"]


def test_the_owners_switch_and_the_systems_are_told_apart(
    page: BookingPage, owner: Member, program: Callable[..., Program]
):
    pages.set_accepting(page, False, datetime.now(UTC), by=page.owner)
    body = program(owner).get("pages/consult").body
    assert (body["accepting"], body["accepting_manually"], body["open"]) == (False, False, True)


def test_a_page_that_a_tolerance_stopped_unnoticed_is_stopped_without_a_since(
    page: BookingPage, owner: Member, clock: Any, program: Callable[..., Program]
):
    clock.shift(3600)
    body = program(owner).get("pages/consult").body
    assert (body["open"], body["since"]) == (False, None)
    assert body["stops"][0]["reason"] == "operator"


def test_locations_tell_whether_guests_can_choose_them(
    page: BookingPage, owner: Member, program: Callable[..., Program]
):
    for kind, detail in (("zoom", ""), ("in_person", "Minato 1-2-3")):
        Location.objects.create(page=page, kind=kind, detail=detail)
    offered = {place["kind"]: place["offered"] for place in program(owner).get("pages/consult").body["locations"]}
    assert offered == {"zoom": False, "in_person": True}


def test_slots_are_the_free_starts_in_the_zone_asked_for(
    page: BookingPage, owner: Member, program: Callable[..., Program]
):
    body = program(owner).get("pages/consult/slots", **DAY, zone="America/New_York").body
    assert (body["accepting"], body["zone"], len(body["slots"])) == (True, "America/New_York", 18)
    assert body["slots"][0]["start"] == "2026-11-30T19:00:00-05:00"
    assert body["slots"][0]["end"] == "2026-11-30T19:30:00-05:00"
    assert body["slots"][0]["host_ids"] is None


def test_slots_are_in_the_pages_own_zone_unless_asked(
    page: BookingPage, owner: Member, program: Callable[..., Program]
):
    slots = program(owner).get("pages/consult/slots", **DAY).body["slots"]
    assert slots[-1]["start"] == "2026-12-01T17:30:00+09:00"


def test_a_stopped_page_offers_no_slots(stopped: BookingPage, owner: Member, program: Callable[..., Program]):
    body = program(owner).get("pages/consult/slots", **DAY).body
    assert (body["accepting"], body["slots"]) == (False, [])


def test_guests_who_choose_their_host_are_told_who_is_free(
    page: BookingPage, owner: Member, program: Callable[..., Program]
):
    BookingPage.objects.update(condition="any", assignment="guest")
    assert program(owner).get("pages/consult/slots", **DAY).body["slots"][0]["host_ids"] == [owner.pk]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-12-01T00:00:00"}, "from"),
        ({"from": "2026-12-01"}, "from"),
        ({"from": "1764547200"}, "from"),
        ({"from": "2026-12-01T00:00:00.5Z"}, "from"),
        ({"from": "0001-01-01T00:00:00+09:00"}, "from"),
        ({"from": "2026-13-01T00:00:00Z"}, "from"),
        ({"to": "9999-12-31T23:59:59Z"}, "to"),
        ({"to": "2026-12-01T00:00:00+09:00"}, ""),
        ({"to": "2027-02-02T00:00:01+09:00"}, ""),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"zone": "Asia"}, "zone"),
        ({"zone": "a\0b"}, "zone"),
        ({"until": "2026-12-02T00:00:00Z"}, "until"),
    ],
)
def test_a_window_that_is_not_exact_is_refused(
    owner: Member, program: Callable[..., Program], query: dict[str, str], field: str
):
    answer = program(owner).get("pages/consult/slots", **(DAY | query))
    assert (answer.status, answer.code) == (422, "invalid")
    assert [error["field"] for error in answer.body["errors"]] == [field]
    assert all(error["location"] == "query" and error["message"] for error in answer.body["errors"])


def test_a_window_of_62_days_is_answered(page: BookingPage, owner: Member, program: Callable[..., Program]):
    answer = program(owner).get("pages/consult/slots", **(DAY | {"to": "2027-02-01T00:00:00+09:00"}))
    assert answer.status == 200


def test_lists_come_in_parts(page: BookingPage, owner: Member, program: Callable[..., Program]):
    for number in range(4):
        pages.create(owner, title="More", slug=f"more-{number}", now=datetime.now(UTC))
    caller = program(owner)
    first = caller.get("pages", limit=3).body
    second = caller.get("pages", limit=3, cursor=first["next"]).body
    slugs = [item["slug"] for item in first["items"] + second["items"]]
    assert slugs == ["consult", "more-0", "more-1", "more-2", "more-3"]
    assert second["next"] is None


def test_pages_that_come_and_go_between_two_parts_shift_nothing(
    page: BookingPage, owner: Member, program: Callable[..., Program]
):
    for number in range(3):
        pages.create(owner, title="More", slug=f"more-{number}", now=datetime.now(UTC))
    caller = program(owner)
    first = caller.get("pages", limit=2).body
    page.delete()
    pages.create(owner, title="Earlier", slug="aaa", now=datetime.now(UTC))
    assert [item["slug"] for item in caller.get("pages", cursor=first["next"]).body["items"]] == ["more-1", "more-2"]


@pytest.mark.parametrize("cursor", ["x", "eyJhIjoxfQ:1:2", "\0", "é"])
def test_a_cursor_of_ones_own_making_is_refused(owner: Member, program: Callable[..., Program], cursor: str):
    answer = program(owner).get("pages", cursor=cursor)
    assert (answer.status, answer.code) == (422, "invalid")
    assert answer.body["errors"][0]["field"] == "cursor"


def test_a_cursor_of_another_list_is_refused(page: BookingPage, owner: Member, program: Callable[..., Program]):
    pages.create(owner, title="More", slug="more", now=datetime.now(UTC))
    caller = program(owner)
    cursor = caller.get("pages", limit=1).body["next"]
    assert caller.get("connections", cursor=cursor).code == "invalid"


def test_the_number_of_queries_does_not_grow_with_the_pages(
    page: BookingPage, owner: Member, teammate: Member, program: Callable[..., Program], queries: Callable[..., int]
):
    caller = program(owner)
    caller.get("pages")
    before = queries(lambda: caller.get("pages"))
    for number in range(6):
        made = pages.create(owner, title="More", slug=f"more-{number}", now=datetime.now(UTC))
        made.page_members.create(member=teammate)
        Location.objects.create(page=made, kind="zoom")
    assert queries(lambda: caller.get("pages")) == before


def test_the_number_of_queries_for_slots_does_not_grow_with_the_members(
    page: BookingPage,
    owner: Member,
    new_member: Callable[..., Member],
    connect: Callable[..., Connection],
    program: Callable[..., Program],
    queries: Callable[..., int],
):
    caller = program(owner)
    caller.get("pages/consult/slots", **DAY)
    before = queries(lambda: caller.get("pages/consult/slots", **DAY))
    for name in ("Ito", "Mori", "Abe"):
        member = new_member(name, owner.workspace)
        connect(member)
        page.page_members.create(member=member)
    assert queries(lambda: caller.get("pages/consult/slots", **DAY)) == before


def test_every_part_of_a_cure_has_its_kind():
    kinds = {kind for kind in vars(parts).values() if isinstance(kind, type) and issubclass(kind, parts.Part)}
    assert {kind_of(kind) for kind in kinds - {parts.Part, parts.OwnAccount}} == set(CureKind)
