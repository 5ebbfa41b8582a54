"""What guests see before they choose a time."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from awase.domain.health import LocationKind, Service
from awase.models import BookingPage, CalendarBusy, Condition, Location, Member
from awase.models.page import Assignment
from awase.services import checks, connections, pages
from awase.services.signals import Cause
from tests.services.conftest import Control, utcnow
from tests.web.conftest import WEEK, Guest, text_of

STOPPED = "現在、予約の受付を停止しています"
AGAIN = 'hx-trigger="every 10s"'
TOKYO = ZoneInfo("Asia/Tokyo")


def links(answer: Any, kind: str) -> list[str]:
    """The addresses of the links of a class, in order."""
    found = re.findall(rf'<a class="{kind}" href="([^"]+)"', answer.content.decode())
    return [href.replace("&amp;", "&") for href in found]


def days(answer: Any) -> list[str]:
    """The days of the month that are links."""
    return re.findall(r'<a id="day-(\d+)"', answer.content.decode())


def break_google(control: Control, member: Member) -> None:
    control.revoke("google", member.user.email)
    look_again(member)


def look_again(member: Member, service: str = "google") -> None:
    """What the periodic check does."""
    checks.check(member.connections.get(credential__service=service).credential_id, Cause.CHECK, utcnow())


def test_the_page_opens_at_the_first_day_with_times(guest: Guest, page: BookingPage, free_start: Any) -> None:
    answer = guest.get("/minato/meet")
    first = free_start(page).astimezone(TOKYO)
    assert answer.status_code == 200
    assert links(answer, "slot")[0] == f"/minato/meet/book?start={first.astimezone(UTC):%Y-%m-%dT%H}%3A{first:%M}Z"
    assert days(answer)[0] == str(first.day)
    assert f"{first.year}年{first.month}月" in text_of(answer)
    assert f"{first.hour}:{first:%M}" in text_of(answer)
    assert "Zoom" in text_of(answer) and "30分" in text_of(answer)


def test_everything_shown_can_be_booked(guest: Guest, page: BookingPage) -> None:
    for path in links(guest.get("/minato/meet"), "slot")[:3]:
        assert guest.get(path).status_code == 200


def test_a_last_slash_does_no_harm(guest: Guest, page: BookingPage) -> None:
    assert guest.get("/minato/meet/").status_code == guest.get("/minato/").status_code == 200
    assert guest.get("/minato").status_code == 200


def test_times_are_shown_in_the_zone_asked_for_and_it_is_remembered(guest: Guest, page: BookingPage) -> None:
    answer = guest.get("/minato/meet", zone="America/New_York")
    assert "アメリカ東部" in text_of(answer) and "(America/New_York)" in text_of(answer)
    assert guest.client.cookies["zone"].value == "America/New_York"
    assert all("zone=America%2FNew_York" in path for path in links(answer, "slot"))
    assert "America/New_York" in text_of(guest.get("/minato/meet")).partition("変更")[0]


def test_days_are_those_of_the_guests_zone(guest: Guest, page: BookingPage, team: Any) -> None:
    team[0].schedules.update(weekly=[[[540, 570]]] * 7)  # 09:00 in Tokyo is the evening before in New York
    there = guest.get("/minato/meet", zone="America/New_York")
    here = guest.get("/minato/meet", zone="Asia/Tokyo")
    start = datetime.fromisoformat(parse_qs(urlsplit(links(here, "slot")[0]).query)["start"][0])
    assert str(start.astimezone(TOKYO).day) == days(here)[0]
    assert str(start.astimezone(ZoneInfo("America/New_York")).day) == days(there)[0]


def test_an_unknown_zone_is_ignored(guest: Guest, page: BookingPage) -> None:
    answer = guest.get("/minato/meet", zone="../../etc/passwd")
    assert "(Asia/Tokyo)" in text_of(answer)
    assert "zone" not in guest.client.cookies


def test_a_guest_who_chooses_nothing_gets_no_cookie(guest: Guest, page: BookingPage, free_start: Any) -> None:
    for path in ("/minato", "/minato/meet", f"/minato/meet/book?start={free_start(page):%Y-%m-%dT%H:%MZ}"):
        assert not guest.get(path).cookies


def test_the_page_speaks_english_to_the_english(english: Guest, page: BookingPage, free_start: Any) -> None:
    answer = english.get("/minato/meet")
    first = free_start(page).astimezone(TOKYO)
    assert f"{first:%B} {first.year}" in text_of(answer)
    assert f"{first.hour % 12 or 12}:{first:%M}\u00a0{first:%p}" in answer.content.decode()
    assert "Japan Standard Time (Asia/Tokyo)" in text_of(answer)
    assert "30 minutes" in text_of(answer)
    assert 'lang="en"' in answer.content.decode()


def test_the_language_can_be_changed_and_the_month_stays(english: Guest, page: BookingPage) -> None:
    month = f"{utcnow() + timedelta(days=31):%Y-%m}"
    answer = english.get("/minato/meet", month=month)
    assert f'href="?month={month}&amp;lang=ja"' in answer.content.decode()
    assert "空きあり" in english.get("/minato/meet", lang="ja", month=month).content.decode()


def test_months_turn_within_the_period_only(guest: Guest, page: BookingPage) -> None:
    BookingPage.objects.update(period_days=20)
    today = utcnow().astimezone(TOKYO).date()
    last = today + timedelta(days=20)
    inside = guest.get("/minato/meet", month=f"{today:%Y-%m}")
    assert '<a class="turn" id="previous-month"' not in inside.content.decode()
    assert ('<a class="turn" id="next-month"' in inside.content.decode()) == (last.month != today.month)
    far = guest.get("/minato/meet", month="2199-01")
    assert days(far) == days(guest.get("/minato/meet"))


@pytest.mark.parametrize("month", ["rubbish", "2026-13", "0000-00", "-1", "2026-12-04", "9999-12"])
def test_a_month_that_is_none_shows_the_first_one_with_times(guest: Guest, page: BookingPage, month: str) -> None:
    answer = guest.get("/minato/meet", month=month, day=month)
    assert answer.status_code == 200 and links(answer, "slot")


def test_a_month_without_times_leads_to_the_next_that_has_some(guest: Guest, page: BookingPage, team: Any) -> None:
    look_again(team[0])
    today = utcnow().astimezone(TOKYO).date()
    far = today + timedelta(days=50)
    team[0].schedules.update(weekly=[[]] * 7, overrides={far.isoformat(): [[600, 660]]})
    answer = guest.get("/minato/meet", month=f"{today:%Y-%m}")
    assert f"{today.year}年{today.month}月に空いている時間はありません" in text_of(answer)
    assert f"day={far}" in answer.content.decode()
    assert days(guest.get("/minato/meet")) == [str(far.day)]


def test_while_a_part_of_the_period_is_unread_nobody_is_told_that_no_time_is_free(
    guest: Guest, page: BookingPage, team: Any
) -> None:
    team[0].schedules.update(weekly=[[]] * 7)
    CalendarBusy.objects.update(covered_end=int((utcnow() + timedelta(days=40)).timestamp()))
    assert "より後の空き状況を読み込んでいます" in text_of(guest.get("/minato/meet"))


def test_no_time_at_all_is_said(guest: Guest, page: BookingPage, team: Any) -> None:
    look_again(team[0])
    team[0].schedules.update(weekly=[[]] * 7)
    assert "現在、空いている時間はありません" in text_of(guest.get("/minato/meet"))


def test_what_has_not_been_read_is_said_to_be_read_still(guest: Guest, page: BookingPage) -> None:
    CalendarBusy.objects.all().delete()
    answer = guest.get("/minato/meet")
    assert "空き状況を読み込んでいます" in text_of(answer)
    assert "空いている時間はありません" not in text_of(answer)
    assert AGAIN in answer.content.decode(), "the times come by themselves as soon as they are known"


def test_a_month_that_is_read_in_part_says_so_beside_its_times(guest: Guest, page: BookingPage) -> None:
    middle = (utcnow().replace(day=1) + timedelta(days=32)).replace(day=10)
    CalendarBusy.objects.update(covered_end=int(middle.timestamp()))
    answer = guest.get("/minato/meet", month=f"{middle:%Y-%m}")
    assert links(answer, "slot")
    assert "より後の空き状況を読み込んでいます" in text_of(answer)
    assert AGAIN not in answer.content.decode(), "nobody's choice is disturbed"


def test_a_broken_calendar_stops_the_page_and_nobody_reads_which(
    guest: Guest, page: BookingPage, team: Any, control: Control
) -> None:
    break_google(control, team[0])
    answer = guest.get("/minato/meet")
    assert answer.status_code == 200 and STOPPED in text_of(answer)
    assert "Google" not in text_of(answer) and "Tanaka" not in text_of(answer)
    assert not links(answer, "slot")


def test_the_owners_switch_stops_the_page_in_the_same_words(english: Guest, guest: Guest, page: BookingPage) -> None:
    pages.set_accepting(page, False, utcnow(), by=page.owner)
    assert STOPPED in text_of(guest.get("/minato/meet"))
    assert "Bookings are not being accepted at the moment" in text_of(english.get("/minato/meet"))


def test_the_profile_lists_the_pages_by_title_and_says_which_are_stopped(
    guest: Guest, page: BookingPage, page_of: Callable[..., Any], team: Any, stranger: Any
) -> None:
    closed = page_of(team[0], slug="another")
    page_of(stranger, slug="elsewhere")
    pages.set_accepting(closed, False, utcnow(), by=closed.owner)
    text = text_of(guest.get("/minato"))
    assert re.search(rf"Another.*{STOPPED}.*Meet", text) and text.count(STOPPED) == 1
    assert "Elsewhere" not in text


@pytest.mark.parametrize(
    "path", ["/nobody", "/nobody/meet", "/minato/nothing", "/minato/nothing/book", "/nobody/meet/"]
)
def test_what_does_not_exist_is_not_found(guest: Guest, page: BookingPage, path: str) -> None:
    answer = guest.get(path)
    assert answer.status_code == 404 and "ページが見つかりません" in text_of(answer)


def test_a_page_is_found_in_its_own_workspace_only(guest: Guest, page: BookingPage, stranger: Any) -> None:
    assert guest.get("/stranger/meet").status_code == 404


def test_a_description_is_text_whatever_stands_in_it(guest: Guest, page: BookingPage) -> None:
    BookingPage.objects.update(description="<script>alert(1)</script>\nSecond line")
    html = guest.get("/minato/meet").content.decode()
    assert "<script>alert" not in html and "&lt;script&gt;alert(1)&lt;/script&gt;<br>Second line" in html


def test_guests_choose_the_person_where_nobody_is_assigned(
    guest: Guest, team: Any, page_of: Callable[..., Any]
) -> None:
    owner, teammate = team
    page_of(owner, teammate, condition=Condition.ANY)
    BookingPage.objects.update(assignment=Assignment.GUEST)
    teammate.schedules.update(weekly=[[]] * 7)
    anybody = guest.get("/minato/meet")
    assert "Tanaka" in text_of(anybody) and "Sato" in text_of(anybody)
    assert links(guest.get("/minato/meet", host=str(owner.pk)), "slot") and links(anybody, "slot")
    assert not links(guest.get("/minato/meet", host=str(teammate.pk)), "slot")


def test_an_assigned_host_is_not_named_beforehand(guest: Guest, team: Any, page_of: Callable[..., Any]) -> None:
    page_of(*team, condition=Condition.ANY)
    text = text_of(guest.get("/minato/meet"))
    assert "担当者は空き状況に応じて決まります" in text
    assert "Tanaka" not in text and "Sato" not in text


def test_under_any_the_times_follow_the_place_chosen(
    guest: Guest, team: Any, page_of: Callable[..., Any], control: Control
) -> None:
    owner, teammate = team
    page = page_of(owner, teammate, locations=(LocationKind.ZOOM, LocationKind.PHONE), condition=Condition.ANY)
    Member.objects.filter(pk=owner.pk).update(phone="03-0000-0000")
    owner.schedules.update(weekly=[[]] * 7)
    by_phone = page.locations.get(kind=LocationKind.PHONE)
    by_zoom = page.locations.get(kind=LocationKind.ZOOM)
    assert not links(guest.get("/minato/meet", place=str(by_phone.pk)), "slot")
    assert links(guest.get("/minato/meet", place=str(by_zoom.pk)), "slot")


def test_a_page_left_without_a_place_says_so_before_booking(
    guest: Guest, page: BookingPage, team: Any, free_start: Any
) -> None:
    connections.disconnect(team[0].connections.get(credential__service="zoom"), utcnow())
    assert "場所は主催者よりご連絡します" in text_of(guest.get("/minato/meet"))
    form = guest.get("/minato/meet/book", start=f"{free_start(page):%Y-%m-%dT%H:%MZ}")
    assert "場所は主催者よりご連絡します" in text_of(form)


def test_one_broken_location_beside_a_usable_one_is_not_offered(
    guest: Guest, page: BookingPage, team: Any, control: Control
) -> None:
    Location.objects.create(page=page, kind=LocationKind.IN_PERSON, detail="港区みなと1-2-3", position=1)
    control.revoke("zoom", team[0].user.email)
    look_again(team[0], "zoom")
    text = text_of(guest.get("/minato/meet"))
    assert "Zoom" not in text and "港区みなと1-2-3" in text


def queries_of(guest: Guest, path: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert guest.get(path).status_code == 200
    return len(caught)


def test_the_number_of_queries_does_not_grow_with_members_or_pages(
    guest: Guest, team: Any, page_of: Callable[..., Any], new_member: Any, connect: Any, workspace: Any
) -> None:
    page = page_of(*team, locations=(LocationKind.ZOOM,), condition=Condition.ANY)
    guest.get("/minato/meet")
    before = queries_of(guest, "/minato/meet"), queries_of(guest, "/minato")
    for number in range(3):
        member = new_member(f"Extra{number}", workspace)
        member.schedules.update(weekly=WEEK)
        connect(member, Service.GOOGLE)
        connect(member, Service.ZOOM)
        page.page_members.create(member=member, position=5 + number)
        page_of(member, slug=f"more-{number}", locations=(LocationKind.ZOOM, LocationKind.MEET))
    assert (queries_of(guest, "/minato/meet"), queries_of(guest, "/minato")) == before
