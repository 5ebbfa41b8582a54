"""What of a page's own settings lets nobody book, told in the section where it is set; the gate knows only accounts."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from awase.domain.health import PageValue
from awase.domain.limits import Limit, from_json
from awase.models import BookingPage
from awase.services.hours import hours_of


def hints(page: BookingPage, value: PageValue, now: datetime) -> dict[str, list[str]]:
    """Section → what stands against every booking there."""
    found = {
        "times": [_("None of the members has any hours: no time is offered.")] if _no_hours(page, value, now) else [],
        "period": [_("The period is over: no time is offered any more.")] if _over(page, now) else [],
        "limits": [_("A booking is longer than the minutes that a limit allows: no time is offered.")]
        if _too_long(page)
        else [],
    }
    return {section: said for section, said in found.items() if said}


def _no_hours(page: BookingPage, value: PageValue, now: datetime) -> bool:
    hours = hours_of(page, value.everybody, now, now).values()
    return bool(hours) and not any(any(one.weekly) or any(one.overrides.values()) for one in hours)


def _over(page: BookingPage, now: datetime) -> bool:
    return page.period_last is not None and page.period_last < now.astimezone(ZoneInfo(page.time_zone)).date()


def _too_long(page: BookingPage) -> bool:
    """Whether even the shortest length passes a limit by itself."""
    seconds = 60 * min([page.duration_minutes, *page.durations])

    def bars(limit: Limit) -> bool:
        return not limit.allows(1, seconds)

    return any(bars(limit) for whose in ("page", "host", "guest") for limit in from_json(page.limits.get(whose, [])))
