"""All measures together, and the two that only look at the answer."""

import pytest

from goldsmith.compare.measures import MEASURES, is_nearly_right, is_right
from goldsmith.compare.types import MeasuredAnswer


def test_the_measures_are_known_by_name_with_their_units() -> None:
    assert {name: measure.UNIT for name, measure in MEASURES.items()} == {
        "exact_match": "rows",
        "field_match": "rows",
        "length": "characters",
        "latency": "ms",
    }


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_no_measure_makes_up_a_number_for_a_failed_answer(name: str) -> None:
    assert MEASURES[name].measure(MeasuredAnswer(None, latency_ms=12.0), '{"a": 1}') is None


def test_length_and_latency_are_what_was_measured() -> None:
    answer = MeasuredAnswer("größer", latency_ms=87.5)
    assert MEASURES["length"].measure(answer, "") == 6
    assert MEASURES["latency"].measure(answer, "") == 87.5
    assert MEASURES["latency"].measure(MeasuredAnswer("x"), "") is None


def test_right_means_all_fields_for_json_and_the_text_for_everything_else() -> None:
    assert is_right(MeasuredAnswer('{"a":1}'), '{"a": 1}') is True
    assert is_right(MeasuredAnswer('{"a": 2}'), '{"a": 1}') is False
    assert is_right(MeasuredAnswer(" yes"), "yes") is True
    assert is_right(MeasuredAnswer(None), "yes") is None


@pytest.mark.parametrize(
    ("text", "expected", "is_near"),
    [
        ("Card arrival", "card  ARRIVAL", True),
        ("card arrival", "card arrival", False),
        ("card_arrival", "card arrival", False),
        ('{"b": "Two", "a": 1}', '{"a": 1, "b": "two"}', True),
        ('{"a": 2}', '{"a": 1}', False),
        (None, "card arrival", False),
    ],
)
def test_a_wrong_answer_is_nearly_right_if_only_capitals_or_spaces_differ(
    text: str | None, expected: str, is_near: bool
) -> None:
    assert is_nearly_right(MeasuredAnswer(text), expected) is is_near
