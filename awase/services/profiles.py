"""Public profiles: a workspace, or one of its members, with the pages on which guests can book."""

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from awase.models import BookingPage, Condition, Member, Workspace
from awase.models.page import Visibility


class AddressTaken(Exception):
    """Another member's profile has this address."""


def pages_of(workspace: Workspace) -> QuerySet[BookingPage]:
    """The pages that the workspace shows to everybody."""
    shown = BookingPage.objects.filter(workspace=workspace, archived_at=None, visibility=Visibility.PUBLIC)
    return shown.select_related("workspace").order_by("title", "pk")


def pages_with(member: Member) -> QuerySet[BookingPage]:
    """Those of them on which this member can be booked."""
    listed = Q(condition=Condition.LIST)
    taking_part = ~listed & Q(page_members__member=member)
    in_a_group = listed & Q(groups__of_rooms=False, groups__members=member)
    concerned = BookingPage.objects.filter(taking_part | in_a_group)
    return pages_of(member.workspace).filter(pk__in=concerned.values("pk"))


def members_of(workspace: Workspace) -> QuerySet[Member]:
    """The members who have a public profile."""
    shown = Member.objects.filter(workspace=workspace, left_at=None).exclude(slug="")
    return shown.select_related("user").order_by("user__name", "pk")


def member_at(workspace_slug: str, slug: str) -> Member | None:
    """The member whose profile has this address."""
    found = Member.objects.filter(workspace__slug=workspace_slug, slug=slug, left_at=None).exclude(slug="")
    return found.select_related("user", "workspace").first()


def save(member: Member, *, slug: str, about: str) -> None:
    """A member's own profile; without an address there is none. Raises AddressTaken."""
    try:
        with transaction.atomic():
            Member.objects.filter(pk=member.pk).update(slug=slug, about=about)
    except IntegrityError:
        raise AddressTaken from None
