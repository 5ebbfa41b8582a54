"""予約可能枠 and 不在: kept, refused with what was typed, and nobody else's business."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from awase.models import Absence, BookingPage, Member, WeeklySchedule
from tests.web.test_dashboard import text


@pytest.fixture
def browser(log_in: Callable[[Any], Client], owner: Member) -> Client:
    return log_in(owner)


@pytest.fixture
def row(owner: Member) -> WeeklySchedule:
    return WeeklySchedule.objects.get(member=owner)


@pytest.fixture
def send(browser: Client, row: WeeklySchedule) -> Callable[..., Any]:
    def go(part: str, data: dict[str, Any]) -> Any:
        answer = browser.post(f"/app/schedules/{row.pk}/{part}", data)
        row.refresh_from_db()
        return answer

    return go


def test_a_days_hours_are_copied_to_the_days_chosen(send: Callable[..., Any], row: WeeklySchedule) -> None:
    week = {"mon-start": ["10:00"], "mon-end": ["12:00"], "sat-start": ["09:00"], "sat-end": ["10:00"]}
    copied = {"copy_from": "mon", "copy_to": ["tue", "wed", "thu", "fri", "nonsense"]}
    assert send("week", {**week, **copied}).status_code == 302
    assert row.weekly == [[[600, 720]]] * 5 + [[[540, 600]], []]


def test_a_date_is_closed_opened_and_given_back_to_the_week(send: Callable[..., Any], row: WeeklySchedule) -> None:
    send("override", {"day": "2026-12-31", "start": "", "end": ""})
    send("override", {"day": "2026-12-30", "start": "10:00", "end": "12:00"})
    assert row.overrides == {"2026-12-30": [[600, 720]], "2026-12-31": []}
    send("override", {"remove": "2026-12-30"})
    assert row.overrides == {"2026-12-31": []}


def test_a_date_takes_several_ranges_and_is_chosen_on_a_month(
    browser: Client, send: Callable[..., Any], row: WeeklySchedule
) -> None:
    row.holidays = "JP"
    row.save()
    send("override", {"day": "2026-12-30", "start": ["13:00", "09:00"], "end": ["15:00", "12:00"]})
    assert row.overrides == {"2026-12-30": [[540, 720], [780, 900]]}
    shown = browser.get(f"/app/schedules/{row.pk}?day=2026-12-30").context["sections"]
    section = next(one for one in shown if one["id"] == "override")
    assert section["ranges"][:2] == [{"start": "09:00", "end": "12:00"}, {"start": "13:00", "end": "15:00"}]
    days = {day["number"]: day for week in section["month"]["weeks"] for day in week if day}
    assert (days[30]["kind"], days[5]["kind"], days[4]["hours"]) == ("changed", "closed", ["09:00-18:00"])
    november = browser.get(f"/app/schedules/{row.pk}?month=2026-11").context["sections"]
    section = next(one for one in november if one["id"] == "override")
    days = {day["number"]: day for week in section["month"]["weeks"] for day in week if day}
    assert days[23]["kind"] == "holiday"
    for month in ("0001-01", "9999-12", "x"):
        assert browser.get(f"/app/schedules/{row.pk}?month={month}").status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        {"day": "someday"},
        {"day": "2026-12-31", "start": "10:00", "end": ""},
        {"day": "2026-12-31", "start": "", "end": "10:00"},
        {"day": "2026-12-31", "start": "noon", "end": "10:00"},
        {"day": "2026-12-31", "start": ["10:00", "11:00"], "end": ["12:00", "13:00"]},
    ],
)
def test_a_date_that_cannot_be_read_comes_back(
    send: Callable[..., Any], row: WeeklySchedule, data: dict[str, Any]
) -> None:
    answer = send("override", data)
    assert answer.status_code == 400 and data["day"] in text(answer)
    assert row.overrides == {}


def test_name_zone_and_holidays_are_kept_and_the_default_passes_on(
    browser: Client, send: Callable[..., Any], row: WeeklySchedule, owner: Member
) -> None:
    assert send("details", {"name": "平日", "time_zone": "Asia/Tokyo", "holidays": "JP"}).status_code == 302
    assert (row.name, row.holidays, row.is_default) == ("平日", "JP", True)
    assert send("details", {"name": "x", "time_zone": "Mars/Olympus", "holidays": "XX"}).status_code == 400
    browser.post("/app/schedules/new", {"name": "Evenings"})
    other = WeeklySchedule.objects.get(member=owner, name="Evenings")
    assert not other.is_default
    details = {"name": "Evenings", "time_zone": "Asia/Tokyo", "holidays": "", "default": "on"}
    browser.post(f"/app/schedules/{other.pk}/details", details)
    assert list(WeeklySchedule.objects.filter(member=owner, is_default=True)) == [other]


def test_a_schedule_in_use_is_not_deleted(
    browser: Client, owner: Member, row: WeeklySchedule, page_of: Callable[..., BookingPage]
) -> None:
    page = page_of(owner)
    browser.post("/app/schedules/new", {"name": "Evenings"})
    other = WeeklySchedule.objects.get(name="Evenings")
    page.schedule = other
    page.save()
    assert page.title in text(browser.get(f"/app/schedules/{other.pk}"))
    for pk in (other.pk, row.pk):
        assert "It was not deleted" in text(browser.post(f"/app/schedules/{pk}/delete", follow=True))
    assert WeeklySchedule.objects.filter(member=owner).count() == 2
    page.schedule = None
    page.save()
    browser.post(f"/app/schedules/{other.pk}/delete")
    assert list(WeeklySchedule.objects.filter(member=owner)) == [row]


def test_an_absence_is_added_shown_and_deleted(browser: Client, owner: Member) -> None:
    first = datetime.now(UTC).date() + timedelta(days=3)
    answer = browser.post("/app/absences", {"first": first, "last": first - timedelta(days=1)})
    assert answer.status_code == 400 and "The last date lies before the first one." in text(answer)
    browser.post("/app/absences", {"first": first, "last": first, "note": "Conference"})
    assert "Conference" in text(browser.get("/app/schedules"))
    browser.post(f"/app/absences/{Absence.objects.get().pk}/delete")
    assert not Absence.objects.exists()


def test_whoever_is_away_is_told_of_the_bookings_that_they_have_then(
    browser: Client, owner: Member, page_of: Any, free_start: Any, book: Any
) -> None:
    page = page_of(owner, calendar_required=False)
    booking = book(page, free_start(page))
    there = ZoneInfo(owner.user.time_zone)
    day = booking.start.astimezone(there).date()
    for away, told in ((day - timedelta(days=1), False), (day, True), (day + timedelta(days=1), False)):
        answer = text(browser.post("/app/absences", {"first": away, "last": away}, follow=True))
        assert "nobody can book you on these days" in answer
        assert ("1 booking of yours falls into this absence" in answer) is told, away


def test_schedules_and_absences_of_others_are_out_of_reach(
    log_in: Callable[[Any], Client], stranger: Member, owner: Member, row: WeeklySchedule
) -> None:
    absence = Absence.objects.create(member=owner, first=date(2030, 1, 1), last=date(2030, 1, 2))
    other = log_in(stranger)
    for part in ("week", "details", "override", "delete"):
        assert other.post(f"/app/schedules/{row.pk}/{part}", {}).status_code == 404
    other.post(f"/app/absences/{absence.pk}/delete")
    assert Absence.objects.exists()


def test_a_page_has_hours_of_its_own_which_its_editors_change_and_a_copy_takes_along(
    log_in: Callable[[Any], Client], owner: Member, teammate: Member, page_of: Callable[..., BookingPage]
) -> None:
    page = page_of(teammate)
    browser = log_in(owner)  # an admin, who edits a page of somebody else
    address = browser.post(f"/app/pages/{page.pk}/times/own")["Location"]
    assert browser.post(f"/app/pages/{page.pk}/times/own")["Location"] == address
    page.refresh_from_db()
    assert page.schedule and page.schedule.for_page == page and page.schedule.member == teammate
    assert browser.post(f"{address}/week", {"mon-start": "06:00", "mon-end": "07:00"}).status_code == 302
    page.schedule.refresh_from_db()
    assert page.schedule.weekly[0] == [[360, 420]]
    assert page.title not in [row["name"] for row in log_in(teammate).get("/app/schedules").context["schedules"]]
    browser.post(f"/app/pages/{page.pk}/duplicate")
    copy = BookingPage.objects.exclude(pk=page.pk).get()
    assert copy.schedule and copy.schedule != page.schedule and copy.schedule.for_page == copy
    assert copy.schedule.weekly == page.schedule.weekly


def test_hours_of_a_page_are_nobody_elses_business(
    log_in: Callable[[Any], Client],
    stranger: Member,
    owner: Member,
    teammate: Member,
    page_of: Callable[..., BookingPage],
) -> None:
    page = page_of(owner)
    address = log_in(owner).post(f"/app/pages/{page.pk}/times/own")["Location"]
    for other in (stranger, teammate):
        assert log_in(other).get(address).status_code == 404
        assert log_in(other).post(f"/app/pages/{page.pk}/times/own").status_code == 404


def test_the_hours_of_a_page_are_its_editors_alone_and_never_anybodys_usual_ones(
    log_in: Callable[[Any], Client], owner: Member, teammate: Member, page_of: Callable[..., BookingPage]
) -> None:
    usual = teammate.schedules.get()
    page = page_of(teammate)
    address = log_in(owner).post(f"/app/pages/{page.pk}/times/own")["Location"]
    typed = {"name": "Hours", "time_zone": "Asia/Tokyo", "holidays": "", "default": "on"}
    assert log_in(owner).post(f"{address}/details", typed).status_code == 302
    assert teammate.schedules.get(is_default=True) == usual
    assert 'name="default"' not in log_in(owner).get(address).content.decode()
    BookingPage.objects.update(owner=owner)
    page.page_members.all().delete()
    assert log_in(teammate).get(address).status_code == 404, "the page is no longer theirs"
