"""Stars on answers that were cut off, as written: the model would learn to stop in the middle."""

from collections.abc import Iterable, Sequence
from typing import Final

from goldsmith.run.types import CUT_OFF
from goldsmith.stars.types import Example, Finding

TITLE: Final = "Starred answers that were cut off"
CANNOT_SEE: Final = (
    "Answers that stopped early for another reason, and those of files that do not say why an answer ended."
)


def find(examples: Sequence[Example]) -> Iterable[Finding]:
    """Each of them that nobody has corrected."""
    for example in examples:
        if example.finish_reason == CUT_OFF and not example.is_corrected:
            words = "The answer was cut off and starred as it is; correct it, or allow more tokens and run again."
            yield Finding(example.run_id, example.position, example.answer_id, words)
