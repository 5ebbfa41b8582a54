"""Histories as screens show them: the 90-day strip, the same as a table, and the timeline with its causes."""

from collections import Counter
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from awase.domain.errors import Reason
from awase.domain.health import Standing
from awase.domain.history import Day, Mark
from awase.models import ConnectionChange, Credential, Member
from awase.services import dates, words
from awase.services.history import MARKS, PageTurn
from awase.web.shell import Context, local

KINDS = {Mark.NONE: "none", Mark.OK: "ok", Mark.WARN: "warn", Mark.DANGER: "danger"}
SHOWN = (Mark.OK, Mark.WARN, Mark.DANGER)


def account_labels() -> dict[Mark, str]:
    """The states of an account in words."""
    return {Mark.OK: _("Connected"), Mark.WARN: _("Answers late"), Mark.DANGER: _("Connection error")}


def page_labels() -> dict[Mark, str]:
    """The states of a page in words, as far as health decides."""
    return {Mark.OK: _("Taking bookings"), Mark.WARN: _("Stopped"), Mark.DANGER: _("Stopped by a connection error")}


def account_strip(days: Sequence[Day]) -> Context:
    """The last days of an account, a bar a day."""
    text = _("Of the last 90 days %(errors)d had a connection error, %(late)d late answers.")
    return _strip(days, account_labels(), text)


def page_strip(days: Sequence[Day]) -> Context:
    """The last days of a page, a bar a day."""
    text = _("Of the last 90 days %(errors)d had a stop by a connection error, %(late)d one for another reason.")
    return _strip(days, page_labels(), text)


def _strip(days: Sequence[Day], labels: dict[Mark, str], text: str) -> Context:
    """The worst of each day, in words where it was not well; grey before there was anything. Behind it the same
    as numbers: the hours of each state, the newest day first."""
    count = Counter(day.worst for day in days)
    return {
        "days": [{"kind": KINDS[day.worst], "title": _bad_hours(day, labels)} for day in days],
        "text": text % {"errors": count[Mark.DANGER], "late": count[Mark.WARN]},
        "first": dates.date_name(days[0].day),
        "heads": [labels[mark] for mark in SHOWN],
        "rows": [
            {"day": dates.day_name(day.day), "hours": [f"{day.hours(mark):g}" for mark in SHOWN]}
            for day in reversed(days)
            if day.worst is not Mark.NONE
        ],
    }


def _bad_hours(day: Day, labels: dict[Mark, str]) -> str:
    """How long a day was not well; "" if it was."""
    bad = [
        _("%(state)s %(hours)s h") % {"state": labels[mark], "hours": f"{day.hours(mark):g}"}
        for mark in (Mark.DANGER, Mark.WARN)
        if day.hours(mark)
    ]
    return f"{dates.date_name(day.day)}: {', '.join(bad)}" if bad else ""


def of_account(rows: Iterable[ConnectionChange], viewer: Member) -> list[Context]:
    """The changes of an account with what triggered each, in the order given."""
    labels = account_labels()
    return [
        {
            "kind": KINDS[MARKS[Standing(row.standing)]],
            "when": local(row.at, viewer),
            "text": _because(
                labels[MARKS[Standing(row.standing)]], words.happened(Reason(row.reason)) if row.reason else ""
            ),
            "cause": cause(row.cause),
        }
        for row in rows
    ]


def of_page(turns: Iterable[PageTurn], viewer: Member) -> list[Context]:
    """The stops and openings of a page with reason, account and what triggered each, in the order given."""
    labels = page_labels()
    return [
        {
            "kind": KINDS[turn.change.mark],
            "when": local(turn.row.at, viewer),
            "text": _because(
                _("Opened by itself") if turn.row.opened else labels[turn.change.mark],
                words.stopped_by(turn.change.cause),
            ),
            "account": _account(turn.row.credential),
            "cause": cause(turn.row.cause),
        }
        for turn in turns
    ]


def _because(state: str, reason: str) -> str:
    return _("%(state)s: %(reason)s") % {"state": state, "reason": reason} if reason else state


def _account(credential: Credential | None) -> str:
    return f"{words.service_name(credential.service)} ({credential.account_email})" if credential else ""


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
