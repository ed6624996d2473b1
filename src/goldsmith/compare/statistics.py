"""The statistics of a comparison: pure functions, no I/O, no sentence. Called by `verdict.py` and by the pages' charts.

Shares and differences are fractions (0.375, not 37.5). A paired table is four counts of rows: right in `both` arms, in
the `first_only`, in the `second_only`, in `neither`. scipy is imported where it is used, because it takes a second.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, median
from typing import NamedTuple

CONFIDENCE = 0.95
"""How sure an interval is, everywhere in Goldsmith."""

CHANCE_TO_DECIDE = 0.8
"""How likely the rows named by `rows_needed` are to decide, if the rates seen so far are the true ones."""

MARGIN = 0.10
"""Ten points: two arms whose interval lies within it on both sides do equally well for all that matters here."""


class PairedTable(NamedTuple):
    """How two arms did on the same rows, in numbers of rows."""

    both: int
    first_only: int
    second_only: int
    neither: int


class PairedDifference(NamedTuple):
    """Share right of the first arm minus that of the second, with its interval; all from -1 to 1."""

    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Spread:
    """Where measured values lie: the middle one, and the one that 95 % do not exceed (nearest rank)."""

    median: float
    p95: float
    num_measured: int


def wilson_interval(successes: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval (low, high) for a share of `successes` in `n` independent rows.

    Without continuity correction. Source: Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212; Newcombe, Statistics in
    Medicine 17 (1998) 857-872, method 3.
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"{successes} of {n} rows is not a share.")
    return _wilson(successes / n, n, _z(confidence))


def mcnemar_mid_p(b: int, c: int) -> float:
    """Two-sided mid-p value of McNemar's test, where one arm alone is right in `b` rows and the other alone in `c`.

    The exact binomial p-value less half of the probability of what was seen (counted on both sides). 1 where the arms
    never differ. Source: Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13 (2013) 91, equation 9.
    """
    if min(b, c) < 0:
        raise ValueError("Numbers of rows cannot be negative.")
    if b == c:
        return 1.0
    from scipy.stats import binom

    fewer, total = min(b, c), b + c
    mid_p = float(2 * binom.cdf(fewer, total, 0.5) - binom.pmf(fewer, total, 0.5))
    return max(mid_p, 0.0)  # the smallest numbers there are round to less than nothing


def paired_table(first: Sequence[bool], second: Sequence[bool]) -> PairedTable:
    """Count how two arms did on the same rows, which stand in the same order."""
    pairs = list(zip(first, second, strict=True))
    return PairedTable(
        both=pairs.count((True, True)),
        first_only=pairs.count((True, False)),
        second_only=pairs.count((False, True)),
        neither=pairs.count((False, False)),
    )


def paired_difference_interval(both: int, first_only: int, second_only: int, neither: int) -> PairedDifference:
    """The 95 % interval for the share right in the first arm minus that in the second, on the same rows.

    Newcombe's score method for paired proportions: Wilson's intervals of the two shares, put together with the
    correlation phi, whose numerator carries a continuity correction. Source: Newcombe, Statistics in Medicine 17
    (1998) 2635-2650, method 10.
    """
    table = PairedTable(both, first_only, second_only, neither)
    if min(table) < 0 or sum(table) == 0:
        raise ValueError("A paired comparison needs rows, and no negative numbers of them.")
    return _paired(both, first_only, second_only, neither, z=_z(CONFIDENCE))


def rows_needed(both: int, first_only: int, second_only: int, neither: int, *, margin: float = MARGIN) -> int:
    """About how many more rows would decide, if the rates seen so far go on; 0 where these rows decide already.

    Decided means that the 95 % interval of the difference leaves out 0 or lies within `margin` on both sides of it.
    The number found gives four chances in five: the interval is drawn with the sum of the two normal quantiles (1.96
    + 0.84), as in the usual formula for the size of a paired study (Connor, Biometrics 43 (1987) 207-211). An
    estimate from few rows is rough: show it rounded.
    """
    table = PairedTable(both, first_only, second_only, neither)
    seen = sum(table)
    if is_decided(paired_difference_interval(*table), margin=margin):
        return 0

    def decides(total: int) -> bool:
        scale = total / seen
        scaled = _paired(*(count * scale for count in table), z=_z(CONFIDENCE) + NormalDist().inv_cdf(CHANCE_TO_DECIDE))
        return is_decided(scaled, margin=margin)

    enough = seen + 1
    while not decides(enough):
        enough *= 2
    too_few = max(seen, enough // 2)
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        enough, too_few = (middle, too_few) if decides(middle) else (enough, middle)
    return enough - seen


def is_decided(found: PairedDifference, *, margin: float = MARGIN) -> bool:
    """Whether the interval leaves out 0, or lies so close around it that the arms do equally well."""
    return found.low > 0 or found.high < 0 or is_level(found, margin=margin)


def is_level(found: PairedDifference, *, margin: float = MARGIN) -> bool:
    """Whether the interval contains 0 and reaches at most `margin` to each side."""
    return -margin <= found.low <= 0 <= found.high <= margin


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the order given, for several tests read together.

    Source: Holm, Scandinavian Journal of Statistics 6 (1979) 65-70.
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def spread(values: Sequence[float | None]) -> Spread | None:
    """Median and 95th percentile of what was measured; None where nothing was."""
    measured = sorted(value for value in values if value is not None)
    if not measured:
        return None
    return Spread(
        median=float(median(measured)),
        p95=float(measured[math.ceil(0.95 * len(measured)) - 1]),
        num_measured=len(measured),
    )


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _wilson(share: float, n: float, z: float) -> tuple[float, float]:
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # The bounds reach the share itself at 0 and 1; rounding must not put them on its wrong side.
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def _paired(both: float, first_only: float, second_only: float, neither: float, *, z: float) -> PairedDifference:
    n = both + first_only + second_only + neither
    first, second = (both + first_only) / n, (both + second_only) / n
    first_low, first_high = _wilson(first, n, z)
    second_low, second_high = _wilson(second, n, z)
    phi = _phi(both, first_only, second_only, neither)
    difference = (first_only - second_only) / n
    below = _side(first - first_low, second_high - second, phi)
    above = _side(first_high - first, second - second_low, phi)
    return PairedDifference(difference, max(-1.0, difference - below), min(1.0, difference + above))


def _side(one: float, other: float, phi: float) -> float:
    # Never negative but for rounding, because phi lies between -1 and 1.
    return math.sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))


def _phi(both: float, first_only: float, second_only: float, neither: float) -> float:
    n = both + first_only + second_only + neither
    margins = (both + first_only) * (second_only + neither) * (both + second_only) * (first_only + neither)
    if margins <= 0:
        return 0.0
    excess = both * neither - first_only * second_only
    corrected = excess if excess < 0 else max(0.0, excess - n / 2)
    return corrected / math.sqrt(margins)
