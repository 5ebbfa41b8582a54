"""Which accounts a member may look at; pages and bookings are in `dashboard`."""

from django.db.models import QuerySet

from awase.models import Connection, Member


def visible_connections(member: Member) -> QuerySet[Connection]:
    """Admins see every account of the workspace, members their own."""
    links = Connection.objects.filter(member__workspace=member.workspace_id)
    if not member.is_admin:
        links = links.filter(member=member)
    return links.select_related("credential", "member__user")
