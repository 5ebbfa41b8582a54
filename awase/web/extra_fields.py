"""The fields that a page's own questions add to the guest's form, and what the guest answered."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from awase.domain.questions import Kind, NotAnAnswer, Question, Wrong
from awase.web.guest import PREFILL

MOST_FURTHER = 10
WORDS = {
    Wrong.MISSING: gettext_lazy("Please answer this question."),
    Wrong.TOO_LONG: gettext_lazy("This is too long."),
    Wrong.NOT_AN_OPTION: gettext_lazy("Please choose from the list."),
    Wrong.NOT_A_NUMBER: gettext_lazy("Please give a number."),
    Wrong.NOT_A_DATE: gettext_lazy("Please give a date."),
}


class QuestionField(forms.Field):
    """One question. Its value is the answer as it is kept."""

    def __init__(self, question: Question) -> None:
        super().__init__(required=question.required, label=question.label, widget=_widget(question))
        self.question = question

    def clean(self, value: Any) -> str:
        given = value if isinstance(value, list) else [str(value)] if value else []
        try:
            return self.question.answer(given)
        except NotAnAnswer as error:
            raise ValidationError(str(WORDS[error.wrong])) from None


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
                validate_email(text)
            except ValidationError:
                raise ValidationError(_("%(text)s is not a mail address.") % {"text": text[:100]}) from None
        if len(found) > MOST_FURTHER:
            raise ValidationError(_("At most %(count)d further guests.") % {"count": MOST_FURTHER})
        return found


def question_fields(questions: Sequence[Question]) -> dict[str, QuestionField]:
    """Name in the form → field, in the page's order."""
    return {f"{PREFILL}{question.key}": QuestionField(question) for question in questions}


def answers(fields: Mapping[str, forms.Field], cleaned: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Each question as asked, with its answer; those left out are not kept."""
    return tuple(
        (field.question.label, cleaned[name])
        for name, field in fields.items()
        if isinstance(field, QuestionField) and cleaned.get(name)
    )
