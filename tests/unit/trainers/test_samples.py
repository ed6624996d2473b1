"""How long answers to exam rows may take, and where they end. The answers themselves: `tests/real/test_trl_sft.py`."""

import pytest

from goldsmith.trainers._samples import Sampler, answer_starts_at, up_to_end
from goldsmith.wire.rows import Row


def row(prompt: list[int], answer: list[int]) -> Row:
    return Row("row_1", prompt + answer, [-100] * len(prompt) + answer)


def test_all_answers_together_take_a_tenth_of_the_training() -> None:
    sampler = Sampler(None, None, [])
    assert sampler.seconds_for_one(training_s=600, num_coming=6) == pytest.approx(10)
    sampler.spent_s = 30
    assert sampler.seconds_for_one(training_s=600, num_coming=3) == pytest.approx(10)
    assert sampler.seconds_for_one(training_s=100, num_coming=0) < 0


def test_without_rows_or_time_nothing_is_answered() -> None:
    assert Sampler(None, None, []).answers(10) == []
    assert Sampler(None, None, [row([1], [2])]).answers(0) == []


def test_an_answer_begins_where_learning_does_and_ends_at_its_marker() -> None:
    assert answer_starts_at(row([5, 6, 7], [8, 9])) == 3
    assert up_to_end([4, 5, 9, 9], {9}) == ([4, 5], False)
    assert up_to_end([4, 5], {9}) == ([4, 5], True)
