"""Name, address and language of a workspace."""

from enum import StrEnum

from django.db import IntegrityError, transaction

from awase.domain.permissions import Act
from awase.models import Member, Workspace
from awase.services.permissions import require

# First parts of addresses at which the product itself answers, or may one day. A test walks the addresses.
RESERVED = frozenset(
    [
        *("about", "accounts", "admin", "api", "app", "assets", "b", "blog", "connect", "docs", "embed", "favicon"),
        *("health", "help", "hooks", "language", "login", "logout", "media", "metrics", "public", "ready", "reconnect"),
        *("robots", "settings", "signup", "static", "status", "support", "theme", "www"),
    ]
)


class Unfit(StrEnum):
    """Why an address cannot be a workspace's."""

    TAKEN = "taken"
    RESERVED = "reserved"


class UnfitAddress(Exception):
    """Nothing was stored."""

    def __init__(self, why: Unfit) -> None:
        super().__init__(why.value)
        self.why = why


def save(by: Member, *, name: str, slug: str, language: str) -> None:
    """Keep them for the workspace of `by`. With another address the old links to its pages lead nowhere. Raises
    UnfitAddress, PermissionDenied."""
    workspace = by.workspace
    require(by, Act.CHANGE_WORKSPACE, workspace)
    if slug != workspace.slug and slug in RESERVED:
        raise UnfitAddress(Unfit.RESERVED)
    try:
        with transaction.atomic():
            Workspace.objects.filter(pk=workspace.pk).update(name=name, slug=slug, language=language)
    except IntegrityError:
        raise UnfitAddress(Unfit.TAKEN) from None
    workspace.name, workspace.slug, workspace.language = name, slug, language
