"""Switches somebody's second factor off, who lost both phone and recovery codes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from awase.services import sessions


class Command(BaseCommand):
    help = "Switches two-factor authentication off for somebody who lost phone and codes, and logs them out everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the mail address with which they log in")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        if not sessions.end_two_factor(email.lower()):
            raise CommandError(f"{email} has no second factor.")
        self.stdout.write(f"{email} logs in with the password alone now.")
