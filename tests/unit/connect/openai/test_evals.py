"""An eval's question becomes a prompt, its graders the right answers; what has no counterpart is said."""

import json
from typing import Any

import pytest
from tests.unit.connect.openai.conftest import EVAL, ROWS, RUN

from goldsmith.connect.openai import evals
from goldsmith.connect.openai.types import Grading
from goldsmith.run.messages import messages_for
from goldsmith.run.types import PromptDraft

CRITERIA: list[Any] = EVAL["testing_criteria"]  # type: ignore[assignment]
SCHEMA = {"type": "object", "properties": {"topic": {"type": "string"}}}


def asking(*turns: tuple[str, str], **params: Any) -> dict[str, Any]:
    template = [{"role": role, "content": content} for role, content in turns]
    return {"data_source": {"input_messages": {"type": "template", "template": template}, "sampling_params": params}}


def check(operation: str, reference: str, answer: str = "{{sample.output_text}}") -> dict[str, Any]:
    return {"type": "string_check", "name": "g", "input": answer, "reference": reference, "operation": operation}


def test_one_question_with_a_system_text_is_a_prompt() -> None:
    question = evals.question_of(RUN)
    assert question is not None
    assert question.draft == PromptDraft("{{text}}", "Name the topic.")
    assert messages_for(question.draft, evals.columns_of(ROWS[0]["item"], question, Grading()))[1] == {
        "role": "user",
        "content": "My monitor 0",
    }


def test_a_conversation_is_written_out_row_by_row() -> None:
    turns = (("system", "You know {{item.who}}."), ("user", "hi"), ("assistant", "hello"), ("user", "{{item.text}}"))
    question = evals.question_of(asking(*turns))
    assert question is not None
    row = evals.columns_of({"who": "Ada", "text": "Why?"}, question, Grading())
    assert messages_for(question.draft, row) == [
        {"role": "system", "content": "You know Ada."},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"},
        {"role": "user", "content": "Why?"},
    ]


def test_a_question_without_a_variable_is_asked_as_it_stands() -> None:
    question = evals.question_of(asking(("user", "Say something.")))
    assert question is not None
    asked = messages_for(question.draft, evals.columns_of({"n": 1}, question, Grading()))
    assert asked == [{"role": "user", "content": "Say something."}]


def test_a_conversation_that_stands_in_the_row_is_asked_from_there() -> None:
    question = evals.question_of({"data_source": {"input_messages": {"item_reference": "item.chat.turns"}}})
    assert question is not None
    row = evals.columns_of({"chat": {"turns": [{"role": "user", "content": "q"}]}}, question, Grading())
    assert messages_for(question.draft, row) == [{"role": "user", "content": "q"}]


@pytest.mark.parametrize(
    "params",
    [
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}},
        {"text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}}},
    ],
)
def test_the_schema_of_answers_goes_with_the_prompt(params: dict[str, Any]) -> None:
    question = evals.question_of(asking(("user", "{{item.text}}"), **params))
    assert question is not None
    assert question.draft.answer_schema == SCHEMA


@pytest.mark.parametrize("run", [{}, {"data_source": None}, {"data_source": {"type": "jsonl", "source": {}}}])
def test_a_run_that_asks_nothing_has_no_prompt(run: dict[str, Any]) -> None:
    assert evals.question_of(run) is None


def test_a_check_for_equality_names_the_column_of_right_answers() -> None:
    grading = evals.grading_of(CRITERIA)
    assert evals.answer_column(grading) == "label"
    assert grading.judges["polite"].template == "Ticket: {{text}}\nAnswer: {{sample.output_text}}"
    assert grading.judges["polite"].answer_schema["properties"] == {  # type: ignore[index]
        "label": {"type": "string", "enum": ["polite", "rude"]}
    }
    assert [note.partition(" ")[0] for note in grading.notes] == ["The", "The"]
    assert "never run" in grading.notes[1]


def test_a_right_answer_that_is_composed_gets_a_column_of_its_own() -> None:
    grading = evals.grading_of([check("eq", "{{item.a}}-{{item.b}}")])
    row = evals.columns_of({"a": "x", "b": 2}, None, grading)
    assert row[evals.answer_column(grading) or ""] == "x-2"


@pytest.mark.parametrize(
    ("grader", "words"),
    [
        (check("like", "{{item.a}}"), "contains the text; here it must be equal"),
        (check("ilike", "{{item.a}}"), "capitals"),
        (
            {
                **check("eq", "{{item.a}}"),
                "type": "text_similarity",
                "evaluation_metric": "bleu",
                "pass_threshold": 0.7,
            },
            "bleu from 0.7 on",
        ),
        (check("ne", "{{item.a}}"), "must not be"),
        (check("eq", "{{item.a}}", "{{sample.output_json.topic}}"), "instead of the whole answer"),
        ({"type": "python", "name": "g"}, "never run"),
        ({"type": "multi", "name": "g"}, "'multi'"),
        ({"type": "score_model", "name": "g", "input": [{"role": "user", "content": "Good?"}]}, "left out"),
        ("nonsense", "None"),
    ],
)
def test_what_has_no_counterpart_is_said(grader: Any, words: str) -> None:
    assert any(words in note for note in evals.grading_of([grader]).notes)


def test_of_two_right_answers_the_first_counts_and_the_other_is_said() -> None:
    grading = evals.grading_of([check("eq", "{{item.a}}"), check("eq", "{{item.b}}"), check("eq", "{{item.a}}")])
    assert grading.expected == "{{item.a}}"
    assert ["one right answer a row" in note for note in grading.notes] == [True]


def test_how_it_was_asked_is_said() -> None:
    assert "max_completion_tokens 20, temperature 0" in evals.settings_notes(RUN)[0]
    assert evals.settings_notes({}) == ()
    assert any("tools" in note for note in evals.settings_notes(asking(("user", "q"), tools=[{"type": "function"}])))


def test_no_shape_of_json_makes_it_stumble() -> None:
    values: tuple[Any, ...] = (None, 1, "x", [], [[]], {}, {"a": []})
    for value in values:
        assert evals.grading_of([value, {"type": value, "input": value, "reference": value}]).expected is None
        evals.question_of({"data_source": {"input_messages": {"template": value}, "sampling_params": value}})
        json.dumps(evals.columns_of({"a": value}, None, Grading()))
