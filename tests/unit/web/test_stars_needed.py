"""The numbers that people are told are those by which the code decides."""

from goldsmith.compare.verdict import FEWEST_ROWS
from goldsmith.stars.split import EXAM_SHARE, FEWEST_STARS, decide_sides
from goldsmith.stars.types import Candidate, Side
from goldsmith.web.stars_needed import FEWEST_TO_COMPARE, FOR_STARRING, FOR_TRAINING


def num_exam(num_stars: int) -> int:
    sides = decide_sides([Candidate(f"row {number}", "") for number in range(num_stars)], {}, {}, share=EXAM_SHARE)
    return sum(side is Side.exam for side in sides.values())


def test_an_exam_begins_with_the_star_that_is_named() -> None:
    assert f"From {FEWEST_STARS} gold stars on" in FOR_STARRING
    assert num_exam(FEWEST_STARS - 1) == 0
    assert num_exam(FEWEST_STARS) > 0


def test_so_many_stars_as_are_named_make_an_exam_that_can_be_compared() -> None:
    assert num_exam(FEWEST_TO_COMPARE) == FEWEST_ROWS
    assert f"{FEWEST_TO_COMPARE} make an exam of {FEWEST_ROWS} rows" in FOR_STARRING
    assert f"at least {FEWEST_ROWS} rows" in FOR_TRAINING
