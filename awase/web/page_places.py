"""ロケーション in the page editor."""

from django.utils.translation import gettext as _

from awase.domain.gate import location_lack
from awase.domain.health import BACKED_BY, LocationKind, PageValue
from awase.models import BookingPage
from awase.services import pages, words
from awase.web.page_sections import common
from awase.web.shell import Context

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
    owner = next(member for member in value.members if member.id == page.owner_id)
    free = {
        LocationKind.IN_PERSON: _("Address"),
        LocationKind.PHONE: _("Phone number"),
        LocationKind.LINK: _("Link or text"),
    }
    shown = []
    for place in value.locations:
        broken = location_lack(owner, place) if value.by_owner else None
        badge = {"kind": "danger", "label": _("Connection error")} if broken and broken.error else None
        if broken and not broken.error:
            badge = {"kind": "warn", "label": _("Not connected")}
        shown.append(
            {
                "id": place.id,
                "icon": ICONS[place.kind],
                "label": words.location_name(place.kind),
                "badges": [badge] if badge else [],
                "detail_label": free.get(place.kind, ""),
                "detail": typed.details.get(place.id, place.detail),
                "removing": place.id in typed.remove,
            }
        )
    return {
        **common(page, "locations"),
        "heading": _("Locations"),
        "summary": [words.location_name(place.kind) for place in value.locations] or [_("None")],
        "help": _("Guests choose among those that work. Without a location you tell guests the place yourself."),
        "template": "dashboard/_section_locations.html",
        "locations": shown,
        "kinds": [
            {"value": kind.value, "label": words.location_name(kind), "selected": kind is typed.add}
            for kind in LocationKind
        ],
        "add_detail": typed.add_detail,
    }
