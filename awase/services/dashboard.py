"""What a member sees of the workspace."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from awase.models import Booking, BookingPage, Member, User


def member_of(user: User | AnonymousUser) -> Member | None:
    """The user's membership, or None for strangers to every workspace."""
    if not isinstance(user, User):
        return None
    return Member.objects.filter(user=user).select_related("user", "workspace").order_by("pk").first()


def visible_pages(member: Member) -> QuerySet[BookingPage]:
    """Admins see every page of the workspace, members those that they own, take part in or were given to see."""
    pages = BookingPage.objects.filter(workspace=member.workspace).select_related("owner__user", "workspace")
    if member.is_admin:
        return pages
    concerned = Q(owner=member) | Q(page_members__member=member) | Q(groups__members=member) | Q(shares__member=member)
    return pages.filter(pk__in=BookingPage.objects.filter(concerned).values("pk"))


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
