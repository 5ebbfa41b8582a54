"""The histories, the measures and the metrics, over real rows; what strangers and teammates must not see."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from awase.domain.errors import Failure, FailureClass, FailureScope, Reason
from awase.domain.health import Service
from awase.domain.history import Change, Mark
from awase.models import (
    BookingPage,
    Calendar,
    Condition,
    Connection,
    ConnectionChange,
    Credential,
    PageChange,
    RefusedBooking,
)
from awase.services import history, pages
from awase.services.insights_health import measure
from awase.services.metrics import Metric
from awase.services.signals import Cause, Good, record
from awase.web.metrics import as_text

pytestmark = pytest.mark.django_db

REVOKED = Failure(FailureClass.RECONNECT, FailureScope.CONNECTION, "G01", Reason.REVOKED)
OUTAGE = Failure(FailureClass.RETRY, FailureScope.CONNECTION, "G20")
ALWAYS = [[[0, 1440]]] * 7


def utcnow() -> datetime:
    return datetime.now(UTC)


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.fixture
def page(owner: Any, teammate: Any, connect: Callable[..., Any], page_of: Callable[..., Any]) -> BookingPage:
    """Owner and teammate, both with Google; it has been there for a month."""
    for member in (owner, teammate):
        connect(member, Service.GOOGLE)
        member.schedules.update(weekly=ALWAYS)
        member.refresh_from_db()
    made: BookingPage = page_of(owner, teammate)
    long_ago = utcnow() - timedelta(days=30)
    BookingPage.objects.update(created_at=long_ago)
    PageChange.objects.all().delete()
    ConnectionChange.objects.update(at=long_ago)
    Credential.objects.update(since=long_ago)
    made.refresh_from_db()
    return made


def account_of(member: Any) -> Credential:
    return Connection.objects.select_related("credential").get(member=member).credential


def break_for(member: Any, *, start: timedelta, end: timedelta | None = None) -> None:
    """The member's account is revoked so long ago, and repaired by a check."""
    account = account_of(member)
    Credential.objects.filter(pk=account.pk).update(last_good=utcnow() - start - timedelta(minutes=1))
    record(account.pk, REVOKED, Cause.CHECK, utcnow() - start)
    if end is not None:
        record(account.pk, Good(full=True), Cause.CHECK, utcnow() - end)
        Credential.objects.filter(pk=account.pk).update(last_good=utcnow())  # checked ever since


def test_a_page_tells_when_it_stopped_why_and_what_triggered_it(
    page: BookingPage, teammate: Any, owner: Any, log_in: Callable[[Any], Client]
) -> None:
    break_for(teammate, start=timedelta(days=2, hours=3), end=timedelta(days=2))
    shown = text(log_in(owner).get(f"/app/pages/{page.pk}/history"))
    assert "Stopped by a connection error: Access was withdrawn at the service." in shown
    assert "sato@minato.example" in shown and "noticed by the periodic check" in shown
    assert "Opened by itself" in shown
    assert re.search(r"Of the last 90 days [12] had a stop by a connection error", shown)


def test_an_account_tells_its_states_with_the_reason(
    page: BookingPage, teammate: Any, log_in: Callable[[Any], Client]
) -> None:
    break_for(teammate, start=timedelta(hours=5), end=timedelta(hours=2))
    link = Connection.objects.get(member=teammate)
    shown = text(log_in(teammate).get(f"/app/connections/{link.pk}/history"))
    assert "Connection error: Access was withdrawn at the service." in shown
    assert "Connection error (hours)" in shown
    assert log_in(teammate).get(f"/app/connections/{link.pk}/history").content.count(b"<rect class=") == 90


def test_admins_see_the_history_of_every_account_and_others_only_their_own(
    page: BookingPage, owner: Any, teammate: Any, stranger: Any, log_in: Callable[[Any], Client]
) -> None:
    theirs, own = (Connection.objects.get(member=member).pk for member in (teammate, owner))
    assert log_in(owner).get(f"/app/connections/{theirs}/history").status_code == 200
    assert log_in(teammate).get(f"/app/connections/{own}/history").status_code == 404
    for path in (f"/app/connections/{theirs}/history", f"/app/pages/{page.pk}/history"):
        assert log_in(stranger).get(path).status_code == 404


def test_a_member_who_may_not_edit_finds_the_page_s_state_in_its_history(
    page: BookingPage, owner: Any, teammate: Any, log_in: Callable[[Any], Client]
) -> None:
    break_for(owner, start=timedelta(minutes=5))
    shown = text(log_in(teammate).get(f"/app/pages/{page.pk}/history"))
    assert "Cannot connect to Google Calendar of Tanaka" in shown
    assert "Tanaka: Reconnect" in shown
    assert f"/app/pages/{page.pk}/history" in log_in(teammate).get("/app/pages").content.decode()


def test_what_nobody_wrote_down_yet_counts_from_when_the_tolerance_ran_out(page: BookingPage, teammate: Any) -> None:
    now = utcnow()
    silent = now - timedelta(hours=2)
    Credential.objects.filter(pk=account_of(teammate).pk).update(last_good=silent)
    (stop,) = history.of_pages([page], now - timedelta(days=1), now)[page.pk][1:]
    account = history.of_accounts([account_of(teammate)], now - timedelta(days=1), now)
    ran_out = silent + timedelta(minutes=15)
    assert stop.mark is Mark.DANGER and stop.at == ran_out
    assert account[account_of(teammate).pk][-1].at == ran_out


def test_a_stop_by_settings_is_no_error(page: BookingPage) -> None:
    people = pages.People(Condition.ALL, page.assignment, True, page.owner_id, ())
    pages.set_people(page, people, utcnow(), by=page.owner)
    (change,) = history.of_pages([page], page.created_at, utcnow())[page.pk][1:]
    assert change == Change(change.at, Mark.WARN, "no_members")


def test_histories_of_many_pages_take_as_many_queries_as_of_one(page: BookingPage, owner: Any, page_of: Any) -> None:
    def queries(of: list[BookingPage]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as counted:
            history.of_pages(of, utcnow() - timedelta(days=9), utcnow())
        return len(counted)

    break_for(owner, start=timedelta(minutes=5))
    many = [page, *(page_of(owner, slug=f"page-{number}") for number in range(5))]
    assert queries(many) == queries([page])


def test_the_measures_tell_what_an_error_cost(page: BookingPage, teammate: Any) -> None:
    break_for(teammate, start=timedelta(hours=5), end=timedelta(hours=2))
    RefusedBooking.objects.create(page=page, at=utcnow(), refusal="not_accepting", stops=["calendar"])
    RefusedBooking.objects.create(page=page, at=utcnow(), refusal="slot_gone")
    found = measure([page], utcnow(), "Asia/Tokyo")
    assert found.errors == 1 and found.refused == 1
    assert (found.detected_after, found.opened_after) == (timedelta(), timedelta())
    assert found.repaired_after == pytest.approx(timedelta(hours=3), abs=timedelta(seconds=5))
    assert found.by_cause["revoked"] == pytest.approx(timedelta(hours=3), abs=timedelta(seconds=5))
    assert found.lost == pytest.approx(timedelta(hours=3), abs=timedelta(seconds=5))
    assert sum(day.hours(Mark.DANGER) for day in found.lost_by_day) == pytest.approx(3.0, abs=0.2)
    (loss,) = found.pages
    assert (loss.page, loss.refused) == (page, 1)


def test_only_hours_that_everybody_needed_has_open_are_lost(page: BookingPage, teammate: Any) -> None:
    teammate.schedules.update(weekly=[[]] * 7)
    break_for(teammate, start=timedelta(hours=5), end=timedelta(hours=2))
    assert measure([page], utcnow(), "UTC").lost == timedelta()
    BookingPage.objects.update(condition=Condition.ANY)
    page.refresh_from_db()
    assert measure([page], utcnow(), "UTC").lost == pytest.approx(timedelta(hours=3), abs=timedelta(seconds=5))


def test_an_outage_is_detected_from_its_first_sign(page: BookingPage, teammate: Any) -> None:
    account = account_of(teammate)
    Credential.objects.filter(pk=account.pk).update(last_good=utcnow() - timedelta(hours=3))
    for ago in (179, 150):
        record(account.pk, OUTAGE, Cause.CHECK, utcnow() - timedelta(minutes=ago))
    record(account.pk, Good(full=True), Cause.CHECK, utcnow())
    found = measure([page], utcnow(), "UTC")
    assert found.detected_after == pytest.approx(timedelta(minutes=14), abs=timedelta(minutes=1))
    assert found.by_cause["unreachable"] > timedelta(hours=2)


def test_the_insights_screen_shows_the_measures_of_the_viewer_s_pages(
    page: BookingPage, owner: Any, teammate: Any, stranger: Any, log_in: Callable[[Any], Client]
) -> None:
    break_for(teammate, start=timedelta(hours=5), end=timedelta(hours=2))
    shown = text(log_in(owner).get("/app/insights"))
    assert "3.0 h" in shown and "Access was withdrawn at the service." in shown and page.title in shown
    assert page.title not in text(log_in(stranger).get("/app/insights"))


def test_metrics_are_for_this_machine_alone_unless_a_token_is_set(page: BookingPage, settings: Any) -> None:
    def status(**sent: str) -> int:
        return int(Client(SERVER_NAME="awase.test").get("/metrics", **sent).status_code)

    assert status() == 200
    assert status(REMOTE_ADDR="203.0.113.9") == 404
    assert status(HTTP_X_FORWARDED_FOR="203.0.113.9") == 404
    assert status(REMOTE_ADDR="") == 404
    settings.AWASE_METRICS_TOKEN = "token"
    assert status() == 404
    assert status(HTTP_AUTHORIZATION="Bearer token", REMOTE_ADDR="203.0.113.9") == 200


def test_metrics_count_states_turns_refusals_and_work(page: BookingPage, teammate: Any) -> None:
    break_for(teammate, start=timedelta(hours=5), end=timedelta(hours=2))
    break_for(teammate, start=timedelta(hours=1))
    RefusedBooking.objects.create(page=page, at=utcnow(), refusal="not_accepting", stops=["calendar"])
    lines = Client(SERVER_NAME="awase.test").get("/metrics").content.decode().splitlines()
    assert 'awase_connections{service="google",standing="error"} 1' in lines
    assert 'awase_connections{service="google",standing="ok"} 1' in lines
    assert 'awase_pages{state="error"} 1' in lines
    assert 'awase_page_turns_total{turn="stopped",cause="check"} 2' in lines
    assert 'awase_page_turns_total{turn="opened",cause="check"} 1' in lines
    assert 'awase_bookings_refused_total{refusal="not_accepting"} 1' in lines
    assert "awase_bookings_refused_by_health_total 1" in lines
    assert "awase_time_to_open_seconds 0" in lines
    (stopped,) = [line for line in lines if line.startswith("awase_page_stopped_seconds{")]
    assert stopped.startswith('awase_page_stopped_seconds{cause="revoked"} ') and float(stopped.split()[-1]) > 14_300
    for line in lines:
        assert re.fullmatch(r'# (HELP|TYPE) awase_\w+ .+|awase_\w+(\{(\w+="[^"]*",?)+\})? [\d.e+-]+', line), line


def samples(name: str) -> dict[str, float]:
    """The samples of one family as /metrics tells them, by their labels."""
    lines = Client(SERVER_NAME="awase.test").get("/metrics").content.decode().splitlines()
    found = (line.removeprefix(name).rsplit(" ", 1) for line in lines if line.startswith(f"{name}{{"))
    return {labels: float(value) for labels, value in found}


def test_metrics_tell_of_pages_that_a_tolerance_stopped_while_no_worker_runs(
    page: BookingPage, owner: Any, teammate: Any, page_of: Any
) -> None:
    page_of(owner, slug="by-hand", accepting=False)
    page_of(owner, slug="unconcerned")
    silent = utcnow() - timedelta(hours=2)
    Credential.objects.filter(pk=account_of(teammate).pk).update(last_good=silent)
    assert not PageChange.objects.filter(opened=False).exists(), "nobody wrote it down"
    assert samples("awase_pages") == {
        '{state="open"}': 1,
        '{state="by_hand"}': 1,
        '{state="error"}': 1,
        '{state="not_connected"}': 0,
    }
    (stopped,) = samples("awase_page_stopped_seconds").items()
    assert stopped == ('{cause="operator"}', pytest.approx(105 * 60, abs=5))
    record(account_of(teammate).pk, OUTAGE, Cause.CHECK, utcnow())
    assert samples("awase_pages")['{state="error"}'] == 1, "written down, it counts once"


def test_metrics_tell_of_a_calendar_that_alone_stayed_unreadable_too_long(page: BookingPage, teammate: Any) -> None:
    Calendar.objects.filter(connection__member=teammate).update(unreadable_since=utcnow() - timedelta(minutes=10))
    assert samples("awase_pages")['{state="error"}'] == 0
    Calendar.objects.filter(connection__member=teammate).update(unreadable_since=utcnow() - timedelta(minutes=20))
    assert samples("awase_pages")['{state="error"}'] == 1


def test_metrics_evaluate_no_page_while_all_is_well_and_take_as_many_queries_for_many(
    page: BookingPage, owner: Any, teammate: Any, page_of: Any
) -> None:
    def queries(*silent: Any) -> int:
        now = utcnow()
        Credential.objects.update(last_good=now)
        Credential.objects.filter(connections__member__in=silent).update(last_good=now - timedelta(hours=2))
        with CaptureQueriesContext(connection) as counted:
            samples("awase_pages")
        return len(counted)

    for number in range(5):
        page_of(owner, slug=f"page-{number}")
    one, many = queries(teammate), queries(owner)
    assert one == many > queries(), "one page, six pages, none"


def test_label_values_are_escaped_as_the_format_wants() -> None:
    metric = Metric("awase_x", "gauge", "Help.", (({"a": 'say "\\"\n'}, 1.5),))
    assert as_text(metric) == '# HELP awase_x Help.\n# TYPE awase_x gauge\nawase_x{a="say \\"\\\\\\"\\n"} 1.5\n'
