"""What is wrong with accounts, as far as it concerns somebody: the banner, the number in the navigation, and the
integration list read this one answer, so that they never disagree.

Only pages whose members' accounts look suspicious are evaluated: while all is well a look costs few queries.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from awase.domain.errors import Capability, Reason
from awase.domain.health import ConnectionValue, Lack, Service, Standing, Verdict
from awase.models import Calendar, Connection, Member, Room
from awase.services.dashboard import visible_pages
from awase.services.health import pages_of_members, standing_of, verdicts
from awase.services.use import backing


@dataclass(frozen=True, slots=True)
class Trouble:
    """A connection that cannot be relied on. `lack` is what a page says of it; None where no page needs it.
    `concerns`: the viewer may ask for the repair (their own account, their page, or an admin's eye on all). `stops`:
    the titles of the pages that it stops, their manual switch being on."""

    link: Connection
    lack: Lack | None
    concerns: bool
    stops: tuple[str, ...] = ()

    @property
    def service(self) -> str:
        return self.link.credential.service


@dataclass(frozen=True, slots=True)
class Troubles:
    """The viewer's own, the other members', and how many pages that concern the viewer take no bookings by
    health (their manual switch being on); `broken`: something there is in error, not just not connected."""

    own: tuple[Trouble, ...]
    others: tuple[Trouble, ...]
    stopped: int
    broken: bool

    @property
    def concerning(self) -> tuple[Trouble, ...]:
        """Those that the banner and the number in the navigation tell of."""
        return tuple(trouble for trouble in (*self.own, *self.others) if trouble.concerns)


def troubles(viewer: Member, now: datetime) -> Troubles:
    """What concerns the viewer: own accounts, the accounts behind the pages that they see; for admins all."""
    suspects = _suspects(viewer, now)
    touched = {page.pk for page in pages_of_members({link.member_id for link in suspects})}
    visible = visible_pages(viewer).filter(archived_at=None)
    pages = list(visible.filter(pk__in=touched))
    answers = verdicts(pages, now)
    theirs = {page.pk for page in pages if viewer.is_admin or page.owner_id == viewer.pk}
    told, asked = _lacks(answers, set(answers)), _lacks(answers, theirs)
    found = []
    for link in suspects:
        known = viewer.is_admin or link.member_id == viewer.pk
        if link.pk in told or (known and standing_of(link.credential, now)[0] is Standing.ERROR):
            titles = tuple(page.title for page in pages if page.accepting and _stopped_by(answers[page.pk], link))
            found.append(Trouble(link, told.get(link.pk), known or link.pk in asked, titles))
    found.sort(key=lambda trouble: -len(trouble.stops))
    concerned = visible if viewer.is_admin else visible.filter(owner=viewer)
    closed = concerned.filter(accepting=True, health__open=False).exclude(pk__in=touched)
    broken = list(closed.values_list("health__in_error", flat=True))
    broken += [
        answers[page.pk].in_error
        for page in pages
        if page.pk in theirs and page.accepting and not answers[page.pk].open
    ]
    return Troubles(
        own=tuple(trouble for trouble in found if trouble.link.member_id == viewer.pk),
        others=tuple(trouble for trouble in found if trouble.link.member_id != viewer.pk),
        stopped=len(broken),
        broken=any(broken),
    )


def _stopped_by(answer: Verdict, link: Connection) -> bool:
    return any(stop.error and stop.connection_id == link.pk for stop in answer.stops)


def _suspects(viewer: Member, now: datetime) -> list[Connection]:
    """The connections of the workspace that may be in trouble, by their own state or that of a calendar or
    room read through them."""
    gap = Q(missing_since__isnull=False) | Q(unreadable_since__isnull=False)
    # Bookings are added to it, and their events may carry no Meet link: the account itself lacks nothing.
    no_meet = Q(meet_allowed=False, receiving_members__isnull=False, connection__credential__service=Service.GOOGLE)
    calendars = Calendar.objects.filter(gap | no_meet, connection__member__workspace=viewer.workspace_id)
    gaps = set(calendars.values_list("connection"))
    gaps |= set(Room.objects.filter(gap, workspace=viewer.workspace_id).values_list("connection"))
    doubtful = (
        Q(pk__in=[pk for (pk,) in gaps])
        | Q(credential__standing=Standing.ERROR)
        | Q(credential__last_good=None)
        | Q(credential__last_good__lte=now - settings.AWASE_TOLERANCE)
        | ~Q(credential__lacking={})
    )
    links = Connection.objects.filter(doubtful, member__workspace=viewer.workspace_id)
    return [
        link
        for link in links.select_related("credential", "member__user").order_by("member", "pk")
        if (link.pk,) in gaps or link.credential.lacking or standing_of(link.credential, now)[0] is Standing.ERROR
    ]


def _lacks(answers: dict[int, Verdict], pages: set[int]) -> dict[int, Lack]:
    """connection id → what is in error about it on one of these pages; a stop before a warning."""
    listed = [answers[pk] for pk in answers if pk in pages]
    lacks = [lack for answer in listed for lack in answer.stops]
    lacks += [lack for answer in listed for lack in (*answer.left_out, *answer.warnings)]
    return {lack.connection_id: lack for lack in reversed(lacks) if lack.connection_id and lack.error}


def lacking(
    links: Collection[Connection], values: Mapping[int, ConnectionValue]
) -> dict[int, list[tuple[Capability, Reason]]]:
    """connection id → what its account cannot do although it works, with the reasons. What merely is not allowed in
    its calendar (a Meet link) is told only where a page needs it; `values` are the gate's, by connection id."""
    in_calendar = [
        link for link in links if any(name not in link.credential.lacking for name, _ in values[link.pk].lacking)
    ]
    needed = backing({link.member_id for link in in_calendar}) if in_calendar else set()
    return {
        link.pk: [
            (capability, reason)
            for capability, reason in values[link.pk].lacking
            if capability in link.credential.lacking or (link.member_id, link.credential.service) in needed
        ]
        for link in links
    }
