"""A share of a training set's rows, for a learning curve: always the same rows, a smaller share within a larger one.

The rows of each stratum (`stars/sides.py`) stand in the order of the hash of their ids, and the strata are interleaved
so that every beginning of the whole holds about as much of each as the whole does. A share is a beginning. Pure.
"""

import hashlib
import math
from collections.abc import Iterable, Sequence
from typing import Final

SHARE: Final = "share"
"""Of a job's parameters: which share of the rows it learns from."""
LabelledRow = tuple[str, str]
"""A row's id and its stratum."""


def num_in_share(num_rows: int, share: float) -> int:
    """How many rows a share is: rounded up, so that the smallest share of some rows is one."""
    return min(num_rows, math.ceil(round(num_rows * share, 6)))


def in_share(rows: Iterable[LabelledRow], share: float) -> set[str]:
    """The ids of the rows that belong to a share."""
    order = nested(list(rows))
    return set(order[: num_in_share(len(order), share)])


def nested(rows: Sequence[LabelledRow]) -> list[str]:
    """The ids in the order in which shares take them."""
    strata: dict[str, list[str]] = {}
    for row_id, stratum in rows:
        strata.setdefault(stratum, []).append(row_id)
    placed: list[tuple[float, str, str]] = []
    for ids in strata.values():
        ordered = sorted(ids, key=_hash)
        placed += [((place + 0.5) / len(ordered), _hash(row_id), row_id) for place, row_id in enumerate(ordered)]
    return [row_id for _, _, row_id in sorted(placed)]


def _hash(row_id: str) -> str:
    return hashlib.sha256(row_id.encode("utf-8", "surrogatepass")).hexdigest()
