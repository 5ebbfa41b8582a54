"""The inside of `bench.host`, in the process of one instance: every list of the dashboard in a large workspace.

`python -m bench.screens MEMBERS PAGES BOOKINGS`; prints the rows as JSON.
"""

import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext, override_settings  # noqa: E402

from awase.models import Booking, BookingPage, Member, User, WeeklySchedule  # noqa: E402
from awase.services import accounts  # noqa: E402
from bench.crowd import fill  # noqa: E402
from bench.report import Row  # noqa: E402

ROUNDS = 7


def screens(owner: Member) -> dict[str, str]:
    """The addresses of the screens that show many people, pages or bookings; as the owner of the workspace, who
    sees all of them."""
    page = BookingPage.objects.filter(workspace=owner.workspace).order_by("pk")[0]
    booking = Booking.objects.filter(page=page, is_session=False).order_by("pk")[0]
    member = Member.objects.filter(workspace=owner.workspace).order_by("pk")[1]
    schedule = WeeklySchedule.objects.filter(member=owner).order_by("pk")[0]
    return {
        "home": "/app/",
        "booking pages": "/app/pages",
        "page editor": f"/app/pages/{page.pk}",
        "page history": f"/app/pages/{page.pk}/history",
        "why is this time not offered": f"/app/pages/{page.pk}/why",
        "bookings": "/app/bookings",
        "bookings of the past": "/app/bookings?tab=past",
        "bookings, a week": "/app/bookings/calendar?view=week",
        "bookings, a month": "/app/bookings/calendar?view=month",
        "booking": f"/app/bookings/{booking.uid}",
        "guests": "/app/guests",
        "schedules": "/app/schedules",
        "schedule": f"/app/schedules/{schedule.pk}",
        "connections": "/app/connections",
        "connections of one service": "/app/connections/google",
        "insights": "/app/insights",
        "team": "/app/team",
        "leaving the team": f"/app/team/{member.pk}/leave?heir={owner.pk}",
    }


def queries_of(client: Client, address: str) -> int:
    """How many queries the screen takes once what is remembered for a while is remembered. Raises SystemExit if it
    does not open."""
    for _turn in range(2):
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(address)
        if answer.status_code != 200:
            raise SystemExit(f"{address} answered {answer.status_code}")
    return len(asked)


def measure(members: int, pages: int, bookings: int) -> Iterator[Row]:
    """A row for each screen: the quietest of some requests, as time of the processor and by the clock."""
    owner = accounts.found_workspace(User.objects.create_user("owner@crowd.example", name="佐藤 葵"), slug="crowd")
    fill(owner, members, pages, bookings, datetime.now(UTC))
    client = Client()
    client.force_login(owner.user)
    for name, address in screens(owner).items():
        queries = queries_of(client, address)
        turns = []
        for _turn in range(ROUNDS):
            at, worked = time.perf_counter(), time.process_time()
            answer = client.get(address)
            turns.append((time.process_time() - worked, time.perf_counter() - at))
        cpu, wall = (1000 * min(turn) for turn in zip(*turns, strict=True))
        yield {
            "screen": name,
            "members": members,
            "pages": pages,
            "bookings": bookings,
            "queries": queries,
            "cpu_ms": round(cpu, 1),
            "ms": round(wall, 1),
            "kb": round(len(answer.content) / 1000),
        }


if __name__ == "__main__":
    with override_settings(ALLOWED_HOSTS=["*"]):
        print(json.dumps(list(measure(*map(int, sys.argv[1:])))))
