"""The part of 分析 on bookings: plots of our own, each with the same in a table behind it."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from awase.models import BookingPage, Member
from awase.services import dates
from awase.services.dashboard import visible_bookings
from awase.services.insights_bookings import AHEAD, BookingMeasures, Share, measure
from awase.web.shell import Context, utcnow

MOST_BARS = 15


def bookings_part(member: Member, pages: Sequence[BookingPage]) -> Context:
    """See templates/dashboard/_insights_bookings.html."""
    found = measure(pages, visible_bookings(member), utcnow(), member.user.time_zone)
    cancelled = found.ended["guest"] + found.ended["host"]
    return {
        "total": found.total,
        "tiles": [
            {"label": _("Bookings made"), "value": str(found.total)},
            {"label": _("Booked ahead (median)"), "value": _lead(found.median_lead)},
            {"label": _("Cancelled"), "value": _part(cancelled, found.total)},
            {"label": _("Did not come"), "value": _part(found.missed, found.held)},
        ],
        "columns": _columns(found),
        "bars": [
            _bars(_("By booking page"), [(page.title, count) for page, count in found.by_page]),
            _bars(_("By host"), found.by_host),
            _bars(_("How long ahead"), list(zip(_stretch_names(), found.lead_days, strict=True)), ordered=True),
            _bars(_("Cancelled, declined, lapsed"), _endings(found), ordered=True),
        ],
        "fairness": [
            {"title": page.title, "bars": rows[:MOST_BARS], "rows": rows}
            for page, shares in found.fairness
            for rows in [_shares(shares)]
        ],
    }


def _part(count: int, total: int) -> str:
    if not total:
        return "–"
    return _("%(count)d (%(percent)d%%)") % {"count": count, "percent": round(100 * count / total)}


def _lead(lead: timedelta | None) -> str:
    if lead is None:
        return "–"
    if lead < timedelta(days=1):
        hours = round(lead / timedelta(hours=1))
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    days = round(lead / timedelta(days=1))
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


def _columns(found: BookingMeasures) -> Context:
    """Bookings by day as columns: heights in tenths of the tallest, and the days with bookings as a table."""
    most = max(found.by_day.values(), default=0)
    days = sorted(found.by_day.items())
    return {
        "most": str(most) if most else "",
        "first": dates.date_name(days[0][0]),
        "bars": [
            {
                "x": place,
                "y": round(20 - 20 * count / most, 2),
                "height": round(20 * count / most, 2),
                "title": f"{dates.date_name(day)}: {count}",
            }
            for place, (day, count) in enumerate(days)
            if count
        ],
        "rows": [{"label": dates.day_name(day), "value": count} for day, count in reversed(days) if count],
    }


def _bars(heading: str, counts: Sequence[tuple[str, int]], *, ordered: bool = False) -> Context:
    """Counts as bars with their numbers beside them. `ordered`: they have an order of their own and all are shown."""
    longest = max((count for _label, count in counts), default=0)
    shown = counts if ordered else counts[:MOST_BARS]
    return {
        "heading": heading,
        "rows": [{"label": label, "value": count, "width": round(100 * count / longest, 1)} for label, count in shown]
        if longest
        else [],
        "rest": [{"label": label, "value": count} for label, count in counts[len(shown) :]],
    }


def _stretch_names() -> list[str]:
    """The stretches of lead time in words."""
    names = [_("on the same day or within 24 hours")]
    for begin, end in pairwise(AHEAD):
        last = end - 1
        if begin == last:
            names.append(ngettext("%(count)d day", "%(count)d days", begin) % {"count": begin})
        else:
            names.append(_("%(first)d to %(last)d days") % {"first": begin, "last": last})
    return [*names, _("more than %(days)d days") % {"days": AHEAD[-1] - 1}]


def _endings(found: BookingMeasures) -> list[tuple[str, int]]:
    labels = {
        "guest": _("Cancelled by the guest"),
        "host": _("Cancelled by the host"),
        "declined": _("Declined"),
        "lapsed": _("Lapsed without an answer"),
    }
    return [(label, found.ended[name]) for name, label in labels.items()]


def _shares(shares: Sequence[Share]) -> list[Context]:
    """One row for each member: what they took as a bar, what is due to them as a mark on it; of many members those
    first who are furthest from it."""
    total = sum(share.taken for share in shares)
    if len(shares) > MOST_BARS:
        shares = sorted(shares, key=lambda share: -abs(share.taken + share.passed - share.due * total))
    most = max([max(share.taken, share.due * total) for share in shares]) or 1
    return [
        {
            "name": share.name,
            "taken": share.taken,
            "due": f"{share.due * total:.1f}",
            "passed": f"{share.passed:.1f}",
            "width": round(100 * share.taken / most, 1),
            "mark": round(min(100 * share.due * total / most, 99.0), 1),
        }
        for share in shares
    ]
