"""The frame of every dashboard screen: who is looking, what concerns them, and the shapes that templates take."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from awase.domain.health import Service
from awase.models import Member
from awase.services import dashboard, dates, kept_forms, sessions, words
from awase.services.troubles import troubles

P = ParamSpec("P")
Context = dict[str, Any]
KEPT = "kept_form"  # in the session, see kept_form.py
LAST_USER = "awase_last"  # a signed cookie: who was logged in last in this browser
MOST_NAMES = 2  # of services, in the banner
LETTERS = {service: service.letter for service in Service}


def utcnow() -> datetime:
    """The clock of the screens; rules take it as an argument."""
    return datetime.now(UTC)


class MemberRequest(HttpRequest):
    """A request of somebody who is logged in and belongs to a workspace."""

    member: Member
    memberships: list[Member]  # of the same person, in other workspaces too


def member_of(request: HttpRequest) -> Member | None:
    """Whom the browser stands for: the user's membership in the workspace last chosen; None for strangers to all. The
    first asking also leaves all of them at the request, for the switcher."""
    found = dashboard.memberships(request.user, request.session)
    request.memberships = found  # type: ignore[attr-defined]
    return found[0] if found else None


def for_members(
    view: Callable[Concatenate[MemberRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Let members in, with `request.member`; others are sent to the log-in."""

    @wraps(view)
    def inside(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return _logged_out(request)
        member = member_of(request)
        if member is None:
            return render(request, "403.html", status=403)
        request.member = member  # type: ignore[attr-defined]
        sessions.seen(request.session.session_key, utcnow())
        if request.method == "POST":
            _sent_again(request)
        with dates.clock_of(member.user.clock):
            return view(request, *args, **kwargs)  # type: ignore[arg-type]

    return cast("Callable[Concatenate[HttpRequest, P], HttpResponse]", inside)


def _logged_out(request: HttpRequest) -> HttpResponse:
    """Whoever is not logged in (any more): to the log-in, and what was sent waits; a poll says so and swaps nothing
    else, because a form on the screen may be half filled in."""
    from awase.web import kept_form  # it needs this module's frame

    if request.headers.get("HX-Request"):
        return render(request, "dashboard/_logged_out.html", status=200 if request.path == "/app/banner" else 204)
    if request.method == "POST":
        return kept_form.to_log_in(request)
    return redirect_to_login(request.get_full_path(), settings.LOGIN_PATH)


def _sent_again(request: HttpRequest) -> None:
    """What waits for this very form is done with."""
    sealed = request.session.get(KEPT, "")
    found = kept_forms.unseal(sealed) if sealed else None
    if found is not None and found.action == request.path:
        del request.session[KEPT]


def live(member: Member, now: datetime) -> Context:
    """What of the frame is live: the banner, one line while something concerns the viewer, and the number at
    サービス連携. `live_key` changes with either."""
    found = troubles(member, now)
    concerning = found.concerning
    stopped = ngettext(
        "%(count)d booking page takes no bookings.", "%(count)d booking pages take no bookings.", found.stopped
    ) % {"count": found.stopped}
    text = stopped if found.stopped else ""
    if concerning:
        names = list(dict.fromkeys(words.service_name(trouble.service) for trouble in concerning))
        if len(names) > MOST_NAMES:  # it is one line
            more = len(names) - 1
            names[1:] = [ngettext("%(count)d more", "%(count)d more", more) % {"count": more}]
        error = _("There is a connection error: %(services)s.") % {
            "services": pgettext("list of names", ", ").join(names)
        }
        text = words.sentences(error, text)
    shown = {
        "text": text,
        "kind": "danger" if concerning or found.broken else "warn",
        "url": "/app/connections?tab=connected" if concerning else "/app/connections",
    }
    return {
        "banner": shown if text else None,
        "connection_errors": len(concerning),
        "live_key": fingerprint([shown, len(concerning)]) if text else "",
    }


def action(label: str, url: str = "", style: str = "outlined", **more: Any) -> Context:
    """One act as a button or link (templates/components/action.html)."""
    return {"label": label, "url": url, "method": "get", "style": style, **more}


def post(label: str, url: str, style: str = "outlined", **more: Any) -> Context:
    """One act that changes something."""
    return action(label, url, style, method="post", **more)


def fingerprint(content: Any) -> str:
    """A short text that changes when what is shown changes; polls answer 204 while it stays the same."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:12]


def polled(request: HttpRequest, template: str, context: Context, key: str) -> HttpResponse:
    """The fragment, or 204 if the screen shows it already."""
    if request.GET.get("seen") == key:
        return HttpResponse(status=204)
    return render(request, template, context)


def in_zone_of(member: Member, at: datetime) -> datetime:
    """A moment in the member's own zone."""
    return at.astimezone(ZoneInfo(member.user.time_zone))


def local(at: datetime, member: Member) -> str:
    """A moment as the member reads it, in their own zone."""
    return dates.moment(in_zone_of(member, at))
