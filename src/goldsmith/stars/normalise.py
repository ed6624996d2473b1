"""What makes two rows equal, and which stratum an answer belongs to. Pure; the service calls it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final

from goldsmith.storage.text import plain

MOST_LABELS: Final = 50
"""With more different answers than this they are not labels, and there is one stratum."""

LONGEST_LABEL: Final = 100
"""Characters. A longer answer is a text and no label; a short JSON object is one."""

ONE_STRATUM: Final = "all"


def row_key(values: Mapping[str, str]) -> str:
    """SHA-256 of a row's content, in hex; equal for rows that differ in capitals, spaces or stored accents only."""
    content = sorted((plain(name), plain(value)) for name, value in values.items())
    return hashlib.sha256(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode("ascii")).hexdigest()


def stratum_of(answers: Sequence[str]) -> list[str]:
    """The stratum of each answer, in the order given, judged over all of them.

    The answer itself where all are short and at most 50 differ (JSON objects whatever the order of their fields), else
    one stratum for all.
    """
    labels = [_label(answer) for answer in answers]
    are_labels = len(set(labels)) <= MOST_LABELS and all(len(label) <= LONGEST_LABEL for label in labels)
    return labels if are_labels else [ONE_STRATUM] * len(labels)


def _label(answer: str) -> str:
    if answer.lstrip().startswith("{"):
        try:
            return plain(json.dumps(json.loads(answer), ensure_ascii=False, sort_keys=True))
        except (ValueError, RecursionError):
            return plain(answer)
    return plain(answer)
