"""What `awase doctor` looks at. Each check yields findings: what is wrong, and what to do about it."""

import smtplib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from awase import registry
from awase.domain.errors import Failure, FailureClass, ProviderError
from awase.domain.health import Service
from awase.management.readiness import make_ready
from awase.models import Credential, Effect, EffectState, ServiceAlarm
from awase.services import heartbeat
from awase.services.foresight import approvals_ending, secrets_ending

SKEW = timedelta(seconds=60)  # tokens and signed messages are judged by the clock
LATE = timedelta(minutes=3)  # work that waits longer than this finds no worker
PATIENCE = 8.0  # seconds for each question to a service
SHORT_SECRET = 32  # characters


class Level(StrEnum):
    """How bad it is: a warning works for now."""

    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing, and the next step in one sentence."""

    level: Level
    what: str
    cure: str


def wrong(what: str, cure: str) -> Finding:
    return Finding(Level.WRONG, what, cure)


def warning(what: str, cure: str) -> Finding:
    return Finding(Level.WARNING, what, cure)


def storage(now: datetime) -> Iterator[Finding]:
    """The database answers and is up to date; the keys read what is in it."""
    try:
        make_ready()
        executor = MigrationExecutor(connection)
        behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except ImproperlyConfigured as error:
        yield wrong(str(error), "Do what it says, then run `awase doctor` again.")
    except DatabaseError as error:
        yield wrong(f"The database does not answer ({type(error).__name__}).", "Check DATABASE_URL.")
    else:
        if behind:
            yield wrong("The database is not up to date.", "Run `awase prepare`.")


def secrets(now: datetime) -> Iterator[Finding]:
    """Secrets are long enough, and were not taken from an example."""
    if len(settings.SECRET_KEY) < SHORT_SECRET:
        yield wrong(
            f"AWASE_SECRET_KEY has fewer than {SHORT_SECRET} characters: log-ins and links could be forged.",
            "Set a long random one; people then log in again, and links in mails sent before stop working.",
        )
    if settings.DEBUG:
        yield wrong("AWASE_DEBUG is on: error pages show what is inside.", "Take it away.")


def address(now: datetime) -> Iterator[Finding]:
    """Guests, services and mails reach this instance by AWASE_URL."""
    if settings.AWASE_DEMO:
        return
    parts = urlsplit(settings.AWASE_URL)
    if parts.scheme != "https":
        yield wrong(
            "AWASE_URL is not an https address: guests' details would travel unprotected, and the services "
            "neither send people back to it nor tell it of changes.",
            "Put a proxy with a certificate in front, and set AWASE_URL to its https address.",
        )
    if parts.path not in ("", "/") or parts.query:
        yield wrong("AWASE_URL has more than a host name.", "Give Awase a host name of its own, without a path.")
    host = parts.hostname or ""
    if host == "localhost" or _is_number(host):
        yield wrong(
            f"AWASE_URL names {host}, which Google refuses as an address to send people back to.",
            "Use a host name that the internet knows.",
        )


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def mails(now: datetime) -> Iterator[Finding]:
    """The mail server takes mail, and the operator has an address."""
    try:
        with mail.get_connection(timeout=5) as sender:
            sender.open()
    except (OSError, smtplib.SMTPException) as error:
        yield wrong(
            f"The mail server does not answer ({type(error).__name__}).",
            "check AWASE_SMTP_HOST, AWASE_SMTP_PORT, AWASE_SMTP_USER and AWASE_SMTP_TLS.",
        )
    if not settings.AWASE_OPERATOR_EMAIL and not settings.AWASE_DEMO:
        yield warning("Nobody is told of faults that only the operator can repair.", "Set AWASE_OPERATOR_EMAIL.")


def registrations(now: datetime) -> Iterator[Finding]:
    """Client ids and secrets come in pairs, and last."""
    known = settings.AWASE_SERVICES
    if not any(service["client_id"] for service in known.values()):
        yield warning(
            "No service is registered: people can connect CalDAV calendars only.",
            "Set AWASE_GOOGLE_CLIENT_ID or its like (docs/providers).",
        )
    for name, service in known.items():
        for present, absent in (("client_id", "client_secret"), ("client_secret", "client_id")):
            if service[present] and not service[absent]:
                yield wrong(
                    f"{name.title()} has a {_words(present)} and no {_words(absent)}.",
                    f"Set AWASE_{name.upper()}_{absent.upper()}.",
                )
    for name, end in secrets_ending(now).items():
        over = end < now.date()
        yield (wrong if over else warning)(
            f"The client secret of {name.title()} {'ran' if over else 'runs'} out on {end.isoformat()}.",
            f"Make a new one there, then set AWASE_{name.upper()}_CLIENT_SECRET and AWASE_{name.upper()}_SECRET_ENDS.",
        )
    for name, end in approvals_ending(now).items():
        over = end < now.date()
        yield warning(
            f"The approval of the app at {name.title()} {'ran' if over else 'runs'} out on {end.isoformat()}: "
            f"from then on no accounts of others may be connected there.",
            f"Have it extended there or publish the app, then set AWASE_{name.upper()}_APPROVAL_ENDS.",
        )
    if settings.AWASE_GOOGLE_TESTING and known["google"]["client_id"]:
        yield warning(
            "The Google registration is in testing: every permission ends after seven days.",
            "Publish it, or mark it as internal to your organisation (docs/providers/google.md).",
        )


def _words(name: str) -> str:
    return name.replace("_", " ")


def services(now: datetime) -> Iterator[Finding]:
    """Each registered service answers, knows us, sends people back to us, and agrees about the time."""
    for service in registry.ENTRIES:
        registration = settings.AWASE_SERVICES[service.registration]
        if registration["client_id"] and registration["client_secret"]:
            yield from _service(service, now)


def _service(service: Service, now: datetime) -> Iterator[Finding]:
    name, prefix = service.value.title(), f"AWASE_{service.registration.upper()}"
    try:
        found = registry.oauth(service, PATIENCE).inspect(now=now)
    except ProviderError as error:
        yield wrong(
            f"{name} cannot be reached ({error.failure.detail}).",
            "Check that this machine may call the internet over https, its DNS and its proxy settings.",
        )
        return
    if found.failure:
        yield _refusal(name, prefix, found.failure)
    if not found.consent:
        yield wrong(
            f"{name}'s consent screen refuses our question.",
            f"Register exactly this redirect address there: {registry.redirect_address(service)}",
        )
    if found.clock and abs(found.clock - now) > SKEW:
        seconds = round((now - found.clock).total_seconds())
        yield wrong(
            f"This machine's clock is {abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} {name}'s.",
            "Let the machine set its clock over the network (NTP).",
        )


def _refusal(name: str, prefix: str, failure: Failure) -> Finding:
    said = f"({failure.symptom}, {failure.detail})"
    if failure.kind is FailureClass.APP_CONFIG:
        cure = (
            f"Compare {prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET with the registration; the secret may have ended."
        )
        return wrong(f"{name} refuses our client id or secret {said}.", cure)
    return warning(f"{name} answers, but not as it should {said}.", "Look at its status page, and try again later.")


def worker(now: datetime) -> Iterator[Finding]:
    """A worker gave a sign of life lately, and does the work that is due. None was ever seen on a new instance:
    there, work that waits tells."""
    try:
        seen = heartbeat.last()
        checks = Credential.objects.filter(check_every__isnull=False, next_check__lt=now - LATE).count()
        effects = Effect.objects.filter(state=EffectState.PENDING, next_at__lt=now - LATE).count()
        failed = Effect.objects.filter(state=EffectState.FAILED, next_at__gt=now - timedelta(days=7)).count()
    except DatabaseError:
        return  # said above
    start = "Start `awase worker`, and let the system keep it running."
    waits = f"{checks} checks and {effects} other pieces of work wait for over {LATE.seconds // 60} minutes."
    if seen and seen < now - LATE:
        yield wrong(f"No worker runs: the last sign of one was at {seen.isoformat(timespec='seconds')}.", start)
    elif checks or effects:
        yield (
            warning(f"The worker falls behind: {waits}", "Look for what fails in its log, or start a second one.")
            if seen
            else wrong(f"No worker seems to run: {waits}", start)
        )
    if failed:
        yield warning(
            f"{failed} pieces of work were given up within a week.", "Look for “given up” in the worker's log."
        )


def alarms(now: datetime) -> Iterator[Finding]:
    """Faults of ours that the services have complained of."""
    try:
        known = list(ServiceAlarm.objects.order_by("service"))
    except DatabaseError:
        return  # said above
    for alarm in known:
        guide = Service(alarm.service).registration or alarm.service
        yield wrong(
            f"An alarm about {alarm.service.title()} stands since {alarm.since.isoformat(timespec='minutes')}: "
            f"{alarm.count} times ({alarm.symptom}, {alarm.detail}).",
            f"docs/providers/{guide}.md says what to repair; the alarm ends with the next good call.",
        )


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the examination. `network`: it calls others."""

    name: str
    find: Callable[[datetime], Iterator[Finding]]
    network: bool = False


CHECKS = (
    Check("Database and encryption keys", storage),
    Check("Secrets", secrets),
    Check("Address", address),
    Check("Mail", mails, network=True),
    Check("Registrations", registrations),
    Check("Services", services, network=True),
    Check("Worker", worker),
    Check("Alarms", alarms),
)


def examine(*, network: bool = True) -> dict[str, list[Finding]]:
    """All findings by the name of their check, in order; without the checks that call others unless `network`."""
    now = datetime.now(UTC)
    return {check.name: list(check.find(now)) for check in CHECKS if network or not check.network}
