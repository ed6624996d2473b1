"""The frozen values of a comparison: what goes into a measure and a verdict, and what comes out.

They know no database; `service.py` fills them from answers, `statistics.py` and `verdict.py` calculate with them.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class MeasuredAnswer:
    """What a measure may look at. `text` is None where the answer failed; `latency_ms` None where nobody measured."""

    text: str | None
    latency_ms: float | None = None


@dataclass(frozen=True)
class ArmResult:
    """One arm on all exam rows, in the same order of rows in every arm.

    `label` is how a sentence names it ("the tuned model", "support-triage-1"). In `is_right`, None is an answer that
    failed. `num_examples` is how many stars stood in the prompt as examples; 0 where there were none.
    """

    name: str
    label: str
    is_right: tuple[bool | None, ...]
    num_examples: int = 0

    @property
    def num_rows(self) -> int:
        """How many exam rows there are."""
        return len(self.is_right)

    @property
    def num_right(self) -> int:
        """How many rows are right; a failed answer is not."""
        return sum(1 for right in self.is_right if right)

    @property
    def num_failed(self) -> int:
        """How many rows have no answer because the request failed."""
        return sum(1 for right in self.is_right if right is None)


@dataclass(frozen=True)
class Consistency:
    """How often the tuned model gave the same answer twice, over the rows that it answered twice."""

    num_same: int
    num_rows: int

    @property
    def score(self) -> float | None:
        """From 0 to 1; None where no row was answered twice."""
        return self.num_same / self.num_rows if self.num_rows else None


class VerdictKind(StrEnum):
    """What the exam rows say."""

    better = "better"
    worse = "worse"
    not_known = "not_known"
    no_need = "no_need"
    too_few = "too_few"


@dataclass(frozen=True)
class Verdict:
    """The sentence and the numbers behind it.

    `difference`, `low` and `high` are the share right of the tuned arm minus that of the arm named `against`, from -1
    to 1 (0.375 is 37.5 points), with the paired 95 % interval. They and `mid_p` are None where nothing could be
    compared. `rows_needed` is about how many more exam rows would decide what is not known yet; else None.
    """

    kind: VerdictKind
    sentence: str
    evidence_line: str
    difference: float | None
    low: float | None
    high: float | None
    mid_p: float | None
    num_rows: int
    rows_needed: int | None
    against: str | None = None
