"""Events about bookings: taken, held, requested, answered, moved, handed over, cancelled, also at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

from django.db import connections
from hypothesis import strategies as st
from hypothesis.stateful import rule

from awase.domain.errors import Failure
from awase.models import Booking, BookingPage, BookingState, Condition, Connection, Hold
from awase.services import booking, checks, holds, moving, requests
from awase.services.refusals import Refused
from awase.services.signals import Cause
from tests.campaign.base import Events, mishap, number
from tests.campaign.truth import Truth, truth
from tests.campaign.wire import Mishap
from tests.campaign.world import hold

LIVE = [BookingState.CONFIRMED, BookingState.REQUESTED]


class BookingEvents(Events):
    def taken(self, which: int, *states: BookingState) -> Booking | None:
        """A booking of a guest that stands; None if there is none."""
        rows = Booking.objects.filter(state__in=states or LIVE, is_session=False).select_related(
            "page__workspace", "page__owner__user", "workspace", "session"
        )
        found: Booking | None = self.one(rows, which)
        return found

    @rule(which=number, nth=st.integers(0, 30), place=number, held=st.booleans(), happens=mishap)
    def book(self, which: int, nth: int, place: int, held: bool, happens: Mishap | None) -> None:
        """A guest books one of the starts shown, now and then one that was held for them."""
        self.event("book")
        page = self.page(which)
        starts = self.world.starts(page)
        locations = [None, *page.locations.order_by("pk").values_list("pk", flat=True)]
        location = locations[place % len(locations)]
        start = starts[nth % len(starts)] if starts else self.tomorrow() + timedelta(hours=1)
        if starts:
            self.witness.shown(page, start)
        hold = self._held(page, nth) if held else None
        if hold is not None:
            start = hold.start
        token = hold.token if hold else ""
        done = self.act(happens, lambda: self.world.book(page, start, location_id=location, hold=token))
        if isinstance(done, Booking):
            self._taken(done)

    def _held(self, page: BookingPage, nth: int) -> Hold | None:
        mine = Hold.objects.filter(page=page, expires_at__gt=self.world.now())
        found: Hold | None = self.one(mine, nth)
        return found

    @rule(which=number, nth=number, client=st.sampled_from("ab"), happens=mishap)
    def hold_slot(self, which: int, nth: int, client: str, happens: Mishap | None) -> None:
        """A guest opens the form."""
        self.event("hold")
        page = self.page(which)
        starts = self.world.starts(page)
        if starts:
            start = starts[nth % len(starts)]
            self.act(happens, lambda: holds.hold(page, start, self.world.now(), client=client))

    def _taken(self, taken: Booking) -> None:
        self.world.ledger.events["(booked)"] += 1
        self.witness.booked(taken)
        self.witness.assigned(taken)

    @rule(which=number, nth=st.integers(0, 30))
    def book_where_nothing_is_wrong(self, which: int, nth: int) -> None:
        """2, for bookings: where page, accounts and time are in order, the booking is taken."""
        self.event("book where nothing is wrong")
        page = self.page(which)
        workspace = Connection.objects.filter(member__workspace=page.workspace).select_related("credential")
        if any(truth(self.world, link.credential) is not Truth.FINE for link in workspace):
            return
        done = [checks.check(link.credential_id, Cause.CHECK, self.world.now()) for link in workspace]
        starts = self.world.starts(page)
        if not starts or any(isinstance(reading, Failure) for reading in done):
            return
        self._taken(self.world.book(page, starts[nth % len(starts)]))

    @rule(which=number, other=number, nth=number)
    def book_at_once(self, which: int, other: int, nth: int) -> None:
        """Two guests want the same time at the same moment, on one page or on two that share a host."""
        self.event("book at once")
        wanted = [self.page(which), self.page(other)]
        starts = self.world.starts(wanted[0])
        if not starts:
            return
        start = starts[nth % len(starts)]
        for done in self._at_once([partial(self.world.book, page, start) for page in wanted]):
            if isinstance(done, Booking):
                self.world.ledger.events["(booked)"] += 1
                self.witness.booked(done)

    @rule(which=number, nth=number, other=st.sampled_from(["move", "cancel", "book"]))
    def change_at_once(self, which: int, nth: int, other: str) -> None:
        """Somebody moves a booking while somebody else moves or cancels it, or books that time."""
        self.event(f"move and {other} at once")
        taken, now = self.taken(which), self.world.now()
        starts = self.world.starts(taken.page) if taken else ()
        if taken is None or not starts:
            return
        start, by = starts[nth % len(starts)], taken.page.owner
        acts: dict[str, Callable[[], Any]] = {
            "move": lambda: moving.move(taken, starts[-1], now, by=by),
            "cancel": lambda: booking.cancel(taken, now, by=by),
            "book": lambda: self.world.book(taken.page, start),
        }
        self._at_once([lambda: moving.move(taken, start, now, by=by), acts[other]])

    def _at_once(self, works: list[Callable[[], Any]]) -> list[Any]:
        barrier = Barrier(len(works))

        def go(work: Callable[[], Any]) -> Any:
            barrier.wait()
            try:
                return work()
            except Refused as refused:
                return refused
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(works)) as pool:
            return list(pool.map(go, works))

    @rule(which=number, happens=mishap)
    def the_same_form_twice(self, which: int, happens: Mishap | None) -> None:
        """A guest whose answer got lost sends the form again."""
        self.event("the same form twice")
        page = self.page(which)
        starts = self.world.starts(page)
        if not starts:
            return
        key = f"form-{self.world.guests}"
        first = self.act(happens, lambda: self.world.book(page, starts[-1], idempotency_key=key))
        second = self.act(None, lambda: self.world.book(page, starts[-1], idempotency_key=key))
        if isinstance(first, Booking):
            hold(isinstance(second, Booking) and second.pk == first.pk, 3, "one form became two bookings")
        if isinstance(second, Booking):
            self._taken(second)

    @rule(which=number, nth=st.integers(0, 30), guest=st.booleans(), happens=mishap)
    def move(self, which: int, nth: int, guest: bool, happens: Mishap | None) -> None:
        """To another time, by the guest or by a host: while health allows it."""
        self.event("move")
        taken = self.taken(which)
        starts = self.world.starts(taken.page) if taken else ()
        if taken is None or not starts:
            return
        by = None if guest else taken.page.owner
        done = self.act(
            happens, lambda: moving.move(taken, starts[nth % len(starts)], self.world.now(), by=by, reason="later")
        )
        if isinstance(done, Booking) and done.start != taken.start:
            self.world.ledger.events["(moved)"] += 1
            self.witness.placed(done)

    @rule(which=number, who=number, happens=mishap)
    def hand_over(self, which: int, who: int, happens: Mishap | None) -> None:
        """The owner gives a booking to another host."""
        self.event("hand over")
        taken = self.taken(which)
        if taken is None:
            return
        people = list(taken.page.page_members.order_by("pk").values_list("member", flat=True))
        if not people or taken.page.condition == Condition.ALL:
            return
        to, by = people[who % len(people)], taken.page.owner
        before = taken.sequence
        done = self.act(happens, lambda: moving.reassign(taken, to, self.world.now(), by=by))
        if isinstance(done, Booking) and done.sequence != before:
            self.world.ledger.events["(handed over)"] += 1
            self.witness.placed(done)

    @rule(which=number, yes=st.booleans(), happens=mishap)
    def answer(self, which: int, yes: bool, happens: Mishap | None) -> None:
        """A host answers a request."""
        self.event("approve" if yes else "decline")
        taken = self.taken(which, BookingState.REQUESTED)
        if taken is None:
            return
        reply = requests.approve if yes else requests.decline
        done = self.act(happens, lambda: reply(taken, self.world.now(), by=taken.page.owner))
        if yes and isinstance(done, Booking):
            self.witness.placed(done)

    @rule(which=number, guest=st.booleans(), happens=mishap)
    def cancel(self, which: int, guest: bool, happens: Mishap | None) -> None:
        self.event("cancel")
        taken = self.taken(which)
        if taken is None:
            return
        by = None if guest else taken.page.owner
        self.act(happens, lambda: booking.cancel(taken, self.world.now(), by=by))

    @rule(which=number, happens=mishap)
    def tell_place(self, which: int, happens: Mishap | None) -> None:
        self.event("tell the place")
        taken = self.one(Booking.objects.filter(place_missing=True, state__in=LIVE).select_related("page"), which)
        if taken is None:
            return
        self.act(happens, lambda: booking.tell_place(taken, "Tower 3", self.world.now()))
