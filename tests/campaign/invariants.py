"""The invariants of connection-health.md section 10, looked at after every step.

They read bare rows, the sandbox's state and what was logged; `Broken` says which one does not hold.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models.signals import post_save

from awase.models import (
    Booking,
    BookingPage,
    BookingState,
    CalendarBusy,
    Connection,
    ConnectionChange,
    Credential,
    Effect,
    PageChange,
    PageHealth,
    RoomBusy,
)
from awase.models.booking import HostTime, RoomTime
from awase.services.health import verdicts
from awase.services.signals import Cause
from tests.campaign.outside import never_twice
from tests.campaign.reading import Rows, Should, read
from tests.campaign.truth import Truth, truth
from tests.campaign.world import GUEST, TOKENS, World, hold, hosts

CAUSES = set(Cause)


class Witness:
    """Sees each booking inside its own transaction, before it is committed, and what has been told so far."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.at_commit: dict[int, Should] = {}
        self.unfit: dict[int, set[int]] = {}
        self.taken_rooms: dict[int, set[int]] = {}
        self.given: dict[int, list[tuple[int, frozenset[int]]]] = defaultdict(list)
        self.by_hand: set[int] = set()  # our events that somebody deleted in a calendar
        self.disconnected: set[tuple[str, str]] = set()  # accounts that were disconnected at some time
        self.accounts = _accounts()
        self.accepting = dict(BookingPage.objects.values_list("pk", "accepting"))
        self.archived: set[int] = set()
        self.changes_seen = _latest(ConnectionChange)
        self.seen: object = None
        post_save.connect(self._saved, sender=Booking, dispatch_uid="campaign")

    def close(self) -> None:
        post_save.disconnect(sender=Booking, dispatch_uid="campaign")

    def _saved(self, instance: Booking, **_: Any) -> None:
        now = self.world.now()
        rows = Rows(now)
        self.at_commit[instance.pk] = read(now)[instance.page_id]
        self.unfit[instance.pk] = {
            member for member in rows.members if _in_the_way(rows, member, instance.start, instance.end)
        }
        self.taken_rooms[instance.pk] = _rooms_taken(rows, instance.start, instance.end)

    # After every step

    def look(self) -> None:
        """All invariants that hold at every moment; what lies in the database only if something of it, or the time,
        changed since the last look."""
        never_twice(self.world)
        self._quiet()
        state = self.world.state()
        if state == self.seen:
            return
        self._gate()
        self._hosts()
        self._switches()
        self._history()
        self._rows()
        self.seen = state

    def _gate(self) -> None:
        """1 and 2, for pages: the product's answer is the one that the rules give, and so is the stored copy."""
        now = self.world.now()
        should = read(now)
        answers = verdicts(BookingPage.objects.all(), now)
        stored = {health.page_id: health for health in PageHealth.objects.filter(page__archived_at=None)}
        for page, right in should.items():
            answer = answers[page]
            found = {host.member_id: frozenset(host.location_ids) for host in answer.hosts}
            number = 2 if right.open else 1
            hold(answer.open == right.open, number, f"page {page}: open is {answer.open}, should be {right}")
            hold(tuple(answer.stop_kinds) == right.reasons, number, f"page {page}: {answer.stop_kinds}, not {right}")
            hold(found == right.hosts, 1, f"page {page}: hosts {found}, should be {dict(right.hosts)}")
            hold(frozenset(answer.offered) == right.offered, 1, f"page {page}: {answer.offered}, not {right.offered}")
            kept = stored.get(page)
            if kept is not None and kept.open != right.open:
                ran_out = kept.open and read(kept.evaluated_at)[page].open
                hold(ran_out, 2, f"page {page}: the stored copy says open={kept.open} since {kept.evaluated_at}")

    def placed(self, taken: Booking) -> set[int]:
        """1, for bookings taken, moved, handed over, approved: at that moment the gate allowed it for these hosts,
        and none had another appointment that was known, or a calendar that was not."""
        right = self.at_commit[taken.pk]
        chosen = hosts(taken)
        hold(right.open, 1, f"booking {taken.pk} of page {taken.page_id} while {right.reasons}")
        hold(bool(chosen) and chosen <= set(right.hosts), 1, f"hosts {chosen}, eligible {set(right.hosts)}")
        hold(not chosen & self.unfit[taken.pk], 1, f"hosts {chosen}, of whom {self.unfit[taken.pk]} were not free")
        inside = set(RoomTime.objects.filter(booking=taken.session or taken).values_list("room", flat=True))
        free = right.rooms - self.taken_rooms[taken.pk]
        hold(inside <= free, 1, f"booking {taken.pk} in rooms {inside}, usable and free are {set(free)}")
        hold(len(inside) >= right.rooms_needed, 1, f"booking {taken.pk} in {len(inside)} rooms: {right}")
        return chosen

    def booked(self, taken: Booking) -> None:
        """1, for bookings newly taken: at a location that is offered, too."""
        chosen = self.placed(taken)
        right = self.at_commit[taken.pk]
        hold(self.accepting[taken.page_id], 1, f"booking {taken.pk} while its owner had switched the page off")
        hold(taken.page_id not in self.archived, 1, f"booking {taken.pk} on an archived page")
        if taken.location_kind and taken.session is None:
            kinds = dict(taken.page.locations.values_list("kind", "pk"))
            by_owner = taken.page.condition != "any"
            held = right.offered if by_owner else right.hosts[next(iter(chosen))]
            hold(kinds[taken.location_kind] in held, 1, f"{taken.location_kind} is not offered: {held}")

    def shown(self, page: BookingPage, start: datetime) -> None:
        """1, for what guests are shown: unknown is never free, and what was read to be taken is not offered."""
        now = self.world.now()
        rows, right = Rows(now), read(now)[page.pk]
        end = start + timedelta(minutes=page.duration_minutes)
        unfit = {member for member in right.hosts if _in_the_way(rows, member, start, end)}
        wrong = bool(unfit) if page.condition == "all" else unfit == set(right.hosts)
        hold(not wrong, 1, f"page {page.pk} offers {start}, when {unfit} are not free")
        free = right.rooms - _rooms_taken(rows, start, end)
        hold(len(free) >= right.rooms_needed, 1, f"page {page.pk} offers {start}, when only rooms {free} are free")
        hold(page.pk not in self.archived, 1, f"page {page.pk} is archived and offers {start}")

    def _hosts(self) -> None:
        """3: nobody is in two places, and no room holds two meetings."""
        times: list[tuple[int, Any]] = [
            (row.member_id, row) for row in HostTime.objects.filter(active=True).order_by("member", "start")
        ]
        rooms: list[tuple[int, Any]] = [
            (-row.room_id, row) for row in RoomTime.objects.filter(active=True).order_by("room", "start")
        ]
        for (who, before), (same, row) in pairwise([*times, *rooms]):
            hold(who != same or before.end <= row.start, 3, f"{before} and {row}")
        confirmed = Booking.objects.filter(state=BookingState.CONFIRMED, session=None)
        timed = set(HostTime.objects.filter(active=True).values_list("booking", flat=True))
        hold(timed >= set(confirmed.values_list("pk", flat=True)), 3, "a confirmed booking takes nobody's time")

    def _switches(self) -> None:
        """6: the owner's switch is where he left it, and the archive too."""
        found = dict(BookingPage.objects.values_list("pk", "accepting"))
        hold(found == self.accepting, 6, f"switches {found}, left at {self.accepting}")
        away = set(BookingPage.objects.exclude(archived_at=None).values_list("pk", flat=True))
        hold(away == self.archived, 6, f"in the archive {away}, left there {self.archived}")

    def _history(self) -> None:
        """7: what changed since the last look is in the history, with its cause; each page alternates."""
        accounts = _accounts()
        for pk, state in accounts.items():
            if self.accounts.get(pk) == state:
                continue
            rows = list(ConnectionChange.objects.filter(credential=pk, pk__gt=self.changes_seen).order_by("-pk"))
            hold(bool(rows), 7, f"account {pk} went from {self.accounts.get(pk)} to {state} without a word")
            hold((rows[0].standing, rows[0].reason) == state[:2], 7, f"account {pk}: {rows[0]} is not {state}")
            hold(all(row.cause in CAUSES for row in rows), 7, f"account {pk}: no cause")
        self.accounts, self.changes_seen = accounts, _latest(ConnectionChange)
        turned: dict[int, list[PageChange]] = defaultdict(list)
        for change in PageChange.objects.order_by("pk"):
            turned[change.page_id].append(change)
        for health in PageHealth.objects.all():
            opened = [change.opened for change in turned[health.page_id]]
            wanted = [bool(turn % 2) for turn in range(len(opened))]
            hold(opened == wanted, 7, f"page {health.page_id}: {opened} in the history")
            hold(health.open == (not opened or opened[-1]), 7, f"page {health.page_id}: {health.open}, last {opened}")
            hold(all(change.cause in CAUSES for change in turned[health.page_id]), 7, "no cause")

    def _quiet(self) -> None:
        """9: nothing secret in the logs. 4: no call within a transaction."""
        hold(not self.world.logs.leaks, 9, f"logged: {self.world.logs.leaks[:1]}")
        called = self.world.wire.inside_transactions
        hold(not called, 4, f"called in a transaction: {called}")

    def _rows(self) -> None:
        """9: nothing secret in what jobs and history keep."""
        rows: list[Any] = list(Effect.objects.values_list("key", "payload", "last_error", "parked_reason"))
        rows += Credential.objects.values_list("account_name", "last_symptom", "lacking")
        text = repr(rows)
        hold(GUEST not in text.lower() and not TOKENS.search(text.encode()), 9, "a secret in a job or an account")

    def database(self) -> None:
        """9, for the whole file: no token lies there unsealed."""
        name = Path(connection.settings_dict["NAME"])
        for file in (name, name.with_name(name.name + "-wal")):
            found = TOKENS.search(file.read_bytes()) if file.exists() else None
            hold(found is None, 9, f"{found and found.group()!r} in {file.name}")

    # Fairness

    def assigned(self, taken: Booking) -> None:
        """8: among those who could take it, nobody was given more than one above the least burdened, where those
        away with broken accounts are credited their share of what went past them."""
        if taken.page.condition != "any" or taken.session is not None or taken.place_missing:
            return
        [chosen] = hosts(taken)
        rows = Rows(self.world.now())
        away = frozenset(member for member in rows.members if any(rows.broken(link) for link in rows.links[member]))
        people = set(taken.page.page_members.values_list("member", flat=True))
        given = dict(HostTime.objects.filter(active=True, booking__page=taken.page).values_list("booking", "member"))
        able = {member for member in self.at_commit[taken.pk].hosts if self._could(taken, member)}
        count: dict[int, Fraction] = defaultdict(Fraction)
        for pk, gone in self.given[taken.page_id]:
            if given.get(pk) not in people:
                continue
            count[given[pk]] += 1
            missed = people & gone - {given[pk]}
            for member in missed:
                count[member] += Fraction(1, len(people - missed))
        total = {member: count[member] for member in able | {chosen}}
        hold(total[chosen] <= min(total.values()) + 1, 8, f"{chosen} was given another one: {total}")
        self.given[taken.page_id].append((taken.pk, away))

    def _could(self, taken: Booking, member: int) -> bool:
        """Whether the booking could as well have gone to this member, for certain."""
        held = self.at_commit[taken.pk].hosts[member]
        kinds = dict(taken.page.locations.values_list("kind", "pk"))
        own = HostTime.objects.filter(active=True, member=member, start__lt=taken.end, end__gt=taken.start)
        return (
            member not in self.unfit[taken.pk]
            and (not taken.location_kind or kinds[taken.location_kind] in held)
            and not own.exclude(booking=taken).exists()
            and all(
                truth(self.world, link.credential) is Truth.FINE for link in Connection.objects.filter(member=member)
            )
        )


def _in_the_way(rows: Rows, member: int, start: datetime, end: datetime) -> bool:
    """Whether an appointment that was read, or a calendar that was not, is in the way of [start, end)."""
    for calendar in rows.in_use(member):
        if not calendar["checked"] or (calendar["go_on_without"] and rows.unreadable(calendar)):
            continue
        if _taken(CalendarBusy.objects.filter(calendar=calendar["id"]).first(), start, end):
            return True
    return False


def _rooms_taken(rows: Rows, start: datetime, end: datetime) -> set[int]:
    """The rooms in which something is known of [start, end), or of which it is not known."""
    known = {busy.room_id: busy for busy in RoomBusy.objects.all()} if rows.rooms else {}
    return {room for room in rows.rooms if _taken(known.get(room), start, end)}


def _taken(kept: CalendarBusy | RoomBusy | None, start: datetime, end: datetime) -> bool:
    if kept is None or not kept.covered_start <= start.timestamp() <= end.timestamp() <= kept.covered_end:
        return True
    numbers = memoryview(bytes(kept.spans)).cast("q")
    spans = zip(numbers[::2], numbers[1::2], strict=True)
    return any(begins < end.timestamp() and start.timestamp() < ends for begins, ends in spans)


def _accounts() -> dict[int, tuple[str, str, str]]:
    return {
        row["id"]: (row["standing"], row["reason"], repr(sorted(row["lacking"].items())))
        for row in Credential.objects.values("id", "standing", "reason", "lacking")
    }


def _latest(model: type[ConnectionChange]) -> int:
    return model.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
