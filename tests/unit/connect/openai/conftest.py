"""What a person downloads from OpenAI, in the shapes of its API; made up."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

TOPICS = ("lost_card", "late_transfer", "refund", "pin")
Write = Callable[[str, Iterable[Mapping[str, Any]]], Path]


def chat(question: str, answer: str, **more: Any) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "system", "content": "Name the topic."},
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ],
        **more,
    }


EVAL = {
    "object": "eval",
    "id": "eval_1",
    "name": "Tickets",
    "data_source_config": {"type": "custom", "schema": {}},
    "testing_criteria": [
        {
            "type": "string_check",
            "name": "right topic",
            "input": "{{ sample.output_text }}",
            "reference": "{{ item.label }}",
            "operation": "eq",
        },
        {
            "type": "label_model",
            "name": "polite",
            "model": "o4-mini",
            "input": [
                {"role": "developer", "content": "Is it polite?"},
                {"role": "user", "content": "Ticket: {{item.text}}\nAnswer: {{sample.output_text}}"},
            ],
            "labels": ["polite", "rude"],
            "passing_labels": ["polite"],
        },
        {"type": "python", "name": "code", "source": "def grade(sample, item): return 1.0"},
    ],
}
RUN = {
    "object": "eval.run",
    "id": "evalrun_1",
    "eval_id": "eval_1",
    "data_source": {
        "type": "responses",
        "source": {"type": "file_id", "id": "file-rows"},
        "sampling_params": {"temperature": 0, "max_completion_tokens": 20},
        "input_messages": {
            "type": "template",
            "template": [
                {"type": "message", "role": "developer", "content": {"type": "input_text", "text": "Name the topic."}},
                {"type": "message", "role": "user", "content": {"type": "input_text", "text": "{{ item.text }}"}},
            ],
        },
    },
}
ROWS = [{"item": {"text": f"My monitor {number}", "label": TOPICS[number % 4]}} for number in range(8)]
JOB = {
    "object": "fine_tuning.job",
    "id": "ftjob-1",
    "training_file": "file-a",
    "validation_file": "file-b",
    "fine_tuned_model": "ft:gpt-4.1-nano:acme::x",
    "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
}
ASKED = [
    {
        "custom_id": f"r{number}",
        "url": "/v1/chat/completions",
        "body": {"messages": [{"role": "user", "content": f"q{number}"}]},
    }
    for number in range(4)
]


def answered(custom_id: str, text: str) -> dict[str, Any]:
    body = {"choices": [{"message": {"role": "assistant", "content": text}}]}
    return {"custom_id": custom_id, "response": {"status_code": 200, "body": body}, "error": None}


def completion(completion_id: str, text: str, **more: Any) -> dict[str, Any]:
    choices = [{"message": {"role": "assistant", "content": text}}]
    return {"object": "chat.completion", "id": completion_id, "model": "gpt-4.1", "choices": choices, **more}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Objects as the lines of a file."""
    folder = tmp_path / "export"
    folder.mkdir()

    def lines(name: str, found: Iterable[Mapping[str, Any]]) -> Path:
        (folder / name).write_text("".join(json.dumps(each) + "\n" for each in found))
        return folder / name

    return lines
