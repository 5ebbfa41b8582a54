"""Events about booking pages: their people, locations, rules, and the owner's own switch."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from awase.domain.health import Group, LocationKind
from awase.models import BookingPage, Condition, Credential, Member
from awase.models.page import Approval, Assignment
from awase.services import pages
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
        team = list(Member.objects.filter(workspace=page.workspace).order_by("pk").values_list("pk", flat=True))
        chosen = tuple(pk for place, pk in enumerate(team) if people >> place & 1)
        first = tuple(pk for place, pk in enumerate(chosen) if split >> place & 1)
        rest = tuple(pk for pk in chosen if pk not in first)
        groups = tuple(group for group in (Group(first), Group(rest, needed)) if group.ids)
        wanted = pages.People(
            condition,
            Assignment.EVEN,
            required,
            team[owner % len(team)],
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
        if self.act(happens, edit) is not DIED and _intervals() == before:
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
