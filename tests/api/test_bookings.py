"""Taking, reading and cancelling bookings through the API."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from awase.models import Booking, BookingPage, Connection, Effect, EffectState, HostTime, Location, Member
from awase.services import checks, pages
from awase.services.signals import Cause
from tests.api.conftest import Program, guest, wish

BOOK = "pages/consult/bookings"


def test_a_booking_is_taken_in_a_guests_name(page: BookingPage, owner: Member, program: Callable[..., Program]):
    answer = program(owner).post(
        BOOK, wish(guest=guest(note="はじめまして", phone="03-0000-0000", time_zone="Europe/Paris"))
    )
    assert answer.status == 201
    assert answer.response.headers["Location"] == f"/api/v1/bookings/{answer.body['uid']}"
    assert (answer.body["state"], answer.body["page"]) == ("confirmed", "consult")
    assert (answer.body["start"], answer.body["end"]) == ("2026-12-01T01:00:00Z", "2026-12-01T01:30:00Z")
    assert answer.body["hosts"] == [{"id": owner.pk, "name": "Tanaka"}]
    assert answer.body["guest"] == {
        "name": "山田 花子",
        "email": "hanako@guest.example",
        "company": "",
        "phone": "03-0000-0000",
        "note": "はじめまして",
        "language": "ja",
        "time_zone": "Europe/Paris",
    }
    assert HostTime.objects.get().member == owner


def test_a_start_that_is_taken_is_refused(page: BookingPage, owner: Member, program: Callable[..., Program]):
    caller = program(owner)
    assert caller.post(BOOK, wish()).status == 201
    again = caller.post(BOOK, wish(guest=guest(email="other@guest.example")))
    assert (again.status, again.code) == (409, "slot_gone")
    assert Booking.objects.count() == 1


@pytest.mark.parametrize(
    "start",
    ["2026-12-01T10:07:00+09:00", "2026-12-05T10:00:00+09:00", "2020-01-01T10:00:00+09:00", "2199-12-31T23:59:59Z"],
)
def test_a_start_that_is_not_offered_is_refused(
    page: BookingPage, owner: Member, program: Callable[..., Program], start: str
):
    assert program(owner).post(BOOK, wish(start)).code == "slot_gone"


def test_a_start_that_became_busy_at_the_service_a_moment_ago_is_refused(
    page: BookingPage, owner: Member, calendar: Connection, sandbox: Any, program: Callable[..., Program]
):
    from sandbox import google_writes

    account = sandbox.account("google", calendar.credential.account_email)
    google_writes.seed(
        sandbox, account, account.primary, {"start": "2026-12-01T10:00:00+09:00", "end": "2026-12-01T11:00:00+09:00"}
    )
    assert program(owner).post(BOOK, wish()).code == "slot_gone"


def test_a_page_switched_off_by_its_owner_takes_none(page: BookingPage, owner: Member, program: Callable[..., Program]):
    pages.set_accepting(page, False, datetime.now(UTC), by=page.owner)
    answer = program(owner).post(BOOK, wish())
    assert (answer.status, answer.code) == (409, "not_accepting")


def test_a_page_stopped_by_health_takes_none(
    page: BookingPage,
    owner: Member,
    calendar: Connection,
    break_account: Callable[..., None],
    program: Callable[..., Program],
):
    break_account(calendar)
    checks.check(calendar.credential_id, Cause.CHECK, datetime.now(UTC))
    assert program(owner).post(BOOK, wish()).code == "not_accepting"
    assert not Booking.objects.exists()


def test_a_location_that_is_not_offered_is_refused(page: BookingPage, owner: Member, program: Callable[..., Program]):
    zoom = Location.objects.create(page=page, kind="zoom")
    here = Location.objects.create(page=page, kind="in_person", detail="Minato 1-2-3")
    caller = program(owner)
    assert caller.post(BOOK, wish(location_id=zoom.pk)).code == "location_gone"
    taken = caller.post(BOOK, wish(location_id=here.pk)).body
    assert (taken["location_kind"], taken["location_detail"]) == ("in_person", "Minato 1-2-3")


def test_the_same_request_under_the_same_key_is_the_same_booking(
    page: BookingPage, owner: Member, program: Callable[..., Program]
):
    caller = program(owner)
    first, again = (caller.post(BOOK, wish(), **{"Idempotency-Key": "a1"}) for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body
    assert Booking.objects.count() == 1


def test_another_request_under_the_same_key_is_refused(
    page: BookingPage, owner: Member, program: Callable[..., Program]
):
    caller = program(owner)
    caller.post(BOOK, wish(), **{"Idempotency-Key": "a1"})
    other = caller.post(BOOK, wish("2026-12-01T11:00:00+09:00"), **{"Idempotency-Key": "a1"})
    assert (other.status, other.code) == (422, "idempotency_key_reused")


def test_two_members_with_the_same_key_do_not_meet(
    page: BookingPage,
    owner: Member,
    teammate: Member,
    connect: Callable[..., Connection],
    program: Callable[..., Program],
):
    connect(teammate)
    BookingPage.objects.update(condition="any")
    page.page_members.create(member=teammate)
    first = program(owner).post(BOOK, wish(), **{"Idempotency-Key": "a1"})
    second = program(teammate).post(BOOK, wish(), **{"Idempotency-Key": "a1"})
    assert first.body["uid"] != second.body["uid"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (wish(start=1764547200), "start"),
        (wish(start="2026-12-01T10:00:00"), "start"),
        (wish(start=["2026-12-01T10:00:00+09:00"]), "start"),
        (wish(location_id="1"), "location_id"),
        (wish(host_id=1.5), "host_id"),
        (wish(colour="red"), "colour"),
        (wish(guest=guest(nick="h")), "guest.nick"),
        (wish(guest=guest(email="hanako")), "guest.email"),
        (wish(guest=guest(email="a@b.example\nBcc: c@d.example")), "guest.email"),
        (wish(guest=guest(name=" ")), "guest.name"),
        (wish(guest=guest(name="a\r\nb")), "guest.name"),
        (wish(guest=guest(name="\ud800")), "guest.name"),
        (wish(guest=guest(note="\0")), "guest.note"),
        (wish(guest=guest(language="fr")), "guest.language"),
        (wish(guest=guest(time_zone="Nowhere")), "guest.time_zone"),
        (wish(guest=None), "guest"),
        ({"start": "2026-12-01T10:00:00+09:00"}, "guest"),
        ([], ""),
    ],
)
def test_what_does_not_have_the_documented_form_is_refused(
    owner: Member, program: Callable[..., Program], body: Any, field: str
):
    answer = program(owner).post(BOOK, json.dumps(body))
    assert (answer.status, answer.code) == (422, "invalid")
    assert field in [error["field"] for error in answer.body["errors"]]
    assert all(error["location"] == "body" for error in answer.body["errors"])
    assert not Booking.objects.exists()


@pytest.mark.parametrize("body", ["{", "", b"\xff", "[" * 100_000, "null", '{"start": ' + "9" * 5000 + "}"])
def test_a_body_that_is_no_json_object_is_explained(owner: Member, program: Callable[..., Program], body: str | bytes):
    answer = program(owner).post(BOOK, body)
    assert answer.code in {"malformed", "invalid"}


def test_a_body_that_is_too_large_is_refused(owner: Member, program: Callable[..., Program]):
    answer = program(owner).post(BOOK, json.dumps({"x": "y" * 2_000_000}))
    assert (answer.status, answer.code) == (413, "too_large")


def test_a_cancelled_booking_frees_its_time(page: BookingPage, owner: Member, program: Callable[..., Program]):
    caller = program(owner)
    uid = caller.post(BOOK, wish()).body["uid"]
    answer = caller.post(f"bookings/{uid}/cancel", {"reason": "風邪をひきました"})
    assert (answer.status, answer.body["state"]) == (200, "cancelled")
    assert answer.body["cancel_reason"] == "風邪をひきました"
    assert answer.body["hosts"] == [{"id": owner.pk, "name": "Tanaka"}]
    again = caller.post(f"bookings/{uid}/cancel")
    assert (again.status, again.code) == (409, "already_cancelled")
    assert caller.post(BOOK, wish()).status == 201


def test_a_booking_that_is_over_cannot_be_cancelled(
    page: BookingPage, owner: Member, clock: Any, program: Callable[..., Program]
):
    caller = program(owner)
    uid = caller.post(BOOK, wish()).body["uid"]
    clock.shift(2 * 24 * 3600)
    assert caller.post(f"bookings/{uid}/cancel").code == "over"


def test_parked_work_is_told_with_its_reason(page: BookingPage, owner: Member, program: Callable[..., Program]):
    caller = program(owner)
    uid = caller.post(BOOK, wish()).body["uid"]
    Effect.objects.filter(kind="event").update(state=EffectState.PARKED, parked_reason="revoked")
    (waiting,) = caller.get(f"bookings/{uid}").body["waiting"]
    assert (waiting["kind"], waiting["member_id"], waiting["reason"]) == ("event", owner.pk, "revoked")
    assert waiting["sentence"] == "Access was withdrawn at the service."


def test_bookings_are_listed_by_start_and_in_parts(page: BookingPage, owner: Member, program: Callable[..., Program]):
    caller = program(owner)
    for hour in (15, 11, 13, 9):
        assert caller.post(BOOK, wish(f"2026-12-01T{hour:02}:00:00+09:00")).status == 201
    starts, cursor = [], ""
    while cursor is not None:
        part = caller.get("bookings", limit=3, cursor=cursor).body
        starts += [item["start"][11:13] for item in part["items"]]
        cursor = part["next"]
    assert starts == ["00", "02", "04", "06"]


def test_bookings_are_found_by_time_state_and_page(page: BookingPage, owner: Member, program: Callable[..., Program]):
    caller = program(owner)
    uids = [caller.post(BOOK, wish(f"2026-12-0{day}T10:00:00+09:00")).body["uid"] for day in (1, 2, 3)]
    caller.post(f"bookings/{uids[2]}/cancel")

    def found(**query: str) -> list[int]:
        return [uids.index(item["uid"]) for item in caller.get("bookings", **query).body["items"]]

    assert found(**{"from": "2026-12-02T10:00:00+09:00"}) == [1, 2]
    assert found(to="2026-12-02T10:00:00+09:00") == [0]
    assert found(state="cancelled") == [2]
    assert found(page="consult") == [0, 1, 2]
    assert found(page="another") == []


def test_the_number_of_queries_does_not_grow_with_the_bookings(
    page: BookingPage, owner: Member, program: Callable[..., Program], queries: Callable[..., int]
):
    caller = program(owner)
    caller.post(BOOK, wish("2026-12-01T09:00:00+09:00"))
    before = queries(lambda: caller.get("bookings"))
    for hour in (10, 11, 12, 13):
        caller.post(BOOK, wish(f"2026-12-01T{hour}:00:00+09:00"))
    assert queries(lambda: caller.get("bookings")) == before
