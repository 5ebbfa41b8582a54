"""Cures as buttons: each does it or leads to the exact place; what only somebody else may do becomes a sentence
naming that person, with "ask"."""

from django.utils.translation import gettext as _

from awase.domain import parts
from awase.domain.cures import Cure
from awase.domain.health import PageValue, Service
from awase.models import BookingPage, Member
from awase.services import words
from awase.web.shell import Context, action, post

MOST_SHOWN = 4


def buttons(page: BookingPage, value: PageValue, cures: tuple[Cure, ...], viewer: Member) -> list[Context]:
    """The most useful first and outlined, the rest as links."""
    shown = [made for cure in cures[:MOST_SHOWN] if (made := _button(page, value, cure, viewer, "link")) is not None]
    for first in [item for item in shown if item["url"]][:1]:
        first["style"] = "outlined"
    return shown


def _button(page: BookingPage, value: PageValue, cure: Cure, viewer: Member, style: str) -> Context | None:
    steps = [_step(page, value, part, viewer) for part in cure.parts]
    if not steps:
        return None
    if len(steps) == 1:
        label, url, how = steps[0]
        if not url:
            return action("", note=label)
        return post(label, url, style) if how == "post" else action(label, url, style)
    label = _(" and ").join(label for label, _url, _how in steps)
    url = next((url for _label, url, how in steps if url and how == "get"), "")
    return action(label, url, style) if url else action("", note=label)


def _step(page: BookingPage, value: PageValue, part: parts.Part, viewer: Member) -> tuple[str, str, str]:
    """(words, address or "" if it is only a sentence, "get" or "post")."""
    names = {member.id: member.name for member in value.members}
    editor = f"/app/pages/{page.pk}"
    mine = part.needs is None or part.needs == viewer.pk
    name = words.person(names.get(part.needs or 0, ""))
    if isinstance(part, parts.Wait):
        return _("This ends by itself as soon as the service answers."), "", "get"
    if isinstance(part, parts.OwnAccount) and hasattr(part, "connection_id"):
        connection = next(
            known for member in value.members for known in member.connections if known.id == part.connection_id
        )
        service = f"/app/connections/{connection.service}"
        details = f"{service}#account-{connection.id}"
        ask = f"/app/connections/{connection.id}/ask"
        match part, mine:
            case parts.Reconnect(), True:
                return (
                    _("Reconnect"),
                    f"{service}/connect?connection={connection.id}",
                    "get",
                )
            case parts.Reconnect(), False:
                return _("Ask %(name)s to reconnect") % {"name": name}, ask, "post"
            case parts.CheckNow(), True:
                return _("Check now"), f"/app/connections/{connection.id}/check", "post"
            case parts.CheckNow(), False:
                return _("%(name)s: have the account repaired, then check now") % {"name": name}, "", "get"
            case parts.Disconnect(), True:
                return _("Disconnect %(account)s") % {"account": connection.account}, details, "get"
            case parts.Disconnect(), False:
                return _("%(name)s disconnects %(account)s") % {"name": name, "account": connection.account}, "", "get"
            case _, True:
                return _("Choose another calendar"), details, "get"
            case _:
                return _("%(name)s chooses another calendar") % {"name": name}, "", "get"
    if isinstance(part, parts.Connect):
        what = words.service_name(part.service) if part.service else _("a calendar")
        if mine:
            target = (
                f"/app/connections/{part.service or Service.GOOGLE}/connect" if part.service else "/app/connections"
            )
            return _("Connect %(service)s") % {"service": what}, target, "get"
        return _("%(name)s connects %(service)s") % {"name": name, "service": what}, "", "get"
    if isinstance(part, parts.UntickCalendar | parts.GoOnWithout):
        words_of = {
            parts.UntickCalendar: (_("Untick the calendar"), _("%(name)s unticks the calendar")),
            parts.GoOnWithout: (_("Go on without the calendar"), _("%(name)s goes on without the calendar")),
        }[type(part)]
        if mine:
            return words_of[0], f"/app/connections/{_service_of_calendar(value, part.calendar_id)}", "get"
        return words_of[1] % {"name": name}, "", "get"
    return _of_the_page(editor, names, part)


def _service_of_calendar(value: PageValue, calendar_id: int) -> str:
    return next(
        connection.service.value
        for member in value.members
        for connection in member.connections
        for calendar in connection.calendars
        if calendar.id == calendar_id
    )


def _of_the_page(editor: str, names: dict[int, str], part: parts.Part) -> tuple[str, str, str]:
    """Changes to the page itself: they lead to the section of the editor."""
    members, locations = f"{editor}#members", f"{editor}#locations"
    match part:
        case parts.AddLocation(kind=kind):
            text = (
                _("Add %(location)s as a location") % {"location": words.location_name(kind)}
                if kind
                else _("Add a location that works")
            )
            return text, locations, "get"
        case parts.RemoveAllLocations():
            return _("Remove all locations"), locations, "get"
        case parts.EnterDetail():
            return _("Enter the number or address"), locations, "get"
        case parts.ChangeOwner(member_id=member_id):
            return _("Make %(name)s the owner") % {"name": words.person(names[member_id])}, members, "get"
        case parts.TakeOff(member_id=member_id):
            return _("Take %(name)s off the page") % {"name": words.person(names[member_id])}, members, "get"
        case parts.StopRequiringCalendar():
            return _("Stop requiring a connected calendar"), members, "get"
        case parts.AddMember(member_id=member_id) if member_id is not None:
            return _("Add %(name)s to the members") % {"name": words.person(names[member_id])}, members, "get"
        case _:
            return _("Change the members"), members, "get"
