"""Who may do what with a booking: its hosts, the page's owner and the workspace's admins; nobody else."""

from django.core.exceptions import PermissionDenied

from awase.models import Booking, BookingPage, Member
from awase.services import dashboard
from awase.services.hosts import carrier_of


def may_handle(member: Member, booking: Booking) -> bool:
    """Whether the member may answer, move, hand over or cancel the booking."""
    if dashboard.may_edit(member, booking.page):
        return True
    return carrier_of(booking).host_times.filter(member=member).exists()


def require_handling(member: Member, booking: Booking) -> None:
    """Raise PermissionDenied for everybody who may not handle the booking."""
    if not may_handle(member, booking):
        raise PermissionDenied


def require_hosting(member: Member, page: BookingPage) -> None:
    """Raise PermissionDenied for everybody but the page's members, its owner and the admins."""
    if not (dashboard.may_edit(member, page) or page.page_members.filter(member=member).exists()):
        raise PermissionDenied
