"""Ends an API key at once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from awase.services import keys


class Command(BaseCommand):
    help = "Ends an API key at once. Its id is the part between the two underscores: awase_ID_…"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", help="the key's id, 16 hex digits")

    def handle(self, *args: Any, **options: Any) -> None:
        if not keys.end(options["id"]):
            raise CommandError("There is no key with this id.")
        self.stdout.write("The key is no longer accepted.")
