"""A model's own proof material: `probe.jsonl`, written by the training into the model's folder.

Each line is a learn row or an exam row with its token ids, its labels (-100: not learned), and what the trainer found
the log-probability of each learned token to be, with the adapter and without. Knows no engine.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldsmith.models.rendering import NOT_LEARNED
from goldsmith.serve.errors import ProbeUnreadable

FILE_NAME = "probe.jsonl"
MAX_LINE_BYTES = 10_000_000


@dataclass(frozen=True)
class ProbeRow:
    """One row: what comes before the answer, the answer's ids with the end marker, and two numbers for each of them."""

    row_id: str
    side: str
    prompt_ids: tuple[int, ...]
    answer_ids: tuple[int, ...]
    tuned: tuple[float, ...]
    base: tuple[float, ...]
    messages: tuple[dict[str, str], ...] | None = None

    def places(self, num_first: int) -> list[int]:
        """Which tokens of the answer are looked at: the first ones and the end marker."""
        last = len(self.answer_ids) - 1
        return [*range(min(num_first, last)), last]


def read(folder: Path) -> list[ProbeRow]:
    """All rows of a model's probe. Raises ProbeUnreadable, naming the line."""
    path = folder / FILE_NAME
    if not path.is_file():
        raise ProbeUnreadable(f"There is no {FILE_NAME} in the model's folder.")
    rows = []
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE_BYTES), b""), start=1):
            try:
                rows.append(_row(json.loads(line)))
            except (ValueError, KeyError, TypeError, IndexError) as error:
                raise ProbeUnreadable(f"{FILE_NAME}, line {number}: {error}.") from error
    return rows


def choose(rows: Sequence[ProbeRow], side: str, num_rows: int) -> list[ProbeRow]:
    """The first rows of a side."""
    return [row for row in rows if row.side == side][:num_rows]


def _row(body: dict[str, Any]) -> ProbeRow:
    ids, labels = body["input_ids"], body["labels"]
    learned = [place for place, label in enumerate(labels) if label != NOT_LEARNED]
    if not learned or len(ids) != len(labels) or learned != list(range(learned[0], len(labels))):
        raise ValueError("its labels do not end with one unbroken answer")
    answer = tuple(int(label) for label in labels[learned[0] :])
    tuned = tuple(float(value) for value in body["token_logprobs"])
    base = tuple(float(value) for value in body["base_token_logprobs"])
    if list(answer) != list(ids[learned[0] :]) or not len(answer) == len(tuned) == len(base):
        raise ValueError("its numbers do not belong to its tokens")
    prompt = tuple(int(token) for token in ids[: learned[0]])
    messages = tuple(body["messages"]) if body.get("messages") else None
    return ProbeRow(str(body["row_id"]), str(body["side"]), prompt, answer, tuned, base, messages)
