"""Events about booking pages and the team: people, locations, rooms, rules, the owner's own switch, who leaves."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from awase.domain.health import Group, LocationKind
from awase.models import BookingPage, Condition, Credential, Member, Role, Room
from awase.models.page import Approval, Assignment
from awase.services import pages, team
from awase.services.profile import ForGuests, save_for_guests
from tests.campaign.base import Events, mishap, number
from tests.campaign.wire import Mishap
from tests.campaign.world import DIED, hold


class PageEvents(Events):
    @rule(
        which=number,
        people=st.integers(0, 15),
        split=st.integers(0, 15),
        needed=st.sampled_from([None, 1, 1, 2]),
        owner=number,
        condition=st.sampled_from(list(Condition)),
        required=st.booleans(),
        happens=mishap,
    )
    def edit_people(
        self,
        which: int,
        people: int,
        split: int,
        needed: int | None,
        owner: int,
        condition: Condition,
        required: bool,
        happens: Mishap | None,
    ) -> None:
        """Other members, another owner or condition, an assignment list of two groups, calendars required or not."""
        self.event(f"edit members: {condition}")
        page = self.page(which)
        members = Member.objects.filter(workspace=page.workspace, left_at=None)
        everybody = list(members.order_by("pk").values_list("pk", flat=True))
        chosen = tuple(pk for place, pk in enumerate(everybody) if people >> place & 1)
        first = tuple(pk for place, pk in enumerate(chosen) if split >> place & 1)
        rest = tuple(pk for pk in chosen if pk not in first)
        groups = tuple(group for group in (Group(first), Group(rest, needed)) if group.ids)
        wanted = pages.People(
            condition,
            Assignment.EVEN,
            required,
            everybody[owner % len(everybody)],
            chosen,
            groups=groups if condition is Condition.LIST else (),
        )
        expected = pages.preview_people(page, wanted, self.world.now())
        self._edit(happens, page, expected, lambda: pages.set_people(page, wanted, self.world.now(), by=page.owner))

    @rule(
        which=number, kind=st.sampled_from(list(LocationKind)), add=st.booleans(), detail=st.booleans(), happens=mishap
    )
    def edit_locations(self, which: int, kind: LocationKind, add: bool, detail: bool, happens: Mishap | None) -> None:
        self.event("edit locations")
        page = self.page(which)
        known = {place.kind: place for place in page.locations.all()}
        text = "given" if detail else ""
        if not add:
            wanted = pages.Places({}, remove=frozenset(place.pk for place in known.values() if place.kind == kind))
        elif kind in known:
            wanted = pages.Places({known[kind].pk: text})
        else:
            wanted = pages.Places({}, add=kind, add_detail=text)
        expected = pages.preview_places(page, wanted, self.world.now())
        self._edit(happens, page, expected, lambda: pages.set_places(page, wanted, self.world.now(), by=page.owner))

    def _edit(self, happens: Mishap | None, page: BookingPage, expected: Any, edit: Callable[[], None]) -> None:
        """The edit does what was shown beforehand, unless it changes how long an account may go unchecked."""
        before = _intervals()
        if self.act(happens, edit) is not DIED and _intervals() == before and page.archived_at is None:
            page.refresh_from_db()
            hold(page.health.open == expected.after.open, 2, f"the preview said open={expected.after.open}")

    @rule(
        which=number,
        approval=st.sampled_from(list(Approval)),
        seats=st.sampled_from([1, 1, 2]),
        buffer=st.sampled_from([0, 15]),
        minutes=st.sampled_from([30, 60]),
        happens=mishap,
    )
    def edit_rules(
        self, which: int, approval: Approval, seats: int, buffer: int, minutes: int, happens: Mishap | None
    ) -> None:
        """Approval, seats, buffers and length."""
        self.event("edit rules")
        page = self.page(which)
        fields = {
            "approval": approval,
            "seats": seats,
            "buffer_after_minutes": buffer,
            "duration_minutes": minutes,
        }
        self.act(happens, lambda: pages.save_fields(page, fields, self.world.now(), by=page.owner))

    @rule(
        which=number,
        chosen=st.integers(0, 3),
        needed=st.sampled_from([None, 1, 1, 2]),
        some=st.booleans(),
        happens=mishap,
    )
    def edit_rooms(self, which: int, chosen: int, needed: int | None, some: bool, happens: Mishap | None) -> None:
        """All of some rooms, so many of them, or no rooms at all."""
        self.event("edit rooms")
        page = self.page(which)
        rooms = Room.objects.filter(workspace=page.workspace).order_by("pk").values_list("pk", flat=True)
        ids = tuple(pk for place, pk in enumerate(rooms) if chosen >> place & 1)
        wanted = Group(ids, needed, rooms=True) if some else None
        expected = pages.preview_rooms(page, wanted, self.world.now())
        self._edit(happens, page, expected, lambda: pages.set_rooms(page, wanted, self.world.now(), by=page.owner))

    @rule(which=number, archived=st.booleans(), happens=mishap)
    def archive(self, which: int, archived: bool, happens: Mishap | None) -> None:
        """Into the archive, or out of it."""
        self.event("archive" if archived else "unarchive")
        page = self.page(which)
        self.act(happens, lambda: pages.set_archived(page, archived, self.world.now(), by=page.owner))
        page.refresh_from_db()
        (self.witness.archived.discard if page.archived_at is None else self.witness.archived.add)(page.pk)

    # Members

    @rule(who=number, heir=number, happens=mishap)
    def leave(self, who: int, heir: int, happens: Mishap | None) -> None:
        """A member leaves the workspace: pages go to somebody else, accounts are disconnected."""
        self.event("member leaves")
        member = self.member(who)
        others = Member.objects.filter(workspace=member.workspace, left_at=None).exclude(pk=member.pk)
        to, by = self.one(others, heir), self.one(others.filter(role=Role.OWNER), 0)
        if to is None or by is None:
            return
        accounts = Credential.objects.filter(connections__member=member).values_list("service", "account_email")
        gone = {(self.world.at(service), email) for service, email in accounts}
        try:
            self.act(happens, lambda: team.remove(by, member, self.world.now(), heir=to))
        except team.Objected as objected:
            self.world.ledger.refusals[f"leave: {objected.objection}"] += 1
        else:
            self.witness.disconnected |= gone

    @rule(which=number)
    def come_back(self, which: int) -> None:
        """Somebody who left is invited again and joins."""
        self.event("member comes back")
        member = self.one(Member.objects.exclude(left_at=None).select_related("user", "workspace"), which)
        if member is not None:
            by = Member.objects.get(workspace=member.workspace, role=Role.OWNER)
            invited = team.invite(by, member.user.email, Role.MEMBER, self.world.now())
            team.join(invited, member.user, self.world.now())

    @rule(who=number, phone=st.booleans(), address=st.booleans(), happens=mishap)
    def own_details(self, who: int, phone: bool, address: bool, happens: Mishap | None) -> None:
        """A member's own number and address, for pages that have none."""
        self.event("own details")
        member = self.member(who)
        shown = ForGuests("03-5555-0100" if phone else "", "Tower 3" if address else "")
        self.act(happens, lambda: save_for_guests(member, shown, self.world.now()))

    @rule(which=number, accepting=st.booleans(), happens=mishap)
    def switch(self, which: int, accepting: bool, happens: Mishap | None) -> None:
        """The owner's own switch."""
        self.event("manual switch")
        page = self.page(which)
        done = self.act(happens, lambda: pages.set_accepting(page, accepting, self.world.now(), by=page.owner))
        if done is DIED:
            accepting = BookingPage.objects.values_list("accepting", flat=True).get(pk=page.pk)
        self.witness.accepting[page.pk] = accepting


def _intervals() -> dict[int, Any]:
    return dict(Credential.objects.values_list("pk", "check_every"))
