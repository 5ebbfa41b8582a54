"""The time zones that guests choose from."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from awase.services import dates
from awase.web.guest import Context

# Well-known ones, and so many that every clock on Earth is shown by one of them.
_WELL_KNOWN = """
Pacific/Pago_Pago Pacific/Honolulu America/Adak Pacific/Marquesas America/Anchorage Pacific/Gambier
America/Los_Angeles Pacific/Pitcairn America/Denver America/Phoenix America/Chicago America/Mexico_City Pacific/Easter
America/New_York America/Bogota America/Halifax America/Caracas America/Santiago America/St_Johns America/Sao_Paulo
America/Miquelon America/Nuuk America/Noronha Atlantic/Azores Atlantic/Cape_Verde UTC Europe/London Europe/Lisbon
Antarctica/Troll Africa/Casablanca Africa/Lagos Europe/Paris Europe/Berlin Europe/Madrid Europe/Rome Europe/Stockholm
Europe/Helsinki Europe/Athens Europe/Chisinau Africa/Cairo Africa/Johannesburg Asia/Jerusalem Asia/Gaza
Europe/Istanbul Africa/Nairobi Asia/Tehran Asia/Dubai Asia/Kabul Asia/Karachi Asia/Kolkata Asia/Kathmandu Asia/Dhaka
Asia/Yangon Asia/Bangkok Asia/Ho_Chi_Minh Asia/Jakarta Asia/Shanghai Asia/Hong_Kong Asia/Taipei Asia/Singapore
Asia/Manila Australia/Perth Australia/Eucla Asia/Seoul Asia/Tokyo Australia/Darwin Australia/Brisbane
Australia/Adelaide Australia/Sydney Australia/Lord_Howe Pacific/Guadalcanal Pacific/Norfolk Pacific/Fiji
Pacific/Auckland Pacific/Chatham Pacific/Apia Pacific/Kiritimati
"""
ZONES = tuple(_WELL_KNOWN.split())


def choice(request: HttpRequest, zone: str, at: datetime) -> Context:
    """The zone in which times are shown, and others to choose from."""
    beginning = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return {
        "name": zone,
        "label": dates.zone_name(zone, at),
        "choices": _choices(zone, beginning, get_language() or "en"),
        "hidden": [{"name": name, "value": value} for name, value in request.GET.items() if name != "zone"],
    }


@lru_cache(maxsize=256)
def _choices(zone: str, at: datetime, language: str) -> SafeString:
    """Zones by their distance from UTC at a moment, with their names in the language, which must be in force. Kept,
    because they take longer to write than a month of times, and nothing else bears on them."""
    local = {name: at.astimezone(ZoneInfo(name)) for name in {*ZONES, zone}}
    choices = [
        {
            "value": name,
            "label": f"UTC{local[name].isoformat()[-6:]} {dates.zone_name(name, at)}",
            "selected": name == zone,
        }
        for name in sorted(local, key=lambda name: (local[name].utcoffset(), name))
    ]
    return render_to_string("public/_zones.html", {"choices": choices})
