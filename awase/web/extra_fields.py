"""The fields that a page's own questions add to the guest's form, and what the guest answered."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from awase.domain.questions import Kind, NotAnAnswer, Question, Wrong, from_json
from awase.models import BookingPage
from awase.services import guest_files
from awase.services.addresses import require_mail_address
from awase.web import limits
from awase.web.guest import PREFILL

MOST_FURTHER = 10
FILES_AN_HOUR = 60  # of one client on one page
WORDS = {
    Wrong.MISSING: gettext_lazy("Please answer this question."),
    Wrong.TOO_LONG: gettext_lazy("This is too long."),
    Wrong.NOT_AN_OPTION: gettext_lazy("Please choose from the list."),
    Wrong.NOT_A_NUMBER: gettext_lazy("Please give a number."),
    Wrong.NOT_A_DATE: gettext_lazy("Please give a date."),
}


class QuestionField(forms.Field):
    """One question. Its value is the answer as it is kept."""

    def __init__(self, question: Question, widget: forms.Widget | None = None) -> None:
        super().__init__(required=question.required, label=question.label, widget=widget or _widget(question))
        self.question = question

    def clean(self, value: Any) -> str:
        given = value if isinstance(value, list) else [str(value)] if value else []
        try:
            return self.question.answer(given)
        except NotAnAnswer as error:
            raise ValidationError(str(WORDS[error.wrong])) from None


class FileAnswer(forms.FileInput):
    """A file, or the one that was sent before: that one goes along by its token, so that it need not be chosen
    again."""

    template_name = "public/_file_answer.html"

    def __init__(self, page: BookingPage) -> None:
        super().__init__()
        self.page = page

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return str(data.get(name, "")).replace("\x00", "")

    def format_value(self, value: Any) -> Any:
        return guest_files.unclaimed(self.page, str(value or ""))

    def use_required_attribute(self, initial: Any) -> bool:
        return super().use_required_attribute(initial) and not initial


class FileField(QuestionField):
    """A question that is answered by a file. Its value is the file's name; `token` is what a booking claims."""

    def __init__(self, question: Question, page: BookingPage) -> None:
        super().__init__(question, FileAnswer(page))
        self.page, self.token = page, ""

    def clean(self, value: Any) -> str:
        kept = guest_files.unclaimed(self.page, str(value or ""))
        self.token = kept.token if kept else ""
        return super().clean(kept.name if kept else "")


def keep_files(
    request: HttpRequest, page: BookingPage, now: datetime, *, ours: bool
) -> tuple[QueryDict, dict[str, str]]:
    """What was sent, with each file kept and its token in its place; and what is wrong with files, by field. Of a form
    that is not `ours` no file is kept."""
    posted, wrong = request.POST.copy(), {}
    labels = {f"{PREFILL}{one.key}": one.label for one in from_json(page.questions) if one.kind is Kind.FILE}
    for name in labels.keys() & posted.keys():
        # A browser sends the token of a kept file, and beside it an empty entry for the file that was not chosen anew.
        posted[name] = next(filter(None, posted.getlist(name)), "")
    for name, sent in request.FILES.items():
        if not ours or name not in labels or not isinstance(sent, UploadedFile):
            continue
        posted[name] = ""
        if (sent.size or 0) > guest_files.LARGEST:
            wrong[name] = _("This file is larger than 10 MB. Please choose a smaller one.")
        elif limits.exceeded(request, f"file:{page.pk}", FILES_AN_HOUR):
            wrong[name] = _("Too many files were sent from here. Please try again in an hour.")
        else:
            posted[name] = guest_files.keep(page, labels[name], str(sent.name), sent.read(), now).token
    return posted, wrong


def _widget(question: Question) -> forms.Widget:
    options = [(option, option) for option in question.options]
    if question.hidden:
        return forms.HiddenInput()
    match question.kind:
        case Kind.LONG:
            return forms.Textarea(attrs={"rows": 4})
        case Kind.ONE if len(options) <= 5:
            return forms.RadioSelect(choices=options)
        case Kind.ONE:
            return forms.Select(choices=[("", "–"), *options])
        case Kind.SEVERAL:
            return forms.CheckboxSelectMultiple(choices=options)
        case Kind.CHECKBOX:
            return forms.CheckboxInput()
        case Kind.NUMBER:
            return forms.TextInput(attrs={"inputmode": "decimal"})
        case Kind.DATE:
            return forms.DateInput(attrs={"type": "date"})
        case _:
            return forms.TextInput()


class FurtherField(forms.CharField):
    """Mail addresses of those who come along, in one line."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            max_length=2000,
            label=gettext_lazy("Further guests"),
            help_text=gettext_lazy("Mail addresses, with commas between them."),
        )

    def clean(self, value: Any) -> tuple[str, ...]:
        texts = [text.strip() for text in str(super().clean(value)).replace("、", ",").split(",")]
        found = tuple(dict.fromkeys(text for text in texts if text))
        for text in found:
            try:
                require_mail_address(text)
            except ValidationError:
                raise ValidationError(_("%(text)s is not a mail address.") % {"text": text[:100]}) from None
        if len(found) > MOST_FURTHER:
            raise ValidationError(_("At most %(count)d further guests.") % {"count": MOST_FURTHER})
        return found


def question_fields(page: BookingPage) -> dict[str, QuestionField]:
    """Name in the form → field, in the page's order."""
    return {
        f"{PREFILL}{question.key}": FileField(question, page) if question.kind is Kind.FILE else QuestionField(question)
        for question in from_json(page.questions)
    }


def answers(fields: Mapping[str, forms.Field], cleaned: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Each question as asked, with its answer; those left out are not kept."""
    return tuple(
        (field.question.label, cleaned[name])
        for name, field in fields.items()
        if isinstance(field, QuestionField) and cleaned.get(name)
    )


def file_tokens(fields: Mapping[str, forms.Field]) -> tuple[str, ...]:
    """The tokens of the files among the answers, once the form is valid."""
    return tuple(field.token for field in fields.values() if isinstance(field, FileField) and field.token)
