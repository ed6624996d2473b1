"""What a person should look at before a training: one check a file, each a module with TITLE, CANNOT_SEE and `find`.

>>> report([])
[]
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from goldsmith.stars.checks import (
    conflicting_answers,
    cut_off_answers,
    duplicates,
    empty_answers,
    endless_answers,
    foreign_markers,
    invalid_json,
    leaks,
    near_duplicates,
    one_sided,
    personal_data,
)
from goldsmith.stars.types import Example, Finding

MAX_LISTED = 20


@dataclass(frozen=True)
class Check:
    """A check, with what it cannot see, so that nobody takes its silence for more than it is."""

    title: str
    cannot_see: str
    find: Callable[[Sequence[Example]], Iterable[Finding]]


_MODULES = (
    empty_answers,
    conflicting_answers,
    duplicates,
    near_duplicates,
    cut_off_answers,
    endless_answers,
    invalid_json,
    one_sided,
    foreign_markers,
    personal_data,
)
CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {module.__name__.rpartition(".")[2]: Check(module.TITLE, module.CANNOT_SEE, module.find) for module in _MODULES}
)
LEAKS: Final = "leaks"
_NOT_CURED_BY_LEAVING_OUT: Final = ("one_sided", "empty_answers")
"""One names a single row for many, and what is missing there are other answers; empty answers never come in."""
LIMITS: Final = (*((check.title, check.cannot_see) for check in CHECKS.values()), (leaks.TITLE, leaks.CANNOT_SEE))
"""Every check, and what it cannot see."""


def report(examples: Sequence[Example]) -> list[dict[str, Any]]:
    """The checks that found something, each with its number and its first findings."""
    lines = [_line(name, check.title, check.cannot_see, check.find(examples)) for name, check in CHECKS.items()]
    return [line for line in lines if line["num_found"]]


def report_leaks(learn: Sequence[Example], exam: Sequence[Example]) -> list[dict[str, Any]]:
    """What the two sides have in common, when they have."""
    line = _line(LEAKS, leaks.TITLE, leaks.CANNOT_SEE, leaks.find_between(learn, exam))
    return [line] if line["num_found"] else []


def curable(names: Iterable[str]) -> list[str]:
    """Those of the checks whose findings may be left out of a set, in the order in which they are looked for."""
    known = set(names)
    return [name for name in (*CHECKS, LEAKS) if name in known and name not in _NOT_CURED_BY_LEAVING_OUT]


def found_by(name: str, examples: Sequence[Example]) -> set[str]:
    """The answers of all rows that the check has something to say about; `report` lists only the first."""
    return {finding.answer_id for finding in CHECKS[name].find(examples)}


def found_leaks(learn: Sequence[Example], exam: Sequence[Example]) -> set[str]:
    """The answers of the exam rows that a learned row nearly gives away."""
    return {finding.answer_id for finding in leaks.find_between(learn, exam)}


def title_of(name: str) -> str:
    """What the check looks for."""
    return leaks.TITLE if name == LEAKS else CHECKS[name].title


def _line(name: str, title: str, cannot_see: str, findings: Iterable[Finding]) -> dict[str, Any]:
    found = list(findings)
    listed = [finding.to_dict() for finding in found[:MAX_LISTED]]
    return {"check": name, "title": title, "num_found": len(found), "found": listed, "cannot_see": cannot_see}
