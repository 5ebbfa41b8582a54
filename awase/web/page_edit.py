"""予約ページ編集: the whole editor, one section under the other. Saving is in `page_save`."""

from datetime import datetime

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET

from awase.domain.health import PageValue
from awase.domain.permissions import Act
from awase.models import BookingPage, Member
from awase.services import dates, history, links, pages
from awase.services.dashboard import visible_pages
from awase.services.permissions import may
from awase.web import page_mails, page_view, timelines
from awase.web.cards import PageCards
from awase.web.page_access import access_section
from awase.web.page_consequences import of_archiving
from awase.web.page_forms import SectionForm
from awase.web.page_hints import hints
from awase.web.page_people import members_section, rooms_section
from awase.web.page_places import places_section
from awase.web.page_questions import questions_section
from awase.web.page_rules import SECTION_FORMS
from awase.web.page_sections import common
from awase.web.pages import editable
from awase.web.shell import Context, MemberRequest, for_members, utcnow

TEMPLATES = {
    "limits": "dashboard/_section_limits.html",
    "mails": "dashboard/_section_mails.html",
    "sharing": "dashboard/_section_sharing.html",
    "times": "dashboard/_section_times.html",
}
SECTIONS = (
    "basics",
    "design",
    "members",
    "locations",
    "times",
    "period",
    "limits",
    "rooms",
    "form",
    "changes",
    "mails",
    "sharing",
    "access",
    "switch",
)


@require_GET
@for_members
def edit(request: MemberRequest, pk: int) -> HttpResponse:
    """The whole editor; for those who may only see the page what it says."""
    page = get_object_or_404(visible_pages(request.member), pk=pk)
    if not may(request.member, Act.EDIT_PAGE, page):
        return page_view.show(request, page)
    return whole(request, page)


def whole(
    request: MemberRequest, page: BookingPage, shown: Context | None = None, *, status: int = 400
) -> HttpResponse:
    """The editor with one section as just answered (with its errors or its question), the others as stored."""
    now = utcnow()
    page = editable(request.member, page.pk)
    cards = PageCards(visible_pages(request.member).filter(pk=page.pk), request.member, now)
    card = {**cards.card(cards.pages[0]), "problems": cards.problems(cards.pages[0])}
    fresh = {name: _section(page, name, cards.values[page.pk], request.member, now) for name in SECTIONS}
    for name, said in hints(page, cards.values[page.pk], now).items():
        fresh[name]["hints"] = said
    if not may(request.member, Act.GIVE_PAGE, page):
        del fresh["access"]
    if shown:
        fresh[shown["id"]] = {**fresh[shown["id"]], **shown, "open": True}
    elif request.GET.get("saved") in fresh:
        fresh[request.GET["saved"]] |= {"saved": True, "open": True}
    context = {
        "section": "pages",
        "back_url": "/app/pages",
        "page": {**card, "public_url": f"{settings.AWASE_URL}/{page.workspace.slug}/{page.slug}"},
        "sections": list(fresh.values()),
        "history": _history(page, request.member),
        "duplicate_url": f"/app/pages/{page.pk}/duplicate",
        "archive_url": f"/app/pages/{page.pk}/archive",
        "archived": page.archived_at is not None,
        "archiving": of_archiving(page, now),
        "preview_url": f"/app/pages/{page.pk}/preview/basics",
        "why_url": f"/app/pages/{page.pk}/why",
        "book_url": f"/app/pages/{page.pk}/book",
    }
    return render(request, "dashboard/page_edit.html", context, status=status if shown else 200)


def _section(page: BookingPage, name: str, value: PageValue, viewer: Member, now: datetime) -> Context:
    match name:
        case "members":
            return members_section(page, pages.people_of(page), value, viewer, now)
        case "locations":
            return places_section(page, value)
        case "rooms":
            return rooms_section(page, pages.rooms_of(page), value)
        case "access":
            return access_section(page)
        case "form":
            return questions_section(page)
        case "switch":
            return {
                **common(page, name),
                "heading": pgettext("switch", "Accepting"),
                "summary": [_("On") if page.accepting else _("Off")],
                "template": "dashboard/_section_switch.html",
                "on": page.accepting,
                "button": _("Stop taking bookings") if page.accepting else _("Take bookings"),
            }
        case _:
            return form_section(page, name, stored(page, name))


def _one_time_links(page: BookingPage) -> list[Context]:
    """The links that can still be used, without their secrets, which nobody knows any more."""
    rows = page.one_time_links.filter(used_at=None, expires_at__gt=utcnow()).order_by("expires_at")
    until = {row.pk: dates.full_day_name(row.expires_at) for row in rows}
    return [{"note": row.note, "until": until[row.pk]} for row in rows]


def stored(page: BookingPage, name: str) -> SectionForm:
    """A plain section as stored."""
    return SECTION_FORMS[name](instance=page)


def form_section(page: BookingPage, name: str, form: SectionForm) -> Context:
    """A plain section."""
    section = {
        **common(page, name),
        "heading": form.heading,
        "help": form.explains,
        "form": form,
        "multipart": form.is_multipart(),
        "seen": form.fingerprint(),
        "summary": stored(page, name).summary(),
        "template": TEMPLATES.get(name, "dashboard/_section_form.html"),
    }
    if name == "mails":
        section["mail_texts"] = page_mails.entries(page)
    if name == "sharing":
        section["secret_link"] = links.page_url(page, link=links.page_secret(page)) if page.link_key else ""
        section["embed_url"] = f"/app/pages/{page.pk}/embed"
        section["one_time_links"] = _one_time_links(page)
    return section


def _history(page: BookingPage, viewer: Member) -> list[Context]:
    turns = history.turns([page], page.created_at)[page.pk]
    return timelines.of_page(reversed(turns[-20:]), viewer)


def done(page: BookingPage, section: str) -> HttpResponse:
    """Saved: back to the section."""
    return redirect(f"/app/pages/{page.pk}?saved={section}#{section}")
