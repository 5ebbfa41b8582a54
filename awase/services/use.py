"""Which accounts are in use, and so how often each is checked (connection-health.md sections 1 and 6)."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from awase.domain.health import BACKED_BY
from awase.models import BookingPage, Calendar, Condition, Connection, Credential, PageGroup


def renew_use(member_ids: Collection[int], now: datetime) -> None:
    """Set the check interval of every account that these members are linked to.

    Call it in the transaction of whatever changes ticks, pages, locations or members. An account that
    comes into use is checked at once.
    """
    touched = Connection.objects.filter(member__in=member_ids).values("credential")
    credentials = list(Credential.objects.filter(pk__in=touched).order_by("pk"))
    connections = list(Connection.objects.filter(credential__in=credentials).select_related("credential", "member"))
    members = {connection.member_id for connection in connections}
    with_calendars = set(
        Calendar.objects.filter(connection__in=connections)
        .filter(Q(checked=True) | Q(receiving_members__isnull=False))
        .values_list("connection", flat=True)
    )
    held_by = backing(members)
    rooms, watched_rooms = _rooms_of_pages(members)
    busy_members = _members_of_accepting_pages(members)
    for credential in credentials:
        links = [link for link in connections if link.credential_id == credential.pk]
        in_use = [
            link
            for link in links
            if link.pk in with_calendars
            or (link.member_id, credential.service) in held_by
            or (link.member.workspace_id, credential.service) in rooms
        ]
        interval: timedelta | None = None
        if in_use:
            watched = any(
                link.member_id in busy_members or (link.member.workspace_id, credential.service) in watched_rooms
                for link in in_use
            )
            interval = settings.AWASE_CHECK_INTERVAL if watched else settings.AWASE_IDLE_CHECK_INTERVAL
        if interval == credential.check_every:
            continue
        at_once = interval is not None and (credential.check_every is None or interval < credential.check_every)
        credential.check_every = interval
        credential.next_check = None if interval is None else now if at_once else credential.next_check
        credential.save(update_fields=["check_every", "next_check"])


def backing(member_ids: Collection[int]) -> set[tuple[int, str]]:
    """(member, service) wherever a location of a page is held by that member's account."""
    backed: set[tuple[int, str]] = set()
    for kind, (service, _) in BACKED_BY.items():
        pages = BookingPage.objects.filter(locations__kind=kind, archived_at=None)
        owners = pages.exclude(condition=Condition.ANY).filter(owner__in=member_ids).values_list("owner", flat=True)
        hosts = pages.filter(condition=Condition.ANY, page_members__member__in=member_ids)
        backed.update((owner, service.value) for owner in owners)
        backed.update((host, service.value) for host in hosts.values_list("page_members__member", flat=True))
    return backed


def _rooms_of_pages(member_ids: Collection[int]) -> tuple[set[tuple[int, str]], set[tuple[int, str]]]:
    """(workspace, service) wherever a page has rooms, and wherever such a page is accepting. All accounts of the
    service there read the rooms: each may have to stand in for the one through which a room was added."""
    groups = PageGroup.objects.filter(
        page__workspace__members__in=member_ids, page__archived_at=None, rooms__isnull=False
    )
    rows = set(groups.values_list("page__workspace", "rooms__service", "page__accepting"))
    return {row[:2] for row in rows}, {row[:2] for row in rows if row[2]}


def _members_of_accepting_pages(member_ids: Collection[int]) -> set[int]:
    pages = BookingPage.objects.filter(accepting=True, archived_at=None)
    owners = pages.filter(owner__in=member_ids).values_list("owner", flat=True)
    hosts = pages.filter(page_members__member__in=member_ids).values_list("page_members__member", flat=True)
    return set(owners) | set(hosts)
