"""Branding, webhooks and help: what admins set up, and what guests and programs get of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from awase.models import Effect, EffectKind, EffectState, Member, WebhookAttempt, WebhookEndpoint
from awase.services import webhooks
from awase.services.webhooks import Event
from awase.web.help_pages import TOPICS
from tests.services.conftest import utcnow
from tests.web.conftest import Guest, text_of

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 60


@pytest.fixture
def browser(log_in: Callable[[Any], Client], owner: Member) -> Client:
    return log_in(owner)


def test_a_colour_is_served_as_a_style_sheet_of_its_own_and_kept(browser: Client, owner: Member, page: Any) -> None:
    assert browser.post("/app/settings/branding", {"section": "colour", "colour": "#FFE100"}).status_code == 302
    shown = Guest().get(f"/minato/{page.slug}/").content.decode()
    (address,) = re.findall(r'href="(/theme/\w+\.css)"', shown)
    assert "branded" in shown and 'style="' not in shown
    sheet = Guest().get(address)
    assert "--fill: #ffe100" in sheet.content.decode() and "immutable" in sheet["Cache-Control"]
    assert Guest().get("/theme/red;}x.css").status_code == 404
    browser.post("/app/settings/branding", {"section": "colour", "colour": "#ffe100", "own": "on"})
    assert "/theme/" not in Guest().get(f"/minato/{page.slug}/").content.decode()


def test_a_logo_is_a_picture_or_nothing(browser: Client, owner: Member, page: Any) -> None:
    def upload(content: bytes) -> Any:
        sent = SimpleUploadedFile("logo.png", content, content_type="image/png")
        return browser.post("/app/settings/branding", {"section": "logo", "logo": sent})

    assert upload(b"<svg onload=alert(1)>").status_code == 400
    assert upload(PNG).status_code == 302
    (address,) = re.findall(r'src="(/media/logos/\w+)"', Guest().get(f"/minato/{page.slug}/").content.decode())
    got = Guest().get(address)
    assert got.content == PNG and got["Content-Type"] == "image/png" and got["X-Content-Type-Options"] == "nosniff"
    browser.post("/app/settings/branding", {"section": "logo", "none": "on"})
    assert Guest().get(address).status_code == 404


def test_mails_to_guests_wear_colour_and_logo(
    browser: Client, page: Any, free_start: Any, book: Any, work: Any, mailoutbox: list[Any]
) -> None:
    browser.post("/app/settings/branding", {"section": "colour", "colour": "#8a2d5c"})
    sent = SimpleUploadedFile("logo.png", PNG, content_type="image/png")
    browser.post("/app/settings/branding", {"section": "logo", "logo": sent})
    page.workspace.refresh_from_db()
    book(page, free_start(page))
    work()
    sent = next(mail for mail in mailoutbox if mail.to == ["hanako@guest.example"])
    html = sent.alternatives[0][0]
    assert "#8a2d5c" in html and f'<img src="https://awase.test/media/logos/{page.workspace.logo}"' in html


ADDRESS = "https://hooks.example.com/secret-path"


@pytest.fixture
def endpoint(browser: Client, settings: Any) -> WebhookEndpoint:
    settings.AWASE_WEBHOOKS_ALLOWED = ("hooks.example.com", "203.0.113.0/24")
    shown = browser.post("/app/settings/webhooks", {"kind": "signed", "address": "http://127.0.0.1/x", "events": []})
    assert shown.status_code == 400 and not WebhookEndpoint.objects.exists(), "nothing inside the walls"
    made, _secret = webhooks.WebhookEndpoint.objects.get_or_create(
        workspace=Member.objects.get(user__email="tanaka@minato.example").workspace,
        host="hooks.example.com",
        defaults={"secret": {"address": ADDRESS, "secret": "whsec_x"}, "created_at": utcnow()},
    )
    return made


def test_the_log_shows_what_was_told_and_tells_it_again(browser: Client, endpoint: WebhookEndpoint, page: Any) -> None:
    webhooks.tell(endpoint.workspace_id, Event.PAGE_STOPPED, page.pk, utcnow())
    effect = Effect.objects.get(kind=EffectKind.WEBHOOK)
    Effect.objects.filter(pk=effect.pk).update(state=EffectState.FAILED)
    WebhookAttempt.objects.create(endpoint=endpoint, effect=effect, at=utcnow(), status=503)
    screen = browser.get(f"/app/settings/webhooks/{endpoint.pk}")
    assert "HTTP 503" in text_of(screen) and "secret-path" not in screen.content.decode()
    assert browser.post(f"/app/settings/webhooks/{endpoint.pk}/deliveries/{effect.pk}/again").status_code == 302
    effect.refresh_from_db()
    assert effect.state == EffectState.PENDING


def test_an_endpoint_is_switched_and_deleted(browser: Client, endpoint: WebhookEndpoint) -> None:
    browser.post(f"/app/settings/webhooks/{endpoint.pk}/switch", {"active": "off"})
    endpoint.refresh_from_db()
    assert not endpoint.active
    browser.post(f"/app/settings/webhooks/{endpoint.pk}/delete")
    assert not WebhookEndpoint.objects.exists()


def test_only_admins_of_the_workspace_have_these_screens(
    log_in: Callable[[Any], Client], endpoint: WebhookEndpoint, teammate: Member, stranger: Member
) -> None:
    for member, expected in ((teammate, 403), (stranger, 404)):
        other = log_in(member)
        assert other.get(f"/app/settings/webhooks/{endpoint.pk}").status_code == expected
        assert other.post(f"/app/settings/webhooks/{endpoint.pk}/delete").status_code == expected
    assert (
        log_in(teammate).post("/app/settings/branding", {"section": "colour", "colour": "#000000"}).status_code == 403
    )


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("topic", TOPICS)
def test_help_stands_in_both_languages_for_everybody(browser: Client, topic: str, language: str) -> None:
    for reader in (browser, Guest(language).client):
        answer = reader.get(f"/help/{topic}", headers={"Accept-Language": language})
        assert answer.status_code == 200 and answer.content.decode().count("<h1") == 1
        assert bool(re.search("[ぁ-ん]", answer.content.decode().partition("<article")[2])) == (language == "ja")
    assert browser.get("/help/nothing").status_code == 404
