"""予約ページ編集: every section is kept, refused with what was typed, and safe against others who edit too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client

from awase.domain.questions import Kind, Question, to_json
from awase.models import BookingPage, Condition, Member, PageGroup, PageMember, Room, WeeklySchedule
from awase.services import pages
from tests.web.test_dashboard import text

BASICS = {"title": "Demo", "slug": "meet", "description": "", "language": "en"}
TIMES = {
    "duration_minutes": "60",
    "durations": ["30", "60"],
    "step_minutes": "15",
    "buffer_before_minutes": "5",
    "buffer_after_minutes": "10",
    "schedule": "",
    "time_zone": "Europe/Paris",
}
PERIOD = {"kind": "rolling", "period_days": "30", "notice_minutes": "120"}
CHANGES = {
    "approval": "held",
    "answer_hours": "24",
    "guests_cancel": "on",
    "cancel_until_minutes": "1440",
    "move_until_minutes": "0",
    "drift": "follow",
}


@pytest.fixture
def page(page_of: Callable[..., BookingPage], owner: Member) -> BookingPage:
    return page_of(owner)


@pytest.fixture
def browser(log_in: Callable[[Any], Client], owner: Member) -> Client:
    return log_in(owner)


@pytest.fixture
def save(browser: Client, page: BookingPage) -> Callable[..., Any]:
    """save(section, data): sends a section and reads the page again."""

    def go(section: str, data: dict[str, Any]) -> Any:
        answer = browser.post(f"/app/pages/{page.pk}/{section}", data)
        page.refresh_from_db()
        return answer

    return go


@pytest.mark.parametrize(
    ("section", "data", "stored"),
    [
        ("basics", BASICS, {"title": "Demo", "language": "en"}),
        ("design", {"accent": "pine"}, {"accent": "pine"}),
        (
            "form",
            {"ask_company": "optional", "ask_phone": "required", "thanks_url": "https://minato.example/thanks"},
            {"ask_company": "optional", "ask_phone": "required", "ask_further": False},
        ),
        ("times", TIMES, {"duration_minutes": 60, "durations": [30], "step_minutes": 15, "time_zone": "Europe/Paris"}),
        ("period", PERIOD, {"period_days": 30, "notice_minutes": 120, "notice_from_midnight": False}),
        (
            "period",
            {"kind": "fixed", "period_first": "2026-12-01", "period_last": "2026-12-24", "notice_minutes": "0"},
            {"period_days": None, "period_first": date(2026, 12, 1), "period_last": date(2026, 12, 24)},
        ),
        ("period", {"kind": "open", "notice_minutes": "0"}, {"period_days": None, "period_last": None}),
        (
            "limits",
            {"seats": "4", "page-day-bookings": "3", "host-week-minutes": "600", "guest-total-bookings": "1"},
            {
                "seats": 4,
                "limits": {
                    "page": [{"per": "day", "bookings": 3, "minutes": None}],
                    "host": [{"per": "week", "bookings": None, "minutes": 600}],
                    "guest": [{"per": "total", "bookings": 1, "minutes": None}],
                },
            },
        ),
        ("changes", CHANGES, {"approval": "held", "answer_hours": 24, "guests_move": False, "drift": "follow"}),
        (
            "mails",
            {"guest": ["60", "1440"], "follow_up_minutes": "1440"},
            {"reminders": {"guest": [1440, 60]}, "follow_up_minutes": 1440},
        ),
        ("sharing", {"visibility": "secret"}, {"visibility": "secret", "password": "", "indexed": False}),
    ],
)
def test_a_section_is_kept(
    save: Callable[..., Any], page: BookingPage, section: str, data: dict[str, Any], stored: dict[str, Any]
) -> None:
    answer = save(section, data)
    assert answer["Location"] == f"/app/pages/{page.pk}?saved={section}#{section}"
    assert {name: getattr(page, name) for name in stored} == stored


@pytest.mark.parametrize(
    ("section", "data", "wrong"),
    [
        ("form", {"thanks_url": "javascript:alert(1)"}, "thanks_url"),
        ("times", {**TIMES, "duration_minutes": "7"}, "duration_minutes"),
        ("times", {**TIMES, "time_zone": "Mars/Olympus"}, "time_zone"),
        ("period", {"kind": "rolling", "period_days": "", "notice_minutes": "0"}, "period_days"),
        ("period", {"kind": "fixed", "period_last": "", "notice_minutes": "0"}, "period_last"),
        (
            "period",
            {"kind": "fixed", "period_first": "2026-12-02", "period_last": "2026-12-01", "notice_minutes": "0"},
            "period_last",
        ),
        ("limits", {"seats": "0"}, "seats"),
        ("changes", {**CHANGES, "answer_hours": "0"}, "answer_hours"),
    ],
)
def test_what_cannot_be_kept_comes_back_with_the_field_that_is_wrong(
    save: Callable[..., Any], page: BookingPage, section: str, data: dict[str, Any], wrong: str
) -> None:
    before = BookingPage.objects.filter(pk=page.pk).values().get()
    answer = save(section, data)
    assert answer.status_code == 400
    assert f'href="#id_{wrong}' in answer.content.decode()
    assert BookingPage.objects.filter(pk=page.pk).values().get() == before


def test_a_section_that_somebody_else_saved_meanwhile_is_shown_beside_what_was_typed(
    browser: Client, save: Callable[..., Any], page: BookingPage
) -> None:
    form = browser.get(f"/app/pages/{page.pk}").context["sections"][0]["form"]
    seen = form.fingerprint()
    pages.save_fields(page, {"title": "Theirs"}, page.created_at, by=page.owner)
    answer = save("basics", {**BASICS, "title": "Mine", "seen": seen})
    shown = text(answer)
    assert answer.status_code == 400
    assert "Somebody else changed this section meanwhile." in shown
    assert "Theirs" in shown and 'value="Mine"' in answer.content.decode()
    assert page.title == "Theirs"
    again = next(section for section in answer.context["sections"] if section["id"] == "basics")["seen"]
    assert save("basics", {**BASICS, "title": "Mine", "seen": again}).status_code == 302
    assert page.title == "Mine"


def test_a_password_is_kept_hashed_and_taken_away_again(save: Callable[..., Any], page: BookingPage) -> None:
    save("sharing", {"visibility": "public", "new_password": "sesame"})
    assert page.password and "sesame" not in page.password
    save("sharing", {"visibility": "public"})
    assert page.password
    save("sharing", {"visibility": "public", "no_password": "on"})
    assert page.password == ""


def test_hours_of_other_workspaces_cannot_be_chosen(
    save: Callable[..., Any], page: BookingPage, owner: Member, stranger: Member
) -> None:
    own, theirs = (WeeklySchedule.objects.get(member=member) for member in (owner, stranger))
    assert save("times", {**TIMES, "schedule": own.pk}).status_code == 302
    assert page.schedule == own
    assert save("times", {**TIMES, "schedule": theirs.pk}).status_code == 400


def test_an_assignment_list_is_kept_with_its_groups_weights_and_priorities(
    save: Callable[..., Any], page: BookingPage, owner: Member, teammate: Member
) -> None:
    data = {
        "condition": "list",
        "method": "priority",
        "owner": str(owner.pk),
        "member": [str(owner.pk), str(teammate.pk)],
        f"group-{owner.pk}": "1",
        f"group-{teammate.pk}": "2",
        "needed-2": "1",
        f"weight-{teammate.pk}": "3",
        f"level-{teammate.pk}": "2",
        "confirmed": "yes",
    }
    assert save("members", data).status_code == 302
    assert page.condition == Condition.LIST
    groups = [(group.needed, [member.pk for member in group.members.all()]) for group in page.groups.all()]
    assert groups == [(None, [owner.pk]), (1, [teammate.pk])]
    link = PageMember.objects.get(page=page, member=teammate)
    assert (link.weight, link.level) == (3, 2)


def test_only_whoever_is_ticked_has_the_fields_of_members(
    browser: Client, page: BookingPage, owner: Member, teammate: Member
) -> None:
    shown = browser.get(f"/app/pages/{page.pk}").content.decode()
    assert f'name="weight-{owner.pk}"' in shown and f'name="member" value="{teammate.pk}"' in shown
    assert f'name="weight-{teammate.pk}"' not in shown and 'name="weight-"' in shown, "once, for whoever is ticked"


def test_rooms_are_asked_about_where_the_page_would_stop_and_kept(
    save: Callable[..., Any], page: BookingPage, stranger: Member
) -> None:
    room = Room.objects.create(
        workspace=page.workspace, service="google", address="r@minato.example", name="第一会議室"
    )
    other = Room.objects.create(workspace=stranger.workspace, service="google", address="x@x.example", name="x")
    answer = save("rooms", {"room": [str(room.pk), str(other.pk)], "needed": "any"})
    assert "With this change the page would take no bookings." in text(answer)
    assert not PageGroup.objects.exists()
    assert (
        save("rooms", {"room": [str(room.pk), str(other.pk)], "needed": "any", "confirmed": "yes"}).status_code == 302
    )
    group = PageGroup.objects.get(page=page)
    assert (group.of_rooms, group.needed, list(group.rooms.all())) == (True, 1, [room])
    assert save("rooms", {}).status_code == 302
    assert not PageGroup.objects.exists()


def test_questions_are_kept_in_order_with_keys_that_stay(save: Callable[..., Any], page: BookingPage) -> None:
    page.questions = to_json([Question("q1", Kind.SHORT, "Old")])
    page.save()
    data = {
        "key-0": "q1",
        "kind-0": "long",
        "label-0": "New words",
        "required-0": "on",
        "key-1": "",
        "kind-1": "one",
        "label-1": "How many?",
        "options-1": "1–5\n\n6 and more",
        "key-2": "",
        "kind-2": "short",
        "label-2": "",
    }
    assert save("form", data).status_code == 302
    assert page.questions == to_json(
        [
            Question("q1", Kind.LONG, "New words", required=True),
            Question("q2", Kind.ONE, "How many?", options=("1–5", "6 and more")),
        ]
    )


def test_questions_change_places(save: Callable[..., Any], page: BookingPage) -> None:
    rows = {"key-0": "q1", "kind-0": "short", "label-0": "A", "key-1": "q2", "kind-1": "file", "label-1": "B"}
    assert save("form", {**rows, "hidden-1": "on", "up": "1"}).status_code == 302
    assert page.questions == to_json([Question("q2", Kind.FILE, "B"), Question("q1", Kind.SHORT, "A")])


def test_a_choice_without_choices_comes_back_with_what_was_typed(save: Callable[..., Any], page: BookingPage) -> None:
    answer = save("form", {"label-0": "How many?", "kind-0": "several"})
    assert answer.status_code == 400
    assert "Give at least one choice" in text(answer) and "How many?" in answer.content.decode()
    assert page.questions == []


def test_a_copy_has_everything_but_its_secrets_and_takes_no_bookings(
    browser: Client, page: BookingPage, teammate: Member
) -> None:
    PageMember.objects.create(page=page, member=teammate, position=1)
    BookingPage.objects.update(password="hash", link_key="key", limits={"page": [{"per": "day", "bookings": 1}]})
    browser.post(f"/app/pages/{page.pk}/duplicate")
    copy = BookingPage.objects.exclude(pk=page.pk).get()
    assert (copy.accepting, copy.password, copy.link_key) == (False, "", "")
    assert copy.limits == {"page": [{"per": "day", "bookings": 1}]}
    assert copy.page_members.count() == 2 and page.page_members.count() == 2


def test_an_archived_page_leaves_the_list_and_comes_back(browser: Client, page: BookingPage) -> None:
    browser.post(f"/app/pages/{page.pk}/archive", {"archived": "yes"})
    assert page.title not in text(browser.get("/app/pages"))
    assert page.title in text(browser.get("/app/pages?show=archived"))
    browser.post(f"/app/pages/{page.pk}/archive", {"archived": "no"})
    assert page.title in text(browser.get("/app/pages"))


@pytest.mark.parametrize("section", ["basics", "times", "rooms", "form", "members", "duplicate", "archive"])
def test_strangers_cannot_tell_whether_the_page_exists(
    log_in: Callable[[Any], Client], stranger: Member, page: BookingPage, section: str
) -> None:
    assert log_in(stranger).post(f"/app/pages/{page.pk}/{section}", {}).status_code == 404


def test_a_secret_link_and_a_one_time_link_are_made_in_the_editor(browser: Client, page: BookingPage) -> None:
    browser.post(f"/app/pages/{page.pk}/sharing/secret", {})
    page.refresh_from_db()
    first = page.link_key
    assert first and "?link=" in text(browser.get(f"/app/pages/{page.pk}"))
    browser.post(f"/app/pages/{page.pk}/sharing/secret", {})
    page.refresh_from_db()
    assert page.link_key != first
    shown = text(browser.post(f"/app/pages/{page.pk}/sharing/once", {"note": "For Ann"}))
    assert "?once=" in shown and "For Ann" in shown
    again = text(browser.get(f"/app/pages/{page.pk}"))
    assert "?once=" not in again and "For Ann" in again


def test_why_a_time_is_not_offered_is_told_for_the_page_and_each_person(
    browser: Client, page: BookingPage, log_in: Callable[[Any], Client], stranger: Member
) -> None:
    page.notice_minutes = 60 * 24 * 3650
    page.save()
    address = f"/app/pages/{page.pk}/why"
    assert browser.get(address).status_code == 200
    shown = text(browser.get(address, {"at": "2030-01-05T03:00"}))
    assert "This time is not offered." in shown
    assert "The notice of the page has begun already." in shown and "outside the hours" in shown
    assert browser.get(address, {"at": "soon"}).status_code == 400
    assert log_in(stranger).get(address).status_code == 404


@pytest.mark.parametrize(
    ("section", "fields", "said"),
    [
        ("period", {"period_days": None, "period_last": date(2020, 1, 31)}, "The period is over"),
        ("limits", {"limits": {"host": [{"per": "day", "minutes": 20}]}}, "longer than the minutes"),
        ("times", {}, "None of the members has any hours"),
    ],
)
def test_settings_that_let_nobody_book_are_told_in_their_section(
    browser: Client, page: BookingPage, section: str, fields: dict[str, Any], said: str
) -> None:
    def hints() -> dict[str, str]:
        sections = browser.get(f"/app/pages/{page.pk}").context["sections"]
        return {one["id"]: " ".join(one["hints"]) for one in sections if one.get("hints")}

    assert hints() == {}
    BookingPage.objects.filter(pk=page.pk).update(**fields)
    if section == "times":
        WeeklySchedule.objects.update(weekly=[[]] * 7)
    (found,) = hints().items()
    assert found[0] == section and said in found[1]
