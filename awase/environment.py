"""Typed readers for the process environment. Each says in one sentence what is wrong and how to mend it."""

import os
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class ConfigurationError(SystemExit):
    """A setting is missing or wrong: the process ends with one sentence on standard error."""


def text(name: str, default: str | None = None) -> str:
    """The variable NAME, or the content of the file that NAME_FILE points to."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigurationError(f"{name}_FILE cannot be read: {error.strerror}.") from None
    value = os.environ.get(name, default)
    if value is None:
        raise ConfigurationError(f"{name} is not set: see the operator's part of README.md.")
    return value


def flag(name: str, default: bool) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value not in {"0", "1", "true", "false", "yes", "no"}:
        raise ConfigurationError(f"{name} must be 1 or 0.")
    return value in {"1", "true", "yes"}


def number(name: str, default: int) -> int:
    try:
        return int(text(name, str(default)))
    except ValueError:
        raise ConfigurationError(f"{name} must be a whole number.") from None


def day(name: str) -> date | None:
    """A date like 2027-03-31; None if it is not set."""
    value = text(name, "")
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise ConfigurationError(f"{name} must be a date like 2027-03-31.") from None


def words(name: str, default: str = "") -> tuple[str, ...]:
    """A list separated by commas or white space."""
    return tuple(text(name, default).replace(",", " ").split())


_SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "CONN_MAX_AGE": None,
    "OPTIONS": {
        # A deferred transaction that begins with a read cannot be upgraded under load; IMMEDIATE waits instead.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # Each thread has a connection: a cache of the usual 2 MB in each is 6 to 10 MB of a web worker process, for
        # pages that the operating system keeps anyway.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-512;"
        ),
    },
}
# The plan of a prepared statement (models/libpq.py) is made once. Else most are planned anew each time, which takes
# longer than finding the rows, because a plan for known values looks cheaper by less than planning costs.
_KEEP_PLANS = "-c plan_cache_mode=force_generic_plan"
_POSTGRESQL = {
    "ENGINE": "django.db.backends.postgresql",
    "CONN_MAX_AGE": 600,
    # A server that was restarted is noticed before the first query of a request, not by it.
    "CONN_HEALTH_CHECKS": True,
}


def database(name: str, default: str) -> dict[str, Any]:
    """A database by its address, as Django wants it told.

    `sqlite:///relative.sqlite3`, `sqlite:////absolute.sqlite3` or
    `postgresql://user:password@host:port/name?sslmode=require`; what stands after the question mark goes to
    libpq (a socket's folder as `?host=/run/postgresql`). Reserved characters are percent-encoded.
    """
    try:
        address = urlsplit(text(name, default))
        port = address.port
    except ValueError:
        raise ConfigurationError(f"{name} is no valid address.") from None
    path = unquote(address.path.removeprefix("/"))
    if address.scheme == "sqlite" and path and not address.netloc:
        return {**_SQLITE, "NAME": str(Path(path).resolve())}
    if address.scheme in {"postgres", "postgresql"} and path:
        return {
            **_POSTGRESQL,
            "NAME": path,
            "USER": unquote(address.username or ""),
            "PASSWORD": unquote(address.password or ""),
            "HOST": unquote(address.hostname or ""),
            "PORT": port or "",
            "OPTIONS": {"connect_timeout": "10", "options": _KEEP_PLANS, **dict(parse_qsl(address.query))},
        }
    raise ConfigurationError(f"{name} must be postgresql://user:password@host:port/name or sqlite:///file.")
