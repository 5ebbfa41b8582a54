"""Events about accounts and calendars: connected, broken, repaired, checked, ticked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from awase.domain.health import Service, Standing
from awase.models import Calendar, CalendarEvent, Connection, Credential
from awase.services import checks, notices
from awase.services import connections as linking
from awase.services.connections import ConnectProblem, Trouble
from awase.services.signals import Cause
from tests.campaign.base import Events, mishap, number
from tests.campaign.reading import NO_PERSON, broken
from tests.campaign.truth import Truth, truth
from tests.campaign.wire import Mishap
from tests.campaign.world import DIED, ROOMS, SERVICES, hold

ENDS = (
    "revoked",
    "expired",
    "password_changed",
    "mfa_required",
    "consent_missing",
    "scope_missing",
    "disabled",
    "account_gone",
    "admin_blocked",
    "no_mailbox",
    "app_deauthorized",
)
PASSES = ("outage", "timeout", "html_body", "truncated_json", "rate_limited", "lost_answer", "calendar_error")
LACKS = ("no_licence", "meet_failed", "app_secret_expired", "expired_access", "sync_expired")

FEW = 4  # connections that are left, so that something can still break


class AccountEvents(Events):
    @rule(who=number, service=st.sampled_from(SERVICES), whose=number, happens=mishap)
    def connect(self, who: int, service: Service, whose: int, happens: Mishap | None) -> None:
        """A member connects an account: their own, or (Zoom) one that somebody else uses too."""
        self.event("connect")
        member = self.member(who)
        shared = service is Service.ZOOM and whose % 3 == 0
        email = self.member(whose).user.email if shared else member.user.email
        self.world.control("accounts", service=self.world.at(service), email=email)
        self._consent(happens, lambda: self.world.connect(member, service, email))

    @rule(which=number, happens=mishap)
    def reconnect(self, which: int, happens: Mishap | None) -> None:
        """The same account once more: identity and ticks stay, and it works if the service lets it."""
        self.event("reconnect")
        link = self.link(which)
        if link is None:
            return
        before = _ticks(link)
        service, email = Service(link.credential.service), link.credential.account_email
        done = self._consent(happens, lambda: self.world.connect(link.member, service, email, again=link))
        if isinstance(done, Connection):
            hold(done.pk == link.pk and _ticks(done) == before, 2, "identity or ticks were lost in a reconnection")
            if happens is None and truth(self.world, done.credential) is Truth.FINE:
                self.found_out(done.credential, Truth.FINE)

    @rule(which=number, trouble=st.sampled_from(["other", "denied"]))
    def reconnect_wrongly(self, which: int, trouble: str) -> None:
        """Another account, or a refusal: explained, and nothing is stored."""
        self.event(f"reconnect: {trouble}")
        link = self.link(which)
        if link is None:
            return
        service, email = Service(link.credential.service), link.credential.account_email
        before = list(Credential.objects.order_by("pk").values())
        if trouble == "other":
            email = "somebody-else@minato.example"
            self.world.control("accounts", service=self.world.at(service), email=email)
        try:
            self.world.connect(link.member, service, email, again=link, allow=trouble != "denied")
        except ConnectProblem as problem:
            expected = (Trouble.OTHER_ACCOUNT, Trouble.FAILED) if trouble == "other" else (Trouble.DENIED,)
            hold(problem.trouble in expected, 7, f"{problem.trouble} was told for: {trouble}")
            hold(list(Credential.objects.order_by("pk").values()) == before, 7, "a refused connection was stored")
        else:
            hold(False, 7, f"{trouble} was silently accepted")

    @rule(which=number, happens=mishap)
    def disconnect(self, which: int, happens: Mishap | None) -> None:
        self.event("disconnect")
        link = self.link(which)
        if link is None or Connection.objects.count() <= FEW:
            return
        self.witness.disconnected.add((self.world.at(link.credential.service), link.credential.account_email))
        self.act(happens, lambda: linking.disconnect(link, self.world.now()))

    @rule(which=number, fault=st.sampled_from(ENDS), brief=st.booleans())
    def access_ends(self, which: int, fault: str, brief: bool) -> None:
        """Something that needs a person; nobody has noticed yet."""
        self.break_account(which, fault, brief)

    @rule(which=number, fault=st.sampled_from(PASSES), brief=st.booleans())
    def service_fails(self, which: int, fault: str, brief: bool) -> None:
        """Something that passes by itself."""
        self.break_account(which, fault, brief)

    @rule(which=number, fault=st.sampled_from(LACKS), brief=st.booleans())
    def something_lacks(self, which: int, fault: str, brief: bool) -> None:
        """A licence, our own secret, or what was kept of the reading before."""
        self.break_account(which, fault, brief)

    @rule(which=number, fault=st.sampled_from([*ENDS, *PASSES, *LACKS]), now=st.booleans(), happens=mishap)
    def break_and_notice(self, which: int, fault: str, now: bool, happens: Mishap | None) -> None:
        """It breaks, and the next check meets it."""
        link = self.link(which)
        if link is not None:
            self._break(link.credential, fault, brief=False)
            self.check(which, happens, now)

    def break_account(self, which: int, fault: str, brief: bool) -> None:
        credential = self.one(Credential.objects, which)
        if credential is not None:
            self._break(credential, fault, brief=brief)

    def _break(self, credential: Credential, fault: str, *, brief: bool) -> None:
        self.event(f"break: {fault}")
        account = self.world.account(credential)
        more = {"seconds": 1200} if brief else {}
        self.world.control(f"accounts/{account.service}/{account.email}/fault", fault=fault, **more)

    @rule(which=number)
    def repair_account(self, which: int) -> None:
        """The service is well again; what was revoked stays so."""
        self.event("repair")
        credential = self.one(Credential.objects, which)
        if credential is None:
            return
        account = self.world.account(credential)
        self.world.control(f"accounts/{account.service}/{account.email}/repair")

    @rule(which=number, happens=mishap, now=st.booleans())
    def check(self, which: int, happens: Mishap | None, now: bool) -> None:
        """The periodic check of one account, or "check now"; it finds out what is really the matter."""
        self.event("check now" if now else "check")
        link = self.link(which)
        if link is None:
            return
        before, right = link.credential, truth(self.world, link.credential)
        if now:
            done = self.act(happens, lambda: linking.check_now(link, self.world.now()))
        else:
            done = self.act(happens, lambda: checks.check(before.pk, Cause.CHECK, self.world.now()))
        if happens is None and done is not DIED:
            self.found_out(before, right)

    def found_out(self, before: Credential, right: Truth) -> None:
        """After a check the account's state is what it really is; `before` is the row as it was."""
        row = Credential.objects.values().get(pk=before.pk)
        wrong = broken(row, self.world.now())
        person = wrong and row["standing"] == Standing.ERROR and row["reason"] not in NO_PERSON
        about = f"{row['service']} {row['account_email']}: {row['standing']} {row['reason']}, in truth {right}"
        if right is Truth.FINE:
            hold(not wrong and row["standing"] == Standing.OK, 2, about)
        elif right is Truth.PERSON:
            hold(person, 1, about)
        elif right is not Truth.UNSEEN and before.standing != Standing.ERROR:
            hold(not person, 2, about)

    @rule(which=number)
    def ask_to_reconnect(self, which: int) -> None:
        self.event("ask to reconnect")
        link = self.link(which)
        if link is not None:
            notices.ask(link, self.world.now())

    # Calendars

    @rule(who=number, at=st.integers(0, 60), hours=st.integers(1, 4))
    def appointment(self, who: int, at: int, hours: int) -> None:
        """The member, or somebody for them, enters an appointment in a calendar."""
        self.event("appointment")
        calendars = Calendar.objects.filter(connection__member=self.member(who))
        calendar = self.one(calendars.select_related("connection__credential"), at)
        if calendar is None:
            return
        account = self.world.account(calendar.connection.credential)
        start = self.tomorrow() + timedelta(hours=at)
        if calendar.external_id in account.calendars:
            self.world.control(
                f"accounts/{account.service}/{account.email}/calendars/{calendar.external_id}/events",
                title="Appointment",
                start=start.isoformat(),
                end=(start + timedelta(hours=hours)).isoformat(),
            )

    @rule(who=number)
    def calendar_vanishes(self, who: int) -> None:
        """Somebody deletes the second calendar at the service."""
        self.event("calendar vanishes")
        name = self.member(who).user.email.partition("@")[0]
        for account in self.world.sandbox.state.accounts.values():
            if account.email.startswith(f"{name}@"):
                account.calendars.pop(f"second-{name}", None)

    @rule(who=number)
    def calendar_comes_back(self, who: int) -> None:
        self.event("calendar comes back")
        self.world.bring_back(self.member(who).user.email.partition("@")[0])

    @rule(which=number, there=st.booleans())
    def room_vanishes_or_returns(self, which: int, there: bool) -> None:
        """Somebody deletes a room at the service, or makes it again."""
        self.event("room returns" if there else "room vanishes")
        for account in list(self.world.sandbox.state.accounts.values()):
            if not there:
                account.calendars.pop(ROOMS[which % len(ROOMS)], None)
            elif account.service == "microsoft" and account.email.startswith("suzuki@"):
                self.world.rooms_back(account.email)

    @rule(which=number, at=st.integers(0, 60))
    def room_is_taken(self, which: int, at: int) -> None:
        """Somebody takes a room without us."""
        self.event("room is taken")
        address, start = ROOMS[which % len(ROOMS)], self.tomorrow() + timedelta(hours=at)
        for account in list(self.world.sandbox.state.accounts.values()):
            if address in account.calendars:
                self.world.control(
                    f"accounts/{account.service}/{account.email}/calendars/{address}/events",
                    title="Taken",
                    start=start.isoformat(),
                    end=(start + timedelta(hours=1)).isoformat(),
                )

    @rule(who=number, which=number, happens=mishap)
    def choose_for_meet(self, who: int, which: int, happens: Mishap | None) -> None:
        """Another Google account for Meet links, where bookings are added elsewhere."""
        self.event("choose for Meet")
        member = self.member(who)
        link = self.one(Connection.objects.filter(member=member, credential__service=Service.GOOGLE), which)
        if link is not None:
            self.act(happens, lambda: linking.set_meet_account(member, link, self.world.now()))

    @rule(which=number)
    def event_deleted_by_hand(self, which: int) -> None:
        """A host deletes our event in their calendar."""
        self.event("event deleted by hand")
        event = self.one(CalendarEvent.objects.exclude(external_id=""), which)
        if event is None:
            return
        for account in list(self.world.sandbox.state.accounts.values()):
            for calendar in account.calendars.values():
                if event.external_id in calendar.events:
                    path = f"accounts/{account.service}/{account.email}/calendars/{calendar.id}/events"
                    self.world.browser.delete(f"/control/api/{path}/{event.external_id}")
                    self.witness.by_hand.add(event.pk)

    @rule(which=number, checked=number, go_on=number, happens=mishap)
    def tick(self, which: int, checked: int, go_on: int, happens: Mishap | None) -> None:
        """Which calendars are checked, and which the member goes on without."""
        self.event("tick")
        links = Connection.objects.filter(credential__service__in=linking.CALENDAR_SERVICES, member__left_at=None)
        link = self.one(links.select_related("credential", "member"), which)
        if link is None:
            return
        ids = list(link.calendars.order_by("pk").values_list("pk", flat=True))
        ticked = {pk for place, pk in enumerate(ids) if checked >> place & 1}
        without = {pk for place, pk in enumerate(ids) if go_on >> place & 1}
        now = self.world.now()
        self.act(happens, lambda: linking.set_use(link.member, link, checked=ticked, go_on_without=without, now=now))

    @rule(who=number, which=number, happens=mishap)
    def add_bookings_to(self, who: int, which: int, happens: Mishap | None) -> None:
        """Another calendar for the bookings, or none."""
        self.event("add bookings to")
        member = self.member(who)
        ids = [None, *Calendar.objects.filter(connection__member=member, writable=True).values_list("pk", flat=True)]
        chosen = ids[which % len(ids)]
        self.act(happens, lambda: linking.set_booking_calendar(member, chosen, self.world.now()))

    def _consent(self, happens: Mishap | None, work: Callable[[], Any]) -> Any:
        """A connection that the service, or a mishap, may refuse: then it is explained."""
        try:
            return self.act(happens, work)
        except ConnectProblem as problem:
            self.world.ledger.refusals[f"connect: {problem.trouble}"] += 1
            return problem


def _ticks(link: Connection) -> list[tuple[int, str, bool]]:
    ticked = link.calendars.filter(checked=True).order_by("pk")
    return list(ticked.values_list("pk", "external_id", "go_on_without"))
