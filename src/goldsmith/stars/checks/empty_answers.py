"""Stars on answers without any text: there is nothing to learn, so they are left out."""

from collections.abc import Iterable, Sequence
from typing import Final

from goldsmith.stars.types import Example, Finding

TITLE: Final = "Starred answers that are empty"
CANNOT_SEE: Final = "Answers that say nothing in many words."


def find(examples: Sequence[Example]) -> Iterable[Finding]:
    """Each of them."""
    for example in examples:
        if not example.expected.strip():
            yield Finding(example.run_id, example.position, example.answer_id, "The starred answer is empty.")
