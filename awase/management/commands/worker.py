"""Runs the background worker."""

from typing import Any

from django.core.management.base import BaseCommand

from awase.jobs import worker
from awase.management.readiness import make_ready


class Command(BaseCommand):
    help = "Runs the background worker: calendar events, meetings, mails, regular checks of the connections."
    # They load every address and with it Ninja, pydantic and allauth's views: memory that the worker would keep for
    # nothing. `awase serve` checks.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        make_ready()
        worker.run()
