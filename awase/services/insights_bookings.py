"""What was booked: how much over time, on which page, with whom, how long ahead, what came of it, and how evenly the
bookings of automatic assignment fell. Of the last days, counted by when they were made; of sessions, each seat."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet

from awase.domain.assignment import Mode
from awase.domain.history import DAYS, first_moment
from awase.models import Booking, BookingChange, BookingPage, BookingState, Condition, HostTime, Member, PageMember
from awase.models.page import Assignment
from awase.services.fairness import counted

AHEAD = (1, 2, 4, 8, 15, 31)  # ends of the stretches of lead time, in days; the last one is open

MOST_FAIRNESS = 5  # pages of which it is told how evenly their bookings fell


@dataclass(frozen=True, slots=True)
class Share:
    """One member under automatic assignment: bookings taken, what went past them while they were away or not there
    yet, and the part of all that is theirs by weight (0 to 1)."""

    member_id: int
    name: str
    taken: int
    passed: float
    due: float


@dataclass(frozen=True, slots=True)
class BookingMeasures:
    """`by_day`: each date of the viewer's zone → bookings made. `lead_days`: for each stretch of `AHEAD`, and what is
    longer, how many. `ended`: cancelled by the guest and by the host, declined, lapsed. `missed`: no-shows among those
    that took place. `fairness`: of the pages with automatic assignment on which most was booked."""

    by_day: Mapping[date, int]
    by_page: Sequence[tuple[BookingPage, int]]
    by_host: Sequence[tuple[str, int]]
    lead_days: Sequence[int]
    median_lead: timedelta | None
    total: int
    ended: Mapping[str, int]
    held: int
    missed: int
    fairness: Sequence[tuple[BookingPage, Sequence[Share]]]


def measure(
    pages: Sequence[BookingPage], found: QuerySet[Booking], now: datetime, time_zone: str, days: int = DAYS
) -> BookingMeasures:
    """The measures of these bookings, made in the last `days` dates of a zone, today included; in a constant number
    of queries."""
    start, there = first_moment(now, time_zone, days), ZoneInfo(time_zone)
    made = found.filter(created_at__gte=start).order_by()
    rows = list(made.values_list("pk", "page", "state", "created_at", "start", "session"))
    today = now.astimezone(there).date()
    by_day = Counter({today - timedelta(days=number): 0 for number in reversed(range(days))})
    by_day.update(created.astimezone(there).date() for _pk, _page, _state, created, *_ in rows)
    leads = sorted(begins - created for _pk, _page, _state, created, begins, _session in rows)
    known = {page.pk: page for page in pages}
    of_pages = Counter(row[1] for row in rows)
    by_page = [(known[pk], count) for pk, count in of_pages.most_common() if pk in known]
    return BookingMeasures(
        by_day=by_day,
        by_page=by_page,
        by_host=_by_host([row[5] or row[0] for row in rows if row[2] == BookingState.CONFIRMED]),
        lead_days=_stretches(leads),
        median_lead=leads[len(leads) // 2] if leads else None,
        total=len(rows),
        ended=_ended(made, Counter(row[2] for row in rows)),
        **made.filter(state=BookingState.CONFIRMED).aggregate(
            held=Count("pk", filter=Q(end__lte=now)), missed=Count("no_show_at")
        ),
        fairness=_fairness([page for page, _count in by_page], start),
    )


def _stretches(leads: Iterable[timedelta]) -> list[int]:
    found = [0] * (len(AHEAD) + 1)
    for lead in leads:
        found[next((place for place, days in enumerate(AHEAD) if lead < timedelta(days=days)), len(AHEAD))] += 1
    return found


def _by_host(carriers: Sequence[int]) -> list[tuple[str, int]]:
    """How many of these bookings each member hosts; a seat counts for the hosts of its session."""
    weight = Counter(carriers)
    hosts: Counter[int] = Counter()
    rows = HostTime.objects.filter(booking__in=weight, active=True)
    for booking, member in rows.values_list("booking", "member"):
        hosts[member] += weight[booking]
    # By number, since two members may have the same name.
    names = {member.pk: member.name for member in Member.objects.filter(pk__in=hosts).select_related("user")}
    return [(names[pk], count) for pk, count in hosts.most_common()]


def _ended(made: QuerySet[Booking], by_state: Mapping[str, int]) -> dict[str, int]:
    by_guest = BookingChange.objects.filter(booking__in=made.values("pk"), what="cancelled_by_guest").count()
    cancelled = by_state[BookingState.CANCELLED]
    return {
        "guest": min(by_guest, cancelled),
        "host": max(cancelled - by_guest, 0),
        "declined": by_state[BookingState.DECLINED],
        "lapsed": by_state[BookingState.EXPIRED],
    }


def _fairness(pages: Sequence[BookingPage], start: datetime) -> list[tuple[BookingPage, Sequence[Share]]]:
    """How the bookings of each page with automatic assignment fell among its members; in two queries."""
    by_turns = [page for page in pages if page.condition != Condition.ALL and page.assignment != Assignment.GUEST][
        :MOST_FAIRNESS
    ]
    links: dict[int, list[PageMember]] = defaultdict(list)
    for link in PageMember.objects.filter(page__in=by_turns).select_related("member__user"):
        links[link.page_id].append(link)
    given: dict[int, list[tuple[int, datetime, list[int]]]] = defaultdict(list)
    rows = HostTime.objects.filter(booking__page__in=by_turns, active=True, booking__created_at__gt=start)
    for page, *booked in rows.values_list("booking__page", "member", "booking__created_at", "booking__away"):
        given[page].append(tuple(booked))
    return [
        (page, _shares(links[page.pk], given[page.pk], Mode(page.assignment)))
        for page in by_turns
        if len(links[page.pk]) > 1
    ]


def _shares(links: Sequence[PageMember], given: Sequence[tuple[int, datetime, list[int]]], mode: Mode) -> list[Share]:
    taken = Counter(member for member, _made, _away in given)
    counts = counted(given, links, mode)
    weights = sum(link.weight for link in links)
    return [
        Share(
            member_id=link.member_id,
            name=link.member.name,
            taken=taken[link.member_id],
            passed=max(float(counts.get(link.member_id, 0)) - taken[link.member_id], 0.0),
            due=link.weight / weights,
        )
        for link in links
    ]
