"""Evals, batches and stored completions as files of rows that the import reads; one line after the other."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

import orjson

from goldsmith.connect.openai import evals, objects
from goldsmith.connect.openai.types import FileKind, Grading, Question


@dataclass
class Written:
    """How many rows a file got, and why others are missing."""

    num_rows: int = 0
    left_out: dict[str, int] = field(default_factory=dict)

    def leave_out(self, reason: str) -> None:
        """Count one that is missing."""
        self.left_out[reason] = self.left_out.get(reason, 0) + 1

    @property
    def notes(self) -> list[str]:
        """As sentences."""
        return [f"Left out: {number:,} {reason}." for reason, number in self.left_out.items()]


def eval_rows(
    rows: Iterable[Path], runs: Iterable[Mapping[str, Any]], question: Question | None, grading: Grading
) -> Iterator[bytes]:
    """The rows of an eval, each once: from its runs, from files of rows, or from what its runs put out."""
    seen: set[bytes] = set()
    for item in _items(rows, runs):
        line = orjson.dumps(evals.columns_of(item, question, grading))
        if line not in seen:
            seen.add(line)
            yield line + b"\n"


def _items(rows: Iterable[Path], runs: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for run in runs:
        source = run.get("data_source")
        inside = source.get("source") if isinstance(source, dict) else None
        content = inside.get("content") if isinstance(inside, dict) else None
        yield from (each["item"] for each in content or [] if isinstance(each, dict) and _is_item(each.get("item")))
    for path in rows:
        for found in objects.objects(path):
            item = found.get("item") or found.get("datasource_item")
            if _is_item(item):
                inner = item.get("item")
                yield inner if _is_item(inner) else item  # what a run puts out may wrap the row once more


def _is_item(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict) and bool(value)


def batch_rows(asked: Iterable[Path], answered: Iterable[Path], written: Written) -> Iterator[bytes]:
    """The requests of batches, each with its answer where there is one, as conversations."""
    answers = {custom_id: place for path in answered for custom_id, place in _places(path)}
    for path in asked:
        for request in objects.objects(path):
            custom_id = str(request.get("custom_id"))
            turns = _asked(request.get("body"))
            if turns is None:
                written.leave_out("requests that are no chats")
                continue
            answer = _answer_at(answers.get(custom_id))
            if answer is None and answers:
                written.leave_out("requests that were not answered")
                continue
            said = [{"role": "assistant", "content": answer}] if answer is not None else []
            written.num_rows += 1
            yield orjson.dumps({"messages": [*turns, *said], "custom_id": custom_id}) + b"\n"


def completion_rows(path: Path, written: Written) -> Iterator[bytes]:
    """Stored completions with their messages, as conversations."""
    for found in objects.objects(path):
        if objects.kind_of_object(found) is not FileKind.COMPLETIONS:
            continue
        turns, answer = found.get("messages"), _answer(found)
        if not isinstance(turns, list) or not turns:
            written.leave_out("completions without their messages")
        elif answer is None:
            written.leave_out("completions without a text")
        else:
            kept = [{"role": turn.get("role"), "content": turn.get("content")} for turn in turns]
            about = {"completion_id": str(found.get("id")), "model": str(found.get("model"))}
            written.num_rows += 1
            yield orjson.dumps({"messages": [*kept, {"role": "assistant", "content": answer}], **about}) + b"\n"


def _places(path: Path) -> Iterator[tuple[str, tuple[Path, int]]]:
    """Where each line begins, by the id of its request: a large batch is not held in memory."""
    with path.open("rb") as file:
        start = 0
        for line in file:
            try:
                found = json.loads(line)
            except ValueError:
                found = None
            if isinstance(found, dict) and "custom_id" in found:
                yield str(found["custom_id"]), (path, start)
            start += len(line)


def _answer_at(place: tuple[Path, int] | None) -> str | None:
    if place is None:
        return None
    path, start = place
    with path.open("rb") as file:
        file.seek(start)
        found = json.loads(file.readline())
    response = found.get("response")
    return _answer(response.get("body")) if isinstance(response, dict) else None


def _asked(body: Any) -> list[dict[str, Any]] | None:
    """What a request asks, whichever of the two ways it does."""
    if not isinstance(body, dict):
        return None
    if isinstance(body.get("messages"), list):
        return list(body["messages"])
    asked = body.get("input")
    if isinstance(asked, str) and "instructions" in body:
        return [{"role": "system", "content": body["instructions"] or ""}, {"role": "user", "content": asked}]
    if isinstance(asked, list) and all(isinstance(turn, dict) and "role" in turn for turn in asked):
        return asked
    return None


def _answer(body: Any) -> str | None:
    """The text of a chat completion, or of a response."""
    if not isinstance(body, dict):
        return None
    for choice in body.get("choices") or []:
        content = (choice.get("message") or {}).get("content") if isinstance(choice, dict) else None
        if isinstance(content, str) and content.strip():
            return content
    parts = [part for each in body.get("output") or [] if isinstance(each, dict) for part in each.get("content") or []]
    text = "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))
    return text if text.strip() else None
