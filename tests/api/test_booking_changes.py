"""The life of a booking through the API: asked for, answered, moved, handed over; holds and links; and bad input."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from awase.models import Booking, BookingPage, BookingState, Condition, Hold, Member, PageMember
from awase.models.page import Approval, Visibility
from awase.services import links
from tests.api.conftest import Program, guest, wish

BOOK = "pages/consult/bookings"
LATER = "2026-12-01T11:00:00+09:00"


@pytest.fixture
def caller(owner: Member, page: BookingPage, program: Callable[..., Program]) -> Program:
    return program(owner)


def taken(caller: Program, **changes: Any) -> str:
    answer = caller.post(BOOK, wish(**changes))
    assert answer.status == 201, answer.body
    return str(answer.body["uid"])


def test_all_that_a_guest_can_say_is_taken_and_shown(caller: Program):
    BookingPage.objects.update(durations=[60])
    said = {
        "guest": guest(company="花屋"),
        "minutes": 60,
        "further_guests": ["taro@guest.example"],
        "answers": [{"question": "お子さまは?", "answer": "2人\nです"}],
        "tracking": {"utm_source": "mail"},
    }
    body = caller.get(f"bookings/{taken(caller, **said)}").body
    assert body["end"] == "2026-12-01T02:00:00Z" and body["guest"]["company"] == "花屋"
    assert {name: body[name] for name in ("further_guests", "answers", "tracking")} == {
        name: said[name] for name in ("further_guests", "answers", "tracking")
    }


def test_the_slots_of_a_chosen_length_are_listed(caller: Program, page: BookingPage):
    window = {"from": "2026-12-01T17:00:00+09:00", "to": "2026-12-01T19:00:00+09:00"}
    assert caller.get("pages/consult/slots", **window, minutes=60).code == "length_unknown"
    page.durations = [60]
    page.save()
    assert caller.get("pages/consult").body["durations"] == [60]
    half, whole = (caller.get("pages/consult/slots", **window, minutes=minutes).body["slots"] for minutes in (30, 60))
    assert len(half) == 2 and len(whole) == 1
    assert (whole[0]["start"], whole[0]["end"]) == ("2026-12-01T17:00:00+09:00", "2026-12-01T18:00:00+09:00")


def test_a_request_is_approved_or_declined(caller: Program):
    BookingPage.objects.update(approval=Approval.HELD)
    first, second = taken(caller), taken(caller, start=LATER)
    body = caller.get(f"bookings/{first}").body
    assert body["state"] == "requested" and body["answer_by"] == body["start"]
    assert caller.post(f"bookings/{first}/approve").body["state"] == "confirmed"
    answer = caller.post(f"bookings/{second}/decline", {"reason": "満席"})
    assert (answer.body["state"], answer.body["cancel_reason"]) == ("declined", "満席")
    assert caller.post(f"bookings/{first}/approve").code == "not_waiting"
    assert caller.post(f"bookings/{second}/decline").code == "not_waiting"
    assert caller.post(BOOK, wish("2026-12-01T12:00:00+09:00", as_host=True)).body["state"] == "confirmed"


def test_a_booking_is_moved_and_refused_where_it_cannot_be(caller: Program):
    uid, other = taken(caller), taken(caller, start="2026-12-01T15:00:00+09:00")
    moved = caller.post(f"bookings/{uid}/move", {"start": LATER, "reason": "会議"})
    assert (moved.status, moved.body["start"]) == (200, "2026-12-01T02:00:00Z")
    assert caller.post(f"bookings/{uid}/move", {"start": LATER}).body["start"] == moved.body["start"]
    assert caller.post(f"bookings/{other}/move", {"start": LATER}).code == "slot_gone"
    assert caller.post(f"bookings/{uid}/move", {"start": LATER, "minutes": 45}).code == "length_unknown"
    caller.post(f"bookings/{uid}/cancel")
    assert caller.post(f"bookings/{uid}/move", {"start": LATER}).code == "already_cancelled"


def test_a_booking_is_handed_to_a_member_who_is_free(caller: Program, page: BookingPage, teammate: Member):
    uid = taken(caller)
    assert caller.post(f"bookings/{uid}/reassign", {"member_id": teammate.pk}).code == "host_unfit"
    PageMember.objects.create(page=page, member=teammate, position=1)
    BookingPage.objects.update(condition=Condition.ANY, calendar_required=False)
    answer = caller.post(f"bookings/{uid}/reassign", {"member_id": teammate.pk})
    assert answer.body["hosts"] == [{"id": teammate.pk, "name": "Sato"}]
    assert caller.post(f"bookings/{uid}/reassign", {"member_id": 10**12}).code == "host_unfit"


def test_who_did_not_come_is_marked_and_a_mail_sent_again(caller: Program, clock: Any):
    uid = taken(caller)
    assert caller.post(f"bookings/{uid}/no-show").code == "not_started"
    assert caller.post(f"bookings/{uid}/resend").status == 200
    clock.move_to(datetime(2026, 12, 1, 1, 30, tzinfo=UTC))
    assert caller.post(f"bookings/{uid}/no-show").body["no_show_at"] == "2026-12-01T01:30:00Z"
    assert caller.post(f"bookings/{uid}/no-show", {"no_show": False}).body["no_show_at"] is None


def test_the_place_is_filled_in(caller: Program):
    uid = taken(caller)
    assert caller.post(f"bookings/{uid}/place", {"place": "東京駅"}).body["location_detail"] == "東京駅"
    assert caller.post(f"bookings/{uid}/place", {"place": " "}).code == "invalid"


def test_a_group_session_is_read_moved_and_cancelled_as_one(caller: Program):
    BookingPage.objects.update(seats=2)
    seats = [taken(caller), taken(caller, guest=guest(email="other@guest.example"))]
    bodies = [caller.get(f"bookings/{uid}").body for uid in seats]
    (session,) = {body["session"] for body in bodies}
    assert [body["hosts"] for body in bodies] == [caller.get(f"bookings/{session}").body["hosts"]] * 2
    assert caller.post(f"bookings/{session}/move", {"start": LATER}).body["is_session"]
    assert {caller.get(f"bookings/{uid}").body["start"] for uid in seats} == {"2026-12-01T02:00:00Z"}
    assert {item["uid"] for item in caller.get("bookings").body["items"]} == set(seats)
    caller.post(f"bookings/{session}/cancel")
    assert {caller.get(f"bookings/{uid}").body["state"] for uid in seats} == {"cancelled"}


def test_a_host_may_book_inside_the_notice_and_a_viewer_may_not(
    caller: Program, page: BookingPage, teammate: Member, program: Callable[..., Program]
):
    BookingPage.objects.update(notice_minutes=60 * 24 * 30)
    assert caller.post(BOOK, wish()).code == "slot_gone"
    page.shares.create(member=teammate)
    assert program(teammate).post(BOOK, wish(as_host=True)).code == "forbidden"
    assert program(teammate).post("pages/consult/secret-link").code == "forbidden"
    assert caller.post(BOOK, wish(as_host=True)).status == 201


def test_a_slot_is_held_renewed_given_back_and_booked(caller: Program, clock: Any):
    made = caller.post("pages/consult/holds", {"start": LATER})
    assert (made.status, made.body["expires_at"]) == (201, "2026-11-30T00:05:00Z")
    token = made.body["token"]
    assert caller.post(BOOK, wish(LATER)).code == "slot_gone"
    assert caller.post("pages/consult/holds", {"start": LATER, "client": "other"}).code == "slot_gone"
    clock.shift(120)
    assert caller.post(f"pages/consult/holds/{token}/renew").body["expires_at"] == "2026-11-30T00:07:00Z"
    assert caller.post(BOOK, wish(LATER, hold=token)).status == 201
    assert caller.post(f"pages/consult/holds/{token}/renew").code == "slot_gone"
    again = caller.post("pages/consult/holds", {"start": "2026-12-01T13:00:00+09:00"}).body["token"]
    assert caller.delete(f"pages/consult/holds/{again}").status == 204
    assert not Hold.objects.exists()


def test_links_open_a_secret_page_and_end(caller: Program, page: BookingPage):
    page.visibility = Visibility.SECRET
    page.save()
    now = datetime.now(UTC)
    url = caller.post("pages/consult/secret-link").body["url"]
    page.refresh_from_db()
    assert links.admits(page, now, link=url.partition("?link=")[2])
    fresh = caller.post("pages/consult/one-time-links", {"note": "山田様", "days": 3}).body
    secret = fresh["url"].partition("?once=")[2]
    assert links.admits(page, now, once=secret) and not links.admits(page, now + timedelta(days=3), once=secret)
    (listed,) = caller.get("pages/consult/one-time-links").body["items"]
    assert (listed["note"], listed["used_at"]) == ("山田様", None) and "url" not in listed
    assert caller.post(BOOK, wish(one_time=secret)).status == 201
    assert caller.post(BOOK, wish(LATER, one_time=secret)).code == "link_used"
    assert caller.delete(f"pages/consult/one-time-links/{fresh['id']}").status == 204
    assert caller.delete(f"pages/consult/one-time-links/{fresh['id']}").code == "not_found"
    assert Booking.objects.get().state == BookingState.CONFIRMED


@pytest.mark.parametrize(
    "name",
    ["山田 花子", "محمد عبد الله", "שרה כהן", "Ελένη", "Zoë O’Neil-Łęcka", "नमस्ते", "👩‍👩‍👧", "Tòa ́ ́ ́", "=1+1"],
)
def test_a_name_of_any_script_is_kept_as_it_is(caller: Program, name: str):
    assert caller.get(f"bookings/{taken(caller, guest=guest(name=name))}").body["guest"]["name"] == name


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Ann\r\nBcc: eve@evil.example"},
        {"name": "Ann\u202eevil"},
        {"name": "Ann\u2066evil\u2069"},
        {"name": "Ann\u2028evil"},
        {"name": "Ann\u0085evil"},
        {"name": "\x00"},
        {"name": "   "},
        {"name": "あ" * 101},
        {"email": "Ann <ann@guest.example>"},
        {"email": '"ann@guest.example"@evil.example, eve@evil.example'},
        {"email": "ann@guest.example\nBcc: eve@evil.example"},
        {"email": "ann@guest.example,eve@evil.example"},
        {"email": "ha\u017fo@guest.example"},
        {"email": "a" * 250 + "@guest.example"},
        {"phone": "03\r\n04"},
        {"phone": "0" * 41},
        {"note": "\x07"},
        {"note": "a" * 5001},
        {"language": "xx"},
        {"time_zone": "Mars/Phobos"},
        {"unknown": 1},
    ],
)
def test_what_no_guest_can_be_called_is_refused_with_the_field(caller: Program, changes: dict[str, Any]):
    answer = caller.post(BOOK, wish(guest=guest(**changes)))
    assert (answer.status, answer.code) == (422, "invalid")
    assert next(iter(changes)) in {error["field"].rpartition(".")[2] for error in answer.body["errors"]}
    assert not Booking.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"further_guests": ["taro@guest.example"] * 11},
        {"further_guests": ["Taro <taro@guest.example>"]},
        {"answers": [{"question": "x", "answer": "y"}] * 51},
        {"answers": [{"question": "x\r\ny", "answer": "y"}]},
        {"tracking": {"utm_source": "x\r\ny"}},
        {"tracking": {"password": "x"}},
        {"minutes": "60"},
        {"host_id": -1.5},
        {"as_host": "yes"},
    ],
)
def test_what_does_not_belong_into_a_booking_is_refused(caller: Program, changes: dict[str, Any]):
    assert caller.post(BOOK, wish(**changes)).code == "invalid"


def test_numbers_that_no_database_holds_are_answered_clearly(caller: Program):
    huge = 2**63
    assert caller.post(BOOK, wish(minutes=huge)).code == "length_unknown"
    assert caller.post(BOOK, wish(location_id=huge)).code == "location_gone"
    uid = taken(caller)
    assert caller.post(f"bookings/{uid}/reassign", {"member_id": huge}).code in ("host_unfit", "invalid")
    assert caller.delete(f"pages/consult/one-time-links/{huge}").status in (404, 422)


def test_a_million_extra_fields_are_a_short_answer(caller: Program):
    many = {f"x{number}": 0 for number in range(60_000)}
    answer = caller.post(BOOK, wish(**many))
    assert answer.code == "invalid"
    assert len(answer.response.content) < 100_000
    whole = "{" + ",".join(f'"x{number}":0' for number in range(1_000_000)) + "}"
    assert caller.post(BOOK, whole).code == "too_large"
    assert not Booking.objects.exists()


def test_a_slot_of_another_page_is_not_this_ones(caller: Program, owner: Member, page: BookingPage):
    for start in ("2026-12-01T03:00:00+09:00", "2026-12-01T10:15:00+09:00", "2026-12-01T10:00:30+09:00"):
        assert caller.post(BOOK, wish(start)).code == "slot_gone"
    assert caller.post("pages/other/bookings", wish()).code == "not_found"
