"""The encryption key is checked before anything starts: with a wrong one nothing could be read back."""

from django.core.exceptions import ImproperlyConfigured

from awase.models import Credential
from awase.models.encryption import Undecipherable, cipher


def verify() -> None:
    """Raise ImproperlyConfigured, in one sentence, if the keys are missing, malformed, or not those with
    which the stored secrets were encrypted."""
    cipher()
    try:
        Credential.objects.order_by("pk").first()
    except Undecipherable:
        raise ImproperlyConfigured(
            "AWASE_ENCRYPTION_KEYS does not hold the key with which the stored connections were encrypted."
        ) from None
