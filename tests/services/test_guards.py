"""The database's own refusal of overlapping time, behind everything that the code above it does."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction

from awase.models import Booking, BookingPage, HostTime, Member
from awase.models.guards import OVERLAP, install_guards

NINE = datetime(2026, 12, 1, 0, 0, tzinfo=UTC)


def taken(page: BookingPage, member: Member, hour: int, minutes: int = 60, *, active: bool = True) -> HostTime:
    """One row of a member's time, of a booking of its own."""
    start = NINE + timedelta(hours=hour)
    end = start + timedelta(minutes=minutes)
    booking = Booking.objects.create(
        workspace=page.workspace, page=page, start=start, end=end, title="Meet", created_at=NINE
    )
    return HostTime.objects.create(booking=booking, member=member, start=start, end=end, active=active)


@pytest.fixture
def page(owner: Member, page_of: Callable[..., BookingPage]) -> BookingPage:
    return page_of(owner)


@pytest.mark.django_db
def test_overlapping_time_of_one_host_is_refused_by_insert_and_by_update(page: Any, owner: Any) -> None:
    taken(page, owner, 0)
    with pytest.raises(IntegrityError, match=OVERLAP), transaction.atomic():
        taken(page, owner, 0, 30)
    later = taken(page, owner, 2)
    with pytest.raises(IntegrityError, match=OVERLAP), transaction.atomic():
        HostTime.objects.filter(pk=later.pk).update(start=NINE + timedelta(minutes=59))
    cancelled = taken(page, owner, 0, active=False)
    with pytest.raises(IntegrityError, match=OVERLAP), transaction.atomic():
        HostTime.objects.filter(pk=cancelled.pk).update(active=True)


@pytest.mark.django_db
def test_time_that_touches_or_was_given_back_or_is_another_hosts_is_free(page: Any, owner: Any, teammate: Any) -> None:
    first = taken(page, owner, 0)
    taken(page, owner, 1)
    taken(page, owner, 0, active=False)
    taken(page, teammate, 0)
    HostTime.objects.filter(pk=first.pk).update(active=False)
    taken(page, owner, 0)


@pytest.mark.django_db(transaction=True)
def test_a_table_that_was_altered_still_refuses_after_the_migration(page: Any, owner: Any) -> None:
    taken(page, owner, 0)
    before = HostTime._meta.get_field("active")
    after = models.BooleanField(default=True, null=True)
    after.set_attributes_from_name("active")
    after.model = HostTime
    for old, new in ((before, after), (after, before)):  # SQLite makes the table anew each time
        with connection.schema_editor() as editor:
            editor.alter_field(HostTime, old, new)
    call_command("migrate", verbosity=0)
    with pytest.raises(IntegrityError, match=OVERLAP), transaction.atomic():
        taken(page, owner, 0)


@pytest.mark.django_db
def test_the_guards_may_be_installed_again(page: Any, owner: Any) -> None:
    install_guards()
    taken(page, owner, 0)
    with pytest.raises(IntegrityError, match=OVERLAP), transaction.atomic():
        taken(page, owner, 0)
