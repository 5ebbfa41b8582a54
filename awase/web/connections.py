"""The integration list, the details of each service, and connecting accounts."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_POST

from awase.domain.health import Service, Standing
from awase.models import Calendar, Connection, Member
from awase.services import connections, dashboard, notices, words
from awase.services.connections import ConnectProblem, Pending, Trouble
from awase.services.health import standing_of
from awase.web import connection_cards
from awase.web.caldav_form import CALDAV_PRESETS, CalDAVForm, caldav_error
from awase.web.connection_cards import state_badge
from awase.web.shell import (
    LETTERS,
    Context,
    MemberRequest,
    action,
    fingerprint,
    for_members,
    polled,
    utcnow,
)

PENDING = "connecting"
TABS = ("all", "connected", "not_connected")
SHOWN = (Service.GOOGLE, Service.MICROSOFT, Service.CALDAV, Service.ZOOM, Service.TEAMS)


def _list_context(member: Member, tab: str) -> Context:
    now = utcnow()
    mine = connections.of_member(member)
    strips = connection_cards.strips({link.credential_id: list(link.credential.changes.all()) for link in mine}, now)
    broken = {link.pk for link in connections.in_error(mine, now)}
    items = []
    for service in SHOWN:
        links = [link for link in mine if link.credential.service == service]
        if (tab == "connected" and not links) or (tab == "not_connected" and links):
            continue
        worst = _worst([standing_of(link.credential, now)[0] for link in links])
        items.append(
            {
                "letter": LETTERS[service],
                "name": words.service_name(service),
                "accounts": pgettext("list of names", ", ").join(link.credential.account_email for link in links),
                "badges": [state_badge(worst)] if links else [{"kind": "neutral", "label": _("Not connected")}],
                "strip": strips[_most_broken(links, broken).credential_id] if links else None,
                "action": action(_("Details"), f"/app/connections/{service}")
                if links
                else action(_("Connect"), f"/app/connections/{service}/connect", "filled"),
            }
        )
    labels = {"all": _("All"), "connected": _("Connected"), "not_connected": _("Not connected")}
    return {
        "section": "connections",
        "tabs": [
            {
                "label": labels[name],
                "url": f"/app/connections?tab={name}",
                "current": name == tab,
                "error": name == "connected" and bool(broken),
            }
            for name in TABS
        ],
        "items": items,
        "others": connection_cards.others(dashboard.visible_errors(member, now), member, now),
    }


def _worst(standings: list[Standing]) -> Standing:
    return max(standings, key=list(Standing).index, default=Standing.OK)


def _most_broken(links: list[Connection], broken: set[int]) -> Connection:
    return next((link for link in links if link.pk in broken), links[0])


@require_GET
@for_members
def connection_list(request: MemberRequest) -> HttpResponse:
    """サービス連携一覧, and the fragment that keeps it live."""
    tab = request.GET.get("tab", "all")
    tab = tab if tab in TABS else "all"
    context = _list_context(request.member, tab)
    key = fingerprint([context["items"], context["others"]])
    context["poll_url"] = f"/app/connections?tab={tab}&part=1&seen={key}"
    if "part" in request.GET:
        return polled(request, "dashboard/_connections.html", context, key)
    return render(request, "dashboard/connections.html", context)


def _service(name: str) -> Service:
    try:
        return Service(name)
    except ValueError:
        raise Http404 from None


def _own(request: MemberRequest, pk: int) -> Connection:
    """The viewer's own connection; nobody can act on somebody else's account."""
    return get_object_or_404(Connection.objects.select_related("credential"), pk=pk, member=request.member)


@require_GET
@for_members
def service_details(request: MemberRequest, service: str) -> HttpResponse:
    """Google, Microsoft or CalDAV: カレンダー・リソースアカウント設定; Zoom or Teams: state and reconnect."""
    kind = _service(service)
    now = utcnow()
    links = [link for link in connections.of_member(request.member) if link.credential.service == kind]
    context: Context = {
        "section": "connections",
        "service": {"letter": LETTERS[kind], "name": words.service_name(kind)},
        "back_url": "/app/connections",
        "connect": action(
            _("Connect an account") if not links else _("Connect another account"),
            f"/app/connections/{kind}/connect",
            "outlined" if links else "filled",
        ),
    }
    if kind in connections.CALENDAR_SERVICES:
        context["accounts"] = [_calendar_account(request, link) for link in links]
        context["receiving"] = _receiving(request.member)
        return render(request, "dashboard/connection_accounts.html", context)
    context["account"] = None
    if links:
        context["account"] = connection_cards.account(links[0], request.member, now)
        context["connect"] = action(
            _("Reconnect"), f"/app/connections/{kind}/connect?connection={links[0].pk}", "filled"
        )
        context["pages"] = [
            {"title": page.title, "url": f"/app/pages/{page.pk}", "badges": []}
            for page in connections.pages_using(links[0])
            if page.locations.filter(kind=kind.value).exists()
        ]
    return render(request, "dashboard/connection_meeting.html", context)


def _calendar_account(request: MemberRequest, link: Connection) -> Context:
    shown = connection_cards.account(link, request.member, utcnow())
    return {
        **shown,
        "calendars": [
            {
                "id": calendar.pk,
                "name": calendar.name,
                "checked": calendar.checked,
                "go_on_without": calendar.go_on_without,
                "badges": _calendar_badges(calendar),
            }
            for calendar in link.calendars.order_by("-primary", "name")
        ],
        "calendars_url": f"/app/connections/{link.pk}/calendars",
        "saved": request.GET.get("saved") == str(link.pk),
        "meet": None,
    }


def _calendar_badges(calendar: Calendar) -> list[Context]:
    if calendar.missing_since:
        return [{"kind": "danger", "label": _("Not found at the service")}]
    if calendar.unreadable_since:
        return [{"kind": "warn", "label": _("Cannot be read at the moment")}]
    return []


def _receiving(member: Member) -> Context | None:
    options = [
        {
            "value": calendar.pk,
            "label": f"{calendar.name} ({calendar.connection.credential.account_email})",
            "selected": calendar.pk == member.booking_calendar_id,
        }
        for calendar in Calendar.objects.filter(connection__member=member, writable=True)
        .select_related("connection__credential")
        .order_by("connection", "-primary", "name")
    ]
    return {"url": "/app/connections/receiving", "options": options, "saved": False} if options else None


@for_members
def connect(request: MemberRequest, service: str) -> HttpResponse:
    """Go to the consent screen; `connection` names the account to be reconnected."""
    kind = _service(service)
    wanted = request.GET.get("connection", "")
    link = _own(request, int(wanted)) if wanted.isdecimal() else None
    if kind is Service.CALDAV:
        return _connect_caldav(request, link)
    try:
        address, pending = connections.start(request.member, kind, link, utcnow())
    except ConnectProblem as problem:
        return _problem(request, kind, problem, link)
    request.session[PENDING] = pending.to_session()
    return HttpResponseRedirect(address)


def _connect_caldav(request: MemberRequest, link: Connection | None) -> HttpResponse:
    """The form for address, user name and app password; what was typed comes back with what is wrong."""
    known = {"username": link.credential.secret["username"], "address": link.credential.secret["home"]} if link else {}
    form = CalDAVForm(request.POST or None, initial={**known, **request.GET.dict()})
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
            return redirect("/app/connections/caldav")
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
    kind = _service(service)
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
    return redirect(f"/app/connections/{kind}")


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


@require_POST
@for_members
def save_calendars(request: MemberRequest, pk: int) -> HttpResponse:
    """Which calendars of an account are checked for conflicts, and under which policy."""
    link = _own(request, pk)
    ticked = {int(value) for value in request.POST.getlist("checked") if value.isdecimal()}
    go_on = {calendar.pk for calendar in link.calendars.all() if request.POST.get(f"policy-{calendar.pk}") == "go_on"}
    connections.set_use(request.member, link, checked=ticked, go_on_without=go_on, now=utcnow())
    return redirect(f"/app/connections/{link.credential.service}?saved={link.pk}#account-{link.pk}")


@require_POST
@for_members
def save_receiving(request: MemberRequest) -> HttpResponse:
    """The calendar that bookings are added to."""
    chosen = request.POST.get("calendar", "")
    try:
        connections.set_booking_calendar(request.member, int(chosen) if chosen.isdecimal() else None, utcnow())
    except Calendar.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("Saved."))
    back = request.headers.get("Referer", "")
    inside = back.startswith(f"{request.scheme}://{request.get_host()}/app/connections")
    return redirect(back if inside else "/app/connections")


@require_POST
@for_members
def check_now(request: MemberRequest, pk: int) -> HttpResponse:
    """今すぐ確認."""
    link = _own(request, pk)
    connections.check_now(link, utcnow())
    link.credential.refresh_from_db()
    standing, reason = standing_of(link.credential, utcnow())
    if standing is Standing.OK:
        messages.success(request, _("The connection works."))
    elif reason:
        messages.error(request, f"{words.happened(reason)} {words.remedy(reason)}")
    else:
        messages.warning(request, _("The service does not answer properly at the moment. It is tried again."))
    return redirect(f"/app/connections/{link.credential.service}")


@require_POST
@for_members
def disconnect(request: MemberRequest, pk: int) -> HttpResponse:
    """連携を解除する; the screen has shown beforehand what it would stop or open."""
    link = _own(request, pk)
    service = Service(link.credential.service)
    name = link.credential.account_email
    connections.disconnect(link, utcnow())
    messages.success(
        request,
        _("%(service)s (%(account)s) is disconnected.") % {"service": words.service_name(service), "account": name},
    )
    return redirect(f"/app/connections/{service}")


@require_POST
@for_members
def ask(request: MemberRequest, pk: int) -> HttpResponse:
    """再接続を依頼する: a mail to the member whose account it is."""
    now = utcnow()
    link = next((link for link in dashboard.visible_errors(request.member, now) if link.pk == pk), None)
    if link is None:
        raise Http404
    sent = notices.ask(link, now)
    values = {"name": words.person(link.member.name)}
    if sent:
        messages.success(request, _("%(name)s was asked by mail to reconnect.") % values)
    else:
        messages.info(request, _("%(name)s was asked within the last hour.") % values)
    return redirect("/app/connections?tab=connected")
