"""An account as the integration screens show it: state, what happened, history, and what a disconnect would do."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from awase.domain.changes import preview, without_connection
from awase.domain.errors import Reason
from awase.domain.health import Service, Standing
from awase.models import Connection, ConnectionChange, Member
from awase.services import words
from awase.services.connections import pages_using
from awase.services.health import page_values, standing_of
from awase.web.shell import LETTERS, Context, action, local, post

DAYS = 90


def state_badge(standing: Standing) -> Context:
    """The state of one account in words."""
    return {
        Standing.OK: {"kind": "ok", "label": _("Connected")},
        Standing.DEGRADED: {"kind": "warn", "label": _("Answers late")},
        Standing.ERROR: {"kind": "danger", "label": _("Connection error")},
    }[standing]


def account(connection: Connection, viewer: Member, now: datetime) -> Context:
    """One account on its details screen."""
    credential = connection.credential
    standing, reason = standing_of(credential, now)
    path = f"/app/connections/{connection.pk}"
    since = credential.since if standing is not Standing.OK else None
    return {
        "id": connection.pk,
        "name": credential.account_email,
        "badges": [state_badge(standing), *_lacking(credential.lacking)],
        "since": _("Since %(when)s") % {"when": local(since, viewer)} if since else "",
        "problem": problem(connection, standing, reason),
        "check": post(_("Check now"), f"{path}/check"),
        "strip": strip(credential.changes.all(), credential.pk, now),
        "history": timeline(credential.changes.all()[:20], viewer),
        "disconnect": {"url": f"{path}/disconnect", "effects": disconnect_effects(connection, now)},
    }


def problem(connection: Connection, standing: Standing, reason: Reason | None) -> Context | None:
    """What happened and how to mend it, where the account stands."""
    if standing is not Standing.ERROR or reason is None:
        return None
    credential = connection.credential
    reconnect = action(
        _("Reconnect"), f"/app/connections/{credential.service}/connect?connection={connection.pk}", "filled"
    )
    return {
        "what": words.cannot_use(credential.service, credential.account_email),
        "why": f"{words.happened(reason)} {words.remedy(reason)}",
        "cures": [reconnect] if reason.needs_person else [],
    }


def _lacking(lacking: dict[str, str]) -> list[Context]:
    return [
        {"kind": "warn", "label": _("%(location)s cannot be created") % {"location": words.location_name(capability)}}
        for capability in lacking
    ]


def strip(changes: Iterable[ConnectionChange], credential_id: int, now: datetime) -> Context:
    """The last 90 days, a bar a day: the worst state of the day, and grey before the account was connected."""
    return strips({credential_id: list(changes)}, now)[credential_id]


def strips(changes: dict[int, list[ConnectionChange]], now: datetime) -> dict[int, Context]:
    """The strips of several accounts; changes newest first."""
    return {pk: _strip(list(reversed(rows)), now) for pk, rows in changes.items()}


def _strip(oldest_first: list[ConnectionChange], now: datetime) -> Context:
    rank = {"none": 0, "ok": 1, "warn": 2, "danger": 3}
    shown = {Standing.OK: "ok", Standing.DEGRADED: "warn", Standing.ERROR: "danger"}
    first = now - timedelta(days=DAYS - 1)
    worst: dict[int, str] = defaultdict(lambda: "none")
    for change, following in zip(oldest_first, [*oldest_first[1:], None], strict=False):
        until = following.at if following else now
        state = shown[Standing(change.standing)]
        for day in range(max((change.at.date() - first.date()).days, 0), (until.date() - first.date()).days + 1):
            if rank[state] > rank[worst[day]]:
                worst[day] = state
    days = [worst[day] for day in range(DAYS)]
    return {
        "days": days,
        "text": _("Last 90 days: %(errors)d days with a connection error, %(late)d with late answers.")
        % {"errors": days.count("danger"), "late": days.count("warn")},
    }


def timeline(changes: Iterable[ConnectionChange], viewer: Member) -> list[Context]:
    """The history of an account, newest first, with what triggered each change."""
    kinds = {Standing.OK: "ok", Standing.DEGRADED: "warn", Standing.ERROR: "danger"}
    return [
        {
            "kind": kinds[Standing(change.standing)],
            "when": local(change.at, viewer),
            "text": words.happened(Reason(change.reason))
            if change.reason
            else state_badge(Standing(change.standing))["label"],
            "cause": cause(change.cause),
        }
        for change in changes
    ]


def cause(name: str) -> str:
    """What triggered a change of state."""
    return {
        "check": _("noticed by the periodic check"),
        "call": _("noticed while working"),
        "live_check": _("noticed while a guest was booking"),
        "push": _("reported by the service"),
        "connected": _("connected"),
        "reconnected": _("reconnected"),
        "disconnected": _("disconnected"),
        "check_now": _("checked by hand"),
        "edit": _("settings changed"),
    }.get(name, name)


def disconnect_effects(connection: Connection, now: datetime) -> list[Context]:
    """Which pages a disconnect would stop or open."""
    pages = {page.pk: page for page in pages_using(connection)}
    effects = []
    for pk, value in page_values(pages.values(), now).items():
        change = preview(value, without_connection(value, connection.pk))
        values = {"page": pages[pk].title}
        if change.stops:
            effects.append({"kind": "danger", "text": _("“%(page)s” would stop") % values})
        elif change.opens:
            effects.append({"kind": "ok", "text": _("“%(page)s” would open") % values})
    return effects


def others(links: list[Connection], viewer: Member, now: datetime) -> list[Context]:
    """The section メンバーの接続エラー."""
    shown = []
    for link in links:
        credential = link.credential
        _standing, reason = standing_of(credential, now)
        person_needed = reason is not None and reason.needs_person
        shown.append(
            {
                "member": words.person(link.member.name),
                "letter": LETTERS[Service(credential.service)],
                "service": words.service_name(credential.service),
                "facts": [credential.account_email, _("Since %(when)s") % {"when": local(credential.since, viewer)}],
                "why": words.happened(reason) if reason else "",
                "action": post(_("Ask to reconnect"), f"/app/connections/{link.pk}/ask") if person_needed else None,
                "asked": "",
            }
        )
    return shown
