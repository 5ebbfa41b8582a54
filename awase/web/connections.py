"""The integration list, the details of each service, and connecting accounts."""

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_POST

from awase.domain.gate import account_behind, receiving
from awase.domain.health import LocationKind, MemberValue, Service, Standing
from awase.models import Calendar, Connection, Member
from awase.services import connections, dashboard, dates, history, notices, words
from awase.services.health import member_values, pages_of_members, standing_of
from awase.services.troubles import troubles
from awase.web import connection_cards, rooms
from awase.web.cards import PageCards
from awase.web.connection_cards import state_badge
from awase.web.numbers import whole_number
from awase.web.shell import (
    LETTERS,
    Context,
    MemberRequest,
    action,
    fingerprint,
    for_members,
    polled,
    post,
    utcnow,
)
from awase.web.timelines import account_strip

TABS = ("all", "connected", "not_connected")
SHOWN = sorted(Service, key=lambda service: not service.calendars)  # calendars first


def _list_context(member: Member, tab: str) -> Context:
    now = utcnow()
    mine = connections.of_member(member)
    days = history.account_days([link.credential for link in mine], now, member.user.time_zone)
    found = troubles(member, now)
    wrong = {trouble.link.pk: trouble for trouble in found.own}
    items = []
    for service in SHOWN:
        links = [link for link in mine if link.credential.service == service]
        if (tab == "connected" and not links) or (tab == "not_connected" and links):
            continue
        shown = next((link for link in links if link.pk in wrong), links[0] if links else None)
        items.append(
            {
                "letter": LETTERS[service],
                "name": words.service_name(service),
                "accounts": pgettext("list of names", ", ").join(link.credential.account_email for link in links),
                "badges": [_service_badge(links, wrong, now)],
                "why": connection_cards.what(wrong[shown.pk]) if shown and shown.pk in wrong else "",
                "strip": account_strip(days[shown.credential_id]) if shown else None,
                "action": action(_("Details"), f"/app/connections/{service}")
                if links
                else action(_("Connect"), f"/app/connections/{service}/connect", "filled"),
            }
        )
    labels = {"all": _("All"), "connected": _("Connected"), "not_connected": _("Not connected")}
    others = [trouble for trouble in found.others if tab != "not_connected"]
    return {
        "section": "connections",
        "tabs": [
            {
                "label": labels[name],
                "url": f"/app/connections?tab={name}",
                "current": name == tab,
                "error": name == "connected" and bool(wrong),
            }
            for name in TABS
        ],
        "items": items,
        "others": connection_cards.others(others, notices.asked([trouble.link for trouble in others]), member, now),
    }


def _service_badge(links: list[Connection], wrong: Collection[int], now: datetime) -> Context:
    """The worst state of a service's accounts; one of which a page needs more than it can do is in error."""
    if not links:
        return {"kind": "neutral", "label": _("Not connected")}
    standings = [standing_of(link.credential, now)[0] for link in links]
    if any(link.pk in wrong for link in links):
        standings.append(Standing.ERROR)
    return state_badge(max(standings, key=list(Standing).index))


@require_GET
@for_members
def connection_list(request: MemberRequest) -> HttpResponse:
    """サービス連携一覧, and the fragment that keeps it live."""
    tab = request.GET.get("tab", "all")
    tab = tab if tab in TABS else "all"
    context = _list_context(request.member, tab)
    key = fingerprint([context["tabs"], context["items"], context["others"]])
    context["poll_url"] = f"/app/connections?tab={tab}&part=1&seen={key}"
    if "part" in request.GET:
        return polled(request, "dashboard/_connections.html", context, key)
    return render(request, "dashboard/connections.html", context)


def service_called(name: str) -> Service:
    """The service of this name in an address; there is no other page."""
    try:
        return Service(name)
    except ValueError:
        raise Http404 from None


def own(request: MemberRequest, pk: int) -> Connection:
    """The viewer's own connection; nobody can act on somebody else's account."""
    return get_object_or_404(Connection.objects.select_related("credential"), pk=pk, member=request.member)


@require_GET
@for_members
def service_details(request: MemberRequest, service: str) -> HttpResponse:
    """Google, Microsoft or CalDAV: カレンダー・リソースアカウント設定; Zoom or Teams: state and reconnect."""
    kind = service_called(service)
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
    days = history.account_days([link.credential for link in links], now, request.member.user.time_zone)
    values = member_values([request.member.pk], now)[request.member.pk]
    accounts = [
        {"link": link, **connection_cards.account(link, values, days[link.credential_id], request.member, now)}
        for link in links
    ]
    if kind in connections.CALENDAR_SERVICES:
        context["accounts"] = [_with_calendars(request, shown) for shown in accounts]
        if kind is Service.GOOGLE and len(links) > 1:
            _offer_meet(context["accounts"], values)
        context["receiving"] = _receiving(request.member)
        context["rooms"] = rooms.part(request.member, links, now)
        return render(request, "dashboard/connection_accounts.html", context)
    context["accounts"] = accounts
    context["pages"] = _pages_held_by(request.member, kind, now) if links else []
    return render(request, "dashboard/connection_meeting.html", context)


def _pages_held_by(member: Member, service: Service, now: datetime) -> list[Context]:
    """The pages that the viewer owns or takes part in and whose meetings may be held with this service."""
    cards = PageCards(
        dashboard.visible_pages(member).filter(
            pk__in=[page.pk for page in pages_of_members([member.pk]) if page.locations.filter(kind=service).exists()]
        ),
        member,
        now,
    )
    return [{"title": card["title"], "url": card["url"], "badges": card["badges"]} for card in cards.all()]


def _offer_meet(accounts: list[Context], owner: MemberValue) -> None:
    """Where bookings are not added to a Google calendar, one of several accounts makes the Meet links."""
    written = receiving(owner)
    if written is not None and written[0].service is Service.GOOGLE:
        return
    chosen = account_behind(owner, LocationKind.MEET)
    for account in accounts:
        if chosen is not None and chosen.id == account["id"]:
            account["badges"].append({"kind": "neutral", "label": _("For Google Meet")})
        else:
            account["meet"] = post(_("Use for Google Meet"), f"/app/connections/{account['id']}/meet", "link")


def _with_calendars(request: MemberRequest, shown: Context) -> Context:
    link: Connection = shown["link"]
    return {
        **shown,
        "calendars": [
            {
                "id": calendar.pk,
                "name": calendar.name,
                "checked": calendar.checked,
                "go_on_without": calendar.go_on_without,
                "badges": _calendar_badges(calendar, request.member),
            }
            for calendar in link.calendars.order_by("-primary", "name")
        ],
        "calendars_url": f"/app/connections/{link.pk}/calendars",
        "tentative_busy": not link.tentative_free,
        "saved": request.GET.get("saved") == str(link.pk),
        "meet": None,
    }


def _calendar_badges(calendar: Calendar, member: Member) -> list[Context]:
    shown = []
    if calendar.pk == member.booking_calendar_id:
        shown.append({"kind": "neutral", "label": _("Bookings are added here")})
    if calendar.missing_since:
        shown.append({"kind": "danger", "label": _("Not found at the service")})
    elif calendar.unreadable_since:
        shown.append({"kind": "warn", "label": _("Cannot be read at the moment")})
    return shown


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


@require_POST
@for_members
def save_calendars(request: MemberRequest, pk: int) -> HttpResponse:
    """Which calendars of an account are checked for conflicts, and under which policy."""
    link = own(request, pk)
    ticked = {pk for pk in map(whole_number, request.POST.getlist("checked")) if pk is not None}
    go_on = {calendar.pk for calendar in link.calendars.all() if request.POST.get(f"policy-{calendar.pk}") == "go_on"}
    connections.set_use(
        request.member,
        link,
        checked=ticked,
        go_on_without=go_on,
        now=utcnow(),
        tentative_free="tentative_busy" not in request.POST,
    )
    return redirect(f"/app/connections/{link.credential.service}?saved={link.pk}#account-{link.pk}")


@require_POST
@for_members
def save_receiving(request: MemberRequest) -> HttpResponse:
    """The calendar that bookings are added to."""
    chosen = whole_number(request.POST.get("calendar"))
    try:
        connections.set_booking_calendar(request.member, chosen, utcnow())
    except Calendar.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("Saved."))
    back = request.headers.get("Referer", "")
    inside = back.startswith(f"{request.scheme}://{request.get_host()}/app/connections")
    return redirect(back if inside else "/app/connections")


@require_POST
@for_members
def leave_out(request: MemberRequest, pk: int, how: str) -> HttpResponse:
    """A cure at one touch: untick a calendar, or go on without it while it cannot be read."""
    calendar = get_object_or_404(
        Calendar.objects.select_related("connection__credential"), pk=pk, connection__member=request.member
    )
    link, now = calendar.connection, utcnow()
    ticked = set(link.calendars.filter(checked=True).values_list("pk", flat=True))
    go_on = set(link.calendars.filter(go_on_without=True).values_list("pk", flat=True))
    if how == "go-on":
        go_on.add(pk)
    else:
        ticked.discard(pk)
        if request.member.booking_calendar_id == pk:
            connections.set_booking_calendar(request.member, None, now)
    connections.set_use(request.member, link, checked=ticked, go_on_without=go_on, now=now)
    return redirect(f"/app/connections/{link.credential.service}?saved={link.pk}#account-{link.pk}")


@require_POST
@for_members
def choose_for_meet(request: MemberRequest, pk: int) -> HttpResponse:
    """Which of several Google accounts makes the Meet links."""
    link = own(request, pk)
    if link.credential.service != Service.GOOGLE:
        raise Http404
    connections.set_meet_account(request.member, link, utcnow())
    messages.success(request, _("Saved."))
    return redirect(f"/app/connections/google#account-{pk}")


@require_POST
@for_members
def check_now(request: MemberRequest, pk: int) -> HttpResponse:
    """今すぐ確認."""
    link = own(request, pk)
    until = connections.check_now(link, utcnow())
    link.credential.refresh_from_db()
    standing, reason = standing_of(link.credential, utcnow())
    if until:
        time = dates.clock(until.astimezone(ZoneInfo(request.member.user.time_zone)))
        messages.info(request, _("The service asked for patience: it is asked again at %(time)s.") % {"time": time})
    elif standing is Standing.OK:
        messages.success(request, _("The connection works."))
    elif reason:
        messages.error(request, words.reason(reason))
    else:
        messages.warning(request, _("The service does not answer properly at the moment. It is tried again."))
    return redirect(f"/app/connections/{link.credential.service}")


@require_POST
@for_members
def disconnect(request: MemberRequest, pk: int) -> HttpResponse:
    """連携を解除する; the screen has shown beforehand what it would stop or open."""
    link = own(request, pk)
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
    others = troubles(request.member, now).others
    link = next((trouble.link for trouble in others if trouble.concerns and trouble.link.pk == pk), None)
    if link is None:
        raise Http404
    sent = notices.ask(link, now)
    values = {"name": words.person(link.member.name)}
    if sent:
        messages.success(request, _("%(name)s was asked by mail to reconnect.") % values)
    else:
        messages.info(request, _("%(name)s was asked within the last hour.") % values)
    return redirect("/app/connections?tab=connected")
