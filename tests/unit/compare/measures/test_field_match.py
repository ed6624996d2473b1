"""JSON answers, field by field."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldsmith.compare.measures import field_match
from goldsmith.compare.types import MeasuredAnswer

EXPECTED = '{"topic": "card", "urgency": "high", "amount": 1}'
JSON_OBJECTS = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=5,
    ),
    max_size=4,
)


def test_each_field_is_judged_on_its_own() -> None:
    found = field_match.match(MeasuredAnswer('{"urgency": "low", "topic": " card ", "amount": 1.0}'), EXPECTED)
    assert found is not None
    assert found.is_right == {"topic": True, "urgency": False, "amount": True}
    assert not found.are_all_right


def test_order_and_spaces_do_not_matter() -> None:
    assert field_match.measure(MeasuredAnswer('{"amount":1,"urgency":"high","topic":"card"}'), EXPECTED) is True


def test_a_field_that_nobody_asked_for_is_not_all_right() -> None:
    found = field_match.match(MeasuredAnswer('{"topic": "card", "urgency": "high", "amount": 1, "why": ""}'), EXPECTED)
    assert found is not None
    assert found.extra_fields == ("why",)
    assert all(found.is_right.values())
    assert not found.are_all_right


@pytest.mark.parametrize("text", ["card", "", "[1]", '{"topic": "card"', '{"amount": NaN}', "[" * 100_000, "9" * 5000])
def test_an_answer_that_is_no_json_object_has_every_field_wrong(text: str) -> None:
    found = field_match.match(MeasuredAnswer(text), EXPECTED)
    assert found is not None
    assert set(found.is_right.values()) == {False}
    assert field_match.measure(MeasuredAnswer(text), EXPECTED) is False


@pytest.mark.parametrize(
    ("given_text", "expected", "is_right"),
    [
        ('{"a": true}', '{"a": 1}', False),
        ('{"a": 1}', '{"a": true}', False),
        ('{"a": null}', "{}", False),
        ("{}", '{"a": null}', False),
        ('{"a": [1, 2]}', '{"a": [2, 1]}', False),
        ('{"a": [1, 2]}', '{"a": [1, 2]}', True),
        ('{"a": [1]}', '{"a": [1, 2]}', False),
        ('{"a": {"b": true, "c": "x"}}', '{"a": {"c": "x", "b": true}}', True),
        ('{"a": {"b": true}}', '{"a": {"c": true}}', False),
        ('{"a": "1"}', '{"a": 1}', False),
    ],
)
def test_values_are_compared_as_json(given_text: str, expected: str, is_right: bool) -> None:
    assert field_match.measure(MeasuredAnswer(given_text), expected) is is_right


def test_nothing_is_said_about_failed_answers_and_plain_texts() -> None:
    assert field_match.measure(MeasuredAnswer(None), EXPECTED) is None
    assert field_match.measure(MeasuredAnswer("card"), "card") is None


@settings(max_examples=50)
@given(JSON_OBJECTS)
def test_whatever_is_expected_is_right_when_it_is_given(value: dict[str, object]) -> None:
    text = json.dumps(value)
    assert field_match.measure(MeasuredAnswer(json.dumps(value, indent=2)), text) is True
