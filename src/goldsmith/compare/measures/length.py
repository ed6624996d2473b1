"""How long is the answer? In characters as people count them in the text, without looking at what was expected."""

from typing import Final

from goldsmith.compare.types import MeasuredAnswer

NAME: Final = "length"
UNIT: Final = "characters"


def measure(answer: MeasuredAnswer, expected: str) -> float | None:  # noqa: ARG001 — every measure gets both
    """The number of characters; None for a failed answer."""
    return None if answer.text is None else float(len(answer.text))
