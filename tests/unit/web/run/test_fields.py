"""The fields of an answer as lines and as a schema."""

import pytest

from goldsmith.web.run.fields import schema_of, text_of
from goldsmith.web.sample import sample


def test_lines_become_a_schema_and_lines_again() -> None:
    text = "topic: billing, delivery\nreason"
    assert text_of(schema_of(text)) == text


def test_the_samples_own_schema_can_be_typed_as_lines() -> None:
    schema = sample().draft.answer_schema
    assert schema is not None
    text = text_of(schema)
    assert text is not None
    assert schema_of(text) == schema


def test_a_schema_that_says_more_than_lines_is_left_alone() -> None:
    assert text_of({"type": "array"}) is None
    assert text_of({**schema_of("a"), "additionalProperties": True}) is None


@pytest.mark.parametrize("text", [": x", "a\na: b", "\n".join(f"f{n}" for n in range(60))])
def test_lines_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"field|name"):
        schema_of(text)
