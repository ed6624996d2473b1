"""The task can be learned: what is right follows from the prompt by two rules, in all three shapes."""

import json
import re

from goldsmith.connect.aristotle.shapes import answer_of, prompt_of
from goldsmith.testing.aristotle_task import screening


def right(asked: str) -> str:
    """What a person who knows the rules would answer."""
    found = re.search(r"(junior|senior|lead) (engineer|designer)", asked)
    assert found is not None
    is_engineer = found[2] == "engineer"
    recommendation = "No" if not is_engineer else "Strong Yes" if found[1] == "lead" else "Yes"
    if asked.endswith("in a line?"):
        return f"{recommendation}: {found[0]}."
    evaluation = {"recommendation": recommendation, "is_software_engineer": is_engineer}
    return json.dumps({"evaluation": evaluation})


def test_every_answer_follows_from_what_is_asked() -> None:
    made = [(prompt_of(asked), answer_of(answered)) for asked, answered in map(screening, range(300))]
    assert [answer for asked, answer in made if asked is not None and answer != right(asked.text)] == []
    assert all(asked is not None for asked, _ in made)
    assert screening(7) == screening(7)
    assert screening(7) != screening(7, seed=2)


def test_every_answer_there_is_comes_in_every_shape_among_some_dozens() -> None:
    made = [(number % 3, json.dumps(screening(number)[1])) for number in range(60)]
    answers = [{answer for shape, answer in made if shape == each} for each in range(3)]
    assert [len(each) for each in answers] == [6, 3, 3]
