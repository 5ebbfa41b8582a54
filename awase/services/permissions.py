"""Who may do what here: the rows behind the table of `domain.permissions`, for one thing or for many at once."""

from collections.abc import Callable, Collection, Iterator
from functools import reduce
from operator import or_
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q

from awase.domain.permissions import ALLOWED, Act, Part, allowed
from awase.models import Booking, BookingPage, Member, Role, Workspace
from awase.services.hosts import carrier_of

Thing = Workspace | BookingPage | Booking
ROLES = {Role.OWNER: Part.WORKSPACE_OWNER, Role.ADMIN: Part.ADMIN, Role.MEMBER: Part.MEMBER}
# What a member is to pages, as a condition on pages.
ON_PAGES: dict[Part, Callable[[Any], Q]] = {
    Part.PAGE_OWNER: lambda member: Q(owner=member),
    Part.PAGE_EDITOR: lambda member: Q(shares__member=member, shares__editor=True),
    Part.PAGE_VIEWER: lambda member: Q(shares__member=member, shares__editor=False),
    Part.TAKES_PART: lambda member: Q(page_members__member=member) | Q(groups__members=member),
}
HOSTED: Callable[[Any], Q] = lambda member: Q(host_times__member=member) | Q(session__host_times__member=member)  # noqa: E731


def may(member: Member, act: Act, thing: Thing) -> bool:
    """Whether the member may do this with the workspace, page or booking."""
    return allowed(act, _parts(member, act, thing))


def require(member: Member, act: Act, thing: Thing) -> None:
    """Raise PermissionDenied for everybody who may not do this."""
    if not may(member, act, thing):
        raise PermissionDenied


def pages_where(member: Any, act: Act) -> Q:
    """The pages on which somebody without a role beyond `member` may do this, as a condition on pages; each comes
    once. `member` may also be a parameter of a prepared query."""
    found = reduce(or_, (ON_PAGES[part](member) for part in ON_PAGES if part in ALLOWED[act]))
    return Q(pk__in=BookingPage.objects.filter(found).values("pk"))


def bookings_where(member: Member, act: Act) -> Q:
    """The same for bookings: those of such pages, and those that the member hosts."""
    of_pages = Q(page__in=BookingPage.objects.filter(pages_where(member, act)).values("pk"))
    hosted = Q(pk__in=Booking.objects.filter(HOSTED(member)).values("pk"))
    return of_pages | hosted if Part.HOST in ALLOWED[act] else of_pages


def by_role(member: Member, act: Act) -> bool:
    """Whether the member's role is enough, whatever the page or booking."""
    return member.left_at is None and ROLES[Role(member.role)] in ALLOWED[act]


def among(member: Member, act: Act, pages: Collection[BookingPage]) -> set[int]:
    """The ids of those pages of the member's workspace with which they may do this; one query at most."""
    ours = [page.pk for page in pages if page.workspace_id == member.workspace_id]
    if by_role(member, act):
        return set(ours)
    if member.left_at is not None or not ours:
        return set()
    found = BookingPage.objects.filter(pages_where(member.pk, act), pk__in=ours)
    return set(found.values_list("pk", flat=True))


def _parts(member: Member, act: Act, thing: Thing) -> Iterator[Part]:
    """What the member is to this thing, the cheapest to find out first; nothing to strangers and who has left."""
    workspace_id = thing.pk if isinstance(thing, Workspace) else thing.workspace_id
    if workspace_id != member.workspace_id or member.left_at is not None:
        return
    yield ROLES[Role(member.role)]
    if isinstance(thing, Workspace):
        return
    page = thing if isinstance(thing, BookingPage) else thing.page
    if page.owner_id == member.pk:
        yield Part.PAGE_OWNER
    for part in (part for part in ON_PAGES if part in ALLOWED[act] and part is not Part.PAGE_OWNER):
        if BookingPage.objects.filter(ON_PAGES[part](member.pk), pk=page.pk).exists():
            yield part
    if isinstance(thing, Booking) and carrier_of(thing).host_times.filter(member=member).exists():
        yield Part.HOST
