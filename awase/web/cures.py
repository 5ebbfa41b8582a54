"""Cures as buttons: each does it or leads to the exact place; what only somebody else may do becomes a sentence
naming that person, with "ask"."""

from itertools import chain

from django.utils.translation import gettext as _

from awase.domain import parts
from awase.domain.cures import Cure
from awase.domain.errors import Reason
from awase.domain.health import ConnectionValue, LocationKind, PageValue
from awase.domain.permissions import Act
from awase.models import BookingPage, Member
from awase.services import words
from awase.services.permissions import may
from awase.web.shell import Context, action, post

MOST_SHOWN = 3


class Cures:
    """The cures of one page as its viewer sees them (templates/components/problem.html)."""

    def __init__(self, page: BookingPage, value: PageValue, viewer: Member, *, editor: bool) -> None:
        self.page, self.value, self.viewer = page, value, viewer
        self.names = {room.member_id: room.member_name for room in value.rooms}
        self.names |= {member.id: member.name for member in value.members}
        self.accounts = {reader.id: reader for room in value.rooms for reader in room.readers}
        self.accounts |= {known.id: known for member in value.members for known in member.connections}
        self.editor = editor  # whether the viewer may edit the page
        self.may_ask = may(viewer, Act.ASK_RECONNECT, page)

    def shown(self, found: tuple[Cure, ...]) -> Context:
        """`waits`: what ends by itself; `cures`: lists of actions, one or several to be done together; `more`: the
        same, folded away; `told`: what others may do. Where waiting is enough, all the rest is folded."""
        waiting = [cure for cure in found if all(isinstance(part, parts.Wait) for part in cure.parts)]
        others = [cure for cure in found if cure not in waiting]
        listed = [self.steps(cure) for cure in others]
        told = [steps[0]["note"] for steps in listed if len(steps) == 1 and not steps[0]["url"]]
        doable = [steps for steps in listed if len(steps) > 1 or steps[0]["url"]]
        if waiting:
            waits = dict.fromkeys(step["note"] for cure in waiting for step in self.steps(cure))
            return {"waits": list(waits), "cures": [], "more": doable, "told": told}
        for step in chain.from_iterable(doable[:1]):
            step["style"] = "outlined"
        return {"cures": doable[:MOST_SHOWN], "more": doable[MOST_SHOWN:], "told": told}

    def steps(self, cure: Cure) -> list[Context]:
        """One cure as actions; without an address it is a sentence, in `note`."""
        return [self._step(part) for part in cure.parts]

    def _step(self, part: parts.Part) -> Context:
        if isinstance(part, parts.Wait):
            return action("", note=self._ends(self.accounts[part.connection_id]))
        made = self._of_account(part) if isinstance(part, parts.OwnAccount) else self._of_page(part)
        if (part.needs is None and self.editor) or part.needs == self.viewer.pk:
            return made
        if isinstance(part, parts.Reconnect) and self.may_ask:
            label = _("Ask %(name)s to reconnect") % {"name": self._name(part.member_id)}
            return post(label, f"/app/connections/{part.connection_id}/ask", "link")
        name = self._name(self.page.owner_id if part.needs is None else part.needs)
        return action("", note=_("%(name)s: %(step)s") % {"name": name, "step": made["label"]})

    def _name(self, member_id: int) -> str:
        return words.person(self.names.get(member_id, ""))

    @staticmethod
    def _ends(account: ConnectionValue) -> str:
        if account.reason is Reason.OPERATOR:
            return _("This ends by itself as soon as the operator has repaired it.")
        return _("This ends by itself as soon as the service answers.")

    def _of_account(self, part: parts.OwnAccount) -> Context:
        """What a member does to their own accounts."""
        match part:
            case parts.Connect(service=None):
                return _lead(_("Connect a calendar"), "/app/connections?tab=not_connected")
            case parts.Connect(service=wanted):
                name = words.service_name(str(wanted))
                return _lead(_("Connect %(service)s") % {"service": name}, f"/app/connections/{wanted}/connect")
            case parts.UntickCalendar(calendar_id=calendar) | parts.GoOnWithout(calendar_id=calendar):
                untick = isinstance(part, parts.UntickCalendar)
                label = _("Untick the calendar") if untick else _("Go on without the calendar")
                return _do(label, f"/app/calendars/{calendar}/{'untick' if untick else 'go-on'}")
            case parts.EnterOwnDetail(kind=LocationKind.PHONE):
                return _lead(_("Enter a phone number in the profile"), "/app/settings/profile#for_guests")
            case parts.EnterOwnDetail():
                return _lead(_("Enter an address in the profile"), "/app/settings/profile#for_guests")
        assert isinstance(
            part,
            parts.Reconnect | parts.CheckNow | parts.Disconnect | parts.ChooseCalendar | parts.ChooseMeetAccount,
        )
        account = self.accounts[part.connection_id]
        service = f"/app/connections/{account.service}"
        match part:
            case parts.Reconnect():
                return _lead(_("Reconnect"), f"{service}/connect?connection={account.id}")
            case parts.CheckNow():
                return _do(_("Check now"), f"/app/connections/{account.id}/check")
            case parts.Disconnect():
                label = _("Disconnect %(account)s") % {"account": account.account}
                return _lead(label, f"{service}#disconnect-{account.id}")
            case parts.ChooseMeetAccount():
                label = _("Use %(account)s for Google Meet") % {"account": account.account}
                return _do(label, f"/app/connections/{account.id}/meet")
            case _:
                return _lead(_("Choose another calendar"), f"{service}#account-{account.id}")

    def _of_page(self, part: parts.Part) -> Context:
        """Changes to the page itself: they lead to the place in its editor."""
        editor = f"/app/pages/{self.page.pk}"
        rooms = {room.id: room.name for room in self.value.rooms}
        match part:
            case parts.AddLocation(kind=None):
                return _lead(_("Add a location that works"), f"{editor}#locations")
            case parts.AddLocation(kind=kind):
                name = words.location_name(str(kind))
                return _lead(_("Add %(location)s as a location") % {"location": name}, f"{editor}#locations")
            case parts.RemoveAllLocations():
                return _lead(_("Remove all locations"), f"{editor}#locations")
            case parts.EnterDetail(location_id=location):
                return _lead(_("Enter the number or address"), f"{editor}#detail-{location}")
            case parts.ChangeOwner(member_id=member):
                return _lead(_("Make %(name)s the owner") % {"name": self._name(member)}, f"{editor}#owner")
            case parts.TakeOff(member_id=member):
                return _lead(_("Take %(name)s off the page") % {"name": self._name(member)}, f"{editor}#members")
            case parts.StopRequiringCalendar():
                return _lead(_("Stop requiring a connected calendar"), f"{editor}#members")
            case parts.AddMember(member_id=int(member)):
                return _lead(_("Add %(name)s to the members") % {"name": self._name(member)}, f"{editor}#members")
            case parts.AddMember():
                return _lead(_("Add a member with a calendar that works"), f"{editor}#members")
            case parts.ReduceGroup():
                return _lead(_("Ask for fewer of the group"), f"{editor}#members")
            case parts.RemoveRoom(room_id=room):
                return _lead(_("Remove the room “%(room)s”") % {"room": rooms[room]}, f"{editor}#rooms")
            case parts.AddRoom():
                return _lead(_("Add another room"), f"{editor}#rooms")
            case parts.RemoveGroup(group_index=index) if self.value.groups[index].rooms:
                return _lead(_("Ask for no room"), f"{editor}#rooms")
            case _:
                return _lead(_("Remove the group"), f"{editor}#members")


def _lead(label: str, url: str) -> Context:
    return action(label, url, "link")


def _do(label: str, url: str) -> Context:
    return post(label, url, "link")
