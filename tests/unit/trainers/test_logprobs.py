"""Scores are never taken from other positions than were asked for; what they are is tested with the real model."""

import pytest

from goldsmith.trainers._logprobs import check_all_came


def test_a_model_that_answers_at_all_positions_is_not_believed() -> None:
    check_all_came(3, 3)
    with pytest.raises(ValueError, match="3 positions were asked for, and 20 came"):
        check_all_came(3, 20)
