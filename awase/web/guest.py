"""What every page for guests shares: finding it, its frame and summary, the guest's zone, and links that keep
what the guest has chosen."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from awase.domain.colour import is_colour
from awase.domain.health import BACKED_BY, LocationKind, LocationValue, PageValue
from awase.domain.intervals import epoch, moment
from awase.models import BookingPage, Condition, Hold, Workspace
from awase.models.page import Assignment, Visibility
from awase.models.prepared import prepared
from awase.services import dates, holds, openings, rich_text, words
from awase.services.reading import LONGEST_HORIZON
from awase.services.slots import Offer, offer, rules_of
from awase.web.lengths import length

Context = dict[str, Any]
ZONE_COOKIE = "zone"
HOLD_COOKIE = "hold"
# What a guest has chosen, and how they came, goes along in every link, cookies or not.
TRACKED = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
KEPT = ("zone", "host", "place", "minutes", "lang", "link", "once", "embed", "pass", "name", "email", *TRACKED)
PREFILL = "q_"  # an answer that the link fills in
YEAR = 365 * 24 * 3600
FRESH_TIMES = 6
FIRST_YEAR, LAST_YEAR = 2000, 3000  # beyond them the calendar of some zone ends
ICONS = {LocationKind.PHONE: "phone", LocationKind.IN_PERSON: "place", LocationKind.ASK_GUEST: "place"}
# Left out of the letter that stands for a workspace: half of all Japanese names begin with one.
LEGAL_FORMS = ("株式会社", "有限会社", "合同会社", "一般社団法人", "医療法人")


def find_page(workspace_slug: str, page_slug: str) -> BookingPage:
    """The page at this address. Raises Http404."""
    for page in _pages_at(workspace_slug, page_slug):
        return page
    raise Http404


@prepared
def _pages_at(workspace_slug: Any, page_slug: Any) -> QuerySet[BookingPage]:
    pages = BookingPage.objects.select_related("workspace")
    return pages.filter(workspace__slug=workspace_slug, slug=page_slug)


def address(name: str, page: BookingPage) -> str:
    """The address of a view of this page."""
    return reverse(name, args=(page.workspace.slug, page.slug))


def link(request: HttpRequest, path: str, **changes: str | None) -> str:
    """`path` with what the guest has chosen; `changes` add to it, or take away (None)."""
    kept = {name: request.GET[name] for name in request.GET if name in KEPT or name.startswith(PREFILL)}
    query = {name: value for name, value in (kept | changes).items() if value}
    return f"{path}?{urlencode(query)}" if query else path


def opened(path: str) -> str:
    """An address to which parameters can be added as they are, each time that a month of links needs it."""
    return f"{path}{'&' if '?' in path else '?'}"


def start_text(start: datetime) -> str:
    """A start as it stands in an address."""
    return f"{start.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def start_of(text: str) -> datetime | None:
    """The start that an address names; None for anything that no page can offer."""
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        return None
    if start.tzinfo is None or start.second or start.microsecond or not FIRST_YEAR <= start.year < LAST_YEAR:
        return None
    return start.astimezone(UTC)


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """Every zone that may be asked for."""
    return frozenset(available_timezones())


def zones_asked(request: HttpRequest) -> list[str]:
    """The zones that this guest has asked for, here or earlier; the first counts."""
    wishes = (request.GET.get("zone", ""), request.COOKIES.get(ZONE_COOKIE, ""))
    return [zone for zone in wishes if zone in known_zones()]


def zone_of(request: HttpRequest, home: str) -> str:
    """The zone in which this guest reads times: the one asked for, the one remembered, else `home`."""
    return next(iter(zones_asked(request)), home)


@dataclass(frozen=True, slots=True)
class Wish:
    """The person, the place and the length that the guest has asked for, where there is a choice; None: any, and
    the page's own length."""

    host_id: int | None = None
    place_id: int | None = None
    minutes: int | None = None

    @classmethod
    def of(cls, request: HttpRequest, answer: Offer) -> "Wish":
        return cls(
            _among(request.GET.get("host"), person_choices(answer)),
            _among(request.GET.get("place"), place_choices(answer)),
            asked_minutes(request, answer.page),
        )

    def starts(self, answer: Offer) -> list[int]:
        """The starts at which this can be had; epoch seconds."""
        starts = answer.slots.starts
        if self.host_id is None and self.place_id is None:
            return starts
        return [start for start in starts if self.fits(answer, moment(start))]

    def fits(self, answer: Offer, start: datetime) -> bool:
        """Whether somebody who is free at this start is asked for, and can hold the place."""
        if self.host_id is not None and self.host_id not in answer.hosts_at(start):
            return False
        return self.place_id is None or self.place_id in places_at(answer, start, self.host_id)


def _among(text: str | None, ids: tuple[int, ...]) -> int | None:
    return next((known for known in ids if str(known) == text), None)


def lengths(page: BookingPage) -> list[int]:
    """The lengths that guests may choose among, in minutes."""
    return sorted({page.duration_minutes, *page.durations})


def asked_minutes(request: HttpRequest, page: BookingPage) -> int | None:
    """The length that the guest has asked for; None for the page's own."""
    return _among(request.GET.get("minutes"), tuple(lengths(page)))


def guests_choose(page: BookingPage) -> bool:
    """Whether the guest picks the person."""
    return page.condition == Condition.ANY and page.assignment == Assignment.GUEST


def person_choices(answer: Offer) -> tuple[int, ...]:
    """The members among whom the guest chooses; empty if there is no choice."""
    hosts = tuple(host.member_id for host in answer.verdict.hosts)
    return hosts if guests_choose(answer.page) and len(hosts) > 1 else ()


def place_choices(answer: Offer) -> tuple[int, ...]:
    """The locations by which times differ, because they are the hosts' own; empty if there is no choice."""
    offered = answer.verdict.offered
    return offered if not answer.verdict.locations_by_owner and len(offered) > 1 else ()


def places_at(answer: Offer, start: datetime, host_id: int | None) -> tuple[int, ...]:
    """The locations that can be held at this start: by this host, if one is chosen."""
    places = answer.locations_at(start)
    if host_id is None or answer.verdict.locations_by_owner:
        return places
    own = {place for host in answer.verdict.hosts if host.member_id == host_id for place in host.location_ids}
    return tuple(place for place in places if place in own)


def held(request: HttpRequest, page: BookingPage, now: datetime, key: str = "") -> Hold | None:
    """The time held for this guest on this page: by the form (`key`, even where the answer that would have told
    them was lost), or by the browser, so that neither reloading nor going back bars their own time to them."""
    tokens = (request.POST.get("hold"), key, request.COOKIES.get(HOLD_COOKIE))
    return next(
        filter(None, (holds.live_token(page, token, now) for token in tokens if token and token.isalnum())), None
    )


def whole_offer(
    page: BookingPage,
    now: datetime,
    minutes: int | None = None,
    hold: Hold | None = None,
    value: PageValue | None = None,
) -> tuple[Offer, datetime]:
    """Everything that the page offers from now to the end of its period, or of what is read ahead; and that end.
    `value`: see `offer`."""
    end = moment(min(rules_of(page).period_span(epoch(now))[1], epoch(now + LONGEST_HORIZON)))
    return offer(page, now, end, now, minutes=minutes, hold=hold, value=value), end


def fresh_times(request: HttpRequest, home: str, starts: list[int], wanted: datetime) -> Context:
    """In place of a time that is gone: the nearest ones that are to be had, in the guest's zone. `starts`: epoch
    seconds; `home`: the zone of a guest who has asked for none."""
    there = ZoneInfo(zone_of(request, home))
    nearest = sorted(sorted(starts, key=lambda at: abs(at - epoch(wanted)))[:FRESH_TIMES])
    fresh = [moment(at).astimezone(there) for at in nearest]
    return {
        "text": _("This time is no longer available."),
        "slots": [{"time": dates.clock(at), "day": dates.day_name(at.date()), "value": start_text(at)} for at in fresh],
    }


def summary(page: BookingPage, answer: Offer, wish: Wish, *points: Context) -> Context:
    """The panel that says what is being booked; `points` come last."""
    places = [place for place in answer.value.locations if place.id in answer.verdict.offered]
    if wish.place_id is not None:
        places = [place for place in places if place.id == wish.place_id]
    return {
        **title(page),
        "description": SafeString(rich_text.clean(page.description)) if page.description else "",
        "cover_url": reverse("cover", args=(page.cover,)) if page.cover else "",
        "points": [
            {"icon": "clock", "text": length(wish.minutes or page.duration_minutes)},
            *([place_point(places)] if places else []),
            *people_points(answer, wish),
            *points,
        ],
    }


def title(page: BookingPage) -> Context:
    return {
        "org": page.workspace.name,
        "title": page.title,
        "letter": letter(page.workspace.name),
        "logo_url": logo_url(page.workspace),
    }


def manner(request: HttpRequest, page: BookingPage) -> Context:
    """How a page is shown: its colour, and whether search engines may keep it."""
    secret = page.visibility != Visibility.PUBLIC or bool(page.password)
    return {
        "theme": page.accent,
        "style_url": "" if page.accent else style_url(page.workspace.accent),
        "noindex": secret or not page.indexed,
    }


def style_url(accent: str) -> str:
    """The style sheet of a colour that a workspace chose; "" for Awase's own ones."""
    return reverse("theme", args=(accent[1:],)) if is_colour(accent) else ""


def logo_url(workspace: Workspace) -> str:
    """Where the workspace's logo is; "" without one."""
    return reverse("logo", args=(workspace.logo,)) if workspace.logo else ""


def letter(name: str) -> str:
    """What stands for a workspace or a person without a picture."""
    for form in LEGAL_FORMS:
        name = name.removeprefix(form).strip() or name
    return name[:1]


def place_point(places: list[LocationValue]) -> Context:
    """The places offered, in one line. Numbers and links are told to those who have booked; an address of the
    page's own may help to decide."""
    first, *others = dict.fromkeys(place.kind for place in places)
    *names, last = [place_name(first), *(place_name(kind, inside=True) for kind in others)]
    text = _(" or ").join([_(", ").join(names), last]) if names else last
    point = {"icon": ICONS.get(places[0].kind, "video"), "text": text}
    if len(places) == 1 and places[0].kind is LocationKind.IN_PERSON:
        point["detail"] = places[0].detail
    return point


def place_name(kind: LocationKind, *, inside: bool = False) -> str:
    """A kind of location as a guest reads it; `inside` a sentence only names of services begin with a capital."""
    name = words.location_name(kind, to_guest=True)
    return name if kind in BACKED_BY or not inside else name[:1].lower() + name[1:]


def people_points(answer: Offer, wish: Wish) -> list[Context]:
    """Who the guest will meet, as far as that is known."""
    names = {member.id: words.person(member.name) for member in answer.value.members}
    hosts = [host.member_id for host in answer.verdict.hosts]
    if wish.host_id is not None:
        hosts = [wish.host_id]
    elif person_choices(answer):
        return []
    elif answer.page.condition == Condition.ANY and len(hosts) > 1:
        return [{"icon": "people", "text": _("Your host depends on who is free")}]
    if not hosts:
        return []
    icon = "person" if len(hosts) == 1 else "people"
    return [{"icon": icon, "text": _(", ").join(names[host] for host in hosts)}]


def notice(answer: Offer) -> str:
    """What guests must read before they book."""
    return _("Your host will tell you the place.") if answer.verdict.place_missing else ""


def show(request: HttpRequest, template: str, context: Context, *, status: int = 200) -> HttpResponse:
    """A page for guests. It sets no cookie but that of the zone asked for; language has its own (middleware). Inside
    another site's page it sets none: what the guest has chosen goes along in the addresses."""
    languages = [
        {
            "code": code,
            "label": label,
            "url": f"?{urlencode(request.GET.dict() | {'lang': code})}",
            "current": code == get_language(),
        }
        for code, label in settings.LANGUAGES
    ]
    embedded = "embed" in request.GET
    response = render(request, template, {"languages": languages, "embedded": embedded, **context}, status=status)
    if embedded:
        framed(response)
    response["Cache-Control"] = "private, no-cache"
    if (zone := request.GET.get("zone", "")) in known_zones() and not embedded:
        response.set_cookie(
            ZONE_COOKIE, zone, max_age=YEAR, samesite="Lax", secure=settings.LANGUAGE_COOKIE_SECURE, httponly=True
        )
    return response


def framed(response: HttpResponse) -> None:
    """Let pages of other sites show this one inside theirs; it has no rights that they could borrow."""
    response.xframe_options_exempt = True
    response._csp_replace = {"frame-ancestors": ["*"]}  # type: ignore[attr-defined]


def stopped(request: HttpRequest, page: BookingPage, *, status: int = 200, **context: Any) -> HttpResponse:
    """The page while it takes no bookings, for whatever reason; never which account is broken."""
    tell_url = link(request, address("tell_when_open", page)) if openings.offered(page) else ""
    shown = {"page": title(page), "tell_url": tell_url, "told": "told" in request.GET, **manner(request, page)}
    return show(request, "public/stopped.html", {**shown, **context}, status=status)
