"""The measure `words_kept`: the share of the expected words that an answer has, wherever they stand in it.

A module is a measure: it has a NAME, a UNIT, and `measure`.
"""

import re
from typing import Final

from goldsmith.compare.types import MeasuredAnswer

NAME: Final = "words_kept"
UNIT: Final = "of the words"


def measure(answer: MeasuredAnswer, expected: str) -> float | None:
    """From 0 to 1; None for an answer that failed, and where no word is expected."""
    wanted = _words(expected)
    if answer.text is None or not wanted:
        return None
    return len(wanted & _words(answer.text)) / len(wanted)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
