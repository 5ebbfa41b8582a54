"""A Meet link that the account may not make: the booking waits with a reason that people can read."""

from typing import Any

import pytest

from awase.domain.errors import Reason
from awase.domain.health import LocationKind, Service
from awase.models import Effect, EffectKind, EffectState
from awase.services import connections
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("fault", ["no_licence", "meet_failed"])
def test_the_event_waits_for_the_licence_and_is_resumed_by_check_now(
    owner: Any, connect: Any, page_of: Any, free_start: Any, book: Any, work: Any, control: Control, fault: str
) -> None:
    link = connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    page = page_of(owner, locations=(LocationKind.MEET,))
    taken = book(page, free_start(page))
    control.fault("google", owner.user.email, fault)
    work()
    effect = Effect.objects.get(booking=taken, kind=EffectKind.EVENT)
    assert effect.state == EffectState.PARKED
    assert effect.parked_reason == Reason.LICENCE_MISSING

    control.repair("google", owner.user.email)
    connections.check_now(link, utcnow())
    work()
    taken.refresh_from_db()
    assert taken.join_url and Effect.objects.get(pk=effect.pk).state == EffectState.DONE
    assert len(control.events("google", owner.user.email)) == 1
