"""The measure keeps what every measure promises."""

import pytest

from goldsmith.compare.measures import Measure
from goldsmith.compare.types import MeasuredAnswer
from goldsmith.testing.contracts.measures import MeasureContract
from goldsmith_example import words_kept


class TestWordsKept(MeasureContract):
    @pytest.fixture
    def measure(self) -> Measure:
        return words_kept


def test_words_count_wherever_they_stand_and_however_they_are_written() -> None:
    assert words_kept.measure(MeasuredAnswer("On its WAY, it is!"), "it is on the way") == 0.8
