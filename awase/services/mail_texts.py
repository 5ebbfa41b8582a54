"""A page's own words for the mails to its guests, by language; where there are none, the usual ones stand."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from awase.domain.mail_texts import filled
from awase.domain.permissions import Act
from awase.models import BookingPage, Member
from awase.services.permissions import require

EDITABLE = ("confirmed", "requested", "approved", "declined", "changed", "cancelled", "reminder", "follow_up")
"""The mails to guests whose subject and opening words an owner may write."""


def own(page: BookingPage, template: str, language: str) -> Mapping[str, str]:
    """`subject` and `text` of this mail as the owner wrote them; empty ones are left out."""
    words: Mapping[str, str] = page.texts.get(language, {}).get(template, {})
    return words


def save(page: BookingPage, template: str, language: str, *, subject: str, text: str, by: Member) -> None:
    """Keep the owner's words for one mail in one language, beside those of the others; empty ones: the usual ones."""
    require(by, Act.EDIT_PAGE, page)
    with transaction.atomic():
        row = BookingPage.objects.select_for_update(no_key=True).get(pk=page.pk)
        texts = {name: dict(mails) for name, mails in row.texts.items()}
        words = {key: value for key, value in (("subject", subject.strip()), ("text", text.strip())) if value}
        texts[language] = texts.get(language, {}) | {template: words}
        row.texts = page.texts = {
            name: kept
            for name, mails in texts.items()
            if (kept := {mail: said for mail, said in mails.items() if said})
        }
        row.save(update_fields=["texts"])


def put_in(context: dict[str, Any], words: Mapping[str, str]) -> dict[str, str]:
    """The owner's words with the variables of this mail: `own_subject` and `own_text`, empty where usual ones stand.
    `context` is that of a mail's template."""
    booking = context["booking"]
    values = {name: booking[name] for name in ("title", "when", "zone", "host", "place", "link")}
    values["guest"] = context["recipient"]
    return {f"own_{key}": filled(words.get(key, ""), values) for key in ("subject", "text")}
