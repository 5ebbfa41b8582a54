"""What all events of a campaign share: the world, the witness, and ways of choosing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from awase.models import BookingPage, Connection, Member
from awase.services.refusals import Refused
from tests.campaign.invariants import Witness
from tests.campaign.wire import Kind, Mishap
from tests.campaign.world import World

number = st.integers(0, 11)
mishap = st.one_of(
    st.none(),
    st.none(),
    st.builds(Mishap, st.sampled_from([Kind.LOST, Kind.DIES_BEFORE_CALL, Kind.DIES_AFTER_CALL]), st.integers(1, 4)),
    st.builds(Mishap, st.just(Kind.DIES_AT_STATEMENT), st.integers(1, 60)),
)


class Events(RuleBasedStateMachine):
    """One run. The class's `world` is set before."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.world.restore()
        self.world.ledger.runs += 1
        self.witness = Witness(self.world)
        self.since_healed = 0

    @invariant()
    def all_hold(self) -> None:
        self.since_healed += 1
        self.witness.look()

    def event(self, name: str) -> None:
        self.world.ledger.steps += 1
        self.world.ledger.events[name] += 1

    def act(self, happens: Mishap | None, work: Callable[[], Any]) -> Any:
        """What the work gives, the refusal that it met, or DIED."""
        try:
            return self.world.act(happens, work)
        except Refused as refused:
            self.world.ledger.refusals[refused.refusal] += 1
            return refused

    # What can happen never depends on what there is, so that a sequence can be replayed: where there is nothing
    # to act upon, nothing happens.

    def one(self, rows: Any, which: int) -> Any:
        """One of the rows, None if there are none."""
        found = list(rows.order_by("pk"))
        return found[which % len(found)] if found else None

    def page(self, which: int) -> BookingPage:
        found: BookingPage = self.one(BookingPage.objects, which)
        return found

    def member(self, which: int) -> Member:
        found: Member = self.one(Member.objects.filter(left_at=None).select_related("user"), which)
        return found

    def link(self, which: int) -> Connection | None:
        links = Connection.objects.filter(member__left_at=None).select_related("credential", "member__user")
        found: Connection | None = self.one(links, which)
        return found

    def tomorrow(self) -> datetime:
        return self.world.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
