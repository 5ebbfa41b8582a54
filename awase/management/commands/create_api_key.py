"""Makes a key with which a program uses the API in a member's name."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from awase.models import Member
from awase.services import keys


class Command(BaseCommand):
    help = "Makes an API key in a member's name and prints it, this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the mail address with which the member logs in")
        parser.add_argument(
            "--scopes",
            nargs="+",
            required=True,
            type=keys.Scope,
            choices=list(keys.Scope),
            metavar="SCOPE",
            help="what the key may do: " + ", ".join(keys.Scope),
        )
        parser.add_argument("--workspace", default="", help="address of the workspace, for a member of several")
        parser.add_argument("--name", default="", help="what the key is for")

    def handle(self, *args: Any, email: str, scopes: list[keys.Scope], workspace: str, name: str, **_: Any) -> None:
        members = Member.objects.filter(user__email=email.lower(), user__is_active=True)
        if workspace:
            members = members.filter(workspace__slug=workspace)
        found = list(members[:2])
        if not found:
            raise CommandError(f"There is no member with the address {email}.")
        if len(found) > 1:
            raise CommandError(f"{email} belongs to several workspaces: say which with --workspace.")
        self.stdout.write(keys.create(found[0], scopes, datetime.now(UTC), name[:80]))
