"""Is a new model worse than the old one, on live traffic? Pure: sums in, a finding with numbers and a sentence out.

Shares of answers (errors, invalid JSON) are compared by Newcombe's hybrid score interval for the difference of two
proportions, lengths and times by Welch's interval for the difference of mean logarithms, which is an interval for a
ratio. Both at 99.9 %, because it is looked again and again while requests come; a model is called worse only when the
whole interval lies beyond what is tolerated, so that chance alone rolls hardly anything back.
"""

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from goldsmith.serve.counts import Counts

MAX_STAGES = 10
Z = 3.2905
"""99.9 % of a normal distribution lie within so many standard deviations."""
MIN_REQUESTS = 50
LOOK_AGAIN_AT = 1.1
"""It is concluded anew when a tenth more requests came, not with every request."""


@dataclass(frozen=True)
class Limits:
    """How much worse the new model may be before it is rolled back, and how many requests it takes to say so."""

    min_requests: int = MIN_REQUESTS
    max_more_errors: float = 0.02
    max_more_invalid_json: float = 0.02
    max_times_slower: float = 1.5
    max_times_longer: float = 2.0
    """Also as its inverse: an answer that became that much shorter is as suspicious."""

    def to_dict(self) -> dict[str, Any]:
        """As it is kept in the database."""
        return asdict(self)


@dataclass(frozen=True)
class RolloutPlan:
    """How a roll-out goes: the shares, one after the other, how long each is held, and what is tolerated."""

    stages: tuple[float, ...] = (0.05, 0.25, 1.0)
    hold_s: float | None = None
    """Seconds at each share before it goes on by itself; None: it goes on by clicks."""
    limits: Limits = Limits()

    def is_growing_from(self, share: float) -> bool:
        """Whether every step gives the new model more than it had, and none more than everything."""
        steps = (share, *self.stages)
        return 1 <= len(self.stages) <= MAX_STAGES and steps[-1] <= 1 and all(a < b for a, b in pairwise(steps))


class Interval(NamedTuple):
    """A value and where it lies with 99.9 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Finding:
    """What was found; `is_enough` says whether anything could be concluded yet."""

    is_enough: bool
    worse: tuple[str, ...]
    """Sentences, one for everything that is worse beyond what is tolerated."""
    says: str


def judge(old: Counts, new: Counts, limits: Limits) -> Finding:
    """The new model beside the old one."""
    missing = limits.min_requests - min(old.num_requests, new.num_requests)
    if missing > 0:
        says = f"Nothing is concluded before each model has {limits.min_requests} requests: {missing} more."
        return Finding(False, (), says)
    worse = tuple(
        sentence
        for sentence in (
            _share("errors", (old.num_errors, old.num_requests), (new.num_errors, new.num_requests), limits),
            _share("invalid JSON", _json(old), _json(new), limits),
            _slower(old, new, limits),
            _length(old, new, limits),
        )
        if sentence
    )
    says = " ".join(worse) or f"No difference beyond what is tolerated in {new.num_requests:,} requests."
    return Finding(True, worse, says)


def difference(old: tuple[int, int], new: tuple[int, int], *, z: float = Z) -> Interval:
    """New share minus old share, each (how many, of how many): Newcombe's hybrid score interval, his method 10."""
    p, q = new[0] / new[1], old[0] / old[1]
    (low_p, high_p), (low_q, high_q) = wilson(*new, z=z), wilson(*old, z=z)
    low = p - q - math.hypot(p - low_p, high_q - q)
    return Interval(p - q, low, p - q + math.hypot(high_p - p, q - low_q))


def wilson(num: int, of: int, *, z: float = Z) -> tuple[float, float]:
    """Wilson's score interval of a share."""
    share = num / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def ratio(old: tuple[int, float, float], new: tuple[int, float, float], *, z: float = Z) -> Interval | None:
    """New over old, each (how many, sum of logarithms, sum of their squares): Welch's interval of geometric means."""
    if old[0] < 2 or new[0] < 2:
        return None
    middle = new[1] / new[0] - old[1] / old[0]
    half = z * math.sqrt(sum(_variance(*each) / each[0] for each in (old, new)))
    return Interval(math.exp(middle), math.exp(middle - half), math.exp(middle + half))


def _variance(num: int, total: float, squares: float) -> float:
    return max(0.0, (squares - total * total / num) / (num - 1))


def _json(counts: Counts) -> tuple[int, int]:
    return counts.num_invalid_json, counts.num_with_schema


def _share(what: str, old: tuple[int, int], new: tuple[int, int], limits: Limits) -> str:
    if min(old[1], new[1]) < limits.min_requests:
        return ""
    allowed = limits.max_more_errors if what == "errors" else limits.max_more_invalid_json
    found = difference(old, new)
    if found.low <= allowed:
        return ""
    return (
        f"It has more {what}: {_of(*new)} against {_of(*old)}, a difference of {100 * found.value:.1f} points "
        f"(99.9 %: {100 * found.low:.1f} to {100 * found.high:.1f}), where {100 * allowed:g} are tolerated."
    )


def _slower(old: Counts, new: Counts, limits: Limits) -> str:
    found = ratio(
        (old.num_timed, old.log_seconds, old.log_seconds_squared),
        (new.num_timed, new.log_seconds, new.log_seconds_squared),
    )
    if min(old.num_timed, new.num_timed) < limits.min_requests or found is None or found.low <= limits.max_times_slower:
        return ""
    return (
        f"It is slower: {new.mean_seconds:.2f} s an answer against {old.mean_seconds:.2f} s, {found.value:.2f} times "
        f"(99.9 %: {found.low:.2f} to {found.high:.2f}), where {limits.max_times_slower:g} are tolerated, "
        f"in {new.num_timed:,} and {old.num_timed:,} answers."
    )


def _length(old: Counts, new: Counts, limits: Limits) -> str:
    found = ratio(
        (old.num_measured, old.log_tokens, old.log_tokens_squared),
        (new.num_measured, new.log_tokens, new.log_tokens_squared),
    )
    if min(old.num_measured, new.num_measured) < limits.min_requests or found is None:
        return ""
    if 1 / limits.max_times_longer <= found.high and found.low <= limits.max_times_longer:
        return ""
    word = "longer" if found.value > 1 else "shorter"
    return (
        f"Its answers are {word}: {new.mean_tokens:.0f} tokens against {old.mean_tokens:.0f}, {found.value:.2f} times "
        f"(99.9 %: {found.low:.2f} to {found.high:.2f}), in {new.num_measured:,} and {old.num_measured:,} answers."
    )


def _of(num: int, of: int) -> str:
    return f"{num:,} of {of:,} ({100 * num / of:.1f} %)"
