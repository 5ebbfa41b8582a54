"""Looks the installation over and says what is wrong, and how to mend it."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from awase import registry
from awase.management.examination import Level, examine


class Command(BaseCommand):
    help = "Checks the installation and says what is wrong. Ends with 1 if something must be mended."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
        parser.add_argument("--offline", action="store_true", help="leave out the mail server and the services")

    def handle(self, *args: Any, **options: Any) -> None:
        found = examine(network=not options["offline"])
        bad = sum(finding.level is Level.WRONG for findings in found.values() for finding in findings)
        if options["json"]:
            self.stdout.write(json.dumps({"ok": not bad, "checks": _plain(found)}, ensure_ascii=False, indent=1))
        else:
            self._write(found)
        if bad:
            raise CommandError(f"{bad} thing{'s' if bad > 1 else ''} to mend.")

    def _write(self, found: dict[str, Any]) -> None:
        for name, findings in found.items():
            self.stdout.write(f"{name}: {'' if findings else 'ok'}".rstrip())
            for finding in findings:
                self.stdout.write(f"  {finding.level}: {finding.what}\n    → {finding.cure}")
        if addresses := [
            registry.redirect_address(service) for service in registry.ENTRIES if registry.configured(service)
        ]:
            self.stdout.write("Redirect addresses that must be registered, exactly so:")
            for each in addresses:
                self.stdout.write(f"  {each}")


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    return {name: [asdict(finding) for finding in findings] for name, findings in found.items()}
