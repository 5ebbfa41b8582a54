"""Rooms on the details screen of a calendar service: admins find them through an account of theirs."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from awase.domain.errors import ProviderError
from awase.models import Connection, Member, Room
from awase.services import rooms, words
from awase.services.health import room_values
from awase.web.connection_cards import effects
from awase.web.shell import Context, MemberRequest, action, for_members, utcnow


def part(viewer: Member, links: Iterable[Connection], now: datetime) -> Context | None:
    """The section of the details screen: the workspace's rooms at this service, and where to find more."""
    able = [link for link in links if rooms.offered(link)]
    if not viewer.is_admin or not able:
        return None
    stored = Room.objects.filter(workspace=viewer.workspace_id, service=able[0].credential.service)
    values = room_values([room.pk for room in stored], now)
    return {
        "rooms": [
            {
                "name": room.name,
                "facts": [fact for fact in (room.address, values[room.pk].member_name) if fact],
                "badges": [] if values[room.pk].usable else [{"kind": "danger", "label": _("Connection error")}],
                "removal": {
                    "id": f"room-{room.pk}",
                    "url": f"/app/rooms/{room.pk}/remove",
                    "effects": effects(rooms.of_removal(room, now)),
                },
            }
            for room in stored
        ],
        "find": [_find(link) for link in able],
    }


def _find(link: Connection) -> Context:
    account = {"account": link.credential.account_email}
    if rooms.allowed(link):
        return action(_("Add rooms of %(account)s") % account, f"/app/connections/{link.pk}/rooms")
    asking = f"/app/connections/{link.credential.service}/connect?connection={link.pk}&rooms=1"
    return action(_("Allow %(account)s to read rooms") % account, asking)


@for_members
def add(request: MemberRequest, pk: int) -> HttpResponse:
    """Which of the rooms that the account sees the workspace uses."""
    links = Connection.objects.select_related("credential", "member__workspace")
    link = get_object_or_404(links, pk=pk, member=request.member)
    if not request.member.is_admin or not rooms.offered(link):
        raise Http404
    back = f"/app/connections/{link.credential.service}#rooms"
    try:
        if request.method == "POST":
            rooms.add(link, request.POST.getlist("room"), utcnow(), by=request.member)
            messages.success(request, _("Saved."))
            return redirect(back)
        seen = rooms.seen_by(link, utcnow())
    except ProviderError as error:
        failed = _("The rooms of %(account)s cannot be read.") % {"account": link.credential.account_email}
        why = words.reason(error.failure.reason) if error.failure.reason else ""
        messages.error(request, words.sentences(failed, why))
        return redirect(back)
    known = set(Room.objects.filter(connection=link).values_list("address", flat=True))
    context = {
        "section": "connections",
        "back_url": back,
        "account": link.credential.account_email,
        "all_rooms": _ask_for_all(link) if rooms.may_see_all(link) is False else None,
        "rooms": [
            {"address": room.address, "name": room.name, "capacity": room.capacity, "known": room.address in known}
            for room in seen
        ],
    }
    return render(request, "dashboard/connection_rooms.html", context)


def _ask_for_all(link: Connection) -> Context:
    asking = f"/app/connections/{link.credential.service}/connect?connection={link.pk}&rooms=1&organisation=1"
    return action(_("List all rooms of the organisation"), asking)


@require_POST
@for_members
def remove(request: MemberRequest, pk: int) -> HttpResponse:
    """Take a room away; the screen has shown beforehand what that would stop or open."""
    room = get_object_or_404(Room, pk=pk, workspace=request.member.workspace_id)
    if not request.member.is_admin:
        raise Http404
    rooms.remove(room, utcnow(), by=request.member)
    messages.success(request, _("The room “%(room)s” is removed.") % {"room": room.name})
    return redirect(f"/app/connections/{room.service}#rooms")
