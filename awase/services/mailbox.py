"""The demo's mailbox: mails are kept in the database, shown in the product, and noted on the console."""

import logging
from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from awase.models import SentMail

logger = logging.getLogger(__name__)


class DemoMailbox(BaseEmailBackend):
    """A mail backend that keeps everything here; no mail leaves the machine."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            alternatives = {kind.split(";")[0]: str(content) for content, kind in getattr(message, "alternatives", [])}
            SentMail.objects.create(
                sender=message.from_email,
                recipients=", ".join(message.to),
                reply_to=", ".join(message.reply_to),
                subject=str(message.subject),
                text=str(message.body),
                html=alternatives.get("text/html", ""),
                attachment=alternatives.get("text/calendar", ""),
            )
            logger.info("mail kept in the demo's mailbox: %s", message.subject)
        return len(email_messages)
