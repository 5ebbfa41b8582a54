"""The whole state machine: time, work and repair join the events about accounts, pages and bookings."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from awase.domain.health import Service
from awase.jobs.periodic import TABLE
from awase.jobs.worker import work_once
from awase.models import Connection, Effect, EffectState, Room
from awase.services import checks, effects
from awase.services import connections as linking
from awase.services.tokens import LEASE
from sandbox.push import deliver
from tests.campaign.accounts import AccountEvents
from tests.campaign.base import mishap
from tests.campaign.bookings import BookingEvents
from tests.campaign.outside import settled
from tests.campaign.pages import PageEvents
from tests.campaign.truth import Truth, truth
from tests.campaign.wire import Mishap
from tests.campaign.world import Broken, hold

PAUSES = [timedelta(minutes=minutes) for minutes in (1, 2, 4, 6, 16, 61, 300, 1440, 4 * 1440)]
MOST_ROUNDS = 300


class Campaign(AccountEvents, PageEvents, BookingEvents):
    """Everything that can happen. Each run ends with everything being repaired."""

    def teardown(self) -> None:
        try:
            self.witness.look()
            self._heal()
        finally:
            self.witness.close()

    @rule(happens=mishap)
    def work(self, happens: Mishap | None) -> None:
        """The worker does what is due, or dies over it."""
        self.event("work")
        self.act(happens, work_once)

    @rule()
    def a_minute_of_work(self) -> None:
        """The simplest that can happen, so the most frequent: hypothesis begins with what takes no choice."""
        self.event("a minute of work")
        self.world.clock.wait(timedelta(minutes=1))
        work_once()

    @rule(most=st.integers(1, 3))
    def claim_and_die(self, most: int) -> None:
        """A worker claims and is gone: the lease runs out later."""
        self.event("claim and die")
        effects.claim_due(self.world.now(), most)
        checks.claim_due(self.world.now(), most)

    @rule(happens=mishap)
    def services_push(self, happens: Mishap | None) -> None:
        """What the services have to tell by themselves arrives."""
        self.event("services push")
        self.act(happens, lambda: deliver(self.world.sandbox))

    @rule(pause=st.sampled_from(PAUSES))
    def wait(self, pause: timedelta) -> None:
        """Time passes, and nobody works."""
        self.event("time passes")
        self.world.clock.wait(pause)

    @rule(pause=st.sampled_from(PAUSES[:6]), happens=mishap)
    def a_while_of_work(self, pause: timedelta, happens: Mishap | None) -> None:
        """Time passes, and the worker does what falls due."""
        self.event("time passes, with a worker")
        until = self.world.now() + pause
        while self.world.now() < until:
            self.world.clock.wait(min(timedelta(minutes=5), until - self.world.now()))
            self.act(happens, work_once)

    @rule(happens=mishap)
    def periodic(self, happens: Mishap | None) -> None:
        """What the worker does every so often: reminders, probes, foresight, sweeps."""
        self.event("periodic work")
        self.act(happens, self._periodic)

    def _periodic(self) -> None:
        for task in TABLE:
            task.run(self.world.now())

    @precondition(lambda self: self.since_healed > 15)
    @rule()
    def heal(self) -> None:
        """Everything is repaired: whatever waited goes on, and nothing stays red."""
        self.event("heal everything")
        self._heal()

    def _heal(self) -> None:
        self.since_healed = 0
        self.world.clock.wait(LEASE)  # of processes that died over a refresh
        for account in list(self.world.sandbox.state.accounts.values()):
            self.world.control(f"accounts/{account.service}/{account.email}/repair")
            self.world.bring_back(account.email.partition("@")[0])
        self.world.rooms_back("suzuki@minato.example")
        self._periodic()
        hold(
            not Connection.objects.exclude(member__left_at=None).exists(), 4, "an account of somebody who left is kept"
        )
        for link in Connection.objects.select_related("credential", "member__user").order_by("pk"):
            link.credential.refresh_from_db()
            if truth(self.world, link.credential) is not Truth.FINE:
                service, email = Service(link.credential.service), link.credential.account_email
                self.world.connect(link.member, service, email, again=link)
        self._check_all()
        lost = Room.objects.filter(missing_since__isnull=False, connection__isnull=False, page_groups__isnull=False)
        hold(not lost.exists(), 2, f"rooms that are there are not found: {list(lost)}")
        self._settle()
        settled(self.witness)
        self.witness.look()
        self.witness.database()

    def _check_all(self) -> None:
        """Everybody presses "check now", which looks for missing calendars and capabilities too."""
        for link in Connection.objects.select_related("credential").order_by("pk"):
            linking.check_now(link, self.world.now())
            self.found_out(link.credential, Truth.FINE)

    def _settle(self) -> None:
        """Time passes until nothing is left to do."""
        for _ in range(MOST_ROUNDS):
            work_once()
            waiting = Effect.objects.filter(state__in=[EffectState.PENDING, EffectState.RUNNING])
            waiting = waiting.filter(next_at__lt=self.world.now() + timedelta(days=1))
            if not waiting.exists():
                return
            moments = [effect.lease_until or effect.next_at for effect in waiting]
            self.world.clock.wait(max(min(moments) - self.world.now(), timedelta(seconds=1)))
        raise Broken(4, f"never done: {[(effect.key, effect.last_error) for effect in waiting]}")
