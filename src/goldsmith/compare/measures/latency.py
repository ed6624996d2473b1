"""How long did the answer take? As measured when it was asked for; nothing is estimated here."""

from typing import Final

from goldsmith.compare.types import MeasuredAnswer

NAME: Final = "latency"
UNIT: Final = "ms"


def measure(answer: MeasuredAnswer, expected: str) -> float | None:  # noqa: ARG001 — every measure gets both
    """Milliseconds; None for a failed answer, and where nobody measured."""
    return None if answer.text is None else answer.latency_ms
