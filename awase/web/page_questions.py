"""The page's own questions in the page editor: one row each, and an empty one for the next."""

from collections.abc import Iterable

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from awase.domain.questions import MOST_QUESTIONS, Kind, Question, from_json
from awase.models import BookingPage
from awase.models.page import Ask
from awase.web.numbers import whole_number
from awase.web.page_forms import SectionForm, said
from awase.web.page_sections import common, seen
from awase.web.shell import Context

KINDS = {
    Kind.SHORT: gettext_lazy("Short text"),
    Kind.LONG: gettext_lazy("Long text"),
    Kind.ONE: gettext_lazy("One choice"),
    Kind.SEVERAL: gettext_lazy("Several choices"),
    Kind.CHECKBOX: gettext_lazy("Checkbox"),
    Kind.NUMBER: gettext_lazy("Number"),
    Kind.DATE: gettext_lazy("Date"),
    Kind.FILE: gettext_lazy("File"),
}
ASKED = (
    (Ask.NO, gettext_lazy("Not asked")),
    (Ask.OPTIONAL, gettext_lazy("Asked")),
    (Ask.REQUIRED, gettext_lazy("Required")),
)


class FieldsForm(SectionForm):
    """What the form asks for besides name and mail address, and what comes after it."""

    heading = gettext_lazy("Form")

    class Meta:
        model = BookingPage
        fields = ("ask_company", "ask_phone", "ask_further", "thanks_url")

    ask_company = forms.ChoiceField(required=False, label=gettext_lazy("Company"), choices=ASKED)
    ask_phone = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Phone"),
        choices=ASKED,
        help_text=gettext_lazy("For a meeting by phone it is always asked."),
    )
    ask_further = forms.BooleanField(required=False, label=gettext_lazy("Guests may name further guests"))
    thanks_url = forms.URLField(
        max_length=500,
        required=False,
        assume_scheme="https",
        label=gettext_lazy("Address to go on to after a booking"),
        help_text=gettext_lazy("Left empty, guests see the confirmation here."),
    )

    def facts(self) -> dict[str, str]:
        """The fields in words, as stored or, once sent, as typed."""
        return {
            str(self[name].label): said(field, self[name].value() if self.is_bound else self[name].initial)
            for name, field in self.fields.items()
        }


def questions_section(page: BookingPage, typed: list[Context] | None = None, form: FieldsForm | None = None) -> Context:
    """Fields and questions as stored, or as just typed with what is wrong."""
    stored = FieldsForm(instance=page)
    rows = typed if typed is not None else [_row(question) for question in from_json(page.questions)]
    blank = {"key": "", "kind": "short", "label": "", "required": False, "hidden": False, "options": "", "error": ""}
    spare = [blank] if len(rows) < MOST_QUESTIONS else []
    return {
        **common(page, "form"),
        "seen": seen(stored.facts() | questions_facts(from_json(page.questions))),
        "heading": stored.heading,
        "form": form or stored,
        "summary": _summary(page),
        "help": _("Name and mail address are always asked. Leave the words empty to remove a question."),
        "template": "dashboard/_section_questions.html",
        "questions": [{"number": number, **row} for number, row in enumerate([*rows, *spare])],
        "kinds": [{"value": kind.value, "label": label} for kind, label in KINDS.items()],
        "most": MOST_QUESTIONS,
    }


def _summary(page: BookingPage) -> list[str]:
    asked = [label for kept, label in ((page.ask_company, _("Company")), (page.ask_phone, _("Phone"))) if kept]
    return [*asked, *(question.label for question in from_json(page.questions))] or [_("Name and mail address")]


def questions_facts(questions: Iterable[Question]) -> dict[str, str]:
    """The questions in words, by their place in the list."""
    told: dict[str, str] = {}
    for number, question in enumerate(questions, start=1):
        marks = [
            str(KINDS[question.kind]),
            *([_("Required")] if question.required else []),
            *([_("Hidden, filled in by the link")] if question.hidden else []),
            *question.options,
        ]
        told[_("Question %(number)d") % {"number": number}] = f"{question.label} ({', '.join(marks)})"
    return told


def _row(question: Question) -> Context:
    return {
        "key": question.key,
        "kind": question.kind.value,
        "label": question.label,
        "required": question.required,
        "hidden": question.hidden,
        "options": "\n".join(question.options),
        "error": "",
    }


def typed_questions(data: QueryDict) -> tuple[list[Context], list[Question]]:
    """The rows that have words, with what is wrong in each; and the questions that can be kept. `up` names a row that
    changes places with the one before it."""
    rows, kept = [], []
    used = {data.get(f"key-{number}", "") for number in range(MOST_QUESTIONS)}
    order = list(range(MOST_QUESTIONS))
    raised = whole_number(data.get("up")) or 0
    if 0 < raised < MOST_QUESTIONS:
        order[raised - 1 : raised + 1] = [raised, raised - 1]
    for number in order:
        label = data.get(f"label-{number}", "").replace("\x00", "").strip()
        if not label:
            continue
        key = data.get(f"key-{number}") or next(f"q{n}" for n in range(1, 100) if f"q{n}" not in used)
        used.add(key)
        row: Context = {
            "key": key,
            "kind": data.get(f"kind-{number}", ""),
            "label": label,
            "required": f"required-{number}" in data,
            "hidden": f"hidden-{number}" in data,
            "options": data.get(f"options-{number}", "").replace("\x00", ""),
            "error": "",
        }
        rows.append(row)
        try:
            kind = Kind(row["kind"])
            options = tuple(line.strip() for line in row["options"].splitlines() if line.strip())
            options = options if kind.with_options else ()
            hidden = row["hidden"] and kind is not Kind.FILE  # a link cannot carry one
            kept.append(Question(key, kind, label, row["required"] and not hidden, options, hidden))
        except ValueError:
            row["error"] = (
                _("Give at least one choice, one a line.")
                if row["kind"] in (Kind.ONE, Kind.SEVERAL) and not row["options"].strip()
                else _("Keep words and choices under 200 characters.")
            )
    return rows, kept
