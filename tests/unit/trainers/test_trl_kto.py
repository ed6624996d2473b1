"""What single marks become before TRL sees them; the training itself is in `tests/real`."""

import pytest

from goldsmith.trainers._report import Failure
from goldsmith.trainers.trl_kto import as_mark, weights, with_others_answers
from goldsmith.wire.rows import Row


def test_all_bad_answers_together_count_as_much_as_all_good_ones() -> None:
    good, bad = weights([False, False, False, True], 1.0)
    assert (3 * good, bad) == (2.0, 2.0)
    assert weights([False, False, False, True], 0.5) == (good, bad / 2)


@pytest.mark.parametrize("are_bad", [[True, True], [False]])
def test_answers_of_one_kind_are_a_failure_with_a_cure(are_bad: list[bool]) -> None:
    with pytest.raises(Failure, match="it takes some of each") as failure:
        weights(are_bad, 1.0)
    assert failure.value.kind == "only_one_kind"


def test_a_mark_is_a_prompt_an_answer_and_whether_it_is_good() -> None:
    row = Row("row", [5, 6, 7, 8], [-100, -100, 7, 8], is_bad=True)
    assert as_mark(row) == {"prompt_ids": [5, 6], "completion_ids": [7, 8], "label": False}


def test_each_prompt_gets_another_ones_answer_of_its_batch() -> None:
    batch = [{"prompt_ids": [number], "completion_ids": [10 + number]} for number in range(3)]
    assert [row["KL_completion_ids"] for row in with_others_answers(batch)] == [[12], [10], [11]]
    assert [row["completion_ids"] for row in with_others_answers(batch)] == [[10], [11], [12]]
