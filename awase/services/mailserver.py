"""The mail server: what is configured, and a test mail that says what it answered. For the instance's owner."""

import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

from awase.models import Effect, EffectKind, EffectState, User


class Outcome(StrEnum):
    """What became of a test mail."""

    SENT = "sent"
    NO_SERVER = "no_server"  # nobody listens there, or not in time
    LOG_IN = "log_in"  # user name or password refused
    ENCRYPTION = "encryption"
    SENDER = "sender"
    RECIPIENT = "recipient"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome with what the server said, for people who run mail servers."""

    outcome: Outcome
    said: str = ""


TESTED = "mail:test"  # the effect that a test mail leaves behind once a server has taken it


def to_be_tested(viewer: User) -> bool:
    """Whether the instance's owner should see whether mails arrive: none was taken by a server yet."""
    if not viewer.owns_instance or settings.AWASE_DEMO:
        return False
    return not Effect.objects.filter(kind=EffectKind.MAIL, state=EffectState.DONE).exists()


def send_test(by: User, now: datetime) -> Answer:
    """A mail to the instance's owner, sent at once. Raises PermissionDenied for everybody else."""
    if not by.owns_instance:
        raise PermissionDenied
    message = EmailMessage(
        subject=_("Test mail from Awase"),
        body=_("This mail shows that Awase can send mails. There is nothing to do."),
        to=[by.email],
    )
    try:
        message.send()
    except smtplib.SMTPAuthenticationError as error:
        return Answer(Outcome.LOG_IN, _words(error.smtp_error))
    except smtplib.SMTPSenderRefused as error:
        return Answer(Outcome.SENDER, _words(error.smtp_error))
    except smtplib.SMTPRecipientsRefused as error:
        return Answer(Outcome.RECIPIENT, "; ".join(_words(said) for _code, said in error.recipients.values()))
    except (smtplib.SMTPNotSupportedError, ssl.SSLError) as error:
        return Answer(Outcome.ENCRYPTION, _words(error))
    except smtplib.SMTPException as error:
        return Answer(Outcome.OTHER, _words(error))
    except OSError as error:
        return Answer(Outcome.NO_SERVER, _words(error.strerror or type(error).__name__))
    Effect.objects.update_or_create(
        key=TESTED, defaults={"kind": EffectKind.MAIL, "state": EffectState.DONE, "next_at": now, "done": 1}
    )
    return Answer(Outcome.SENT)


def _words(said: object) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return text[:300]


def described() -> dict[str, str]:
    """What is configured, without secrets."""
    return {
        "host": f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}",
        "sender": settings.DEFAULT_FROM_EMAIL,
        "user": settings.EMAIL_HOST_USER,
        "encrypted": "STARTTLS" if settings.EMAIL_USE_TLS else "",
    }
