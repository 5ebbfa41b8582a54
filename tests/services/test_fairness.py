"""Automatic assignment is fair to those whose accounts were broken, and to those who worked meanwhile."""

from datetime import timedelta
from typing import Any

import pytest

from awase.domain.health import Service
from awase.models import Credential
from awase.models.page import Condition
from awase.services import checks
from awase.services.hosts import hosts_of
from awase.services.signals import Cause
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db


def test_nobody_is_flooded_after_a_repair(
    owner: Any,
    teammate: Any,
    connect: Any,
    page_of: Any,
    free_start: Any,
    book: Any,
    control: Control,
    time_machine: Any,
) -> None:
    for member in (owner, teammate):
        connect(member, Service.GOOGLE)
        member.refresh_from_db()
    page = page_of(owner, teammate, condition=Condition.ANY)
    time_machine.move_to(utcnow())
    time_machine.shift(timedelta(seconds=5))
    control.revoke("google", owner.user.email)
    broken = Credential.objects.get(account_email=owner.user.email)
    checks.check(broken.pk, Cause.CHECK, utcnow())
    for _ in range(4):
        time_machine.shift(timedelta(seconds=5))
        assert hosts_of(book(page, free_start(page))) == [teammate]
    connect(owner, Service.GOOGLE, again=owner.connections.get())
    given = []
    for _ in range(4):
        time_machine.shift(timedelta(seconds=5))
        given += hosts_of(book(page, free_start(page, nth=12)))
    assert given.count(owner) == given.count(teammate) == 2
