"""Moments, zones and simple recurrence, for both calendar services."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MOST_OCCURRENCES = 5000


def zone(name: str) -> ZoneInfo:
    """An IANA zone; raises ValueError for an unknown name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError) as error:
        raise ValueError(f"unknown time zone {name!r}") from error


def moment(text: str, zone_name: str = "") -> datetime:
    """An RFC 3339 moment as aware UTC; without an offset it is local to `zone_name`.
    Raises ValueError where neither says which."""
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        if not zone_name:
            raise ValueError("neither an offset nor a time zone")
        value = value.replace(tzinfo=zone(zone_name))
    return value.astimezone(UTC)


def midnight(day: str, zone_name: str) -> datetime:
    """The start of a day in a zone, as aware UTC."""
    return datetime.combine(date.fromisoformat(day), time(), zone(zone_name)).astimezone(UTC)


def utc_text(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Rule:
    """A daily or weekly rule. `until` is aware UTC and inclusive."""

    frequency: str
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    days: tuple[int, ...] = ()


def parse_rule(lines: list[str], zone_name: str) -> Rule | None:
    """The first RRULE among iCalendar lines; None if there is none. A last day is a day of the zone.
    Raises ValueError for anything but daily and weekly rules."""
    for line in lines:
        if not line.startswith("RRULE:"):
            continue
        parts = dict(part.split("=", 1) for part in line[6:].split(";") if "=" in part)
        frequency = parts.get("FREQ", "")
        if frequency not in ("DAILY", "WEEKLY"):
            raise ValueError(f"recurrence {frequency!r} is not supported here")
        until = parts.get("UNTIL")
        return Rule(
            frequency,
            int(parts.get("INTERVAL", "1")),
            int(parts["COUNT"]) if "COUNT" in parts else None,
            _until(until, zone_name) if until else None,
            tuple(WEEKDAYS.index(day) for day in parts.get("BYDAY", "").split(",") if day),
        )
    return None


def _until(text: str, zone_name: str) -> datetime:
    if re.fullmatch(r"\d{8}", text):
        return midnight(text, zone_name) + timedelta(days=1, seconds=-1)
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def occurrences(first: datetime, zone_name: str, rule: Rule, before: datetime) -> Iterator[datetime]:
    """The starts of a series (aware UTC) before a moment; the wall-clock time stays the same in its zone."""
    local = first.astimezone(zone(zone_name))
    days = rule.days or (local.weekday(),)
    made = 0
    for step in range(MOST_OCCURRENCES):
        day = local.date() + timedelta(days=step)
        if rule.frequency == "DAILY":
            fits = step % rule.interval == 0 and (not rule.days or day.weekday() in rule.days)
        else:
            weeks = (day - (local.date() - timedelta(days=local.weekday()))).days // 7
            fits = weeks % rule.interval == 0 and day.weekday() in days
        if not fits:
            continue
        start = datetime.combine(day, local.timetz()).astimezone(UTC)
        made += 1
        if start >= before or (rule.until and start > rule.until) or (rule.count and made > rule.count):
            return
        yield start
