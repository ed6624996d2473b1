"""How thoroughly to train, as one choice; it resolves to numbers that are shown and can be changed one by one.

A round through few rows is few steps, and an adapter needs some dozens of them to learn anything; many rounds through
many rows only take longer. So what is chosen is about how many steps there are, and the epochs follow from the rows.
"""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from goldsmith.train.look import Look

SMALL_SET: Final = 64
"""Below so many rows a step takes half of them, so that a round still has several steps."""
LARGE_MODEL: Final = 1_000_000_000
"""Parameters from which on steps are smaller: larger models unlearn more with the same learning rate."""
LONGEST: Final = 2048
"""The longest row that is proposed, in tokens: memory grows with it."""


class Dial(StrEnum):
    """How thoroughly."""

    quick = "quick"
    """Some minutes: shows whether the rows teach anything."""
    balanced = "balanced"
    """What most trainings need."""
    thorough = "thorough"
    """More rounds and a larger adapter: for many rows or hard tasks."""


SETS: Final = frozenset(
    {"num_epochs", "batch_size", "learning_rate", "lora_rank", "lora_alpha", "patience", "max_length"}
)
"""The settings that it resolves to."""
_STEPS: Final[Mapping[Dial, int]] = {Dial.quick: 15, Dial.balanced: 30, Dial.thorough: 90}
_MOST_EPOCHS: Final[Mapping[Dial, int]] = {Dial.quick: 3, Dial.balanced: 6, Dial.thorough: 12}
_FEWEST_EPOCHS: Final[Mapping[Dial, int]] = {Dial.quick: 1, Dial.balanced: 2, Dial.thorough: 3}

_PATIENCE: Final[Mapping[Dial, int]] = {Dial.quick: 0, Dial.balanced: 2, Dial.thorough: 3}
"""After so many exam scores in a row without progress a training ends early; 0: never."""


def resolve(dial: Dial, *, num_rows: int, num_parameters: int | None, look: Look | None = None) -> dict[str, Any]:
    """The numbers for these rows and this model; with a look also the limit that leaves no row out for its length."""
    batch_size = 4 if num_rows < SMALL_SET else 8
    steps_a_round = max(1, math.ceil(num_rows / batch_size))
    epochs = math.ceil(_STEPS[dial] / steps_a_round)
    is_large = num_parameters is not None and num_parameters >= LARGE_MODEL
    rank = 16 if dial is Dial.thorough else 8
    found = {
        "num_epochs": min(max(epochs, _FEWEST_EPOCHS[dial]), _MOST_EPOCHS[dial]),
        "batch_size": batch_size,
        "learning_rate": 2e-4 if is_large else 5e-4,
        "lora_rank": rank,
        "lora_alpha": float(2 * rank),
        "patience": _PATIENCE[dial],
    }
    limit = look.limit_for_all if look is not None else None
    return found | ({"max_length": min(max(limit, 64), LONGEST)} if limit else {})
