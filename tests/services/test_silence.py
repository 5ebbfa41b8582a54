"""No worker for a while: what nobody wrote down counts all the same, and is written down afterwards."""

from datetime import timedelta
from typing import Any

import pytest

from awase.domain.errors import Reason
from awase.domain.health import Service, Standing
from awase.models import ConnectionChange, Credential, PageChange, PageHealth
from awase.services import checks, pages
from awase.services.health import verdict_of
from awase.services.signals import Cause
from tests.services.conftest import utcnow

pytestmark = pytest.mark.django_db


def test_a_stop_that_ran_out_of_patience_ends_in_the_stored_answer_too_with_the_first_good_check(
    owner: Any, connect: Any, page_of: Any, settings: Any
) -> None:
    credential = connect(owner, Service.GOOGLE).credential
    owner.refresh_from_db()
    page = page_of(owner)
    read_at = Credential.objects.get(pk=credential.pk).last_good
    later = utcnow() + timedelta(days=1)
    # Renews the stored answer; the account's state is still "ok".
    pages.save_fields(page, {"title": "Later"}, later, by=page.owner)
    assert not PageHealth.objects.get(page=page).open

    checks.check(credential.pk, Cause.CHECK, later)
    assert verdict_of(page, later).open
    assert PageHealth.objects.get(page=page).open
    assert PageChange.objects.filter(page=page).latest("pk").opened
    silence = ConnectionChange.objects.filter(credential=credential, at__gt=read_at).order_by("at", "pk")
    assert [(row.at, row.standing, row.reason) for row in silence] == [
        (read_at + settings.AWASE_TOLERANCE, Standing.ERROR, Reason.OPERATOR),
        (later, Standing.OK, ""),
    ]
