"""What is measured on one answer, one measure per file; each module is a `Measure`.

>>> MEASURES["exact_match"].measure(MeasuredAnswer("card_arrival"), "card_arrival")
True
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from goldsmith.compare.measures import exact_match, field_match, latency, length
from goldsmith.compare.types import MeasuredAnswer


class Measure(Protocol):
    """One number (or yes or no) about one answer; None where there is none, because the answer failed."""

    @property
    def NAME(self) -> str:  # noqa: N802 — modules are measures, and a module's constants are capitals
        """The name in the database and in addresses."""
        ...

    @property
    def UNIT(self) -> str:  # noqa: N802
        """`rows` where it is yes or no, else what the number counts."""
        ...

    def measure(self, answer: MeasuredAnswer, expected: str) -> float | None:
        """Look at one answer beside the text that the exam expects."""
        ...


_ALL: Final[tuple[Measure, ...]] = (exact_match, field_match, length, latency)

MEASURES: Final[Mapping[str, Measure]] = MappingProxyType({measure.NAME: measure for measure in _ALL})


def is_right(answer: MeasuredAnswer, expected: str) -> bool | None:
    """The right or wrong of a verdict: all fields where a JSON object is expected, else the exact text."""
    if field_match.parse(expected) is not None:
        return field_match.measure(answer, expected)
    return exact_match.measure(answer, expected)


def is_nearly_right(answer: MeasuredAnswer, expected: str) -> bool:
    """Wrong, but right if capitals and the number of spaces did not count; it still counts as wrong."""
    if answer.text is None or is_right(answer, expected):
        return False
    return _loose(answer.text) == _loose(expected)


def _loose(text: str) -> str:
    fields = field_match.parse(text)
    plain = exact_match.plain(text) if fields is None else json.dumps(fields, sort_keys=True, ensure_ascii=False)
    return " ".join(plain.casefold().split())
