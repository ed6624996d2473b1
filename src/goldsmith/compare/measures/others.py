"""Measures that other packages bring along under the entry point `goldsmith.measures`; they decide no verdict.

What is right and wrong stays ours (`is_right`), so that a comparison means the same everywhere. These stand beside it.
"""

import math
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from goldsmith import plugins
from goldsmith.compare.measures import MEASURES, Measure
from goldsmith.compare.types import MeasuredAnswer
from goldsmith.plugins import Found

MAX_REASON_CHARACTERS = 300


@cache
def installed() -> Found[Measure]:
    """Ours, and what is installed beside us; looked for once."""
    return found(entry_points(group=plugins.MEASURES))


def found(points: Iterable[EntryPoint]) -> Found[Measure]:
    """Ours, and those behind the entry points."""
    return plugins.load(points, ours=MEASURES, name_of=lambda measure: measure.NAME, check=_check)


def measured(answers: Sequence[tuple[MeasuredAnswer, str]]) -> dict[str, dict[str, Any]]:
    """Each plugin's measure over answers, each with what was expected: unit, mean, and over how many rows.

    One that fails says why in the place of its mean, and disturbs nothing else.
    """
    there = installed()
    return {name: _mean(there.by_name[name], answers) for name in there.packages}


def _mean(measure: Measure, answers: Sequence[tuple[MeasuredAnswer, str]]) -> dict[str, Any]:
    try:
        values = [measure.measure(answer, expected) for answer, expected in answers]
        known = [float(value) for value in values if value is not None]
    except Exception as error:  # noqa: BLE001 - whatever somebody else's code does, the comparison is worth more
        return {"unit": measure.UNIT, "failed": f"{type(error).__name__}: {error}"[:MAX_REASON_CHARACTERS]}
    if not all(math.isfinite(value) for value in known):
        return {"unit": measure.UNIT, "failed": "it gave something that is no finite number"}
    return {"unit": measure.UNIT, "mean": sum(known) / len(known) if known else None, "num": len(known)}


def _check(measure: Measure) -> None:
    if not isinstance(measure.UNIT, str) or not callable(measure.measure):
        raise TypeError("it lacks UNIT or measure")
