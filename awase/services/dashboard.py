"""What a member sees of the workspace."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from awase.models import Booking, BookingPage, Member, User
from awase.models.prepared import prepared


def member_of(user: User | AnonymousUser) -> Member | None:
    """The user's membership, or None for strangers to every workspace."""
    if not isinstance(user, User):
        return None
    return Member.objects.filter(user=user, left_at=None).select_related("user", "workspace").order_by("pk").first()


def visible_pages(member: Member) -> QuerySet[BookingPage]:
    """Admins see every page of the workspace, members those that they own, take part in or were given to see."""
    pages = _pages_of(member.workspace_id)
    return pages if member.is_admin else pages.filter(_concerning(member.pk))


def visible_page(member: Member, slug: str) -> BookingPage:
    """The one of these pages with this address. Raises BookingPage.DoesNotExist."""
    asked = member.workspace_id, slug
    found = _any_page(*asked) if member.is_admin else _page_concerning(*asked, member.pk)
    if not found:
        raise BookingPage.DoesNotExist
    return found[0]


def _pages_of(workspace: Any) -> QuerySet[BookingPage]:
    return BookingPage.objects.filter(workspace=workspace).select_related("owner__user", "workspace")


def _concerning(member: Any) -> Q:
    concerned = Q(owner=member) | Q(page_members__member=member) | Q(groups__members=member) | Q(shares__member=member)
    return Q(pk__in=BookingPage.objects.filter(concerned).values("pk"))


@prepared
def _any_page(workspace: Any, slug: Any) -> QuerySet[BookingPage]:
    return _pages_of(workspace).filter(slug=slug)


@prepared
def _page_concerning(workspace: Any, slug: Any, member: Any) -> QuerySet[BookingPage]:
    return _pages_of(workspace).filter(_concerning(member), slug=slug)


def may_edit(member: Member, page: BookingPage) -> bool:
    """The page's owner, the workspace's admins, and whoever was let edit it."""
    if page.workspace_id != member.workspace_id:
        return False
    return member.is_admin or page.owner_id == member.pk or page.shares.filter(member=member, editor=True).exists()


def visible_bookings(member: Member, *, sessions: bool = False) -> QuerySet[Booking]:
    """The guests' bookings: admins see every one; members those that they host, and those of their own pages.
    With `sessions` also the rows that carry group sessions."""
    bookings = Booking.objects.filter(workspace=member.workspace).select_related(
        "page__owner__user", "workspace", "session"
    )
    if not sessions:
        bookings = bookings.filter(is_session=False)
    if member.is_admin:
        return bookings
    concerned = Q(host_times__member=member) | Q(session__host_times__member=member) | Q(page__owner=member)
    return bookings.filter(pk__in=Booking.objects.filter(concerned).values("pk"))
