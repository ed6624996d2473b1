"""What every measure promises. A test class inherits from `MeasureContract` and has a fixture `measure`."""

import math
from typing import Any

import pytest

from goldsmith.compare.measures import Measure
from goldsmith.compare.types import MeasuredAnswer
from goldsmith.testing.contracts import RAN_ON

AWKWARD = ("", " ", "zwei\nZeilen, „Größe“ 名前 🎉", '{"a": [1, null]}', "{", "x" * 100_000)


class MeasureContract:
    """One test for each promise."""

    @pytest.fixture(autouse=True)
    def _says_what_it_ran_on(self, measure: Measure, record_property: Any) -> None:
        record_property(RAN_ON, f"measure {measure.NAME}")

    def test_it_has_a_name_and_a_unit(self, measure: Measure) -> None:
        assert measure.NAME.lower() == measure.NAME
        assert isinstance(measure.UNIT, str)

    @pytest.mark.parametrize("expected", AWKWARD)
    @pytest.mark.parametrize("text", AWKWARD)
    def test_whatever_the_texts_are_it_is_a_finite_number(self, measure: Measure, text: str, expected: str) -> None:
        found = measure.measure(MeasuredAnswer(text, 12.5), expected)
        assert found is None or math.isfinite(float(found))
        assert measure.measure(MeasuredAnswer(text, 12.5), expected) == found, "the same answer, the same number"

    def test_an_answer_that_failed_has_none(self, measure: Measure) -> None:
        assert measure.measure(MeasuredAnswer(None), "yes") is None
