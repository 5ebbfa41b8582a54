"""Connecting accounts: to the consent screen and back, or by address and app password. What goes wrong is explained."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from awase.domain.errors import Reason
from awase.domain.first_run import Step
from awase.domain.health import Service
from awase.models import Connection
from awase.services import connections, first_run, words
from awase.services.connections import ConnectProblem, Pending, Trouble
from awase.services.foresight import Wish
from awase.web.caldav_form import CALDAV_PRESETS, CalDAVForm, caldav_error
from awase.web.connections import own, service_called
from awase.web.numbers import whole_number
from awase.web.shell import Context, MemberRequest, action, for_members, utcnow

PENDING = "connecting"


@for_members
def connect(request: MemberRequest, service: str) -> HttpResponse:
    """Go to the consent screen; `connection` names the account to be reconnected, a wish what more is asked for."""
    kind = service_called(service)
    wanted = whole_number(request.GET.get("connection"))
    link = own(request, wanted) if wanted is not None else None
    if kind is Service.CALDAV:
        return _connect_caldav(request, link)
    wishes = [wish for wish in Wish if wish in request.GET]
    try:
        address, pending = connections.start(request.member, kind, link, utcnow(), wishes=wishes)
    except ConnectProblem as problem:
        return _problem(request, kind, problem, link)
    request.session[PENDING] = pending.to_session()
    return HttpResponseRedirect(address)


def _preset(request: MemberRequest) -> Context:
    """The address of a known server. No other is taken out of a link: whoever made it would be told the password."""
    address = request.GET.get("address", "")
    return {"address": address} if address in dict(CALDAV_PRESETS).values() else {}


def _connect_caldav(request: MemberRequest, link: Connection | None) -> HttpResponse:
    """The form for address, user name and app password; what was typed comes back with what is wrong."""
    known = {"username": link.credential.secret["username"], "address": link.credential.secret["home"]} if link else {}
    form = CalDAVForm(request.POST or None, initial=known or _preset(request))
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            stored = connections.connect_caldav(
                request.member, link, typed["address"], typed["username"], typed["password"], utcnow()
            )
        except ConnectProblem as problem:
            if problem.trouble is Trouble.OTHER_ACCOUNT:
                return _problem(request, Service.CALDAV, problem, link)
            form.add_error(*caldav_error(problem.trouble))
        else:
            messages.success(request, _("%(account)s is connected.") % {"account": stored.credential.account_email})
            return _connected(request, Service.CALDAV)
    path = "/app/connections/caldav/connect"
    context = {
        "section": "connections",
        "back_url": "/app/connections/caldav",
        "post_url": f"{path}?connection={link.pk}" if link else path,
        "form": form,
        "presets": [] if link else [{"label": n, "url": f"{path}?address={a}"} for n, a in CALDAV_PRESETS],
        "reconnecting": link.credential.account_email if link else "",
    }
    return render(request, "dashboard/connection_caldav.html", context, status=400 if form.errors else 200)


@require_GET
@for_members
def callback(request: MemberRequest, service: str) -> HttpResponse:
    """The service sends the person back here. Used once: a repeat finds no request under way."""
    kind = service_called(service)
    kept: dict[str, Any] | None = request.session.pop(PENDING, None)
    pending = Pending(**kept) if kept else None
    link = None
    if pending and pending.connection_id:
        link = Connection.objects.select_related("credential").filter(pk=pending.connection_id).first()
    try:
        stored = connections.finish(request.member, kind, pending, request.GET.dict(), utcnow())
    except ConnectProblem as problem:
        return _problem(request, kind, problem, link)
    values = {"service": words.service_name(kind), "account": stored.credential.account_email}
    messages.success(request, _("%(service)s (%(account)s) is connected.") % values)
    return _connected(request, kind)


def _connected(request: MemberRequest, service: Service) -> HttpResponse:
    """On with the first run, where it waits for this; else to the account."""
    if request.member.first_run == Step.CALENDAR and service.calendars:
        first_run.pass_on(request.member, Step.CALENDAR)
        return redirect("/app/start")
    return redirect(f"/app/connections/{service}")


def _problem(
    request: MemberRequest, service: Service, problem: ConnectProblem, link: Connection | None
) -> HttpResponse:
    """What happened, what it means, what to do; nothing was stored."""
    name = words.service_name(service)
    again = f"/app/connections/{service}/connect" + (f"?connection={link.pk}" if link else "")
    what = {
        Trouble.DENIED: _("You did not allow the access."),
        Trouble.STATE: _("The answer does not belong to a request of this browser."),
        Trouble.EXPIRED: _("The request was open for too long."),
        Trouble.SCOPE: _("Not every box was ticked on the consent screen."),
        Trouble.OTHER_ACCOUNT: _("You chose another account than the one to be reconnected."),
        Trouble.ADMIN: _("The administrator of the account does not allow the access."),
        Trouble.FAILED: _("%(service)s answered with an error.") % {"service": name},
        Trouble.NOT_CONFIGURED: _("%(service)s has not been set up on this instance yet.") % {"service": name},
    }[problem.trouble]
    steps = {
        Trouble.DENIED: [_("Try again and choose “Allow” on the consent screen.")],
        Trouble.STATE: [_("Start again from here, in one browser window.")],
        Trouble.EXPIRED: [_("Start again; you have 15 minutes on the consent screen.")],
        Trouble.SCOPE: [_("Try again and tick every box: without reading your calendars no time can be offered.")],
        Trouble.OTHER_ACCOUNT: [
            _("To repair the connection, try again and choose the expected account."),
            _("To use the other account as well, connect it as an additional account."),
        ],
        Trouble.ADMIN: [_("Ask the administrator of the account to allow Awase, then try again.")],
        Trouble.FAILED: [_("Wait a moment and try again. If it happens again, tell the operator.")],
        Trouble.NOT_CONFIGURED: [_("Ask the operator of this instance to register it at the service.")],
    }[problem.trouble]
    why = problem.failure.reason if problem.failure and problem.trouble is Trouble.FAILED else None
    if why not in (None, Reason.EXPIRED, Reason.REVOKED, Reason.ROTATED_ELSEWHERE):  # of a code, these mean "again"
        what, steps = words.happened(why), [words.remedy(why)]
    actions = []
    if problem.trouble is not Trouble.NOT_CONFIGURED:
        actions.append(action(_("Try again"), again, "filled"))
    accounts = []
    if problem.trouble is Trouble.OTHER_ACCOUNT:
        accounts = [
            {"label": _("Expected account"), "value": problem.expected},
            {"label": _("Account chosen"), "value": problem.got},
        ]
        actions.append(action(_("Connect an additional account"), f"/app/connections/{service}/connect"))
    context = {
        "section": "connections",
        "back_url": f"/app/connections/{service}",
        "what": what,
        "means": _("Nothing was stored or changed."),
        "steps": steps,
        "actions": actions,
        "accounts": accounts,
    }
    return render(request, "dashboard/connection_problem.html", context, status=400)
