"""The command line: `awase VERB …`, or `python -m awase VERB …`."""

import os
import sys

USAGE = """awase VERB …

Try it out
  demo            a complete Awase with sample data and stand-ins for Google, Microsoft and Zoom

Run it
  prepare         bring database, messages and static files up to date (before the first start, after updates)
  serve           the web server
  worker          the background worker
  doctor          check the installation and say what is wrong
  create-admin    create a log-in that may do everything in a workspace
  end-two-factor  switch the second factor off for somebody who lost phone and codes
  create-api-key  create a key for the API; end-api-key ends one
  new-key         print a fresh encryption key for AWASE_ENCRYPTION_KEYS

`awase VERB --help` says more. Everything else goes to Django's own command line.
"""


def main(arguments: list[str] | None = None) -> int:
    """Carry out one command and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    verb, *rest = arguments or ["help"]
    if verb in {"help", "--help", "-h"} and not rest:
        sys.stdout.write(USAGE)
        return 0
    if verb == "demo":
        from awase.demo.launcher import main as demo

        return demo(rest)
    if verb == "new-key":
        from cryptography.fernet import Fernet

        sys.stdout.write(Fernet.generate_key().decode() + "\n")
        return 0

    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "awase.settings")
    try:
        execute_from_command_line(["awase", verb.replace("-", "_") if verb[0] != "-" else verb, *rest])
    except ImproperlyConfigured as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
