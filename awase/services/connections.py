"""Connecting, reconnecting and disconnecting accounts, and what each account is used for.

A connection keeps its identity: reconnecting the same account keeps its calendars and their ticks, is verified
by reading every calendar in use, and opens the pages in the transaction that stores it.
"""

import logging
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import F

from awase import registry
from awase.domain.errors import Failure, FailureClass, ProviderError, Reason
from awase.domain.health import Service, Standing
from awase.domain.transition import needs_person
from awase.models import BookingPage, Calendar, CalendarBusy, Connection, ConnectionChange, Credential, Member
from awase.providers.guard import AddressRefused
from awase.providers.protocols import Account, Grant
from awase.services import checks, foresight, notices, probing, push
from awase.services.health import Renewal, pages_of_members, recorded_state, renew, standing_of
from awase.services.signals import (
    Cause,
    linked_members,
    raise_alarm,
    record,
    resume_events,
    resume_of,
    resume_unconnected,
)
from awase.services.tokens import GivenToken, asked_to_wait, sealed, sealed_access, source, tokens_of
from awase.services.use import renew_use

logger = logging.getLogger(__name__)

CALENDAR_SERVICES = frozenset(service for service in Service if service.calendars)
PATIENCE = timedelta(minutes=15)  # how long somebody may stay on the consent screen


class Trouble(StrEnum):
    """What can go wrong while connecting; each has words that say what happened and what to do."""

    DENIED = "denied"  # the person said no
    STATE = "state"  # the answer does not belong to a request of this session
    EXPIRED = "expired"  # the request is too old
    SCOPE = "scope"  # a box was not ticked
    OTHER_ACCOUNT = "other_account"  # another account than the one to be reconnected
    ADMIN = "admin"  # the account's administrator does not allow it
    FAILED = "failed"  # the service answered with an error
    NOT_CONFIGURED = "not_configured"
    ADDRESS = "address"  # a typed address that must not be called
    REFUSED = "refused"  # user name or app password refused


class ConnectProblem(Exception):
    """Connecting did not work; nothing was stored."""

    def __init__(self, trouble: Trouble, *, expected: str = "", got: str = "", failure: Failure | None = None) -> None:
        super().__init__(trouble.value)
        self.trouble, self.expected, self.got, self.failure = trouble, expected, got, failure


@dataclass(frozen=True, slots=True)
class Pending:
    """A request under way, kept in the person's own session: the state and the PKCE secret bind the answer to it."""

    service: str
    state: str
    verifier: str
    member_id: int
    connection_id: int | None
    started: float

    def to_session(self) -> dict[str, Any]:
        return {slot: getattr(self, slot) for slot in self.__slots__}


def start(
    member: Member,
    service: Service,
    connection: Connection | None,
    now: datetime,
    *,
    wishes: Collection[foresight.Wish] = (),
) -> tuple[str, Pending]:
    """The address of the consent screen, and what the session must remember until the answer comes. With `rooms`
    it also asks for what rooms need; an account that has granted that is asked for it again."""
    asked = set(wishes)
    if connection is not None:
        asked |= {wish for wish in foresight.Wish if not foresight.missing_scopes(connection.credential, wish)}
    if not registry.configured(service):
        raise ConnectProblem(Trouble.NOT_CONFIGURED)
    pending = Pending(
        service=service.value,
        state=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        member_id=member.pk,
        connection_id=connection.pk if connection else None,
        started=now.timestamp(),
    )
    address = registry.oauth(service).authorize_url(
        state=pending.state,
        verifier=pending.verifier,
        login_hint=connection.credential.account_email if connection else "",
        rooms=foresight.Wish.ROOMS in asked,
        organisation=foresight.Wish.ORGANISATION in asked,
    )
    return address, pending


def finish(
    member: Member, service: Service, pending: Pending | None, answer: dict[str, str], now: datetime
) -> Connection:
    """Take the service's answer in. Raises ConnectProblem; then nothing was stored."""
    fits = pending and pending.service == service and pending.member_id == member.pk
    if pending is None or not fits or not secrets.compare_digest(pending.state, answer.get("state", "")):
        raise ConnectProblem(Trouble.STATE)
    if now.timestamp() - pending.started > PATIENCE.total_seconds():
        raise ConnectProblem(Trouble.EXPIRED)
    oauth = registry.oauth(service)
    if refusal := answer.get("error", ""):
        # It came by way of the browser, so it alarms nobody.
        failure = oauth.callback_failure(answer, now=now)
        denied = refusal in ("access_denied", "consent_required") and failure.reason is None
        raise ConnectProblem(Trouble.DENIED) if denied else _refused(failure)
    try:
        grant = oauth.exchange(code=answer.get("code", ""), verifier=pending.verifier, now=now)
    except ProviderError as error:
        raise _refused_by(service, error, now) from error
    if grant.missing:
        raise ConnectProblem(Trouble.SCOPE)
    _same_account(member, pending, grant)
    return _store(member, service, grant, now)


def _refused(failure: Failure) -> ConnectProblem:
    return ConnectProblem(Trouble.ADMIN if failure.reason is Reason.ADMIN_BLOCKED else Trouble.FAILED, failure=failure)


def _refused_by(service: Service, error: ProviderError, now: datetime) -> ConnectProblem:
    """What the service itself answered while connecting; the operators hear of what is our own fault."""
    if error.failure.kind is FailureClass.APP_CONFIG:
        raise_alarm(service, error.failure, now)
    return _refused(error.failure)


def _same_account(member: Member, pending: Pending, grant: Grant) -> None:
    """Reconnecting with another account is explained, never silently accepted."""
    if pending.connection_id is None:
        return
    wanted = Connection.objects.filter(pk=pending.connection_id, member=member).select_related("credential").first()
    if wanted is not None and wanted.credential.account_id != grant.account.id:
        raise ConnectProblem(Trouble.OTHER_ACCOUNT, expected=wanted.credential.account_email, got=grant.account.email)


def connect_caldav(
    member: Member, wanted: Connection | None, address: str, username: str, password: str, now: datetime
) -> Connection:
    """Connect, or reconnect `wanted`, by address and app password. Raises ConnectProblem; nothing is stored then."""
    try:
        account, access = registry.caldav().connect(address, username, password, time_zone=member.user.time_zone)
    except AddressRefused as error:
        raise ConnectProblem(Trouble.ADDRESS, failure=error.failure) from error
    except ProviderError as error:
        wrong = error.failure.kind is FailureClass.RECONNECT
        raise ConnectProblem(Trouble.REFUSED if wrong else Trouble.FAILED, failure=error.failure) from error
    if wanted is not None and wanted.credential.account_id != account.id:
        raise ConnectProblem(Trouble.OTHER_ACCOUNT, expected=wanted.credential.account_email, got=account.email)
    return _keep(member, Service.CALDAV, account, access, {"secret": sealed_access(access)}, now)


def _store(member: Member, service: Service, grant: Grant, now: datetime) -> Connection:
    tokens = {
        "secret": sealed(grant.tokens),
        "scopes": " ".join(sorted(grant.tokens.scopes)),
        "expires_at": grant.tokens.expires_at,
        "refresh_expires_at": grant.tokens.refresh_expires_at,
        **foresight.known_end(service, grant.tokens, now),
    }
    return _keep(member, service, grant.account, GivenToken(grant.tokens.access_token), tokens, now)


def _keep(
    member: Member,
    service: Service,
    account: Account,
    access: registry.Access,
    tokens: dict[str, Any],
    now: datetime,
) -> Connection:
    """Verify the grant with real reads, then keep it: identity, ticks, busy times, state and pages in one go."""
    known = Credential.objects.filter(service=service, account_id=account.id).first()
    try:
        # None for a meeting account.
        listed = list(registry.calendars(service, access).list_calendars()) if service.calendars else None
    except ProviderError as error:
        raise _refused_by(service, error, now) from error
    reading = checks.read(service, known, access, now)
    kept = {**tokens, "account_email": account.email, "account_name": account.name, "lacking": {}}
    with transaction.atomic():
        credential, _ = Credential.objects.update_or_create(
            service=service,
            account_id=account.id,
            defaults={**kept, "lease_until": None, "lease_token": "", "quiet_until": None},
            create_defaults={**kept, "since": now},
        )
        Credential.objects.filter(pk=credential.pk).update(generation=F("generation") + 1)
        connection, new = Connection.objects.get_or_create(member=member, credential=credential)
        if listed is not None:
            for link in credential.connections.all():
                checks.keep_listed(link, listed)
        if new:
            _first_ticks(member, connection, now)
            resume_unconnected(member, now)
        if known is None:
            ConnectionChange.objects.create(credential=credential, at=now, standing=Standing.OK, cause=Cause.CONNECTED)
        renew_use(linked_members(credential), now)
        checks.keep(credential, reading)
        cause = Cause.CONNECTED if new else Cause.RECONNECTED
        record(credential.pk, reading.signal, cause, now, calendars_changed=True)
    if new and service in CALENDAR_SERVICES:
        checks.check(credential.pk, Cause.CONNECTED, now)
    return connection


def _first_ticks(member: Member, connection: Connection, now: datetime) -> None:
    """A new account's main calendar is checked for conflicts, and receives bookings if none does yet."""
    main = connection.calendars.order_by("-primary", "pk").first()
    if main is None:
        return
    main.checked = True
    main.save(update_fields=["checked"])
    writable = connection.calendars.filter(writable=True).order_by("-primary", "pk").first()
    if writable and Member.objects.filter(pk=member.pk, booking_calendar=None).update(booking_calendar=writable):
        resume_events(member, now)


def set_use(
    member: Member,
    connection: Connection,
    *,
    checked: set[int],
    go_on_without: set[int],
    now: datetime,
    tentative_free: bool | None = None,
) -> Renewal:
    """Which calendars of this account are checked for conflicts, and under which policy; whether what is not sure yet
    takes time (None: as before). The ids that are not this member's are ignored."""
    with transaction.atomic():
        if tentative_free not in (None, connection.tentative_free):
            Connection.objects.filter(pk=connection.pk, member=member).update(tentative_free=tentative_free)
            # Everything is read afresh: what is kept does not tell which of it was sure. What was left out of it takes
            # time from now on, so that nothing is known until then.
            kept = CalendarBusy.objects.filter(calendar__connection=connection, calendar__connection__member=member)
            if tentative_free:
                kept.update(sync_token="")
            else:
                kept.delete()
        for calendar in Calendar.objects.filter(connection=connection, connection__member=member):
            if calendar.pk in checked and not calendar.checked:
                checks.forget_old(CalendarBusy.objects.filter(calendar=calendar), now)
            calendar.checked = calendar.pk in checked
            calendar.go_on_without = calendar.pk in go_on_without
            calendar.save(update_fields=["checked", "go_on_without"])
        renewal = _changed(member, now)
    _read_anew(connection, now)
    return renewal


def set_booking_calendar(member: Member, calendar_id: int | None, now: datetime) -> Renewal:
    """The one calendar that bookings are added to, or none. Raises Calendar.DoesNotExist for a foreign one."""
    calendar = None
    if calendar_id is not None:
        calendar = Calendar.objects.select_related("connection").get(
            pk=calendar_id, connection__member=member, writable=True
        )
    with transaction.atomic():
        Member.objects.filter(pk=member.pk).update(booking_calendar=calendar)
        renewal = _changed(member, now)
        resume_events(member, now)
    if calendar is not None:
        _read_anew(calendar.connection, now)
    return renewal


def set_meet_account(member: Member, connection: Connection, now: datetime) -> Renewal:
    """Which of the member's Google accounts makes the Meet links where bookings are added elsewhere."""
    with transaction.atomic():
        Member.objects.filter(pk=member.pk).update(meet_connection=connection)
        return _changed(member, now)


def _read_anew(connection: Connection, now: datetime) -> None:
    """A calendar that just came into use is read at once; until then it is unknown, so not free."""
    if connection.credential.service in CALENDAR_SERVICES:
        checks.check(connection.credential_id, Cause.EDIT, now)


def _changed(member: Member, now: datetime) -> Renewal:
    """A member changed what their accounts are used for. The accounts are locked before the pages, as `record` does."""
    accounts = Credential.objects.filter(connections__member=member).order_by("pk")
    list(accounts.select_for_update(of=("self",), no_key=True))
    renewal = _renewed(member, now, Cause.EDIT)
    notices.use_changed(member, renewal, now)
    return renewal


def _renewed(member: Member, now: datetime, cause: Cause) -> Renewal:
    renew_use([member.pk], now)
    return renew(pages_of_members([member.pk]), now, cause)


def check_now(connection: Connection, now: datetime) -> datetime | None:
    """Look at the account at once, whatever its state, at a person's wish; its calendar list too. While the service
    wants to be left alone nothing is asked: until when, else None."""
    credential = connection.credential
    waiting = asked_to_wait(credential, now)
    if waiting and not needs_person(recorded_state(credential)):
        return waiting.retry_at
    listed = None
    if credential.service in CALENDAR_SERVICES:
        try:
            listed = list(registry.calendars(Service(credential.service), source(credential)).list_calendars())
        except ProviderError as error:
            record(credential.pk, error.failure, Cause.CHECK_NOW, now)
            return None
    checks.check(credential.pk, Cause.CHECK_NOW, now, listed)
    probing.probe(Credential.objects.get(pk=credential.pk), Cause.CHECK_NOW, now)
    return None


def disconnect(connection: Connection, now: datetime) -> Renewal:
    """Take the link away, and the account's tokens with the last link. The grant is then ended at the service
    where that is safe: never while another connection lives on the same account."""
    credential = connection.credential
    grant = None
    if not credential.connections.exclude(pk=connection.pk).exists():
        push.close_all(credential)
    with transaction.atomic():
        member = connection.member
        locked = Credential.objects.select_for_update().filter(pk=credential.pk, connections=connection.pk).first()
        if locked is None:
            return Renewal([], [])  # somebody else did it a moment ago
        credential = locked
        resume_of(connection, now)
        connection.delete()
        renewal = _renewed(member, now, Cause.DISCONNECTED)
        notices.disconnected(credential, member, now)
        if not credential.connections.exists():
            if credential.service != Service.CALDAV and not _siblings(credential):
                grant = tokens_of(credential)
            credential.delete()
    if grant is not None and grant.refresh_token:
        try:
            registry.oauth(Service(credential.service)).revoke(grant)
        except ProviderError as error:
            # The copy here is gone either way; the person may also remove the app at the service.
            logger.warning("grant not revoked at %s: %s", credential.service, error.failure.symptom)
    return renewal


def _siblings(credential: Credential) -> bool:
    """Whether another credential stands on the same account (Teams beside Outlook): revoking would end both."""
    microsoft = {Service.MICROSOFT, Service.TEAMS}
    if credential.service not in microsoft:
        return False
    others = Credential.objects.filter(service__in=microsoft, account_email=credential.account_email)
    return others.exclude(pk=credential.pk).exists()


def pages_using(connection: Connection) -> list[BookingPage]:
    """The pages on whose answer this account's member bears."""
    return pages_of_members([connection.member_id])


def can_connect(service: Service) -> bool:
    """Whether accounts of this service can be connected on this instance."""
    return registry.configured(service)


def of_member(member: Member) -> list[Connection]:
    """A member's connections with their accounts, by service."""
    return list(
        Connection.objects.filter(member=member).select_related("credential").order_by("credential__service", "pk")
    )


def in_error(connections: list[Connection], now: datetime) -> list[Connection]:
    """Those whose account cannot be relied on at `now`."""
    return [link for link in connections if standing_of(link.credential, now)[0] is Standing.ERROR]
