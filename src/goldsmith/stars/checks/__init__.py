"""What a person should look at before a training: one check a file, each a module with TITLE and `find(examples)`.

>>> report([])
[]
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from goldsmith.stars.checks import conflicting_answers, cut_off_answers, empty_answers, invalid_json
from goldsmith.stars.types import Example, Finding

MAX_LISTED = 20

CHECKS: Final[Mapping[str, tuple[str, Callable[[Sequence[Example]], Iterable[Finding]]]]] = MappingProxyType(
    {
        "empty_answers": (empty_answers.TITLE, empty_answers.find),
        "conflicting_answers": (conflicting_answers.TITLE, conflicting_answers.find),
        "cut_off_answers": (cut_off_answers.TITLE, cut_off_answers.find),
        "invalid_json": (invalid_json.TITLE, invalid_json.find),
    }
)


def report(examples: Sequence[Example]) -> list[dict[str, Any]]:
    """The checks that found something, each with its number and its first findings."""
    lines = []
    for name, (title, find) in CHECKS.items():
        found = list(find(examples))
        if found:
            listed = [finding.to_dict() for finding in found[:MAX_LISTED]]
            lines.append({"check": name, "title": title, "num_found": len(found), "found": listed})
    return lines
