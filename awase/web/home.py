"""The home screen: what takes no bookings and why, what waits for somebody, the next days, what to do next."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from awase.domain.first_run import ORDER, Step
from awase.domain.health import Lack, Service
from awase.models import Booking, BookingPage, BookingState, Member
from awase.services import connections, dashboard, dates, mailserver, words
from awase.services.health import standing_of
from awase.web.booking_search import troubled, with_hosts
from awase.web.bookings import hosts_text, in_days, waiting_work, zone_label
from awase.web.cards import CONNECTIONS, ERRORS, PageCards, lasting
from awase.web.connection_cards import state_badge
from awase.web.shell import LETTERS, Context, MemberRequest, action, fingerprint, for_members, local, polled, utcnow

DAYS_SHOWN = 8
MOST_COMING, MOST_WAITING = 50, 50
MOST_CAUSES, MOST_PAGES = 6, 4  # of what stops pages, and of the pages that it stops
EMPTY: Mapping[int | None, int] = MappingProxyType({})


@require_GET
@for_members
def home(request: MemberRequest) -> HttpResponse:
    """What a member wants to know first in the morning; live without a reload."""
    member, now = request.member, utcnow()
    there = ZoneInfo(member.user.time_zone)
    today = now.astimezone(there).date()
    midnight = datetime.combine(today, time(), tzinfo=there)
    soon = with_hosts(dashboard.visible_bookings(member)).filter(
        state=BookingState.CONFIRMED, end__gt=now, start__lt=midnight + timedelta(days=DAYS_SHOWN)
    )
    days = in_days(list(soon.order_by("start", "pk")[:MOST_COMING]), member)
    heading = dates.full_day_name(today)
    cards = PageCards(dashboard.visible_pages(member).filter(archived_at=None), member, now)
    causes = _stopped(cards)
    mine = connections.of_member(member)
    waiting = with_hosts(dashboard.waiting_bookings(member, now)).order_by("start", "pk")
    context: dict[str, Any] = {
        "section": "dashboard",
        "today": {
            "heading": heading,
            "bookings": [row for day in days if day["heading"] == heading for row in day["bookings"]],
        },
        "coming": [day for day in days if day["heading"] != heading],
        "zone_label": zone_label(member),
        "steps": _steps(member, bool(mine), cards),
        "stopped": causes[:MOST_CAUSES],
        "more_stopped": max(0, len(causes) - MOST_CAUSES),
        "waiting": _waiting(waiting[:MOST_WAITING], member),
        "connections": [
            {
                "letter": LETTERS[Service(link.credential.service)],
                "name": words.service_name(link.credential.service),
                "account": link.credential.account_email,
                "badges": [state_badge(standing_of(link.credential, now)[0])],
                "url": f"/app/connections/{link.credential.service}",
            }
            for link in mine
        ],
        "all_bookings_url": "/app/bookings",
        "connections_url": "/app/connections",
        "connect": None if mine else action(_("Connect"), "/app/connections?tab=not_connected", "link"),
    }
    key = fingerprint(context)
    context["poll_url"] = f"/app/?part=1&seen={key}"
    if "part" in request.GET:
        return polled(request, "dashboard/_home.html", context, key)
    return render(request, "dashboard/home.html", context)


def _stopped(cards: PageCards) -> list[Context]:
    """The pages stopped by health under their causes, errors before what is not connected yet, what stops most pages
    first: one account is one line, with all its pages. A page that several things stop stands under each."""
    causes: dict[str, Context] = {}
    for page in cards.stopped():
        names = {member.id: member.name for member in cards.values[page.pk].members}
        names |= {room.member_id: room.member_name for room in cards.values[page.pk].rooms if room.member_id}
        link = {"title": page.title, "url": cards.url(page), "since": lasting(cards.since[page.pk], cards.now)}
        for what, lack in {words.lack(lack, names): lack for lack in reversed(cards.verdicts[page.pk].stops)}.items():
            cause: Context = {
                "what": what,
                "why": words.why(lack),
                "action": action(_("Review"), _review(lack, link["url"]), "filled", danger=lack.error),
                "pages": [],
            }
            causes.setdefault(what, cause)["pages"].append(link)
    for cause in causes.values():
        cause["more"] = max(0, len(cause["pages"]) - MOST_PAGES)
    found = sorted(causes.values(), key=lambda cause: (not cause["action"]["danger"], -len(cause["pages"])))
    return [{**cause, "pages": cause["pages"][:MOST_PAGES]} for cause in found]


def _review(lack: Lack, page_url: str) -> str:
    """Where a cause is looked at: at the accounts, or at the page whose own settings it is."""
    if lack.error:
        return ERRORS
    of_account = lack.location_kind is None or lack.location_kind.account_backed
    return CONNECTIONS if lack.member_id is not None and of_account else page_url


def _waiting(found: Iterable[Booking], viewer: Member) -> list[Context]:
    """Bookings that wait for somebody, by what is to be done: answers by their deadline, the rest by their start. The
    seats of a group session wait for the same things, and are one line."""
    requests, places, work = [], [], []
    seats: Counter[int | None] = Counter()
    for booking in found:
        of_session = booking.state == BookingState.CONFIRMED and booking.session_id
        seats[booking.session_id] += 1
        if of_session and seats[booking.session_id] > 1:
            continue
        if booking.state == BookingState.REQUESTED:
            requests.append(booking)
        elif booking.place_missing and booking.state == BookingState.CONFIRMED:
            places.append(booking)
        else:
            work.append(booking)
    requests.sort(key=_deadline)
    groups = [
        {
            "heading": _("Requests to answer"),
            "bookings": [
                _row(booking, viewer, _("Answer by %(when)s; then it lapses.") % {"when": due}, _("Answer"))
                for booking in requests
                for due in [local(_deadline(booking), viewer)]
            ],
        },
        {
            "heading": _("Places to fill in"),
            "bookings": [
                _row(booking, viewer, _("The guest was promised that you will tell the place."), _("Fill in"), seats)
                for booking in places
            ],
        },
        {
            "heading": _("Waiting for a repair"),
            "bookings": [_row(booking, viewer, _work(booking), _("Open"), seats) for booking in work],
        },
    ]
    return [group for group in groups if group["bookings"]]


def _deadline(booking: Booking) -> datetime:
    return booking.answer_by or booking.start


def _work(booking: Booking) -> str:
    """What of the booking's work waits, and why."""
    said = [waiting_work(effect) for effect in troubled(booking)]
    return words.sentences(*dict.fromkeys(text for one in said for text in (one["what"], one["why"])))


def _row(booking: Booking, viewer: Member, text: str, act: str, seats: Mapping[int | None, int] = EMPTY) -> Context:
    url = f"/app/bookings/{booking.uid}"
    others = seats.get(booking.session_id, 1) - 1 if booking.session_id else 0
    name = booking.guest_name
    if others:
        values = {"name": name, "count": others}
        name = ngettext("%(name)s and %(count)d other", "%(name)s and %(count)d others", others) % values
    facts = [local(booking.start, viewer), booking.title, hosts_text(booking)]
    return {
        "title": name,
        "url": url,
        "facts": [fact for fact in facts if fact],
        "text": text,
        "action": action(act, url),
    }


def _steps(member: Member, connected: bool, cards: PageCards) -> list[Context]:
    """What to do next until the first page is live, and sent to somebody."""
    steps = []
    if member.first_run:
        number = ORDER.index(Step(member.first_run)) + 1
        text = _("Step %(number)d of %(of)d is next; each takes moments.") % {"number": number, "of": len(ORDER)}
        return [
            {
                "title": _("Go on with the set-up"),
                "text": text,
                "action": action(_("Go on"), "/app/start", "filled"),
            }
        ]
    if not connected:
        steps.append(
            {
                "title": _("Connect your calendar"),
                "text": _("Only times at which you are free are then offered."),
                "action": action(_("Connect"), "/app/connections?tab=not_connected", "filled"),
            }
        )
    if not cards.pages:
        steps.append(
            {
                "title": _("Create your first booking page"),
                "text": _("A title is enough; everything else can be changed later."),
                "action": action(_("New booking page"), "/app/pages/new", "outlined" if steps else "filled"),
            }
        )
    elif not steps and (live := _live(cards)) and not dashboard.visible_bookings(member).exists():
        steps.append(
            {
                "title": _("Send your booking page to somebody"),
                "text": f"{settings.AWASE_URL}/{live.workspace.slug}/{live.slug}",
                "action": action(_("Open the public page"), f"/{live.workspace.slug}/{live.slug}", new_tab=True),
            }
        )
    if mailserver.to_be_tested(member.user):
        steps.append(
            {
                "title": _("Send a test mail"),
                "text": _("Guests and hosts are told by mail; see whether they arrive."),
                "action": action(_("To the mail server"), "/app/settings/mail"),
            }
        )
    return steps


def _live(cards: PageCards) -> BookingPage | None:
    """A page of the viewer's that takes bookings."""
    of_theirs = (page for page in cards.others() if page.owner_id == cards.viewer.pk and page.accepting)
    return next((page for page in of_theirs if cards.verdicts[page.pk].open), None)
