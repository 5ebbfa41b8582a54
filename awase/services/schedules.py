"""Weekly hours: which pages use them, and saving what was typed."""

from django.db.models import Q

from awase.domain.schedule import Schedule, parse_range, to_json
from awase.models import BookingPage, WeeklySchedule

Typed = list[list[tuple[str, str]]]


def used_by(row: WeeklySchedule) -> list[BookingPage]:
    """The pages on which these hours count."""
    chosen = Q(page_members__schedule=row)
    if row.is_default:
        chosen |= Q(page_members__member=row.member_id, page_members__schedule=None)
    return list(BookingPage.objects.filter(chosen).distinct().order_by("title"))


def save_week(row: WeeklySchedule, typed: Typed) -> list[int]:
    """Keep seven days of (start, end) texts like ("09:00", "17:00"); returns the numbers of the days that cannot
    be read (0 is Monday), and then keeps nothing."""
    weekly, wrong = [], []
    for number, pairs in enumerate(typed):
        try:
            ranges = tuple(sorted(parse_range(f"{start}-{end}") for start, end in pairs))
            Schedule(row.time_zone, tuple(ranges if day == number else () for day in range(7)))
        except ValueError:
            wrong.append(number)
        else:
            weekly.append(ranges)
    if not wrong:
        row.weekly, _overrides = to_json(Schedule(row.time_zone, tuple(weekly)))
        row.save(update_fields=["weekly"])
    return wrong
