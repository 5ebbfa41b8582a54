"""A booking that is handed over and handed back before the worker came to it."""

from typing import Any

import pytest

from awase.domain.health import LocationKind, Service
from awase.models import Condition, Effect, EffectState
from awase.services import moving
from awase.services.hosts import hosts_of
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", [LocationKind.ZOOM, LocationKind.TEAMS])
def test_a_booking_that_came_back_to_its_host_has_its_link_again_and_one_meeting(
    owner: Any,
    teammate: Any,
    connect: Any,
    page_of: Any,
    free_start: Any,
    book: Any,
    work: Any,
    control: Control,
    kind: LocationKind,
) -> None:
    for member in (owner, teammate):
        connect(member, Service.GOOGLE)
        connect(member, Service(kind.value))
        member.refresh_from_db()
    page = page_of(owner, teammate, condition=Condition.ANY, locations=(kind,))
    taken = book(page, free_start(page))
    work()
    taken.refresh_from_db()
    (first,) = hosts_of(taken)
    other = teammate if first == owner else owner
    assert taken.join_url
    taken = moving.reassign(taken, other.pk, utcnow(), by=owner)
    taken = moving.reassign(taken, first.pk, utcnow(), by=owner)
    work()
    taken.refresh_from_db()
    assert taken.join_url, "the guest has to get in"
    meetings = [control.account(kind.value, member.user.email)["meetings"] for member in (first, other)]
    assert [len(found) for found in meetings] == [1, 0]
    assert not Effect.objects.exclude(state=EffectState.DONE).exists()
