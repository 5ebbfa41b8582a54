"""Looks the installation over and says what is wrong, and how to mend it."""

import smtplib
import socket
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from awase.management.readiness import make_ready


def storage() -> Iterator[str]:
    try:
        make_ready()
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            yield "The database is not up to date: run `awase prepare`."
    except ImproperlyConfigured as error:
        yield str(error)


def address() -> Iterator[str]:
    if not settings.AWASE_URL.startswith("https://") and not settings.AWASE_DEMO:
        yield "AWASE_URL is not an https address: guests' details would travel unprotected."


def mails() -> Iterator[str]:
    try:
        with mail.get_connection(timeout=5) as sender:
            sender.open()
    except (OSError, smtplib.SMTPException, socket.gaierror) as error:
        yield f"The mail server does not answer ({type(error).__name__}): check AWASE_SMTP_HOST."


def services() -> Iterator[str]:
    missing = [name for name, service in settings.AWASE_SERVICES.items() if not service["client_id"]]
    if len(missing) == len(settings.AWASE_SERVICES):
        yield "No service is registered: set AWASE_GOOGLE_CLIENT_ID or its like so that people can connect."


CHECKS: dict[str, Callable[[], Iterator[str]]] = {
    "Database and encryption keys": storage,
    "Address": address,
    "Mail": mails,
    "Services": services,
}


class Command(BaseCommand):
    help = "Checks the installation and says what is wrong."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        for name, check in CHECKS.items():
            problems = list(check())
            wrong += len(problems)
            self.stdout.write(f"{name}: {' '.join(problems) or 'ok'}")
        if wrong:
            raise CommandError(f"{wrong} thing{'s' if wrong > 1 else ''} to mend.")
