"""Authenticated encryption of secrets at rest: Fernet, newest key first, all keys decrypt."""

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


class Undecipherable(Exception):
    """A stored secret cannot be read with any of the configured keys; it is never handed out as it is."""


@cache
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise ImproperlyConfigured(
            "AWASE_ENCRYPTION_KEYS must hold at least one Fernet key (32 bytes, URL-safe base64); "
            "`awase new-key` prints one."
        ) from None


def cipher() -> MultiFernet:
    """The cipher made of the configured keys; raises ImproperlyConfigured if they are missing or malformed."""
    return _cipher(tuple(settings.AWASE_ENCRYPTION_KEYS))


if TYPE_CHECKING:
    Binary = models.BinaryField[Any, Any]
else:
    Binary = models.BinaryField


class SealedField(Binary):
    """A JSON value kept encrypted. In Python it is a plain dict; in the database a Fernet token."""

    def from_db_value(self, value: Any, *_: Any) -> Any:
        if value is None:
            return None
        try:
            return json.loads(cipher().decrypt(bytes(value)))
        except InvalidToken:
            raise Undecipherable("a stored secret cannot be read with the configured encryption keys") from None

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else cipher().encrypt(json.dumps(value).encode())

    def value_to_string(self, obj: models.Model) -> str:
        return "(sealed)"
