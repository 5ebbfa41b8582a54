"""What must hold before a server or a worker starts."""

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from awase.management.commands.compile_messages import compile_catalogues
from awase.services import secrets


def make_ready() -> None:
    """Check database and keys, compile stale message catalogues. Raises ImproperlyConfigured, in one sentence."""
    compile_catalogues()
    try:
        secrets.verify()
    except DatabaseError:
        raise ImproperlyConfigured("The database is missing or not up to date: run `awase prepare`.") from None
