"""Brings everything that an instance keeps up to date; safe to repeat."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from awase.management.commands.compile_messages import compile_catalogues


class Command(BaseCommand):
    help = "Brings database, messages and static files up to date: before the first start, after updates."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-static", action="store_true", help="leave the static files as they are")

    def handle(self, *args: Any, no_static: bool = False, **options: Any) -> None:
        compile_catalogues()
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        if not no_static:
            call_command("collectstatic", interactive=False, verbosity=0)
        self.stdout.write("Ready.")
