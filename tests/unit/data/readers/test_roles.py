"""Guesses of what a column means."""

import pytest

from goldsmith.data.readers import roles
from goldsmith.data.readers.types import ReadRow


@pytest.mark.parametrize(
    ("names", "question", "answer"),
    [
        (["id", "Question", "Right answer"], "Question", "Right answer"),
        (["text", "label"], "text", "label"),
        (["instruction", "input", "output"], "input", "output"),
        (["expected_output", "PROMPT"], "PROMPT", "expected_output"),
        (["foo", "bar"], None, None),
    ],
)
def test_question_and_answer_are_guessed_by_name(names: list[str], question: str | None, answer: str | None) -> None:
    found = roles.guess(names, [])
    assert (found.question, found.answer) == (question, answer)


@pytest.mark.parametrize(
    ("text", "is_chat"),
    [('[{"role": "user", "content": "x"}]', True), ("[1]", False), ("[]", False), ("[broken", False), ("x", False)],
)
def test_a_chat_is_seen_by_its_content(text: str, is_chat: bool) -> None:
    found = roles.guess(["a", "b"], [ReadRow(1, {"a": "x", "b": text}), ReadRow(2, {"a": "y", "b": ""})])
    assert found.chat == ("b" if is_chat else None)
