"""A page's own questions to its guests, and what counts as an answer."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

MOST_QUESTIONS = 20
MOST_OPTIONS = 50
LONGEST_LABEL = 200
LONGEST = {"short": 300, "long": 5000}
_KEY = re.compile(r"[a-z0-9_]{1,20}")


class Kind(StrEnum):
    """How a question is answered."""

    SHORT = "short"
    LONG = "long"
    ONE = "one"  # one of the options
    SEVERAL = "several"  # any of the options
    CHECKBOX = "checkbox"
    NUMBER = "number"
    DATE = "date"
    FILE = "file"  # the answer that is kept is its name

    @property
    def with_options(self) -> bool:
        """True if the answers are chosen from a list."""
        return self in (Kind.ONE, Kind.SEVERAL)


class Wrong(StrEnum):
    """Why something is no answer."""

    MISSING = "missing"
    TOO_LONG = "too_long"
    NOT_AN_OPTION = "not_an_option"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_DATE = "not_a_date"


class NotAnAnswer(Exception):
    """What was given is no answer to the question."""

    def __init__(self, wrong: Wrong) -> None:
        super().__init__(wrong.value)
        self.wrong = wrong


@dataclass(frozen=True, slots=True)
class Question:
    """`key` stays when the label changes, so that links with prefilled answers go on working. `hidden` ones
    are not shown: only the link that led here can fill them in.

    Raises ValueError, fit to show, for a question that nobody could answer.
    """

    key: str
    kind: Kind
    label: str
    required: bool = False
    options: tuple[str, ...] = ()
    hidden: bool = False

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ValueError(f"a question's key is 1 to 20 of a-z, 0-9 and _, not {self.key!r}")
        if not self.label.strip() or len(self.label) > LONGEST_LABEL:
            raise ValueError("a question needs words, 200 characters at most")
        if self.kind.with_options != bool(self.options) or len(self.options) > MOST_OPTIONS:
            raise ValueError("a choice needs 1 to 50 options, other questions none")
        if any(not option.strip() or len(option) > LONGEST_LABEL for option in self.options):
            raise ValueError("an option needs words, 200 characters at most")
        if self.hidden and self.required:
            raise ValueError("guests cannot be required to answer what they do not see")
        if self.hidden and self.kind is Kind.FILE:
            raise ValueError("a link cannot fill in a question that is answered by a file")

    def answer(self, given: Sequence[str]) -> str:
        """The answer to keep ("" for none), from what a form sent (each once, without NULs, which not every database
        keeps, and without whitespace around it). Raises NotAnAnswer."""
        texts = [text for text in (text.replace("\x00", "").strip() for text in given) if text]
        if not texts:
            if self.required:
                raise NotAnAnswer(Wrong.MISSING)
            return ""
        if self.kind is Kind.CHECKBOX:
            return "✓"
        if self.kind is Kind.SEVERAL:
            if not set(texts) <= set(self.options):
                raise NotAnAnswer(Wrong.NOT_AN_OPTION)
            return "\n".join(option for option in self.options if option in texts)
        return self._single(texts[0])

    def _single(self, text: str) -> str:
        if self.kind is Kind.ONE and text not in self.options:
            raise NotAnAnswer(Wrong.NOT_AN_OPTION)
        if self.kind is Kind.NUMBER and not re.fullmatch(r"[-+]?\d{1,15}([.,]\d{1,10})?", text, re.ASCII):
            raise NotAnAnswer(Wrong.NOT_A_NUMBER)
        if self.kind is Kind.DATE:
            try:
                return date.fromisoformat(text).isoformat()
            except ValueError:
                raise NotAnAnswer(Wrong.NOT_A_DATE) from None
        if len(text) > LONGEST.get(self.kind, LONGEST_LABEL):
            raise NotAnAnswer(Wrong.TOO_LONG)
        return text


def to_json(questions: Sequence[Question]) -> list[dict[str, object]]:
    """Questions as they are stored."""
    return [
        {
            "key": question.key,
            "kind": question.kind.value,
            "label": question.label,
            "required": question.required,
            "options": list(question.options),
            "hidden": question.hidden,
        }
        for question in questions
    ]


def from_json(stored: object) -> tuple[Question, ...]:
    """Read what `to_json` wrote. Raises ValueError, fit to show, for anything that is not a list of questions
    with keys of their own."""
    if not isinstance(stored, list) or len(stored) > MOST_QUESTIONS:
        raise ValueError("questions are a list of 20 at most")
    questions = tuple(_parse(entry) for entry in stored)
    if len({question.key for question in questions}) < len(questions):
        raise ValueError("each question has a key of its own")
    return questions


def _parse(entry: object) -> Question:
    if not isinstance(entry, Mapping) or not entry.keys() <= {
        "key",
        "kind",
        "label",
        "required",
        "options",
        "hidden",
    }:
        raise ValueError("a question has key, kind, label, required, options and hidden")
    options = entry.get("options", [])
    if not isinstance(options, list):
        raise ValueError("options are a list")  # noqa: TRY004 - one error for bad input
    return Question(
        key=str(entry.get("key", "")),
        kind=Kind(str(entry.get("kind", ""))),
        label=str(entry.get("label", "")),
        required=entry.get("required", False) is True,
        options=tuple(str(option) for option in options),
        hidden=entry.get("hidden", False) is True,
    )
