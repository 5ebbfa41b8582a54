"""An account as the integration screens show it: state, what happened, and what a disconnect would do."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from awase.domain.errors import Capability, Reason
from awase.domain.gate import broken_calendars
from awase.domain.health import CalendarValue, ConnectionValue, MemberValue, Service, Standing
from awase.domain.history import Day
from awase.models import Connection, Member
from awase.services import history, words
from awase.services.health import standing_of
from awase.services.previews import Turn, of_disconnect
from awase.services.troubles import Trouble, lacking
from awase.web.shell import LETTERS, Context, action, local, post
from awase.web.timelines import KINDS, account_labels, account_strip

MOST_NAMED = 3  # pages that an account stops


def state_badge(standing: Standing) -> Context:
    """The state of one account in words."""
    mark = history.MARKS[standing]
    return {"kind": KINDS[mark], "label": account_labels()[mark]}


def account(link: Connection, owner: MemberValue, days: list[Day], viewer: Member, now: datetime) -> Context:
    """One account on its details screen."""
    credential = link.credential
    value = next(known for known in owner.connections if known.id == link.pk)
    path = f"/app/connections/{link.pk}"
    facts = []
    if value.standing is not Standing.OK:
        facts.append(_("Since %(when)s") % {"when": local(history.since(credential, now), viewer)})
    if credential.last_good:
        facts.append(_("Last good check: %(when)s") % {"when": local(credential.last_good, viewer)})
    if credential.ends_at:
        facts.append(
            _("The permission ends on %(when)s; reconnect before.") % {"when": local(credential.ends_at, viewer)}
        )
    badges = [state_badge(value.standing)]
    lacks = lacking([link], {link.pk: value})[link.pk]
    if value.standing is not Standing.ERROR:
        badges += [{"kind": "danger", "label": _("Calendar not found")}] if _missing(owner, value) else []
        badges += [{"kind": "warn", "label": _lacking(capability)} for capability, _reason in lacks]
    return {
        "id": link.pk,
        "name": credential.account_email,
        "badges": badges,
        "facts": facts,
        "problems": problems(link, owner, value, lacks),
        "check": post(_("Check now"), f"{path}/check"),
        "reconnect": action(
            _("Reconnect"),
            f"/app/connections/{credential.service}/connect?connection={link.pk}",
            "filled" if value.standing is Standing.ERROR else "outlined",
        ),
        "strip": account_strip(days),
        "history": action(_("History"), f"{path}/history", "link", icon="clock"),
        "disconnect": {"id": link.pk, "url": f"{path}/disconnect", "effects": effects(of_disconnect(link, now))},
    }


def problems(
    link: Connection, owner: MemberValue, value: ConnectionValue, lacks: Iterable[tuple[Capability, Reason]]
) -> list[Context]:
    """What happened and how to mend it, where the account stands."""
    credential = link.credential
    if value.standing is Standing.ERROR:
        assert value.reason is not None
        reconnect = action(
            _("Reconnect"), f"/app/connections/{credential.service}/connect?connection={link.pk}", "filled"
        )
        return [
            {
                "what": words.cannot_use(credential.service, credential.account_email),
                "why": words.reason(value.reason),
                "cures": [[reconnect]] if value.reason.needs_person else [],
            }
        ]
    found = []
    for calendar in _missing(owner, value):
        found.append(
            {
                "what": _("The calendar “%(calendar)s” cannot be found.") % {"calendar": calendar.name},
                "why": _("It was deleted at the service, or is no longer shared."),
                "cures": [
                    [post(_("Untick the calendar"), f"/app/calendars/{calendar.id}/untick", "filled")],
                    [post(_("Go on without the calendar"), f"/app/calendars/{calendar.id}/go-on")],
                ][: 1 if calendar.receives else 2],
            }
        )
    for capability, reason in lacks:
        check = post(_("Check now"), f"/app/connections/{link.pk}/check")
        found.append(
            {
                "kind": "warn",
                "what": _lacking(capability),
                "why": words.reason(reason),
                "cures": [[check]] if reason.needs_person else [],
            }
        )
    return found


def _missing(owner: MemberValue, value: ConnectionValue) -> list[CalendarValue]:
    """The calendars of an account that count and have vanished."""
    return [calendar for known, calendar in broken_calendars(owner) if calendar and known.id == value.id]


def _lacking(capability: str) -> str:
    if capability == Capability.CALENDAR:
        return _("No bookings can be added")
    return _("%(location)s cannot be created") % {"location": words.location_name(capability)}


def effects(turns: Iterable[Turn]) -> list[Context]:
    """Which pages a step would stop or open (templates/components/effects.html)."""
    said = []
    for turn in turns:
        values = {"page": turn.page.title}
        stops = turn.preview.stops
        text = _("“%(page)s” would stop") % values if stops else _("“%(page)s” would open") % values
        said.append({"kind": "danger" if stops else "ok", "text": text})
    return said


def others(troubles: Iterable[Trouble], asked: Mapping[int, datetime], viewer: Member, now: datetime) -> list[Context]:
    """The section メンバーの接続エラー. `asked`: when the member was asked last, by connection."""
    shown = []
    for trouble in troubles:
        link, credential = trouble.link, trouble.link.credential
        standing, reason = standing_of(credential, now)
        facts = [credential.account_email]
        if standing is Standing.ERROR:
            facts.append(_("Since %(when)s") % {"when": local(history.since(credential, now), viewer)})
        askable = trouble.concerns and reason is not None and reason.needs_person
        shown.append(
            {
                "member": words.person(link.member.name),
                "letter": LETTERS[Service(credential.service)],
                "service": words.service_name(credential.service),
                "facts": facts,
                "why": words.happened(reason) if reason else what(trouble),
                "stops": _stopped(trouble.stops),
                "action": post(_("Ask to reconnect"), f"/app/connections/{link.pk}/ask") if askable else None,
                "asked": _("Asked on %(when)s") % {"when": local(asked[link.pk], viewer)} if link.pk in asked else "",
            }
        )
    return shown


def _stopped(titles: Sequence[str]) -> str:
    """Which pages an account stops, with a count where there are many."""
    named, more = list(titles[:MOST_NAMED]), len(titles) - MOST_NAMED
    if more > 0:
        named.append(ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more})
    pages = pgettext("list of names", ", ").join(named)
    return _("Stopped booking pages: %(pages)s") % {"pages": pages} if pages else ""


def what(trouble: Trouble) -> str:
    """What a page says of an account that itself works."""
    if trouble.lack is None:
        return ""
    return words.sentences(
        words.lack(trouble.lack, {trouble.link.member_id: trouble.link.member.name}), words.why(trouble.lack)
    )
