"""The same question with the same answer, from several rows: it weighs more in the training than others do."""

from collections.abc import Iterable, Sequence
from typing import Final

from goldsmith.stars.types import Example, Finding
from goldsmith.storage.text import plain

TITLE: Final = "The same question and answer, more than once"
CANNOT_SEE: Final = "Rows that say the same in other words; those that share most of their words are looked for apart."


def find(examples: Sequence[Example]) -> Iterable[Finding]:
    """Each example that an earlier one, of another row, is equal to."""
    first: dict[tuple[str, ...], Example] = {}
    for example in examples:
        whole = (*(plain(turn["content"]) for turn in example.asked), plain(example.expected))
        other = first.setdefault(whole, example)
        if other.row_key != example.row_key:
            words = f"The same question and answer as in row {other.position}; what is learned twice weighs more."
            yield Finding(example.run_id, example.position, example.answer_id, words)
