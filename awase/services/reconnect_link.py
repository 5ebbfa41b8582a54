"""A link that leads one member, in one tap, to the consent of one account that has to be reconnected.

It is signed and runs out; it lets nobody in: whoever follows it must be logged in as the member whose account
it is, so that nobody reconnects for somebody else.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing

from awase.models import Connection

VALID = timedelta(days=7)
SALT = "awase.reconnect"


class LinkProblem(Exception):
    """The link cannot be followed; `expired` tells why, else it was changed or its account is gone."""

    def __init__(self, *, expired: bool = False) -> None:
        super().__init__("expired" if expired else "unknown")
        self.expired = expired


def make(connection: Connection, now: datetime) -> str:
    """The address of a link for the connection's member."""
    content = [connection.pk, connection.member_id, int((now + VALID).timestamp())]
    return f"{settings.AWASE_URL}/reconnect/{signing.dumps(content, salt=SALT)}"


def follow(token: str, now: datetime) -> Connection:
    """The connection that the link is about, with its member's user. Raises LinkProblem."""
    try:
        connection_id, member_id, until = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        raise LinkProblem from None
    if now.timestamp() >= until:
        raise LinkProblem(expired=True)
    links = Connection.objects.select_related("credential", "member__user")
    connection = links.filter(pk=connection_id, member=member_id).first()
    if connection is None:
        raise LinkProblem
    return connection
