"""Who is told what, when: section 9, through the real outbox."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core import mail

from awase.domain.errors import Capability, Failure, FailureClass, FailureScope, Reason
from awase.domain.health import LocationKind, Service
from awase.models import BookingPage, Calendar, Condition, Connection, Credential, Effect, EffectState, Member
from awase.services import checks, connections, notices, pages
from awase.services.notices import Kind
from awase.services.signals import Cause, Good, record
from awase.services.team import remove
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db

TANAKA, SATO = "tanaka@minato.example", "sato@minato.example"
REVOKED = Failure(FailureClass.RECONNECT, FailureScope.CONNECTION, "G01", Reason.REVOKED)
OUTAGE = Failure(FailureClass.RETRY, FailureScope.CONNECTION, "X01")
OURS = Failure(FailureClass.APP_CONFIG, FailureScope.APP, "G06", detail="invalid_client")


@pytest.fixture
def team(owner: Member, teammate: Member, connect: Callable[..., Connection]) -> tuple[Member, Member]:
    for member in (owner, teammate):
        member.user.language = "en"
        member.user.save()
        connect(member, Service.GOOGLE)
        member.refresh_from_db()
    return owner, teammate


@pytest.fixture
def clock(time_machine: Any) -> Any:
    """A clock that stands still until it is moved."""

    class Clock:
        def __init__(self) -> None:
            self.now = utcnow()
            time_machine.move_to(self.now, tick=False)

        def forward(self, **parts: float) -> datetime:
            self.now += timedelta(**parts)
            time_machine.move_to(self.now, tick=False)
            # The healthy accounts are checked all along.
            healthy = Credential.objects.filter(standing="ok", our_fault=False)
            healthy.update(last_good=self.now, next_check=self.now + timedelta(minutes=5))
            return self.now

    return Clock()


@pytest.fixture
def post(work: Callable[[], None]) -> Callable[[], list[tuple[str, str]]]:
    """post() lets the mails go out: (recipient, subject), sorted."""

    def go() -> list[tuple[str, str]]:
        mail.outbox.clear()
        # No check runs meanwhile: the tests say what is found when.
        Credential.objects.filter(next_check__isnull=False).update(next_check=utcnow() + timedelta(days=1))
        work()
        return sorted((message.to[0], message.subject) for message in mail.outbox)

    return go


def account_of(member: Member, service: Service = Service.GOOGLE) -> Credential:
    return Credential.objects.get(service=service, account_email=member.user.email)


def body_to(address: str) -> str:
    (message,) = [message for message in mail.outbox if message.to == [address]]
    return str(message.body)


def due(now: datetime) -> None:
    notices.catch_up(now)
    notices.remind(now)


ERROR = f"Cannot connect to Google Calendar of Sato ({SATO})."
OWN_ERROR = f"Cannot connect to Google Calendar ({SATO})."
AGAIN = f"Google Calendar ({SATO}) is connected again."


def test_the_member_and_the_owners_of_stopped_pages_get_one_mail_for_all_pages(
    team: Any, page_of: Any, post: Any, clock: Any
) -> None:
    for slug in ("demo", "intro"):
        page_of(*team, slug=slug)
    page_of(team[0], slug="alone")
    record(account_of(team[1]).pk, REVOKED, Cause.CHECK, clock.now)
    assert post() == [(SATO, OWN_ERROR), (TANAKA, ERROR)]
    for address in (SATO, TANAKA):
        text = body_to(address)
        assert "- Demo" in text and "- Intro" in text and "Alone" not in text
    assert "/app/connections/google/connect?connection=" in body_to(SATO)
    assert "Only Sato can repair this" in body_to(TANAKA)


def test_a_page_whose_manual_switch_is_off_is_not_named(team: Any, page_of: Any, post: Any, clock: Any) -> None:
    page = page_of(*team)
    pages.set_accepting(page, False, clock.now, by=page.owner)
    record(account_of(team[1]).pk, REVOKED, Cause.CHECK, clock.now)
    assert post() == [(SATO, OWN_ERROR)]


def test_reminders_come_after_1_3_7_and_14_days_with_the_pages_as_they_are_then(
    team: Any, page_of: Any, post: Any, clock: Any
) -> None:
    page_of(*team, slug="demo")
    record(account_of(team[1]).pk, REVOKED, Cause.CHECK, clock.now)
    post()
    sent: dict[int, list[tuple[str, str]]] = {}
    for hour in range(6, 24 * 20, 6):
        due(clock.forward(hours=6))
        if hour == 30:
            page_of(*team, slug="new")
        if mails := post():
            sent[hour] = mails
            assert ("- New" in body_to(TANAKA)) == (hour > 30)
    assert list(sent) == [24, 72, 168, 336]
    for mails in sent.values():
        assert mails == [(SATO, f"Reminder: {OWN_ERROR}"), (TANAKA, f"Reminder: {ERROR}")]


def test_a_worker_that_was_away_sends_one_reminder_not_all_of_them(
    team: Any, page_of: Any, post: Any, clock: Any
) -> None:
    page_of(*team)
    record(account_of(team[1]).pk, REVOKED, Cause.CHECK, clock.now)
    post()
    due(clock.forward(days=8))
    assert len(post()) == 2
    due(clock.forward(days=5))
    assert post() == []
    due(clock.forward(days=1, hours=1))
    assert len(post()) == 2


def test_a_repair_cancels_reminders_and_names_the_pages_that_opened(
    team: Any, page_of: Any, post: Any, clock: Any, connect: Any
) -> None:
    page_of(*team, slug="demo")
    account = account_of(team[1])
    record(account.pk, REVOKED, Cause.CHECK, clock.now)
    post()
    connect(team[1], Service.GOOGLE, again=account.connections.get())
    assert post() == [(SATO, AGAIN), (TANAKA, AGAIN)]
    assert "Booking pages that have opened again:\n- Demo" in body_to(TANAKA)
    due(clock.forward(days=1, hours=1))
    due(clock.forward(days=3))
    assert post() == []


def test_a_repair_takes_back_what_was_not_sent_yet_and_then_says_nothing(
    team: Any, page_of: Any, post: Any, clock: Any, connect: Any
) -> None:
    page_of(*team)
    account = account_of(team[1])
    record(account.pk, REVOKED, Cause.CHECK, clock.now)
    connect(team[1], Service.GOOGLE, again=account.connections.get())
    assert post() == []
    record(account.pk, REVOKED, Cause.CHECK, clock.forward(minutes=5))
    assert len(post()) == 2, "nobody was told within the hour, so nothing holds the news back"


def test_a_flapping_service_never_sends_more_than_one_notice_an_hour(
    team: Any, page_of: Any, post: Any, clock: Any, settings: Any
) -> None:
    page_of(*team)
    account = account_of(team[1])
    sent: list[tuple[datetime, str]] = []
    for _ in range(12):  # twelve times: away for 20 minutes, back for 10
        for minute in range(0, 30, 5):
            now = clock.forward(minutes=5)
            record(account.pk, OUTAGE if minute < 20 else Good(full=True), Cause.CHECK, now)
            notices.catch_up(now)
            sent += [(now, address) for address, _subject in post()]
    for address in (SATO, TANAKA):
        moments = [at for at, to in sent if to == address]
        assert len(moments) >= 4, "people are told all the same"
        assert all(later - at >= timedelta(hours=1) for at, later in pairwise(moments))


def test_an_error_that_comes_back_within_the_hour_and_lasts_is_told_when_the_hour_is_over(
    team: Any, page_of: Any, post: Any, clock: Any, connect: Any
) -> None:
    page_of(*team)
    account = account_of(team[1])
    record(account.pk, REVOKED, Cause.CHECK, clock.now)
    post()
    connect(team[1], Service.GOOGLE, again=account.connections.get())
    post()
    record(account.pk, REVOKED, Cause.CHECK, clock.forward(minutes=10))
    due(clock.now)
    assert post() == []
    due(clock.forward(minutes=51))
    assert post() == [(SATO, OWN_ERROR), (TANAKA, ERROR)]


def test_a_licence_that_goes_within_the_hour_is_told_when_the_hour_is_over(
    team: Any, page_of: Any, post: Any, clock: Any, connect: Any
) -> None:
    link = connect(team[0], Service.ZOOM)
    page_of(team[0], locations=(LocationKind.ZOOM,), slug="demo")
    record(link.credential_id, REVOKED, Cause.CHECK, clock.now)
    post()
    connect(team[0], Service.ZOOM, again=link)
    post()
    lacking = Failure(
        FailureClass.RECONNECT, FailureScope.CAPABILITY, "Z16", Reason.LICENCE_MISSING, capability=Capability.ZOOM
    )
    record(link.credential_id, lacking, Cause.CALL, clock.forward(minutes=10))
    due(clock.now)
    assert post() == []
    due(clock.forward(minutes=51))
    assert post() == [(TANAKA, f"Zoom of Tanaka ({TANAKA}) cannot be used for meetings.")]
    due(clock.forward(minutes=90))
    assert post() == [], "once"


def test_more_pages_that_stop_within_the_hour_are_told_when_the_hour_is_over(
    team: Any, page_of: Any, post: Any, clock: Any, connect: Any
) -> None:
    link = connect(team[0], Service.ZOOM)
    page_of(team[0], locations=(LocationKind.MEET,), slug="meet")
    page_of(team[0], locations=(LocationKind.ZOOM,), slug="zoom")
    google = account_of(team[0])
    no_meet = Failure(
        FailureClass.RECONNECT, FailureScope.CAPABILITY, "G23", Reason.LICENCE_MISSING, capability=Capability.MEET
    )
    record(google.pk, no_meet, Cause.CALL, clock.now)
    assert len(post()) == 1
    record(google.pk, REVOKED, Cause.CHECK, clock.forward(minutes=10))
    assert post() == []
    due(clock.forward(minutes=51))
    assert [to for to, _ in post()] == [TANAKA]
    assert "- Zoom" in body_to(TANAKA) and link


def test_a_page_that_goes_on_without_somebody_is_told_to_its_owner_once(
    team: Any, page_of: Any, post: Any, clock: Any, connect: Any
) -> None:
    page_of(*team, condition=Condition.ANY, slug="demo")
    account = account_of(team[1])
    record(account.pk, REVOKED, Cause.CHECK, clock.now)
    assert post() == [(SATO, OWN_ERROR), (TANAKA, ERROR)]
    assert "Booking pages that go on without this member:\n- Demo" in body_to(TANAKA)
    assert "have stopped" not in body_to(TANAKA)
    due(clock.forward(days=1, hours=1))
    assert post() == [(SATO, f"Reminder: {OWN_ERROR}")], "reminders are for whoever is stopped"
    connect(team[1], Service.GOOGLE, again=account.connections.get())
    assert post() == [(SATO, AGAIN), (TANAKA, AGAIN)]


def test_a_missing_calendar_is_told_by_its_name(
    team: Any, page_of: Any, post: Any, clock: Any, control: Control
) -> None:
    page_of(*team, slug="demo")
    account = account_of(team[1])
    calendar = Calendar.objects.get(connection__credential=account, checked=True)
    Calendar.objects.filter(pk=calendar.pk).update(name="Old team")
    control.fault("google", SATO, "calendar_error", reason="notFound")
    checks.check(account.pk, Cause.CHECK, clock.now)
    what = f"The calendar “Old team” of Sato ({SATO}) cannot be found."
    assert post() == [(SATO, what), (TANAKA, what)]
    assert "- Demo" in body_to(TANAKA)
    control.repair("google", SATO)
    checks.check(account.pk, Cause.CHECK_NOW, clock.forward(minutes=90))
    assert post() == [(SATO, AGAIN), (TANAKA, AGAIN)]


def test_a_missing_licence_is_told_to_the_owner_whose_page_it_stops(
    team: Any, page_of: Any, post: Any, clock: Any, connect: Any
) -> None:
    connect(team[0], Service.ZOOM)
    page_of(team[0], locations=(LocationKind.ZOOM,), slug="demo")
    lacking = Failure(
        FailureClass.RECONNECT, FailureScope.CAPABILITY, "Z16", Reason.LICENCE_MISSING, capability=Capability.ZOOM
    )
    record(account_of(team[0], Service.ZOOM).pk, lacking, Cause.CALL, clock.now)
    ((to, subject),) = post()
    assert to == TANAKA
    assert subject == f"Zoom of Tanaka ({TANAKA}) cannot be used for meetings."
    assert "- Demo" in body_to(TANAKA)


def test_no_member_is_mailed_for_our_faults_and_the_operator_once_a_day(
    team: Any, page_of: Any, post: Any, clock: Any, settings: Any
) -> None:
    settings.AWASE_OPERATOR_EMAIL = "ops@awase.test"
    page_of(*team)
    account = account_of(team[1])
    mails = []
    for _ in range(3 * 24):
        record(account.pk, OURS, Cause.CHECK, clock.forward(hours=1))
        due(clock.now)
        mails += post()
    assert not BookingPage.objects.get().health.open
    assert {to for to, _ in mails} == {"ops@awase.test"}
    assert len(mails) == 3 + 1, "three days touch four dates"
    assert mails[0][1] == "Something on our side keeps Google Calendar from working."


def test_without_an_operator_s_address_an_alarm_is_kept_and_mailed_to_nobody(team: Any, post: Any, clock: Any) -> None:
    record(account_of(team[1]).pk, OURS, Cause.CHECK, clock.now)
    assert post() == []


def test_members_may_do_without_reminders_and_good_news_but_not_without_the_first_news(
    team: Any, page_of: Any, post: Any, clock: Any, connect: Any
) -> None:
    Member.objects.update(notices=dict.fromkeys(Kind, False))
    page_of(*team)
    account = account_of(team[1])
    record(account.pk, REVOKED, Cause.CHECK, clock.now)
    assert len(post()) == 2
    due(clock.forward(days=1, hours=1))
    assert post() == []
    connect(team[1], Service.GOOGLE, again=account.connections.get())
    assert post() == []
    page = BookingPage.objects.get()
    BookingPage.objects.filter(pk=page.pk).update(condition=Condition.ANY)
    record(account.pk, REVOKED, Cause.CHECK, clock.forward(hours=2))
    assert post() == [(SATO, OWN_ERROR)], "the owner of a page that goes on did not want to know"


def test_an_error_overtaken_by_the_repair_is_not_mailed(team: Any, page_of: Any, post: Any, clock: Any) -> None:
    page_of(*team)
    account = account_of(team[1])
    record(account.pk, REVOKED, Cause.CHECK, clock.now)
    Credential.objects.filter(pk=account.pk).update(standing="ok", reason="", last_good=clock.now)
    assert post() == []
    assert not Effect.objects.exclude(state=EffectState.DONE).exists()


def test_a_mail_names_twenty_pages_and_counts_the_rest(team: Any, page_of: Any, post: Any, clock: Any) -> None:
    for number in range(23):
        page_of(*team, slug=f"page-{number:02}")
    record(account_of(team[1]).pk, REVOKED, Cause.CHECK, clock.now)
    post()
    assert "- Page-19\n- and 3 more" in body_to(TANAKA)


OPENED = f"Google Calendar ({SATO}) no longer stops your booking pages."


def test_who_was_told_of_a_stop_is_told_once_when_the_page_opens_because_the_account_is_disconnected(
    team: Any, page_of: Any, post: Any, clock: Any
) -> None:
    page_of(*team, slug="demo", calendar_required=False)
    page_of(team[0], slug="alone")
    account = account_of(team[1])
    record(account.pk, REVOKED, Cause.CHECK, clock.now)
    assert len(post()) == 2
    connections.disconnect(account.connections.get(), clock.forward(minutes=5))
    assert BookingPage.objects.get(slug="demo").health.open
    assert post() == [(SATO, OPENED), (TANAKA, OPENED)]
    assert "Booking pages that have opened again:\n- Demo" in body_to(TANAKA) and "Alone" not in body_to(TANAKA)
    due(clock.forward(days=1, hours=1))
    assert post() == []


def test_a_disconnect_takes_back_what_was_not_sent_yet_and_then_says_nothing(
    team: Any, page_of: Any, post: Any, clock: Any
) -> None:
    page_of(*team)
    account = account_of(team[1])
    record(account.pk, REVOKED, Cause.CHECK, clock.now)
    connections.disconnect(account.connections.get(), clock.now)
    assert not Effect.objects.filter(state=EffectState.PENDING, kind="mail").exists()
    assert post() == []


def test_a_page_that_another_account_still_stops_is_not_told_to_be_open_after_a_disconnect(
    team: Any, page_of: Any, post: Any, clock: Any, connect: Any
) -> None:
    link = connect(team[1], Service.MICROSOFT)
    page_of(*team)
    account = account_of(team[1])
    record(account.pk, REVOKED, Cause.CHECK, clock.now)
    record(link.credential_id, REVOKED, Cause.CHECK, clock.now)
    post()
    connections.disconnect(account.connections.get(), clock.forward(minutes=5))
    assert post() == []
    connections.disconnect(link, clock.forward(minutes=5))
    assert [to for to, _subject in post()] == [SATO, TANAKA]


def test_somebody_who_leaves_with_a_broken_account_opens_pages_and_their_owners_are_told(
    team: Any, page_of: Any, post: Any, clock: Any
) -> None:
    page_of(*team, slug="demo")
    record(account_of(team[1]).pk, REVOKED, Cause.CHECK, clock.now)
    post()
    remove(team[0], team[1], clock.forward(minutes=5), heir=None)
    assert post() == [(TANAKA, OPENED)]


@pytest.fixture
def use(clock: Any) -> Callable[..., None]:
    """use(account, checked=…, go_on_without=…): its member says so of all its calendars, who gets no bookings in it."""

    def go(account: Credential, *, checked: bool, go_on_without: bool = False) -> None:
        link = account.connections.get()
        ids = set(link.calendars.values_list("pk", flat=True))
        without = ids if go_on_without else set()
        connections.set_use(link.member, link, checked=ids if checked else set(), go_on_without=without, now=clock.now)

    return go


@pytest.fixture
def spare(team: Any, connect: Any, use: Any) -> Credential:
    """A second account of Sato's that nothing depends on yet."""
    link = connect(team[1], Service.MICROSOFT)
    use(link.credential, checked=False)
    return Credential.objects.get(pk=link.credential_id)


@pytest.fixture
def breaks(control: Control, clock: Any) -> Callable[[Credential], None]:
    """breaks(account): it is revoked at the service, and that is noticed."""

    def go(account: Credential) -> None:
        control.revoke(account.service, account.account_email)
        checks.check(account.pk, Cause.CHECK_NOW, clock.now)

    return go


OUTLOOK = f"Cannot connect to Microsoft (Outlook calendar) of Sato ({SATO})."


def test_owners_hear_at_once_when_a_member_lets_pages_depend_on_an_account_already_in_error(
    team: Any, spare: Credential, breaks: Any, use: Any, page_of: Any, post: Any, clock: Any
) -> None:
    for slug in ("demo", "intro"):
        page_of(*team, slug=slug)
    breaks(spare)
    assert [to for to, _ in post()] == [SATO]
    clock.forward(days=5)
    due(clock.now)
    post()
    clock.forward(hours=2)
    use(spare, checked=True)
    assert (TANAKA, OUTLOOK) in post()
    assert "- Demo" in body_to(TANAKA) and "- Intro" in body_to(TANAKA)
    due(clock.now)
    due(clock.forward(hours=2))
    assert post() == [], "no reminder of days that were over before"
    due(clock.forward(days=2))
    assert (TANAKA, f"Reminder: {OUTLOOK}") in post()


def test_what_a_member_s_edit_stops_within_the_hour_is_told_when_the_hour_is_over(
    team: Any, spare: Credential, breaks: Any, use: Any, page_of: Any, post: Any, clock: Any
) -> None:
    page_of(*team, slug="demo")
    breaks(spare)
    post()
    clock.forward(minutes=10)
    use(spare, checked=True, go_on_without=True)
    assert BookingPage.objects.get().health.open
    use(spare, checked=True)
    assert not BookingPage.objects.get().health.open
    due(clock.now)
    assert post() == []
    due(clock.forward(minutes=51))
    assert (TANAKA, OUTLOOK) in post()
    assert "- Demo" in body_to(TANAKA)


def test_the_owner_hears_once_of_a_page_that_goes_on_without_a_member_through_an_edit(
    team: Any, spare: Credential, breaks: Any, use: Any, page_of: Any, post: Any, clock: Any
) -> None:
    page_of(*team, condition=Condition.ANY, slug="demo")
    breaks(spare)
    post()
    clock.forward(hours=2)
    use(spare, checked=True)
    assert (TANAKA, OUTLOOK) in post()
    assert "Booking pages that go on without this member:\n- Demo" in body_to(TANAKA)
    clock.forward(hours=2)
    use(spare, checked=True)
    assert post() == []


def test_a_page_that_goes_on_without_a_member_through_an_edit_within_the_hour_is_told_when_it_is_over(
    team: Any, spare: Credential, breaks: Any, use: Any, page_of: Any, post: Any, clock: Any
) -> None:
    page_of(*team, condition=Condition.ANY, slug="demo")
    breaks(spare)
    post()
    clock.forward(minutes=10)
    use(spare, checked=True)
    due(clock.now)
    assert post() == []
    due(clock.forward(minutes=51))
    assert (TANAKA, OUTLOOK) in post()
    assert "Booking pages that go on without this member:\n- Demo" in body_to(TANAKA)
    for _ in range(3):
        due(clock.forward(hours=2))
        assert post() == []


def test_owners_hear_when_a_member_s_edit_opens_their_pages_although_the_account_stays_broken(
    team: Any, spare: Credential, breaks: Any, use: Any, page_of: Any, post: Any, clock: Any
) -> None:
    page_of(*team, slug="demo")
    use(spare, checked=True)
    breaks(spare)
    assert [to for to, _ in post()] == [SATO, TANAKA]
    clock.forward(minutes=5)
    use(spare, checked=False)
    assert post() == [(TANAKA, f"Microsoft (Outlook calendar) ({SATO}) no longer stops your booking pages.")]
    due(clock.forward(days=1, hours=1))
    assert [to for to, _ in post()] == [SATO], "the account is still to be repaired, and stops nobody else"


def test_nothing_is_mailed_where_pages_stop_without_anything_being_broken(
    team: Any, page_of: Any, post: Any, clock: Any, connect: Any
) -> None:
    owner, other = team
    wants_zoom = page_of(owner, other, locations=(LocationKind.ZOOM,), condition=Condition.ANY)
    by_setting = page_of(other, slug="empty")
    pages.set_people(by_setting, replace(pages.people_of(by_setting), member_ids=()), clock.now, by=other)
    not_connected = page_of(other, slug="alone", condition=Condition.ANY)
    for link in Connection.objects.filter(member=other):
        connections.disconnect(link, clock.now)
    stopped = {page.slug for page in BookingPage.objects.filter(health__open=False, health__in_error=False)}
    assert stopped == {wants_zoom.slug, by_setting.slug, not_connected.slug}
    assert post() == []
    due(clock.forward(days=1, hours=1))
    assert post() == [], "nor are there reminders"
