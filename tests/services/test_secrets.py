"""Stored secrets: a wrong key is refused before anything starts, and a new key can take over without downtime."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from awase.domain.health import Service
from awase.models import Credential
from awase.services import secrets

pytestmark = pytest.mark.django_db


def test_a_key_that_cannot_read_what_is_stored_is_refused_in_one_sentence(
    owner: Any, connect: Any, settings: Any
) -> None:
    connect(owner, Service.GOOGLE)
    settings.AWASE_ENCRYPTION_KEYS = (Fernet.generate_key().decode(),)
    with pytest.raises(ImproperlyConfigured, match="does not hold the key"):
        secrets.verify()


def test_a_new_key_in_front_of_the_old_one_reads_everything(owner: Any, connect: Any, settings: Any) -> None:
    connect(owner, Service.GOOGLE)
    settings.AWASE_ENCRYPTION_KEYS = (Fernet.generate_key().decode(), *settings.AWASE_ENCRYPTION_KEYS)
    secrets.verify()
    credential = Credential.objects.get()
    credential.save(update_fields=["secret"])
    settings.AWASE_ENCRYPTION_KEYS = settings.AWASE_ENCRYPTION_KEYS[:1]
    assert Credential.objects.get().secret == credential.secret


@pytest.mark.parametrize("keys", [(), ("short",)])
def test_missing_and_malformed_keys_are_refused_in_one_sentence(settings: Any, keys: tuple[str, ...]) -> None:
    settings.AWASE_ENCRYPTION_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="AWASE_ENCRYPTION_KEYS"):
        secrets.verify()
