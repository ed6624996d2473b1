"""The same question with different answers: a model can learn only one of them."""

from collections.abc import Iterable, Sequence
from typing import Final

from goldsmith.stars.types import Example, Finding
from goldsmith.storage.text import plain

TITLE: Final = "The same question, answered differently"
CANNOT_SEE: Final = "Questions that mean the same in other words; capitals and spaces make no difference."


def find(examples: Sequence[Example]) -> Iterable[Finding]:
    """Each example whose question an earlier one has answered otherwise."""
    first: dict[tuple[tuple[str, str], ...], Example] = {}
    for example in examples:
        question = tuple((turn["role"], plain(turn["content"])) for turn in example.asked)
        other = first.setdefault(question, example)
        if plain(other.expected) != plain(example.expected):
            words = f"The same question as in row {other.position}, with another answer."
            yield Finding(example.run_id, example.position, example.answer_id, words)
