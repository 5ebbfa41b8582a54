"""Typed readers for the process environment. Each says in one sentence what is wrong and how to mend it."""

import os
from pathlib import Path


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


def words(name: str, default: str = "") -> tuple[str, ...]:
    """A list separated by commas or white space."""
    return tuple(text(name, default).replace(",", " ").split())
