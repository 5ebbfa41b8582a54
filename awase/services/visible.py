"""Which accounts a member may look at; pages and bookings are in `dashboard`."""

from django.db.models import QuerySet

from awase.domain.permissions import Act
from awase.models import Connection, Member
from awase.services import permissions


def visible_connections(member: Member) -> QuerySet[Connection]:
    """Admins see every account of the workspace, members their own."""
    links = Connection.objects.filter(member__workspace=member.workspace_id)
    if not permissions.by_role(member, Act.SEE_CONNECTIONS):
        links = links.filter(member=member)
    return links.select_related("credential", "member__user")
