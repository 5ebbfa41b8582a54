"""The teams that walk through everything: one for each language, with people of every role, in workspaces of their own.

`python -m tests.e2e.walkers FOLDER` writes them into the demo that runs there, and prints their addresses by language,
which `tests/e2e/walk.py` uses. Nobody has an account at a service yet, so nothing waits for one.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.e2e.inside import enter

TEAMS = {
    "ja": (
        "あおば商会",
        {"owner": "青木 葵", "admin": "伊東 樹", "editor": "上田 海", "viewer": "遠藤 笑", "host": "岡 治"},
    ),
    "en": (
        "Birch",
        {"owner": "Ann Ash", "admin": "Bob Bay", "editor": "Cy Cole", "viewer": "Di Dale", "host": "Ed Elm"},
    ),
}


def address(language: str, role: str) -> str:
    """The mail address of whoever has this role in the team of a language."""
    return f"{role}@walk-{language}.example"


def write(now: datetime) -> dict[str, dict[str, Any]]:
    """Both teams, each with a page of the owner on which the host takes part, the editor edits and the viewer views,
    and a booking on it that has begun."""
    from awase.demo.people import PASSWORD
    from awase.models import Booking, BookingPage, HostTime, Location, PageMember, PageShare, Role, User
    from awase.services import accounts, booking, pages
    from awase.services.slots import offer

    made: dict[str, dict[str, Any]] = {}
    for language, (team, names) in TEAMS.items():
        users = {
            role: User.objects.create_user(address(language, role), PASSWORD, name=name) for role, name in names.items()
        }
        owner = accounts.found_workspace(users["owner"], team, f"walk-{language}", language)
        members = {"owner": owner} | {
            role: accounts.add_member(owner.workspace, user, Role.ADMIN if role == "admin" else Role.MEMBER)
            for role, user in users.items()
            if role != "owner"
        }
        page: BookingPage = pages.create(owner, title="Shared", slug="shared", now=now, calendar_required=False)
        PageMember.objects.create(page=page, member=members["host"], position=1)
        PageShare.objects.create(page=page, member=members["editor"], editor=True)
        PageShare.objects.create(page=page, member=members["viewer"])
        Location.objects.create(page=page, kind="in_person", detail="3F")
        pages.saved(page, (), now)
        starts = offer(page, now, now + timedelta(days=14), now).slots.starts
        begun = now - timedelta(minutes=10)

        past, coming = (
            booking.book(
                page,
                booking.Request(
                    start=datetime.fromtimestamp(start, UTC),
                    guest=booking.Guest(name, "guest@walk.example", language=language, time_zone="Asia/Tokyo"),
                ),
                now,
            )
            for name, start in (("Late Guest", starts[0]), ("Coming Guest", starts[4]))
        )
        span = {"start": begun, "end": begun + timedelta(minutes=30)}
        Booking.objects.filter(pk=past.pk).update(**span)
        HostTime.objects.filter(booking=past).update(**span)
        made[language] = {
            "slug": owner.workspace.slug,
            "page": f"/app/pages/{page.pk}",
            "begun": f"/app/bookings/{past.uid}",
            "coming": f"/app/bookings/{coming.uid}",
            "members": {role: member.pk for role, member in members.items()},
            "names": names,
        }
    return made


if __name__ == "__main__":
    enter(Path(sys.argv[1]))
    print(json.dumps(write(datetime.now(UTC))))
