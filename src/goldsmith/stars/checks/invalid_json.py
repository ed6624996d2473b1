"""Stars on answers that do not fit the JSON schema of the prompt that asked for them."""

from collections.abc import Iterable, Sequence
from typing import Final

from goldsmith.run.messages import parse_answer
from goldsmith.stars.types import Example, Finding

TITLE: Final = "Starred answers that do not fit the prompt's schema"
CANNOT_SEE: Final = "Answers of prompts without a schema, and values that fit the schema but are wrong."


def find(examples: Sequence[Example]) -> Iterable[Finding]:
    """Each of them, with the reason."""
    for example in examples:
        problem = parse_answer(example.expected, example.answer_schema)[1]
        if problem is not None:
            yield Finding(example.run_id, example.position, example.answer_id, problem)
