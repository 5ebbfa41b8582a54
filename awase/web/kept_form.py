"""A form that was sent when the session was over is not lost: it waits, sealed, until the person has logged in again.

It is never sent by itself. The screen on which it stood opens anew with the entries filled in (by script), and with a
button that sends them as they are (without). Only what came from our own pages is kept: it has passed the CSRF check,
or, where the token was an old one, the browser vouches for its origin.
"""

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from awase.models import Member
from awase.services import kept_forms
from awase.services.kept_forms import KeptForm
from awase.web import limits
from awase.web.shell import KEPT, LAST_USER, Context, MemberRequest, for_members

KEPT_AN_HOUR = 30


def keep(request: HttpRequest) -> None:
    """Keep what was sent, files and passwords aside; of one client so much an hour, since nobody has logged in yet."""
    if limits.exceeded(request, "kept", KEPT_AN_HOUR):
        return
    referred = urlsplit(request.headers.get("Referer", ""))
    ours = referred.netloc == request.get_host() and referred.path.startswith("/app/")
    back = referred.path if ours else "/app/"
    if back == request.path and back.startswith("/app/pages/"):
        back = back.rpartition("/")[0]  # a section that had been refused already stands at its own address
    pairs = [(name, value) for name in request.POST for value in request.POST.getlist(name)]
    try:
        last = int(request.get_signed_cookie(LAST_USER, "0") or 0)
    except (BadSignature, ValueError):
        last = 0
    if sealed := kept_forms.seal(request.path, back, pairs, last):
        request.session[KEPT] = sealed


def to_log_in(request: HttpRequest) -> HttpResponse:
    """To the log-in, with what was sent kept."""
    keep(request)
    return HttpResponseRedirect(f"{settings.LOGIN_PATH}?{urlencode({'next': '/app/kept'})}")


def of(request: HttpRequest, member: Member) -> Context | None:
    """What waits for the screen that is being opened (templates/components/kept.html)."""
    found = _found(request, member)
    if found is None or found.back != request.path:
        return None
    return {"action": found.action, "pairs": found.pairs}


def _found(request: HttpRequest, member: Member) -> KeptForm | None:
    sealed = request.session.get(KEPT, "")
    found = kept_forms.unseal(sealed) if sealed else None
    if found is None or found.user_id not in (0, member.user_id):
        request.session.pop(KEPT, None)  # too old, or somebody else's
        return None
    return found


@require_GET
@for_members
def show(request: MemberRequest) -> HttpResponse:
    """After the log-in: back to the screen."""
    found = _found(request, request.member)
    return redirect(found.back if found else "/app/")


@require_POST
@for_members
def drop(request: MemberRequest) -> HttpResponse:
    """The entries are not wanted any more."""
    found = _found(request, request.member)
    request.session.pop(KEPT, None)
    return redirect(found.back if found else "/app/")


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form with an old token: one that was open while the person logged in anew in another window."""
    ours = request.headers.get("Origin", "") in settings.CSRF_TRUSTED_ORIGINS
    if ours and request.method == "POST" and request.path.startswith("/app/"):
        if not request.user.is_authenticated:
            return to_log_in(request)
        keep(request)
        return redirect("/app/kept")
    return render(request, "403_csrf.html", status=403)
