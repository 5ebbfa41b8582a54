"""Creates a log-in with every right in a workspace, on the server itself."""

import getpass
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from awase.models import Role, User, Workspace
from awase.services import accounts, first_run


class Command(BaseCommand):
    help = "Creates a log-in with every right in a workspace. The password is asked for, or read from a pipe."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the mail address to log in with")
        parser.add_argument("--name", default="", help="the person's name")
        parser.add_argument("--workspace", default="", help="address of the workspace to join (default: a new one)")

    def handle(self, *args: Any, email: str, name: str, workspace: str, **options: Any) -> None:
        joined = Workspace.objects.filter(slug=workspace).first()
        if workspace and joined is None:
            raise CommandError(f"There is no workspace with the address {workspace}.")
        if User.objects.filter(email=email.lower()).exists():
            raise CommandError(f"{email} has a log-in already.")
        try:
            validate_email(email)
            password = self._password()
            validate_password(password, User(email=email, name=name))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        with transaction.atomic():
            user = User.objects.create_user(email, password, name=name)
            member = accounts.add_member(joined, user, Role.ADMIN) if joined else accounts.found_workspace(user)
            first_run.begin(member)
        self.stdout.write(f"{email} can log in now.")

    def _password(self) -> str:
        if not sys.stdin.isatty():
            return sys.stdin.readline().rstrip("\n")
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("Once more: "):
            raise ValidationError("The two passwords differ.")
        return password
