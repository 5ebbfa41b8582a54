"""Connections: the accounts behind the pages, and whether they can be relied on."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from ninja import Query, Router
from pydantic import BaseModel, Field

from awase.api.access import CallerRequest, needs
from awase.api.fields import Cursor, Listed, Paged
from awase.api.pages import Person
from awase.domain.errors import Capability, Reason
from awase.domain.health import Service, Standing
from awase.domain.history import Mark, first_moment
from awase.models import Calendar, Connection, Member
from awase.services import connections, history, troubles, words
from awase.services.health import member_values, standing_of
from awase.services.keys import Scope
from awase.services.signals import Cause
from awase.services.visible import visible_connections

router = Router(tags=["Connections"])
CURSOR = Cursor("connections", "pk")
MOST_CHANGES = 200


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
    ends_at: datetime | None = Field(description="when the permission runs out, where that is known")
    what: str = Field(description="the headline; empty unless in error")
    why: str = Field(description="what happened and what to do; empty unless in error")
    lacking: list[Lacking]
    last_checked: datetime | None
    calendars: list[CalendarOut]


class Change(BaseModel):
    """The account's state changed, and what triggered it."""

    at: datetime
    standing: Standing
    reason: Reason | None
    cause: Cause
    what: str = Field(description="what happened; empty where nothing was wrong")


class ConnectionDay(BaseModel):
    """How many hours of one date, in the member's zone, the account was in each state."""

    day: date
    ok: float
    degraded: float
    error: float


class ConnectionHistory(BaseModel):
    """What happened to an account in the last 90 days."""

    changes: list[Change] = Field(description="the newest first, at most 200")
    days: list[ConnectionDay] = Field(description="the oldest first, today included")


class ConnectionList(Listed[ConnectionOut]):
    """A part of the connections."""


@router.get("", response=ConnectionList, **needs(Scope.CONNECTIONS_READ, "invalid"))
def list_connections(request: CallerRequest, asked: Query[Paged]) -> ConnectionList:
    """The member's own accounts; for admins those of the whole workspace."""
    member, now = request.auth.member, datetime.now(UTC)
    found, following = CURSOR.part(visible_connections(member).prefetch_related("calendars"), asked)
    return ConnectionList(items=_told(found, member, now), next=following)


@router.get("{int:connection_id}/history", response=ConnectionHistory, **needs(Scope.CONNECTIONS_READ, "not_found"))
def read_history(request: CallerRequest, connection_id: int) -> ConnectionHistory:
    """The states of an account with their reasons and what triggered them."""
    member, now = request.auth.member, datetime.now(UTC)
    zone = member.user.time_zone
    credential = visible_connections(member).get(pk=connection_id).credential
    rows = credential.changes.filter(at__gte=first_moment(now, zone))[:MOST_CHANGES]
    return ConnectionHistory(
        changes=[
            Change(
                at=row.at,
                standing=Standing(row.standing),
                reason=Reason(row.reason) if row.reason else None,
                cause=Cause(row.cause),
                what=words.happened(Reason(row.reason)) if row.reason else "",
            )
            for row in rows
        ],
        days=[
            ConnectionDay(
                day=day.day, ok=day.hours(Mark.OK), degraded=day.hours(Mark.WARN), error=day.hours(Mark.DANGER)
            )
            for day in history.account_days([credential], now, zone)[credential.pk]
        ],
    )


@router.post("{int:connection_id}/check", response=ConnectionOut, **needs(Scope.CONNECTIONS_WRITE, "not_found"))
def check_connection(request: CallerRequest, connection_id: int) -> ConnectionOut:
    """Look at the account at once. If it works again, the pages that it stopped are open in the answer's moment."""
    member, now = request.auth.member, datetime.now(UTC)
    rows = visible_connections(member)
    connections.check_now(rows.get(pk=connection_id), now)
    (checked,) = _told([rows.prefetch_related("calendars").get(pk=connection_id)], member, now)
    return checked


def _told(links: Sequence[Connection], viewer: Member, now: datetime) -> list[ConnectionOut]:
    owners = member_values({link.member_id for link in links}, now)
    values = {value.id: value for owner in owners.values() for value in owner.connections}
    lacks = troubles.lacking(links, values)
    return [_out(link, lacks[link.pk], viewer, now) for link in links]


def _out(
    connection: Connection, lacks: Sequence[tuple[Capability, Reason]], viewer: Member, now: datetime
) -> ConnectionOut:
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
        since=history.since(credential, now),
        ends_at=credential.ends_at,
        what=words.cannot_use(credential.service, credential.account_email) if reason else "",
        why=words.reason(reason) if reason else "",
        lacking=[
            Lacking(capability=capability, reason=reason, sentence=words.reason(reason)) for capability, reason in lacks
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


def _receives(calendar: Calendar, connection: Connection) -> bool:
    return calendar.pk == connection.member.booking_calendar_id
