"""Connections: the accounts behind the pages, and whether they can be relied on."""

from datetime import UTC, datetime

from ninja import Query, Router
from pydantic import BaseModel, Field

from awase.api.access import CallerRequest, needs
from awase.api.fields import Cursor, Listed, Paged
from awase.api.pages import Person
from awase.domain.errors import Reason
from awase.domain.health import Service, Standing
from awase.models import Calendar, Connection, Credential, Member
from awase.services import connections, words
from awase.services.health import standing_of, tolerance_of
from awase.services.keys import Scope
from awase.services.visible import visible_connections

router = Router(tags=["Connections"])
CURSOR = Cursor("connections", "pk")


class CalendarOut(BaseModel):
    """A calendar of the account. Of another member's account only those in use are told."""

    id: int
    name: str
    checked: bool = Field(description="checked for conflicts")
    receives_bookings: bool
    go_on_without: bool = Field(description="while it cannot be read, pages go on without it")
    missing_since: datetime | None
    unreadable_since: datetime | None


class Lacking(BaseModel):
    """What the account cannot do, although its calendars work."""

    capability: str
    reason: Reason
    sentence: str


class ConnectionOut(BaseModel):
    """A member's link to an account, in the state that counts at this moment."""

    id: int
    member: Person
    service: Service
    service_name: str
    account: str
    in_use: bool
    standing: Standing
    reason: Reason | None
    since: datetime
    what: str = Field(description="the headline; empty unless in error")
    why: str = Field(description="what happened and what to do; empty unless in error")
    lacking: list[Lacking]
    last_checked: datetime | None
    calendars: list[CalendarOut]


class ConnectionList(Listed[ConnectionOut]):
    """A part of the connections."""


@router.get("", response=ConnectionList, **needs(Scope.CONNECTIONS_READ, "invalid"))
def list_connections(request: CallerRequest, asked: Query[Paged]) -> ConnectionList:
    """The member's own accounts; for admins those of the whole workspace."""
    member, now = request.auth.member, datetime.now(UTC)
    found, following = CURSOR.part(visible_connections(member).prefetch_related("calendars"), asked)
    return ConnectionList(items=[_out(connection, member, now) for connection in found], next=following)


@router.post("{int:connection_id}/check", response=ConnectionOut, **needs(Scope.CONNECTIONS_WRITE, "not_found"))
def check_connection(request: CallerRequest, connection_id: int) -> ConnectionOut:
    """Look at the account at once. If it works again, the pages that it stopped are open in the answer's moment."""
    member, now = request.auth.member, datetime.now(UTC)
    rows = visible_connections(member)
    connections.check_now(rows.get(pk=connection_id), now)
    return _out(rows.prefetch_related("calendars").get(pk=connection_id), member, now)


def _out(connection: Connection, viewer: Member, now: datetime) -> ConnectionOut:
    credential = connection.credential
    standing, reason = standing_of(credential, now)
    return ConnectionOut(
        id=connection.pk,
        member=Person(id=connection.member_id, name=connection.member.name),
        service=Service(credential.service),
        service_name=words.service_name(credential.service),
        account=credential.account_email,
        in_use=credential.check_every is not None,
        standing=standing,
        reason=reason,
        since=_since(credential, standing),
        what=words.cannot_use(credential.service, credential.account_email) if reason else "",
        why=_sentence(reason) if reason else "",
        lacking=[
            Lacking(capability=capability, reason=Reason(why), sentence=_sentence(Reason(why)))
            for capability, why in sorted(credential.lacking.items())
        ],
        last_checked=credential.last_checked,
        calendars=[
            CalendarOut(
                id=calendar.pk,
                name=calendar.name,
                checked=calendar.checked,
                receives_bookings=_receives(calendar, connection),
                go_on_without=calendar.go_on_without,
                missing_since=calendar.missing_since,
                unreadable_since=calendar.unreadable_since,
            )
            for calendar in sorted(connection.calendars.all(), key=lambda calendar: calendar.pk)
            if connection.member_id == viewer.pk or calendar.checked or _receives(calendar, connection)
        ],
    )


def _sentence(reason: Reason) -> str:
    return f"{words.happened(reason)} {words.remedy(reason)}"


def _receives(calendar: Calendar, connection: Connection) -> bool:
    return calendar.pk == connection.member.booking_calendar_id


def _since(credential: Credential, standing: Standing) -> datetime:
    """Since when the state lasts; where the tolerance ran out and nobody has written it down yet, since then."""
    if standing is Standing.ERROR and credential.standing != Standing.ERROR:
        return (credential.last_good or credential.since) + tolerance_of(credential)
    return credential.since
