"""ロケーション in the page editor."""

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from awase.domain.gate import evaluate
from awase.domain.health import BACKED_BY, LocationKind, LocationValue, PageValue
from awase.models import BookingPage
from awase.services import pages, words
from awase.web.numbers import whole_number
from awase.web.page_sections import Facts, common, seen, warning
from awase.web.shell import Context

LONGEST = 500
MOST_WARNINGS = 5
ICONS = {
    **dict.fromkeys(BACKED_BY, "video"),
    LocationKind.IN_PERSON: "place",
    LocationKind.PHONE: "phone",
    LocationKind.LINK: "link",
    LocationKind.ASK_GUEST: "person",
}


def places_section(page: BookingPage, value: PageValue, typed: pages.Places | None = None) -> Context:
    """The locations as stored, or as just typed."""
    typed = typed or pages.Places({})
    free = {
        LocationKind.IN_PERSON: _("Address"),
        LocationKind.PHONE: _("Phone number"),
        LocationKind.LINK: _("Link or text"),
    }
    shown = [
        {
            "id": place.id,
            "icon": ICONS[place.kind],
            "label": words.location_name(place.kind),
            "warnings": warnings_of_place(value, place),
            "detail_label": free.get(place.kind, ""),
            "detail": typed.details.get(place.id, place.detail),
            "removing": place.id in typed.remove,
        }
        for place in sorted(value.locations, key=lambda place: typed.place(place.id))
    ]
    return {
        **common(page, "locations"),
        "seen": seen(places_facts(value)),
        "heading": _("Locations"),
        "summary": [words.location_name(place.kind) for place in value.locations] or [_("None")],
        "help": _("Guests choose among those that work. Without a location you tell guests the place yourself."),
        "template": "dashboard/_section_locations.html",
        "locations": shown,
        "place_missing": evaluate(value).place_missing,
        "kinds": [
            {"value": kind.value, "label": words.location_name(kind), "selected": kind is typed.add}
            for kind in LocationKind
        ],
        "add_detail": typed.add_detail,
    }


def warnings_of_place(value: PageValue, place: LocationValue) -> list[Context]:
    """What the gate says keeps guests from being offered this location: by the owner, where the link comes from their
    account, else by each member who lacks it."""
    verdict = evaluate(value)
    told = dict.fromkeys((*verdict.stops, *verdict.warnings, *verdict.left_out))
    lacks = [lack for lack in told if lack.location_id == place.id]
    names = {member.id: member.name for member in value.members}
    found = [warning(lack, names) for lack in lacks[:MOST_WARNINGS]]
    if more := len(lacks) - len(found):
        text = ngettext("and %(count)d more member", "and %(count)d more members", more) % {"count": more}
        found.append({"kind": "warn", "text": text, "why": ""})
    return found


def places_facts(value: PageValue) -> Facts:
    """The locations in words, by their place in the list."""
    return {
        _("Location %(number)d") % {"number": number}: f"{words.location_name(place.kind)} {place.detail}".strip()
        for number, place in enumerate(value.locations, start=1)
    }


def typed_places(page: BookingPage, data: QueryDict) -> pages.Places:
    """The locations section as sent; `up` names one that changes places with the one before it."""
    ids = list(page.locations.values_list("pk", flat=True))
    order = [pk for text in data.getlist("place") if (pk := whole_number(text)) in ids]
    raised = whole_number(data.get("up"))
    if raised in order[1:]:
        at = order.index(raised)
        order[at - 1 : at + 1] = [order[at], order[at - 1]]
    kind = data.get("add", "")
    return pages.Places(
        details={pk: data.get(f"detail-{pk}", "").strip()[:LONGEST] for pk in ids if f"detail-{pk}" in data},
        remove=frozenset(pk for pk in ids if str(pk) in data.getlist("remove")),
        add=LocationKind(kind) if kind in set(LocationKind) else None,
        add_detail=data.get("add_detail", "").strip()[:LONGEST],
        order=tuple(order),
    )
