"""The words for what a training learns from, of all backends that have more than one way. It knows no backend."""

from collections.abc import Mapping
from typing import Final, Literal

from goldsmith.models.types import Learns

Method = Literal["sft", "dpo", "kto"]
FEWEST_AT_ONCE: Final = 2
"""Rows at once for single marks (kto): from the others of a batch it is estimated how far the model has moved."""
LEARNS: Final[Mapping[str, Learns]] = {"sft": Learns.answers, "dpo": Learns.pairs, "kto": Learns.marks}


def learns(method: str) -> Learns:
    """What a method learns from; a backend that has no other way learns from good answers."""
    return LEARNS.get(method, Learns.answers)
