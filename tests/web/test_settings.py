"""設定: profile, notices, security with a second factor followed to its end, and the workspace."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
from django.utils import translation

from awase.domain.health import LocationKind, Service
from awase.domain.transition import Cause
from awase.models import Condition, Member, PageChange, Role
from awase.services import dates
from awase.services.notices import Kind, wants
from awase.services.workspace import RESERVED
from awase.web.shell import local
from tests.web.conftest import text_of


@pytest.fixture
def browser(log_in: Callable[[Any], Client], owner: Member) -> Client:
    return log_in(owner)


def test_a_profile_is_kept_in_two_sections(browser: Client, owner: Member) -> None:
    you = {"section": "person", "name": "田中 直子", "language": "en", "time_zone": "Europe/Paris", "clock": "24"}
    assert browser.post("/app/settings/profile", you).status_code == 302
    guests = {"section": "for_guests", "phone": "03-1", "address": "Minato 1"}
    assert browser.post("/app/settings/profile", guests).status_code == 302
    owner.refresh_from_db()
    assert (owner.user.name, owner.user.language, owner.user.time_zone) == ("田中 直子", "en", "Europe/Paris")
    assert (owner.phone, owner.address) == ("03-1", "Minato 1")


@pytest.mark.parametrize(
    ("kind", "field", "label"),
    [
        (LocationKind.PHONE, "phone", "Enter a phone number in the profile"),
        (LocationKind.IN_PERSON, "address", "Enter an address in the profile"),
    ],
)
def test_a_page_that_lacks_its_hosts_number_or_address_opens_when_it_is_saved_and_stops_when_it_goes(
    browser: Client,
    owner: Member,
    connect: Callable[..., Any],
    page_of: Callable[..., Any],
    kind: LocationKind,
    field: str,
    label: str,
) -> None:
    connect(owner, Service.GOOGLE)
    page = page_of(owner, locations=(kind,), condition=Condition.ANY)
    assert not page.health.open
    shown = browser.get("/app/pages").content.decode()
    assert label in shown and 'href="/app/settings/profile#for_guests"' in shown
    assert 'id="for_guests"' in browser.get("/app/settings/profile").content.decode()

    browser.post("/app/settings/profile", {"section": "for_guests", field: "03-1234-5678"})
    page.health.refresh_from_db()
    assert page.health.open and label not in browser.get("/app/pages").content.decode()
    browser.post("/app/settings/profile", {"section": "for_guests", field: ""})
    page.health.refresh_from_db()
    assert not page.health.open
    turns = PageChange.objects.filter(page=page).order_by("pk").values_list("opened", "cause")
    assert list(turns)[-2:] == [(True, Cause.EDIT), (False, Cause.EDIT)]


def test_notices_that_are_not_wanted_are_left_out(browser: Client, owner: Member) -> None:
    browser.post("/app/settings/notices", {"section": "notices", Kind.RESTORED.value: "on"})
    owner.refresh_from_db()
    assert {kind for kind in Kind if wants(owner, kind)} == {Kind.RESTORED}
    assert browser.get("/app/settings/notices").status_code == 200


def test_the_workspace_is_changed_by_its_admins_alone(
    browser: Client, log_in: Callable[[Any], Client], owner: Member, teammate: Member
) -> None:
    wanted = {"section": "workspace", "name": "みなと", "slug": "harbour", "language": "en"}
    assert log_in(teammate).get("/app/settings/workspace").status_code == 403
    assert log_in(teammate).post("/app/settings/workspace", wanted).status_code == 403
    assert "/app/settings/workspace" not in log_in(teammate).get("/app/settings/profile").content.decode()
    assert browser.post("/app/settings/workspace", wanted).status_code == 302
    owner.workspace.refresh_from_db()
    assert (owner.workspace.name, owner.workspace.slug) == ("みなと", "harbour")


@pytest.mark.parametrize("slug", ["app", "stranger", "with space", ""])
def test_an_address_that_cannot_be_is_refused_and_kept_in_the_form(
    browser: Client, owner: Member, stranger: Member, slug: str
) -> None:
    wanted = {"section": "workspace", "name": "Typed", "slug": slug, "language": "en"}
    answer = browser.post("/app/settings/workspace", wanted)
    assert answer.status_code == 400 and 'value="Typed"' in answer.content.decode()
    owner.workspace.refresh_from_db()
    assert owner.workspace.slug == "minato"


def test_no_workspace_can_take_an_address_of_the_product() -> None:
    firsts = {re.split(r"[/<]", str(one.pattern))[0] for one in get_resolver().url_patterns}
    firsts |= {
        re.split(r"[/<]", str(inner.pattern))[0]
        for one in get_resolver().url_patterns
        if str(one.pattern) == ""
        for inner in getattr(one, "url_patterns", ())
    }
    words = {first for first in firsts if re.fullmatch(r"[-\w]+", first)}
    assert words and words <= RESERVED, words - RESERVED


def _code(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))


def test_a_second_factor_from_switching_on_to_logging_in_and_off_again(db: None, owner: Member) -> None:
    person = Client(SERVER_NAME="awase.test", headers={"Accept-Language": "en"})
    entered = {"login": owner.user.email, "password": "password"}
    assert person.post("/accounts/login/", entered)["Location"] == "/app/"
    asked = person.get("/accounts/2fa/totp/activate/")
    if asked.status_code == 302:  # for the password again
        assert person.post(asked["Location"], {"password": "password"}).status_code == 302
    secret = re.search(r'value="([A-Z2-7]{16,})"', person.get("/accounts/2fa/totp/activate/").content.decode())
    assert secret
    assert "Incorrect" in text_of(person.post("/accounts/2fa/totp/activate/", {"code": "000000"}))
    person.post("/accounts/2fa/totp/activate/", {"code": _code(secret[1])})
    codes = re.findall(r"<code>(\d+)</code>", person.get("/accounts/2fa/recovery-codes/").content.decode())
    assert len(codes) == 10
    assert secret[1] not in str(list(Authenticator.objects.values_list("data", flat=True))), "sealed at rest"
    assert "On" in text_of(person.get("/app/settings/security"))

    for answer in (codes[0], None):
        elsewhere = Client(SERVER_NAME="awase.test", headers={"Accept-Language": "en"})
        assert elsewhere.post("/accounts/login/", entered)["Location"] == "/accounts/2fa/authenticate/"
        assert elsewhere.get("/app/").status_code == 302, "the password alone is not enough"
        if answer is None:
            assert elsewhere.post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == 200, "used up"
            answer = codes[1]
        assert elsewhere.post("/accounts/2fa/authenticate/", {"code": answer})["Location"] == "/app/"
        assert elsewhere.get("/app/").status_code == 200

    call_command("end_two_factor", owner.user.email)
    assert not Authenticator.objects.exists() and person.get("/app/").status_code == 302
    assert Client(SERVER_NAME="awase.test").post("/accounts/login/", entered)["Location"] == "/app/"


def test_sessions_are_listed_and_ended(db: None, owner: Member, teammate: Member) -> None:
    entered = {"login": owner.user.email, "password": "password"}
    here = Client(
        SERVER_NAME="awase.test", headers={"Accept-Language": "en", "User-Agent": "Mozilla Firefox/140 Linux"}
    )
    phone = Client(SERVER_NAME="awase.test", headers={"User-Agent": "Mozilla iPhone Safari/605"})
    third = Client(SERVER_NAME="awase.test")
    others = Client(SERVER_NAME="awase.test")
    for browser in (here, phone, third):
        browser.post("/accounts/login/", entered)
    others.post("/accounts/login/", {"login": teammate.user.email, "password": "password"})
    shown = here.get("/app/settings/security").content.decode()
    assert "iPhone" in shown and "Firefox, Linux" in shown and shown.count('/end"') == 3
    (number,) = re.findall(r"Safari, iPhone.*?sessions/(\d+)/end", shown, re.DOTALL)[:1]
    others.post(f"/app/settings/security/sessions/{number}/end")
    assert phone.get("/app/").status_code == 200, "nobody ends another's"
    here.post(f"/app/settings/security/sessions/{number}/end")
    assert phone.get("/app/").status_code == 302
    here.post("/app/settings/security/sessions/end")
    assert third.get("/app/").status_code == 302 and here.get("/app/").status_code == 200


def test_a_plain_member_has_only_their_own_screens(log_in: Callable[[Any], Client], teammate: Member) -> None:
    browser = log_in(teammate)
    assert browser.get("/app/settings")["Location"] == "/app/settings/profile"
    for screen in ("profile", "notices", "security"):
        assert browser.get(f"/app/settings/{screen}").status_code == 200
    assert teammate.role == Role.MEMBER


def test_the_clock_that_was_chosen_is_the_one_shown(browser: Client, owner: Member) -> None:
    at = datetime(2026, 12, 4, 6, 30, tzinfo=UTC)
    for language, clock, expected in (
        ("en", "24", "15:30"),
        ("en", "12", "3:30 PM"),
        ("ja", "12", "午後3:30"),
        ("ja", "", "15:30"),
        ("en", "", "3:30\u00a0PM"),
    ):
        with translation.override(language), dates.clock_of(clock):
            assert dates.clock(at.astimezone(ZoneInfo("Asia/Tokyo"))) == expected
            assert local(at, owner).endswith(expected)
    browser.post("/app/settings/profile", {"section": "person", "name": "T", "time_zone": "Asia/Tokyo", "clock": "12"})
    shown = browser.get("/app/settings/profile", headers={"Accept-Language": "ja"})
    assert shown.status_code == 200


def test_a_test_mail_tells_what_the_server_answered(
    browser: Client,
    log_in: Callable[[Any], Client],
    teammate: Member,
    settings: Any,
    mailoutbox: list[Any],
    unused_port: int,
) -> None:
    english = {"Accept-Language": "en"}
    assert "took the test mail" in text_of(browser.post("/app/settings/mail", headers=english))
    assert mailoutbox[-1].to == ["tanaka@minato.example"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = unused_port
    assert "cannot be reached" in text_of(browser.post("/app/settings/mail", headers=english))
    for other in (teammate,):
        assert log_in(other).get("/app/settings/mail").status_code == 403
        assert "/app/settings/mail" not in log_in(other).get("/app/settings/profile").content.decode()


def test_viewers_see_a_page_and_editors_change_it(
    browser: Client, log_in: Callable[[Any], Client], owner: Member, teammate: Member, page_of: Any
) -> None:
    page = page_of(owner, internal_note="Offer the tour first.")
    theirs = log_in(teammate)
    screen, name = f"/app/pages/{page.pk}", f"access-{teammate.pk}"
    assert theirs.get(f"{screen}/history").status_code == 404
    browser.post(f"{screen}/access", {name: "viewer"})
    assert theirs.get(f"{screen}/history").status_code == 200
    seen = theirs.get(screen).content.decode()
    assert "Offer the tour first." in seen and "Tanaka owns it" in seen
    assert f'action="{screen}' not in seen and f'href="{screen}/book"' not in seen, "no button that does nothing"
    for section in ("basics", "switch", "duplicate", "archive"):
        assert theirs.post(f"{screen}/{section}", {}).status_code == 404
    for linked in set(re.findall(r'href="(/app/[^"#]*)"', seen)):
        assert theirs.get(linked, follow=True).status_code == 200, linked
    browser.post(f"{screen}/access", {name: "editor"})
    assert theirs.get(screen).status_code == 200
    assert 'id="access"' not in theirs.get(screen).content.decode(), "editors do not give the page away"
    assert theirs.post(f"{screen}/access", {name: ""}).status_code == 403
    browser.post(f"{screen}/access", {name: ""})
    assert theirs.get(f"{screen}/history").status_code == 404


@pytest.mark.parametrize(
    ("topic", "screen"),
    [
        ("first-steps", "/app/"),
        ("team", "/app/team"),
        ("security", "/app/settings/security"),
        ("webhooks", "/app/settings/webhooks"),
        ("mail", "/app/settings/mail"),
        ("calendars", "/app/connections/google"),
        ("pages", "/app/pages/{page}"),
    ],
)
def test_help_is_linked_from_where_its_question_arises(
    topic: str, screen: str, browser: Client, page_of: Any, owner: Member
) -> None:
    page = page_of(owner) if "{page}" in screen else None
    shown = browser.get(screen.format(page=page and page.pk)).content.decode()
    assert f'href="/help/{topic}"' in shown
    assert browser.get(f"/help/{topic}").status_code == 200


def test_access_that_somebody_else_gave_meanwhile_is_shown_beside_what_was_typed(
    browser: Client, teammate: Member, page_of: Any, owner: Member
) -> None:
    page, name = page_of(owner), f"access-{teammate.pk}"
    address = f"/app/pages/{page.pk}/access"
    sections = browser.get(f"/app/pages/{page.pk}").context["sections"]
    (seen,) = [section["seen"] for section in sections if section["id"] == "access"]
    browser.post(address, {name: "viewer", "seen": seen})
    answer = browser.post(address, {name: "editor", "seen": seen})
    assert answer.status_code == 400 and "Somebody else changed this section meanwhile." in text_of(answer)
    assert not page.shares.get().editor
    (again,) = [section["seen"] for section in answer.context["sections"] if section["id"] == "access"]
    assert browser.post(address, {name: "editor", "seen": again}).status_code == 302
    assert page.shares.get().editor


def test_the_instances_owner_is_asked_to_send_a_test_mail_until_one_went_out(
    browser: Client, teammate: Member, log_in: Callable[[Any], Client], settings: Any
) -> None:
    settings.AWASE_DEMO = False
    assert "Send a test mail" in text_of(browser.get("/app/"))
    assert "Send a test mail" not in text_of(log_in(teammate).get("/app/"))
    browser.post("/app/settings/mail")
    assert "Send a test mail" not in text_of(browser.get("/app/"))
