"""An eidos, a candidate and good answers become a chat: every shape of `data`, nulls, variables, what has no room."""

from typing import Any

import pytest

from goldsmith.connect.aristotle.asking import asked, best_of, with_examples
from goldsmith.connect.conquests import Question, Subject
from goldsmith.connect.errors import NothingToAsk
from goldsmith.connect.types import SourceItem
from goldsmith.run.errors import PromptVariableUnknown

EIDOS = Subject("e1", {"prompt": "Is she right for us?"})
ADA = Subject("c1", {"name": "Ada", "title": "Engineer", "experience": [{"company": "Northwind", "title": "Lead"}]})
ABOUT_ADA = '{"name": "Ada", "title": "Engineer", "experience": [{"title": "Lead", "company": "Northwind"}]}'


def test_an_eidos_and_a_candidate_make_a_question() -> None:
    assert asked(EIDOS, ADA) == Question(f"Is she right for us?\n\n{ABOUT_ADA}", None, "Ada")


@pytest.mark.parametrize(
    ("data", "about"),
    [
        ({"prompt": "Ada, eight years of work."}, "Ada, eight years of work."),
        ("Ada, as a text.", "Ada, as a text."),
        (
            {"current_role": "lead", "name": "Ada", "work_history": []},
            '{"name": "Ada", "current_role": "lead", "work_history": []}',
        ),
    ],
)
def test_a_candidate_may_be_kept_in_any_shape_that_asks(data: Any, about: str) -> None:
    assert asked(EIDOS, Subject("c1", {"data": data})).text == f"Is she right for us?\n\n{about}"


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"name": "  ", "experience": []},
        {"data": None},
        {"data": {"prompt": None}},
        {"data": {"evaluation": {"recommendation": "Yes"}}},
    ],
)
def test_a_candidate_of_whom_nothing_is_known_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(NothingToAsk, match="The candidate c1 holds nothing"):
        asked(EIDOS, Subject("c1", values))


@pytest.mark.parametrize(
    ("values", "text", "system"),
    [
        ({"prompt": "Right?", "system": "You judge."}, "Right?", "You judge."),
        ({"data": {"prompt": "Right?", "system": "You judge."}}, "Right?", "You judge."),
        ({"data": {"messages": [{"role": "user", "content": "Right?"}]}}, "Right?", "As chosen."),
        ({"prompt": None, "name": "Lead", "criteria": ["Go"]}, '{"name": "Lead", "criteria": ["Go"]}', "As chosen."),
        ({"instructions": "Right?", "system": ""}, "Right?", ""),
    ],
)
def test_an_eidos_may_be_kept_in_many_ways(values: dict[str, Any], text: str, system: str) -> None:
    found = asked(Subject("e1", values), ADA, chosen="As chosen.")
    assert (found.text, found.system_text) == (f"{text}\n\n{ABOUT_ADA}", system)


@pytest.mark.parametrize("values", [{}, {"prompt": None}, {"prompt": " "}, {"system": "You judge."}])
def test_an_eidos_that_says_nothing_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(NothingToAsk, match="The eidos e1 holds nothing"):
        asked(Subject("e1", values), ADA)


def test_an_eidos_may_have_variables_and_a_candidate_s_braces_stay_braces() -> None:
    eidos = Subject("e1", {"prompt": "Is {{name}} right? {{candidate}}"})
    candidate = Subject("c1", {"name": "{{evil}} {% raw %}"})
    text = asked(eidos, candidate).text
    assert text == 'Is {{evil}} {% raw %} right? {"name": "{{evil}} {% raw %}"}'
    with pytest.raises(PromptVariableUnknown, match="salary"):
        asked(Subject("e1", {"prompt": "{{salary}}"}), ADA)


def item(number: int, *, size: int = 3, rating: int | None = 5, subject: str | None = None) -> SourceItem:
    return SourceItem(f"conquest_{number}", "p" * size, "a" * size, rating=rating, subject_id=subject)


def test_the_best_rated_come_first_and_none_about_the_same_candidate() -> None:
    items = [item(1, rating=3), item(2), item(3, rating=None), item(4, subject="ada"), item(5, rating=4)]
    assert [each.external_id for each in best_of(items, 3, without="ada")] == ["conquest_2", "conquest_3", "conquest_5"]


def test_examples_stand_before_the_question_as_far_as_they_fit() -> None:
    question = Question("q" * 10, "s" * 10)
    messages, ids = with_examples(question, [item(1), item(2, size=1_000_000), item(3)], max_characters=32)
    assert ids == ["conquest_1", "conquest_3"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert messages[-1]["content"] == question.text
    assert with_examples(Question("q"), [item(1)], max_characters=0) == ([{"role": "user", "content": "q"}], [])
