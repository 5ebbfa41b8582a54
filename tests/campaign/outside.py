"""Invariants 4 and 5: what stands at the services, for each booking, read from the sandbox's own state."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from awase.models import Booking, BookingState, CalendarEvent, Effect, EffectState
from awase.models.booking import HostTime
from sandbox.state import Account
from tests.campaign.world import World, hold

if TYPE_CHECKING:
    from tests.campaign.invariants import Witness

SETTLED = (EffectState.DONE, EffectState.PARKED)


def _outside() -> Iterable[Effect]:
    return Effect.objects.filter(kind__in=["event", "meeting"]).select_related("member")


def _accounts(world: World) -> list[tuple[tuple[str, str], Account]]:
    return [((account.service, account.email), account) for account in world.sandbox.state.accounts.values()]


def events(world: World) -> Counter[str]:
    """How many events carry which of our keys."""
    found: Counter[str] = Counter()
    for (service, _email), account in _accounts(world):
        for calendar in account.calendars.values():
            for event in calendar.events.values():
                if service == "google" and event["status"] != "cancelled":
                    found[event["id"]] += 1
                elif service == "microsoft" and not event.get("_gone"):
                    found[event["transactionId"] or ""] += 1
    return found


def meetings(world: World) -> Counter[tuple[tuple[str, str], str]]:
    """How many meetings to come each account holds for which booking, by the beginning of its uid."""
    found: Counter[tuple[tuple[str, str], str]] = Counter()
    for where, account in _accounts(world):
        for meeting in account.meetings.values():
            start = meeting.get("start_time") or meeting["startDateTime"]
            if datetime.fromisoformat(start) <= world.now():
                continue  # nobody looks for what is over
            reference = meeting.get("externalId") or meeting.get("agenda", "").removeprefix("Awase ")
            found[where, reference[:12]] += 1
    return found


def never_twice(world: World) -> None:
    """At every moment: at most one event in a calendar, and one meeting at an account, for one booking."""
    for key, number in events(world).items():
        hold(number == 1 or not key, 4, f"{number} events with the key {key}")
    for (where, reference), number in meetings(world).items():
        hold(number == 1, 4, f"{number} meetings at {where} for {reference}")


def settled(witness: "Witness") -> None:
    """Once all is repaired and done: each booking that stands has its event in each host's calendar, and its
    meeting, or waits visibly for an account that is not connected; any other has none."""
    world = witness.world
    effects = {(row.booking_id, row.kind, row.member_id): row for row in _outside()}
    for row in effects.values():
        hold(row.state in SETTLED, 4, f"{row.key} is {row.state}: {row.last_error}")
        if row.state == EffectState.PARKED:
            nowhere = row.member is not None and row.member.booking_calendar_id is None
            honest = {"not_connected", "calendar_missing"} if nowhere else {"not_connected"}
            hold(row.parked_reason in honest, 4, f"{row.key} waits for {row.parked_reason!r} after the repair")
    _events_settled(witness, effects)
    _meetings_settled(witness, effects)
    for taken in _standing(world):
        for member in _hosts(taken):
            written = CalendarEvent.objects.filter(booking=taken, member=member).exists()
            hold(not written or (taken.pk, "event", member) in effects, 4, f"{taken.uid}: nobody writes for {member}")


def _events_settled(witness: "Witness", effects: dict[Any, Effect]) -> None:
    found = events(witness.world)
    standing = {taken.pk: _hosts(taken) for taken in _standing(witness.world)}
    for event in CalendarEvent.objects.filter(booking__start__gt=witness.world.now()).select_related("booking"):
        effect = effects[event.booking_id, "event", event.member_id]
        lost = event.pk in witness.by_hand or event.calendar_id is None or effect.state != EffectState.DONE
        if event.member_id in standing.get(event.booking_id, ()):
            hold(lost or found[event.key] == 1, 4, f"{event.booking}: no event for member {event.member_id}")
        else:
            hold(event.calendar_id is None or not found[event.key], 5, f"{event.booking}: an event is left")


def _meetings_settled(witness: "Witness", effects: dict[Any, Effect]) -> None:
    found = meetings(witness.world)
    standing = {taken.pk: taken for taken in _standing(witness.world)}
    for taken in Booking.objects.filter(start__gt=witness.world.now()):
        here = {where: n for (where, reference), n in found.items() if reference == taken.uid[:12]}
        left = {where for where in here if where not in witness.disconnected}
        if taken.pk not in standing or taken.location_kind not in ("zoom", "teams"):
            hold(not left, 5, f"{taken}: a meeting is left at {left}")
            continue
        effect = effects.get((taken.pk, "meeting", taken.location_member_id))
        if effect is None or effect.state != EffectState.DONE:
            hold(effect is not None, 4, f"{taken}: nobody makes its meeting")
            continue
        hold(bool(here) and len(left) <= 1, 4, f"{taken}: meetings at {here}")
        hold(bool(taken.join_url), 4, f"{taken}: the link is not known")


def _standing(world: World) -> Iterator[Booking]:
    """The bookings to come that are to stand outside; a session stands for its guests."""
    for taken in Booking.objects.filter(state=BookingState.CONFIRMED, session=None, start__gt=world.now()):
        if not taken.is_session or taken.seats.filter(state=BookingState.CONFIRMED).exists():
            yield taken


def _hosts(taken: Booking) -> set[int]:
    found = set(HostTime.objects.filter(booking=taken, active=True).values_list("member", flat=True))
    if taken.location_kind == "meet" and taken.location_member_id:
        found.add(taken.location_member_id)
    return found
