"""Users, workspaces and members."""

from contextlib import suppress

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from awase.models import Member, Role, User, WeeklySchedule, Workspace
from awase.services import first_run

OFFICE_HOURS = [[[540, 1080]]] * 5 + [[], []]


class SignUpClosed(Exception):
    """Somebody else became the instance's owner at this moment; nothing was stored."""


def anybody_there() -> bool:
    """True once the instance has an owner; from then on people come by invitation, unless it is open to all."""
    return User.objects.exists()


def sign_up(user: User) -> Member:
    """Somebody who signed up by themselves, in a transaction with the user's row: the first one owns the instance,
    later ones come only to one that is open to all. Raises SignUpClosed."""
    member = found_workspace(user, language=user.language or "en")
    if not user.owns_instance and not settings.AWASE_SIGNUP_OPEN:
        raise SignUpClosed
    first_run.begin(member)
    return member


def _own_instance(user: User) -> None:
    """The first account owns the instance; of two at the same moment the database lets one."""
    if User.objects.filter(owns_instance=True).exists():
        return
    with suppress(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(owns_instance=True)
    user.refresh_from_db(fields=["owns_instance"])


def found_workspace(user: User, name: str = "", slug: str = "", language: str = "ja") -> Member:
    """A new workspace owned by `user`, who becomes its first member with office hours."""
    with transaction.atomic():
        _own_instance(user)
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
