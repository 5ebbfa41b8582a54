"""No break is better than a quick cure: permissions are kept alive, and known ends are told ahead."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from awase.domain.errors import Failure, FailureClass, FailureScope, Reason
from awase.domain.health import Service
from awase.models import Connection, Credential, Effect, Member, PushChannel
from awase.providers.protocols import Tokens
from awase.services import connections, foresight
from awase.services.foresight import Wish, known_end, missing_scopes
from awase.services.signals import Cause, record
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db


def sent_by(look: Callable[[datetime], None], now: datetime, work: Callable[[], None]) -> list[str]:
    """The subjects of the mails that a look ahead at `now` causes."""
    mail.outbox.clear()
    look(now)
    Effect.objects.filter(state="pending").update(next_at=utcnow())
    work()
    return [message.subject for message in mail.outbox]


@pytest.fixture
def google(owner: Member, connect: Callable[..., Connection]) -> Credential:
    owner.user.language = "en"
    owner.user.save()
    return connect(owner, Service.GOOGLE).credential


def test_an_end_is_told_a_week_and_a_day_ahead_once_each(google: Credential, work: Any) -> None:
    end = utcnow() + timedelta(days=30)
    Credential.objects.update(ends_at=end)
    told = {
        hours: subjects
        for hours in range(24 * 10, 0, -6)
        if (subjects := sent_by(foresight.warn_of_ends, end - timedelta(hours=hours), work))
    }
    assert list(told) == [7 * 24, 24]
    assert told[24] == ["The permission for Google Calendar (tanaka@minato.example) runs out soon."]


def test_the_mail_leads_to_the_consent_and_names_the_day(google: Credential, work: Any) -> None:
    end = utcnow() + timedelta(days=6)
    Credential.objects.update(ends_at=end)
    sent_by(foresight.warn_of_ends, utcnow(), work)
    (message,) = mail.outbox
    assert f"/app/connections/google/connect?connection={google.connections.get().pk}" in message.body


def test_whoever_wants_no_news_ahead_gets_none(owner: Member, google: Credential, work: Any) -> None:
    Member.objects.update(notices={"ahead": False})
    Credential.objects.update(ends_at=utcnow() + timedelta(days=3))
    assert sent_by(foresight.warn_of_ends, utcnow(), work) == []


def test_what_is_in_error_already_is_not_told_ahead(google: Credential, work: Any) -> None:
    record(
        google.pk,
        Failure(FailureClass.RECONNECT, FailureScope.CONNECTION, "G01", Reason.REVOKED),
        Cause.CHECK,
        utcnow(),
    )
    work()
    Credential.objects.update(ends_at=utcnow() + timedelta(days=3))
    assert sent_by(foresight.warn_of_ends, utcnow(), work) == []


def tokens(end: datetime | None) -> Tokens:
    return Tokens("access", "refresh", utcnow() + timedelta(hours=1), frozenset(), refresh_expires_at=end)


def test_google_s_own_word_on_the_end_counts_and_a_week_is_not_told_on_its_first_day() -> None:
    now = utcnow()
    month = known_end(Service.GOOGLE, tokens(now + timedelta(days=30)), now)
    assert month == {"ends_at": now + timedelta(days=30), "warned_of": None}
    week = known_end(Service.GOOGLE, tokens(now + timedelta(days=7)), now)
    assert week == {"ends_at": now + timedelta(days=7), "warned_of": now}


def test_a_registration_in_testing_gives_seven_days(settings: Any) -> None:
    now = utcnow()
    assert known_end(Service.GOOGLE, tokens(None), now)["ends_at"] is None
    settings.AWASE_GOOGLE_TESTING = True
    assert known_end(Service.GOOGLE, tokens(None), now)["ends_at"] == now + timedelta(days=7)


@pytest.mark.parametrize("service", [Service.ZOOM, Service.MICROSOFT, Service.TEAMS])
def test_where_each_use_moves_the_end_on_there_is_none(service: Service) -> None:
    now = utcnow()
    assert known_end(service, tokens(now + timedelta(days=90)), now)["ends_at"] is None


def test_reconnecting_sets_the_end_anew(
    owner: Member, google: Credential, connect: Any, settings: Any, work: Any
) -> None:
    settings.AWASE_GOOGLE_TESTING = True
    connect(owner, Service.GOOGLE, again=google.connections.get())
    first = Credential.objects.get().ends_at
    assert first is not None
    assert sent_by(foresight.warn_of_ends, first - timedelta(hours=5), work) != []
    Credential.objects.update(ends_at=first - timedelta(days=5))
    connect(owner, Service.GOOGLE, again=google.connections.get())
    second = Credential.objects.get().ends_at
    assert second is not None and second >= first
    assert sent_by(foresight.warn_of_ends, second - timedelta(hours=5), work) != [], "the new end is told as well"


@pytest.mark.parametrize(
    ("setting", "ending", "subject"),
    [
        ("AWASE_SECRETS_END", foresight.secrets_ending, "The client secret for zoom runs out soon."),
        ("AWASE_APPROVALS_END", foresight.approvals_ending, "The approval of the app at zoom runs out soon."),
    ],
)
def test_the_operator_is_told_of_what_ends_at_a_service_a_week_and_a_day_ahead(
    setting: str, ending: Any, subject: str, settings: Any, work: Any
) -> None:
    settings.AWASE_OPERATOR_EMAIL = "ops@awase.test"
    setattr(settings, setting, {"google": None, "microsoft": date(2028, 1, 1), "zoom": date(2027, 3, 31)})
    noon = datetime.fromisoformat("2027-03-31T12:00:00+00:00")
    told = {
        days: subjects
        for days in range(40, -1, -1)
        for subjects in [sent_by(foresight.warn_operators, noon - timedelta(days=days), work)]
        if subjects
    }
    assert list(told) == [7, 1]
    assert told[7] == [subject]
    assert list(ending(noon - timedelta(days=20))) == ["zoom"]


def test_the_operator_is_told_of_channels_that_nobody_renewed(google: Credential, settings: Any, work: Any) -> None:
    settings.AWASE_OPERATOR_EMAIL = "ops@awase.test"
    now = utcnow()
    PushChannel.objects.create(
        credential=google, channel_id="a", token_digest="0", expires_at=now + timedelta(days=3), created_at=now
    )
    assert sent_by(foresight.warn_operators, now, work) == []
    assert sent_by(foresight.warn_operators, now + timedelta(days=2, hours=23, minutes=30), work) == [
        "Push channels are about to lapse."
    ]


@pytest.mark.parametrize("service", [Service.ZOOM, Service.TEAMS, Service.MICROSOFT, Service.GOOGLE])
def test_an_account_that_nothing_uses_is_kept_alive(
    owner: Member, connect: Any, service: Service, time_machine: Any
) -> None:
    link = connect(owner, service)
    Member.objects.update(booking_calendar=None)
    link.calendars.all().delete()
    Credential.objects.update(check_every=None, next_check=None)
    before = Credential.objects.get()
    time_machine.move_to(utcnow() + timedelta(days=20))
    foresight.keep_alive(utcnow())
    assert Credential.objects.get().generation == before.generation, "not yet"
    time_machine.move_to(utcnow() + timedelta(days=20))
    foresight.keep_alive(utcnow())
    after = Credential.objects.get()
    assert after.generation == before.generation + 1
    assert after.expires_at > utcnow()
    foresight.keep_alive(utcnow())
    assert Credential.objects.get().generation == after.generation, "once is enough"


def test_an_unused_account_that_was_revoked_is_found_out_that_way(
    owner: Member, connect: Any, control: Control, time_machine: Any
) -> None:
    connect(owner, Service.ZOOM)
    control.revoke("zoom", owner.user.email)
    time_machine.move_to(utcnow() + timedelta(days=40))
    foresight.keep_alive(utcnow())
    assert Credential.objects.get().standing == "error"


def test_rooms_need_more_than_every_account_has_granted_and_reconnecting_keeps_it(owner: Member, connect: Any) -> None:
    google, outlook = (connect(owner, service) for service in (Service.GOOGLE, Service.MICROSOFT))
    assert missing_scopes(google.credential, Wish.ROOMS) == {"https://www.googleapis.com/auth/calendar.freebusy"}
    assert missing_scopes(outlook.credential, Wish.ROOMS) == {"Place.Read.All"}
    address, _ = connections.start(owner, Service.GOOGLE, google, utcnow())
    assert "freebusy" not in address
    address, _ = connections.start(owner, Service.GOOGLE, google, utcnow(), wishes=[Wish.ROOMS])
    assert "freebusy" in address
    google.credential.scopes += " https://www.googleapis.com/auth/calendar.freebusy"
    google.credential.save()
    assert missing_scopes(google.credential, Wish.ROOMS) == frozenset()
    address, _ = connections.start(owner, Service.GOOGLE, google, utcnow())
    assert "freebusy" in address, "what was granted once is asked for again"


def test_zoom_and_caldav_know_no_rooms(owner: Member, connect: Any) -> None:
    assert missing_scopes(connect(owner, Service.ZOOM).credential, Wish.ROOMS) == frozenset()
    dav = Credential(service="caldav", scopes="")
    assert missing_scopes(dav, Wish.ROOMS) == frozenset()
