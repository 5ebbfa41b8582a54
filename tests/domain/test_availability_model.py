"""The slots equal those of a naive minute-by-minute model, whatever the rules, zones, dates and machine."""

import os
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from awase.domain.availability import HostTimes, Period, Session, SlotRules, is_offered, slots
from awase.domain.health import Group
from awase.domain.intervals import BusyTimes, epoch, moment
from awase.domain.limits import Limit, Per, Quota
from awase.domain.obstacles import why_not
from awase.domain.schedule import Range, Schedule
from bench import slots as bench
from tests.domain.naive_slots import Naive, naive_days

# Dates on which something happens to the clocks, and some on which nothing does.
SCENES = [
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Europe/London", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("America/Santiago", date(2026, 4, 5)),
    ("America/Havana", date(2026, 11, 1)),
    ("Pacific/Chatham", date(2026, 9, 27)),
    ("Africa/Casablanca", date(2026, 3, 22)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Asia/Tokyo", date(2027, 1, 1)),
    ("Asia/Kathmandu", date(2028, 2, 29)),
]
MACHINE_ZONES = ["UTC", "America/New_York", "Pacific/Apia", "Asia/Kathmandu"]


@contextmanager
def machine_zone(name):
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def seldom(strategy, default, *, one_in=5):
    """Mostly the default: a question in which everything restricts has no answer but the empty one."""
    return st.integers(1, one_in).flatmap(lambda n: strategy if n == 1 else st.just(default))


@st.composite
def day_hours(draw):
    hours = []
    reach = 0
    for _ in range(draw(st.sampled_from([2, 1, 3, 0]))):
        start = reach + draw(st.sampled_from([0, 30, 65, 130, 540]))
        end = start + draw(st.sampled_from([480, 60, 45, 125, 1440]))
        if start >= 1440:
            break
        hours.append(Range(start, end))
        reach = end
    return tuple(hours)


@st.composite
def schedules(draw, zone, day):
    near = st.integers(-2, 2).map(lambda days: day + timedelta(days=days))
    usual = draw(day_hours())
    return Schedule(
        draw(seldom(st.sampled_from(["Asia/Tokyo", "America/St_Johns"]), zone)),
        tuple(draw(st.sampled_from([usual, usual, draw(day_hours())])) for _ in range(7)),
        draw(seldom(st.dictionaries(near, day_hours(), max_size=2), {})),
        frozenset(draw(st.lists(near, max_size=1))),
        draw(st.booleans()),
    )


def spans(middle, *, reach=60, longest=40):
    """Spans of whole five minutes around a moment."""
    return st.tuples(st.integers(-reach * 12, reach * 12), st.integers(1, longest)).map(
        lambda pair: (middle + pair[0] * 300, middle + (pair[0] + pair[1]) * 300)
    )


def quotas(middle):
    limits = st.builds(
        Limit,
        st.sampled_from(Per),
        bookings=st.none() | st.integers(0, 3),
        minutes=st.none() | st.sampled_from([20, 90, 240]),
    )
    bookings = st.lists(spans(middle, reach=200, longest=12), max_size=4)
    return seldom(st.builds(Quota, st.lists(limits, max_size=2).map(tuple), bookings.map(tuple)), Quota())


@st.composite
def busy_times(draw, middle):
    taken = draw(st.lists(spans(middle, longest=20), max_size=5))
    hours = seldom(st.integers(-40, 40), 400, one_in=8)
    first, last = middle - draw(hours) * 3600, middle + draw(hours) * 3600
    return BusyTimes.of(
        [(moment(a), moment(b)) for a, b in taken],
        covered=(moment(first), moment(last)),
        read_at=moment(middle),
    )


@st.composite
def questions(draw):
    zone, day = draw(st.sampled_from(SCENES))
    middle = epoch(datetime(day.year, day.month, day.day, 6, tzinfo=UTC))
    near = st.integers(-2, 2).map(lambda days: day + timedelta(days=days))
    shared = draw(schedules(zone, day))
    hosts = [
        HostTimes(
            member_id,
            draw(st.sampled_from([shared, shared, shared, draw(schedules(zone, day)), None])),
            tuple(draw(st.lists(busy_times(middle), max_size=2))),
            tuple(draw(st.lists(spans(middle, longest=20), max_size=3))),
            tuple((first, max(first, draw(near))) for first in draw(seldom(st.lists(near, max_size=2), []))),
            draw(quotas(middle)),
        )
        for member_id in range(1, draw(st.integers(1, 4)) + 1)
    ]
    ids = [host.member_id for host in hosts]
    rooms = [
        HostTimes(7 + n, None, tuple(draw(st.lists(busy_times(middle), max_size=1))), room=True)
        for n in range(draw(st.integers(0, 2)))
    ]
    groups = draw(
        st.sampled_from(
            [
                [Group(tuple(ids))],
                [Group(tuple(ids), 1)],
                [Group(tuple(ids), min(2, len(ids)))],
                [Group(tuple(ids[:1])), Group(tuple(ids[1:]) or (1,), 1)],
                [Group(tuple(ids[:3]), 1), Group(tuple(ids[1:]) or (1,), 1)],
                [Group(tuple(ids[:2]), 1), Group(tuple(ids), min(2, len(ids)))],
                draw(st.sampled_from([[Group((*ids, 99), 1)], [Group((*ids, 99))], [Group(())], []])),
            ]
        )
    )
    if rooms:
        groups = [*groups, Group(tuple(room.member_id for room in rooms), draw(st.sampled_from([1, None])), True)]
    duration = draw(st.sampled_from([5, 20, 30, 60, 95, 180]))
    starts = spans(middle, longest=1).map(lambda pair: pair[0])
    rules = SlotRules(
        duration,
        draw(st.sampled_from([15, 20, 30, 45, 60])),
        draw(st.sampled_from([zone, "Asia/Tokyo", "America/St_Johns"])),
        draw(st.sampled_from([0, 0, 5, 30])),
        draw(st.sampled_from([0, 0, 10, 45])),
        draw(seldom(st.sampled_from([90, 1440, 2000]), 0)),
        draw(st.booleans()),
        draw(seldom(st.builds(Period, st.none() | near, st.none() | near, st.none() | st.integers(0, 3)), Period())),
        draw(quotas(middle)),
        draw(quotas(middle)),
        tuple(
            Session(start, start + draw(st.sampled_from([duration, 55])) * 60, tuple(ids[:1]), draw(st.integers(0, 1)))
            for start in draw(st.lists(starts, max_size=2, unique=True))
        ),
    )
    window = middle - draw(st.integers(0, 30)) * 3600, middle + draw(st.integers(1, 40)) * 3600
    now = middle - draw(seldom(st.integers(-3, 60), 100)) * 3600 - draw(st.sampled_from([0, 1260]))
    return rules, groups, [*hosts, *rooms], *window, now


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(questions(), st.sampled_from(MACHINE_ZONES), st.data())
def test_slots_equal_the_naive_model(question, machine, data):
    with machine_zone(machine):
        found = slots(*question)
        answer = {start: (found.free(start), found.free_rooms(start)) for start in found.starts}
    assert answer == Naive(*question).answer()
    assert found.starts == sorted(set(found.starts))

    rules, groups, hosts, start, end, now = question
    zone = data.draw(st.sampled_from([zone for zone, _ in SCENES]))
    assert found.by_day(zone) == naive_days(found.starts, zone)
    # One start alone gives the same answer as the list, and the reasons agree with it.
    one = data.draw(st.sampled_from(found.starts) if found.starts else st.just(start))
    for at in (one, one + 60 * data.draw(st.integers(1, 90))):
        if start <= at <= end - rules.duration:
            offered = at in found
            assert is_offered(rules, groups, hosts, at, now) is offered
            why = why_not(rules, groups, hosts, at, now)
            assert why.offered is offered
            assert offered or why.page or any(obstacles for _, obstacles in why.hosts) or _cannot_be_filled(groups)


def _cannot_be_filled(groups):
    """These groups lack somebody whoever is free."""
    ids = {id for group in groups if not group.rooms for id in group.ids}
    people = [group for group in groups if not group.rooms]
    return (
        not people
        or not ids
        or 99 in ids
        or sum(len(g.ids) if g.needed is None else g.needed for g in people) > len(ids)
    )


def test_the_benchmark_workload_equals_the_naive_model():
    start, end, now = epoch(bench.START), epoch(bench.END), epoch(bench.NOW)
    rules = SlotRules(30, 15, bench.HOST_ZONE)
    for mode, count in (("all", 1), ("all", 10), ("any", 10)):
        hosts = bench.stored_hosts(count)
        groups = [Group(tuple(range(count)), None if mode == "all" else 1)]
        found = slots(rules, groups, hosts, start, end, now)
        # The model multiplies ranges out; equal schedules of several hosts say no more than one of them.
        naive = Naive(rules, groups, hosts, start, end, now)
        naive.ranges = {who: ranges for who, ranges in naive.ranges.items() if who == (False, 0)}
        answer = naive.answer()
        assert {at: (found.free(at), ()) for at in found.starts} == answer
        assert (len(answer), bench.digest(sorted(answer))) == bench.ANSWERS[mode, count]
