"""A page's own questions and what counts as an answer."""

import pytest

from awase.domain.questions import Kind, NotAnAnswer, Question, Wrong, from_json, to_json

SIZE = Question("size", Kind.ONE, "How many?", options=("1–5", "6 and more"))


def ask(kind, *given, **more):
    return Question("q", kind, "?", **more).answer(given)


def test_no_answer_is_an_answer_unless_one_is_required():
    assert ask(Kind.SHORT) == ask(Kind.SHORT, "", "  ") == ""
    with pytest.raises(NotAnAnswer) as missing:
        ask(Kind.SHORT, " ", required=True)
    assert missing.value.wrong is Wrong.MISSING


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        (Kind.SHORT, [" 山田 "], "山田"),
        (Kind.LONG, ["a\nb"], "a\nb"),
        (Kind.CHECKBOX, ["on"], "✓"),
        (Kind.NUMBER, ["-3.5"], "-3.5"),
        (Kind.DATE, ["2026-12-31"], "2026-12-31"),
    ],
)
def test_answers_are_kept_as_given(kind, given, kept):
    assert ask(kind, *given) == kept


@pytest.mark.parametrize(
    ("kind", "given", "wrong"),
    [
        (Kind.SHORT, "x" * 301, Wrong.TOO_LONG),
        (Kind.LONG, "x" * 5001, Wrong.TOO_LONG),
        (Kind.NUMBER, "three", Wrong.NOT_A_NUMBER),
        (Kind.NUMBER, "٣", Wrong.NOT_A_NUMBER),
        (Kind.DATE, "31.12.2026", Wrong.NOT_A_DATE),
    ],
)
def test_what_is_no_answer_is_told(kind, given, wrong):
    with pytest.raises(NotAnAnswer) as found:
        ask(kind, given)
    assert found.value.wrong is wrong


def test_choices_come_from_the_list_in_its_order():
    assert SIZE.answer(["6 and more"]) == "6 and more"
    assert ask(Kind.SEVERAL, "c", "a", options=("a", "b", "c")) == "a\nc"
    for question in (SIZE, Question("s", Kind.SEVERAL, "?", options=("a",))):
        with pytest.raises(NotAnAnswer) as found:
            question.answer(["other"])
        assert found.value.wrong is Wrong.NOT_AN_OPTION


def test_questions_are_stored_and_read_again():
    questions = (SIZE, Question("from", Kind.SHORT, "From", hidden=True), Question("d", Kind.DATE, "When", True))
    assert from_json(to_json(questions)) == questions
    assert from_json([]) == ()


GOOD = {"key": "a", "kind": "short", "label": "A"}


@pytest.mark.parametrize(
    "stored",
    [
        {},
        [1],
        [GOOD | {"more": 1}],
        [GOOD | {"key": "Ä"}],
        [GOOD | {"kind": "video"}],
        [GOOD | {"kind": "file", "hidden": True}],
        [GOOD | {"label": " "}],
        [GOOD | {"options": "x"}],
        [GOOD | {"options": ["x"]}],
        [GOOD | {"kind": "one"}],
        [GOOD | {"kind": "one", "options": [" "]}],
        [GOOD | {"required": True, "hidden": True}],
        [GOOD, GOOD],
        [GOOD | {"key": f"k{number}"} for number in range(21)],
    ],
)
def test_what_nobody_could_answer_is_refused(stored):
    with pytest.raises(ValueError, match=r"question|option|Kind|choice|guests"):
        from_json(stored)
