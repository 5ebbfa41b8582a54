"""セキュリティ in the settings: password, two-factor authentication, and where one is logged in."""

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from awase.services import sessions
from awase.web.settings_frame import frame
from awase.web.shell import Context, MemberRequest, for_members, local

# What is in the name that a browser gives itself, the more particular first, and what people call it.
BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


@require_GET
@for_members
def show(request: MemberRequest) -> HttpResponse:
    """All three, each with where to change it."""
    found = sessions.of_user(request.member.user, request.session.session_key)
    context = {
        **frame(request, "security"),
        "two_factor": is_mfa_enabled(request.member.user),
        "sessions": [_session(one, request) for one in found],
        "others": len(found) > 1,
    }
    return render(request, "settings/security.html", context)


def _session(one: sessions.LoggedIn, request: MemberRequest) -> Context:
    return {
        "name": device(one.agent),
        "facts": [
            one.address,
            _("logged in %(when)s") % {"when": local(one.since, request.member)},
            _("last used %(when)s") % {"when": local(one.seen, request.member)},
        ],
        "here": one.here,
        "url": f"/app/settings/security/sessions/{one.id}/end",
    }


def device(agent: str) -> str:
    """ "Chrome, Windows"; what cannot be told stays as the browser says it."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return ", ".join(filter(None, (browser, system))) or agent[:60] or _("Unknown browser")


@require_POST
@for_members
def end_session(request: MemberRequest, pk: int) -> HttpResponse:
    """Log out in one other browser."""
    if sessions.end(request.member.user, only=pk):
        messages.success(request, _("That browser is logged out."))
    return redirect("/app/settings/security#sessions")


@require_POST
@for_members
def end_others(request: MemberRequest) -> HttpResponse:
    """Log out everywhere else."""
    count = sessions.end(request.member.user, but=request.session.session_key)
    text = ngettext("%(count)d other browser is logged out.", "%(count)d other browsers are logged out.", count)
    messages.success(request, text % {"count": count})
    return redirect("/app/settings/security#sessions")
