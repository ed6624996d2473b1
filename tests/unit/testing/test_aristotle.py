"""The synthetic Aristotle is the same every time, in all three shapes; its tables are tested by who reads them."""

from goldsmith.connect.aristotle.shapes import answer_of, prompt_of
from goldsmith.testing.aristotle import NAMES, candidate


def test_a_candidate_is_the_same_for_a_number() -> None:
    assert candidate(7) == candidate(7)
    assert candidate(7) != candidate(7, seed=2)


def test_all_shapes_can_be_read() -> None:
    made = [candidate(number) for number in range(30)]
    assert all(prompt_of(asked) and answer_of(answered) for asked, answered in made)
    assert {tuple(answered) for _, answered in made} == {("response",), ("evaluation",)}
    assert sum("work_history" in asked for asked, _ in made) == 10


def test_there_are_three_generations() -> None:
    assert [names.conquest for names in NAMES.values()] == ["conquest_analysis", '"Conquest"', "conquests"]
