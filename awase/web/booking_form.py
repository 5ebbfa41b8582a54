"""The form with the guest's details, and what it carries along: page, start and a key of its own, signed."""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from awase.domain.health import LocationKind
from awase.domain.intervals import epoch, moment
from awase.models import Booking, BookingPage
from awase.models.page import Ask
from awase.services import booking, words
from awase.services.addresses import require_mail_address
from awase.services.slots import Offer
from awase.web import guest
from awase.web.extra_fields import FurtherField, question_fields
from awase.web.guest import PREFILL, Wish

SALT = "awase.book"
LASTS = 30 * 24 * 3600  # a form may stand open overnight, or over a holiday
GONE = "gone"
# Bidirectional overrides make a name read as another one in mails and calendars.
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str) -> None:
    """Names of every script pass; what could end a mail header or turn the text around does not."""
    if any(unicodedata.category(sign) in {"Cc", "Zl", "Zp"} or sign in TURNING for sign in text):
        raise ValidationError(_("This contains a character that cannot be used here."))


class Line(forms.CharField):
    """One line of text."""

    def to_python(self, value: Any) -> str | None:
        # Before the text is stripped, which would hide a line end that stands last.
        one_line(str(value or ""))
        return super().to_python(value)


class MailField(forms.EmailField):
    """An address to which mails can go."""

    default_validators = [require_mail_address]  # noqa: RUF012 - as Django declares it


def mail_field() -> MailField:
    """A guest's mail address."""
    return MailField(
        label=gettext_lazy("Email"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": gettext_lazy("Please enter your mail address."),
            "invalid": gettext_lazy("This is not a mail address. Please check it: name@example.com."),
        },
    )


class BookingForm(forms.Form):
    """What a guest enters. The places and people are those of the start that is being booked, so the choice of one
    that is no longer to be had is an error with the code `gone`."""

    host = forms.TypedChoiceField(label=pgettext_lazy("guest", "Host"), coerce=int, empty_value=None, required=False)
    place = forms.TypedChoiceField(label=gettext_lazy("Place"), coerce=int, empty_value=None, required=False)
    name = Line(
        label=pgettext_lazy("guest", "Name"),
        max_length=100,
        error_messages={"required": gettext_lazy("Please enter your name.")},
    )
    email = mail_field()
    company = Line(
        label=gettext_lazy("Company"),
        max_length=120,
        required=False,
        error_messages={"required": gettext_lazy("Please enter the name of your company.")},
    )
    phone = Line(
        label=gettext_lazy("Phone number"),
        max_length=40,
        required=False,
        error_messages={"required": gettext_lazy("Please enter the number at which you can be reached.")},
    )
    where = Line(
        label=gettext_lazy("Where shall we meet?"),
        max_length=300,
        required=False,
        error_messages={"required": gettext_lazy("Please say where to meet.")},
    )
    note = forms.CharField(
        label=pgettext_lazy("guest", "Note"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, answer: Offer, start: datetime | None, wish: Wish, **options: Any) -> None:
        super().__init__(**options)
        self.answer, self.start = answer, start
        self.fields |= question_fields(answer.page)
        if answer.page.ask_further:
            self.fields["further"] = FurtherField()
        names = {member.id: words.person(member.name) for member in answer.value.members}
        self.kinds = {place.id: place.kind for place in answer.value.locations}
        hosts = answer.hosts_at(start) if start and guest.guests_choose(answer.page) else ()
        # The wish for a person narrows the places only where there is nobody else to choose.
        places = guest.places_at(answer, start, hosts[0] if len(hosts) == 1 else None) if start else ()
        self._offer("host", {pk: names[pk] for pk in hosts}, wish.host_id)
        self._offer("place", {pk: guest.place_name(self.kinds[pk]) for pk in places}, wish.place_id)
        # Before a start is chosen, whatever one of them may ask for: what was typed is not lost with its start.
        kinds = {self.kinds[pk] for pk in (places if start else answer.verdict.offered)}
        asked = {"company": answer.page.ask_company, "phone": answer.page.ask_phone, "where": Ask.NO}
        for name, kind in (("company", None), ("phone", LocationKind.PHONE), ("where", LocationKind.ASK_GUEST)):
            if not asked[name] and kind not in kinds:
                del self.fields[name]
            elif asked[name] == Ask.REQUIRED or kinds == {kind}:
                self.fields[name].required = True
        if LocationKind.PHONE in kinds and not self.fields["phone"].required:
            self.fields["phone"].help_text = _("Needed for a meeting by phone.")
        if LocationKind.ASK_GUEST in kinds and not self.fields["where"].required:
            self.fields["where"].help_text = _("Needed for a place of your choice.")
        for name, purpose in (("name", "name"), ("email", "email"), ("company", "organization"), ("phone", "tel")):
            if name in self.fields:
                self.fields[name].widget.attrs["autocomplete"] = purpose
        self.fields["email"].help_text = _("The confirmation goes here.")
        if not self.start:
            self.use_required_attribute = False

    def _offer(self, name: str, labels: Mapping[int, str], wished: int | None) -> None:
        """A choice where there are several; the only one goes along unseen, so that it is known what was offered."""
        field = self.fields[name]
        assert isinstance(field, forms.TypedChoiceField)
        field.widget = forms.RadioSelect() if len(labels) > 1 else forms.HiddenInput()
        field.choices = list(labels.items()) or [("", "")]
        field.required = field.widget.is_required = bool(labels)
        field.error_messages["invalid_choice"] = _("This is no longer available at this time. Please choose again.")
        if labels and self.initial.get(name) not in {str(pk) for pk in labels}:
            self.initial[name] = wished if wished in labels else next(iter(labels))

    def only(self, name: str) -> int | None:
        """The one person or place that there is at this start; None if there is a choice, or none."""
        choices = list(self.fields[name].choices)  # type: ignore[attr-defined]
        return choices[0][0] or None if len(choices) == 1 else None

    def settle(self) -> None:
        """After a refusal: what there is no choice about any more is not asked again."""
        assert isinstance(self.data, QueryDict)
        entries = self.data.copy()  # with all answers to a question that takes several
        for name in ("host", "place"):
            if self.fields[name].widget.is_hidden:
                entries[name] = str(self.only(name) or "")
        self.data = entries

    def clean(self) -> dict[str, Any]:
        entries: dict[str, Any] = self.cleaned_data
        place, host = entries.get("place"), entries.get("host")
        if place and host and self.start and place not in guest.places_at(self.answer, self.start, host):
            self.add_error("place", ValidationError(_("Your host cannot be met this way at this time."), code=GONE))
        for name, kind in (("phone", LocationKind.PHONE), ("where", LocationKind.ASK_GUEST)):
            if place and self.kinds[place] is kind and not entries.get(name) and name not in self.errors:
                self.add_error(name, self.fields[name].error_messages["required"])
        return entries

    @property
    def choice_gone(self) -> bool:
        """Whether a person or place was chosen that is no longer to be had."""
        codes = {error.code for name in ("host", "place") for error in self.errors.as_data().get(name, [])}
        return bool(codes & {GONE, "invalid_choice"})

    def guest(self, zone: str) -> booking.Guest:
        entries = self.cleaned_data
        return booking.Guest(
            name=entries["name"],
            email=entries["email"],
            language=get_language() or "en",
            time_zone=zone,
            note=entries["note"],
            phone=entries.get("phone", ""),
            place=entries.get("where", ""),
            company=entries.get("company", ""),
            further=entries.get("further", ()),
        )


def sign(page: BookingPage, start: datetime, key: str) -> str:
    """What the form carries: page and start as they were offered, and a key of its own."""
    return signing.dumps([page.pk, epoch(start), key], salt=SALT)


def signed(page: BookingPage, token: str) -> tuple[datetime, str] | None:
    """Start and key of a form of this page; None if it is not ours, or very old."""
    try:
        page_id, start, key = signing.loads(token, salt=SALT, max_age=LASTS)
    except signing.BadSignature:
        return None
    return (moment(start), key) if page_id == page.pk else None


def booked_by(page: BookingPage, token: str) -> Booking | None:
    """The booking that the form with this token has made already."""
    found = signed(page, token)
    return Booking.objects.filter(page=page, idempotency_key=found[1]).first() if found else None


def entered(posted: QueryDict) -> dict[str, Any]:
    """What of a request belongs to the form: answers to questions may have several values."""
    return {
        name: posted.getlist(name) if name.startswith(PREFILL) and len(posted.getlist(name)) > 1 else posted[name]
        for name in posted
        if name in BookingForm.base_fields or name.startswith(PREFILL) or name == "further"
    }
