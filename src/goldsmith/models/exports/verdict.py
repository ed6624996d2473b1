"""Whether an export answers as the adapter does: the judgement over what its child found. Knows no job."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from goldsmith.wire.export import Check

TOLERANCE_NATS: Mapping[str, float] = {"float32": 0.01, "float16": 0.1, "bfloat16": 0.25}
"""Weights are rounded to this type. Seen with a small model: 0.00002, 0.005, and for bfloat16 0.04 to 0.36 nats."""
MIN_ROWS = 1


@dataclass(frozen=True)
class Verdict:
    """Good, or not, with one sentence that says what was compared."""

    is_good: bool
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """As it is kept in a job's result."""
        return {"is_good": self.is_good, "reason": self.reason}


def judge(check: Check) -> Verdict:
    """The same answers, about the same probabilities, and the same prompts; anything else is not good."""
    limit = TOLERANCE_NATS.get(check.dtype, TOLERANCE_NATS["float32"])
    num_rows = len(check.rows)
    if num_rows < MIN_ROWS:
        return Verdict(False, "There was no row with which it could be checked.")
    if not check.has_same_prompts:
        return Verdict(False, "Its tokenizer or its chat template makes other tokens than the training did.")
    measured = f"{check.num_same} of {num_rows} answers are the adapter's"
    nats = f"log-probabilities differ by at most {check.largest_nats:.4f} nats (allowed: {limit})"
    is_good = check.num_same == num_rows and check.largest_nats <= limit
    return Verdict(is_good, f"{measured}, and {nats}.")
