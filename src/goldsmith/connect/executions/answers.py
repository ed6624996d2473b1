"""What a conquest's answer holds: the text, the evaluation where the text is one, and what was measured. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from goldsmith.connect.executions.tables import ConquestExecution, ConquestResult


def answer_data(execution: ConquestExecution, result: ConquestResult) -> dict[str, Any]:
    """The `data` of an answer: readers of the first shape find `response`, those of the third `evaluation`."""
    evaluation = _evaluation(result.text)
    return {
        "response": result.text,
        **({"evaluation": evaluation} if evaluation else {}),
        "model": execution.model_id,
        "model_name": execution.model_name,
        "usage": {"prompt_tokens": result.prompt_tokens, "completion_tokens": result.answer_tokens},
        "execution_time_ms": round(result.duration_ms) if result.duration_ms is not None else None,
        "finish_reason": result.finish_reason,
        "goldsmith_execution": execution.id,
    }


def _evaluation(text: str) -> Mapping[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    evaluation = found.get("evaluation") if isinstance(found, dict) else None
    return evaluation if isinstance(evaluation, dict) and evaluation else None
