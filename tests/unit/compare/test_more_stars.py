"""What trainings on parts of the stars say about more of them, and when they say nothing."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.compare import more_stars, statistics
from goldsmith.compare.more_stars import CurvePoint, MoreStarsKind, decide, gain, usual_more

RIGHTS = st.integers(1, 60).flatmap(
    lambda size: st.tuples(*[st.lists(st.booleans(), min_size=size, max_size=size).map(tuple)] * 3)
)
STARS = st.integers(4, 2000)
MORE = st.integers(1, 2000)


def curve(rights: tuple[tuple[bool, ...], ...], stars: int = 100) -> list[CurvePoint]:
    numbers = (math.ceil(stars / 4), math.ceil(stars / 2), stars)
    return [CurvePoint(number, right) for number, right in zip(numbers, rights, strict=True)]


def counted(*num_right: int, of: int, stars: int = 100) -> list[CurvePoint]:
    """Whoever gets more right gets the same ones right, and more."""
    return curve(tuple(tuple(row < right for row in range(of)) for right in num_right), stars)


@given(RIGHTS, STARS, MORE)
def test_the_gain_lies_in_its_interval_and_goes_with_the_rows(
    rights: tuple[tuple[bool, ...], ...], stars: int, num_more: int
) -> None:
    first, _, last = curve(rights, stars)
    found = gain(first, last, num_more)
    assert found.low - 1e-9 <= found.difference <= found.high + 1e-9
    assert math.copysign(1, found.difference) * (last.num_right - first.num_right) >= 0
    shuffled = list(range(len(last.is_right)))
    random.Random(0).shuffle(shuffled)  # noqa: S311
    a, b = (CurvePoint(one.num_learn, tuple(one.is_right[row] for row in shuffled)) for one in (first, last))
    assert gain(a, b, num_more) == pytest.approx(found)


@given(RIGHTS, STARS, MORE)
def test_more_stars_add_more_but_never_in_proportion(
    rights: tuple[tuple[bool, ...], ...], stars: int, num_more: int
) -> None:
    first, _, last = curve(rights, stars)
    one, two = abs(gain(first, last, num_more).difference), abs(gain(first, last, 2 * num_more).difference)
    assert one <= two + 1e-12
    assert two <= 2 * one + 1e-12


@given(RIGHTS, STARS)
def test_as_many_again_add_what_one_doubling_did_on_average(rights: tuple[tuple[bool, ...], ...], stars: int) -> None:
    first, _, last = curve(rights, 4 * stars)
    half = statistics.paired_difference_interval(*statistics.paired_table(last.is_right, first.is_right))
    assert gain(first, last, 4 * stars) == pytest.approx(tuple(value / 2 for value in half))


@given(st.tuples(*[st.floats(0, 1)] * 3))
def test_the_slope_is_that_of_least_squares_over_the_three_trainings(shares: tuple[float, ...]) -> None:
    mean = sum(shares) / 3
    by_least_squares = sum((x - 1) * (share - mean) for x, share in enumerate(shares)) / 2
    assert by_least_squares == pytest.approx((shares[2] - shares[0]) / 2, abs=1e-12)


@given(RIGHTS, STARS, MORE)
def test_what_is_said_agrees_with_its_numbers(rights: tuple[tuple[bool, ...], ...], stars: int, num_more: int) -> None:
    found = decide(curve(rights, stars), num_more)
    if found.kind in (MoreStarsKind.TOO_FEW, MoreStarsKind.NOT_MEASURED):
        assert (found.gain, found.low, found.high) == (None, None, None)
        return
    assert found.low is not None
    assert found.high is not None
    assert found.num_rows >= more_stars.FEWEST_ROWS
    assert found.kind is not MoreStarsKind.HELP or found.low > 0
    assert found.kind is not MoreStarsKind.WORSE or found.high < 0
    is_full = all(rights[2])
    assert found.kind is not MoreStarsKind.NO_HELP or found.high <= more_stars.LEAST_GAIN or is_full
    assert found.rows_needed is None or found.rows_needed > 0


def test_a_rise_that_the_rows_carry_is_told_in_points() -> None:
    found = decide(counted(40, 55, 70, of=100), 50)
    assert found.kind is MoreStarsKind.HELP
    assert found.sentence == "50 more stars ≈ +8.8 points (+6 to +11)."
    assert "Of 100 exam rows right: 40 with 25 stars, 55 with 50 stars, 70 with 100 stars." in found.evidence


def test_the_same_on_few_rows_is_not_known_and_says_how_many_would_decide() -> None:
    found = decide(curve(((True,) * 10 + (False,) * 10, (False,) * 20, (False,) * 4 + (True,) * 12 + (False,) * 4)), 50)
    assert found.kind is MoreStarsKind.NOT_KNOWN
    assert found.sentence.startswith("Too few exam rows to say: 50 more stars ≈ +2.9 points (")
    assert found.rows_needed


def test_a_curve_that_is_flat_on_many_rows_needs_no_more_stars() -> None:
    found = decide(counted(150, 150, 150, of=200), 50)
    assert found.kind is MoreStarsKind.NO_HELP
    assert found.sentence.startswith("More stars will not help here: 50 more would add at most +0")


def test_where_all_are_right_there_is_nothing_to_add_and_where_none_is_nothing_can_be_told() -> None:
    assert decide(counted(20, 30, 40, of=40), 50).kind is MoreStarsKind.NO_HELP
    found = decide(counted(0, 0, 0, of=40), 50)
    assert (found.kind, found.gain) == (MoreStarsKind.NOT_MEASURED, None)
    assert "cannot tell" in found.sentence


def test_what_got_worse_or_stopped_rising_is_said() -> None:
    assert decide(counted(90, 60, 40, of=100), 50).kind is MoreStarsKind.WORSE
    found = decide(counted(40, 70, 70, of=100), 50)
    assert found.kind is MoreStarsKind.NOT_KNOWN
    assert "It rose up to 50 stars and not since" in found.sentence


def test_too_few_rows_and_too_few_trainings_say_nothing() -> None:
    assert decide(counted(1, 5, 19, of=19), 50).kind is MoreStarsKind.TOO_FEW
    assert decide(counted(1, 5, 19, of=30)[:1], 50).kind is MoreStarsKind.NOT_MEASURED
    first, _, last = counted(1, 2, 3, of=30)
    with pytest.raises(ValueError, match="rises from fewer"):
        gain(last, first, 10)


@pytest.mark.parametrize(
    ("stars", "more"), [(1, 10), (12, 10), (45, 20), (100, 50), (120, 50), (1000, 500), (30_000, 20_000)]
)
def test_the_number_that_is_asked_about_is_round(stars: int, more: int) -> None:
    assert usual_more(stars) == more


@given(st.integers(20, 80), st.integers(0, 10_000))
def test_where_the_truth_is_flat_a_rise_is_seldom_claimed(size: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    claims = 0
    for _ in range(40):
        points = curve(tuple(tuple(chance.random() < 0.6 for _ in range(size)) for _ in range(3)))
        claims += decide(points, 50).kind is MoreStarsKind.HELP
    assert claims <= 8
