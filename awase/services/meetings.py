"""Bringing the online meeting of a booking at one member's account to the booking's present state.

There is one effect for each account that ever had to make it: after a booking was handed over, the old account's
effect deletes what the new one's makes anew. The effect remembers in its payload `connection`, the account that
was asked; `at`, the times last asked for, noted before a meeting is made; and `meeting`, its id once known. So an
attempt whose answer was lost is found again, also if the booking was moved or cancelled since.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from awase import registry
from awase.domain.errors import FailureClass, FailureScope, ProviderError
from awase.domain.gate import account_behind
from awase.domain.health import BACKED_BY, LocationKind
from awase.models import Booking, Connection, Effect
from awase.providers.protocols import ConferenceProvider, Meeting, MeetingDraft
from awase.services import outbox
from awase.services.calls import Call, LeaseLost, Parked, Postponed, remember
from awase.services.drafts import meeting_draft
from awase.services.health import member_values
from awase.services.hosts import stands
from awase.services.tokens import source


def bring(effect: Effect, now: datetime) -> None:
    """Make, move or delete the meeting of this effect's booking at its member's account. Raises what `calls`
    has, and ProviderError."""
    booking = effect.booking
    assert booking is not None
    kind = LocationKind(booking.location_kind)
    due = stands(booking) and booking.location_member_id == effect.member_id
    if not due and "at" not in effect.payload:
        return  # nothing was ever asked for
    connection = _connection(effect, kind, now)
    if connection is None:
        if due:
            raise Parked(None, "not_connected")
        return  # with the account went whatever was made there
    service, capability = BACKED_BY[kind]
    provider = registry.conferences(service, source(connection.credential))
    draft = meeting_draft(booking)
    before = effect.payload
    try:
        with Call(connection.credential, capability if due else None, now):
            if not due:
                _delete(effect, kind, provider, draft)
                return
            if "meeting" not in before or not booking.join_url:  # handed away and back, it lost its link
                made = _make(effect, connection, kind, provider, draft)
                try:
                    _keep(effect, booking, connection, made, now)
                except LeaseLost:
                    _take_back(effect, provider, made)
                    raise
            _update(effect, provider, draft)
    except Parked:
        if "at" not in before:
            remember(effect, {})  # the only call ever made was refused
        raise


def _connection(effect: Effect, kind: LocationKind, now: datetime) -> Connection | None:
    """The account that was asked already; if it is gone, or none was, the one that the gate relies on."""
    links = Connection.objects.select_related("credential")
    if asked := links.filter(pk=effect.payload.get("connection", 0)).first():
        return asked
    member = effect.member
    assert member is not None
    remember(effect, {})
    behind = account_behind(member_values([member.pk], now)[member.pk], kind)
    return links.get(pk=behind.id) if behind else None


def _make(
    effect: Effect, connection: Connection, kind: LocationKind, provider: ConferenceProvider, draft: MeetingDraft
) -> Meeting:
    """The meeting, at the times that the effect remembers: the one that was asked for before, or a new one."""
    if made := _lost(effect, kind, provider, draft):
        return made
    remember(effect, {"connection": connection.pk, "at": _times(draft)})
    return provider.create_meeting(draft)


def _take_back(effect: Effect, provider: ConferenceProvider, made: Meeting) -> None:
    """Whoever took the effect over has made another meeting: ours is one too many."""
    kept = Effect.objects.get(pk=effect.pk).payload.get("meeting", made.id)
    if kept != made.id:
        provider.delete_meeting(made.id)


def _update(effect: Effect, provider: ConferenceProvider, draft: MeetingDraft) -> None:
    if effect.payload["at"] == _times(draft):
        return
    try:
        provider.update_meeting(effect.payload["meeting"], draft)
    except ProviderError as error:
        if error.failure.scope is FailureScope.EVENT and error.failure.kind is FailureClass.NOT_FOUND:
            remember(effect, {})  # deleted behind our back
            raise Postponed(timedelta(seconds=1)) from error
        raise
    remember(effect, {**effect.payload, "at": _times(draft)})


def _delete(effect: Effect, kind: LocationKind, provider: ConferenceProvider, draft: MeetingDraft) -> None:
    meeting_id = effect.payload.get("meeting")
    if meeting_id is None and (lost := _lost(effect, kind, provider, draft)):
        meeting_id = lost.id
    if meeting_id is not None:
        provider.delete_meeting(meeting_id)
    remember(effect, {})


def _lost(effect: Effect, kind: LocationKind, provider: ConferenceProvider, draft: MeetingDraft) -> Meeting | None:
    """The meeting that was asked for before without an answer that was noted."""
    if "at" not in effect.payload:
        return None
    start, end = (datetime.fromisoformat(moment) for moment in effect.payload["at"])
    asked = replace(draft, start=start, end=end)
    # Teams has no list to look into; asking again for the same one yields it.
    return provider.create_meeting(asked) if kind is LocationKind.TEAMS else provider.find_meeting(asked)


def _times(draft: MeetingDraft) -> list[str]:
    return [draft.start.isoformat(), draft.end.isoformat()]


def _keep(effect: Effect, booking: Booking, connection: Connection, made: Meeting, now: datetime) -> None:
    """Write down what was made; for people only if the booking has not been handed over meanwhile."""
    with transaction.atomic():
        shown = Booking.objects.filter(pk=booking.pk, location_member=effect.member_id)
        if shown.update(meeting_id=made.id, join_url=made.join_url, meeting_connection=connection):
            booking.seats.update(join_url=made.join_url)
            outbox.link_arrived(booking, now)
        remember(effect, {**effect.payload, "meeting": made.id})
