"""What the model answers to a few exam rows while it learns, so that a person can see it learn.

Greedy, all rows as one batch, the same rows each time. How long they may take is for the caller to say; an answer that
takes longer is cut, and says so. Imports nothing heavy itself: the program hands model and tokenizer in.
"""

import time
from contextlib import nullcontext
from typing import Any

from goldsmith.wire.rows import NOT_LEARNED, Row

NUM_ROWS = 3
MOST_TOKENS = 200
SHARE = 0.1
"""All answers together may take this share of the training's time."""


class Sampler:
    """Answers the first exam rows; `model` is a PEFT model, `tokenizer` turns ids into text."""

    def __init__(self, model: Any, tokenizer: Any, exam: list[Row]) -> None:
        self.spent_s = 0.0
        self._model, self._tokenizer, self._rows = model, tokenizer, exam[:NUM_ROWS]
        self._prompts = [row.input_ids[: answer_starts_at(row)] for row in self._rows]
        self._ends = {row.input_ids[-1] for row in self._rows if row.labels[-1] != NOT_LEARNED}
        self._most = min(MOST_TOKENS, 16 + 2 * max((row.num_learned for row in self._rows), default=0))

    def seconds_for_one(self, *, training_s: float, num_coming: int) -> float:
        """How long the next answers may take, when a training takes so long and so many are still to come."""
        return (SHARE * training_s - self.spent_s) / max(num_coming, 1)

    def answers(self, seconds: float, *, without_adapter: bool = False) -> list[dict[str, Any]]:
        """The answers as the event `sampled` has them; none when there are no rows or no time."""
        if not self._rows or seconds <= 0:
            return []
        began_at = time.monotonic()
        was_training = self._model.training
        self._model.eval()
        with self._model.disable_adapter() if without_adapter else nullcontext():
            written = self._write(seconds)
        self._model.train(was_training)
        self.spent_s += time.monotonic() - began_at
        return [
            {"row_id": row.row_id, "text": self._tokenizer.decode(ids, skip_special_tokens=True), "is_cut": is_cut}
            for row, (ids, is_cut) in zip(self._rows, written, strict=True)
        ]

    def _write(self, seconds: float) -> list[tuple[list[int], bool]]:
        """The ids of each answer up to its end, and whether that end was not reached."""
        import torch

        model, width = self._model, max(map(len, self._prompts))
        ends = sorted(self._ends | _ids(model.generation_config.eos_token_id))
        padding = ends[0] if ends else 0
        padded = [[padding] * (width - len(ids)) + ids for ids in self._prompts]
        seen = [[0] * (width - len(ids)) + [1] * len(ids) for ids in self._prompts]
        with torch.no_grad():
            found = model.generate(
                input_ids=torch.tensor(padded, device=model.device),
                attention_mask=torch.tensor(seen, device=model.device),
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                max_new_tokens=self._most,
                max_time=seconds,
                eos_token_id=ends or None,
                pad_token_id=padding,
                use_cache=True,
            )
        return [up_to_end(ids, set(ends)) for ids in found[:, width:].tolist()]


def answer_starts_at(row: Row) -> int:
    """The place of the first token that is learned."""
    return next((place for place, label in enumerate(row.labels) if label != NOT_LEARNED), len(row.labels))


def _ids(value: Any) -> set[int]:
    return set() if value is None else {value} if isinstance(value, int) else set(value)


def up_to_end(ids: list[int], ends: set[int]) -> tuple[list[int], bool]:
    """What comes before an end marker, and whether there was none."""
    place = next((place for place, token_id in enumerate(ids) if token_id in ends), None)
    return (ids, True) if place is None else (ids[:place], False)
