"""What the fake engine says, and the shapes in which it says it. Knows no network but the shape of vLLM's errors."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from goldsmith.serve import weights
from goldsmith.serve.errors import WeightsUnreadable

Messages = Sequence[Mapping[str, str]]
Answerer = Callable[[str, Messages, Mapping[str, Any]], str]
_FIRST_PRIVATE = 0xF0000


@dataclass
class Adapter:
    """An adapter that was loaded, as far as the fake looks at it."""

    name: str
    path: Path
    has_effect: bool
    shift: float = 0.0
    probe: list[dict[str, Any]] = field(default_factory=list)


def default_answer(model: str, messages: Messages, body: Mapping[str, Any]) -> str:
    """A short answer that depends on the question alone; with a JSON schema, the first thing that fits it."""
    del model
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    if schema is not None:
        return json.dumps(_first_fit(schema))
    return f"You said: {messages[-1]['content']}"


def answers_from(path: Path) -> Answerer:
    """Answers from a file: `{"base": {question: answer}, "tuned": {…}}`, the question as part of the last message."""
    book = json.loads(path.read_text(encoding="utf-8"))

    def answer(model: str, messages: Messages, body: Mapping[str, Any]) -> str:
        pages = book.get("tuned" if model.startswith("ftm_") else "base", {})
        question = messages[-1]["content"]
        found = [text for known, text in pages.items() if known in question]
        return str(found[0]) if found else default_answer(model, messages, body)

    return answer


def _first_fit(schema: Mapping[str, Any]) -> Any:
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "string")
    if kind == "object":
        return {name: _first_fit(part) for name, part in schema.get("properties", {}).items()}
    simple: dict[str, Any] = {"array": [], "integer": 1, "number": 1.0, "boolean": True, "null": None}
    return simple.get(kind, "text")


def read_adapter(name: str, path: Path) -> Adapter:
    """Look at an adapter folder as far as an engine would notice that it is broken."""
    probe, settings = path / "probe.jsonl", path / "fake_engine.json"
    rows = [json.loads(line) for line in probe.read_text().splitlines()] if probe.exists() else []
    shift = json.loads(settings.read_text())["shift"] if settings.exists() else 0.0
    try:
        file = path / "adapter_model.safetensors"
        tensors = weights.read_header(file)
        has_names = all(weights.module_of(key) for key in tensors)
        has_effect = has_names and not weights.is_all_zero(file, weights.second_halves(tensors))
    except WeightsUnreadable:
        has_effect = False
    return Adapter(name, path, has_effect, shift, rows)


def split_row(row: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """A probe row's prompt and its learned answer, as token ids."""
    first = next((i for i, label in enumerate(row["labels"]) if label != -100), len(row["labels"]))
    learned = [label for label in row["labels"][first:] if label != -100]
    return list(row["input_ids"][:first]), learned


def ids_of(text: str) -> list[int]:
    """Token ids of a text: one a character; what `text_of` made comes back exactly."""
    return [ord(c) - _FIRST_PRIVATE if ord(c) >= _FIRST_PRIVATE else ord(c) for c in text]


def text_of(ids: Sequence[int]) -> str:
    """A text that stands for any token ids."""
    return "".join(chr(_FIRST_PRIVATE + token) for token in ids)


def usage_of(num_prompt: int, num_answer: int) -> dict[str, int]:
    """OpenAI's counts."""
    return {
        "prompt_tokens": num_prompt,
        "completion_tokens": num_answer,
        "total_tokens": num_prompt + num_answer,
    }


def completion(kind: str, model: str, choice: Mapping[str, Any] | None, usage: Mapping[str, Any] | None) -> Any:
    """An answer's envelope."""
    choices = [choice] if choice is not None else []
    return {
        "id": "cmpl-fake",
        "object": kind,
        "created": int(time.time()),
        "model": model,
        "choices": choices,
        "usage": usage,
    }


def embeddings(model: str, texts: Sequence[str]) -> dict[str, Any]:
    """Two numbers for each text: how long it is, and which letter it begins with."""
    vectors = [[float(len(text)), float(ord(text[:1] or " "))] for text in texts]
    data = [{"object": "embedding", "index": number, "embedding": each} for number, each in enumerate(vectors)]
    num_tokens = sum(map(len, texts))
    usage = {"prompt_tokens": num_tokens, "total_tokens": num_tokens}
    return {"object": "list", "model": model, "data": data, "usage": usage}


def error(status: int, message: str) -> web.Response:
    """An error as vLLM words it."""
    kinds = {400: "BadRequestError", 404: "NotFoundError", 500: "InternalServerError"}
    body = {"error": {"message": message, "type": kinds[status], "param": None, "code": status}}
    return web.json_response(body, status=status)
