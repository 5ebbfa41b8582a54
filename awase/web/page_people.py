"""参加メンバー and rooms in the page editor: who takes part, under which condition."""

from collections.abc import Mapping
from datetime import datetime

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from awase.domain.gate import evaluate
from awase.domain.health import Group, Lack, PageValue, StopKind
from awase.domain.permissions import Act
from awase.models import BookingPage, Condition, Member, Room
from awase.models.page import Assignment
from awase.services import pages, words
from awase.services.health import standing_of
from awase.services.permissions import may
from awase.web.cards import few_of
from awase.web.connection_cards import state_badge
from awase.web.numbers import whole_number
from awase.web.page_sections import Facts, common, seen, warning
from awase.web.shell import Context

SPARE_GROUPS = 2
MOST_GROUPS = 8


METHODS = {
    Assignment.EVEN: gettext_lazy("evenly"),
    Assignment.PRIORITY: gettext_lazy("by priority"),
    Assignment.SEQUENTIAL: gettext_lazy("in turn"),
    Assignment.GUEST: gettext_lazy("Guests choose"),
}
CONDITIONS = {
    Condition.ALL: gettext_lazy("Times when all members can take part"),
    Condition.ANY: gettext_lazy("Times when any one of the members can take part"),
    Condition.LIST: gettext_lazy("Assignment list"),
}


def members_section(
    page: BookingPage, people: pages.People, value: PageValue, viewer: Member, now: datetime
) -> Context:
    """The members as stored or as just typed; `value` are the gate's values with them."""
    team = list(
        Member.objects.filter(workspace=page.workspace, left_at=None)
        .select_related("user")
        .prefetch_related("connections__credential")
        .order_by("pk")
    )
    chosen = {member_id: place for place, member_id in enumerate(people.member_ids)}
    team.sort(key=lambda member: (member.pk not in chosen, chosen.get(member.pk, 0), member.pk))
    names = {member.pk: member.name for member in team}
    on_page = [names[pk] for pk in people.member_ids if pk in names]
    groups = [*people.groups, *[Group(())] * SPARE_GROUPS][:MOST_GROUPS]
    group_of = {pk: number for number, group in enumerate(groups, start=1) for pk in group.ids}
    verdict = evaluate(value)
    lacks = dict.fromkeys((*verdict.stops, *verdict.left_out, *verdict.warnings))
    if value.by_owner:  # a location that fails is told where the locations stand
        lacks = {lack: None for lack in lacks if lack.location_id is None}
    return {
        **common(page, "members"),
        "seen": seen(people_facts(pages.people_of(page))),
        "lacking": [warning(lack, names) for lack in lacks if _of_nobody(lack)],
        "heading": _("Members"),
        "summary": [few_of(on_page)] if on_page else [],
        "template": "dashboard/_section_members.html",
        "condition": people.condition.value,
        "automatic": people.assignment is not Assignment.GUEST,
        "method": people.assignment.value,
        "calendar_required": people.calendar_required,
        "owners": [
            {"value": member.pk, "label": member.name, "selected": member.pk == people.owner_id}
            for member in (team if may(viewer, Act.GIVE_PAGE, page) else ())
        ],
        "members": [
            {
                "id": member.pk,
                "name": member.name,
                "checked": member.pk in chosen,
                "weight": people.weights.get(member.pk, 1),
                "level": people.levels.get(member.pk, 1),
                "group": group_of.get(member.pk, 0),
                "facts": [
                    f"{words.service_name(link.credential.service)} – "
                    f"{state_badge(standing_of(link.credential, now)[0])['label']}"
                    for link in member.connections.all()
                ],
                "warnings": [
                    warning(lack, names)
                    for lack in lacks
                    if lack.member_id == member.pk and member.pk in chosen and lack.room_id is None
                ],
            }
            for member in team
        ],
        "blank": {"id": "", "weight": 1, "level": 1, "group": 0},
        "groups": [{"number": number, "needed": group.needed or ""} for number, group in enumerate(groups, start=1)],
    }


def _of_nobody(lack: Lack) -> bool:
    """A lack of the people as a whole: there are none, or a group cannot be filled."""
    return lack.kind in (StopKind.NO_MEMBERS, StopKind.GROUP) and lack.member_id is None and lack.room_id is None


def people_facts(people: pages.People) -> Facts:
    """The members section in words."""
    ids = (people.owner_id, *people.member_ids)
    names = {member.pk: member.name for member in Member.objects.filter(pk__in=ids).select_related("user")}
    facts = {
        _("Condition for a booking"): str(CONDITIONS[people.condition]),
        _("How hosts are assigned"): "" if people.condition is Condition.ALL else str(METHODS[people.assignment]),
        _("Only members with a connected calendar"): _("Yes") if people.calendar_required else _("No"),
        _("Members"): pgettext("list of names", ", ").join(names[pk] for pk in people.member_ids),
        _("Owner"): names[people.owner_id],
    }
    for number, group in enumerate(people.groups, start=1):
        of_group = pgettext("list of names", ", ").join(names[pk] for pk in group.ids if pk in names)
        facts[_("Group %(number)d") % {"number": number}] = f"{of_group} ({group.needed or _('all')})"
    for label, numbers in ((_("Weight"), people.weights), (_("Priority"), people.levels)):
        told = [f"{names[pk]} {number}" for pk, number in sorted(numbers.items()) if number != 1 and pk in names]
        facts[label] = pgettext("list of names", ", ").join(told)
    return facts


def _number(text: str | None, least: int, most: int, default: int) -> int:
    found = whole_number(text)
    return default if found is None else min(max(found, least), most)


def typed_people(page: BookingPage, data: QueryDict) -> pages.People:
    team = set(Member.objects.filter(workspace=page.workspace, left_at=None).values_list("pk", flat=True))
    chosen = dict.fromkeys(pk for pk in map(_id, data.getlist("member")) if pk in team)
    owner, method, condition = _id(data.get("owner")), data.get("method", "even"), data.get("condition")
    automatic = "automatic" in data or condition == Condition.LIST
    members_of: dict[int, list[int]] = {}
    for pk in chosen:
        members_of.setdefault(_number(data.get(f"group-{pk}"), 0, MOST_GROUPS, 0), []).append(pk)
    return pages.People(
        condition=Condition(condition) if condition in Condition.values else Condition.ALL,
        assignment=Assignment(method) if automatic and method in Assignment.values else Assignment.GUEST,
        calendar_required="calendar_required" in data,
        owner_id=owner if owner in team else page.owner_id,
        member_ids=tuple(chosen),
        weights={pk: _number(data.get(f"weight-{pk}"), 1, 100, 1) for pk in chosen},
        levels={pk: _number(data.get(f"level-{pk}"), 1, 9, 1) for pk in chosen},
        groups=tuple(
            Group(tuple(ids), _number(data.get(f"needed-{number}"), 1, 1000, 0) or None)
            for number, ids in sorted(members_of.items())
            if number
        ),
    )


def _id(text: str | None) -> int:
    return whole_number(text) or 0


def rooms_section(page: BookingPage, rooms: Group | None, value: PageValue) -> Context:
    """The rooms of the workspace, those of the page ticked; `value` are the gate's values with them."""
    found = Room.objects.filter(workspace=page.workspace_id)
    chosen = rooms.ids if rooms else ()
    verdict = evaluate(value)
    names = {member.id: member.name for member in value.members}
    names |= {room.member_id: room.member_name for room in value.rooms if room.member_id is not None}
    lacks = dict.fromkeys(lack for lack in (*verdict.stops, *verdict.warnings) if lack.room_id is not None)
    return {
        **common(page, "rooms"),
        "seen": seen(rooms_facts(pages.rooms_of(page))),
        "heading": _("Rooms"),
        "summary": [room.name for room in found if room.pk in chosen] or [_("None")],
        "template": "dashboard/_section_rooms.html",
        "help": "" if found else _("An admin adds rooms in the details of a connection."),
        "rooms": [
            {
                "id": room.pk,
                "name": room.name,
                "address": room.address,
                "checked": room.pk in chosen,
                "warnings": [warning(lack, names) for lack in lacks if lack.room_id == room.pk],
            }
            for room in found
        ],
        "all": rooms is None or rooms.needed is None,
    }


def rooms_facts(rooms: Group | None) -> Facts:
    """The rooms section in words."""
    names = Room.objects.filter(pk__in=rooms.ids if rooms else ()).values_list("name", flat=True)
    needed = _("Any one of these rooms") if rooms and rooms.needed else _("All these rooms are needed")
    return {
        _("Rooms"): pgettext("list of names", ", ").join(sorted(names)),
        _("How many rooms"): needed if rooms else "",
    }


def typed_rooms(page: BookingPage, data: Mapping[str, str], ids: list[str]) -> Group | None:
    """The rooms ticked in a form; None if none is."""
    wanted = set(map(_id, ids))
    known = Room.objects.filter(workspace=page.workspace_id, pk__in=wanted).values_list("pk", flat=True)
    if not known:
        return None
    return Group(tuple(known), 1 if data.get("needed") == "any" else None, rooms=True)
