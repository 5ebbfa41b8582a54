"""What a member sees of the workspace, and what of it concerns them."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from awase.domain.health import Service, Standing
from awase.models import Booking, BookingPage, Connection, Member, User
from awase.services.health import standing_of, verdicts


def member_of(user: User | AnonymousUser) -> Member | None:
    """The user's membership, or None for strangers to every workspace."""
    if not isinstance(user, User):
        return None
    return Member.objects.filter(user=user).select_related("user", "workspace").order_by("pk").first()


def visible_pages(member: Member) -> QuerySet[BookingPage]:
    """Admins see every page of the workspace, members those that they own or take part in."""
    pages = BookingPage.objects.filter(workspace=member.workspace).select_related("owner__user", "workspace")
    if member.is_admin:
        return pages
    return pages.filter(Q(owner=member) | Q(page_members__member=member)).distinct()


def may_edit(member: Member, page: BookingPage) -> bool:
    """The page's owner and the workspace's admins."""
    return page.workspace_id == member.workspace_id and (member.is_admin or page.owner_id == member.pk)


def visible_bookings(member: Member) -> QuerySet[Booking]:
    """Admins see every booking; members those that they host, and those of their own pages."""
    bookings = Booking.objects.filter(workspace=member.workspace).select_related("page__owner__user", "workspace")
    if member.is_admin:
        return bookings
    return bookings.filter(Q(host_times__member=member) | Q(page__owner=member)).distinct()


def visible_errors(member: Member, now: datetime) -> list[Connection]:
    """Other members' accounts in error that the viewer should know of: for admins all, for page owners those
    of the people on their pages."""
    links = Connection.objects.filter(member__workspace=member.workspace).exclude(member=member)
    if not member.is_admin:
        mine = BookingPage.objects.filter(owner=member)
        links = links.filter(member__page_memberships__page__in=mine).distinct()
    return _in_error(links, now)


def own_errors(member: Member, now: datetime) -> list[Connection]:
    """The member's own accounts that cannot be relied on."""
    return _in_error(Connection.objects.filter(member=member), now)


def _in_error(links: QuerySet[Connection], now: datetime) -> list[Connection]:
    found = links.select_related("credential", "member__user").order_by("member", "pk")
    return [link for link in found if standing_of(link.credential, now)[0] is Standing.ERROR]


@dataclass(frozen=True, slots=True)
class Concern:
    """What the banner tells: the services in error and how many pages are stopped by health."""

    services: tuple[Service, ...]
    stopped: int


def concern(member: Member, now: datetime) -> Concern:
    """Own accounts and own pages; for admins all."""
    pages = visible_pages(member) if member.is_admin else visible_pages(member).filter(owner=member)
    stopped = sum(not verdict.open for verdict in verdicts(pages.filter(accepting=True), now).values())
    links = own_errors(member, now)
    if member.is_admin or stopped:
        links = [*links, *visible_errors(member, now)]
    return Concern(tuple(dict.fromkeys(Service(link.credential.service) for link in links)), stopped)
