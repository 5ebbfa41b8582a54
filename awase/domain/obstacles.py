"""Why is this time not offered? Each reason is found by asking the function that makes the slots about that
one thing alone, so that the answer cannot differ from what is offered. What is wrong with accounts is the
gate's to say. Epoch seconds (UTC) throughout.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from awase.domain.availability import HostTimes, SlotRules, can_meet, is_offered
from awase.domain.health import Group
from awase.domain.intervals import BusyTimes
from awase.domain.limits import ALWAYS, Quota
from awase.domain.schedule import always_open


class Obstacle(StrEnum):
    """What keeps a start from being offered: first what concerns the page, then what concerns a host."""

    NOTICE = "notice"
    PERIOD = "period"
    PAGE_LIMIT = "page_limit"
    GUEST_LIMIT = "guest_limit"
    GRID = "grid"  # enough hosts are free, but starts are counted differently
    HOURS = "hours"
    ABSENCE = "absence"
    UNKNOWN = "unknown"  # busy times not read (yet)
    BUSY = "busy"
    BOOKING = "booking"
    BUFFER = "buffer"  # the bare slot is free, the buffers around it are not
    HOST_LIMIT = "host_limit"


@dataclass(frozen=True, slots=True)
class WhyNot:
    """`page` holds what bars the start for everybody; `hosts` (each as handed in) what bars it for one, empty
    for those who are free."""

    offered: bool
    page: tuple[Obstacle, ...]
    hosts: tuple[tuple[HostTimes, tuple[Obstacle, ...]], ...]


def why_not(rules: SlotRules, groups: Sequence[Group], hosts: Sequence[HostTimes], start: int, now: int) -> WhyNot:
    """Whether a start is offered, and all that stands against it (also beside a session that can be joined)."""
    offered = is_offered(rules, groups, hosts, start, now)
    opens, closes = rules.period_span(now)
    page = [
        obstacle
        for obstacle, stands in (
            (Obstacle.NOTICE, start < rules.earliest(now)),
            (Obstacle.PERIOD, not opens <= start < closes),
            (Obstacle.PAGE_LIMIT, _is_full(rules.page, rules, start)),
            (Obstacle.GUEST_LIMIT, _is_full(rules.guest, rules, start)),
        )
        if stands
    ]
    if not offered and not page and can_meet(rules, groups, hosts, start):
        page = [Obstacle.GRID]
    return WhyNot(offered, tuple(page), tuple((host, _of_host(rules, host, start)) for host in hosts))


def _is_full(quota: Quota, rules: SlotRules, start: int) -> bool:
    return any(first <= start < end for first, end in quota.full(rules.time_zone, rules.duration))


def _of_host(rules: SlotRules, host: HostTimes, start: int) -> tuple[Obstacle, ...]:
    bare = replace(rules, buffer_before=0, buffer_after=0)
    zone_name = host.schedule.time_zone if host.schedule else rules.time_zone
    blank = HostTimes(host.member_id, always_open(zone_name), room=host.room)
    group = [Group((host.member_id,), rooms=host.room)]
    unread = tuple(replace(busy, spans=b"") for busy in host.busy)
    read = tuple(BusyTimes(busy.spans, *ALWAYS, busy.read_at) for busy in host.busy)

    def bars(asked: SlotRules, alone: HostTimes) -> bool:
        return not can_meet(asked, group, [alone], start)

    found = [
        obstacle
        for obstacle, alone in (
            (Obstacle.HOURS, replace(blank, schedule=host.schedule)),
            (Obstacle.ABSENCE, replace(blank, absences=host.absences)),
            (Obstacle.UNKNOWN, replace(blank, busy=unread)),
            (Obstacle.BUSY, replace(blank, busy=read)),
            (Obstacle.BOOKING, replace(blank, own=host.own)),
            (Obstacle.HOST_LIMIT, replace(blank, quota=host.quota)),
        )
        if bars(rules if obstacle is Obstacle.UNKNOWN else bare, alone)
    ]
    if not found and bars(rules, replace(blank, busy=read, own=host.own)):
        found = [Obstacle.BUFFER]
    return tuple(found)
