"""Mail addresses as people type them."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email


def require_mail_address(text: str) -> None:
    """Raise ValidationError unless mails can go to this address: of its domain a mail server must be able to write the
    name, and letters before it that merely resemble those of an address are none."""
    validate_email(text)
    local, _, domain = text.rpartition("@")
    try:
        domain.encode("idna")
    except UnicodeError:
        raise ValidationError(validate_email.message, code="invalid") from None
    if not local.isascii():
        raise ValidationError(validate_email.message, code="invalid")
