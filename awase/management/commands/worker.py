"""Runs the background worker."""

from typing import Any

from django.core.management.base import BaseCommand

from awase.jobs import worker
from awase.management.readiness import make_ready


class Command(BaseCommand):
    help = "Runs the background worker: calendar events, meetings, mails, regular checks of the connections."

    def handle(self, *args: Any, **options: Any) -> None:
        make_ready()
        worker.run()
