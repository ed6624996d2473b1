"""Stars on answers that go round in circles or are far longer than all others: the model would learn to go on."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

from goldsmith.stars.types import Example, Finding

TITLE: Final = "Starred answers that hardly end"
CANNOT_SEE: Final = (
    "Answers that are too long for their question, but not ten times as long as the usual one of the set."
)
TIMES_REPEATED = 8
LONGEST_REPEATED = 100
FEWEST_CHARACTERS = 2_000
TIMES_USUAL = 10


def find(examples: Sequence[Example]) -> Iterable[Finding]:
    """Each of them, with the reason."""
    usual = median([len(example.expected) for example in examples] or [0])
    for example in examples:
        length = len(example.expected)
        if _repeats(example.expected):
            words = "The answer ends by saying the same again and again."
        elif length > max(FEWEST_CHARACTERS, TIMES_USUAL * usual):
            words = f"The answer has {length:,} characters; the usual one of this set has {usual:,.0f}."
        else:
            continue
        yield Finding(example.run_id, example.position, example.answer_id, words)


def _repeats(text: str) -> bool:
    """Whether it ends with one piece of text many times over; lines and dots do not count."""
    text = text.rstrip()
    pieces = (text[-length:] for length in range(2, min(LONGEST_REPEATED, len(text) // TIMES_REPEATED) + 1))
    return any(text.endswith(piece * TIMES_REPEATED) and any(map(str.isalpha, piece)) for piece in pieces)
