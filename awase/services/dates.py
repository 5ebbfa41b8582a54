"""Dates, times and zones as people write them, in the language in force.

What is kept here follows from the arguments and the language alone: writing the dates of one month takes longer
than finding its free times.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton, format_time, get_day_names, get_timezone_name
from django.utils import translation


def _language() -> str:
    return translation.get_language() or "en"


_chosen: ContextVar[str] = ContextVar("clock", default="")


@contextmanager
def clock_of(choice: str) -> Iterator[None]:
    """Within it times of day are written as somebody chose: "12", "24", or "" as the language has it."""
    before = _chosen.set(choice)
    try:
        yield
    finally:
        _chosen.reset(before)


def clock(at: datetime) -> str:
    """The time of day in the moment's own zone: "9:00", in English "9:00 AM", or as was chosen."""
    return clocks([at])[0]


def clocks(moments: Iterable[datetime]) -> list[str]:
    """`clock` of each."""
    language, chosen = _language(), _chosen.get()
    return [_clock(at.hour, at.minute, language, chosen) for at in moments]


def day_name(day: date) -> str:
    """ "12月4日(金)", "Fri, Dec 4"."""
    return day_names([day])[0]


def day_names(days: Iterable[date]) -> list[str]:
    """`day_name` of each."""
    language = _language()
    return [_date("MMMEd", day.year, day.month, day.day, language) for day in days]


def full_day_name(day: date) -> str:
    """ "2026年12月4日(金)", "Fri, Dec 4, 2026"."""
    return _date("yMMMEd", day.year, day.month, day.day, _language())


def date_name(day: date) -> str:
    """ "12月4日", "Dec 4"."""
    return _date("MMMd", day.year, day.month, day.day, _language())


def moment(at: datetime) -> str:
    """Date and time of day in the moment's own zone: "12月4日(金) 9:00"."""
    return f"{day_name(at.date())} {clock(at)}"


def month_name(day: date) -> str:
    """ "2026年12月", "December 2026"."""
    return _date("yMMMM", day.year, day.month, 1, _language())


@lru_cache(maxsize=4096)
def _date(skeleton: str, year: int, month: int, day: int, language: str) -> str:
    return str(format_skeleton(skeleton, date(year, month, day), locale=language))


@lru_cache(maxsize=6 * 24 * 60)
def _clock(hour: int, minute: int, language: str, chosen: str) -> str:
    skeleton = {"12": "hm", "24": "Hm"}.get(chosen)
    at = datetime(2000, 1, 1, hour, minute, tzinfo=UTC)
    if skeleton:
        text = format_skeleton(skeleton, at, locale=language)
    else:
        text = format_time(time(hour, minute), "short", locale=language)
    return str(text).replace("\u202f", "\u00a0")  # the narrow space before AM is missing in many fonts


def weekday_names() -> tuple[str, ...]:
    """Short names from Monday on."""
    return _weekday_names(_language())


@lru_cache
def _weekday_names(language: str) -> tuple[str, ...]:
    names = get_day_names("abbreviated", locale=language)
    return tuple(str(names[number]) for number in range(7))


def when(start: datetime, end: datetime, zone: str) -> str:
    """Date and times in a zone; the end's date too where it is another one."""
    begins, ends = start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))
    last = clock(ends) if begins.date() == ends.date() else f"{day_name(ends)} {clock(ends)}"
    return f"{full_day_name(begins)} {clock(begins)} – {last}"


def zone_name(zone: str, at: datetime) -> str:
    """The zone as it is called at a moment, and its identifier: "日本標準時 (Asia/Tokyo)"."""
    summer = bool(at.astimezone(ZoneInfo(zone)).dst())
    return f"{_zone_name(zone, summer, _language())} ({zone})"


@lru_cache(maxsize=2048)
def _zone_name(zone: str, summer: bool, language: str) -> str:
    variant: Literal["daylight", "standard"] = "daylight" if summer else "standard"
    return str(get_timezone_name(ZoneInfo(zone), width="long", locale=language, zone_variant=variant))
