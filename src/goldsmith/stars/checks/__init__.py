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
LIMITS: Final = (*((check.title, check.cannot_see) for check in CHECKS.values()), (leaks.TITLE, leaks.CANNOT_SEE))
"""Every check, and what it cannot see."""


def report(examples: Sequence[Example]) -> list[dict[str, Any]]:
    """The checks that found something, each with its number and its first findings."""
    lines = [_line(name, check.title, check.cannot_see, check.find(examples)) for name, check in CHECKS.items()]
    return [line for line in lines if line["num_found"]]


def report_leaks(learn: Sequence[Example], exam: Sequence[Example]) -> list[dict[str, Any]]:
    """What the two sides have in common, when they have."""
    line = _line("leaks", leaks.TITLE, leaks.CANNOT_SEE, leaks.find_between(learn, exam))
    return [line] if line["num_found"] else []


def _line(name: str, title: str, cannot_see: str, findings: Iterable[Finding]) -> dict[str, Any]:
    found = list(findings)
    listed = [finding.to_dict() for finding in found[:MAX_LISTED]]
    return {"check": name, "title": title, "num_found": len(found), "found": listed, "cannot_see": cannot_see}
