"""What is concluded from sums: against a known table, against chance, and in sentences with numbers."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.serve.counts import Counts
from goldsmith.serve.watching import LOOK_AGAIN_AT, Limits, RolloutPlan, difference, judge, ratio, wilson

LIMITS = Limits()


def counted(
    num: int = 1000, *, errors: int = 0, invalid: int = 0, seconds: float = 1.0, tokens: int = 50, spread: float = 0.0
) -> Counts:
    """Answers that take as long as is said, half of them longer and half shorter by a factor."""
    counts = Counts(num_requests=num, num_errors=errors, num_with_schema=num - errors, num_invalid_json=invalid)
    for number in range(num - errors):
        factor = math.exp(spread if number % 2 else -spread)
        counts.time(seconds * factor)
        counts.measure(round(tokens * factor))
    return counts


def test_intervals_are_those_of_newcombe_s_paper() -> None:
    """Newcombe 1998, table II, method 10, 95 %: 56/70 − 48/80 is 0.0524 to 0.3339, 9/10 − 3/10 is 0.1705 to 0.8090."""
    assert difference((48, 80), (56, 70), z=1.95996)[1:] == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert difference((3, 10), (9, 10), z=1.95996)[1:] == pytest.approx((0.1705, 0.8090), abs=1e-4)
    assert wilson(0, 20, z=1.95996) == pytest.approx((0, 0.1611), abs=1e-4)


@given(st.integers(0, 200), st.integers(1, 200), st.integers(0, 200), st.integers(1, 200))
def test_a_difference_lies_within_its_interval(a: int, of_a: int, b: int, of_b: int) -> None:
    found = difference((min(a, of_a), of_a), (min(b, of_b), of_b))
    assert -1 - 1e-9 <= found.low <= found.value + 1e-9
    assert found.value - 1e-9 <= found.high <= 1 + 1e-9


def test_a_ratio_is_that_of_geometric_means() -> None:
    old, new = counted(400, seconds=1.0, spread=0.3), counted(400, seconds=2.0, spread=0.3)
    found = ratio(
        (old.num_timed, old.log_seconds, old.log_seconds_squared),
        (new.num_timed, new.log_seconds, new.log_seconds_squared),
    )
    assert found is not None
    assert found.value == pytest.approx(2)
    assert found.high / found.low == pytest.approx(math.exp(2 * 3.2905 * 0.3 * math.sqrt(2 / 399)), rel=1e-3)
    assert ratio((1, 0, 0), (400, 0, 0)) is None


@pytest.mark.parametrize("num", [0, 1, 49])
def test_nothing_is_concluded_from_too_few_requests(num: int) -> None:
    for old, new in ((counted(1000), counted(num, errors=num)), (counted(num), counted(1000, errors=1000))):
        found = judge(old, new, LIMITS)
        assert (found.is_enough, found.worse) == (False, ())
        assert f"{50 - num} more" in found.says


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (counted(100, errors=30), "more errors: 30 of 100 (30.0 %) against 0 of 1,000 (0.0 %), a difference of 30.0"),
        (counted(100, invalid=40), "more invalid JSON: 40 of 100 (40.0 %)"),
        (counted(100, seconds=3.0, tokens=50), "slower: 3.00 s an answer against 1.00 s, 3.00 times"),
        (counted(100, tokens=400), "longer: 400 tokens against 50"),
        (counted(100, tokens=5), "shorter: 5 tokens against 50"),
    ],
)
def test_what_is_worse_is_said_with_numbers(new: Counts, words: str) -> None:
    found = judge(counted(), new, LIMITS)
    assert found.is_enough
    assert len(found.worse) == 1
    assert words in found.says
    assert "99.9 %" in found.says


@pytest.mark.parametrize(
    "new",
    [
        counted(100),
        counted(100, errors=1),
        counted(100, invalid=2),
        counted(100, seconds=1.4),
        counted(100, tokens=90),
        counted(100, seconds=0.1),
    ],
)
def test_what_is_as_good_or_within_what_is_tolerated_stays(new: Counts) -> None:
    assert judge(counted(), new, LIMITS).worse == ()


def live(rate_old: float, rate_new: float, seed: int) -> tuple[bool, int]:
    """A roll-out at 25 % over 4,000 requests, looked at as the keeper does; whether and when it was rolled back."""
    chance, old, new, judged = random.Random(seed), Counts(), Counts(), 0  # noqa: S311 - a seed that is printed
    for _ in range(4000):
        is_new = chance.random() < 0.25
        counts, rate = (new, rate_new) if is_new else (old, rate_old)
        each = Counts(num_requests=1, num_errors=int(chance.random() < rate))
        if not each.num_errors:
            each.time(chance.lognormvariate(0, 0.6))
            each.measure(round(chance.lognormvariate(3, 0.6)))
        counts.add(each)
        if new.num_requests >= max(50, judged * LOOK_AGAIN_AT):
            judged = new.num_requests
            if judge(old, new, LIMITS).worse:
                return True, new.num_requests
    return False, new.num_requests


def test_chance_alone_rolls_hardly_anything_back() -> None:
    false_alarms = sum(live(0.05, 0.05, seed)[0] for seed in range(60))
    assert false_alarms == 0


def test_a_model_that_fails_often_is_found_soon() -> None:
    found = [live(0.01, 0.25, seed) for seed in range(20)]
    assert all(is_found for is_found, _ in found)
    assert max(num for _, num in found) < 150


@pytest.mark.parametrize(
    ("stages", "has", "is_growing"),
    [
        ((0.05, 0.25, 1.0), 0.0, True),
        ((1.0,), 0.25, True),
        ((0.05, 0.25), 0.05, False),
        ((0.25, 0.05), 0.0, False),
        ((), 0.0, False),
        ((0.5, 1.5), 0.0, False),
        ((float("nan"),), 0.0, False),
    ],
)
def test_steps_go_up_from_where_the_model_is(stages: tuple[float, ...], has: float, is_growing: bool) -> None:
    assert RolloutPlan(stages).is_growing_from(has) is is_growing
