"""How a workspace looks to its guests: an accent colour and a logo."""

from hashlib import sha256

from django.db import transaction

from awase.domain.colour import is_colour
from awase.domain.permissions import Act
from awase.models import Member, Workspace, WorkspaceLogo
from awase.services.permissions import require


def save_colour(by: Member, colour: str) -> None:
    """Keep the accent colour "#rrggbb"; "" for Awase's own. Raises PermissionDenied, ValueError."""
    require(by, Act.CHANGE_WORKSPACE, by.workspace)
    if colour and not is_colour(colour):
        raise ValueError(colour)
    by.workspace.accent = colour
    by.workspace.save(update_fields=["accent"])


def save_logo(by: Member, content: bytes, kind: str) -> None:
    """Keep a picture as the logo, already looked at; `kind` is its media type. Raises PermissionDenied."""
    require(by, Act.CHANGE_WORKSPACE, by.workspace)
    digest = sha256(content).hexdigest()
    fields = {"content": content, "kind": kind, "digest": digest}
    with transaction.atomic():
        WorkspaceLogo.objects.update_or_create(workspace=by.workspace, defaults=fields)
        _name_logo(by.workspace, digest)


def remove_logo(by: Member) -> None:
    """The workspace has no logo any more. Raises PermissionDenied."""
    require(by, Act.CHANGE_WORKSPACE, by.workspace)
    with transaction.atomic():
        WorkspaceLogo.objects.filter(workspace=by.workspace).delete()
        _name_logo(by.workspace, "")


def _name_logo(workspace: Workspace, digest: str) -> None:
    workspace.logo = digest
    workspace.save(update_fields=["logo"])
