"""Evals, batches and completions become lines that the import reads."""

import json
from collections.abc import Iterable
from typing import Any

from tests.unit.connect.openai.conftest import ASKED, EVAL, ROWS, RUN, Write, answered, completion

from goldsmith.connect.openai import evals, lines
from goldsmith.connect.openai.lines import Written
from goldsmith.connect.openai.types import Grading

CRITERIA: list[Any] = EVAL["testing_criteria"]  # type: ignore[assignment]


def read(found: Iterable[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in found]


def test_the_rows_of_an_eval_come_once_wherever_they_stand(write: Write) -> None:
    inside = {**RUN, "data_source": {"source": {"type": "file_content", "content": [ROWS[0], ROWS[1]]}}}
    wrapped = [{"object": "eval.run.output_item", "datasource_item": row} for row in ROWS[1:3]]
    bare = [{"object": "eval.run.output_item", "datasource_item": row["item"]} for row in ROWS[3:5]]
    paths = [write("rows.jsonl", ROWS[:2]), write("output.jsonl", [*wrapped, *bare])]
    found = read(lines.eval_rows(paths, [inside], evals.question_of(RUN), evals.grading_of(CRITERIA)))
    assert found == [row["item"] for row in ROWS[:5]]


def test_answers_of_a_batch_find_their_requests_in_any_order(write: Write) -> None:
    answers = [answered("r2", "two"), answered("r0", "zero"), {"custom_id": "r1", "response": None, "error": {}}]
    written = Written()
    found = read(lines.batch_rows([write("in.jsonl", ASKED)], [write("out.jsonl", answers)], written))
    assert [(each["custom_id"], each["messages"][-1]["content"]) for each in found] == [("r0", "zero"), ("r2", "two")]
    assert written.notes == ["Left out: 2 requests that were not answered."]


def test_requests_without_any_answers_are_questions(write: Write) -> None:
    found = read(lines.batch_rows([write("in.jsonl", ASKED)], [], Written()))
    assert [each["messages"][-1]["role"] for each in found] == ["user"] * 4


def test_both_ways_of_asking_are_understood_and_others_are_counted(write: Write) -> None:
    bodies: list[dict[str, Any]] = [
        {"instructions": "Be brief.", "input": "q"},
        {"input": [{"role": "user", "content": "q"}]},
        {"input": "embed me"},
    ]
    asked = [{"custom_id": str(number), "body": body} for number, body in enumerate(bodies)]
    response = {"body": {"output": [{"type": "message", "content": [{"type": "output_text", "text": "said"}]}]}}
    out = [{"custom_id": str(number), "response": response} for number in range(3)]
    written = Written()
    found = read(lines.batch_rows([write("in.jsonl", asked)], [write("out.jsonl", out)], written))
    assert [len(each["messages"]) for each in found] == [3, 2]
    assert {each["messages"][-1]["content"] for each in found} == {"said"}
    assert written.notes == ["Left out: 1 requests that are no chats."]


def test_completions_without_messages_or_text_are_counted(write: Write) -> None:
    asked = [{"id": "m", "role": "user", "content": "q"}]
    found = [completion("c1", "a", messages=asked), completion("c2", "b"), completion("c3", " ", messages=asked)]
    written = Written()
    rows = read(lines.completion_rows(write("c.jsonl", found), written))
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    assert rows == [{"messages": turns, "completion_id": "c1", "model": "gpt-4.1"}]
    assert (written.num_rows, len(written.notes)) == (1, 2)


def test_an_expected_text_that_is_composed_stands_in_each_row(write: Write) -> None:
    grading = Grading("{{item.label}}!")
    rows = read(lines.eval_rows([write("rows.jsonl", ROWS)], [], None, grading))
    assert {row["expected"] for row in rows} == {"lost_card!", "late_transfer!", "refund!", "pin!"}
