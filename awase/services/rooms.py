"""The rooms of a workspace: admins add those that an account of theirs sees, and take them away."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from awase import registry
from awase.domain.changes import without_room
from awase.domain.errors import FailureClass, ProviderError
from awase.domain.health import Service
from awase.domain.permissions import Act
from awase.models import BookingPage, Connection, Member, PageGroup, Room
from awase.providers.protocols import RemoteRoom, RoomProvider
from awase.services import pages, previews
from awase.services.foresight import Wish, missing_scopes
from awase.services.permissions import require
from awase.services.tokens import asked_to_wait, source


def offered(connection: Connection) -> bool:
    """Whether the account's service lists rooms at all."""
    return bool(registry.room_scopes(Service(connection.credential.service)))


def allowed(connection: Connection) -> bool:
    """Whether the account has granted what listing and reading rooms needs."""
    return not missing_scopes(connection.credential, Wish.ROOMS)


def may_see_all(connection: Connection) -> bool | None:
    """Whether the account has granted what listing all rooms of its organisation needs; None where there is no more to
    grant than what listing rooms needs."""
    if not registry.organisation_scopes(Service(connection.credential.service)):
        return None
    return not missing_scopes(connection.credential, Wish.ORGANISATION)


def seen_by(connection: Connection, now: datetime) -> Sequence[RemoteRoom]:
    """The rooms that the account sees now, asked at the service: those of the organisation where it may list them.
    Raises ProviderError."""
    if waiting := asked_to_wait(connection.credential, now):
        raise ProviderError(waiting)
    provider = registry.calendars(Service(connection.credential.service), source(connection.credential))
    if not isinstance(provider, RoomProvider):
        return ()
    if may_see_all(connection):
        try:
            return provider.list_rooms(organisation=True)
        except ProviderError as error:
            if error.failure.kind is not FailureClass.BAD_REQUEST:
                raise
            # No administrator (any more), whatever was granted.
    return provider.list_rooms()


def add(connection: Connection, addresses: Collection[str], now: datetime, *, by: Member) -> None:
    """These of the rooms that the account sees; it reads them from now on, also those that the workspace had
    through another account. Raises ProviderError, PermissionDenied."""
    require(by, Act.CHANGE_ROOMS, connection.member.workspace)
    for remote in seen_by(connection, now):
        if remote.address in addresses:
            Room.objects.update_or_create(
                workspace=connection.member.workspace,
                service=connection.credential.service,
                address=remote.address,
                defaults={"connection": connection, "name": remote.name[:120], "capacity": remote.capacity},
            )


def of_removal(room: Room, now: datetime) -> list[previews.Turn]:
    """The pages that would stop or open without the room."""
    return previews.turned(_pages_with(room), lambda value: without_room(value, room.pk), now)


def remove(room: Room, now: datetime, *, by: Member) -> None:
    """Take the room away, also from the pages that use it; a group of required rooms goes with its last one.
    Raises PermissionDenied."""
    require(by, Act.CHANGE_ROOMS, room.workspace)
    with transaction.atomic():
        concerned = _pages_with(room)
        before = {page.pk: pages.touched(page) for page in concerned}
        emptied = [group.pk for group in PageGroup.objects.filter(rooms=room, needed=None) if group.rooms.count() == 1]
        room.delete()
        PageGroup.objects.filter(pk__in=emptied).delete()
        for page in concerned:
            pages.saved(page, before[page.pk], now)


def _pages_with(room: Room) -> list[BookingPage]:
    return list(BookingPage.objects.filter(groups__rooms=room).distinct().order_by("title", "pk"))
