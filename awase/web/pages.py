"""予約ページ一覧, the live banner, and the switch."""

from collections.abc import Callable

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from awase.domain.permissions import Act
from awase.models import BookingPage, Member
from awase.services import dashboard, pages, permissions
from awase.web.cards import PageCards
from awase.web.shell import Context, MemberRequest, action, fingerprint, for_members, live, polled, utcnow

SHOWS = ("all", "open", "stopped", "own", "archived")


def _list_context(member: Member, show: str) -> Context:
    archive = show == "archived"
    visible = dashboard.visible_pages(member)
    archived = visible.exclude(archived_at=None).count()
    cards = PageCards(visible.filter(archived_at__isnull=not archive), member, utcnow())
    stopped, others = cards.stopped(), cards.others()
    taking = [page for page in others if page.accepting and cards.verdicts[page.pk].open]
    counts: dict[str, int | None] = {
        "all": len(cards.pages),
        "open": len(taking),
        "stopped": len(cards.pages) - len(taking),
        "own": sum(page.owner_id == member.pk for page in cards.pages),
    }
    wanted: dict[str, Callable[[BookingPage], bool]] = {
        "all": lambda page: True,
        "open": lambda page: page in taking,
        "stopped": lambda page: page not in taking,
        "own": lambda page: page.owner_id == member.pk,
        "archived": lambda page: True,
    }
    if archive:
        counts = dict.fromkeys(counts)  # those of the list are not counted while one looks into the archive
        stopped, others = [], cards.pages
    counts["archived"] = archived
    all_broken = all(cards.verdicts[page.pk].in_error for page in stopped)
    heading_of_stopped = _("Stopped by a connection error") if all_broken else _("Stopped booking pages")
    groups = [
        {"heading": heading, "pages": [cards.card(page) for page in found if wanted[show](page)]}
        for heading, found in ((heading_of_stopped, stopped), (_("Others"), others))
    ]
    groups = [group for group in groups if group["pages"]]
    if len(groups) == 1 and not stopped:
        groups[0]["heading"] = ""
    labels = {"all": _("All"), "open": _("Taking bookings"), "stopped": _("Stopped"), "own": _("Owned by me")}
    labels["archived"] = _("Archived")
    return {
        "section": "pages",
        "create_url": "/app/pages/new",
        "filters": [
            {"label": labels[name], "url": f"/app/pages?show={name}", "count": counts[name], "current": name == show}
            for name in SHOWS
            if name != "archived" or archived
        ],
        "groups": groups,
        "empty_text": _("There is no booking page here yet."),
        "empty_action": action(_("New booking page"), "/app/pages/new", "filled", icon="plus"),
    }


@require_GET
@for_members
def page_list(request: MemberRequest) -> HttpResponse:
    """The pages stopped by health first, the longest stopped on top; live without a reload."""
    show = request.GET.get("show", "all")
    show = show if show in SHOWS else "all"
    context = _list_context(request.member, show)
    key = fingerprint(context["groups"])
    context["poll_url"] = f"/app/pages?show={show}&part=1&seen={key}"
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
