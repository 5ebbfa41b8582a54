"""編集者と閲覧者 in the page editor: whom the page is shown to and let be changed by, besides those on it."""

from collections.abc import Mapping

from django.http import QueryDict
from django.utils.translation import gettext as _

from awase.models import BookingPage, Member
from awase.web.cards import few_of
from awase.web.page_sections import Facts, common, seen
from awase.web.shell import Context

LEVELS = ("", "viewer", "editor")


def access_section(page: BookingPage, typed: Mapping[int, str] | None = None) -> Context:
    """Every other member with what they may do, as stored or as just typed."""
    stored = stored_access(page)
    levels = stored if typed is None else typed
    team = Member.objects.filter(workspace=page.workspace, left_at=None).exclude(pk=page.owner_id)
    people = [
        {
            "id": member.pk,
            "name": member.name,
            "level": levels.get(member.pk, ""),
            "admin": member.is_admin,
        }
        for member in team.select_related("user").order_by("pk")
    ]
    people.sort(key=lambda person: not person["level"])
    names = [str(person["name"]) for person in people if person["level"]]
    return {
        **common(page, "access"),
        "seen": seen(access_facts(page, stored)),
        "heading": _("Editors and viewers"),
        "help": _("Besides the owner and the admins. Viewers see the page and its bookings; editors also change both."),
        "summary": [few_of(names)] if names else [_("None")],
        "template": "dashboard/_section_access.html",
        "people": people,
    }


def typed_access(data: QueryDict) -> dict[int, str]:
    """The level of each member as sent; "" for none."""
    return {
        int(name.removeprefix("access-")): value
        for name, value in data.items()
        if name.startswith("access-") and name.removeprefix("access-").isdecimal() and value in LEVELS
    }


def access_facts(page: BookingPage, levels: Mapping[int, str]) -> Facts:
    """The section in words: each member who may see or change the page."""
    people = Member.objects.filter(workspace=page.workspace_id, pk__in=[pk for pk, level in levels.items() if level])
    names = {"viewer": _("Viewer"), "editor": _("Editor")}
    return {member.name: names[levels[member.pk]] for member in people.select_related("user").order_by("pk")}


def stored_access(page: BookingPage) -> dict[int, str]:
    """The level of each member as stored."""
    return {pk: "editor" if editor else "viewer" for pk, editor in page.shares.values_list("member", "editor")}
