"""The members of a workspace: inviting, roles, leaving. A workspace always has an owner, a page too: whoever leaves
hands over first."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from awase.domain.permissions import Act
from awase.models import (
    ApiKey,
    Booking,
    BookingPage,
    Connection,
    Effect,
    EffectKind,
    Invitation,
    Member,
    PageGroup,
    PageMember,
    Role,
    User,
    Workspace,
)
from awase.services import accounts, connections, first_run, moving, pages
from awase.services.permissions import may, require
from awase.services.quotas import COUNTED
from awase.services.refusals import Refusal, Refused

INVITATION_DAYS = 14
INVITED = "invitation"  # the name of its letter


class Objection(StrEnum):
    """Why something about a member cannot be done; each has words that say the way to do it."""

    LAST_OWNER = "last_owner"
    OWN_ROLE = "own_role"
    OWNER_ONLY = "owner_only"  # only an owner makes owners, or changes one
    HAS_BOOKINGS = "has_bookings"
    HAS_PAGES = "has_pages"
    ALREADY_MEMBER = "already_member"
    INVITATION_OVER = "invitation_over"


class Objected(Exception):
    """It was not done; nothing was written."""

    def __init__(self, objection: Objection) -> None:
        super().__init__(objection.value)
        self.objection = objection


def _require_owner_for(role: str, by: Member) -> None:
    if role == Role.OWNER and not may(by, Act.SET_OWNERS, by.workspace):
        raise Objected(Objection.OWNER_ONLY)


def invite(by: Member, email: str, role: Role, now: datetime) -> Invitation:
    """Ask somebody by mail to join. An earlier invitation of theirs leads nowhere any more. Raises Objected,
    PermissionDenied."""
    require(by, Act.INVITE, by.workspace)
    email = email.lower()
    _require_owner_for(role, by)
    if Member.objects.filter(workspace=by.workspace, user__email=email, left_at=None).exists():
        raise Objected(Objection.ALREADY_MEMBER)
    with transaction.atomic():
        Invitation.objects.filter(workspace=by.workspace, email=email, accepted_at=None).delete()
        made = Invitation.objects.create(
            workspace=by.workspace,
            email=email,
            role=role,
            digest=hashlib.sha256(secrets.token_bytes(32)).hexdigest(),
            invited_by=by,
            created_at=now,
            expires_at=now + timedelta(days=INVITATION_DAYS),
        )
        Effect.objects.create(
            kind=EffectKind.MAIL,
            key=f"mail:{INVITED}:{made.pk}",
            payload={"template": INVITED, "invitation": made.pk},
            next_at=now,
        )
    return made


def withdraw(by: Member, invitation: Invitation) -> None:
    """The invitation leads nowhere any more. Raises PermissionDenied."""
    require(by, Act.INVITE, invitation.workspace)
    invitation.delete()


def invitation_url(invitation: Invitation) -> str:
    """The address that the mail holds; its secret is derived and stored nowhere."""
    return f"{settings.AWASE_URL}/app/invitations/{invitation.pk}/{_secret(invitation)}"


def by_link(pk: int, secret: str, now: datetime) -> Invitation | None:
    """The invitation that a link opens, if it can still be taken."""
    found = Invitation.objects.filter(pk=pk, accepted_at=None, expires_at__gt=now).select_related("workspace").first()
    return found if found and constant_time_compare(_secret(found), secret) else None


def _secret(invitation: Invitation) -> str:
    key = f"{invitation.pk}:{invitation.digest}"
    return salted_hmac("awase.invitation", key, algorithm="sha256").hexdigest()[:40]


def accept(invitation: Invitation, now: datetime, *, name: str, password: str, time_zone: str) -> Member:
    """Join as somebody new; whoever has an account already logs in with it and uses `join`. Raises Objected."""
    if User.objects.filter(email=invitation.email).exists():
        raise Objected(Objection.ALREADY_MEMBER)
    with transaction.atomic():
        user = User.objects.create_user(invitation.email, password, name=name, time_zone=time_zone)
        member = join(invitation, user, now)
        first_run.begin(member)
        return member


def join(invitation: Invitation, user: User, now: datetime) -> Member:
    """Take the invitation as this user. Raises Objected."""
    with transaction.atomic():
        if not Invitation.objects.filter(pk=invitation.pk, accepted_at=None).update(accepted_at=now):
            raise Objected(Objection.INVITATION_OVER)
        former = Member.objects.filter(workspace=invitation.workspace_id, user=user).first()
        if former is not None and former.left_at is None:
            raise Objected(Objection.ALREADY_MEMBER)
        if former is not None:
            former.role, former.left_at = invitation.role, None
            former.save(update_fields=["role", "left_at"])
            return former
        return accounts.add_member(invitation.workspace, user, Role(invitation.role))


def set_role(by: Member, member: Member, role: Role) -> None:
    """Give a member another role. Raises Objected, PermissionDenied."""
    if by.pk == member.pk:
        raise Objected(Objection.OWN_ROLE)
    with transaction.atomic():
        _lock(member.workspace)
        by.refresh_from_db(fields=["role", "left_at"])  # two owners may take each other's role at one moment
        require(by, Act.SET_ROLES, member.workspace)
        for given_or_taken in (role, member.role):
            _require_owner_for(given_or_taken, by)
        Member.objects.filter(pk=member.pk).update(role=role)
        member.role = role


def coming_bookings(member: Member, now: datetime) -> QuerySet[Booking]:
    """The bookings, requests and sessions to come that the member hosts."""
    hosted = Booking.objects.filter(host_times__member=member, state__in=COUNTED, end__gt=now)
    return hosted.distinct().order_by("start", "pk")


def hand_over(by: Member, member: Member, heir: Member, now: datetime) -> list[tuple[Booking, Refusal]]:
    """Before a member leaves: their pages go to `heir`, who takes their place on these; they go off all other pages;
    then each booking to come is given to `heir` where they can take it, else to whoever else of its page can.
    Returns what nobody can take, with the reason; it stays with the member. Raises Objected, PermissionDenied."""
    _require_removable(by, member, heir)
    with transaction.atomic():
        _lock_leaving(member)
        _leave_pages(member, heir, now)
    left = []
    for booking in coming_bookings(member, now).select_related("page", "workspace", "session"):
        try:
            moving.release(booking, member.pk, heir.pk, now, by=by)
        except Refused as refused:
            left.append((booking, refused.refusal))
    return left


def remove(by: Member, member: Member, now: datetime, *, heir: Member | None) -> None:
    """Let a member leave the workspace: their pages go to `heir`, their accounts are disconnected, pages and lists
    go on without them. Bookings to come must have been handed over or cancelled. One may leave by oneself, too.
    Raises Objected, PermissionDenied."""
    _require_removable(by, member, heir)
    with transaction.atomic():
        _lock_leaving(member)
        if coming_bookings(member, now).exists():
            raise Objected(Objection.HAS_BOOKINGS)
        if heir is None and member.owned_pages.exists():
            raise Objected(Objection.HAS_PAGES)
        _leave_pages(member, heir, now)
        ApiKey.objects.filter(member=member).delete()
        Member.objects.filter(pk=member.pk).update(left_at=now)
    sweep(now)  # asks the services, so outside the transaction


def sweep(now: datetime) -> None:
    """Disconnect the accounts of those who left, also where a process died over it. Periodic."""
    for connection in Connection.objects.exclude(member__left_at=None).select_related("credential", "member"):
        connections.disconnect(connection, now)


def barred(by: Member, found: Sequence[Member]) -> dict[int, Objection]:
    """Which of these members of one workspace `by` cannot take out of it whatever is handed over, by number; one query.
    For screens: `remove` asks again."""
    owners = list(Member.objects.filter(workspace=by.workspace_id, role=Role.OWNER, left_at=None)[:2])
    objections = {}
    for member in found:
        if member.pk != by.pk and member.role == Role.OWNER and not may(by, Act.SET_OWNERS, by.workspace):
            objections[member.pk] = Objection.OWNER_ONLY
        elif [member] == owners:
            objections[member.pk] = Objection.LAST_OWNER
    return objections


def _require_removable(by: Member, member: Member, heir: Member | None) -> None:
    if by.pk != member.pk:
        require(by, Act.REMOVE_MEMBERS, member.workspace)
        _require_owner_for(member.role, by)
    if heir is not None and (heir.workspace_id != member.workspace_id or heir.pk == member.pk or heir.left_at):
        raise PermissionDenied


def _lock_leaving(member: Member) -> None:
    """Nobody books them meanwhile, and the last owner stays. Raises Objected."""
    _lock(member.workspace)
    Member.objects.select_for_update().get(pk=member.pk)
    if member.role == Role.OWNER and not _other_owners(member):
        raise Objected(Objection.LAST_OWNER)


def _leave_pages(member: Member, heir: Member | None, now: datetime) -> None:
    """Off every page; on those that they own, `heir` owns them and takes the place of whoever was on them."""
    owned = list(member.owned_pages.all())
    on_pages = BookingPage.objects.filter(Q(page_members__member=member) | Q(groups__members=member)).distinct()
    touched = {page.pk: page for page in [*owned, *on_pages]}
    before = {page.pk: pages.touched(page) - {member.pk} for page in touched.values()}
    if heir is not None:
        for page in owned:
            _replace(page, member, heir, now)
        member.owned_pages.update(owner=heir)
    PageMember.objects.filter(member=member).delete()
    for group in PageGroup.objects.filter(members=member):
        group.members.remove(member)
    for page in BookingPage.objects.filter(pk__in=touched):
        pages.saved(page, before[page.pk], now)


def _replace(page: BookingPage, member: Member, heir: Member, now: datetime) -> None:
    """The same place in list and groups, with the heir's own hours; nothing where they are on the page already."""
    groups = page.groups.filter(of_rooms=False)
    if page.page_members.filter(member=heir).exists() or groups.filter(members=heir).exists():
        return
    page.page_members.filter(member=member).update(member=heir, schedule=None, joined_at=now)
    for group in groups.filter(members=member):
        group.members.add(heir)


def _lock(workspace: Workspace) -> None:
    Workspace.objects.select_for_update().get(pk=workspace.pk)


def _other_owners(member: Member) -> bool:
    owners = Member.objects.filter(workspace=member.workspace_id, role=Role.OWNER, left_at=None)
    return owners.exclude(pk=member.pk).exists()
