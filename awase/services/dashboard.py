"""What a member sees of the workspace."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from awase.domain.permissions import Act
from awase.models import Booking, BookingPage, BookingState, Effect, EffectState, Member, User
from awase.models.prepared import prepared
from awase.services import permissions

CHOSEN = "awase_member"  # in a browser's session: the membership that was chosen last


def memberships(user: User | AnonymousUser, session: Mapping[str, Any]) -> list[Member]:
    """The user's memberships, the one that was chosen last in this browser first; [] for strangers to all."""
    if not isinstance(user, User):
        return []
    found = Member.objects.filter(user=user, left_at=None).select_related("user", "workspace")
    return sorted(found, key=lambda member: (member.pk != session.get(CHOSEN), member.pk))


def visible_pages(member: Member) -> QuerySet[BookingPage]:
    """Admins see every page of the workspace, members those that they own, take part in or were given to see."""
    pages = _pages_of(member.workspace_id)
    seen_all = permissions.by_role(member, Act.SEE_PAGE)
    return pages if seen_all else pages.filter(permissions.pages_where(member.pk, Act.SEE_PAGE))


def visible_page(member: Member, slug: str) -> BookingPage:
    """The one of these pages with this address. Raises BookingPage.DoesNotExist."""
    asked = member.workspace_id, slug
    found = _any_page(*asked) if permissions.by_role(member, Act.SEE_PAGE) else _page_seen(*asked, member.pk)
    if not found:
        raise BookingPage.DoesNotExist
    return found[0]


def _pages_of(workspace: Any) -> QuerySet[BookingPage]:
    return BookingPage.objects.filter(workspace=workspace).select_related("owner__user", "workspace")


@prepared
def _any_page(workspace: Any, slug: Any) -> QuerySet[BookingPage]:
    return _pages_of(workspace).filter(slug=slug)


@prepared
def _page_seen(workspace: Any, slug: Any, member: Any) -> QuerySet[BookingPage]:
    return _pages_of(workspace).filter(permissions.pages_where(member, Act.SEE_PAGE), slug=slug)


def visible_bookings(member: Member, *, sessions: bool = False, act: Act = Act.SEE_BOOKING) -> QuerySet[Booking]:
    """The guests' bookings with which the member may do `act`. To see them: admins every one; members those that they
    host, and those of the pages that they own or were given to see. With `sessions` also the rows that carry group
    sessions."""
    bookings = Booking.objects.filter(workspace=member.workspace).select_related(
        "page__owner__user", "workspace", "session"
    )
    if not sessions:
        bookings = bookings.filter(is_session=False)
    return bookings if permissions.by_role(member, act) else bookings.filter(permissions.bookings_where(member, act))


def waiting_bookings(member: Member, now: datetime) -> QuerySet[Booking]:
    """Bookings ahead that wait for somebody who may handle them, such as `member`: requests without an answer, places
    that guests were promised, and work that is parked or was given up."""
    troubled = Effect.objects.filter(state__in=[EffectState.PARKED, EffectState.FAILED], booking__isnull=False)
    answer = Q(state=BookingState.REQUESTED, answer_by__gt=now)
    place = Q(state=BookingState.CONFIRMED, place_missing=True)
    work = Q(pk__in=troubled.values("booking")) | Q(session__in=troubled.values("booking"))
    return visible_bookings(member, act=Act.HANDLE_BOOKING).filter(answer | place | work, end__gt=now)
