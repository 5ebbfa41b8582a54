"""The page's own questions in the page editor: one row each, and an empty one for the next."""

from collections.abc import Iterable

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from awase.domain.questions import MOST_QUESTIONS, Kind, Question, from_json
from awase.models import BookingPage
from awase.web.page_sections import Facts, common, seen
from awase.web.shell import Context

KINDS = {
    Kind.SHORT: gettext_lazy("Short text"),
    Kind.LONG: gettext_lazy("Long text"),
    Kind.ONE: gettext_lazy("One choice"),
    Kind.SEVERAL: gettext_lazy("Several choices"),
    Kind.CHECKBOX: gettext_lazy("Checkbox"),
    Kind.NUMBER: gettext_lazy("Number"),
    Kind.DATE: gettext_lazy("Date"),
}


def questions_section(page: BookingPage, typed: list[Context] | None = None) -> Context:
    """The questions as stored, or as just typed with what is wrong."""
    rows = typed if typed is not None else [_row(question) for question in from_json(page.questions)]
    blank = {"key": "", "kind": "short", "label": "", "required": False, "hidden": False, "options": "", "error": ""}
    spare = [blank] if len(rows) < MOST_QUESTIONS else []
    return {
        **common(page, "form"),
        "seen": seen(questions_facts(from_json(page.questions))),
        "heading": _("Questions to guests"),
        "summary": [question.label for question in from_json(page.questions)] or [_("None")],
        "help": _("Name and mail address are always asked. Leave the words empty to remove a question."),
        "template": "dashboard/_section_questions.html",
        "questions": [{"number": number, **row} for number, row in enumerate([*rows, *spare])],
        "kinds": [{"value": kind.value, "label": label} for kind, label in KINDS.items()],
    }


def questions_facts(questions: Iterable[Question]) -> Facts:
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
    """The rows that have words, with what is wrong in each; and the questions that can be kept."""
    rows, kept = [], []
    used = {data.get(f"key-{number}", "") for number in range(MOST_QUESTIONS)}
    for number in range(MOST_QUESTIONS):
        label = data.get(f"label-{number}", "").strip()
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
            "options": data.get(f"options-{number}", ""),
            "error": "",
        }
        rows.append(row)
        try:
            kind = Kind(row["kind"])
            options = tuple(line.strip() for line in row["options"].splitlines() if line.strip())
            options = options if kind.with_options else ()
            required = row["required"] and not row["hidden"]
            kept.append(Question(key, kind, label, required, options, row["hidden"]))
        except ValueError:
            row["error"] = (
                _("Give at least one choice, one a line.")
                if row["kind"] in (Kind.ONE, Kind.SEVERAL) and not row["options"].strip()
                else _("Keep words and choices under 200 characters.")
            )
    return rows, kept
