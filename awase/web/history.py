"""The history of one account and of one page: the last 90 days, and what happened when, why and by what."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from awase.domain.history import first_moment
from awase.services import history, words
from awase.services.dashboard import visible_pages
from awase.services.health import standing_of
from awase.services.visible import visible_connections
from awase.web.cards import PageCards
from awase.web.connection_cards import state_badge
from awase.web.shell import MemberRequest, for_members, utcnow
from awase.web.timelines import account_strip, of_account, of_page, page_strip

MOST_CHANGES = 200


@require_GET
@for_members
def connection_history(request: MemberRequest, pk: int) -> HttpResponse:
    """One's own account; for admins anybody's."""
    link = get_object_or_404(visible_connections(request.member), pk=pk)
    credential, now, zone = link.credential, utcnow(), request.member.user.time_zone
    mine = link.member_id == request.member.pk
    context = {
        "section": "connections",
        "back_url": f"/app/connections/{credential.service}#account-{pk}" if mine else "/app/connections",
        "back": words.service_name(credential.service) if mine else _("All connections"),
        "title": credential.account_email,
        "facts": [words.service_name(credential.service), *([] if mine else [link.member.name])],
        "badges": [state_badge(standing_of(credential, now)[0])],
        "strip": account_strip(history.account_days([credential], now, zone)[credential.pk]),
        "history": of_account(
            credential.changes.filter(at__gte=first_moment(now, zone))[:MOST_CHANGES], request.member
        ),
    }
    return render(request, "dashboard/history.html", context)


@require_GET
@for_members
def page_history(request: MemberRequest, pk: int) -> HttpResponse:
    """A page that the viewer may see: also where they may not change it, its state and its cures stand here."""
    now, zone = utcnow(), request.member.user.time_zone
    page = get_object_or_404(visible_pages(request.member), pk=pk)
    cards = PageCards(visible_pages(request.member).filter(pk=pk), request.member, now)
    card = cards.card(cards.pages[0])
    turns = history.turns([page], first_moment(now, zone))[pk]
    context = {
        "section": "pages",
        "back_url": card["url"],
        "back": page.title,
        "title": page.title,
        "facts": card["facts"],
        "badges": card["badges"],
        "problems": card["problems"],
        "strip": page_strip(history.page_days([page], now, zone)[pk]),
        "history": of_page(reversed(turns[-MOST_CHANGES:]), request.member),
    }
    return render(request, "dashboard/history.html", context)
