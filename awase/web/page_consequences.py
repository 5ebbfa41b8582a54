"""What saving a section would do, asked before it is done: what it stops or opens, which bookings stay with whom, who
can no longer edit, which address leads nowhere."""

from collections.abc import Collection
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from awase.domain.changes import Preview
from awase.domain.permissions import Act
from awase.models import BookingPage, Member
from awase.services import pages, previews, words
from awase.services.permissions import may
from awase.web.shell import Context


def of_people(page: BookingPage, people: pages.People, viewer: Member, now: datetime) -> Context | None:
    """Other members, conditions or owner: the question to ask before; None if there is nothing to ask."""
    change = pages.preview_people(page, people, now)
    removed = set(page.page_members.values_list("member", flat=True)) - set(people.member_ids)
    told = [*_health(page, change), *_staying(page, removed, now)]
    if people.owner_id != page.owner_id:
        told += _handed_over(page, people.owner_id, viewer)
    return question(told, stops=change.stops)


def of_health(page: BookingPage, change: Preview) -> Context | None:
    """A change that can only stop or open the page."""
    return question(_health(page, change), stops=change.stops) if change.stops else None


def of_address(page: BookingPage, slug: str) -> Context | None:
    """Another address of the page: links that are out already lead nowhere."""
    if slug == page.slug:
        return None
    old = f"/{page.workspace.slug}/{page.slug}"
    text = _("The address %(old)s leads nowhere then. Links and embeds that use it must be changed.") % {"old": old}
    return question([{"kind": "warn", "text": text}])


def of_archiving(page: BookingPage, now: datetime) -> Context:
    """Archiving: guests can no longer book; what is booked stands."""
    closed = {"kind": "neutral", "text": _("Guests can no longer book on it; the page leaves the list.")}
    return {"effects": [closed, *_standing(previews.coming(page, now).count())]}


def question(told: list[Context], *, stops: bool = False) -> Context | None:
    """The block that asks; None where there is nothing to tell."""
    if not told:
        return None
    text = _("With this change the page would take no bookings.") if stops else _("Please check what this changes:")
    return {"text": text, "effects": told}


def _health(page: BookingPage, change: Preview) -> list[Context]:
    if change.opens:
        return [{"kind": "ok", "text": _("The page would take bookings again.")}]
    if not change.stops:
        return []
    ids = {stop.member_id for stop in change.after.stops if stop.member_id}
    names = {member.pk: member.name for member in Member.objects.filter(pk__in=ids).select_related("user")}
    reasons = dict.fromkeys(words.lack(stop, names) for stop in change.after.stops)
    return [{"kind": "danger", "text": reason} for reason in reasons]


def _staying(page: BookingPage, removed: Collection[int], now: datetime) -> list[Context]:
    """Members taken off who host bookings that are still to come."""
    counts = previews.hosting(page, removed, now)
    names = {member.pk: member.name for member in Member.objects.filter(pk__in=counts).select_related("user")}
    return [
        {
            "kind": "neutral",
            "text": ngettext(
                "%(name)s still hosts %(count)d booking to come. It stands until it is handed over or cancelled.",
                "%(name)s still hosts %(count)d bookings to come. They stand until they are handed over or cancelled.",
                count,
            )
            % {"name": words.person(names[pk]), "count": count},
        }
        for pk, count in counts.items()
    ]


def _handed_over(page: BookingPage, owner_id: int, viewer: Member) -> list[Context]:
    owner = Member.objects.select_related("user").get(pk=owner_id)
    name = words.person(owner.name)
    told = [{"kind": "neutral", "text": _("%(name)s becomes the owner of this page.") % {"name": name}}]
    after = BookingPage(pk=page.pk, workspace_id=page.workspace_id, owner=owner)
    if not may(viewer, Act.EDIT_PAGE, after):
        told.append({"kind": "warn", "text": _("You can no longer edit this page then.")})
    return told


def _standing(count: int) -> list[Context]:
    if not count:
        return []
    text = ngettext(
        "%(count)d booking to come stands and can still be changed or cancelled.",
        "%(count)d bookings to come stand and can still be changed or cancelled.",
        count,
    )
    return [{"kind": "neutral", "text": text % {"count": count}}]
