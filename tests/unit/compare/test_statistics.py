"""The statistics beside statsmodels, beside published examples, and under properties that must always hold."""

import math
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from goldsmith.compare import statistics
from goldsmith.compare.statistics import (
    PairedDifference,
    holm,
    mcnemar_mid_p,
    paired_difference_interval,
    paired_table,
    rows_needed,
    spread,
    wilson_interval,
)

COUNTS = st.integers(0, 400)
TABLES = st.tuples(COUNTS, COUNTS, COUNTS, COUNTS).filter(lambda table: sum(table) > 0)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_equals_statsmodels(confidence: float) -> None:
    from statsmodels.stats.proportion import proportion_confint

    for n in (1, 2, 5, 40, 80, 1000):
        for successes in {0, 1, n // 3, n // 2, n - 1, n}:
            low, high = proportion_confint(successes, n, alpha=1 - confidence, method="wilson")
            assert wilson_interval(successes, n, confidence) == pytest.approx((low, high), abs=1e-9)


@settings(max_examples=50)
@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_contains_the_share_and_mirrors(share: tuple[int, int]) -> None:
    successes, n = share
    low, high = wilson_interval(successes, n)
    assert 0 <= low <= successes / n <= high <= 1
    assert wilson_interval(n - successes, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (3, 2), (-1, 4)])
def test_a_share_that_is_none_is_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="is not a share"):
        wilson_interval(successes, n)


def test_mid_p_is_statsmodels_exact_p_less_half_of_what_was_seen_on_both_sides() -> None:
    from scipy.stats import binom
    from statsmodels.stats.contingency_tables import mcnemar

    for b in range(12):
        for c in range(12):
            if b != c:
                exact = mcnemar([[5, b], [c, 5]], exact=True).pvalue
                assert mcnemar_mid_p(b, c) == pytest.approx(exact - binom.pmf(b, b + c, 0.5), abs=1e-9)


@settings(max_examples=50)
@given(st.integers(0, 60), st.integers(0, 60))
def test_mid_p_is_exact(b: int, c: int) -> None:
    """In whole numbers: rows further out count whole, the two tables as far out as this one count half."""
    total, distance = b + c, abs(b - c)
    further = sum(math.comb(total, k) for k in range(total + 1) if abs(2 * k - total) > distance)
    as_far = sum(math.comb(total, k) for k in range(total + 1) if abs(2 * k - total) == distance)
    # Where the arms are level, the table stands on both sides at once and counts whole.
    expected = Fraction(further + (as_far if distance == 0 else Fraction(as_far, 2)), 2**total)
    assert mcnemar_mid_p(b, c) == pytest.approx(float(expected), abs=1e-12)


@settings(max_examples=50)
@example(1, 1074)
@given(st.integers(0, 3000), st.integers(0, 3000))
def test_mid_p_is_a_probability_and_knows_no_first_arm(b: int, c: int) -> None:
    assert 0 <= mcnemar_mid_p(b, c) <= 1
    assert mcnemar_mid_p(b, c) == mcnemar_mid_p(c, b)


def test_arms_that_never_differ_have_mid_p_one() -> None:
    assert mcnemar_mid_p(0, 0) == 1
    with pytest.raises(ValueError, match="negative"):
        mcnemar_mid_p(-1, 3)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        ((59, 6, 16, 80), -0.1186, -0.0046),  # Fagerland, Lydersen and Laake 2014: consolidation therapy
        ((1, 1, 7, 12), -0.5069, -0.0256),  # the same: airway hyper-responsiveness
        ((36, 12, 2, 0), 0.0569, 0.3404),  # Newcombe 1998, table II
        ((20, 12, 2, 16), 0.0562, 0.3292),  # Armitage and Berry 1994: two culture media
    ],
)
def test_the_paired_interval_is_that_of_published_examples(
    table: tuple[int, int, int, int], low: float, high: float
) -> None:
    found = paired_difference_interval(*table)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)
    assert found.difference == pytest.approx((table[1] - table[2]) / sum(table))


@settings(max_examples=50)
@given(TABLES)
def test_the_paired_interval_contains_the_difference_and_mirrors(table: tuple[int, int, int, int]) -> None:
    both, first, second, neither = table
    found = paired_difference_interval(*table)
    assert -1 <= found.low <= found.difference <= found.high <= 1
    swapped = paired_difference_interval(both, second, first, neither)
    assert swapped == pytest.approx((-found.difference, -found.high, -found.low), abs=1e-12)
    complement = paired_difference_interval(neither, first, second, both)
    assert complement == pytest.approx(tuple(found), abs=1e-12)


@pytest.mark.parametrize("table", [(0, 0, 0, 0), (3, -1, 2, 2)])
def test_a_table_without_rows_is_refused(table: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="needs rows"):
        paired_difference_interval(*table)


@settings(max_examples=50)
@given(TABLES)
def test_the_rows_needed_decide_if_the_rates_go_on(table: tuple[int, int, int, int]) -> None:
    more = rows_needed(*table)
    assert more >= 0
    assert (more == 0) == statistics.is_decided(paired_difference_interval(*table))
    if more:
        total, seen = sum(table) + more, sum(table)
        assert total < 100_000
        # Rounding to whole rows moves an interval by less than the reserve of the four chances in five.
        grown = [round(count * 20 * total / seen) for count in table]
        assert statistics.is_decided(paired_difference_interval(*grown))


def test_rows_needed_agree_with_the_usual_formula_for_paired_studies() -> None:
    """Connor 1987: (1.96 √pd + 0.84 √(pd − d²))² / d², with 30 % discordant and 15 points of difference."""
    discordant, difference = 0.30, 0.15
    usual = (1.96 * math.sqrt(discordant) + 0.8416 * math.sqrt(discordant - difference**2)) ** 2 / difference**2
    total = 40 + rows_needed(20, 9, 3, 8)
    assert total == pytest.approx(usual, rel=0.12)


def test_level_arms_need_rows_until_ten_points_are_left_out() -> None:
    assert rows_needed(18, 2, 2, 18) > 0
    assert rows_needed(1800, 20, 20, 1800) == 0
    assert statistics.is_level(PairedDifference(0.0, -0.10, 0.10))
    assert not statistics.is_level(PairedDifference(0.0, -0.11, 0.05))
    assert not statistics.is_level(PairedDifference(0.05, 0.01, 0.09))


def test_a_paired_table_counts_rows() -> None:
    first = [True, True, True, False, False, False]
    second = [True, False, False, True, False, False]
    assert paired_table(first, second) == (1, 2, 1, 2)
    with pytest.raises(ValueError, match="shorter"):
        paired_table(first, second[:-1])


def test_holm_equals_a_worked_example() -> None:
    """Smallest first: 4 × 0.005, 3 × 0.01, 2 × 0.03, and 0.04 may not fall below the one before it."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_only_raises_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(old <= new <= 1 for old, new in zip(p_values, adjusted, strict=True))
    in_order = sorted(zip(p_values, adjusted, strict=True))
    assert [new for _, new in in_order] == sorted(adjusted)


def test_spread_leaves_out_what_was_not_measured() -> None:
    assert spread([None, None]) is None
    found = spread([*range(1, 101), None])
    assert found is not None
    assert (found.median, found.p95, found.num_measured) == (50.5, 95.0, 100)
    one = spread([7.0])
    assert one is not None
    assert (one.median, one.p95) == (7.0, 7.0)
