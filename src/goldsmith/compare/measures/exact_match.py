"""Is the answer the expected text? Capitals count; spaces around it and the way accents are stored do not."""

import unicodedata
from typing import Final

from goldsmith.compare.types import MeasuredAnswer

NAME: Final = "exact_match"
UNIT: Final = "rows"


def measure(answer: MeasuredAnswer, expected: str) -> bool | None:
    """Whether the texts are equal; None for a failed answer."""
    if answer.text is None:
        return None
    return plain(answer.text) == plain(expected)


def plain(text: str) -> str:
    """The text as it is compared."""
    return unicodedata.normalize("NFC", text).strip()
