"""予約ページ一覧, the live banner, and the switch."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from awase.domain.permissions import Act
from awase.models import BookingPage, Member
from awase.services import dashboard, pages, permissions
from awase.web.cards import PageCards
from awase.web.paging import sheet
from awase.web.shell import Context, MemberRequest, action, fingerprint, for_members, live, polled, utcnow

SHOWS = ("all", "open", "stopped", "own", "archived")
FEW = 10  # pages that need no search


def _list_context(request: MemberRequest, show: str, query: str) -> Context:
    member, archive = request.member, show == "archived"
    visible = dashboard.visible_pages(member)
    if query:
        visible = visible.filter(Q(title__icontains=query) | Q(owner__user__name__icontains=query))
    archived = visible.exclude(archived_at=None).count()
    cards = PageCards(visible.filter(archived_at__isnull=not archive), member, utcnow())
    stopped = [] if archive else cards.stopped()
    others = cards.pages if archive else cards.others()
    taking = {page.pk for page in others if page.accepting and cards.verdicts[page.pk].open}
    wanted: dict[str, Callable[[BookingPage], bool]] = {
        "all": lambda page: True,
        "open": lambda page: page.pk in taking,
        "stopped": lambda page: page.pk not in taking,
        "own": lambda page: page.owner_id == member.pk,
        "archived": lambda page: True,
    }
    # Those of the list are not counted while one looks into the archive.
    counts = {name: None if archive else sum(map(wanted[name], cards.pages)) for name in SHOWS} | {"archived": archived}
    all_broken = all(cards.verdicts[page.pk].in_error for page in stopped)
    heading_of_stopped = _("Stopped by a connection error") if all_broken else _("Stopped booking pages")
    kept = {"show": show, "q": query}
    shown, pager = sheet(request, list(filter(wanted[show], (*stopped, *others))), kept)
    standing = {page.pk for page in stopped}
    groups = [
        {"heading": heading, "pages": [cards.card(page) for page in shown if (page.pk in standing) is which]}
        for heading, which in ((heading_of_stopped, True), (_("Others"), False))
    ]
    groups = [group for group in groups if group["pages"]]
    if len(groups) == 1 and not stopped:
        groups[0]["heading"] = ""
    labels = {"all": _("All"), "open": _("Taking bookings"), "stopped": _("Stopped"), "own": _("Owned by me")}
    labels["archived"] = _("Archived")
    return {
        "section": "pages",
        "create_url": "/app/pages/new",
        "search": kept if query or len(cards.pages) > FEW else None,
        "filters": [
            {
                "label": labels[name],
                "url": f"/app/pages?{urlencode({**kept, 'show': name})}",
                "count": counts[name],
                "current": name == show,
            }
            for name in SHOWS
            if name != "archived" or archived
        ],
        "groups": groups,
        "pager": pager,
        "poll_url": f"/app/pages?{urlencode({**kept, 'page': pager.get('number', '')})}&part=1&seen=",
        "empty_text": _("There is no such booking page.") if query else _("There is no booking page here yet."),
        "empty_action": None if query else action(_("New booking page"), "/app/pages/new", "filled", icon="plus"),
    }


@require_GET
@for_members
def page_list(request: MemberRequest) -> HttpResponse:
    """The pages stopped by health first, the longest stopped on top; live without a reload."""
    show = request.GET.get("show", "all")
    query = request.GET.get("q", "").strip()[:100]
    context = _list_context(request, show if show in SHOWS else "all", query)
    key = fingerprint([context["groups"], context["filters"]])
    context["poll_url"] += key
    if "part" in request.GET:
        return polled(request, "dashboard/_page_list.html", context, key)
    return render(request, "dashboard/page_list.html", context)


@require_GET
@for_members
def live_banner(request: MemberRequest) -> HttpResponse:
    """The banner and the number at サービス連携 anew, or 204 if they still say the same."""
    shown = live(request.member, utcnow())
    return polled(request, "dashboard/_live.html", shown, shown["live_key"])


def editable(member: Member, pk: int) -> BookingPage:
    """The page if the viewer may change it; strangers cannot tell whether it exists."""
    page = dashboard.visible_pages(member).filter(pk=pk).first()
    if page is None or not permissions.may(member, Act.EDIT_PAGE, page):
        raise Http404
    return page


@require_POST
@for_members
def switch(request: MemberRequest, pk: int) -> HttpResponse:
    """The owner's own switch."""
    page = editable(request.member, pk)
    pages.set_accepting(page, request.POST.get("accepting") == "on", utcnow(), by=request.member)
    back = request.headers.get("Referer", "")
    inside = back.startswith(f"{request.scheme}://{request.get_host()}/app/pages")
    return redirect(back if inside else "/app/pages")
