"""A small office whose accounts break in every known way, seen from both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail

from awase.domain.errors import Reason
from awase.domain.health import Service, Standing
from awase.models import BookingPage, Calendar, Credential, Member
from awase.services import checks
from awase.services.health import standing_of
from awase.services.signals import Cause
from awase.services.slots import offer
from tests.campaign import world as campaign
from tests.campaign.world import World
from tests.services.conftest import (
    Control,
    book,
    connect,
    control,
    free_start,
    page_of,
    radicale_behind_proxy,
    utcnow,
    work,
)
from tests.web.conftest import Guest, guest, page, team, text_of

__all__ = [
    "book",
    "connect",
    "control",
    "free_start",
    "guest",
    "page",
    "page_of",
    "radicale_behind_proxy",
    "team",
    "work",
]

STOPPED = "現在、予約の受付を停止しています"


def credential_of(member: Member, service: Service = Service.GOOGLE) -> Credential:
    return Credential.objects.get(connections__member=member, service=service)


def check(member: Member, service: Service = Service.GOOGLE, now: datetime | None = None) -> None:
    """What the periodic check does."""
    checks.check(credential_of(member, service).pk, Cause.CHECK, now or utcnow())


def state(
    member: Member, service: Service = Service.GOOGLE, now: datetime | None = None
) -> tuple[Standing, Reason | None]:
    return standing_of(credential_of(member, service), now or utcnow())


def starts(page: BookingPage, now: datetime | None = None) -> list[datetime]:
    """What the page offers within ten days."""
    now = now or utcnow()
    found = offer(BookingPage.objects.get(pk=page.pk), now, now + timedelta(days=10), now).slots.starts
    return [datetime.fromtimestamp(start, UTC) for start in found]


def closed_to_guests(page: BookingPage) -> bool:
    """What a guest reads on the page itself."""
    return STOPPED in text_of(Guest().get(f"/{page.workspace.slug}/{page.slug}"))


def mailed() -> set[str]:
    return {message.to[0] for message in mail.outbox}


def override(control: Control, service: Service, member: Member, operation: str, status: int, **more: Any) -> None:
    """A raw answer of the service to one kind of call."""
    path = f"accounts/{service.value}/{member.user.email}/override"
    control.post(path, **{"operation": operation, "status": status, "body": "", **more})


def seed(
    control: Control, member: Member, start: datetime, *, service: str = "google", calendar: str = "primary"
) -> None:
    """An appointment of an hour that the member made elsewhere."""
    control.post(
        f"accounts/{service}/{member.user.email}/calendars/{calendar}/events",
        title="Private",
        start=start.isoformat(),
        end=(start + timedelta(hours=1)).isoformat(),
    )


@pytest.fixture
def second_calendar(control: Control, connect: Any, owner: Any) -> Calendar:
    """The owner's Google account with two calendars that are both checked for conflicts."""
    control.post("accounts", service="google", email=owner.user.email, name=owner.name)
    control.post(f"accounts/google/{owner.user.email}/calendars", id="second@group.calendar.google.com", name="Second")
    link = connect(owner, Service.GOOGLE)
    Calendar.objects.filter(connection=link).update(checked=True)
    checks.check(link.credential_id, Cause.EDIT, utcnow())
    owner.refresh_from_db()
    found: Calendar = link.calendars.get(name="Second")
    return found


@pytest.fixture
def world(django_db_blocker: Any, new_database: Callable[[Path], str], tmp_path: Path) -> Iterator[World]:
    """Several processes' worth of threads on a database of its own."""
    with django_db_blocker.unblock(), campaign.world(new_database(tmp_path)) as found:
        found.restore()
        yield found
