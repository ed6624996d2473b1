"""An answer is kept as its text, and as an evaluation where it is one."""

import pytest

from goldsmith.connect.executions.answers import answer_data
from goldsmith.connect.executions.tables import ConquestExecution, ConquestResult

EXECUTION = ConquestExecution(id="exe_1", model_id="ftm_1", model_name="talent-v2")


def test_readers_of_both_shapes_find_what_they_look_for() -> None:
    text = ' {"evaluation": {"recommendation": "No"}}'
    result = ConquestResult(text=text, prompt_tokens=7, answer_tokens=3, duration_ms=12.6, finish_reason="stop")
    assert answer_data(EXECUTION, result) == {
        "response": text,
        "evaluation": {"recommendation": "No"},
        "model": "ftm_1",
        "model_name": "talent-v2",
        "usage": {"prompt_tokens": 7, "completion_tokens": 3},
        "execution_time_ms": 13,
        "finish_reason": "stop",
        "goldsmith_execution": "exe_1",
    }


@pytest.mark.parametrize("text", ["Yes.", "{", '{"evaluation": "Yes"}', '{"evaluation": {}}', "[1]", "{" * 100_000])
def test_any_other_answer_is_a_text(text: str) -> None:
    found = answer_data(EXECUTION, ConquestResult(text=text))
    assert found["response"] == text
    assert "evaluation" not in found
    assert found["execution_time_ms"] is None
