"""Brings the sample data into a running demo."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from awase.demo import sample


class Command(BaseCommand):
    help = "Brings the sample data into a running demo (`awase demo` does it by itself)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sandbox", required=True, metavar="URL", help="address of the running sandbox")

    def handle(self, *args: Any, sandbox: str, **options: Any) -> None:
        if not settings.AWASE_DEMO:
            raise CommandError("Sample data are for a demo only: AWASE_DEMO is not set.")
        sample.fill(sandbox)
