"""An answer as fields, what was chosen as an answer, and the difference by words."""

import json
from typing import Any

import pytest

from goldsmith.web.errors import FormNotUsable
from goldsmith.web.stars.choices import AnswerField, chosen_text, difference, fields_of_answer

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "topic": {"enum": ["billing", "delivery"]},
        "is_urgent": {"type": "boolean"},
        "amount": {"type": "integer"},
    },
}
WROTE = '{"topic": "billing", "is_urgent": false, "amount": 3}'


def test_fields_show_the_correction_and_what_the_model_wrote() -> None:
    fields = fields_of_answer(SCHEMA, WROTE, '{"topic": "delivery", "is_urgent": true, "amount": 3}')
    assert fields[0] == AnswerField("topic", ("billing", "delivery"), "delivery", "billing")
    assert fields[1] == AnswerField("is_urgent", ("true", "false"), "true", "false")


@pytest.mark.parametrize("schema", [None, {"type": "array"}, {"properties": {"a": {"type": "object"}}}, {}])
def test_other_answers_have_no_fields(schema: dict[str, Any] | None) -> None:
    assert fields_of_answer(schema, WROTE, None) == ()


def test_what_was_not_changed_stays_as_the_model_wrote_it() -> None:
    posted = {"field-topic": "billing", "field-is_urgent": "false", "field-amount": "3"}
    assert chosen_text(SCHEMA, posted, WROTE) == WROTE


def test_a_choice_becomes_an_answer_of_the_right_types_in_the_models_own_hand() -> None:
    posted = {"field-topic": "delivery", "field-is_urgent": "true", "field-amount": "4"}
    wanted = {"topic": "delivery", "is_urgent": True, "amount": 4}
    assert chosen_text(SCHEMA, posted, WROTE) == json.dumps(wanted)
    assert chosen_text(SCHEMA, posted, WROTE.replace(" ", "")) == json.dumps(wanted, separators=(",", ":"))


def test_a_field_without_a_choice_and_a_number_that_is_none_are_refused() -> None:
    with pytest.raises(FormNotUsable, match="topic"):
        chosen_text(SCHEMA, {}, "")
    with pytest.raises(FormNotUsable, match="not a number"):
        chosen_text(SCHEMA, {"field-topic": "billing", "field-is_urgent": "true", "field-amount": "x"}, "")


def test_a_difference_is_told_by_words() -> None:
    assert difference("a late bill", "a late parcel") == (("same", "a late "), ("gone", "bill"), ("new", "parcel"))
