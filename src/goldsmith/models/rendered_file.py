"""A whole set of chats as a file of token ids and labels, in the form that a training child reads.

One JSON object a line: `row_id`, `input_ids`, `labels`. Rows that cannot be learned from are left out and listed.
Knows no table; called by train, with the renderer of the base model.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from goldsmith.errors import Invalid
from goldsmith.models.chats import Messages
from goldsmith.models.rendering import RenderedExample, Renderer
from goldsmith.storage.files import whole_file


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row is not in the file."""

    row_id: str
    kind: str
    """The slug of the error, such as `control-word-in-text`; `too-long` for a row above the limit."""
    reason: str


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """What was written, with everything that an order says about a data file."""

    path: Path
    sha256: str
    num_rows: int
    num_tokens: int
    num_learned_tokens: int
    longest_tokens: int
    problems: tuple[RowProblem, ...]


@dataclass(slots=True)
class _Counts:
    num_rows: int = 0
    num_tokens: int = 0
    num_learned_tokens: int = 0
    longest_tokens: int = 0

    def add(self, example: RenderedExample) -> None:
        self.num_rows += 1
        self.num_tokens += len(example.token_ids)
        self.num_learned_tokens += example.num_learned_tokens
        self.longest_tokens = max(self.longest_tokens, len(example.token_ids))


def render_set(
    examples: Iterable[tuple[str, Messages]], renderer: Renderer, *, max_tokens: int, path: Path
) -> RenderedFile:
    """Write the file, whole or not at all. A row above `max_tokens` is left out: cut, it would teach not to stop."""
    counts = _Counts()
    problems: list[RowProblem] = []
    digest = sha256()
    with whole_file(path) as file:
        for row_id, messages in examples:
            example = _render_row(row_id, messages, renderer=renderer, max_tokens=max_tokens)
            if isinstance(example, RowProblem):
                problems.append(example)
                continue
            line = _to_line(row_id, example)
            file.write(line)
            digest.update(line)
            counts.add(example)
    return RenderedFile(
        path=path,
        sha256=digest.hexdigest(),
        num_rows=counts.num_rows,
        num_tokens=counts.num_tokens,
        num_learned_tokens=counts.num_learned_tokens,
        longest_tokens=counts.longest_tokens,
        problems=tuple(problems),
    )


def _render_row(
    row_id: str, messages: Messages, *, renderer: Renderer, max_tokens: int
) -> RenderedExample | RowProblem:
    try:
        example = renderer.render_example(messages)
    except Invalid as error:
        return RowProblem(row_id, error.slug(), error.message)
    num_tokens = len(example.token_ids)
    if num_tokens > max_tokens:
        return RowProblem(row_id, "too-long", f"The row has {num_tokens:,} tokens, the limit is {max_tokens:,}.")
    return example


def _to_line(row_id: str, example: RenderedExample) -> bytes:
    row = {"row_id": row_id, "input_ids": example.token_ids, "labels": example.labels}
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
