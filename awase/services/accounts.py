"""Users, workspaces and members."""

from django.db import transaction
from django.utils import translation
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from awase.models import Member, Role, User, WeeklySchedule, Workspace

OFFICE_HOURS = [[[540, 1080]]] * 5 + [[], []]


def anybody_there() -> bool:
    """True once the instance has an owner; from then on people come by invitation."""
    return User.objects.exists()


def found_workspace(user: User, name: str = "", slug: str = "", language: str = "ja") -> Member:
    """A new workspace owned by `user`, who becomes its first member with office hours."""
    with transaction.atomic():
        workspace = Workspace.objects.create(
            name=name or str(user),
            slug=slug or get_random_string(8, "abcdefghjkmnpqrstuvwxyz"),
            language=language,
        )
        return add_member(workspace, user, Role.OWNER)


def add_member(workspace: Workspace, user: User, role: Role = Role.MEMBER) -> Member:
    """`user` joins `workspace`, with office hours in their own zone."""
    with transaction.atomic():
        member = Member.objects.create(workspace=workspace, user=user, role=role)
        with translation.override(user.language or workspace.language):
            name = _("Office hours")
        WeeklySchedule.objects.create(
            member=member,
            name=name,
            time_zone=user.time_zone,
            weekly=OFFICE_HOURS,
        )
        return member
