"""Whether more gold stars would help: what trainings on parts of the stars say about a larger number of them. Pure.

Each training is asked the same exam rows. Shares are fractions, gains are differences of shares (0.03 is 3 points).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from goldsmith.compare import statistics
from goldsmith.compare.statistics import PairedDifference, PairedTable

FEWEST_ROWS: Final = 20
"""With fewer exam rows one row is five points or more, and no gain is told."""
LEAST_GAIN: Final = 0.02
"""Two points: where the interval of the gain ends below, more stars are said not to help."""
FEWEST_MORE: Final = 10


class MoreStarsKind(StrEnum):
    """What can be said about more stars."""

    HELP = "help"
    NO_HELP = "no_help"
    WORSE = "worse"
    NOT_KNOWN = "not_known"
    TOO_FEW = "too_few"
    NOT_MEASURED = "not_measured"


@dataclass(frozen=True)
class CurvePoint:
    """One training: how many stars it learned from, and which of the exam rows it then got right."""

    num_learn: int
    is_right: tuple[bool, ...]

    @property
    def num_right(self) -> int:
        """How many rows are right."""
        return sum(self.is_right)


@dataclass(frozen=True)
class MoreStars:
    """The answer. `gain`, `low` and `high` are None where none is told; `rows_needed` where the rows decide."""

    kind: MoreStarsKind
    sentence: str
    evidence: str
    num_more: int
    num_rows: int
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    rows_needed: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """As it is kept in the database."""
        return {**vars(self), "kind": self.kind.value}


def gain(first: CurvePoint, last: CurvePoint, num_more: int) -> PairedDifference:
    """What `num_more` stars beyond the last training are likely to add, with its 95 % interval.

    The share of right answers is taken to rise by the same amount with every doubling of the stars, as learning curves
    do over a few doublings (log-linear: Banko and Brill, Proceedings of the 39th ACL (2001) 26-33). Over three
    trainings on a quarter, half and all of the stars the slope by least squares is (last − first) / 2 doublings: the
    middle one stands at the mean of the doublings, so its weight is 0. The gain is that slope times
    log2((n + more) / n). The interval is that of the paired difference of the first and the last training on the same
    rows (Newcombe, Statistics in Medicine 17 (1998) 2635-2650, method 10), times the same factor. It holds the chance
    of the exam's rows; it does not hold that of the trainings, of which there is one each, nor that the curve bends.
    """
    if not 0 < first.num_learn < last.num_learn or num_more <= 0:
        raise ValueError("A curve rises from fewer stars to more, and asks about more than those.")
    found = statistics.paired_difference_interval(*_table(first, last))
    factor = doublings(last.num_learn, last.num_learn + num_more) / doublings(first.num_learn, last.num_learn)
    return PairedDifference(*(factor * value for value in found))


def doublings(fewer: int, more: int) -> float:
    """How often a number has to be doubled to become the other: 2 from 25 to 100."""
    return math.log2(more / fewer)


def usual_more(num_learn: int) -> int:
    """About how many more stars a person would think of: half as many again, as a round number."""
    wanted = num_learn / 2
    powers = [int(10.0**power) for power in range(1, 8)]
    round_numbers = [step * power for power in powers for step in (1, 2, 5)]
    return max(FEWEST_MORE, min(round_numbers, key=lambda each: abs(math.log(each / max(wanted, 1)))))


def decide(points: Sequence[CurvePoint], num_more: int) -> MoreStars:
    """What the trainings say. `points` stand from the fewest stars to all of them."""
    if len(points) < 2:
        return _none(MoreStarsKind.NOT_MEASURED, "Fewer than two of the trainings came to a model.", num_more, 0)
    last = points[-1]
    num_rows = len(last.is_right)
    if num_rows < FEWEST_ROWS:
        words = f"Too few exam rows to say: there are {num_rows}, and at least {FEWEST_ROWS} are needed."
        return _none(MoreStarsKind.TOO_FEW, words, num_more, num_rows)
    if not any(any(point.is_right) for point in points):
        words = (
            "Not one exam row was answered as its gold answer by any of them, so right answers cannot tell whether "
            "more stars help here. See whether the loss on the exam rows still falls."
        )
        return _none(MoreStarsKind.NOT_MEASURED, words, num_more, num_rows)
    if last.num_right == num_rows:
        words = f"More stars will not help here: all {num_rows} exam rows are right already."
        return _answer(MoreStarsKind.NO_HELP, words, points, num_more)
    return _judged(points, num_more)


def _judged(points: Sequence[CurvePoint], num_more: int) -> MoreStars:
    first, before, last = points[0], points[-2], points[-1]
    found = gain(first, last, num_more)
    about = f"{num_more:,} more stars ≈ {_points(found.difference)} ({_signed(found.low)} to {_signed(found.high)})"
    if found.high < 0:
        words = f"More stars of this kind make it worse: {about}. Look at the rows before you give more."
        return _answer(MoreStarsKind.WORSE, words, points, num_more)
    if found.high <= LEAST_GAIN:
        words = f"More stars will not help here: {num_more:,} more would add at most {_points(found.high)}."
        return _answer(MoreStarsKind.NO_HELP, words, points, num_more)
    if found.low <= 0:
        margin = LEAST_GAIN * found_factor(first, last, num_more)
        needed = statistics.rows_needed(*_table(first, last), margin=margin)
        words = f"Too few exam rows to say: {about}. About {_round(needed):,} more exam rows would decide."
        return _answer(MoreStarsKind.NOT_KNOWN, words, points, num_more, rows_needed=needed)
    if last.num_right <= before.num_right and len(points) > 2:
        words = (
            f"It rose up to {before.num_learn:,} stars and not since, so whether more help is not known. Over the "
            f"whole curve {about}."
        )
        return _answer(MoreStarsKind.NOT_KNOWN, words, points, num_more)
    return _answer(MoreStarsKind.HELP, f"{about}.", points, num_more)


def found_factor(first: CurvePoint, last: CurvePoint, num_more: int) -> float:
    """By what a gain has to be multiplied to become the difference of the first and the last training."""
    return doublings(first.num_learn, last.num_learn) / doublings(last.num_learn, last.num_learn + num_more)


def _answer(
    kind: MoreStarsKind, words: str, points: Sequence[CurvePoint], num_more: int, *, rows_needed: int | None = None
) -> MoreStars:
    found = gain(points[0], points[-1], num_more)
    counts = ", ".join(f"{point.num_right} with {point.num_learn:,} stars" for point in points)
    num_rows = len(points[-1].is_right)
    evidence = (
        f"Of {num_rows} exam rows right: {counts}. The range is that of 95 %: it holds the chance of these rows, not "
        "that of the trainings, of which there is one each."
    )
    return MoreStars(kind, words, evidence, num_more, num_rows, *found, rows_needed)


def _none(kind: MoreStarsKind, words: str, num_more: int, num_rows: int) -> MoreStars:
    return MoreStars(kind, words, "", num_more, num_rows)


def _table(first: CurvePoint, last: CurvePoint) -> PairedTable:
    """The last training is the first arm, so that a rise is above 0."""
    return statistics.paired_table(last.is_right, first.is_right)


def _points(share: float) -> str:
    """+3 points, −1.5 points."""
    number = _signed(share)
    return f"{number} {'point' if number in ('+1', '−1') else 'points'}"


def _signed(share: float) -> str:
    value = round(100 * share, 1)
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return sign + (f"{abs(value):.0f}" if abs(value) >= 10 or value == round(value) else f"{abs(value):.1f}")


def _round(number: int) -> int:
    """Two digits say enough about an estimate."""
    size = int(10.0 ** max(0, len(str(number)) - 2))
    return math.ceil(number / size) * size
