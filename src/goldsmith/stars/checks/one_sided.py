"""Answers that are nearly always the same: a model that says it always would seem right."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from goldsmith.stars.types import Example, Finding
from goldsmith.storage.text import plain

TITLE: Final = "Answers that are nearly always the same"
CANNOT_SEE: Final = "Whether real requests are as one-sided as this; then it is right. Sets of fewer than 20 rows."
FEWEST_EXAMPLES = 20
LARGEST_SHARE = 0.8


def find(examples: Sequence[Example]) -> Iterable[Finding]:
    """The first row of each answer, or field of JSON answers, that takes more than its share."""
    if len(examples) < FEWEST_EXAMPLES:
        return
    having: dict[tuple[str, str], list[Example]] = defaultdict(list)
    num_with: dict[str, int] = defaultdict(int)
    for example in examples:
        for field, value in _fields(example.expected).items():
            having[field, value].append(example)
            num_with[field] += 1
    for (field, _), same in having.items():
        if num_with[field] >= FEWEST_EXAMPLES and LARGEST_SHARE * num_with[field] < len(same):
            what = f"say the same in the field {field[:80]}" if field else "are the same"
            words = f"{len(same):,} of {num_with[field]:,} answers {what}, as this one does."
            yield Finding(same[0].run_id, same[0].position, same[0].answer_id, words)


def _fields(answer: str) -> Mapping[str, str]:
    """The fields of a JSON object; any other answer is one field without a name."""
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not found:
        return {"": plain(answer)}
    return {str(name): plain(str(value)) for name, value in found.items()}
