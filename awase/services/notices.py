"""Who is told what, when: mails about accounts that broke and were repaired (connection-health.md section 9).

A notice is an effect row written in the transaction of its cause. One mail names all pages; a repair takes
back what was not sent yet; an account that flaps never causes more than one notice an hour.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from awase.domain.errors import Reason
from awase.domain.health import Standing
from awase.models import BookingPage, Connection, Credential, Effect, EffectKind, EffectState, PageHealth
from awase.services.health import Renewal

DAMPING = timedelta(hours=1)
ERROR, RESTORED = "connection_error", "connection_restored"


def state_changed(
    credential: Credential,
    before: Standing,
    shown: tuple[Standing, Reason | None],
    pages: list[BookingPage],
    renewal: Renewal,
    now: datetime,
) -> None:
    """Write the notices that follow from a change of an account's state."""
    broke = shown[0] is Standing.ERROR and before is not Standing.ERROR
    if broke or renewal.stopped:
        if shown[1] is Reason.OPERATOR or (credential.last_notice and now - credential.last_notice < DAMPING):
            return
        _tell(credential, ERROR, _concerned(credential, pages, renewal.stopped), now)
        _mark(credential, told=True, now=now)
    elif shown[0] is not Standing.ERROR and credential.notice_open:
        taken_back, _ = Effect.objects.filter(
            kind=EffectKind.MAIL,
            state=EffectState.PENDING,
            payload__template=ERROR,
            payload__credential=credential.pk,
        ).delete()
        if not taken_back:
            _tell(credential, RESTORED, _concerned(credential, pages, renewal.opened), now)
        _mark(credential, told=False, now=now)


def _mark(credential: Credential, *, told: bool, now: datetime) -> None:
    credential.notice_open = told
    if told:
        credential.last_notice = now
    credential.save(update_fields=["notice_open", "last_notice"])


def _concerned(
    credential: Credential, pages: list[BookingPage], turned: list[BookingPage]
) -> dict[int, list[BookingPage]]:
    """member id → the pages to name: the account's members, the owners of the pages that turned, and the
    owners of pages that go on without one of those members."""
    linked = list(Connection.objects.filter(credential=credential).values_list("member", flat=True))
    going_on = {
        health.page_id
        for health in PageHealth.objects.filter(page__in=pages, open=True)
        if set(health.left_out) & set(linked)
    }
    told: dict[int, list[BookingPage]] = defaultdict(list)
    for member_id in linked:
        told[member_id] = list(turned)
    for page in pages:
        if page in turned or page.pk in going_on:
            told[page.owner_id] = [*told[page.owner_id], *([page] if page not in told[page.owner_id] else [])]
    return told


def _tell(credential: Credential, template: str, told: dict[int, list[BookingPage]], now: datetime) -> None:
    Effect.objects.bulk_create(
        Effect(
            kind=EffectKind.MAIL,
            key=f"mail:{template}:{credential.pk}:{member_id}:{now.timestamp():.6f}",
            member_id=member_id,
            payload={"template": template, "credential": credential.pk, "pages": [page.pk for page in pages]},
            next_at=now,
        )
        for member_id, pages in told.items()
    )


def ask(connection: Connection, now: datetime) -> bool:
    """Ask the member by mail to reconnect; at most once an hour for each connection. False: asked just now."""
    key = f"mail:ask:{connection.pk}:"
    if Effect.objects.filter(key__startswith=key, created_at__gt=now - DAMPING).exists():
        return False
    Effect.objects.create(
        kind=EffectKind.MAIL,
        key=f"{key}{now.timestamp():.0f}",
        member=connection.member,
        payload={"template": ERROR, "credential": connection.credential_id, "pages": [], "reminder": True},
        next_at=now,
    )
    return True


def asked(connection_ids: Iterable[int]) -> dict[int, datetime]:
    """When each of these connections' members was asked last to reconnect, where they were."""
    found: dict[int, datetime] = {}
    for connection_id in connection_ids:
        last = Effect.objects.filter(key__startswith=f"mail:ask:{connection_id}:").order_by("-created_at").first()
        if last is not None:
            found[connection_id] = last.created_at
    return found
