"""What a mail says before it is rendered, and the letters of the notices about accounts and endpoints.

All notices share one template: a headline, some lines, lists of pages, one button. They say how things stand
when they are sent; a notice that was overtaken is not sent.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from awase.domain.errors import Reason
from awase.domain.health import Lack, Standing
from awase.models import (
    Booking,
    BookingPage,
    Connection,
    Credential,
    Effect,
    Invitation,
    Member,
    ServiceAlarm,
    WebhookEndpoint,
    Workspace,
)
from awase.services import awaited, dates, links, openings, reconnect_link, team, words
from awase.services.health import standing_of, verdicts
from awase.services.notices import Template

MOST_NAMED = 20


@dataclass(slots=True)
class Letter:
    """One mail before it is rendered: its template's name and context, and whom it goes to. What is callable in
    the context is called once the recipient's language is in force."""

    to: str
    language: str
    template: str
    context: dict[str, Any]
    reply_to: str = ""
    clock: str = ""  # "12" or "24", where the recipient chose
    invitation: Booking | None = field(default=None)
    brand: Workspace | None = None  # whose colour and logo it bears


Words = Callable[[], str]


def notice(effect: Effect, now: datetime) -> Letter | None:
    """The letter of a notice, or None if there is nothing to say any more."""
    if effect.payload["template"] == team.INVITED:
        return _invitation(effect, now)
    if effect.payload["template"] == awaited.TEMPLATE:
        return _page_open(effect, now)
    template = Template(effect.payload["template"])
    if template in OPERATORS:
        return _to_operators(OPERATORS[template](effect.payload))
    member = effect.member
    if member is None or not member.user.is_active:
        return None
    content = _endpoint_off(effect) if template is Template.ENDPOINT_OFF else _about_account(template, effect, now)
    if content is None:
        return None
    return Letter(
        to=member.user.email,
        language=member.user.language or member.workspace.language,
        template="notice",
        context={"recipient": member.name, **content},
    )


def _invitation(effect: Effect, now: datetime) -> Letter | None:
    """To somebody who is asked to join a workspace; None once the invitation is over or taken back."""
    found = Invitation.objects.filter(pk=effect.payload["invitation"], accepted_at=None, expires_at__gt=now).first()
    if found is None:
        return None
    team_name = found.workspace.name
    by = found.invited_by.name if found.invited_by else team_name
    return Letter(
        to=found.email,
        language=found.workspace.language,
        template="notice",
        context={
            "what": lambda: (
                _("%(name)s invites you to “%(workspace)s”") % {"name": by, "workspace": found.workspace.name}
            ),
            "lines": lambda: [
                _("Your team takes bookings with Awase. Join it to connect your calendar and be booked.")
            ],
            "button": lambda: _("Join"),
            "url": team.invitation_url(found),
            "note": lambda: _("The link is for you alone, and works for two weeks."),
        },
    )


def _page_open(effect: Effect, now: datetime) -> Letter | None:
    """To a guest who asked to be told when a page takes bookings again."""
    wish = openings.due(effect.payload["wish"], now)
    if wish is None:
        return None
    page = wish.page
    values = {"title": page.title, "team": page.workspace.name}
    return Letter(
        to=wish.email,
        language=wish.language,
        template="notice",
        context={
            "what": lambda: _("“%(title)s” takes bookings again.") % values,
            "lines": lambda: [_("You asked %(team)s to tell you. Please choose a time that suits you.") % values],
            "button": lambda: _("See the free times"),
            "url": links.page_url(page),
            "note": lambda: _("You get this one mail only: your address has been deleted."),
        },
        reply_to=page.owner.user.email,
        brand=page.workspace,
    )


def _about_account(template: Template, effect: Effect, now: datetime) -> dict[str, Any] | None:
    if template is Template.OPENED:
        return _opened(effect.payload)
    credential = Credential.objects.filter(pk=effect.payload["credential"]).first()
    assert effect.member is not None
    if credential is None:
        return None
    account = _Account(credential, effect.member, now)
    if not account.links:
        return None
    match template:
        case Template.ASK:
            return _ask(account, effect.payload)
        case Template.ENDS:
            return _ends(account)
        case Template.RESTORED:
            return _restored(account, effect.payload)
        case _:
            return _trouble(account, effect.payload)


class _Account:
    """An account as one recipient sees it: their own, or the one of another member."""

    def __init__(self, credential: Credential, recipient: Member, now: datetime) -> None:
        self.credential, self.recipient, self.now = credential, recipient, now
        self.links = list(Connection.objects.filter(credential=credential).select_related("member__user"))
        self.mine = next((link for link in self.links if link.member_id == recipient.pk), None)
        self.holder = "" if self.mine or not self.links else self.links[0].member.name
        self.standing, self.reason = standing_of(credential, now)

    @property
    def values(self) -> dict[str, str]:
        return {
            "service": words.service_name(self.credential.service),
            "account": self.credential.account_email,
            "name": words.person(self.holder) if self.holder else "",
        }

    def address(self) -> str:
        """Where the recipient sees it; one's own account: where it is reconnected, where that helps."""
        if self.mine is None:
            return f"{settings.AWASE_URL}/app/connections"
        path = f"{settings.AWASE_URL}/app/connections/{self.credential.service}"
        if self.reason and self.reason.needs_person:
            return f"{path}/connect?connection={self.mine.pk}"
        return path

    def lack(self, page_ids: Iterable[int]) -> tuple[Lack, dict[int, str]] | None:
        """What pages miss of an account that works otherwise, and the names of the people; None if nothing."""
        ours = {link.pk for link in self.links}
        pages = BookingPage.objects.filter(pk__in=list(page_ids)[:MOST_NAMED])
        for answer in verdicts(pages, self.now).values():
            for lack in (*answer.stops, *answer.left_out):
                if lack.error and lack.connection_id in ours:
                    return lack, {link.member_id: link.member.name for link in self.links}
        return None


def _trouble(account: _Account, payload: dict[str, Any]) -> dict[str, Any] | None:
    stopped, going_on = payload["stopped"], payload["going_on"]
    what, why, todo = _what(account, [*stopped, *going_on])
    if what is None:
        return None
    own = account.mine is not None
    waits = account.reason is not None and not account.reason.needs_person
    return {
        "what": what,
        "lines": lambda: [
            why(),
            *([_since(account)] if account.standing is Standing.ERROR else []),
            todo() if own or waits else _("Only %(name)s can repair this; you can send a request.") % account.values,
        ],
        "lists": lambda: _lists(
            (_("Booking pages that have stopped"), stopped),
            (_("Booking pages that go on without this member"), going_on),
        ),
        "button": lambda: _("Reconnect") if own and not waits else _("Check the connection"),
        "url": account.address(),
        "note": lambda: _("The pages open by themselves as soon as this is repaired.") if stopped else "",
        "reminder": "reminder" in payload,
    }


def _what(account: _Account, page_ids: Collection[int]) -> tuple[Words | None, Words, Words]:
    """Headline, what happened and what to do, each to be called in the recipient's language."""
    if account.standing is Standing.ERROR:
        reason = account.reason or Reason.UNREACHABLE
        service, email = account.credential.service, account.credential.account_email
        return (
            lambda: words.cannot_use(service, email, account.holder),
            lambda: words.happened(reason),
            lambda: words.remedy(reason),
        )
    found = account.lack(page_ids)
    if found is None:
        return None, str, str
    lack, names = found
    choose = lack.calendar_missing
    return (
        lambda: words.lack(lack, names),
        lambda: words.why(lack),
        lambda: _("Choose another calendar, or have this one shared again.") if choose else "",
    )


def _restored(account: _Account, payload: dict[str, Any]) -> dict[str, Any] | None:
    if account.standing is Standing.ERROR:
        return None  # broken again: what was told before is true once more
    return {
        "what": lambda: _("%(service)s (%(account)s) is connected again.") % account.values,
        "lines": lambda: [_("You need not do anything.")],
        "lists": lambda: _lists((_("Booking pages that have opened again"), _open_now(payload["stopped"]))),
        "button": lambda: _("All connections"),
        "url": f"{settings.AWASE_URL}/app/connections",
    }


def _opened(payload: dict[str, Any]) -> dict[str, Any] | None:
    """Of an account that may be gone: the notice holds what is to be said of it."""
    opened = _open_now(payload["opened"])
    if not opened:
        return None
    values = {"service": words.service_name(payload["service"]), "account": payload["account"]}
    return {
        "what": lambda: _("%(service)s (%(account)s) no longer stops your booking pages.") % values,
        "lines": lambda: [_("You need not do anything.")],
        "lists": lambda: _lists((_("Booking pages that have opened again"), opened)),
        "button": lambda: _("All connections"),
        "url": f"{settings.AWASE_URL}/app/connections",
    }


def _ask(account: _Account, payload: dict[str, Any]) -> dict[str, Any] | None:
    link = next((link for link in account.links if link.pk == payload["connection"]), None)
    reason = account.reason
    if link is None or reason is None or not reason.needs_person:
        return None
    address = reconnect_link.make(link, account.now)
    return {
        "what": lambda: _("You are asked to reconnect %(service)s (%(account)s).") % account.values,
        "lines": lambda: [words.happened(reason), words.remedy(reason), _since(account)],
        "button": lambda: _("Reconnect"),
        "url": address,
        "note": lambda: (
            ngettext(
                "The link works for %(days)d day, and only for you.",
                "The link works for %(days)d days, and only for you.",
                reconnect_link.VALID.days,
            )
            % {"days": reconnect_link.VALID.days}
        ),
    }


def _ends(account: _Account) -> dict[str, Any] | None:
    credential, link = account.credential, account.mine
    if credential.ends_at is None or link is None or account.standing is Standing.ERROR:
        return None
    path = f"{settings.AWASE_URL}/app/connections/{credential.service}/connect?connection={link.pk}"
    end = credential.ends_at
    return {
        "what": lambda: _("The permission for %(service)s (%(account)s) runs out soon.") % account.values,
        "lines": lambda: [
            _("It runs out on %(when)s.") % {"when": _moment(end, account.recipient)},
            _("Reconnect before, and your booking pages go on without a break."),
        ],
        "button": lambda: _("Reconnect"),
        "url": path,
    }


def _endpoint_off(effect: Effect) -> dict[str, Any] | None:
    endpoint = WebhookEndpoint.objects.filter(pk=effect.payload["endpoint"]).first()
    if endpoint is None or endpoint.active:
        return None
    return {
        "what": lambda: _("The webhook to %(host)s was switched off.") % {"host": endpoint.host},
        "lines": lambda: [
            _("It has not taken anything for three days, or said that it is gone."),
            _("Repair the receiver, switch the webhook on again, and redeliver what it missed."),
        ],
        "button": lambda: _("Open the settings"),
        "url": f"{settings.AWASE_URL}/app/settings/webhooks/{endpoint.pk}",
    }


def _to_operators(content: dict[str, Any]) -> Letter | None:
    if not settings.AWASE_OPERATOR_EMAIL:
        return None
    return Letter(
        to=settings.AWASE_OPERATOR_EMAIL,
        language=settings.LANGUAGE_CODE,
        template="notice",
        context={"recipient": "", **content},
    )


def _alarm(payload: dict[str, Any]) -> dict[str, Any]:
    known = ServiceAlarm.objects.filter(service=payload["service"]).first()
    detail = known.detail if known and known.symptom == payload["symptom"] else ""
    return {
        "what": lambda: (
            _("Something on our side keeps %(service)s from working.")
            % {"service": words.service_name(payload["service"])}
        ),
        "lines": lambda: [
            _("Symptom %(symptom)s. %(detail)s") % {"symptom": payload["symptom"], "detail": detail},
            _("No member was told or asked to reconnect: only the operator can repair this."),
            _("“awase doctor” tells what to look at."),
        ],
    }


def _secret_ends(payload: dict[str, Any]) -> dict[str, Any]:
    end = date.fromisoformat(payload["end"])
    return {
        "what": lambda: _("The client secret for %(service)s runs out soon.") % {"service": payload["registration"]},
        "lines": lambda: [
            _("It runs out on %(when)s.") % {"when": date_format(end, "DATE_FORMAT")},
            _("Create a new one at the service, and enter it together with its end in this instance's settings."),
        ],
    }


def _approval_ends(payload: dict[str, Any]) -> dict[str, Any]:
    end = date.fromisoformat(payload["end"])
    return {
        "what": lambda: (
            _("The approval of the app at %(service)s runs out soon.") % {"service": payload["registration"]}
        ),
        "lines": lambda: [
            _("It runs out on %(when)s.") % {"when": date_format(end, "DATE_FORMAT")},
            _("From then on no accounts of others may be connected there; those that are connected go on."),
            _("Have it extended there or publish the app, and enter the new end in this instance's settings."),
        ],
    }


def _channels_end(payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "what": lambda: _("Push channels are about to lapse."),
        "lines": lambda: [
            _("%(count)d channels were not renewed in time. Changes are still noticed by the periodic check.")
            % {"count": payload["count"]},
            _("Is the worker running, and can the services reach this instance?"),
        ],
    }


OPERATORS = {
    Template.ALARM: _alarm,
    Template.SECRET_ENDS: _secret_ends,
    Template.APPROVAL_ENDS: _approval_ends,
    Template.CHANNELS_END: _channels_end,
}


def _since(account: _Account) -> str:
    return _("Since %(when)s.") % {"when": _moment(account.credential.since, account.recipient)}


def _moment(moment: datetime, recipient: Member) -> str:
    there = moment.astimezone(UTC).astimezone(ZoneInfo(recipient.user.time_zone))
    return f"{dates.full_day_name(there.date())} {dates.clock(there)}"


def _open_now(page_ids: list[int]) -> list[int]:
    closed = set(BookingPage.objects.filter(pk__in=page_ids, health__open=False).values_list("pk", flat=True))
    return [pk for pk in page_ids if pk not in closed]


def _lists(*named: tuple[str, list[int]]) -> list[dict[str, Any]]:
    """The pages by title under their headings, with a count where there are too many."""
    lists = []
    for title, ids in named:
        titles = BookingPage.objects.filter(pk__in=ids).order_by("title").values_list("title", flat=True)
        items = list(titles[:MOST_NAMED])
        if more := len(ids) - len(items):
            items.append(ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more})
        if items:
            lists.append({"title": title, "items": items})
    return lists
