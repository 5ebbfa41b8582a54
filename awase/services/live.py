"""The live check at booking time: a short look into the candidate hosts' calendars at the chosen moment.

A host whose calendar turns out busy, has vanished, or needs a person, drops out; after a transient failure, or
without an answer in time, the stored busy times decide while they are young enough. However many people could be
hosts, the guest waits no longer for them than for one, and the database is asked as often.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from awase import registry
from awase.domain.errors import Failure, FailureClass, ProviderError
from awase.domain.health import Service, Standing
from awase.models import BookingPage, Calendar, CalendarBusy, CalendarEvent, Credential
from awase.providers.caldav import DavAccess
from awase.providers.protocols import BusyEvent, CalendarProvider
from awase.services.reading import passed_over
from awase.services.signals import Cause, Good, record, record_missing
from awase.services.tokens import GivenToken, asked_to_wait, at_hand, source

YOUNG = timedelta(minutes=15)
MOST_AT_ONCE = 16
SLACK = 0.5  # seconds beyond the patience of each call, so that a call tells of its own time-out


@dataclass(frozen=True, slots=True)
class _Question:
    credential: Credential
    provider: CalendarProvider
    calendars: list[Calendar]


def unfit_hosts(
    page: BookingPage, member_ids: Sequence[int], start: datetime, end: datetime, now: datetime
) -> set[int]:
    """Those of `member_ids` who cannot take [start, end) after all. Marks connections that need a person."""
    if not settings.AWASE_LIVE_CHECK:
        return set()
    start -= timedelta(minutes=page.buffer_before_minutes)
    end += timedelta(minutes=page.buffer_after_minutes)
    questions, unfit = _questions(member_ids, now)
    answers = [
        _once_more(question, answer, start, end) if answer is not None else None
        for question, answer in zip(questions, _ask_all(questions, start, end), strict=True)
    ]
    own = _own_among(answers)
    for question, answer in zip(questions, answers, strict=True):
        if answer is None:
            unfit |= {member_id for calendar in question.calendars for member_id in _unread(calendar, now)}
        else:
            unfit |= _judge(question, answer, own, start, end, now)
    return unfit


def _questions(member_ids: Sequence[int], now: datetime) -> tuple[list[_Question], set[int]]:
    """One question per account with checked calendars; the members whose token cannot be had are unfit.

    Tokens are fetched here: the threads that ask the services never touch the database.
    """
    calendars: dict[int, list[Calendar]] = {}
    accounts: dict[int, Credential] = {}
    rows = Calendar.objects.filter(connection__member__in=member_ids, checked=True, missing_since=None)
    for calendar in rows.select_related("connection__credential", "connection__member"):
        account = calendar.connection.credential
        accounts[account.pk] = account
        calendars.setdefault(account.pk, []).append(calendar)
    questions, unfit = [], set()
    for pk, account in accounts.items():
        if asked_to_wait(account, now):
            unfit |= {member_id for calendar in calendars[pk] for member_id in _unread(calendar, now)}
            continue
        access = source(account, settings.AWASE_LIVE_CHECK_SECONDS)
        try:
            if not isinstance(access, DavAccess):
                access = GivenToken(at_hand(account) or access.token())
            provider = registry.calendars(Service(account.service), access, patience=settings.AWASE_LIVE_CHECK_SECONDS)
        except ProviderError as error:
            unfit |= _after_failure(calendars[pk], error.failure, account, now)
            continue
        questions.append(_Question(account, provider, calendars[pk]))
    return questions, unfit


Answer = Mapping[str, tuple[BusyEvent, ...] | Failure] | Failure


def _ask(question: _Question, start: datetime, end: datetime) -> Answer:
    ids = sorted({calendar.external_id for calendar in question.calendars})
    try:
        return question.provider.busy(ids, start, end)
    except ProviderError as error:
        return error.failure


def _ask_all(questions: Sequence[_Question], start: datetime, end: datetime) -> list[Answer | None]:
    """The answers, as far as they came in time (None: not)."""
    if not questions:
        return []
    pool = ThreadPoolExecutor(max_workers=min(len(questions), MOST_AT_ONCE))
    asked = [pool.submit(_ask, question, start, end) for question in questions]
    wait(asked, settings.AWASE_LIVE_CHECK_SECONDS + SLACK)
    pool.shutdown(wait=False, cancel_futures=True)
    return [one.result() if one.done() and not one.cancelled() else None for one in asked]


def _once_more(question: _Question, answer: Answer, start: datetime, end: datetime) -> Answer:
    """The token may merely have been withdrawn early: then it is asked with the one writer of the credential."""
    if not isinstance(answer, Failure) or answer.kind is not FailureClass.RECONNECT:
        return answer
    account, patience = question.credential, settings.AWASE_LIVE_CHECK_SECONDS
    patient = registry.calendars(Service(account.service), source(account, patience), patience=patience)
    return _ask(_Question(account, patient, question.calendars), start, end)


def _own_among(answers: Sequence[Answer | None]) -> set[tuple[int, str]]:
    """Whose own events (member, key) these answers tell of: an event of ours blocks as the booking says, which may
    have been moved or cancelled a moment ago."""
    found = [events for answer in answers if isinstance(answer, Mapping) for events in answer.values()]
    keys = {event.own_key for events in found if not isinstance(events, Failure) for event in events} - {""}
    return set(CalendarEvent.objects.filter(key__in=keys).values_list("member", "key"))


def _judge(
    question: _Question, answer: Answer, own: set[tuple[int, str]], start: datetime, end: datetime, now: datetime
) -> set[int]:
    """The members whom this answer rules out."""
    account = question.credential
    if isinstance(answer, Failure):
        return _after_failure(question.calendars, answer, account, now)
    missing = {name for name, found in answer.items() if isinstance(found, Failure) and _vanished(found)}
    if missing:
        record_missing(account.pk, missing, Good(), Cause.LIVE_CHECK, now)
    elif account.standing != Standing.OK or account.lacking:  # else there is nothing to learn from it
        record(account.pk, Good(), Cause.LIVE_CHECK, now)
    unfit = set()
    for calendar in question.calendars:
        member_id = calendar.connection.member_id
        found = answer[calendar.external_id]
        if isinstance(found, Failure):
            unfit |= _who_counts(calendar) if _vanished(found) else _unread(calendar, now)
        elif any(
            event.start < end
            and start < event.end
            and (member_id, event.own_key) not in own
            and not passed_over(event, calendar)
            for event in found
        ):
            unfit.add(member_id)
    return unfit


def _after_failure(calendars: list[Calendar], failure: Failure, account: Credential, now: datetime) -> set[int]:
    record(account.pk, failure, Cause.LIVE_CHECK, now)
    if failure.kind is FailureClass.RECONNECT:
        return {member_id for calendar in calendars for member_id in _who_counts(calendar)}
    return {member_id for calendar in calendars for member_id in _unread(calendar, now)}


def _unread(calendar: Calendar, now: datetime) -> set[int]:
    """A calendar that could not be read live: its stored busy times decide while they are young enough."""
    oldest = (now - YOUNG).timestamp()
    young = CalendarBusy.objects.filter(calendar=calendar, read_at__gte=oldest).exists()
    return set() if young else _who_counts(calendar)


def _vanished(failure: Failure) -> bool:
    return failure.kind is FailureClass.NOT_FOUND


def _who_counts(calendar: Calendar) -> set[int]:
    """The member whom a checked calendar rules out when nothing is known of it; nobody where they go on without it,
    which they cannot where it receives their bookings."""
    member = calendar.connection.member
    return set() if calendar.go_on_without and member.booking_calendar_id != calendar.pk else {member.pk}
