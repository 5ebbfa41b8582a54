"""Each row of the symptom table through a check of the product: the account's state, the page's answer, who is told."""

import json
from typing import Any

import pytest

from awase.domain.errors import Reason
from awase.domain.health import LocationKind, Service, Standing
from awase.models import Connection, Credential, Effect, EffectKind, ServiceAlarm
from awase.services import checks
from awase.services.health import standing_of, verdict_of
from awase.services.signals import Cause
from tests.providers.symptoms import CASES, Case
from tests.services.conftest import Control, utcnow

pytestmark = pytest.mark.django_db

LOCATIONS = {"zoom": (LocationKind.ZOOM,), "teams": (LocationKind.TEAMS,)}


def _sendable(body: str) -> Any:
    """A body as the control interface wants it: JSON as a value, all else as a text."""
    try:
        return json.loads(body)
    except ValueError:
        return body


def first_of_each_row() -> list[Case]:
    """One case of each row that a check meets, by an answer that can be sent."""
    found: dict[tuple[str, str], Case] = {}
    for one in CASES:
        sent = len(one.answers) == 1 and hasattr(one.answers[0], "status_code") and one.expect != "success"
        if sent and one.service != "caldav" and one.act in (None, "busy", "check"):
            found.setdefault((one.row, one.service), one)
    return list(found.values())


@pytest.mark.parametrize("one", first_of_each_row(), ids=lambda one: f"{one.row}-{one.service}-{one.act or 'refresh'}")
def test_what_a_row_means_for_the_account_its_page_and_its_people(
    one: Case, owner: Any, connect: Any, page_of: Any, control: Control
) -> None:
    service = Service(one.service)
    link: Connection = connect(owner, service)
    if not service.calendars:
        connect(owner, Service.GOOGLE)
    owner.refresh_from_db()
    page = page_of(owner, locations=LOCATIONS.get(one.service, ()))
    assert verdict_of(page, utcnow()).open
    answer = one.answers[0]
    name = "microsoft" if service is Service.TEAMS else one.service
    body = answer.content.decode()
    control.post(
        f"accounts/{name}/{owner.user.email}/override",
        status=answer.status_code,
        headers=dict(answer.headers),
        body=_sendable(body),
        operation="token" if one.act is None else "api",
    )
    if one.act is None:
        Credential.objects.filter(pk=link.credential_id).update(expires_at=utcnow())
    checks.check(link.credential_id, Cause.CHECK, utcnow())

    credential = Credential.objects.get(pk=link.credential_id)
    standing, reason = standing_of(credential, utcnow())
    mails = Effect.objects.filter(kind=EffectKind.MAIL, payload__template="connection_error")
    kind, scope, why = one.expect.split()
    if kind == "reconnect" and scope == "connection":
        assert (standing, reason) == (Standing.ERROR, Reason(why))
        assert not verdict_of(page, utcnow()).open
        assert mails.count() == 1
        return
    if kind == "not_found" and scope == "calendar":
        assert standing is Standing.OK
        assert not verdict_of(page, utcnow()).open, "its only calendar is missing"
        return
    unknown = one.row == "X03"
    assert standing is (Standing.DEGRADED if kind == "retry" or unknown else Standing.OK)
    assert verdict_of(page, utcnow()).open
    assert not mails.exists()
    assert credential.our_fault is (kind == "app_config")
    assert ServiceAlarm.objects.exists() is (kind == "app_config" or unknown or one.row == "M13")
