"""The screens of the product, in one table: each is opened, checked and photographed as it stands here.

A new screen is one line in SCREENS. What it needs to exist is in the demo's sample data or in `tests/e2e/scenes.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from awase.demo.people import SATO, TAKAHASHI, TANAKA, Person


@dataclass(frozen=True)
class Screen:
    """`path` may name an address of the scenes in braces. `follow`: what is clicked from there, one after the other,
    each the first that fits; `then`: what else leads to the screen. Without `who` a guest looks at it."""

    name: str
    path: str
    follow: tuple[str, ...] = ()
    then: Callable[[Page], object] | None = None
    who: Person | None = None
    status: int = 200


def hosts(name: str, path: str, *follow: str, then: Callable[[Page], object] | None = None) -> tuple[Screen, ...]:
    """A screen of the dashboard, as a member and as the workspace's owner see it."""
    return tuple(
        Screen(f"{name}-{role}", path, follow, then, who) for role, who in (("member", SATO), ("owner", TANAKA))
    )


def send_unfilled(page: Page) -> None:
    """Send the form as it is; the browser's own check is left out, as an old browser would."""
    page.locator("main form").first.evaluate("(form) => { form.noValidate = true }")
    page.locator("main form button.filled").last.click()


def wrong_password(page: Page) -> None:
    page.fill("[name=page_password]", "kagi")
    page.locator("main form button").click()


SLOT = "ul.slots a"

GUEST_SCREENS = (
    Screen("profile", "/minato/"),
    Screen("profile-scenes", "/scenes/"),
    Screen("profile-member", "{member}"),
    Screen("booking-page", "/minato/meeting/"),
    Screen("booking-page-zone", "/minato/meeting/", (".zone summary",)),
    Screen("booking-page-places", "/minato/product-demo/"),
    Screen("booking-page-people", "{staff}"),
    Screen("booking-page-group", "{group}"),
    Screen("booking-page-plum", "{plum}"),
    Screen("booking-page-full", "{full}"),
    Screen("booking-page-secret", "{secret}"),
    Screen("booking-page-embedded", "/minato/visit/?embed=1"),
    Screen("form", "/minato/product-demo/", (SLOT,)),
    Screen("form-questions", "{questions}", (SLOT,)),
    Screen("form-refused", "{questions}", (SLOT,), send_unfilled, status=422),
    Screen("form-request", "{request}", (SLOT,)),
    Screen("form-time-gone", "/minato/meeting/book?start=2020-01-06T01:00Z", status=409),
    Screen("booked", "{booked}"),
    Screen("booking", "{standing}"),
    Screen("booking-requested", "{requested}"),
    Screen("booking-approved", "{approved}"),
    Screen("booking-link-follows", "{link-follows}"),
    Screen("booking-over", "{over}"),
    Screen("cancel", "{standing}", ("details summary",)),
    Screen("cancelled", "{cancelled}"),
    Screen("declined", "{declined}"),
    Screen("expired", "{expired}"),
    Screen("move", "{standing}", ("a[href*='/move']",)),
    Screen("move-confirm", "{standing}", ("a[href*='/move']", SLOT)),
    Screen("move-barred", "{over}/move", status=409),
    Screen("stopped", "/minato/interview/"),
    Screen("stopped-asks", "{closed}"),
    Screen("stopped-asks-refused", "{closed}", then=send_unfilled, status=422),
    Screen("stopped-told", "{closed}?told=1"),
    Screen("password", "{password}", status=403),
    Screen("password-wrong", "{password}", then=wrong_password, status=403),
    Screen("link-run-out", "{run-out}", status=410),
    Screen("not-found", "/minato/nothing-here/", status=404),
    Screen("log-in", "/accounts/login/"),
    Screen("reset", "/accounts/password/reset/"),
)
HOST_SCREENS = (
    *hosts("home", "/app/"),
    *hosts("pages", "/app/pages"),
    *hosts("page-new", "/app/pages/new"),
    *hosts("page-editor", "/app/pages", "article.card h3 a"),
    Screen(
        "page-mail",
        "/app/pages",
        ("article.card h3 a", "details:has(form#mails) > summary", "form#mails a[href$='/mails/confirmed']"),
        who=SATO,
    ),
    Screen(
        "page-embed",
        "/app/pages",
        ("article.card h3 a", "details:has(form#sharing) > summary", "form#sharing a[href$='/embed']"),
        who=SATO,
    ),
    Screen("gallery-parts", "/app/gallery", who=SATO),
    Screen("gallery-mails", "/app/gallery/mails", who=SATO),
    *hosts("page-history", "/app/pages", "article.card a[href$='/history']"),
    *hosts("bookings", "/app/bookings"),
    *hosts("requests", "/app/bookings?tab=requests"),
    *hosts("bookings-week", "/app/bookings/calendar?view=week"),
    *hosts("bookings-month", "/app/bookings/calendar?view=month"),
    *hosts("booking-details", "/app/bookings", "main .rows a[href^='/app/bookings/']"),
    *hosts("guests", "/app/guests"),
    Screen("guest", "/app/guests", ("main .rows a[href^='/app/guests/of']",), who=TANAKA),
    Screen("page-view", "/app/pages", ("article h3 a",), who=TAKAHASHI),
    *hosts("schedules", "/app/schedules"),
    *hosts("schedule", "/app/schedules", "main a[href^='/app/schedules/']"),
    *hosts("connections", "/app/connections"),
    *hosts("connection-google", "/app/connections/google"),
    *hosts("connection-microsoft", "/app/connections/microsoft"),
    *hosts("connection-zoom", "/app/connections/zoom"),
    *hosts("connection-history", "/app/connections/google", "a[href$='/history']"),
    *hosts("team", "/app/team"),
    *hosts("team-leaving", "/app/team", "main a[href$='/leave']"),
    *hosts("insights", "/app/insights"),
    *hosts("mailbox", "/app/mailbox"),
    *hosts("mail", "/app/mailbox", "main a[href^='/app/mailbox/']"),
    *hosts("profile-own", "/app/profile"),
    *hosts("settings-profile", "/app/settings/profile"),
    *hosts("settings-notices", "/app/settings/notices"),
    *hosts("settings-security", "/app/settings/security"),
    Screen("settings-workspace", "/app/settings/workspace", who=TANAKA),
    Screen("settings-branding", "/app/settings/branding", who=TANAKA),
    Screen("settings-webhooks", "/app/settings/webhooks", who=TANAKA),
    Screen("settings-mail", "/app/settings/mail", who=TANAKA),
    Screen("start-place", "/app/start/place", who=SATO),
    Screen("start-calendar", "/app/start/calendar", who=SATO),
    Screen("start-hours", "/app/start/hours", who=SATO),
    Screen("start-page", "/app/start/page", who=SATO),
    *hosts("help", "/help/"),
    *hosts("help-connection-errors", "/help/connection-errors"),
    *hosts("account-password", "/accounts/password/change/"),
)
MAILS = tuple(
    Screen(f"mail-{name.replace('_', '-')}", f"/app/gallery/mails/{{language}}/{name}", who=SATO)
    for name in ("confirmed", "requested", "cancelled", "host_requested")
)
SCREENS = GUEST_SCREENS + HOST_SCREENS + MAILS
