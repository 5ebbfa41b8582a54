"""The days of a month and the times of a day, as HTML.

They are most of every page that guests see. The nodes of a template would need longer to write them than it takes
to find out which times are free; so they are written here, and everything around them in `public/page.html`.
Whatever could hold a character of HTML is escaped: addresses once, for all that begin alike, and texts.
"""

from calendar import Calendar
from collections.abc import Mapping
from datetime import date
from html import escape
from urllib.parse import quote

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from awase.domain.intervals import moment
from awase.web import guest


def cells_of(month: date, free: Mapping[date, str], address: str, chosen: date | None, today: date) -> list[SafeString]:
    """The rows of a month's table. `free`: how each day that has free times is called; `address`: what stands
    before the day in its link, which leads on to the times: on a phone they stand below the month."""
    address, label = escape(address), escape(_("%(day)s, times available"))

    def cell(day: date) -> str:
        if day.month != month.month:
            return "<td></td>"
        number, mark = day.day, ' class="today"' if day == today else ""
        if day not in free:
            return f"<td><span{mark}>{number}</span></td>"
        if day == chosen:
            mark += ' aria-current="date"'
        name = label % {"day": escape(free[day])}
        return f'<td><a id="day-{number}" href="{address}{day}#times"{mark} aria-label="{name}">{number}</a></td>'

    weeks = Calendar().monthdatescalendar(month.year, month.month)
    return [SafeString("".join([cell(day) for day in week])) for week in weeks]


def items_of(times: Mapping[int, str], address: str) -> SafeString:
    """The items of a list of times. `times`: how each start (epoch seconds) is called; `address`: what stands before
    the start in its link."""
    address = escape(address)
    return SafeString(
        "".join(
            f'<li><a class="slot" href="{address}{quote(guest.start_text(moment(start)))}"'
            f' hx-boost="false">{escape(name)}</a></li>'
            for start, name in times.items()
        )
    )
