"""参加メンバー and rooms in the page editor: who takes part, under which condition."""

from collections.abc import Mapping
from datetime import datetime

from django.http import QueryDict
from django.utils.translation import gettext as _

from awase.domain.health import Group
from awase.models import BookingPage, Condition, Member, Room
from awase.models.page import Assignment
from awase.services import pages, words
from awase.services.health import standing_of
from awase.web.connection_cards import state_badge
from awase.web.page_sections import common
from awase.web.shell import Context

SPARE_GROUPS = 2
MOST_GROUPS = 8


def members_section(page: BookingPage, people: pages.People, now: datetime) -> Context:
    """The members as stored or as just typed."""
    team = list(
        Member.objects.filter(workspace=page.workspace, left_at=None)
        .select_related("user")
        .prefetch_related("connections__credential")
        .order_by("pk")
    )
    chosen = {member_id: place for place, member_id in enumerate(people.member_ids)}
    team.sort(key=lambda member: (member.pk not in chosen, chosen.get(member.pk, 0), member.pk))
    names = {member.pk: member.name for member in team}
    groups = [*people.groups, *[Group(())] * SPARE_GROUPS][:MOST_GROUPS]
    group_of = {pk: number for number, group in enumerate(groups, start=1) for pk in group.ids}
    return {
        **common(page, "members"),
        "heading": _("Members"),
        "summary": [names[pk] for pk in people.member_ids if pk in names],
        "template": "dashboard/_section_members.html",
        "condition": people.condition.value,
        "automatic": people.assignment is not Assignment.GUEST,
        "method": people.assignment.value,
        "calendar_required": people.calendar_required,
        "owners": [
            {"value": member.pk, "label": member.name, "selected": member.pk == people.owner_id} for member in team
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
                "badges": [],
            }
            for member in team
        ],
        "groups": [{"number": number, "needed": group.needed or ""} for number, group in enumerate(groups, start=1)],
    }


def _number(text: str | None, least: int, most: int, default: int) -> int:
    return min(max(int(text), least), most) if text and text.isascii() and text.isdigit() else default


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
    return int(text) if text and text.isascii() and text.isdigit() else 0


def rooms_section(page: BookingPage, rooms: Group | None) -> Context:
    """The rooms of the workspace, those of the page ticked."""
    found = Room.objects.filter(workspace=page.workspace_id)
    chosen = rooms.ids if rooms else ()
    return {
        **common(page, "rooms"),
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
                "badges": [{"kind": "danger", "label": _("Connection error")}] if room.missing_since else [],
            }
            for room in found
        ],
        "all": rooms is None or rooms.needed is None,
    }


def typed_rooms(page: BookingPage, data: Mapping[str, str], ids: list[str]) -> Group | None:
    """The rooms ticked in a form; None if none is."""
    wanted = set(map(_id, ids))
    known = Room.objects.filter(workspace=page.workspace_id, pk__in=wanted).values_list("pk", flat=True)
    if not known:
        return None
    return Group(tuple(known), 1 if data.get("needed") == "any" else None, rooms=True)
