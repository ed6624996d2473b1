"""Prompts and answers are read in every shape of `data`; what is none is None."""

import json
from typing import Any

import pytest

from goldsmith.connect.aristotle.shapes import Asked, answer_of, prompt_of

PROFILE = {"work_history": [], "name": "Ada", "current_role": "lead", "education": "Delft", "current_company": "X"}
VERDICT = {"is_software_engineer": True, "recommendation": "Yes", "trajectory_rating": 4}


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        ({"prompt": "Right?"}, Asked("Right?")),
        ({"prompt": "Right?", "system": "Be brief."}, Asked("Right?", "Be brief.")),
        ('{"prompt": "Right?"}', Asked("Right?")),
        ("{just braces", Asked("{just braces")),
        ({"prompt": {"prompt": "inner"}}, Asked("inner")),
        ({"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]}, Asked("U", "S")),
    ],
)
def test_a_prompt_in_words(data: Any, asked: Asked) -> None:
    assert prompt_of(data) == asked


def test_a_structured_prompt_is_the_same_text_whatever_the_order() -> None:
    found, other = prompt_of(PROFILE), prompt_of(dict(reversed(PROFILE.items())))
    assert found == other
    assert found is not None
    assert list(json.loads(found.text)) == ["name", "current_role", "current_company", "education", "work_history"]


def test_stations_are_told_in_their_usual_order() -> None:
    found = prompt_of({"name": "Ada", "work_history": [{"duration": "2 years", "title": "lead", "company": "X"}]})
    assert found is not None
    assert found.text.endswith('"work_history": [{"title": "lead", "company": "X", "duration": "2 years"}]}')


@pytest.mark.parametrize(
    "data",
    [None, "", " ", {}, [], 3, {"prompt": None}, {"prompt": " "}, {"name": ""}, {"other": "x"}, {"messages": []}],
)
def test_no_prompt(data: Any) -> None:
    assert prompt_of(data) is None


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        ({"response": "Yes."}, "Yes."),
        ('{"response": "Yes."}', "Yes."),
        ('"a text in JSON"', "a text in JSON"),
        ({"response": "as it was", "corrected_response": "as it should be"}, "as it should be"),
        ({"response": {"a": 1}}, '{"a": 1}'),
        ({"recommendation": "No"}, '{"recommendation": "No"}'),
    ],
)
def test_an_answer_in_words(data: Any, answer: str) -> None:
    assert answer_of(data) == answer


def test_a_structured_answer_is_read_and_goes_before_the_words_that_it_corrects() -> None:
    found = answer_of({"response": "old", "evaluation": VERDICT})
    assert found == '{"evaluation": {"recommendation": "Yes", "trajectory_rating": 4, "is_software_engineer": true}}'


@pytest.mark.parametrize(
    "data", [None, "", {}, {"response": None}, {"response": "  "}, {"evaluation": {}}, {"evaluation": {"a": None}}, [1]]
)
def test_no_answer(data: Any) -> None:
    assert answer_of(data) is None
