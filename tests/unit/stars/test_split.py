"""The side of a row: decided once, met in every stratum, and nobody's choice."""

import hashlib
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldsmith.stars.split import decide_sides
from goldsmith.stars.types import Candidate, Side, SideCounts

SIZES = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 40), min_size=1)
SHARES = st.sampled_from([0.0, 0.1, 0.2, 0.25, 0.5])


def rows(sizes: dict[str, int], *, start: int = 0) -> list[Candidate]:
    return [Candidate(f"{name}-{n}", name) for name, size in sizes.items() for n in range(start, start + size)]


def counts(sides: dict[str, Side]) -> dict[str, SideCounts]:
    found = Counter((key.split("-")[0], side) for key, side in sides.items())
    return {name: SideCounts(found[name, Side.learn], found[name, Side.exam]) for name in {key for key, _ in found}}


@settings(max_examples=60)
@given(SIZES, SHARES)
def test_the_share_is_met_within_one_row_in_each_stratum_and_rounded_over_all(
    sizes: dict[str, int], share: float
) -> None:
    sides = decide_sides(rows(sizes), {}, {}, share=share)
    num_rows = sum(sizes.values())
    assert len(sides) == num_rows
    if num_rows < 5:
        assert set(sides.values()) == {Side.learn}
        return
    for name, found in counts(sides).items():
        assert abs(found.exam - share * sizes[name]) < 1
    assert abs(list(sides.values()).count(Side.exam) - share * num_rows) <= 0.5


@settings(max_examples=60)
@given(SIZES, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(sizes: dict[str, int], chance: random.Random) -> None:
    candidates = rows(sizes)
    shuffled = [*candidates, *candidates[:3]]
    chance.shuffle(shuffled)
    assert decide_sides(shuffled, {}, {}) == decide_sides(candidates, {}, {})


@settings(max_examples=60)
@given(SIZES, SIZES)
def test_known_rows_never_change_side_and_new_ones_make_up_for_them(
    before: dict[str, int], more: dict[str, int]
) -> None:
    known = decide_sides(rows(before), {}, {})
    existing = counts(known)
    later = decide_sides([*rows(before), *rows(more, start=100)], known, existing)
    assert not known.keys() & later.keys()
    together = counts(known | later)
    if sum(found.total for found in together.values()) >= 5:
        for found in together.values():
            assert abs(found.exam - 0.2 * found.total) < 1


@settings(max_examples=30)
@given(st.lists(st.sampled_from("abc"), min_size=5, max_size=60))
def test_stars_given_one_by_one_meet_the_share_too(strata: list[str]) -> None:
    known: dict[str, Side] = {}
    for position, name in enumerate(strata):
        known |= decide_sides([Candidate(f"{name}-{position}", name)], known, counts(known))
    assert abs(list(known.values()).count(Side.exam) - 0.2 * len(strata)) <= 3
    assert all(found.exam < 0.2 * found.total + 1 for found in counts(known).values())


def test_fewer_than_five_stars_are_all_learned_and_the_fifth_brings_an_exam() -> None:
    first = decide_sides(rows({"a": 4}), {}, {})
    assert set(first.values()) == {Side.learn}
    assert decide_sides(rows({"a": 5}), first, counts(first)) == {"a-4": Side.exam}
    assert list(decide_sides(rows({"a": 5}), {}, {}).values()).count(Side.exam) == 1


def test_small_strata_have_an_exam_together() -> None:
    """Fifty labels of two rows each: no label alone would reach an exam row by rounding."""
    sizes = {f"label{number}": 2 for number in range(50)}
    assert list(decide_sides(rows(sizes), {}, {}).values()).count(Side.exam) == 20


def test_a_stratum_that_only_learned_is_made_up_for_by_its_new_rows() -> None:
    later = decide_sides(rows({"a": 10}), {}, {"a": SideCounts(learn=40)})
    assert list(later.values()).count(Side.exam) == 10


def test_too_many_exam_rows_are_left_alone_and_new_rows_are_learned() -> None:
    later = decide_sides(rows({"a": 3}), {}, {"a": SideCounts(learn=1, exam=9)})
    assert set(later.values()) == {Side.learn}


def test_equal_rows_with_different_answers_are_one_row() -> None:
    twice = [Candidate("same", "b"), Candidate("same", "a"), *rows({"a": 9})]
    assert len(decide_sides(twice, {}, {})) == 10
    assert decide_sides(twice, {}, {}) == decide_sides(twice[::-1], {}, {})


def test_the_exam_is_the_same_on_every_machine() -> None:
    sides = decide_sides(rows({"a": 20}), {}, {})
    in_order = sorted(sides, key=lambda key: hashlib.sha256(key.encode()).hexdigest())
    assert (
        {key for key, side in sides.items() if side is Side.exam}
        == set(in_order[:4])
        == {"a-12", "a-15", "a-17", "a-19"}
    )


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_that_leaves_nothing_to_learn_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share of the exam"):
        decide_sides([], {}, {}, share=share)
